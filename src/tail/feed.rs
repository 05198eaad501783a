//! Gives the bytes of a file to a filter, and what that gives to the outlet; moves the mark. Does not read.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{
    Figures, Hooks, Notice, TailError,
    follow::Follow,
    handed::Handed,
    mark::{Count, Mark},
    open::Kind,
    outlet::Outlet,
    seam,
};
use crate::{Engine, Filter, filter::Ground, pipeline::OnError, redact::Output};

/// What files have in common on their way out.
pub struct Feeder {
    engine: Arc<Engine>,
    /// Filters that hold nothing.
    idle: Vec<Filter>,
    pub outlet: Outlet,
    on_error: OnError,
    /// Whether the outlet has failed, and that was said.
    pub outage: bool,
    /// Makes the filter fail on what it finds, in tests.
    #[cfg(test)]
    pub fails_on: Option<&'static [u8]>,
}

/// What a filter is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// To take bytes.
    Push,
    /// To take bytes, and to give what nothing can change any more.
    Idle,
    /// To take bytes, which are the last ones.
    Finish,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fed {
    /// The file goes on.
    Done,
    /// The file is back at its mark, and can go on from there.
    Again,
    /// The outlet takes nothing; the file is back at its mark.
    Blocked,
}

impl Feeder {
    /// With nothing fed yet.
    pub fn new(engine: Arc<Engine>, outlet: Outlet, on_error: OnError) -> Feeder {
        Feeder {
            engine,
            idle: Vec::new(),
            outlet,
            on_error,
            outage: false,
            #[cfg(test)]
            fails_on: None,
        }
    }

    /// Goes on with another engine. A file of which a filter holds something goes on with the old one until it
    /// does not.
    pub fn set_engine(&mut self, engine: Arc<Engine>) {
        self.engine = engine;
        self.idle.clear();
    }

    /// Feeds the next `length` bytes of a file, with which `buffer` ends.
    pub fn feed(
        &mut self,
        follow: &mut Follow,
        buffer: &[u8],
        length: usize,
        work: Work,
        hooks: &mut dyn Hooks,
        figures: &mut Figures,
    ) -> Result<Fed, TailError> {
        let bytes = &buffer[buffer.len() - length..];
        let is_new = follow.filter.is_none();
        let mut filter = follow.filter.take().unwrap_or_else(|| self.filter(follow));
        let before = (filter.stats().lines, filter.stats().ceilings);
        let handed = follow.mark.handed.clone().filter(|_| is_new);
        let first = handed.as_deref().map(Step::Begin);
        let steps = [first, Some(Step::Push(bytes)), work.ends()].into_iter().flatten();
        let wrote = self.write(follow, &mut filter, steps, hooks)?;
        match wrote {
            Wrote::All { complete } => {
                follow.advance(buffer, length);
                figures.bytes_in += length as u64;
                figures.lines += filter.stats().lines.saturating_sub(before.0);
                figures.over_long += filter.stats().ceilings.saturating_sub(before.1);
                let before = filter.take_findings_before();
                // They come before those of the file itself.
                before.iter().filter(|_| follow.told == 0).for_each(|one| hooks.finding(one, &follow.voice.origin));
                for finding in filter.take_findings() {
                    if finding.offset >= follow.told {
                        hooks.finding(&finding, &follow.voice.origin);
                        follow.told = finding.offset + 1;
                    }
                }
                figures.bytes_out += move_mark(follow, &filter, complete);
                if follow.is_at_mark() && self.idle.len() < IDLE_FILTERS_MAX {
                    self.idle.push(filter);
                } else if !follow.is_at_mark() {
                    follow.filter = Some(filter);
                }
                self.outage = false;
                Ok(Fed::Done)
            }
            Wrote::OtherBytes => {
                // What a process before us has written is not what comes out now, because rules or known
                // values have changed: better twice than not at all.
                follow.mark.written = Count::default();
                self.rewind(follow, figures);
                Ok(Fed::Again)
            }
            Wrote::Failed(kind) => Ok(self.blocked(follow, kind, hooks, figures)),
            Wrote::Panicked => self.after_panic(follow, buffer, length, work, hooks, figures),
        }
    }

    /// A filter that goes on at the mark, where the file is.
    fn filter(&mut self, follow: &Follow) -> Filter {
        let mut filter = match self.idle.pop() {
            Some(mut filter) => {
                filter.move_to(&follow.start, follow.mark.ground);
                filter
            }
            None => Filter::resume(Arc::clone(&self.engine), &follow.start, follow.mark.ground),
        };
        filter.inherit(&follow.mark.said);
        filter
    }

    /// The outlet takes nothing: the file waits at its mark.
    fn blocked(
        &mut self,
        follow: &mut Follow,
        kind: io::ErrorKind,
        hooks: &mut dyn Hooks,
        figures: &mut Figures,
    ) -> Fed {
        figures.errors += 1;
        if !std::mem::replace(&mut self.outage, true) {
            hooks.notice(&Notice::NotWritten(kind));
        }
        self.rewind(follow, figures);
        Fed::Blocked
    }

    fn rewind(&mut self, follow: &mut Follow, figures: &mut Figures) {
        // If even that cannot be read, the next read says so.
        figures.errors += u64::from(follow.rewind().is_err());
    }

    /// Lets the filter work, and writes what it gives.
    fn write<'a>(
        &mut self,
        follow: &mut Follow,
        filter: &mut Filter,
        steps: impl Iterator<Item = Step<'a>>,
        hooks: &mut dyn Hooks,
    ) -> Result<Wrote, TailError> {
        let mut complete = true;
        for step in steps {
            #[cfg(test)]
            let fails = self.fails_on.is_some_and(|text| memchr::memmem::find(step.bytes(), text).is_some());
            let lent = &mut *filter;
            hooks.filtering();
            let started = Instant::now();
            let done = catch_unwind(AssertUnwindSafe(move || {
                #[cfg(test)]
                assert!(!fails, "a stage has failed");
                // Moved in: what it gives lives as long as the loan.
                let filter = { lent };
                match step {
                    Step::Begin(handed) => filter.begin_with(&handed.bytes, &handed.parts()),
                    Step::Push(bytes) => filter.push(bytes),
                    Step::Idle => filter.idle(),
                    Step::Finish => filter.finish(),
                }
            }));
            hooks.filtered(started.elapsed());
            let Ok(mut clean) = done else { return Ok(Wrote::Panicked) };
            if let Some(replay) = &mut follow.replay {
                let left = usize::try_from(replay.whole.bytes - replay.so_far.bytes).unwrap_or(usize::MAX);
                let mut rest = left;
                replay.so_far.add(clean.stretches().map(|stretch| {
                    let part = &stretch[..stretch.len().min(rest)];
                    rest -= part.len();
                    part
                }));
                if replay.so_far.bytes == replay.whole.bytes {
                    if replay.so_far.crc != replay.whole.crc {
                        return Ok(Wrote::OtherBytes);
                    }
                    follow.since = replay.whole;
                    follow.replay = None;
                }
                clean = clean.after(left);
            }
            let count = clean;
            loop {
                seam::between();
                match self.outlet.write(&mut follow.voice, clean, matches!(step, Step::Finish)) {
                    Ok(all) => break complete = all,
                    Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => return Err(TailError::ClosedOutput),
                    Err(fault) if !self.outlet.can_wait() => return Err(TailError::Write(fault.kind())),
                    // What has left a pipe cannot be read again.
                    Err(fault) if follow.kind == Kind::Fifo => {
                        if !std::mem::replace(&mut self.outage, true) {
                            hooks.notice(&Notice::NotWritten(fault.kind()));
                        }
                        thread::sleep(RETRY);
                    }
                    Err(fault) => return Ok(Wrote::Failed(fault.kind())),
                }
            }
            seam::between();
            follow.since.add(count.stretches());
        }
        follow.says = filter.said();
        Ok(Wrote::All { complete })
    }

    /// Nothing of these bytes was written. A record is tried twice: with those around it, and alone.
    fn after_panic(
        &mut self,
        follow: &mut Follow,
        buffer: &[u8],
        length: usize,
        work: Work,
        hooks: &mut dyn Hooks,
        figures: &mut Figures,
    ) -> Result<Fed, TailError> {
        figures.errors += 1;
        if self.on_error == OnError::Stop {
            return Err(TailError::Internal);
        }
        let end = follow.position + length as u64;
        let alone = follow.position < follow.careful || work != Work::Push;
        if !alone && follow.kind == Kind::Regular {
            follow.careful = end;
            self.rewind(follow, figures);
            return Ok(Fed::Again);
        }
        let bytes = &buffer[buffer.len() - length..];
        // With what was held of the records before it.
        let handed = follow.mark.handed.as_ref().map_or(0, |handed| handed.bytes.len() as u64);
        let withheld = handed + end - follow.mark.ground.offset.min(end);
        let passed = if self.on_error == OnError::Pass { follow.with_held(bytes) } else { Vec::new() };
        let passes = !passed.is_empty();
        let mut output = Output::default();
        output.start(&passed);
        if passes {
            output.unscanned_by_choice(&passed);
        } else if withheld > 0 {
            output.withheld(withheld);
        }
        let written = self.outlet.write(&mut follow.voice, output.clean(&passed), false);
        match written {
            Ok(_) => self.outage = false,
            Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => return Err(TailError::ClosedOutput),
            Err(fault) if !self.outlet.can_wait() => return Err(TailError::Write(fault.kind())),
            Err(fault) => return Ok(self.blocked(follow, fault.kind(), hooks, figures)),
        }
        if withheld > 0 {
            let path = follow.voice.origin.name.clone();
            let offset = end.saturating_sub(withheld);
            let bytes = withheld;
            hooks.notice(&if passes {
                Notice::Passed { path, offset, bytes }
            } else {
                Notice::Withheld { path, offset, bytes }
            });
        }
        figures.withheld_bytes += if passes { 0 } else { withheld };
        follow.advance(buffer, length);
        let lines = follow.mark.ground.lines + memchr::memchr_iter(b'\n', bytes).count() as u64;
        // The line before said something; the record may have said that a key begins, or a value follows.
        follow.says = std::mem::take(&mut follow.says).behind_withheld(bytes);
        let ground = Ground { offset: end, lines, line_offset: 0 };
        follow.mark = Mark { ground, said: follow.says.clone(), ..Mark::default() };
        (follow.since, follow.replay, follow.filter) = (Count::default(), None, None);
        Ok(Fed::Done)
    }
}

impl Work {
    /// What comes after the bytes.
    fn ends<'a>(self) -> Option<Step<'a>> {
        match self {
            Work::Push => None,
            Work::Idle => Some(Step::Idle),
            Work::Finish => Some(Step::Finish),
        }
    }
}

/// A call of a filter.
#[derive(Clone, Copy)]
enum Step<'a> {
    Begin(&'a Handed),
    Push(&'a [u8]),
    Idle,
    Finish,
}

impl Step<'_> {
    #[cfg(test)]
    fn bytes(&self) -> &[u8] {
        match self {
            Step::Begin(handed) => &handed.bytes,
            Step::Push(bytes) => bytes,
            Step::Idle | Step::Finish => &[],
        }
    }
}

enum Wrote {
    /// All; `complete` says that the outlet holds nothing of it.
    All { complete: bool },
    /// Not what is to be dropped because it was written before.
    OtherBytes,
    /// Nothing, for this reason.
    Failed(io::ErrorKind),
    /// Nothing: the filter has failed.
    Panicked,
}

/// Moves the mark to where the filter could begin anew, or says how much behind it was written. How many
/// bytes that is more than before.
fn move_mark(follow: &mut Follow, filter: &Filter, complete: bool) -> u64 {
    if follow.replay.is_some() || !complete {
        return 0;
    }
    let more = follow.since.bytes.saturating_sub(follow.mark.written.bytes);
    // Lines of another file may be gone when they are needed again: what they say is enough behind them.
    let told = follow.mark.handed.as_ref().and_then(|_| filter.ground_if_told()).filter(|told| told.line_offset == 0);
    match filter.ground().or(told) {
        Some(ground) => {
            // Nothing, unless the file has ended: who writes it may go on.
            follow.mark = Mark { ground, said: filter.said_before(), ..Mark::default() };
            follow.since = Count::default();
        }
        None => follow.mark.written = follow.since,
    }
    more
}

/// How many filters are kept that nobody needs.
const IDLE_FILTERS_MAX: usize = 4;

/// How long a pipe waits for an outlet that has failed.
const RETRY: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use super::*;
    use crate::{
        Options, RuleSet,
        finding::Finding,
        rules::sample::{Rng, fill},
        tail::{Format, From, Origin, Settings, Target, signals::Signals, work::Loop},
    };

    struct Silent;

    impl Hooks for Silent {
        fn finding(&mut self, _: &Finding, _: &Origin) {}
        fn notice(&mut self, _: &Notice) {}
        fn reload(&mut self, _: bool) -> Option<Arc<Engine>> {
            None
        }
        fn filtering(&mut self) {}
        fn filtered(&mut self, _: Duration) {}
        fn figures(&mut self, _: &Figures) {}
    }

    /// What comes of a log if the filter fails on some text, and that is withheld.
    fn withheld(log: &str, fails_on: &'static [u8]) -> String {
        failed(log, fails_on, OnError::Withhold).0
    }

    /// Those for one file of a folder, and where it comes out.
    fn settings(folder: &Path, on_error: OnError) -> (Settings, PathBuf) {
        let path = folder.canonicalize().unwrap().join("in.log");
        let root = folder.join("out");
        let copy = root.join(path.strip_prefix("/").unwrap());
        let settings = Settings {
            paths: vec![path.into()],
            roots: Vec::new(),
            from: From::Start,
            format: Format::Auto,
            target: Target::Tree { root, file_bytes_max: 1 << 30, total_bytes_max: 1 << 30 },
            open_line: false,
            state: None,
            drain: Duration::from_secs(5),
            flush_after: Duration::from_millis(50),
            on_error,
        };
        (settings, copy)
    }

    fn failed(log: &str, fails_on: &'static [u8], on_error: OnError) -> (String, Figures) {
        let folder = tempfile::tempdir().unwrap();
        let (settings, copy) = settings(folder.path(), on_error);
        fs::write(&settings.paths[0], log).unwrap();
        let engine = Arc::new(Engine::new(RuleSet::builtin().unwrap(), Options::default()).unwrap());
        let mut hooks = Silent;
        let mut work = Loop::new(&settings, engine, &mut hooks, Signals::none().unwrap()).unwrap();
        work.feeder.fails_on = Some(fails_on);
        work.begin();
        work.drain().unwrap();
        let figures = work.figures.clone();
        drop(work);
        (fs::read_to_string(copy).unwrap(), figures)
    }

    #[test]
    fn a_record_that_fails_is_tried_alone_and_withheld_and_those_around_it_are_not() {
        let log = "first\npassword=hunter2\nit fails here\nsecond\npassword=hunter3\nlast\n";
        let (out, figures) = failed(log, b"fails", OnError::Withhold);
        let mask = "password=[REDACTED:generic-password]";
        let [before, behind] = [format!("first\n{mask}\n"), format!("second\n{mask}\nlast\n")];
        assert!(out.starts_with(&before) && out.ends_with(&behind) && !out.contains("fails"), "{out}");
        // Once among others, and once alone.
        assert_eq!((figures.errors, figures.withheld_bytes), (2, "it fails here\n".len() as u64));
        assert_eq!(figures.bytes_in, (log.len() - "it fails here\n".len()) as u64);
    }

    #[test]
    fn what_is_withheld_while_the_output_fails_is_told_once_when_it_works_again() {
        let folder = tempfile::tempdir().unwrap();
        let (mut settings, copy) = settings(folder.path(), OnError::Withhold);
        settings.from = From::Checkpoint;
        let log = "it fails here\nlast\n";
        fs::write(&settings.paths[0], log).unwrap();
        // In the place of the output stands something else.
        fs::create_dir_all(&copy).unwrap();
        let engine = Arc::new(Engine::new(RuleSet::builtin().unwrap(), Options::default()).unwrap());
        let mut hooks = Silent;
        let mut work = Loop::new(&settings, engine, &mut hooks, Signals::none().unwrap()).unwrap();
        work.feeder.fails_on = Some(b"fails");
        work.begin();
        while work.blocked_until.is_none() {
            work.turns().unwrap();
        }
        assert!(work.feeder.outage);
        assert_eq!((work.figures.withheld_bytes, work.figures.bytes_out), (0, 0));
        fs::remove_dir(&copy).unwrap();
        work.drain().unwrap();
        assert_eq!((work.figures.withheld_bytes, work.feeder.outage), ("it fails here\n".len() as u64, false));
        let out = fs::read_to_string(copy).unwrap();
        assert!(out.contains("unscanned") && out.ends_with("\nlast\n") && !out.contains("fails"), "{out}");
    }

    #[test]
    fn what_is_passed_by_choice_is_all_that_was_held() {
        let at = "2026-11-20T23:10:23.123Z stdout";
        let log = format!("{at} F first\n{at} P begun\n{at} P fails\n{at} F end\n{at} F password=hunter2\n");
        let (out, figures) = failed(&log, b"fails", OnError::Pass);
        assert!(out.starts_with(&log[..log.find(" end").unwrap() - at.len() - 2]), "{out}");
        assert!(out.ends_with("password=[REDACTED:generic-password]\n"), "{out}");
        assert_eq!(figures.withheld_bytes, 0);
    }

    #[test]
    fn a_value_whose_name_is_withheld_is_masked_behind_it() {
        let secret = "cX1uZjbF7zYOhPBy";
        for prefix in ["", "2026-11-20T23:10:23.123Z stdout F "] {
            for (name, value) in [
                ("password:", "  cX1uZjbF7zYOhPBy"),
                ("  db_password: |", "    cX1uZjbF7zYOhPBy"),
                ("- name: db_password", "  value: cX1uZjbF7zYOhPBy"),
                ("<password>", "cX1uZjbF7zYOhPBy</password>"),
                ("[\"--password\",", "  \"cX1uZjbF7zYOhPBy\"]"),
            ] {
                let log = format!("{prefix}first\n{prefix}{name}\n{prefix}{value}\n{prefix}plain words follow\n");
                let out = withheld(&log, b"assword");
                assert!(out.contains("unscanned") && out.contains("first") && !out.contains(secret), "{log}\n{out}");
                assert!(out.contains("plain words follow"), "{log}\n{out}");
            }
        }
    }

    #[test]
    fn the_rest_of_a_line_of_which_a_record_is_withheld_is_masked_whole() {
        let at = "2026-11-20T23:10:23.123Z stdout";
        let log = format!("{at} F first\n{at} P fails password=hunter\n{at} F 2hunter2 and more\n{at} F last\n");
        let out = withheld(&log, b"fails");
        assert!(out.contains("first") && out.contains("last") && !out.contains("hunter"), "{out}");
        // The record whose line cannot be told without the other one is withheld as well.
        let out = withheld(&log.replace("fails ", "").replace(" and", " fails and"), b"fails");
        assert!(out.contains("first") && out.contains("last") && !out.contains("hunter"), "{out}");
    }

    #[test]
    fn a_key_in_whose_middle_the_filter_fails_is_masked_behind_that_place() {
        let mut rng = Rng::new(7);
        // What fails is a line of the key, or the very line that says that it is one.
        for (fails_on, begin) in [(&b"failsfails"[..], ""), (b"fails BEGIN", "fails ")] {
            for prefix in ["", "2026-11-20T23:10:23.123Z stdout F "] {
                let rows: Vec<String> = (0..6).map(|_| fill("{base64:64}", &mut rng).unwrap()).collect();
                let last = fill("{base64:20}", &mut rng).unwrap();
                let mut log = format!("{prefix}first\n{prefix}{begin}-----BEGIN PRIVATE KEY-----\n")
                    .replace("fails -----", "fails BEGIN -----");
                for row in &rows[..3] {
                    log += &format!("{prefix}{row}\n");
                }
                log += &format!("{prefix}failsfails{}\n", &rows[3][10..]);
                for row in rows[4..].iter().chain([&last]) {
                    log += &format!("{prefix}{row}\n");
                }
                log += &format!("{prefix}-----END PRIVATE KEY-----\n{prefix}last\n");
                let out = withheld(&log, fails_on);
                assert!(out.contains("first") && out.contains("last"), "{out}");
                let rows = rows.iter().chain([&last]).enumerate();
                let left: Vec<usize> = rows.filter(|(_, row)| out.contains(row.as_str())).map(|(row, _)| row).collect();
                assert!(left.is_empty(), "of the key are left the rows {left:?}:\n{log}\n{out}");
            }
        }
    }
}
