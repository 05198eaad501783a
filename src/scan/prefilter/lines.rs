//! Goes through the lines of a block that matter: reads, in the lines that the looks name, the texts that can be read in
//! them. Does not know words.

use std::ops::Range;

use super::{
    Prefilter,
    follow::may_match,
    is_amid_a_word, line_end,
    look::{Buffers, Done, Look, Why},
    stripped::Stripped,
    words::Wanted,
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
    texts: &'b mut Texts,
    stripped: &'b mut Stripped,
}

/// What [`Lines`] reuses from block to block.
#[derive(Default)]
pub struct LineBuffers {
    lines: Buffers,
    reading: Buffers,
    texts: Texts,
    stripped: Stripped,
}

/// The texts that can be read in a line.
#[derive(Default)]
struct Texts {
    views: Views,
    /// The line's bytes in the block.
    line: Range<usize>,
    /// Whether runs of digits were decoded.
    decoded: bool,
    /// The view that says something to the next line, and the part of it that does, if the line is a container's record.
    record: Option<(usize, Range<usize>)>,
}

impl Texts {
    /// Reads a line of a block, unless it was the last one that was read.
    fn read(&mut self, block: &[u8], line: Range<usize>, decoded: bool) {
        if self.line == line && self.decoded == decoded {
            return;
        }
        let text = &block[line.clone()];
        let whole = 0..text.len();
        self.views.start(text, std::slice::from_ref(&whole), Encoding::Bytes, false, decoded);
        let record = envelope::parse(text);
        self.record = record.map(|record| {
            let index = self.views.primary(record.format == envelope::Format::Docker);
            let place = |at| self.views.place_in(index, at);
            (index, place(record.payload.start)..place(record.payload.end))
        });
        (self.line, self.decoded) = (line, decoded);
    }

    /// The views besides the line itself: their indices and texts, and of each the part that says something to the next line.
    fn others(&self) -> impl Iterator<Item = (usize, &[u8], Range<usize>)> {
        let others = self.views.searched().filter(|&index| index > 0 && !self.views.text(index).is_empty());
        others.map(|index| {
            let said = self.record.as_ref().filter(|(view, _)| *view == index).map(|(_, said)| said.clone());
            (index, self.views.text(index), said.unwrap_or_default())
        })
    }
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
        let LineBuffers { lines, reading, texts, stripped } = buffers;
        stripped.start();
        texts.line = 0..0;
        Lines { look: Look::new(prefilter, engine, block, lines), known, reading, texts, stripped }
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
                says = self.readings_say(start..end, false);
                if self.texts.views.is_stripped() {
                    stripped = end;
                }
            }
            if says == Some(Why::Decodes) {
                says = self.readings_say(start..end, true);
                decoded = end;
            }
            if why == Why::Assigns {
                says = self.keys_matter(start..end, at).then_some(Why::Matters);
            } else {
                read = end;
            }
            if says == Some(Why::Matters) {
                return Some((start, end));
            }
            place = at;
        }
    }

    /// Up to where there is nothing in the line without its escapes, one of which may stand at `at`, and in lines behind it.
    fn passes_stripped(&mut self, start: usize, at: usize) -> Option<usize> {
        let (prefilter, engine, block) = (self.look.prefilter, self.look.engine, self.look.text);
        let Lines { reading, known, stripped, .. } = self;
        stripped.passes(block, start, at, |lines| lines.look((prefilter, engine), known, reading))
    }

    /// Whether a key that has a trigger at `at` is assigned a secret in one of the texts that can be read in its line, besides the
    /// line itself.
    fn keys_matter(&mut self, line: Range<usize>, at: usize) -> bool {
        let (prefilter, engine, block) = (self.look.prefilter, self.look.engine, self.look.text);
        let start = line.start;
        self.texts.read(block, line, false);
        let Lines { reading, texts, .. } = self;
        let mut matters = false;
        prefilter.words.look_up(block, at, |place, length, wanted| {
            let Wanted::KeyName(trigger) = wanted else { return };
            matters = matters
                || texts.others().any(|(index, text, said)| {
                    let from = texts.views.place_in(index, place - start);
                    let there = from..from + length;
                    // Its first letter may be that of an escape.
                    text.get(there.clone()) == Some(&block[place..place + length])
                        && Look::new(prefilter, engine, text, reading).derived(said).key_matters(there, trigger)
                });
        });
        matters
    }

    /// What the texts say that can be read in a line, besides the line itself: that one of them matters, or that
    /// one of them, unless that was done, is to be decoded.
    fn readings_say(&mut self, line: Range<usize>, is_decoded: bool) -> Option<Why> {
        let (prefilter, engine, block) = (self.look.prefilter, self.look.engine, self.look.text);
        self.texts.read(block, line, is_decoded);
        let Lines { reading, texts, known, .. } = self;
        let views = &texts.views;
        let mut decodes = None;
        for (index, text, said) in texts.others() {
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
            let says = match matters {
                true => Some(Why::Matters),
                false => {
                    Look::new(prefilter, engine, text, reading).of_view(view).derived(said).says(escaped, is_decoded)
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
