//! Looks at a text, a stretch of blocks at a time, and stops where something says that its line
//! matters. Does not know lines.

use std::ops::Range;

use super::{
    Prefilter,
    follow::{may_assign, may_match, sign, stands_for_another},
    line_end,
    masks::{BLOCK, LOOKAHEAD, Masks},
    survey::{List, STRETCH, Survey},
    triggers::Wanted,
};
use crate::{
    limits::JSON_DEPTH_MAX,
    rules::condition::is_word,
    scan::{Engine, assigned, keyblock},
    view::{self, envelope},
};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The line matters.
    Matters,
    /// It has escape sequences.
    Escapes,
}

/// Looks at a text, a stretch of blocks at a time.
pub struct Look<'a, 'b> {
    pub prefilter: &'a Prefilter,
    pub engine: &'a Engine,
    pub text: &'a [u8],
    buffers: &'b mut Buffers,
    /// Where the stretch begins that the buffers speak of, and where it ends.
    stretch: Range<usize>,
    /// The next one of its places, and how many there are.
    next: usize,
    held: usize,
    /// Up to where lines were read that assign nothing.
    cleared: usize,
}

/// What is reused from text to text.
#[derive(Default)]
pub struct Buffers {
    survey: Survey,
    /// The places of the stretch that were not turned down, each with its kind, in order, and room
    /// for all that there might be.
    places: Vec<Place>,
    scratch: assigned::Scratch,
    hits: Vec<assigned::Hit>,
    unescaped: view::Unescaped,
}

/// A place in a stretch and what stands there, as one number, so that places are quickly sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u32);

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Prefix,
    Trigger,
    Base64,
    Sign,
    Slash,
    Run,
}

pub const KINDS: [Kind; 6] = [Kind::Prefix, Kind::Trigger, Kind::Base64, Kind::Sign, Kind::Slash, Kind::Run];

impl Place {
    pub fn new(at: u16, kind: Kind) -> Place {
        Place(u32::from(at) << 3 | kind as u32)
    }

    pub fn at(self) -> usize {
        (self.0 >> 3) as usize
    }

    pub fn kind(self) -> Kind {
        KINDS[(self.0 & 7) as usize % KINDS.len()]
    }
}

impl<'a, 'b> Look<'a, 'b> {
    pub fn new(prefilter: &'a Prefilter, engine: &'a Engine, text: &'a [u8], buffers: &'b mut Buffers) -> Look<'a, 'b> {
        Look { prefilter, engine, text, buffers, stretch: 0..0, next: 0, held: 0, cleared: 0 }
    }

    /// The next place at or after `from`, and what stands there. Asked with growing `from`.
    pub fn next_place(&mut self, from: usize) -> Option<(usize, Kind)> {
        loop {
            while self.next < self.held && self.stretch.end > from {
                let place = self.buffers.places[self.next];
                self.next += 1;
                let at = self.stretch.start + place.at();
                if at >= from {
                    return Some((at, place.kind()));
                }
            }
            let start = if self.stretch.end > from { self.stretch.end } else { from - from % BLOCK };
            if start >= self.text.len() {
                return None;
            }
            self.fill(start);
        }
    }

    /// The first place at or after `from` that says that its line matters, or has escape sequences.
    pub fn first(&mut self, from: usize) -> Option<(usize, Why)> {
        let mut from = from;
        loop {
            let (at, kind) = self.next_place(from)?;
            let why = match kind {
                Kind::Prefix => self.prefix_matters(at).then_some(Why::Matters),
                Kind::Trigger => self.trigger_matters(at).then_some(Why::Matters),
                Kind::Base64 => view::decodes_to_text(self.text, at).then_some(Why::Matters),
                Kind::Sign => sign(self.text, at),
                Kind::Slash => Some(Why::Matters),
                Kind::Run => self.run_matters(at).then_some(Why::Matters),
            };
            if let Some(why) = why {
                return Some((at, why));
            }
            // Other kinds may stand at the same place.
            from = at;
        }
    }

    pub fn prefix_matters(&self, at: usize) -> bool {
        let mut matters = false;
        self.prefilter.prefixes.look_up(self.text, at, |place, token| {
            matters = matters || may_match(self.engine, self.text, place, token);
        });
        matters
    }

    pub fn trigger_matters(&mut self, at: usize) -> bool {
        let (mut matters, mut assigns) = (false, at < self.cleared);
        self.prefilter.triggers.look_up(self.text, at, |start, length, wanted| {
            matters = matters
                || match wanted {
                    Wanted::Token(token) => may_match(self.engine, self.text, start, token),
                    Wanted::KeyName(index) => {
                        assigns = assigns || may_assign(self.engine, self.text, start..start + length, index, false);
                        false
                    }
                    Wanted::KeyBlock => keyblock::may_begin(self.text, start),
                    Wanted::Record => envelope::may_be_partial(self.text, start),
                };
        });
        matters || assigns && at >= self.cleared && self.line_assigns(at)
    }

    /// Whether the line around `at` assigns a secret, or leaves something for the next. Only asked
    /// once of a line.
    pub fn line_assigns(&mut self, at: usize) -> bool {
        let Some(names) = self.engine.names() else { return false };
        let start = memchr::memrchr(b'\n', &self.text[..at]).map_or(0, |end| end + 1);
        let end = line_end(self.text, at);
        let line = &self.text[start..end];
        self.cleared = end;
        let Buffers { scratch, hits, unescaped, .. } = &mut *self.buffers;
        let engine = self.engine;
        let mut assigns = |text: &[u8]| {
            hits.clear();
            let none = assigned::Pending::default();
            let outcome = assigned::scan(text, true, false, none, names, engine, scratch, hits);
            !hits.is_empty() || outcome.pending != none
        };
        // The text of a container's record is read by itself, too: it says something to the next one.
        let record = envelope::parse(line).map_or(0..0, |record| record.payload);
        if assigns(line) || !record.is_empty() && assigns(&line[record.clone()]) {
            return true;
        }
        if memchr::memchr(b'\\', line).is_none() {
            return false;
        }
        [line, &line[record]].into_iter().filter(|text| !text.is_empty()).any(|text| {
            unescaped.start(text);
            (0..JSON_DEPTH_MAX).any(|_| unescaped.unescape() && assigns(unescaped.text()))
        })
    }

    /// Whether a rule without a literal may match in the run of word characters that begins at `at`.
    pub fn run_matters(&self, at: usize) -> bool {
        let length = self.text[at..].iter().take_while(|&&byte| is_word(byte)).count();
        self.prefilter.runs.iter().any(|run| {
            let after = self.text.get(at + length);
            length >= run.least && run.after.is_none_or(|byte| after.is_none_or(|&next| next == byte || next == b'\\'))
        })
    }

    /// Lists the places of the stretch that begins at `start`, a multiple of [`BLOCK`].
    pub fn fill(&mut self, start: usize) {
        let Prefilter { backend, prefixes, triggers, runs, .. } = self.prefilter;
        let text = self.text;
        let rest = &text[start..];
        let count = rest.len().div_ceil(BLOCK).min(STRETCH);
        // The masks of the block before the stretch, of its blocks, and of the block behind it.
        let mut masks = [Masks::default(); STRETCH + 2];
        let first = start.saturating_sub(BLOCK);
        let wanted = if start == 0 { 1..count + 2 } else { 0..count + 2 };
        let there = &text[first..];
        let whole = (there.len().saturating_sub(LOOKAHEAD) / BLOCK).min(wanted.len());
        let masks_there = &mut masks[wanted.clone()];
        if whole > 0 {
            backend.fill(there, &triggers.windows, &mut masks_there[..whole]);
        }
        for (number, mask) in masks_there.iter_mut().enumerate().skip(whole) {
            *mask = self.prefilter.at_end(there.get(number * BLOCK..).unwrap_or_default());
        }
        let Buffers { survey, places, .. } = &mut *self.buffers;
        backend.survey(&masks[0], &masks[1..count + 2], survey);
        places.resize(PLACES_MAX, Place(0));
        let mut held = 0;
        held = keep(&survey.words, Kind::Prefix, places, held, |at| prefixes.may_begin(rest, at));
        held = keep(&survey.windows, Kind::Trigger, places, held, |at| triggers.may_begin(rest, at));
        held = keep(&survey.base64, Kind::Base64, places, held, |at| {
            // Behind the end runs go on, and one may begin there.
            at < rest.len() && view::may_decode_to_text(&rest[at..])
        });
        held = keep(&survey.signs, Kind::Sign, places, held, |_| true);
        held = keep(&survey.slashes, Kind::Slash, places, held, |at| stands_for_another(rest, at));
        if !runs.is_empty() {
            held = keep(&survey.words, Kind::Run, places, held, |_| true);
        }
        places[..held].sort_unstable();
        self.held = held;
        self.next = 0;
        self.stretch = start..start + count * BLOCK;
    }
}

/// How many places a stretch may have, of all kinds together.
pub const PLACES_MAX: usize = KINDS.len() * STRETCH * BLOCK;

/// Adds those of a list's places that hold to `places`, of which `held` are taken. Returns how many
/// are then. There is no branch on whether one holds.
#[inline(always)]
pub fn keep(list: &List, kind: Kind, places: &mut [Place], held: usize, holds: impl Fn(usize) -> bool) -> usize {
    let mut held = held;
    for &at in list.as_slice() {
        if let Some(slot) = places.get_mut(held) {
            *slot = Place::new(at, kind);
        }
        held += usize::from(holds(usize::from(at)));
    }
    held
}

impl Prefilter {
    /// The masks of a block that the text's end cuts, or of one behind it: there, runs go on.
    pub fn at_end(&self, rest: &[u8]) -> Masks {
        let mut bytes = [0; BLOCK + LOOKAHEAD];
        let there = rest.len().min(bytes.len());
        bytes[..there].copy_from_slice(&rest[..there]);
        let mut masks = [Masks::default()];
        self.backend.fill(&bytes, &self.triggers.windows, &mut masks);
        let [mut mask] = masks;
        if there < BLOCK {
            let beyond = !0 << there;
            mask.token |= beyond;
            mask.base64 |= beyond;
            mask.window &= !beyond;
            mask.word_window &= !beyond;
        }
        mask
    }
}
