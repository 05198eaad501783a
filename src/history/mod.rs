//! Turns files, trees and archives into findings: `scan`. Does not print, and decides nothing about
//! what is a secret.
//!
//! ```text
//! walk -> kind -> codec, tar, zip (layer by layer) -> stream -> filter -> findings, with times
//! ```
//!
//! `walk` chooses files; `visit` opens one, finds out from its first bytes what it is (`kind`), and
//! opens what is inside it, however deep, down to streams of lines. These go through the same filter
//! as everything else, in a mode in which all bytes pass, and to nowhere. Where masked copies are wanted,
//! a file is read once more, and this time goes through a filter that masks into a draft (`rewrite`),
//! which takes the file's place when it is complete. `stream` has the readers in
//! between; one of them keeps the last megabytes, so that `times` can read when a line was written.
//!
//! Small files are spread over threads; a large one, when there are few of them, is spread over
//! threads by the [`pipeline`](crate::pipeline), which loses nothing at its cuts.

mod codec;
mod file;
mod kind;
pub mod overview;
mod pack;
mod rewrite;
mod stream;
mod tar;
pub mod times;
mod visit;
mod walk;
mod zip;

use std::{
    ffi::OsString,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicU64},
    thread,
    time::Duration,
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use time::OffsetDateTime;

pub use self::{
    rewrite::{Refused, Target},
    walk::Excludes,
};
use self::{stream::lock, visit::Visitor, walk::Step};
use crate::{
    Engine, Stats,
    finding::{
        Finding,
        report::{Seen, Where},
    },
    limits::SCANNERS_MAX,
    names::Names,
};

/// What is to be read, and how.
pub struct Plan {
    /// Finds secrets. Its mode is to pass all bytes: what is in a secret that is too long to be masked is
    /// looked at as well.
    pub engine: Arc<Engine>,
    /// The same, but it masks: for names of files.
    pub names: Arc<Engine>,
    /// Files, folders, globs; `-` is standard input.
    pub roots: Vec<OsString>,
    /// What is left out.
    pub excludes: Excludes,
    /// The largest file that is read (bytes, as it lies on the disk).
    pub size_max: Option<u64>,
    /// Findings of lines before this are left out.
    pub since: Option<OffsetDateTime>,
    /// Findings of lines after this are left out.
    pub until: Option<OffsetDateTime>,
    /// Whether files that are no text are read, too.
    pub binary: bool,
    /// Where masked copies go, if they are wanted.
    pub target: Option<Target>,
    /// Whether files are written that somebody else may be writing, too, or that are there already.
    pub force: bool,
    /// How many threads; 0 for as many as there are cores.
    pub jobs: usize,
}

/// Something that happened.
pub enum Event {
    /// Secrets of one file.
    Found {
        /// The file on the disk.
        path: PathBuf,
        /// Its number in the order of the walk.
        number: u64,
        /// What was found in it.
        found: Vec<Found>,
    },
    /// A file, or something in it, could not be read, or not to its end.
    Trouble {
        /// Where; secrets in it are masked.
        place: String,
        /// Why.
        trouble: Trouble,
    },
    /// A file was left out.
    Skipped {
        /// Where; secrets in it are masked.
        place: String,
        /// Why.
        why: Skipped,
    },
    /// A masked file was written.
    Written,
    /// A masked file was not written.
    Refused {
        /// The file; secrets in its name are masked.
        place: String,
        /// Why.
        why: Refused,
    },
    /// Some time has passed.
    Tick,
}

/// A secret that was found.
pub struct Found {
    /// What is told about it.
    pub finding: Finding,
    /// Where: a file, or `outer.tar.gz!inner/path`.
    pub place: Where,
    /// Its place in the order of the scan, and the time of its line.
    pub seen: Seen,
}

/// Why something was not read, or not to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The system says so.
    #[error("cannot be read")]
    Unreadable(io::ErrorKind),
    /// It is not what its beginning says, or damaged.
    #[error("damaged: not read to its end")]
    Corrupt,
    /// It ends too early.
    #[error("cut short: read up to there")]
    CutShort,
    /// It unpacks to more than any log does.
    #[error("a decompression bomb: not read to its end")]
    Bomb,
    /// Too many archives inside each other.
    #[error("too many archives inside each other: not opened")]
    TooDeep,
    /// It has a password.
    #[error("encrypted: not opened")]
    Encrypted,
    /// It is packed in a way that is not known.
    #[error("packed by a method that is not known: not opened")]
    UnknownMethod,
    /// Its directory is at its end, and it is too large to be held until then.
    #[error("a zip inside a stream, too large to be held: not opened")]
    ZipTooLarge,
    /// An error of our own.
    #[error("internal error: not read to its end")]
    Internal,
}

/// Why a file was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skipped {
    /// It is no text.
    Binary,
    /// It is a journal of systemd itself.
    Journal,
    /// It is larger than the user wants.
    TooLarge,
    /// The user named it.
    Excluded,
    /// It is a symbolic link.
    Link,
}

/// Counts of a scan, to be looked at while it runs.
#[derive(Default)]
pub struct Totals {
    /// Files that were opened.
    pub files: AtomicU64,
    /// Bytes that were read of them, packed as they are.
    pub bytes: Arc<AtomicU64>,
    /// Secrets that were left out because of their time.
    pub out_of_time: AtomicU64,
    /// What went through the filter.
    pub stats: Mutex<Stats>,
}

impl Totals {
    /// What went through the filter.
    pub fn stats(&self) -> Stats {
        lock(&self.stats).clone()
    }
}

/// Whether what begins with these bytes is compressed, or a zip.
pub(crate) fn is_packed(head: &[u8]) -> bool {
    matches!(kind::of(head), kind::Kind::Packed(_) | kind::Kind::Zip)
}

/// Reads everything that the plan names. `on_event` is called on the calling thread.
pub fn run(plan: &Plan, totals: &Totals, on_event: &mut dyn FnMut(Event)) {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let jobs = if plan.jobs == 0 { cores() } else { plan.jobs };
    let (events, inbox) = bounded(EVENTS_WAITING);
    let large = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let large = &large;
        scope.spawn(move || {
            let (files_in, files) = bounded(FILES_WAITING);
            thread::scope(|scope| {
                for _ in 0..jobs {
                    let (files, events) = (files.clone(), events.clone());
                    scope.spawn(move || work(Visitor::new(plan, totals, events, 1), &files, Some(large)));
                }
                // Only those who take files keep the channel open: where all have gone, walking ends.
                drop(files);
                choose(plan, files_in, &events);
            });
            read_large(plan, totals, std::mem::take(&mut lock(large)), &events, jobs);
        });
        receive(&inbox, on_event);
    });
}

/// A file that is to be read.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Job {
    /// Its number in the order of the walk.
    number: u64,
    path: PathBuf,
    /// Whether the user named it: only then it may be a link or a pipe.
    is_named: bool,
}

/// Hands files to those who read them.
fn choose(plan: &Plan, files: Sender<Job>, events: &Sender<Event>) {
    let mut names = Names::new(Arc::clone(&plan.names));
    // What is written below the folder for copies is not read as well.
    let copies = match &plan.target {
        Some(Target::Folder(out)) => Some(std::path::absolute(out).unwrap_or_else(|_| out.clone())),
        _ => None,
    };
    let is_copy = |path: &PathBuf| {
        copies.as_ref().is_some_and(|out| std::path::absolute(path).is_ok_and(|path| path.starts_with(out)))
    };
    let rewrites = matches!(plan.target, Some(Target::InPlace));
    let mut number = 0;
    walk::walk(&plan.roots, &plan.excludes, &mut |step| {
        let skipped = |why| Event::Skipped { place: String::new(), why };
        match step {
            Step::File(path, _) if is_copy(&path) => true,
            Step::File(path, false) if rewrites && rewrite::remove_left_draft(&path) => true,
            Step::File(path, is_named) => {
                number += 1;
                files.send(Job { number, path, is_named }).is_ok()
            }
            Step::Unreadable(path, kind) => {
                let place = names.shown(path.as_os_str().as_encoded_bytes());
                events.send(Event::Trouble { place, trouble: Trouble::Unreadable(kind) }).is_ok()
            }
            Step::Link => events.send(skipped(Skipped::Link)).is_ok(),
            Step::Excluded => events.send(skipped(Skipped::Excluded)).is_ok(),
        }
    });
}

/// Reads files until there are no more. Large ones go to `large`, if that is wanted.
fn work(mut visitor: Visitor<'_>, files: &Receiver<Job>, large: Option<&Mutex<Vec<Job>>>) {
    for job in files {
        let visited = catch_unwind(AssertUnwindSafe(|| visitor.visit(&job, large.is_some())));
        match (visited, large) {
            (Ok(true), _) | (Ok(false), None) => {}
            (Ok(false), Some(large)) => lock(large).push(job),
            // The place of the panic has been told; what was found so far has been sent.
            (Err(_), _) => visitor = visitor.after_panic(&job.path),
        }
    }
}

/// Reads the large files: many of them side by side, few of them each with several threads.
fn read_large(plan: &Plan, totals: &Totals, mut large: Vec<Job>, events: &Sender<Event>, jobs: usize) {
    if large.is_empty() {
        return;
    }
    large.sort();
    let inner = if large.len() >= 2 * jobs { 1 } else { jobs.min(SCANNERS_MAX) };
    let outer = (jobs / inner).max(1);
    let (files_in, files) = bounded(large.len());
    for job in large {
        let _ = files_in.send(job);
    }
    drop(files_in);
    thread::scope(|scope| {
        for _ in 0..outer {
            let (files, events) = (files.clone(), events.clone());
            scope.spawn(move || work(Visitor::new(plan, totals, events, inner), &files, None));
        }
    });
}

fn receive(inbox: &Receiver<Event>, on_event: &mut dyn FnMut(Event)) {
    loop {
        match inbox.recv_timeout(TICK) {
            Ok(event) => on_event(event),
            Err(RecvTimeoutError::Timeout) => on_event(Event::Tick),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// How often somebody who watches is told that time passes.
const TICK: Duration = Duration::from_millis(100);

/// How many files may be chosen before they are read.
const FILES_WAITING: usize = 1024;

/// How many messages may wait.
const EVENTS_WAITING: usize = 1024;
