//! Finds the few lines, and the few places in them, that are worth a closer look. **It has no
//! false negatives**: a line that it passes over has no hit in any view, and leaves no carry.
//!
//! One pass turns the bytes into bit masks (`masks`, `simd`). A line matters if it holds
//! 1. a literal of a token rule where a long run of token characters begins at the start of a word
//!    (`prefixes`), or a literal or key name of the few kinds that need no such run (`triggers`), and
//!    what follows it does not deny the match, or
//! 2. a sign that another text can be read in it: an escape sequence, a percent code, a character
//!    reference, a backslash that stands for another character than a blank or a quote, or
//! 3. a run of base64 or hexadecimal digits that decodes to text, or
//! 4. the beginning of a container's partial record.
//!
//! Backslashes before a quote, `n`, `r` or `t` are in each line of JSON, so they are no sign: the
//! letter behind a backslash counts both as a letter and as the end of a word, and whoever looks at
//! what follows a literal gives up at a backslash. So the raw text says at least what the unescaped
//! one would. Nor are the colours of terminals a sign by themselves: the text without them is
//! looked at in their place.
//!
//! A condition that is *not* allowed here: "lines with fewer than eight letters and digits in a
//! row have no secret". It holds for tokens, but `password=a.b-c!` is one of its false negatives.
//!
//! A rule without a literal has its line found by the run of letters and digits it begins with. A
//! rule without that, either, makes every line matter; `rules check` names it.

mod masks;
mod prefixes;
mod simd;
mod survey;
mod triggers;

use std::ops::Range;

use self::{
    masks::{BLOCK, LOOKAHEAD, Masks},
    prefixes::{PREFIX_BYTES_MIN, Prefixes},
    simd::Backend,
    survey::{List, STRETCH, Survey},
    triggers::{Triggers, Wanted},
};
use super::{Engine, assigned, keyblock, tokens::Token};
use crate::{
    limits::JSON_DEPTH_MAX,
    rules::{
        Rule,
        condition::{Needle, Run, is_word},
    },
    view::{self, envelope},
};

/// What the runtime of a container writes into partial records.
const RECORDS: &[&[u8]] = &[b"{\"log\":", b" stdout p", b" stderr p"];
/// The least run of token characters from the start of a word on that makes its literal a prefix.
const RUN_MIN: usize = 8;

/// Finds lines and places.
#[derive(Debug)]
pub struct Prefilter {
    backend: Backend,
    prefixes: Prefixes,
    triggers: Triggers,
    /// The runs that stand in for literals.
    runs: Vec<Run>,
    /// Whether some rule has neither literal nor run, so that every line matters.
    everything: bool,
    /// Whether nothing is looked for at all: then no line matters.
    nothing: bool,
}

impl Prefilter {
    /// Builds the tables over the literals of `tokens` and the other detectors' words.
    pub fn new(tokens: &[Token], names: &[assigned::Trigger], key_block: &[&str], everything: bool) -> Prefilter {
        let mut prefixes = Vec::new();
        let mut words: Vec<(Literal<'_>, Wanted, bool)> = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            let Some(needle) = token.pattern.needle() else { continue };
            let sure = sure_runs(needle);
            let mut parts: Vec<(Literal<'_>, Option<usize>)> = Vec::with_capacity(needle.literals.len());
            for literal in &needle.literals {
                let literal = plain_part(literal, needle);
                parts.push((literal, word_of(&literal, needle, &sure)));
            }
            let rest = parts.iter().filter(|(_, word)| word.is_none()).map(|(literal, _)| *literal);
            let begins = |literal: &Literal<'_>| begins_word(literal, 0, needle);
            let wanted = Wanted::Token(index as u16);
            words.extend(merged(rest.collect()).into_iter().map(|literal| (literal, wanted, begins(&literal))));
            let known = parts.into_iter().filter_map(|(literal, word)| {
                let behind = needle.set_at(literal.skipped + literal.text.len());
                Some((literal, word?, index as u16, behind))
            });
            prefixes.extend(known);
        }
        let whole = |text| Literal { text, skipped: 0 };
        let names = names.iter().enumerate();
        words.extend(
            names.map(|(index, name)| (whole(name.text.as_bytes()), Wanted::KeyName(index as u16), name.begins)),
        );
        words.extend(key_block.iter().map(|word| (whole(word.as_bytes()), Wanted::KeyBlock, true)));
        let runs: Vec<Run> = tokens.iter().filter_map(|token| token.pattern.run()).collect();
        let helpless = |token: &Token| token.pattern.needle().is_none() && token.pattern.run().is_none();
        let everything = everything || tokens.iter().any(helpless);
        let nothing = prefixes.is_empty() && words.is_empty() && runs.is_empty() && !everything;
        if !nothing {
            words.extend(RECORDS.iter().map(|record| (whole(record), Wanted::Record, false)));
        }
        Prefilter {
            backend: Backend::detect(),
            prefixes: Prefixes::new(prefixes.into_iter()),
            triggers: Triggers::new(words.into_iter()),
            runs,
            everything,
            nothing,
        }
    }

    /// Goes through the lines of `block` that matter.
    pub fn lines<'a, 'b>(&'a self, engine: &'a Engine, block: &'a [u8], buffers: &'b mut LineBuffers) -> Lines<'a, 'b> {
        let LineBuffers { lines, bare, stripped } = buffers;
        Lines { look: Look::new(self, engine, block, lines), bare, stripped }
    }

    /// Looks up one text that is not escaped: calls `token` with the place of each literal, and says
    /// which other detectors have a word in it. `open` says that more bytes may follow; `gaps` are
    /// places where a word may begin although a letter stands before it.
    pub fn places(
        &self,
        engine: &Engine,
        text: &[u8],
        open: bool,
        gaps: impl Iterator<Item = usize>,
        buffers: &mut Buffers,
        mut token: impl FnMut(usize, u16),
    ) -> Found {
        let mut found = Found::default();
        for at in gaps {
            self.places_at(text, at, &mut token);
        }
        let mut look = Look::new(self, engine, text, buffers);
        let mut from = 0;
        while let Some((at, kind)) = look.next_place(from) {
            from = at;
            match kind {
                Kind::Prefix => self.prefixes.look_up(text, at, &mut token),
                Kind::Trigger => self.triggers.look_up(text, at, |start, length, wanted| match wanted {
                    Wanted::Token(index) => token(start, index),
                    Wanted::KeyName(index) => {
                        found.key_name |= may_assign(engine, text, start..start + length, index, open);
                    }
                    Wanted::KeyBlock => found.key_block |= open || keyblock::may_begin(text, start),
                    Wanted::Record => {}
                }),
                Kind::Base64 | Kind::Sign | Kind::Slash | Kind::Run => {}
            }
        }
        found
    }

    /// Calls `token` with the place of each literal that begins at `text[at..]`, if it only counts
    /// where a word begins.
    pub fn places_at(&self, text: &[u8], at: usize, mut token: impl FnMut(usize, u16)) {
        if self.prefixes.may_begin(text, at) {
            self.prefixes.look_up(text, at, &mut token);
        }
        if self.triggers.may_begin(text, at) {
            self.triggers.look_up(text, at, |start, _, wanted| {
                if let Wanted::Token(index) = wanted {
                    token(start, index);
                }
            });
        }
    }
}

/// Which other detectors have a word in a text.
#[derive(Debug, Default, Clone, Copy)]
pub struct Found {
    /// The assigned-secret detector.
    pub key_name: bool,
    /// The key-block detector.
    pub key_block: bool,
}

/// The lines of a block that matter, in order. Each place is looked at once.
pub struct Lines<'a, 'b> {
    look: Look<'a, 'b>,
    bare: &'b mut Buffers,
    stripped: &'b mut view::Stripped,
}

/// What [`Lines`] reuses from block to block.
#[derive(Default)]
pub struct LineBuffers {
    lines: Buffers,
    bare: Buffers,
    stripped: view::Stripped,
}

impl Lines<'_, '_> {
    /// The first line at or after `from` (a line start) that matters: its start, and its end (after
    /// its LF, or the block's end).
    pub fn next_from(&mut self, from: usize) -> Option<(usize, usize)> {
        let (prefilter, block) = (self.look.prefilter, self.look.text);
        if prefilter.nothing || from >= block.len() {
            return None;
        }
        if prefilter.everything {
            return Some((from, line_end(block, from)));
        }
        let mut from = from;
        loop {
            let (at, why) = self.look.first(from)?;
            let start = memchr::memrchr(b'\n', &block[from..at]).map_or(from, |end| from + end + 1);
            let end = line_end(block, at);
            if why == Why::Matters || self.matters_bare(start, end) {
                return Some((start, end));
            }
            from = end;
            if from >= block.len() {
                return None;
            }
        }
    }

    /// Whether a line matters when its escape sequences are taken off.
    fn matters_bare(&mut self, start: usize, end: usize) -> bool {
        let (prefilter, engine, text) = (self.look.prefilter, self.look.engine, self.look.text);
        self.stripped.strip(&text[start..end]);
        let bare = self.stripped.text();
        let matters = |at: usize| {
            let mut found = false;
            prefilter.places_at(bare, at, |place, token| found |= may_match(engine, bare, place, token));
            found
        };
        self.stripped.gaps().any(matters) || Look::new(prefilter, engine, bare, self.bare).first(0).is_some()
    }
}

fn line_end(block: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |end| at + end + 1)
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The line matters.
    Matters,
    /// It has escape sequences.
    Escapes,
}

/// Looks at a text, a stretch of blocks at a time.
struct Look<'a, 'b> {
    prefilter: &'a Prefilter,
    engine: &'a Engine,
    text: &'a [u8],
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
struct Place(u32);

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Prefix,
    Trigger,
    Base64,
    Sign,
    Slash,
    Run,
}

const KINDS: [Kind; 6] = [Kind::Prefix, Kind::Trigger, Kind::Base64, Kind::Sign, Kind::Slash, Kind::Run];

impl Place {
    fn new(at: u16, kind: Kind) -> Place {
        Place(u32::from(at) << 3 | kind as u32)
    }

    fn at(self) -> usize {
        (self.0 >> 3) as usize
    }

    fn kind(self) -> Kind {
        KINDS[(self.0 & 7) as usize % KINDS.len()]
    }
}

impl<'a, 'b> Look<'a, 'b> {
    fn new(prefilter: &'a Prefilter, engine: &'a Engine, text: &'a [u8], buffers: &'b mut Buffers) -> Look<'a, 'b> {
        Look { prefilter, engine, text, buffers, stretch: 0..0, next: 0, held: 0, cleared: 0 }
    }

    /// The next place at or after `from`, and what stands there. Asked with growing `from`.
    fn next_place(&mut self, from: usize) -> Option<(usize, Kind)> {
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
    fn first(&mut self, from: usize) -> Option<(usize, Why)> {
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

    fn prefix_matters(&self, at: usize) -> bool {
        let mut matters = false;
        self.prefilter.prefixes.look_up(self.text, at, |place, token| {
            matters = matters || may_match(self.engine, self.text, place, token);
        });
        matters
    }

    fn trigger_matters(&mut self, at: usize) -> bool {
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
    fn line_assigns(&mut self, at: usize) -> bool {
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
    fn run_matters(&self, at: usize) -> bool {
        let length = self.text[at..].iter().take_while(|&&byte| is_word(byte)).count();
        self.prefilter.runs.iter().any(|run| {
            let after = self.text.get(at + length);
            length >= run.least && run.after.is_none_or(|byte| after.is_none_or(|&next| next == byte || next == b'\\'))
        })
    }

    /// Lists the places of the stretch that begins at `start`, a multiple of [`BLOCK`].
    fn fill(&mut self, start: usize) {
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
const PLACES_MAX: usize = KINDS.len() * STRETCH * BLOCK;

/// Adds those of a list's places that hold to `places`, of which `held` are taken. Returns how many
/// are then. There is no branch on whether one holds.
#[inline(always)]
fn keep(list: &List, kind: Kind, places: &mut [Place], held: usize, holds: impl Fn(usize) -> bool) -> usize {
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
    fn at_end(&self, rest: &[u8]) -> Masks {
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

/// Whether the token whose literal stands at `place` may match there.
fn may_match(engine: &Engine, text: &[u8], place: usize, token: u16) -> bool {
    let Some(token) = engine.tokens().tokens().get(usize::from(token)) else { return false };
    let Some(needle) = token.pattern.needle() else { return false };
    needle.may_go_on(text, place)
        && may_begin(text, place, needle)
        && has_context(text, place, &engine.rules().rules()[usize::from(token.rule)])
}

/// Whether the key name at `place` may be assigned a value.
fn may_assign(engine: &Engine, text: &[u8], place: Range<usize>, trigger: u16, open: bool) -> bool {
    let trigger = engine.names().and_then(|names| names.triggers().get(usize::from(trigger)));
    trigger.is_some_and(|trigger| assigned::may_assign(trigger, text, place.start, place.end, open))
}

/// Whether a token may begin at one of the places that its literal at `place` allows.
fn may_begin(text: &[u8], place: usize, needle: &Needle) -> bool {
    let (least, most) = needle.before;
    let inside = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let escaped = |at: usize| at > 0 && text[at - 1] == b'\\';
    let begins = |start: usize| start == 0 || !inside(start) || !inside(start - 1) || escaped(start - 1);
    // Escapes may stand between the beginning and the literal, which makes the distance longer.
    let near = &text[place.saturating_sub(2 * most)..place];
    most > 0 && near.contains(&b'\\') || place >= least && (place.saturating_sub(most)..=place - least).any(begins)
}

/// Whether a word that the rule wants stands before its literal, as far as an escaped line can tell.
fn has_context(text: &[u8], place: usize, rule: &Rule) -> bool {
    if rule.context.is_empty() {
        return true;
    }
    let from = place.saturating_sub(CONTEXT_BYTES_MAX);
    let line = memchr::memrchr(b'\n', &text[from..place]).map_or(from, |end| from + end + 1);
    let before = &text[line..place];
    rule.context.iter().any(|word| before.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes())))
}

/// How far before its literal a rule's context may stand in a text that is still escaped (bytes).
const CONTEXT_BYTES_MAX: usize = 4 * crate::limits::CONTEXT_BYTES_MAX;

/// What a byte that may begin an escape or a code is.
fn sign(text: &[u8], at: usize) -> Option<Why> {
    match text[at] {
        0x1b => Some(Why::Escapes),
        b'%' => {
            let hex = |at: usize| text.get(at).is_some_and(u8::is_ascii_hexdigit);
            (hex(at + 1) && hex(at + 2)).then_some(Why::Matters)
        }
        b'&' => view::is_reference(&text[at..]).then_some(Why::Matters),
        0xc2 => text.get(at + 1).is_some_and(|second| (0x80..=0x9f).contains(second)).then_some(Why::Escapes),
        _ => (at == 0 || text[at - 1].is_ascii()).then_some(Why::Escapes),
    }
}

/// Whether a backslash begins an escape for another character than a blank or a quote.
fn stands_for_another(text: &[u8], at: usize) -> bool {
    matches!(text.get(at + 1), Some(b'u' | b'x' | b'0' | b'e' | b'/'))
}

/// A literal, or the part of it that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Literal<'a> {
    /// Lower-case.
    text: &'a [u8],
    /// How many bytes of the literal stand before the part.
    skipped: usize,
}

/// The longest part of a literal in which no quote or blank may be written as an escape.
fn plain_part<'a>(literal: &'a [u8], needle: &Needle) -> Literal<'a> {
    let blank = |at: usize| needle.literals.iter().any(|other| other.get(at) == Some(&b'\t'));
    let escaped = |at: &usize| matches!(literal[*at], b'"' | b'\'' | b'\\' | b'\t' | b'\n' | b'\r') || blank(*at);
    let ends = (0..literal.len()).filter(escaped).chain([literal.len()]);
    let mut from = 0;
    let mut best = 0..0;
    for end in ends {
        if end - from > best.len() {
            best = from..end;
        }
        from = end + 1;
    }
    if best.len() < PREFIX_BYTES_MIN {
        best = 0..literal.len();
    }
    Literal { text: &literal[best.clone()], skipped: best.start }
}

/// Literals that differ only in their last byte, in most of the ways they may, as one that is
/// shorter by it: so many would fill the tables, and say little more.
fn merged(literals: Vec<Literal<'_>>) -> Vec<Literal<'_>> {
    fn stem<'a>(literal: &Literal<'a>) -> (Option<&'a [u8]>, usize) {
        (literal.text.split_last().map(|(_, stem)| stem), literal.skipped)
    }
    let mut list: Vec<Literal<'_>> = Vec::with_capacity(literals.len());
    for literal in &literals {
        let alike = literals.iter().filter(|other| stem(other) == stem(literal)).count();
        let short = literal.text.len() > PREFIX_BYTES_MIN + 1 && alike >= VARIANTS_MAX;
        let kept = literal.text.len() - usize::from(short);
        let literal = Literal { text: &literal.text[..kept], ..*literal };
        if !list.contains(&literal) {
            list.push(literal);
        }
    }
    list
}

/// How many literals may differ in their last byte alone.
const VARIANTS_MAX: usize = 4;

/// Where in a literal the word begins whose run of token bytes is long enough, if there is one.
/// `sure` is how many bytes of a match are such bytes, without one that is not, from each of its places on.
fn word_of(literal: &Literal<'_>, needle: &Needle, sure: &[usize]) -> Option<usize> {
    let text = literal.text;
    let behind = sure.get(literal.skipped + text.len()).copied().unwrap_or(0);
    let run = |at: usize| {
        let own = text[at..].iter().take_while(|&&byte| masks::is_token(byte)).count();
        if at + own == text.len() { own + behind } else { own }
    };
    let long = |at: &usize| text.len() - at >= PREFIX_BYTES_MIN && run(*at) >= RUN_MIN;
    (0..text.len()).filter(|&at| begins_word(literal, at, needle)).find(long)
}

/// From each place of a match on, how many bytes in a row are token bytes in every match.
fn sure_runs(needle: &Needle) -> Vec<usize> {
    let mut runs: Vec<usize> = Vec::new();
    for step in needle.steps.iter().rev() {
        let token = step.set.is_within(&masks::TOKEN_BYTES);
        for _ in 0..step.count {
            runs.push(if token { runs.last().copied().unwrap_or(0) + 1 } else { 0 });
        }
    }
    runs.reverse();
    runs
}

/// Whether a word begins at a place of a literal wherever a match can be.
fn begins_word(literal: &Literal<'_>, at: usize, needle: &Needle) -> bool {
    let letter = |at: usize| literal.text[at].is_ascii_alphanumeric();
    let first = at == 0 && (literal.skipped > 0 || needle.before == (0, 0));
    letter(at) && (first || at > 0 && !letter(at - 1))
}

/// The condition under which a rule is looked at, in words, for `rules check`.
pub fn condition(rule: &Rule) -> String {
    use crate::rules::Detector;
    match rule.detector {
        Detector::Assigned => format!("one of {} key names", rule.names.len()),
        Detector::Entropy => "every token, if `--entropy all` is given".to_owned(),
        Detector::Ceiling => "a value that is longer than any bound".to_owned(),
        Detector::KeyBlock => "the BEGIN line of a private key, or the first bytes of its body".to_owned(),
        Detector::Token => match &rule.condition.needle {
            None => match rule.condition.run {
                Some(run) => format!("a run of {} letters and digits", run.least),
                None => "none: every line is looked at".to_owned(),
            },
            Some(needle) => {
                let words: Vec<String> =
                    needle.literals.iter().map(|word| format!("{:?}", String::from_utf8_lossy(word))).collect();
                let place = if needle.before.1 == 0 { "at the start" } else { "inside" };
                format!("{} {place}", words.join(" or "))
            }
        },
    }
}
