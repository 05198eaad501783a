//! Lets a filter begin in the middle of a stream, at a place where it carries nothing over. Does not
//! know where the stream comes from.

use std::sync::Arc;

use super::{Carry, Clean, Encoding, End, Engine, Filter, Finding};
use crate::scan::Said;

/// Whole lines that a filter holds because a secret may go on behind them, for a filter of the stream that goes on where
/// this one ends.
pub struct Held {
    /// The lines, as they were read. Secrets are among them: they are kept in memory only.
    pub bytes: Vec<u8>,
    /// Where they stand: in the parts of other streams with which this one has begun, by their places among them, and
    /// in this one.
    pub parts: Vec<(Option<usize>, Part)>,
    /// Line ends of this stream before what follows.
    pub lines: u64,
    /// What was said before them about what follows.
    pub said: Said,
    /// What was written of them.
    pub written: Vec<u8>,
}

/// Whole lines of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Where they begin.
    pub from: Ground,
    /// How long they are.
    pub bytes: u64,
}

/// A place in a stream at which a filter that has seen nothing before goes on as one does that has seen
/// all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ground {
    /// Bytes before it.
    pub offset: u64,
    /// Line ends before it.
    pub lines: u64,
    /// Bytes of its line before it: not 0 inside an over-long line only.
    pub line_offset: u64,
}

impl Filter {
    /// A filter that goes on at `ground` of a stream whose first bytes are `start` (two of them tell the
    /// encoding).
    pub fn resume(engine: Arc<Engine>, start: &[u8], ground: Ground) -> Filter {
        let mut filter = Filter::new(engine);
        filter.move_to(start, ground);
        filter
    }

    /// Leaves the stream, of which nothing may be held, and goes on in another one; keeps the memory.
    /// Counts go on, but for the lines, which are those of the stream.
    pub fn move_to(&mut self, start: &[u8], ground: Ground) {
        self.forget_window();
        (self.carry, self.left) = (Carry::default(), Carry::default());
        self.swallowing = None;
        self.stopped = None;
        self.begun = ground.offset > 0;
        self.encoding = if self.begun { Encoding::of_mark(start) } else { Encoding::Bytes };
        self.tally.move_to(ground);
    }

    /// What the last whole line says about the next one, and the last line of a stream that has ended about a stream that
    /// goes on where it ends, as behind the rotation of a file.
    pub fn said(&self) -> Said {
        let said = self.said_before();
        // Whoever goes on has not what is held here.
        if self.encoding == Encoding::Bytes { said.behind_lost(&self.window) } else { said }
    }

    /// The same of the last line before what is held.
    pub fn said_before(&self) -> Said {
        let carry = if self.carry.is_empty() { &self.left } else { &self.carry };
        if carry.is_empty() { Said::default() } else { Said::of(carry, &self.engine) }
    }

    /// Whether whole lines are held.
    pub fn waits(&self) -> bool {
        !self.window.is_empty() && self.record_bytes == self.window.len()
    }

    /// What is held, if that is whole lines: whether something in them is a secret is told by what follows.
    pub fn held_lines(&mut self) -> Option<Held> {
        let whole = self.waits() && self.tally.place().line_offset == 0;
        if !whole || self.swallowing.is_some() || self.stopped.is_some() {
            return None;
        }
        let said = self.said_before();
        let mut written = Vec::new();
        if self.written > 0 {
            self.settle_window(End::Open);
            written = self.settler.part(&self.engine, &self.window, 0, self.written).as_bytes().to_vec();
        }
        let (parts, lines) = self.tally.parts(&self.window);
        Some(Held { bytes: self.window.clone(), parts, lines, said, written })
    }

    /// Begins a stream with lines of others, one part after the other. Places are those in this stream.
    ///
    /// # Panics
    /// If the filter has seen something, in debug builds.
    pub fn begin_with<'a>(&'a mut self, lines: &'a [u8], parts: &[Part]) -> Clean<'a> {
        debug_assert!(self.window.is_empty() && self.tally.place() == Ground::default());
        self.tally.begin_with(lines, parts);
        self.push(lines)
    }

    /// What was found since the last call in lines of another stream.
    pub fn take_findings_before(&mut self) -> Vec<Finding> {
        self.tally.take_findings_before()
    }

    /// Begins as if the line before had said this.
    ///
    /// # Panics
    /// If the filter has seen something, in debug builds.
    pub fn inherit(&mut self, said: &Said) {
        debug_assert!(self.window.is_empty() && self.carry.is_empty());
        self.carry = said.carry(&self.engine);
    }

    /// Where the filter could begin again without a difference, if nothing behind that place was
    /// written.
    pub fn ground(&self) -> Option<Ground> {
        self.carry.is_empty().then(|| self.ground_if_told()).flatten()
    }

    /// The same for a filter that is told what was said before ([`Filter::said_before`]).
    pub fn ground_if_told(&self) -> Option<Ground> {
        let fresh = self.written == 0 && self.swallowing.is_none() && self.stopped.is_none();
        (fresh && !self.tally.is_before()).then(|| self.tally.place())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, RuleSet};

    const LOG: &[u8] = b"first\npassword:\n  hunter2hunter2\nlast line, api_key = Zk39fQm2LpX8vT1cRb6w and more\n\
        2026-11-20T23:10:23.1Z stdout P password=hun\n2026-11-20T23:10:23.1Z stdout F ter2222\nend";

    fn engine() -> Arc<Engine> {
        Arc::new(Engine::new(RuleSet::builtin().unwrap(), Options::default()).unwrap())
    }

    /// What is left to come after `cut` bytes, and what a filter gives that begins at the ground there.
    fn compare(log: &[u8], cut: usize, idle: bool) -> Option<(Vec<u8>, Vec<u8>)> {
        let engine = engine();
        let mut filter = Filter::new(Arc::clone(&engine));
        filter.push(&log[..cut]);
        if idle {
            filter.idle();
        }
        let ground = filter.ground()?;
        let mut rest = filter.push(&log[cut..]).to_vec();
        rest.extend(filter.finish().to_vec());
        let mut other = Filter::resume(engine, log, ground);
        let mut again = other.push(&log[ground.offset as usize..]).to_vec();
        again.extend(other.finish().to_vec());
        assert_eq!(filter.ground(), other.ground(), "after {cut}");
        Some((rest, again))
    }

    #[test]
    fn a_filter_that_begins_at_the_ground_goes_on_as_the_first_one_does() {
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(LOG.iter().flat_map(|&byte| [byte, 0])).collect();
        for log in [LOG, &utf16] {
            let mut grounds = 0;
            for cut in 0..=log.len() {
                for idle in [false, true] {
                    if let Some((rest, again)) = compare(log, cut, idle) {
                        grounds += 1;
                        assert!(rest == again, "cut at {cut}");
                    }
                }
            }
            assert!(grounds > log.len() / 2, "{grounds} of {}", log.len());
        }
    }
}
