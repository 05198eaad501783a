//! Lets the loop follow files in a world that a seed decides: between any two of its calls of the system lines are
//! written, files are rotated in all usual ways, time goes by, and the process is killed and started again. Does not
//! simulate files: these are real ones, in memory where there is such a file system.
//!
//! What must hold of the output: no line is lost over renaming; the lines of a file, and of those that had its name one
//! after the other, stand in their order, and those that a rotation divides are whole; what a kill repeats was written
//! after the last checkpoint; whatever a cut takes away is told; no secret comes out.

mod lines;
mod moments;
mod world;

#[cfg(test)]
mod tests {
    use std::{
        cell::RefCell,
        panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
        path::Path,
        rc::Rc,
        sync::Arc,
        time::Duration,
    };

    use super::{
        super::{
            Figures, Format, From, Hooks, Notice, Origin, Settings, Target, seam::simulated, signals::Signals,
            work::Loop,
        },
        lines::{self, RULES, SECRET, masked},
        world::{Killed, World, outs},
    };
    use crate::{Engine, Options, RuleSet, finding::Finding, pipeline::OnError};

    /// What the loop said.
    #[derive(Default)]
    struct Told {
        truncated: u64,
        lost_bytes: u64,
        notices: Vec<String>,
    }

    impl Hooks for Told {
        fn finding(&mut self, _: &Finding, _: &Origin) {}
        fn notice(&mut self, notice: &Notice) {
            self.notices.push(notice.to_string());
        }
        fn reload(&mut self, _: bool) -> Option<Arc<Engine>> {
            None
        }
        fn filtering(&mut self) {}
        fn filtered(&mut self, _: Duration) {}
        fn figures(&mut self, _: &Figures) {}
    }

    /// Follows until the world is over and all is quiet; whether it was not killed before.
    fn follow(world: &Rc<RefCell<World>>, engine: &Arc<Engine>, told: &mut Told) -> bool {
        let (folder, is_pattern) = (world.borrow().folder.clone(), world.borrow().habits.is_pattern);
        let settings = Settings {
            paths: vec![folder.join(if is_pattern { "in/app.log*" } else { "in/app.log" }).into()],
            roots: Vec::new(),
            from: From::Checkpoint,
            format: Format::Auto,
            target: Target::Tree {
                root: folder.join("out"),
                file_bytes_max: u64::MAX >> 1,
                total_bytes_max: u64::MAX >> 1,
            },
            open_line: false,
            state: Some(folder.join("state")),
            drain: Duration::from_secs(5),
            flush_after: Duration::from_millis(50),
            on_error: OnError::Withhold,
        };
        world.borrow_mut().lives = true;
        let acting = Rc::clone(world);
        simulated::begin(move || acting.borrow_mut().act());
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let mut work = Loop::new(&settings, Arc::clone(engine), told, Signals::none().unwrap()).unwrap();
            work.begin();
            while !world.borrow().is_over() {
                work.step().unwrap();
            }
            world.borrow_mut().calm();
            for _ in 0..20 {
                work.step().unwrap();
            }
            work.drain().unwrap();
            (work.figures.truncated, work.figures.lost_bytes)
        }));
        simulated::end();
        match ended {
            Ok((truncated, lost)) => {
                (told.truncated, told.lost_bytes) = (told.truncated + truncated, told.lost_bytes + lost);
                true
            }
            Err(payload) if payload.is::<Killed>() => {
                let mut world = world.borrow_mut();
                for _ in 0..world.random.below(60) {
                    world.happen();
                }
                false
            }
            Err(payload) => resume_unwind(payload),
        }
    }

    /// What came of a world.
    #[derive(Debug, Default)]
    struct Sum {
        rotations: usize,
        kills: usize,
        lines: usize,
        excused: usize,
        again: usize,
        /// Bytes of lines that have not come out, and those that were told as lost, where none is repeated.
        missing: u64,
        told: u64,
    }

    fn trial(engine: &Arc<Engine>, seed: u64, rotations: usize, sum: &mut Sum) -> Result<(), String> {
        let memory = Path::new("/dev/shm");
        // On a disk inodes are used again at once.
        let folder =
            if memory.is_dir() && !seed.is_multiple_of(5) { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
                .unwrap();
        let world = Rc::new(RefCell::new(World::new(&folder.path().canonicalize().unwrap(), seed, rotations)));
        let mut told = Told::default();
        while !follow(&world, engine, &mut told) {}
        let world = world.borrow();
        let what = |what: &str| Err(format!("seed {seed}: {what}\n{:?}\n{}", world.habits, told.notices.join("\n")));
        let got = world.got();
        let lost: Vec<_> =
            (0..world.lines).filter(|line| !got.contains_key(line) && !world.excused.contains_key(line)).collect();
        // Whoever has not seen the end of a text lets no record out that may go on with its last line.
        let hidden: usize = outs(&world.folder).iter().map(|text| lines::hidden(text)).sum();
        // Where several files were removed while they were opened, each may be one that was not.
        let is_vague = world.unread_ends > 0 || world.vague_ends > 1;
        let ends = world.unread_ends + if is_vague { world.vague_ends } else { 0 };
        if hidden > 2 * ends {
            return what(&format!(
                "{hidden} lines are masked whole behind {} ends, {} vague",
                world.unread_ends, world.vague_ends
            ));
        }
        if let Some(first) = lost.get(hidden) {
            let of = world.texts.iter().chain(&world.copies).find(|text| text.lines.contains(first));
            let of = of.map(|text| (text.path.file_name(), &text.lines));
            return what(&format!("{} of {} lines are lost, from {first} on, of {of:?}", lost.len(), world.lines));
        }
        let again: u64 = got.iter().map(|(line, times)| (times - 1) as u64 * masked(*line).len() as u64).sum();
        if again > world.repeats_max {
            return what(&format!("{again} bytes came again, and only {} may", world.repeats_max));
        }
        // What was cut before anybody read it was not there for anybody.
        let cuts = world.cuts..=if world.habits.cuts { world.rotations } else { 0 };
        if !world.habits.kills && !cuts.contains(&(told.truncated as usize)) {
            return what(&format!("{} cuts were noticed of {cuts:?}", told.truncated));
        }
        // Told as lost is only what is lost, for certain.
        let missing = (0..world.lines).filter(|line| !got.contains_key(line));
        let missing: u64 = missing.map(|line| lines::line(line).len() as u64 + 1).sum();
        if !world.habits.kills && !world.habits.wraps && told.lost_bytes > missing {
            return what(&format!("{} bytes are told as lost, and {missing} are", told.lost_bytes));
        }
        for text in outs(&world.folder) {
            let pieces = [&SECRET[5..13], &SECRET[17..]];
            if pieces.iter().any(|piece| text.contains(piece)) {
                return what("a secret came out");
            }
            let (lines, torn) = lines::read(&text);
            let (mut last, mut of, mut late) = (None, 0, 0);
            let mut seen = std::collections::BTreeSet::new();
            for number in lines.iter().map(|line| line.number).filter(|number| seen.insert(*number)) {
                // The copy of a text that was hardly begun may be found after the next text.
                let text = world.copies.partition_point(|copy| copy.lines.start <= number);
                if std::mem::replace(&mut of, text) == text && last > Some(number) {
                    late += 1;
                    // One that a kill has torn, or that was masked whole before a kill, is there when it is repeated.
                    if !world.habits.kills || late > hidden + torn {
                        return what(&format!("line {number} comes after {last:?}"));
                    }
                    continue;
                }
                last = Some(number);
            }
            // A line that a kill or a cut has torn comes out in pieces, and one that is masked whole is none.
            let may = 2 * world.kills + 2 * usize::from(world.habits.cuts) * world.rotations + world.excused.len();
            let may = may + hidden;
            if torn > may {
                return what(&format!("{torn} lines are no lines, and {may} may be"));
            }
        }
        if !world.habits.kills && !world.habits.wraps {
            (sum.missing, sum.told) = (sum.missing + missing, sum.told + told.lost_bytes);
        }
        sum.rotations += world.rotations;
        sum.kills += world.kills;
        sum.lines += world.lines;
        sum.excused += world.excused.keys().filter(|line| !got.contains_key(line)).count();
        sum.again += got.values().map(|times| times - 1).sum::<usize>();
        Ok(())
    }

    fn engine() -> Arc<Engine> {
        let mut rules = RuleSet::empty();
        rules.add(RULES, "acme.toml", "acme").unwrap();
        Arc::new(Engine::new(rules, Options::default()).unwrap())
    }

    fn trials(rotations: usize) {
        let engine = engine();
        let first = std::env::var("BLACKBAR_SEED").ok().and_then(|seed| seed.parse().ok());
        let (mut sum, mut faults) = (Sum::default(), Vec::new());
        for seed in first.unwrap_or(1).. {
            faults.extend(trial(&engine, seed, 20, &mut sum).err());
            if sum.rotations >= rotations || faults.len() > 4 || first.is_some() {
                break;
            }
        }
        println!("{sum:?}");
        assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    }

    #[test]
    fn nothing_is_lost_over_rotations_of_all_kinds() {
        trials(200);
    }

    /// Worlds in which something was lost, repeated, or read in another order, before that was mended.
    #[test]
    fn worlds_that_have_shown_faults_do_not_show_them_again() {
        let engine = engine();
        for seed in [
            348, 520, 1939, 3856, 4468, 4627, 4845, 4887, 5080, 5852, 7080, 7364, 7496, 7500, 7548, 8924, 100_908,
            101_256, 101_396, 102_344, 200_648, 200_855, 400_110, 500_892,
        ] {
            assert_eq!(trial(&engine, seed, 20, &mut Sum::default()), Ok(()));
        }
    }

    /// `cargo test --release --lib -- --ignored a_hundred_thousand_rotations` takes some minutes.
    #[test]
    #[ignore = "takes minutes"]
    fn a_hundred_thousand_rotations_lose_nothing() {
        trials(100_000);
    }
}
