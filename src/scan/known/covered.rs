//! Remembers where strings were found that may cover others. Does not look for them.

use std::{cell::Cell, ops::Range};

/// Two places where strings stand. One that lies inside another says nothing: that one covers it, and gives the name.
#[derive(Default)]
pub(super) struct Covered {
    used: Cell<(usize, usize)>,
    latest: Cell<(usize, usize)>,
}

impl Covered {
    /// Takes note of a string that was found.
    pub(super) fn note(&self, start: usize, end: usize) {
        self.latest.set((start, end));
    }

    /// Whether a string of less than all of these bytes lies inside one that was found, and is not that one.
    pub(super) fn hold(&self, range: Range<usize>) -> bool {
        let hold = |(start, end): (usize, usize)| start <= range.start && range.end <= end && range.len() < end - start;
        if hold(self.used.get()) {
            return true;
        }
        let latest = hold(self.latest.get());
        if latest {
            self.used.set(self.latest.get());
        }
        latest
    }
}
