//! Knows which threads are at work, and since when. Does not stop or restart them.
//!
//! A thread that waits, for bytes or for an output to take some, is well, however long it waits: to end the process
//! would not make its reader faster. One that is inside the filter is done soon, or is stuck.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// The threads of a process that it cannot do without.
#[derive(Debug)]
pub struct Pulses {
    /// Times are counted from here.
    start: Instant,
    all: Mutex<Vec<Arc<State>>>,
    /// Whether one of them has ended by a panic.
    dead: Arc<AtomicBool>,
}

/// One of them. To be dropped by the thread itself, at its end: if that is a panic, it is noticed.
#[derive(Debug)]
pub struct Pulse {
    start: Instant,
    state: Arc<State>,
    dead: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct State {
    /// Since when it has been at work (milliseconds, and one more); 0 while it waits.
    since: AtomicU64,
    over: AtomicBool,
}

impl Default for Pulses {
    fn default() -> Pulses {
        Pulses { start: Instant::now(), all: Mutex::default(), dead: Arc::default() }
    }
}

impl Pulses {
    /// A thread that begins. It waits.
    pub fn begin(&self) -> Pulse {
        let state = Arc::new(State::default());
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|state| !state.over.load(Relaxed));
        all.push(Arc::clone(&state));
        Pulse { start: self.start, state, dead: Arc::clone(&self.dead) }
    }

    /// Whether a thread has ended that should not have.
    pub fn dead(&self) -> bool {
        self.dead.load(Relaxed)
    }

    /// Whether a thread has been at the same work for longer than `most`.
    pub fn stuck(&self, most: Duration) -> bool {
        let now = since(self.start);
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at_work = all.iter().map(|state| state.since.load(Relaxed)).filter(|since| *since > 0);
        at_work.any(|since| now.saturating_sub(since) > most)
    }
}

impl Pulse {
    /// It is at work until what is given back is dropped.
    pub fn works(&self) -> Work {
        self.state.since.store(since(self.start), Relaxed);
        Work(Arc::clone(&self.state))
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.state.over.store(true, Relaxed);
        if std::thread::panicking() {
            self.dead.store(true, Relaxed);
        }
    }
}

/// A piece of work.
#[derive(Debug)]
pub struct Work(Arc<State>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.since.store(0, Relaxed);
    }
}

fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_stuck_in_its_work_and_never_while_it_waits() {
        let pulses = Pulses::default();
        let pulse = pulses.begin();
        let other = pulses.begin();
        assert!(!pulses.stuck(Duration::ZERO));
        let work = pulse.works();
        // As if it had begun a minute ago.
        pulse.state.since.store(1, Relaxed);
        let later = Pulses { start: pulses.start.checked_sub(Duration::from_secs(60)).unwrap(), ..pulses };
        assert!(later.stuck(Duration::from_secs(59)) && !later.stuck(Duration::from_secs(90)));
        drop(work);
        assert!(!later.stuck(Duration::ZERO) && !later.dead());
        drop((pulse, other));
        assert!(!later.dead());
    }

    #[test]
    fn a_thread_that_panics_is_dead() {
        let pulses = Pulses::default();
        let pulse = pulses.begin();
        let thread = std::thread::spawn(move || {
            let _work = pulse.works();
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(thread.join().is_err());
        assert!(pulses.dead() && !pulses.stuck(Duration::ZERO));
    }
}
