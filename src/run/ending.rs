//! Decides how long the outputs of a command that has ended are still read. Does not read them.

use std::{
    os::fd::BorrowedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::Signal,
};

use super::outputs::Outputs;

/// How long clean bytes may wait for their reader, once a signal has ended the run and what had
/// arrived was read.
const LAST_WORDS: Duration = Duration::from_millis(150);

/// The end of a run, from the command's own end on.
pub struct Ending {
    drain: Duration,
    /// When outputs that somebody else holds open are no longer waited for.
    deadline: Option<Instant>,
    /// Whether a signal has asked for the end, so that a reader who does not read cannot hold us.
    asked: bool,
    stopped: bool,
    over: Option<Instant>,
}

impl Ending {
    /// Outputs are read for `drain` at most after the command's end.
    pub fn new(drain: Duration) -> Ending {
        Ending { drain, deadline: None, asked: false, stopped: false, over: None }
    }

    /// The command has ended.
    pub fn begin(&mut self) {
        self.deadline = Some(Instant::now() + self.drain);
    }

    /// A signal has come while the command was running.
    pub fn note(&mut self, signal: Signal) {
        self.asked |= is_final(signal);
    }

    /// A signal has come after the command's end: the first one ends the waiting for more output, a
    /// second one the waiting for our own reader.
    pub fn hasten(&mut self, signal: Signal) {
        if !is_final(signal) {
            return;
        }
        let now = Instant::now();
        if self.stopped {
            self.over = Some(now);
        }
        self.asked = true;
        self.deadline = Some(now);
    }

    /// Whether the run is over, outputs done or not. Stops them when it is time.
    pub fn is_over(&mut self, outputs: &mut Outputs) -> bool {
        let now = Instant::now();
        if !self.stopped && self.deadline.is_some_and(|deadline| deadline <= now) {
            outputs.stop();
            self.stopped = true;
        }
        if self.stopped && self.asked && self.over.is_none() {
            self.over = Some(now + LAST_WORDS);
        }
        self.over.is_some_and(|over| over <= now)
    }

    /// When it is to be asked again.
    pub fn timeout(&self) -> Option<Duration> {
        let next = if self.stopped { self.over } else { self.deadline };
        next.map(|next| next.saturating_duration_since(Instant::now()))
    }
}

fn is_final(signal: Signal) -> bool {
    matches!(signal, Signal::HUP | Signal::INT | Signal::QUIT | Signal::TERM)
}

/// Waits until one of the descriptors can be read or is closed, a signal comes, or the time is over.
pub fn wait<'a>(descriptors: impl Iterator<Item = BorrowedFd<'a>>, timeout: Option<Duration>) {
    let mut list: Vec<PollFd<'_>> = descriptors.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
    let timeout =
        timeout.map(|time| Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) });
    // Whatever it says, the caller looks at the state of everything.
    let _ = poll(&mut list, timeout.as_ref());
}
