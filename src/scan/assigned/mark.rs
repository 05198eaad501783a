//! Remembers where a scan stood, so that the same text can be scanned again from there. Does not scan.

use super::name::Match;
use super::{Pending, Quotes, Scan};

/// Where a scan begins, or goes on. Holds no byte of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Where the current line begins, and the next byte to look at.
    pub(super) line: usize,
    pub(super) at: usize,
    /// Whether that is in the middle of the line.
    pub(super) inside: bool,
    pub(super) quotes: Quotes,
    pub(super) named: Option<(Match, u8)>,
    pub(super) pending: Pending,
    pub(super) work: usize,
}

impl Mark {
    /// The beginning of a text: `in_string` says that it is one of a string literal; `pending` is what the text
    /// before left.
    pub fn start(in_string: bool, pending: Pending) -> Mark {
        Mark { line: 0, at: 0, inside: false, quotes: Quotes { in_string, counted: 0 }, named: None, pending, work: 0 }
    }
}

impl Scan<'_> {
    /// The scan is at a separator: remembers it if nothing behind it was looked at.
    pub(super) fn note(&mut self) {
        let at = self.at - 1;
        if self.again.is_none() && self.reach <= at {
            let Scan { line, quotes, named, pending, work, .. } = *self;
            self.mark = Mark { line, at, inside: true, quotes, named, pending, work };
        }
    }
}
