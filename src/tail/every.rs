//! Says when something is to be done again. Does not do it.

use std::time::{Duration, Instant};

/// Something that is done again and again, and that takes a bounded share of the time.
pub struct Every {
    /// How long to wait at least.
    pub least: Duration,
    /// When it is to be done next.
    pub due: Instant,
}

impl Every {
    /// Due at once.
    pub fn new(least: Duration) -> Every {
        Every { least, due: Instant::now() }
    }

    /// Whether it is to be done.
    pub fn is_due(&self) -> bool {
        self.due <= Instant::now()
    }

    /// It has been done, and took the time since `started`.
    pub fn done(&mut self, started: Instant) {
        self.due = Instant::now() + self.least.max(SHARE * started.elapsed());
    }
}

/// Looking and saving take one part in so many of the time.
pub const SHARE: u32 = 9;
