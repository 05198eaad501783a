//! Sees whether a masked line would pass, had it come so. Does not scan it.

use super::Settler;
use crate::{
    scan::{
        Engine,
        known::wrap,
        prefilter::LineBuffers,
        stretches::{Ahead, Stretch, Stretches},
    },
    view::utf16::Encoding,
};

/// What is reused to see whether masked lines would pass.
#[derive(Default)]
pub(super) struct Passing {
    buffers: LineBuffers,
    ahead: Ahead,
}

impl Settler {
    /// Whether the masked text is one line that would pass if it came so: then no further scan finds anything in it, and it says
    /// nothing to the next line.
    pub(super) fn passes(&mut self, engine: &Engine, raw: &[u8], encoding: Encoding) -> bool {
        let text = &self.masked.text;
        let is_line = |text: &[u8]| memchr::memchr(b'\n', text) == text.len().checked_sub(1);
        if encoding != Encoding::Bytes
            || !is_line(raw)
            || !is_line(text)
            || wrap::next_soft(raw, 0, engine.masker()).is_some()
        {
            return false;
        }
        let Passing { buffers, ahead } = &mut self.passing;
        ahead.forget();
        let first = Stretches::new(engine, &self.known, text, buffers, ahead.of_block(0)).next();
        matches!(first, Some(Stretch::Passed(passed)) if passed.as_bytes().len() == text.len())
    }
}
