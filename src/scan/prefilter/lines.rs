//! Goes through the lines of a block that matter: reads, in the lines that the looks name, the texts that can be read in
//! them. Does not know words.

use super::{
    Prefilter,
    follow::may_match,
    is_amid_a_word, line_end,
    look::{Buffers, Done, Look, Why},
    stripped::Stripped,
};
use crate::{
    scan::{Engine, known::Known, verify::Reading},
    view::{Views, envelope, utf16::Encoding},
};

/// The lines of a block that matter, in order. Each place is looked at once.
pub struct Lines<'a, 'b> {
    look: Look<'a, 'b>,
    known: &'a Known,
    reading: &'b mut Buffers,
    views: &'b mut Views,
    stripped: &'b mut Stripped,
}

/// What [`Lines`] reuses from block to block.
#[derive(Default)]
pub struct LineBuffers {
    lines: Buffers,
    reading: Buffers,
    views: Views,
    stripped: Stripped,
}

impl<'a, 'b> Lines<'a, 'b> {
    /// Starts at the block's first line.
    pub(super) fn new(
        prefilter: &'a Prefilter,
        engine: &'a Engine,
        known: &'a Known,
        block: &'a [u8],
        buffers: &'b mut LineBuffers,
    ) -> Lines<'a, 'b> {
        let LineBuffers { lines, reading, views, stripped } = buffers;
        stripped.start();
        Lines { look: Look::new(prefilter, engine, block, lines), known, reading, views, stripped }
    }

    /// The first line at or after `from` (a line start) that matters: its start, and its end (after
    /// its LF, or the block's end).
    pub fn next_from(&mut self, from: usize) -> Option<(usize, usize)> {
        let (prefilter, block) = (self.look.prefilter, self.look.text);
        if from >= block.len() {
            return None;
        }
        if prefilter.everything {
            return Some((from, line_end(block, from)));
        }
        // Up to here the texts that can be read in the line were looked at, and what is decoded in them.
        let (mut read, mut decoded) = (from, from);
        // Up to here words are looked for in one of these texts alone.
        let mut stripped = from;
        let mut place = from;
        loop {
            let (at, why) = self.look.first(place, Done { read, decoded, words: stripped })?;
            let start = memchr::memrchr(b'\n', &block[from..at]).map_or(from, |end| from + end + 1);
            let end = line_end(block, at);
            let mut says = Some(why);
            if why == Why::Reads {
                if let Some(end) = self.passes_stripped(start, at) {
                    place = end;
                    continue;
                }
                says = self.readings_say(start, end, false);
                if self.views.is_stripped() {
                    stripped = end;
                }
            }
            if says == Some(Why::Decodes) {
                says = self.readings_say(start, end, true);
                decoded = end;
            }
            if says == Some(Why::Matters) {
                return Some((start, end));
            }
            (place, read) = (at, end);
        }
    }

    /// Up to where there is nothing in the line without its escapes, one of which may stand at `at`, and in lines behind it.
    fn passes_stripped(&mut self, start: usize, at: usize) -> Option<usize> {
        let (prefilter, engine, block) = (self.look.prefilter, self.look.engine, self.look.text);
        let Lines { reading, known, stripped, .. } = self;
        stripped.passes(block, start, at, |lines| lines.look((prefilter, engine), known, reading))
    }

    /// What the texts say that can be read in a line, besides the line itself: that one of them matters, or that
    /// one of them, unless that was done, is to be decoded.
    fn readings_say(&mut self, start: usize, end: usize, is_decoded: bool) -> Option<Why> {
        let (prefilter, engine, block) = (self.look.prefilter, self.look.engine, self.look.text);
        let line = &block[start..end];
        self.views.start(line, std::slice::from_ref(&(0..line.len())), Encoding::Bytes, false, is_decoded);
        let Lines { reading, views, known, .. } = self;
        let record = envelope::parse(line);
        let docker = record.as_ref().is_some_and(|record| record.format == envelope::Format::Docker);
        let primary = views.primary(docker);
        let mut decodes = None;
        for index in views.searched().filter(|&index| index > 0) {
            let text = views.text(index);
            if text.is_empty() {
                continue;
            }
            reading.gaps.clear();
            views.gap_places(index, &mut reading.gaps);
            reading.gaps.sort_unstable();
            let mut matters = known.first_in(text, 0).is_some();
            let view = Reading::of_view(views, index);
            let Buffers { gaps, ahead, tried, .. } = &mut *reading;
            ahead.clear();
            tried.start();
            let escaped = memchr::memchr(b'\\', text).is_some();
            for &at in gaps.iter().filter(|at| is_amid_a_word(text, **at)) {
                prefilter.places_at(text, at, |place, token| {
                    matters = matters
                        || may_match(engine, text, place, token, gaps, ahead)
                            && (escaped || engine.tokens().is_hit(engine, view, place, token, tried));
                });
            }
            let said = match &record {
                Some(record) if index == primary => {
                    views.place_in(index, record.payload.start)..views.place_in(index, record.payload.end)
                }
                _ => 0..0,
            };
            let says = match matters {
                true => Some(Why::Matters),
                false => {
                    Look::new(prefilter, engine, text, reading).of_view(view).derived_says(escaped, said, is_decoded)
                }
            };
            match says {
                Some(Why::Matters) => return says,
                Some(_) => decodes = says,
                None => {}
            }
        }
        decodes
    }
}
