//! Takes a block of whole lines apart into lines that pass and lines to scan. Lets a twin of a filter do so away
//! from its stream, and takes the result over. Does not know threads.

use std::sync::Arc;

use super::{Carry, Clean, Encoding, Filter, Line, Output, Tally};
use crate::scan::{Stretch, Stretches};

/// What came of a block of whole lines that was scanned away from its stream. Reused from block to
/// block.
#[derive(Default)]
pub(crate) struct Block {
    output: Output,
    tally: Tally,
    consumed: usize,
    carry: Carry,
    /// Of the known values that were looked for.
    epoch: u64,
}

impl Filter {
    /// Scans a block of whole lines; `behind` tells it from others of what has arrived. Returns how much of it
    /// was taken; the rest begins with a record whose line goes on.
    pub(super) fn lines(&mut self, block: &[u8], behind: usize) -> usize {
        let (engine, known) = (Arc::clone(&self.engine), Arc::clone(self.settler.known()));
        let mut buffers = self.line_buffers.take().unwrap_or_default();
        let (mut ahead, epoch) = (std::mem::take(&mut self.ahead), self.epoch);
        let mut stretches = Stretches::new(&engine, &known, block, &mut buffers, ahead.of_block(behind));
        let taken = self.stretches(&mut stretches, block);
        if self.epoch != epoch {
            ahead.forget();
        }
        (self.line_buffers, self.ahead) = (Some(buffers), ahead);
        taken
    }

    fn stretches(&mut self, stretches: &mut Stretches<'_, '_>, block: &[u8]) -> usize {
        loop {
            let place = stretches.place();
            if place < block.len() && !self.carry.is_empty() {
                let end = memchr::memchr(b'\n', &block[place..]).map_or(block.len(), |at| place + at + 1);
                match self.line(&block[place..end]) {
                    Line::Written => stretches.skip_to(end),
                    Line::Held => return place,
                    Line::Command => return end,
                }
                continue;
            }
            match stretches.next() {
                None => return block.len(),
                Some(Stretch::Passed(passed)) => {
                    self.tally.advance(passed.as_bytes(), Encoding::Bytes);
                    self.output.pass(passed);
                }
                Some(Stretch::Matters(start, end)) => match self.line(&block[start..end]) {
                    Line::Written => {}
                    Line::Held => return start,
                    Line::Command => return end,
                },
            }
        }
    }

    /// Whether a block of whole lines can be taken over that was scanned away from the stream:
    /// nothing is held, nothing is carried, and the known values are still the same.
    pub(crate) fn can_adopt(&self, block: &Block) -> bool {
        self.begun
            && block.epoch == self.engine.options().known.epoch()
            && self.encoding == Encoding::Bytes
            && self.window.is_empty()
            && self.carry.is_empty()
            && self.swallowing.is_none()
            && self.stopped.is_none()
    }

    /// Scans lines as if they stood between lines of a stream without a carry.
    pub(crate) fn scan_block(&mut self, lines: &[u8], block: &mut Block) {
        self.follow();
        self.twin = true;
        block.epoch = self.epoch;
        std::mem::swap(&mut self.output, &mut block.output);
        std::mem::swap(&mut self.tally, &mut block.tally);
        self.output.start(lines);
        self.tally.clear();
        self.carry = Carry::default();
        self.encoding = Encoding::Bytes;
        self.ahead.forget();
        block.consumed = self.lines(lines, 0);
        block.carry = std::mem::take(&mut self.carry);
        std::mem::swap(&mut self.output, &mut block.output);
        std::mem::swap(&mut self.tally, &mut block.tally);
    }

    /// Takes over a block that a twin has scanned; [`Filter::can_adopt`] must hold. Returns what can be written; `bytes` are what the twin was given. The block is left for reuse.
    pub(crate) fn adopt<'a>(&'a mut self, block: &mut Block, bytes: &'a [u8]) -> Clean<'a> {
        self.follow();
        self.tally.bytes_in(bytes.len());
        self.tally.adopt(&mut block.tally);
        self.carry = std::mem::take(&mut block.carry);
        std::mem::swap(&mut self.output, &mut block.output);
        self.take(&bytes[block.consumed..]);
        self.emit(bytes)
    }
}
