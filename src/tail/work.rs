//! The loop: looks for files and changes, reads files in turn, saves marks, and ends. Does not know what it
//! reads.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    os::fd::{AsFd as _, BorrowedFd},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Figures, Hooks, Notice, POLL_MS, Settings, TailError, Target,
    arrivals::Arrivals,
    begin::Begin,
    checkpoint::{State, Store},
    discovery::Discovery,
    every::{Every, SHARE},
    feed::{Feeder, Work},
    follow::Follow,
    identity::Inode,
    open::{self, Kind},
    outlet::Outlet,
    saver::{Done, Job, Saver},
    seam,
    signals::Signals,
    watch::{Changes, Watch},
};
use crate::{Engine, names::Names, scan::Said};

/// Follows files until a signal says that it is enough.
///
/// # Errors
/// See [`TailError`]. Whatever the error, only clean bytes were written, and no checkpoint is ahead of them.
pub fn run(settings: &Settings, engine: Arc<Engine>, hooks: &mut dyn Hooks) -> Result<Figures, TailError> {
    let speak = hooks.last_words();
    let stuck = Box::new(move |bytes| speak(&Notice::Stuck { bytes }));
    let signals = Signals::catch(settings.drain, stuck)
        .map_err(|fault| TailError::System { what: "signals", kind: fault.kind() })?;
    let mut work = Loop::new(settings, engine, hooks, signals)?;
    let ended = work.run();
    // What was written counts, whatever happened then.
    work.save(true);
    work.tell();
    ended.map(|()| work.figures)
}

/// All that the loop works with.
pub struct Loop<'a> {
    pub(super) settings: &'a Settings,
    pub(super) signals: Signals,
    pub(super) discovery: Discovery,
    pub(super) begin: Begin,
    pub(super) saver: Option<Saver>,
    pub(super) feeder: Feeder,
    pub(super) hooks: &'a mut dyn Hooks,
    pub(super) watch: Watch,
    pub(super) arrivals: Arrivals,
    pub(super) files: BTreeMap<u64, Follow>,
    pub(super) by_inode: BTreeMap<Inode, u64>,
    /// By the name that a file was found under: those that have it, or had it.
    pub(super) by_name: BTreeMap<PathBuf, BTreeSet<u64>>,
    /// By the name: when somebody had it last (since 1970).
    pub(super) named: BTreeMap<PathBuf, Duration>,
    /// By the name: what the last line of the last file that is over says about the next one, if that is something, and
    /// when that was (since 1970).
    pub(super) said: BTreeMap<PathBuf, (Said, Duration)>,
    pub(super) started: Duration,
    pub(super) queue: VecDeque<u64>,
    pub(super) buffer: Vec<u8>,
    pub(super) figures: Figures,
    pub(super) files_open_max: usize,
    /// At most so many files are open: those that were closed since they were counted are counted as well.
    pub(super) files_open: usize,
    pub(super) saved: Saved,
    /// After a failure the outlet is left alone for a while.
    pub(super) blocked_until: Option<Instant>,
    pub(super) pace: Pace,
}

/// When what is done again and again is due, and what may have changed.
pub struct Pace {
    names: Every,
    files: Every,
    names_late: Every,
    files_late: Every,
    second: Every,
    pub(super) changes: Changes,
}

#[derive(Default)]
pub struct Saved {
    state: State,
    failed: bool,
    /// When to save next: saving takes a small share of the time.
    due: Option<Instant>,
}

impl<'a> Loop<'a> {
    /// Takes all that it needs.
    pub(super) fn new(
        settings: &'a Settings,
        engine: Arc<Engine>,
        hooks: &'a mut dyn Hooks,
        signals: Signals,
    ) -> Result<Loop<'a>, TailError> {
        let discovery = Discovery::new(&settings.paths, &settings.roots)?;
        let outlet = Outlet::open(settings)?;
        let (mut saver, mut known, mut forgot) = (None, State::default(), false);
        let (own_file, own_folder) = outlet.own();
        let mut own_folders: Vec<_> = own_folder.into_iter().collect();
        if let Some(path) = &settings.state {
            let (opened, loaded) = Store::open(path)?;
            own_folders.extend(std::fs::canonicalize(path));
            match loaded {
                Ok(state) => known = state,
                Err(why) => {
                    forgot = true;
                    hooks.notice(&Notice::Checkpoints { why });
                }
            }
            let made = Saver::new(opened);
            saver = Some(made.map_err(|fault| TailError::System { what: "a thread", kind: fault.kind() })?);
        }
        let said = known.said();
        let mut begin = Begin::new(settings.from, known.files, own_file, own_folders, Names::new(Arc::clone(&engine)));
        begin.forgot = forgot;
        let open_max = open::raise_limit(matches!(settings.target, Target::Tree { .. })).followed;
        begin.open_max = open_max;
        Ok(Loop {
            settings,
            signals,
            discovery,
            said,
            begin,
            saver,
            feeder: Feeder::new(engine, outlet, settings.on_error),
            hooks,
            watch: Watch::new(),
            arrivals: Arrivals::new(),
            files: BTreeMap::new(),
            by_inode: BTreeMap::new(),
            by_name: BTreeMap::new(),
            named: BTreeMap::new(),
            started: seam::wall(),
            queue: VecDeque::new(),
            buffer: vec![0; Follow::ROOM],
            figures: Figures::default(),
            files_open_max: open_max,
            files_open: 0,
            saved: Saved::default(),
            blocked_until: None,
            pace: Pace {
                names: Every::new(LOOK),
                files: Every::new(LOOK),
                names_late: Every::new(SECOND),
                files_late: Every::new(SECOND),
                second: Every::new(SECOND),
                changes: Changes { files: true, names: true },
            },
        })
    }

    fn run(&mut self) -> Result<(), TailError> {
        self.begin();
        while !self.signals.stopping() {
            self.step()?;
        }
        self.drain()
    }

    /// Finds what is there at first.
    pub(super) fn begin(&mut self) {
        self.discover(true);
        // A file that is rotated when we are killed is found again only if it is known.
        self.save(true);
    }

    /// Does what is due, and waits for more.
    pub(super) fn step(&mut self) -> Result<(), TailError> {
        let late = if self.watch.tells() { SECOND } else { Duration::from_millis(POLL_MS) };
        (self.pace.names_late.least, self.pace.files_late.least) = (late, late);
        let started = seam::now();
        if self.pace.changes.names && self.pace.names.is_due() || self.pace.names_late.is_due() {
            self.pace.changes.names = false;
            self.discover(false);
            self.save(false);
            self.pace.names.done(started);
            self.pace.names_late.done(started);
        }
        let started = seam::now();
        if self.pace.changes.files && self.pace.files.is_due() || self.pace.files_late.is_due() {
            self.pace.changes.files = false;
            self.look();
            self.pace.files.done(started);
            self.pace.files_late.done(started);
        }
        self.turns()?;
        if self.pace.second.is_due() {
            let started = seam::now();
            self.reload(false);
            self.save(false);
            self.tell();
            self.pace.second.done(started);
        }
        if self.signals.reload() {
            self.reload(true);
        }
        let Pace { names, files, names_late, files_late, second, changes } = &self.pace;
        let mut until = second.due.min(names_late.due).min(files_late.due);
        until = if changes.names { until.min(names.due) } else { until };
        until = if changes.files { until.min(files.due) } else { until };
        let wait = until.saturating_duration_since(seam::now()).min(self.patience());
        let tell = !(changes.files && changes.names);
        let news = self.wait(wait, tell);
        self.pace.changes.files |= news.files;
        self.pace.changes.names |= news.names;
        Ok(())
    }

    /// How long nothing has to be done if nothing happens.
    fn patience(&self) -> Duration {
        let unblocked = self.blocked_until.map(|until| until.saturating_duration_since(seam::now()));
        if !self.queue.is_empty() {
            return unblocked.unwrap_or(Duration::ZERO);
        }
        let open = self.files.values().any(|follow| follow.open_since.is_some());
        let special = self.files.values().any(|follow| follow.rotated || follow.kind == Kind::Fifo);
        match (open, special) {
            (true, _) => self.settings.flush_after.clamp(LOOK, SECOND),
            (_, true) => 5 * LOOK,
            _ => SECOND,
        }
    }

    fn wait(&mut self, time: Duration, tell: bool) -> Changes {
        let mut others: Vec<BorrowedFd<'_>> = vec![self.signals.wake()];
        let pipes = self.files.values().filter(|follow| follow.kind == Kind::Fifo && follow.grown_at.is_some());
        others.extend(pipes.filter_map(|follow| follow.file.as_ref()).map(|file| file.as_fd()));
        // Notifications of a burst are taken together.
        let changes = self.watch.wait(&others, time, tell);
        self.signals.acknowledge();
        for (id, follow) in &mut self.files {
            if follow.kind == Kind::Fifo && !std::mem::replace(&mut follow.queued, true) {
                self.queue.push_back(*id);
            }
        }
        changes
    }

    /// Reads what has arrived, as far as the time suffices, and ends.
    pub(super) fn drain(&mut self) -> Result<(), TailError> {
        let deadline = seam::now() + self.settings.drain;
        self.figures.draining = true;
        self.tell();
        loop {
            self.pace.changes.names = false;
            self.discover(false);
            self.look();
            for (id, follow) in self.files.iter_mut().filter(|(_, follow)| follow.until.is_none()) {
                follow.until = (follow.kind == Kind::Regular).then_some(follow.seen.size);
                if !std::mem::replace(&mut follow.queued, true) {
                    self.queue.push_back(*id);
                }
            }
            while !self.queue.is_empty() && seam::now() < deadline {
                if let Some(until) = self.blocked_until {
                    let wait = until.min(deadline).saturating_duration_since(seam::now());
                    self.watch.wait(&[], wait, false);
                }
                self.turns()?;
            }
            // One that goes on in its copy, because it was cut, has a text of its own that has arrived as well.
            if !self.pace.changes.names || seam::now() >= deadline {
                break;
            }
        }
        if self.queue.is_empty() {
            // With a state the next start goes on with what is not whole; without one nobody does.
            let work = if self.saver.is_some() { Work::Idle } else { Work::Finish };
            let open: Vec<u64> =
                self.files.values().filter(|follow| follow.is_open()).map(|file| file.voice.id).collect();
            let takes = work == Work::Finish || self.feeder.outlet.takes_beginnings(self.files.len());
            for id in open {
                let pipe = self.files.get(&id).is_some_and(|follow| follow.kind == Kind::Fifo);
                if pipe || takes {
                    self.rest(id, u64::MAX, if pipe { Work::Finish } else { work })?;
                }
            }
        }
        let bytes: u64 = self.files.values().filter(|follow| follow.queued).map(Follow::backlog).sum();
        if bytes > 0 && self.feeder.outage {
            return Err(TailError::Undrained { bytes });
        }
        if bytes > 0 {
            self.hooks.notice(&Notice::Undrained { bytes });
        }
        Ok(())
    }

    fn reload(&mut self, asked: bool) {
        if let Some(engine) = self.hooks.reload(asked) {
            self.begin.names = Names::new(Arc::clone(&engine));
            self.feeder.set_engine(engine);
        }
    }

    /// Saves the marks, when it is time and they have changed; or at once, and waits until they are saved.
    fn save(&mut self, wait: bool) {
        self.take_saved(wait);
        let is_due = wait || self.saved.due.is_none_or(|due| due <= seam::now());
        if !is_due || self.saver.as_ref().is_none_or(Saver::is_busy) {
            return;
        }
        let started = seam::now();
        self.begin.drop_outdated();
        let looked = self.begin.looked;
        let followed = self.files.values().filter(|follow| follow.kind == Kind::Regular);
        let followed = followed.map(|follow| follow.checkpoint(looked));
        // What nobody was told yet is found out again after a restart.
        let gone = self.begin.gone.values().filter(|gone| gone.told.is_none()).map(|gone| gone.known.clone());
        let files = followed.chain(self.begin.known.values().cloned()).chain(gone).collect();
        let state = State::new(files, &self.said);
        if !state.differs(&self.saved.state) {
            return;
        }
        seam::between();
        let written = self.feeder.outlet.take_unsynced();
        if let Some(saver) = &mut self.saver {
            saver.begin(Job { written, state });
        }
        self.saved.due = Some(seam::now() + SHARE * seam::since(started));
        self.take_saved(wait);
    }

    /// What became of the marks that were to be saved.
    fn take_saved(&mut self, wait: bool) {
        let Some(Done { saved, took }) = self.saver.as_mut().and_then(|saver| saver.done(wait)) else { return };
        match saved {
            Ok(state) => (self.saved.state, self.saved.failed) = (state, false),
            Err((kind, written)) => {
                self.feeder.outlet.put_unsynced(written);
                self.figures.errors += 1;
                if !std::mem::replace(&mut self.saved.failed, true) {
                    self.hooks.notice(&Notice::NotSaved(kind));
                }
            }
        }
        // A disk that is slow is not always busy with this.
        self.saved.due = self.saved.due.max(Some(seam::now() + took));
    }

    fn tell(&mut self) {
        self.figures.files = self.files.len() as u64;
        self.figures.files_open = self.files.values().filter(|follow| follow.file.is_some()).count() as u64;
        self.figures.queue = self.queue.len() as u64;
        self.figures.backlog_bytes = self.files.values().map(Follow::backlog).sum();
        self.figures.held_bytes =
            self.files.values().filter_map(|follow| follow.filter.as_ref()).map(crate::Filter::held_bytes).sum();
        self.hooks.figures(&self.figures);
        self.figures.lag = Duration::ZERO;
    }
}

/// How long the loop waits at least between two looks (see [`Every`]).
const LOOK: Duration = Duration::from_millis(10);

/// How often the loop does what has to be done now and then.
const SECOND: Duration = Duration::from_secs(1);
