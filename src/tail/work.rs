//! The loop: looks for files and changes, reads files in turn, saves marks, and ends. Does not know what it
//! reads.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    os::fd::{AsFd as _, BorrowedFd},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Figures, Hooks, Notice, POLL_MS, Settings, TailError,
    begin::{self, Begin},
    checkpoint::{Checkpoint, Store},
    discovery::Discovery,
    every::{Every, SHARE},
    feed::{Fed, Feeder, Work},
    follow::{Chunk, Fault, Follow, Seen},
    identity::Inode,
    open::{self, Kind},
    outlet::Outlet,
    signals::Signals,
    watch::Watch,
};
use crate::{Engine, names::Names};

/// Follows files until a signal says that it is enough.
///
/// # Errors
/// See [`TailError`]. Whatever the error, only clean bytes were written, and no checkpoint is ahead of them.
pub fn run(settings: &Settings, engine: Arc<Engine>, hooks: &mut dyn Hooks) -> Result<Figures, TailError> {
    let system = |what: &'static str| move |fault: io::Error| TailError::System { what, kind: fault.kind() };
    let signals = Signals::catch(settings.drain).map_err(system("signals"))?;
    let discovery = Discovery::new(&settings.paths, &settings.roots)?;
    let outlet = Outlet::open(settings)?;
    let (mut store, mut known) = (None, Vec::new());
    let (own_file, own_folder) = outlet.own();
    let mut own_folders: Vec<_> = own_folder.into_iter().collect();
    if let Some(path) = &settings.state {
        let (opened, loaded) = Store::open(path)?;
        own_folders.extend(std::fs::canonicalize(path));
        match loaded {
            Ok(checkpoints) => known = checkpoints,
            Err(why) => hooks.notice(&Notice::Checkpoints { why }),
        }
        store = Some(opened);
    }
    let mut work = Loop {
        settings,
        signals,
        discovery,
        begin: Begin::new(settings.from, known, own_file, own_folders, Names::new(Arc::clone(&engine))),
        store,
        feeder: Feeder::new(engine, outlet, settings.on_error),
        hooks,
        watch: Watch::new(),
        files: BTreeMap::new(),
        by_inode: BTreeMap::new(),
        queue: VecDeque::new(),
        buffer: vec![0; Follow::ROOM],
        figures: Figures::default(),
        files_open_max: open::raise_limit(),
        saved: Saved::default(),
        blocked_until: None,
    };
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
    pub(super) store: Option<Store>,
    pub(super) feeder: Feeder,
    pub(super) hooks: &'a mut dyn Hooks,
    pub(super) watch: Watch,
    pub(super) files: BTreeMap<u64, Follow>,
    pub(super) by_inode: BTreeMap<Inode, u64>,
    pub(super) queue: VecDeque<u64>,
    pub(super) buffer: Vec<u8>,
    pub(super) figures: Figures,
    pub(super) files_open_max: usize,
    pub(super) saved: Saved,
    /// After a failure the outlet is left alone for a while.
    pub(super) blocked_until: Option<Instant>,
}

#[derive(Default)]
pub struct Saved {
    checkpoints: Vec<Checkpoint>,
    failed: bool,
    /// When to save next: saving takes a small share of the time.
    due: Option<Instant>,
}

impl Loop<'_> {
    fn run(&mut self) -> Result<(), TailError> {
        let poll = Duration::from_millis(POLL_MS);
        let (mut names, mut files, mut second) = (Every::new(LOOK), Every::new(LOOK), Every::new(SECOND));
        let (mut names_late, mut files_late) = (Every::new(SECOND), Every::new(SECOND));
        let mut changes = super::watch::Changes { files: true, names: true };
        self.discover(true);
        // A file that is rotated when we are killed is found again only if it is known.
        self.save(false);
        while !self.signals.stopping() {
            let late = if self.watch.tells() { SECOND } else { poll };
            (names_late.least, files_late.least) = (late, late);
            let started = Instant::now();
            if changes.names && names.is_due() || names_late.is_due() {
                changes.names = false;
                self.discover(false);
                self.save(false);
                names.done(started);
                names_late.done(started);
            }
            let started = Instant::now();
            if changes.files && files.is_due() || files_late.is_due() {
                changes.files = false;
                self.look();
                files.done(started);
                files_late.done(started);
            }
            self.turns()?;
            if second.is_due() {
                let started = Instant::now();
                self.reload(false);
                self.save(false);
                self.tell();
                second.done(started);
            }
            if self.signals.reload() {
                self.reload(true);
            }
            let mut until = second.due.min(names_late.due).min(files_late.due);
            until = if changes.names { until.min(names.due) } else { until };
            until = if changes.files { until.min(files.due) } else { until };
            let wait = until.saturating_duration_since(Instant::now()).min(self.patience());
            let tell = !(changes.files && changes.names);
            let news = self.wait(wait, tell);
            changes.files |= news.files;
            changes.names |= news.names;
        }
        self.drain()
    }

    /// How long nothing has to be done if nothing happens.
    fn patience(&self) -> Duration {
        let unblocked = self.blocked_until.map(|until| until.saturating_duration_since(Instant::now()));
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

    fn wait(&mut self, time: Duration, tell: bool) -> super::watch::Changes {
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

    /// Gives files their turns, until each has had one or the time for a slice is over.
    fn turns(&mut self) -> Result<(), TailError> {
        if self.blocked_until.is_some_and(|until| until > Instant::now()) {
            return Ok(());
        }
        self.blocked_until = None;
        self.close_rotated()?;
        let started = Instant::now();
        for _ in 0..self.queue.len() {
            let Some(id) = self.queue.pop_front() else { break };
            self.turn(id)?;
            if self.blocked_until.is_some() || self.signals.stopping() || started.elapsed() > SLICE {
                break;
            }
        }
        self.flush_beginnings()
    }

    /// Reads what a file has, up to the size of a turn.
    fn turn(&mut self, id: u64) -> Result<(), TailError> {
        let Some(mut follow) = self.files.remove(&id) else { return Ok(()) };
        follow.queued = false;
        let waits = self.files.values().any(|other| {
            other.rotated
                && !other.drained
                && other.voice.id < id
                && other.voice.origin.path == follow.voice.origin.path
        });
        let more = waits || self.read(&mut follow)?;
        if more {
            follow.queued = true;
            self.queue.push_back(id);
        }
        self.files.insert(id, follow);
        Ok(())
    }

    /// Whether there may be more.
    fn read(&mut self, follow: &mut Follow) -> Result<bool, TailError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = match follow.read(&mut buffer) {
            Ok(chunk) => self.fed(follow, &buffer, &chunk),
            Err(Fault::Rewritten { cut }) => self.rewritten(follow, cut).map(|()| true),
            Err(Fault::Io(fault)) => {
                self.figures.errors += 1;
                let path = follow.voice.origin.name.clone();
                self.hooks.notice(&Notice::Unreadable { path, kind: fault.kind() });
                follow.drained = true;
                Ok(false)
            }
        };
        self.buffer = buffer;
        result
    }

    fn fed(&mut self, follow: &mut Follow, buffer: &[u8], chunk: &Chunk) -> Result<bool, TailError> {
        let bytes = &buffer[chunk.range.clone()];
        let length = follow.whole(bytes);
        if let Some(grown) = follow.grown_at.filter(|_| !bytes.is_empty() && follow.kind == Kind::Regular) {
            self.figures.lag = self.figures.lag.max(grown.elapsed());
        }
        if length > 0 {
            let buffer = &buffer[..chunk.range.start + length];
            let fed = self.feeder.feed(follow, buffer, length, Work::Push, self.hooks, &mut self.figures)?;
            if self.after(fed) {
                return Ok(true);
            }
        }
        let more = chunk.more || follow.position < follow.careful && length > 0;
        if !bytes.is_empty() {
            follow.quiet_since = Instant::now();
        }
        follow.seen.size = follow.seen.size.max(follow.position);
        let holds = follow.filter.as_ref().is_some_and(crate::Filter::held);
        if bytes.len() > length || holds {
            follow.open_since.get_or_insert_with(Instant::now);
        } else {
            follow.open_since = None;
        }
        if !more {
            follow.drained = true;
            // Of a pipe it says that somebody has it open, so that waiting for it makes sense.
            let waits = follow.kind == Kind::Fifo && !bytes.is_empty();
            follow.grown_at = waits.then(Instant::now);
        }
        Ok(more)
    }

    /// Whether the file has to be read again from its mark.
    fn after(&mut self, fed: Fed) -> bool {
        if fed == Fed::Blocked {
            self.blocked_until = Some(Instant::now() + RETRY);
        }
        for path in self.feeder.outlet.take_removed() {
            let path = self.begin.shown(&path);
            self.hooks.notice(&Notice::Removed { path });
        }
        fed != Fed::Done
    }

    /// Under a name stands the same file with another text.
    fn rewritten(&mut self, follow: &mut Follow, cut: bool) -> Result<(), TailError> {
        let how = if cut { "was cut" } else { "was written anew" };
        let bytes = follow.seen.size.saturating_sub(follow.position);
        self.figures.truncated += 1;
        begin::lost(follow, how, bytes, self.hooks, &mut self.figures);
        if follow.filter.is_some() {
            // What was held has no end any more.
            self.feeder.feed(follow, &[], 0, Work::Finish, self.hooks, &mut self.figures)?;
        }
        follow.start_anew();
        if let Ok(about) = follow.look() {
            follow.seen = Seen::of(&about);
        }
        Ok(())
    }

    /// Writes beginnings of lines that have waited long enough for their ends.
    fn flush_beginnings(&mut self) -> Result<(), TailError> {
        if !self.feeder.outlet.takes_beginnings(self.files.len()) {
            return Ok(());
        }
        let due = |follow: &&Follow| {
            !follow.queued && follow.open_since.is_some_and(|since| since.elapsed() >= self.settings.flush_after)
        };
        let due: Vec<u64> = self.files.values().filter(due).map(|follow| follow.voice.id).collect();
        due.into_iter().try_for_each(|id| self.rest(id, Work::Idle))
    }

    /// Gives a file's filter what is left, up to the file's end.
    fn rest(&mut self, id: u64, work: Work) -> Result<(), TailError> {
        let Some(mut follow) = self.files.remove(&id) else { return Ok(()) };
        let mut buffer = std::mem::take(&mut self.buffer);
        follow.open_since = None;
        let done = match follow.read(&mut buffer) {
            Ok(Chunk { range, more }) => {
                let work = if more { Work::Push } else { work };
                let (buffer, length) = (&buffer[..range.end], range.len());
                self.feeder.feed(&mut follow, buffer, length, work, self.hooks, &mut self.figures)
            }
            // The next turn tells what has happened.
            Err(_) => Ok(Fed::Again),
        };
        self.buffer = buffer;
        if self.after(done?) && !std::mem::replace(&mut follow.queued, true) {
            self.queue.push_back(id);
        }
        self.files.insert(id, follow);
        Ok(())
    }

    /// Ends files that were rotated, read to their ends, and have been quiet since.
    fn close_rotated(&mut self) -> Result<(), TailError> {
        let over = |follow: &&Follow| {
            follow.rotated && follow.drained && !follow.queued && follow.quiet_since.elapsed() >= ROTATED_QUIET
        };
        let over: Vec<u64> = self.files.values().filter(over).map(|follow| follow.voice.id).collect();
        for id in over {
            self.rest(id, Work::Finish)?;
            if self.files.get(&id).is_some_and(|follow| !follow.queued) {
                self.forget(id);
            }
        }
        Ok(())
    }

    /// Reads what has arrived, as far as the time suffices, and ends.
    fn drain(&mut self) -> Result<(), TailError> {
        let deadline = Instant::now() + self.settings.drain;
        self.figures.draining = true;
        self.tell();
        self.discover(false);
        self.look();
        for (id, follow) in &mut self.files {
            follow.until = (follow.kind == Kind::Regular).then_some(follow.seen.size);
            if !std::mem::replace(&mut follow.queued, true) {
                self.queue.push_back(*id);
            }
        }
        while !self.queue.is_empty() && Instant::now() < deadline {
            if let Some(until) = self.blocked_until {
                let wait = until.min(deadline).saturating_duration_since(Instant::now());
                self.watch.wait(&[], wait, false);
            }
            self.turns()?;
        }
        if self.queue.is_empty() {
            // With a state the next start goes on with what is not whole; without one nobody does.
            let work = if self.store.is_some() { Work::Idle } else { Work::Finish };
            let open: Vec<u64> =
                self.files.values().filter(|follow| follow.is_open()).map(|file| file.voice.id).collect();
            let takes = work == Work::Finish || self.feeder.outlet.takes_beginnings(self.files.len());
            for id in open {
                let pipe = self.files.get(&id).is_some_and(|follow| follow.kind == Kind::Fifo);
                if pipe || takes {
                    self.rest(id, if pipe { Work::Finish } else { work })?;
                }
            }
        }
        let bytes: u64 = self.files.values().filter(|follow| follow.queued).map(Follow::backlog).sum();
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

    /// Saves the marks, when it is time and they have changed.
    fn save(&mut self, at_end: bool) {
        let Some(store) = &self.store else { return };
        if !at_end && self.saved.due.is_some_and(|due| due > Instant::now()) {
            return;
        }
        let started = Instant::now();
        self.begin.drop_outdated();
        let followed = self.files.values().filter(|follow| follow.kind == Kind::Regular).map(Follow::checkpoint);
        let all: Vec<Checkpoint> = followed.chain(self.begin.known.values().cloned()).collect();
        let differs = |old: &Checkpoint, new: &Checkpoint| Checkpoint { seen: old.seen, ..new.clone() } != *old;
        let old = &self.saved.checkpoints;
        if all.len() == old.len() && !old.iter().zip(&all).any(|(old, new)| differs(old, new)) {
            return;
        }
        // What is said to be written must be there, even after a power failure.
        match self.feeder.outlet.sync().and_then(|()| store.save(&all)) {
            Ok(()) => self.saved = Saved { checkpoints: all, failed: false, due: None },
            Err(fault) => {
                self.figures.errors += 1;
                if !std::mem::replace(&mut self.saved.failed, true) {
                    self.hooks.notice(&Notice::NotSaved(fault.kind()));
                }
            }
        }
        self.saved.due = Some(Instant::now() + SHARE * started.elapsed());
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

/// After what time of reading the loop looks for changes.
const SLICE: Duration = Duration::from_millis(100);

/// How long a rotated file must be quiet: who writes it may have it open for a while.
const ROTATED_QUIET: Duration = Duration::from_secs(5);

/// How long an outlet that has failed is left alone.
const RETRY: Duration = Duration::from_millis(500);
