//! Follows log files into filtered outputs: finds them, keeps their identity across rotation, and remembers
//! how far each was written. Does not know what a secret is.
//!
//! ```text
//! discovery -> follow (one a file) -> Filter -> outlet (stdout or a tree)
//!                 ^                                 |
//!                 +------- mark -> checkpoint <-----+
//! ```
//!
//! One thread does all of it but the saving of marks, file by file in turn, some hundred KiB each: the filter is as fast as what
//! it writes to, and an output that does not take bytes must hold up the reading. A file's *mark* is the
//! last place at which a new filter could begin (`filter::Ground`), and how many clean bytes behind it
//! were written. Only the mark is saved, after the outlet has the bytes; so a restart scans from there,
//! drops as many clean bytes as were written, and goes on if they have the same checksum.
//!
//! The filter is given whole lines, and what is not whole stays in the file. So most files hold nothing
//! while they wait: thousands of them share a few filters.

mod again;
mod arrivals;
mod begin;
mod checkpoint;
mod cuts;
mod discovery;
mod envelope;
mod every;
mod feed;
mod find;
mod follow;
mod handed;
mod identity;
mod mark;
mod open;
mod origin;
mod outlet;
mod rotated;
mod saver;
mod seam;
mod signals;
#[cfg(test)]
mod simulation;
mod tree;
mod turns;
mod watch;
mod work;

use std::{ffi::OsString, io, path::PathBuf, sync::Arc, time::Duration};

pub use self::{envelope::Format, origin::Origin, work::run};
use crate::{finding::Finding, pipeline::OnError, scan::Engine};

/// What is followed, and where it goes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Files, folders, and patterns with `*`, `?` and `**`.
    pub paths: Vec<OsString>,
    /// Folders below which symbolic links may lead, besides those of `paths`.
    pub roots: Vec<PathBuf>,
    /// Where a file is read from.
    pub from: From,
    /// How records are wrapped.
    pub format: Format,
    /// Where clean bytes go.
    pub target: Target,
    /// Whether standard output is a file that ends inside a line: a process before us was killed there.
    pub open_line: bool,
    /// Where checkpoints are kept; without it there are none.
    pub state: Option<PathBuf>,
    /// How long the end may take after SIGTERM.
    pub drain: Duration,
    /// After what time the beginning of a line is written.
    pub flush_after: Duration,
    /// What happens after an internal error.
    pub on_error: OnError,
}

/// Where a file is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// Its first byte, whatever was written before.
    Start,
    /// Its end, if it is there when the program starts.
    End,
    /// Where its checkpoint says; its first byte if it has none.
    Checkpoint,
}

/// Where clean bytes go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output, the lines of all files as they come.
    Text,
    /// Standard output, a JSON object a line.
    Ndjson,
    /// Files of the same names below a folder.
    Tree {
        /// The folder.
        root: PathBuf,
        /// From which size on a file is rotated (bytes).
        file_bytes_max: u64,
        /// How much all of them may take (bytes).
        total_bytes_max: u64,
    },
}

/// What the caller does for the loop.
pub trait Hooks {
    /// Something was found.
    fn finding(&mut self, finding: &Finding, origin: &Origin);
    /// Something is to be said.
    fn notice(&mut self, notice: &Notice);
    /// Gives the engine to go on with, if rules have changed. `asked` says that SIGHUP has come; else it
    /// is called every second.
    fn reload(&mut self, asked: bool) -> Option<Arc<Engine>>;
    /// A call of a filter begins.
    fn filtering(&mut self);
    /// It is over, and took so long.
    fn filtered(&mut self, took: Duration);
    /// Figures, at least once a second.
    fn figures(&mut self, figures: &Figures);
    /// What says a last notice from another thread, if the loop waits for its output for ever.
    fn last_words(&self) -> Box<dyn FnOnce(&Notice) + Send> {
        Box::new(|_| {})
    }
}

/// Counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes read.
    pub bytes_in: u64,
    /// Clean bytes that the outlet has taken.
    pub bytes_out: u64,
    /// Lines scanned.
    pub lines: u64,
    /// Files that got another name.
    pub renamed: u64,
    /// Files that were deleted.
    pub deleted: u64,
    /// Files that were cut or written anew in place.
    pub truncated: u64,
    /// Bytes of which it is certain that they were never read.
    pub lost_bytes: u64,
    /// Values that were masked because they are longer than any bound.
    pub over_long: u64,
    /// Raw bytes that were withheld after an internal error.
    pub withheld_bytes: u64,
    /// Inputs and outputs that failed.
    pub errors: u64,
    /// Files that are followed now.
    pub files: u64,
    /// Those of them that are open.
    pub files_open: u64,
    /// Files that wait for their turn.
    pub queue: u64,
    /// Bytes that have arrived in files and are not read.
    pub backlog_bytes: u64,
    /// Bytes that filters hold.
    pub held_bytes: u64,
    /// How old the oldest byte was, when its turn came, since the last figures.
    pub lag: Duration,
    /// Whether no more is read than what has arrived.
    pub draining: bool,
}

/// What the loop has to say. Holds paths, places and counts, never bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    /// A file cannot be followed.
    #[error("{path}: {why}")]
    Refused {
        /// Its name.
        path: String,
        /// In words.
        why: &'static str,
    },
    /// A file cannot be read.
    #[error("{path}: cannot be read: {kind}")]
    Unreadable {
        /// Its name.
        path: String,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// A file was cut, or written anew, before it was read to its end.
    #[error("{path}: {how}; at least {bytes} bytes were never read")]
    Lost {
        /// Its name.
        path: String,
        /// In words.
        how: &'static str,
        /// How many bytes are certain to be lost.
        bytes: u64,
    },
    /// A file was cut or written anew after it was read to its end, as far as anybody knows.
    #[error("{path}: {how}; what was written since it was last read is lost")]
    Rewritten {
        /// Its name.
        path: String,
        /// In words.
        how: &'static str,
    },
    /// A file was cut after a copy was made of it.
    #[error("{path}: was cut; its rest is read in {copy}, and {} written between the copy and the cut is lost", what(*bytes))]
    Copied {
        /// Its name.
        path: String,
        /// Where its copy lies.
        copy: String,
        /// How many bytes between the copy and the cut are certain to be lost.
        bytes: u64,
    },
    /// Files had a name between two looks, and have gone.
    #[error("{path}: {count} files came and went before they were looked at; what was in them is lost")]
    Unseen {
        /// Their name.
        path: String,
        /// How many.
        count: usize,
    },
    /// Checkpoints cannot be used.
    #[error("the checkpoints {why}; files are read from their start")]
    Checkpoints {
        /// In words.
        why: &'static str,
    },
    /// Checkpoints cannot be saved. Said once until it works again.
    #[error("checkpoints cannot be saved: {0}; what is written from now on would be repeated after a restart")]
    NotSaved(io::ErrorKind),
    /// The outlet does not take bytes. Said once until it works again.
    #[error("the output cannot be written: {0}; it is tried again")]
    NotWritten(io::ErrorKind),
    /// An old file of the tree was removed to keep its bound.
    #[error("{path}: removed, because all files together reached their bound")]
    Removed {
        /// Its name.
        path: String,
    },
    /// A record was withheld.
    #[error("{path}: internal error: {bytes} bytes at {offset} were not scanned and are withheld")]
    Withheld {
        /// Its name.
        path: String,
        /// Where it begins in the file.
        offset: u64,
        /// How long it is.
        bytes: u64,
    },
    /// A record was passed as it was, because the user wants that.
    #[error("{path}: internal error: {bytes} bytes at {offset} were not scanned and are passed")]
    Passed {
        /// Its name.
        path: String,
        /// Where it begins in the file.
        offset: u64,
        /// How long it is.
        bytes: u64,
    },
    /// There are no notifications; files are looked at instead.
    #[error("no notifications of changes (a limit of fs.inotify?): {0}; files are looked at every {POLL_MS} ms")]
    Polling(io::ErrorKind),
    /// The end came while the loop waited for its output.
    #[error(
        "the drain timeout is over, and the output takes nothing: at least {bytes} bytes that had arrived are not written"
    )]
    Stuck {
        /// How many.
        bytes: u64,
    },
    /// The end came before all was written.
    #[error("the drain timeout is over: {bytes} bytes that had arrived are left for the next start")]
    Undrained {
        /// How many.
        bytes: u64,
    },
}

/// So many bytes, as far as anybody knows.
fn what(bytes: u64) -> String {
    if bytes == 0 { "what was".to_owned() } else { format!("at least {bytes} bytes of what was") }
}

/// Why following ends before it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TailError {
    /// A path cannot be used. Its number, from 1, and why.
    #[error("path {number}: {why}")]
    Path {
        /// Which one.
        number: usize,
        /// In words.
        why: &'static str,
    },
    /// The state directory is another process's.
    #[error("another process keeps its checkpoints there")]
    Locked,
    /// The state directory cannot be used.
    #[error("the state directory cannot be used: {0}")]
    State(io::ErrorKind),
    /// The output tree cannot be used.
    #[error("the output directory cannot be used: {0}")]
    Tree(io::ErrorKind),
    /// Whoever reads the output has gone.
    #[error("the output is closed")]
    ClosedOutput,
    /// The output cannot be written.
    #[error("standard output: {0}")]
    Write(io::ErrorKind),
    /// Signals or descriptors cannot be had.
    #[error("{what}: {kind}")]
    System {
        /// Of what.
        what: &'static str,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// The end came while the output could not be written.
    #[error("the drain timeout is over, and the output takes nothing: {bytes} bytes that had arrived are not written")]
    Undrained {
        /// How many.
        bytes: u64,
    },
    /// The filter failed, and the user wants to stop then.
    #[error("internal error in the filter; the output stops before what was not scanned")]
    Internal,
}

/// How often files are looked at where there are no notifications (milliseconds).
const POLL_MS: u64 = 100;
