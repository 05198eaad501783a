//! Lets the loop follow files in a world that a seed decides: between any two of its calls of the system lines are
//! written, files are rotated in all usual ways, time goes by, and the process is killed and started again. Does not
//! simulate files: these are real ones, in memory where there is such a file system.
//!
//! What must hold of the output: no line is lost over renaming; the lines of a file, and of those that had its name one
//! after the other, stand in their order; what a kill repeats was written after the last checkpoint; whatever a cut takes
//! away is told; no secret comes out.

#[cfg(test)]
mod tests {
    use std::{
        cell::RefCell,
        collections::BTreeMap,
        fs::{self, File, OpenOptions},
        io::Write as _,
        os::unix::fs::MetadataExt as _,
        panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
        path::{Path, PathBuf},
        rc::Rc,
        sync::Arc,
        time::Duration,
    };

    use super::super::{
        Figures, Format, From, Hooks, Notice, Origin, Settings, Target, seam::simulated, signals::Signals, work::Loop,
    };
    use crate::{Engine, Options, RuleSet, finding::Finding, pipeline::OnError};

    /// How a world behaves.
    #[derive(Debug, Clone, Copy)]
    struct Habits {
        /// Copies and cuts its log in place of renaming it.
        cuts: bool,
        /// Names rotated files by a time that goes on, not by numbers that are handed on.
        dates: bool,
        /// Leaves the name without a file until the writer opens it.
        leaves_name: bool,
        /// Packs files, and removes them, from this number on.
        packs_from: usize,
        /// Removes files from this number on.
        keeps: usize,
        /// Follows rotated names, too.
        is_pattern: bool,
        kills: bool,
    }

    impl Habits {
        fn draw(random: &mut Random) -> Habits {
            let cuts = random.one_in(4);
            Habits {
                cuts,
                dates: random.one_in(2),
                leaves_name: random.one_in(3),
                packs_from: [1, 2, 3, 99][random.below(4)],
                keeps: 1 + random.below(5),
                is_pattern: !cuts && random.one_in(4),
                kills: random.one_in(2),
            }
        }
    }

    /// A file of the world: one name after the other, and some of the lines.
    struct Text {
        path: PathBuf,
        inode: u64,
        /// Lines that began in it.
        lines: std::ops::Range<usize>,
    }

    struct World {
        random: Random,
        habits: Habits,
        folder: PathBuf,
        /// Opened by the writer, which may not know yet that it has another name.
        log: File,
        in_log: usize,
        /// All that have been, the newest last; those that are there by their places.
        texts: Vec<Text>,
        here: Vec<usize>,
        /// Of texts that were cut.
        copies: Vec<Text>,
        lines: usize,
        /// What is left of a line that is begun.
        rest: Vec<u8>,
        rotations: usize,
        rotations_max: usize,
        /// Whether the process that follows lives.
        lives: bool,
        kills: usize,
        /// Lines that nobody could have read.
        excused: BTreeMap<usize, &'static str>,
        /// Cuts of text of which something was read.
        cuts: usize,
        /// The sizes of the outputs at the last call.
        outs: BTreeMap<PathBuf, u64>,
        before: BTreeMap<PathBuf, u64>,
        /// The checkpoints that were saved last, and how much was written by then.
        saved: (u64, u64),
        /// How much kills may repeat.
        repeats_max: u64,
    }

    impl World {
        fn new(folder: &Path, seed: u64, rotations_max: usize) -> World {
            let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
            let habits = Habits::draw(&mut random);
            let path = folder.join("in/app.log");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let log = open(&path);
            let inode = log.metadata().unwrap().ino();
            World {
                random,
                habits,
                folder: folder.to_owned(),
                log,
                in_log: 0,
                texts: vec![Text { path, inode, lines: 0..0 }],
                here: vec![0],
                lines: 0,
                rest: Vec::new(),
                rotations: 0,
                rotations_max,
                lives: false,
                kills: 0,
                excused: BTreeMap::new(),
                cuts: 0,
                outs: BTreeMap::new(),
                before: BTreeMap::new(),
                saved: (0, 0),
                copies: Vec::new(),
                repeats_max: 0,
            }
        }

        fn is_over(&self) -> bool {
            self.rotations >= self.rotations_max
        }

        /// What happens between two calls of the system.
        fn act(&mut self) {
            self.note();
            let time = [0, 10, 100, 100, 1000, 1000, 1000, 20_000][self.random.below(8)];
            simulated::pass(Duration::from_micros(time));
            if self.is_over() {
                return;
            }
            for _ in 0..self.random.below(3) {
                self.happen();
            }
            if self.lives && self.habits.kills && self.saved.0 != 0 && self.random.one_in(200) {
                self.kill();
            }
        }

        fn happen(&mut self) {
            match self.random.below(40) {
                0..10 => self.write(1),
                10 => {
                    let many = self.random.below(60);
                    self.write(many);
                }
                11 => self.begin_line(),
                12..14 => self.open_again(),
                // One that is not done with the last rotation does not rotate again.
                14 if self.saved.0 != 0 && self.in_log + 1 == self.texts.len() && self.log_is_used() => self.rotate(),
                15 if self.random.one_in(20) => simulated::pass(Duration::from_secs(2)),
                _ => {}
            }
        }

        fn log_is_used(&mut self) -> bool {
            let lines = &self.texts[self.in_log].lines;
            lines.start < lines.end || self.random.one_in(10)
        }

        fn write(&mut self, count: usize) {
            self.end_line();
            let mut text = String::new();
            for _ in 0..count {
                text += &line(self.lines, SECRET);
                self.count_line();
            }
            self.log.write_all(text.as_bytes()).unwrap();
        }

        fn count_line(&mut self) {
            let lines = &mut self.texts[self.in_log].lines;
            if lines.start == lines.end {
                *lines = self.lines..self.lines;
            }
            self.lines += 1;
            lines.end = self.lines;
        }

        fn begin_line(&mut self) {
            self.end_line();
            let text = line(self.lines, SECRET).into_bytes();
            self.count_line();
            let cut = 1 + self.random.below(text.len() - 1);
            self.log.write_all(&text[..cut]).unwrap();
            self.rest = text[cut..].to_vec();
        }

        fn end_line(&mut self) {
            let rest = std::mem::take(&mut self.rest);
            self.log.write_all(&rest).unwrap();
        }

        /// The writer notices that its file was rotated.
        fn open_again(&mut self) {
            if self.habits.cuts || self.in_log + 1 == self.texts.len() && self.log_path_is(self.in_log) {
                return;
            }
            self.end_line();
            self.log = open(&self.path());
            if self.in_log + 1 == self.texts.len() {
                self.add_text();
            }
            self.in_log = self.texts.len() - 1;
        }

        fn log_path_is(&self, text: usize) -> bool {
            self.texts[text].path == self.path()
        }

        fn path(&self) -> PathBuf {
            self.folder.join("in/app.log")
        }

        fn add_text(&mut self) {
            let path = self.path();
            let inode = fs::metadata(&path).unwrap().ino();
            self.here.push(self.texts.len());
            self.texts.push(Text { path, inode, lines: self.lines..self.lines });
        }

        /// Waits until a new file is younger than all others, by a clock that goes in steps. Nobody rotates twice in one.
        fn let_clock_go_on(&self) {
            let probe = self.folder.join("probe");
            let born = || {
                let _ = fs::remove_file(&probe);
                File::create(&probe).unwrap().metadata().unwrap().created().ok()
            };
            let now = born();
            while now.is_some() && born() == now {
                std::thread::sleep(Duration::from_micros(100));
            }
        }

        fn rotate(&mut self) {
            self.let_clock_go_on();
            if self.habits.cuts {
                return self.cut();
            }
            if !self.log_path_is(self.in_log) {
                return;
            }
            self.rotations += 1;
            // Of each file of the newest first: how many are newer.
            for (newer, text) in self.here.clone().into_iter().rev().enumerate() {
                let is_held = text == self.in_log;
                if newer > self.habits.keeps && !is_held {
                    self.remove(text);
                } else if newer >= self.habits.packs_from && !is_held {
                    let path = &self.texts[text].path;
                    let name = format!("{}.gz", path.file_name().unwrap().to_str().unwrap());
                    fs::write(path.with_file_name(name), b"\x1f\x8b\x08").unwrap();
                    self.remove(text);
                }
            }
            let names: Vec<usize> = self.here.clone();
            for (newer, text) in names.into_iter().rev().enumerate().collect::<Vec<_>>().into_iter().rev() {
                if self.habits.dates && newer > 0 {
                    continue;
                }
                let name = match self.habits.dates {
                    true => format!("app.log-20261127-{:06}", self.rotations),
                    false => format!("app.log.{}", newer + 1),
                };
                let to = self.folder.join("in").join(name);
                fs::rename(&self.texts[text].path, &to).unwrap();
                self.texts[text].path = to;
            }
            if !self.habits.leaves_name {
                let _ = open(&self.path());
                self.add_text();
            }
        }

        /// Removes a file. Who has it open, or has written all of it, has lost nothing.
        fn remove(&mut self, text: usize) {
            let Text { inode, lines, .. } = &self.texts[text];
            let is_open = self.lives && is_open_here(*inode);
            if !is_open {
                let lines = lines.clone();
                self.excuse(lines, "removed before it was opened");
            }
            fs::remove_file(&self.texts[text].path).unwrap();
            self.here.retain(|other| *other != text);
        }

        fn excuse(&mut self, lines: std::ops::Range<usize>, why: &'static str) {
            let got = self.got();
            self.excused.extend(lines.filter(|line| !got.contains_key(line)).map(|line| (line, why)));
        }

        fn cut(&mut self) {
            self.rotations += 1;
            // A line that is cut in two is one that nobody can put together.
            self.end_line();
            let path = self.path();
            let copy = self.folder.join("in").join(format!("app.log-20261127-{:06}", self.rotations));
            fs::copy(&path, &copy).unwrap();
            let inode = fs::metadata(&copy).unwrap().ino();
            let lines = self.texts[self.in_log].lines.clone();
            self.copies.push(Text { path: copy, inode, lines: lines.clone() });
            if self.random.one_in(2) {
                self.write(1);
            }
            let got = self.got();
            let is_read = lines.clone().any(|line| got.contains_key(&line));
            self.cuts += usize::from(is_read);
            // A process that was killed may not know the text of which there is a copy.
            if is_read && !self.habits.kills {
                self.excuse(lines.end..self.lines, "written between the copy and the cut");
            } else {
                self.excuse(lines.start..self.lines, "cut before it was read");
            }
            if let Some(old) = self.copies.len().checked_sub(1 + self.habits.keeps) {
                let Text { path, inode, lines } = &self.copies[old];
                let is_open = self.lives && is_open_here(*inode);
                fs::remove_file(path).unwrap();
                if !is_open {
                    let lines = lines.clone();
                    self.excuse(lines, "a copy that was removed before it was opened");
                }
            }
            self.log.set_len(0).unwrap();
            self.texts[self.in_log].lines = self.lines..self.lines;
        }

        /// Takes note of what was written and saved since the last call.
        fn note(&mut self) {
            let saved = fs::metadata(self.folder.join("state/checkpoints")).map_or(0, |about| about.ino());
            if saved != self.saved.0 {
                self.saved = (saved, self.outs.values().sum());
            }
            self.before = std::mem::replace(&mut self.outs, sizes(&self.folder));
        }

        /// The writer ends its line, and looks at its file's name once more.
        fn calm(&mut self) {
            self.end_line();
            self.open_again();
        }

        fn kill(&mut self) {
            // The system may have taken a part of the last write.
            if self.random.one_in(2) {
                for (path, now) in sizes(&self.folder) {
                    let before = self.before.get(&path).copied().unwrap_or(0);
                    let kept = before + self.random.below((now - before) as usize + 1) as u64;
                    OpenOptions::new().write(true).open(path).unwrap().set_len(kept).unwrap();
                }
            }
            // And the line in which a checkpoint stands.
            self.repeats_max += masked(4).len() as u64 + sizes(&self.folder).values().sum::<u64>() - self.saved.1;
            self.kills += 1;
            self.lives = false;
            let gone: Vec<_> = (0..self.texts.len()).filter(|text| !self.here.contains(text)).collect();
            for text in gone {
                let lines = self.texts[text].lines.clone();
                self.excuse(lines, "removed, and read by one that was killed");
            }
            resume_unwind(Box::new(Killed));
        }

        /// The lines of the output, and how often each is there.
        fn got(&self) -> BTreeMap<usize, usize> {
            let mut got = BTreeMap::new();
            for text in outs(&self.folder) {
                for number in text.lines().filter_map(number_of) {
                    *got.entry(number).or_default() += 1;
                }
            }
            got
        }
    }

    /// How a process ends that is killed.
    struct Killed;

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
        if let Some(first) = lost.first() {
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
        for text in outs(&world.folder) {
            if text.contains(&SECRET[5..13]) {
                return what("a secret came out");
            }
            let (mut last, mut of) = (None, 0);
            let mut seen = std::collections::BTreeSet::new();
            for number in text.lines().filter_map(number_of).filter(|number| seen.insert(*number)) {
                // The copy of a text that was hardly begun may be found after the next text.
                let text = world.copies.partition_point(|copy| copy.lines.start <= number);
                if std::mem::replace(&mut of, text) == text && last > Some(number) {
                    return what(&format!("line {number} comes after {last:?}"));
                }
                last = Some(number);
            }
            // A line that a kill or a cut has torn comes out in pieces.
            let torn = text.lines().filter(|line| number_of(line).is_none()).count();
            let may = 2 * world.kills + 2 * usize::from(world.habits.cuts) * world.rotations;
            if torn > may {
                return what(&format!("{torn} lines are no lines, and {may} may be"));
            }
        }
        sum.rotations += world.rotations;
        sum.kills += world.kills;
        sum.lines += world.lines;
        sum.excused += world.excused.keys().filter(|line| !got.contains_key(line)).count();
        sum.again += got.values().map(|times| times - 1).sum::<usize>();
        Ok(())
    }

    fn trials(rotations: usize) {
        let mut rules = RuleSet::empty();
        rules.add(RULES, "acme.toml", "acme").unwrap();
        let engine = Arc::new(Engine::new(rules, Options::default()).unwrap());
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

    /// `cargo test --release --lib -- --ignored a_hundred_thousand_rotations` takes some minutes.
    #[test]
    #[ignore = "takes minutes"]
    fn a_hundred_thousand_rotations_lose_nothing() {
        trials(100_000);
    }

    /// A generator that a seed decides.
    struct Random(u64);

    impl Random {
        fn below(&mut self, most: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as usize % most
        }

        fn one_in(&mut self, count: usize) -> bool {
            self.below(count) == 0
        }
    }

    fn line(number: usize, token: &str) -> String {
        format!("line {number:07} {}token {token} end\n", "plain words ".repeat(number * 7 % 5))
    }

    fn masked(number: usize) -> String {
        line(number, "[REDACTED:acme-token]")
    }

    fn number_of(text: &str) -> Option<usize> {
        let number = text.get(5..12)?.parse().ok()?;
        (masked(number).trim_end() == text).then_some(number)
    }

    fn open(path: &Path) -> File {
        OpenOptions::new().create(true).append(true).open(path).unwrap()
    }

    /// The files of the output.
    fn out_files(folder: &Path) -> Vec<PathBuf> {
        let (mut found, mut open) = (Vec::new(), vec![folder.join("out")]);
        while let Some(path) = open.pop() {
            match fs::read_dir(&path) {
                Ok(entries) => open.extend(entries.map(|entry| entry.unwrap().path())),
                Err(_) if path.is_file() => found.push(path),
                Err(_) => {}
            }
        }
        found
    }

    fn sizes(folder: &Path) -> BTreeMap<PathBuf, u64> {
        out_files(folder).into_iter().map(|path| (path.clone(), fs::metadata(path).unwrap().len())).collect()
    }

    fn outs(folder: &Path) -> Vec<String> {
        out_files(folder).iter().map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    /// Whether somebody in this process has a file open.
    fn is_open_here(inode: u64) -> bool {
        let Ok(entries) = fs::read_dir("/proc/self/fd") else { return false };
        entries.flatten().any(|entry| fs::metadata(entry.path()).is_ok_and(|about| about.ino() == inode))
    }

    const SECRET: &str = "acme_0123456789abcdef0123";
    const RULES: &str = r#"[[rule]]
id = "acme-token"
name = "Acme token"
severity = "high"
pattern = '''acme_[0-9a-f]{20}'''
reference = "https://acme.example/docs"
examples = ["token: acme_{hex:20}", "acme_{hex:20}"]
counterexamples = ["acme_{hex:8}", "acme_words_and_more_words"]
since = "0.1.0"
"#;
}
