//! Splits a block of whole lines into stretches that pass and lines that matter. Does not scan lines.

use super::{
    Commands, Engine, Passed, commands,
    known::{self, Gate, Known},
    prefilter::{self, LineBuffers},
};

/// Part of a block of whole lines: nothing is in it, or it is to be settled.
#[derive(Debug)]
pub enum Stretch<'a> {
    /// Lines that hold nothing.
    Passed(Passed<'a>),
    /// One line that matters: its place in the block.
    Matters(usize, usize),
}

/// Splits a block of whole lines into stretches that pass and lines that matter. Each place of the
/// block is looked at once, however the two kinds alternate.
pub struct Stretches<'a, 'b> {
    lines: prefilter::Lines<'a, 'b>,
    known: &'a Known,
    commands: bool,
    /// How lines are broken.
    width: known::wrap::Width<'a>,
    ahead: &'b mut Ahead,
    block: &'a [u8],
    place: usize,
}

/// What was found ahead in a block. A line may be taken out of its middle, with what follows; the rest is
/// then a block that ends where this one did, and need not be looked at again. So all places are
/// counted from the block's end.
#[derive(Default)]
pub struct Ahead {
    gate: Gate,
    /// Where the next line with a command begins, if it is known; the block's end if there is none.
    command: Option<usize>,
    /// The next lines, if they are known, over the ends of which a known value may go; an empty range
    /// at the block's end if there are none.
    wrapped: Option<(usize, usize)>,
    /// The next line that the prefilter has found; an empty one at the block's end if there is none.
    next: Option<(usize, usize)>,
    joined: known::wrap::Joined,
    /// What this was found in: how much follows the block in what has arrived.
    behind: Option<usize>,
}

impl Ahead {
    /// Forgets all, because other bytes have arrived or other values are looked for.
    pub fn forget(&mut self) {
        self.behind = None;
    }

    /// Forgets what was found in a block that ended elsewhere.
    pub fn of_block(&mut self, behind: usize) -> &mut Ahead {
        if self.behind != Some(behind) {
            self.gate.forget();
            (self.command, self.wrapped, self.next) = (None, None, None);
            self.behind = Some(behind);
        }
        self
    }
}

impl<'a, 'b> Stretches<'a, 'b> {
    /// Starts at the block's first line.
    pub fn new(
        engine: &'a Engine,
        known: &'a Known,
        block: &'a [u8],
        buffers: &'b mut LineBuffers,
        ahead: &'b mut Ahead,
    ) -> Stretches<'a, 'b> {
        let lines = engine.prefilter.lines(engine, known, block, buffers);
        let commands = engine.options.commands != Commands::Ignore;
        let width = Some(engine.options.known.broken(engine.masker()));
        ahead.joined.breaks.forget();
        Stretches { lines, known, commands, width, ahead, block, place: 0 }
    }

    /// Where the next stretch begins.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Goes on at `place`, a line start, because what is before it was taken as it is.
    pub fn skip_to(&mut self, place: usize) {
        self.place = place;
    }

    /// The next line with a command.
    fn command_line(&mut self) -> Option<(usize, usize)> {
        if !self.commands {
            return None;
        }
        let length = self.block.len();
        let start = match self.ahead.command.and_then(|left| length.checked_sub(left)) {
            Some(start) if start >= self.place => start,
            _ => commands::next(self.block, self.place).unwrap_or(length),
        };
        self.ahead.command = Some(length - start);
        let rest = self.block.get(start..).filter(|rest| !rest.is_empty())?;
        Some((start, memchr::memchr(b'\n', rest).map_or(self.block.len(), |end| start + end + 1)))
    }

    /// The next lines over the ends of which a known value goes, or may go on behind the block.
    fn wrapped_lines(&mut self) -> Option<(usize, usize)> {
        if self.known.is_empty() {
            return None;
        }
        let length = self.block.len();
        let mut from = self.place;
        let before = self.found(self.ahead.wrapped);
        let known::wrap::Joined { breaks, run, parts, text } = &mut self.ahead.joined;
        let found = loop {
            if let Some(found) = before.filter(|found| found.0 >= from) {
                break found;
            }
            if !run.next(self.block, from, self.width, Some((self.known, breaks))) {
                break (length, length);
            }
            let lines = run.range();
            from = lines.end;
            let holds = run.is_open()
                || known::wrap::GoesOn::ALL.into_iter().any(|goes_on| {
                    run.parts(self.block, goes_on, parts)
                        && run.may_hold(self.known, self.block, parts, self.width, text)
                });
            if holds {
                // A terminal's line may also go on within itself.
                let before = memchr::memrchr(b'\n', &self.block[self.place..lines.start]);
                let start = before.map_or(self.place, |end| self.place + end + 1);
                let end = memchr::memchr(b'\n', &self.block[lines.end - 1..]).map_or(length, |at| lines.end + at);
                break (start, end);
            }
        };
        self.ahead.wrapped = Some((length - found.0, length - found.1));
        Some(found).filter(|found| found.0 < length)
    }

    /// The next line with a known value.
    fn known_line(&mut self) -> Option<(usize, usize)> {
        let at = self.ahead.gate.next(self.known, self.block, self.place)?;
        let start = memchr::memrchr(b'\n', &self.block[self.place..at]).map_or(self.place, |end| self.place + end + 1);
        let end = memchr::memchr(b'\n', &self.block[at..]).map_or(self.block.len(), |end| at + end + 1);
        Some((start, end))
    }

    /// Lines that are counted from the block's end, if they lie in what is left of it.
    fn found(&self, lines: Option<(usize, usize)>) -> Option<(usize, usize)> {
        let length = self.block.len();
        let (start, end) = lines?;
        Some((length.checked_sub(start)?, length - end)).filter(|found| found.0 >= self.place)
    }
}

impl<'a> Iterator for Stretches<'a, '_> {
    type Item = Stretch<'a>;

    fn next(&mut self) -> Option<Stretch<'a>> {
        let (place, length) = (self.place, self.block.len());
        if place >= length {
            return None;
        }
        let found = match self.found(self.ahead.next) {
            Some(found) => found,
            None => self.lines.next_from(place).unwrap_or((length, length)),
        };
        self.ahead.next = Some((length - found.0, length - found.1));
        let others = [self.known_line(), self.command_line(), self.wrapped_lines()];
        // Of two that begin together, the longer one has the other's line in it.
        let order = |line: &(usize, usize)| (line.0, std::cmp::Reverse(line.1));
        let (start, end) = others.into_iter().flatten().chain([found]).min_by_key(order).unwrap_or(found);
        if start > place {
            self.place = start;
            return Some(Stretch::Passed(Passed { bytes: &self.block[place..start] }));
        }
        self.place = end;
        Some(Stretch::Matters(start, end))
    }
}
