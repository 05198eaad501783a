//! Lets a twin of a filter scan a block of whole lines away from its stream, and takes the result
//! over. Does not know threads.

use super::{Carry, Clean, Encoding, Filter, Output, Tally};

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
        block.consumed = self.lines(lines);
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
