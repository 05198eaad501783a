//! Says when something is to be done again. Does not do it.

use std::time::{Duration, Instant};

use super::seam;

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
        Every { least, due: seam::now() }
    }

    /// Whether it is to be done.
    pub fn is_due(&self) -> bool {
        self.due <= seam::now()
    }

    /// It has been done, and took the time since `started`.
    pub fn done(&mut self, started: Instant) {
        self.due = seam::now() + self.least.max(SHARE * seam::since(started));
    }
}

/// Looking and saving take one part in so many of the time.
pub const SHARE: u32 = 9;
