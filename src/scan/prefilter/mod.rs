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
mod triggers;

use std::ops::Range;

use self::{
    masks::{BLOCK, LOOKAHEAD, Masks},
    prefixes::{PREFIX_BYTES_MIN, Prefixes},
    simd::Backend,
    triggers::{Triggers, Wanted},
};
use super::{Engine, assigned, keyblock, tokens::Token};
use crate::{
    rules::{
        Rule,
        condition::{ByteSet, Needle, Run, is_word},
    },
    view::{self, envelope},
};

/// What the runtime of a container writes into partial records.
const RECORDS: &[&[u8]] = &[b"{\"log\":", b" stdout p", b" stderr p"];
/// The least run of token characters from the start of a word on that makes its literal a prefix.
const RUN_MIN: usize = 8;
/// How many blocks are turned into masks at a time: 1 KiB, so that the masks stay near.
const STRETCH: usize = 16;

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
            let mut parts: Vec<(Literal<'_>, Option<usize>)> = Vec::with_capacity(needle.literals.len());
            for literal in &needle.literals {
                let literal = plain_part(literal, needle);
                parts.push((literal, word_of(&literal, needle)));
            }
            let rest = parts.iter().filter(|(_, word)| word.is_none()).map(|(literal, _)| *literal);
            let begins = |literal: &Literal<'_>| begins_word(literal, 0, needle);
            let wanted = Wanted::Token(index as u16);
            words.extend(merged(rest.collect()).into_iter().map(|literal| (literal, wanted, begins(&literal))));
            let known = parts.into_iter().filter_map(|(literal, word)| Some((literal, word?, index as u16)));
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
    pub fn lines<'a>(&'a self, engine: &'a Engine, block: &'a [u8]) -> Lines<'a> {
        Lines { look: Look::new(self, engine, block), bare: view::Stripped::default() }
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
        mut token: impl FnMut(usize, u16),
    ) -> Found {
        let mut found = Found::default();
        let mut look = Look::new(self, engine, text);
        for at in gaps {
            self.prefixes.look_up(text, at, &mut token);
        }
        let mut block = 0;
        while let Some(events) = look.events(block) {
            for at in bits(events.prefix).map(|bit| block * BLOCK + bit) {
                if self.prefixes.may_begin(text, at) {
                    self.prefixes.look_up(text, at, &mut token);
                }
            }
            for at in bits(events.window).map(|bit| block * BLOCK + bit) {
                self.triggers.look_up(text, at, |start, length, wanted| match wanted {
                    Wanted::Token(index) => token(start, index),
                    Wanted::KeyName(index) => {
                        found.key_name |= may_assign(engine, text, start..start + length, index, open);
                    }
                    Wanted::KeyBlock => found.key_block |= open || keyblock::may_begin(text, start),
                    Wanted::Record => {}
                });
            }
            block += 1;
        }
        found
    }

    /// Calls `token` with the place of each literal of a prefix that begins at `text[at..]`.
    pub fn places_at(&self, text: &[u8], at: usize, token: impl FnMut(usize, u16)) {
        if self.prefixes.may_begin(text, at) {
            self.prefixes.look_up(text, at, token);
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
pub struct Lines<'a> {
    look: Look<'a>,
    bare: view::Stripped,
}

impl Lines<'_> {
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
        self.bare.strip(&text[start..end]);
        let bare = self.bare.text();
        let matters = |at: usize| {
            let mut found = false;
            prefilter.prefixes.look_up(bare, at, |place, token| found |= may_match(engine, bare, place, token));
            found
        };
        self.bare.gaps().any(matters) || Look::new(prefilter, engine, bare).first(0).is_some()
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

/// Looks at a text block by block.
struct Look<'a> {
    prefilter: &'a Prefilter,
    engine: &'a Engine,
    text: &'a [u8],
    /// The masks of the blocks from `first_block` on, and of one more.
    masks: [Masks; STRETCH + 1],
    first_block: usize,
    filled: usize,
    /// What the block before `first_block` says about it.
    before: Masks,
    /// Up to where lines were read that assign nothing.
    cleared: usize,
    assigned: Assigned,
}

/// What is reused from line to line.
#[derive(Default)]
struct Assigned {
    scratch: assigned::Scratch,
    hits: Vec<assigned::Hit>,
}

/// Where something in a block is to be looked at.
#[derive(Debug, Clone, Copy)]
struct Events {
    prefix: u64,
    base64: u64,
    sign: u64,
    slash: u64,
    window: u64,
    run: u64,
}

impl<'a> Look<'a> {
    fn new(prefilter: &'a Prefilter, engine: &'a Engine, text: &'a [u8]) -> Look<'a> {
        let masks = [Masks::default(); STRETCH + 1];
        Look {
            prefilter,
            engine,
            text,
            masks,
            first_block: 0,
            filled: 0,
            before: Masks::default(),
            cleared: 0,
            assigned: Assigned::default(),
        }
    }

    /// The first place at or after `from` that says that its line matters, or has escape sequences.
    fn first(&mut self, from: usize) -> Option<(usize, Why)> {
        let mut block = from / BLOCK;
        let mut keep = !0 << (from % BLOCK);
        while let Some(events) = self.events(block) {
            if let Some(found) = self.look_at(block, &events, keep) {
                return Some(found);
            }
            keep = !0;
            block += 1;
        }
        None
    }

    /// The first place of a block that matters, of those that `keep` leaves.
    fn look_at(&mut self, block: usize, events: &Events, mut keep: u64) -> Option<(usize, Why)> {
        let start = block * BLOCK;
        let mut found = None;
        // What lies behind the first place found needs not be looked at.
        let mut take = |bit: usize, why: Why| {
            found = Some((start + bit, why));
            (1u64 << bit) - 1
        };
        for bit in bits(events.sign & keep) {
            if let Some(why) = sign(self.text, start + bit) {
                keep &= take(bit, why);
                break;
            }
        }
        for bit in bits(events.slash & keep) {
            if stands_for_another(self.text, start + bit) {
                keep &= take(bit, Why::Matters);
                break;
            }
        }
        for bit in bits(events.prefix & keep) {
            if self.prefix_matters(start + bit) {
                keep &= take(bit, Why::Matters);
                break;
            }
        }
        for bit in bits(events.window & keep) {
            if self.trigger_matters(start + bit) {
                keep &= take(bit, Why::Matters);
                break;
            }
        }
        for bit in bits(events.base64 & keep) {
            if view::decodes_to_text(self.text, start + bit) {
                keep &= take(bit, Why::Matters);
                break;
            }
        }
        for bit in bits(events.run & keep) {
            if self.run_matters(start + bit) {
                take(bit, Why::Matters);
                break;
            }
        }
        found
    }

    fn prefix_matters(&self, at: usize) -> bool {
        let prefixes = &self.prefilter.prefixes;
        let mut matters = false;
        if prefixes.may_begin(self.text, at) {
            prefixes.look_up(self.text, at, |place, token| {
                matters = matters || may_match(self.engine, self.text, place, token);
            });
        }
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
        // What is escaped is read by those who unescape.
        if memchr::memchr(b'\\', line).is_some() {
            return true;
        }
        self.cleared = end;
        let Assigned { scratch, hits } = &mut self.assigned;
        hits.clear();
        let none = assigned::Pending::default();
        let outcome = assigned::scan(line, true, false, none, names, self.engine, scratch, hits);
        !hits.is_empty() || outcome.pending != none
    }

    /// Whether a rule without a literal may match in the run of word characters that begins at `at`.
    fn run_matters(&self, at: usize) -> bool {
        let length = self.text[at..].iter().take_while(|&&byte| is_word(byte)).count();
        self.prefilter.runs.iter().any(|run| {
            let after = self.text.get(at + length);
            length >= run.least && run.after.is_none_or(|byte| after.is_none_or(|&next| next == byte || next == b'\\'))
        })
    }

    /// What is to be looked at in a block; `None` beyond the text.
    fn events(&mut self, block: usize) -> Option<Events> {
        if block * BLOCK >= self.text.len() {
            return None;
        }
        if block < self.first_block || block >= self.first_block + self.filled {
            self.fill(block);
        }
        let at = block - self.first_block;
        let before = if at == 0 { self.before } else { self.masks[at - 1] };
        let (here, after) = (self.masks[at], self.masks[at + 1]);
        let escaped = here.slash << 2 | before.slash >> (BLOCK - 2);
        let begins = |mask: u64, before: u64| mask & (!(mask << 1 | before >> (BLOCK - 1)) | escaped);
        let long = |mask: u64, after: u64| {
            let mut run = u128::from(mask) | u128::from(after) << BLOCK;
            run &= run >> 1;
            run &= run >> 2;
            let four = run;
            run &= run >> 4;
            let eight = run;
            run &= run >> 8;
            (eight as u64, (run & four >> 16) as u64)
        };
        let (token_run, _) = long(here.token, after.token);
        let (_, base64_run) = long(here.base64, after.base64);
        let words = begins(here.word, before.word);
        Some(Events {
            prefix: words & token_run,
            base64: begins(here.base64, before.base64) & base64_run,
            sign: here.sign,
            slash: here.slash,
            window: here.window | here.word_window & words,
            run: if self.prefilter.runs.is_empty() { 0 } else { words & token_run },
        })
    }

    /// Makes the masks of the blocks from `block` on.
    fn fill(&mut self, block: usize) {
        let next = self.first_block + self.filled;
        self.before = match block.checked_sub(1) {
            None => Masks::default(),
            Some(last) if block == next && self.filled > 0 => self.masks[last - self.first_block],
            Some(last) => self.some(last)[0],
        };
        let total = self.text.len().div_ceil(BLOCK);
        self.first_block = block;
        self.filled = (total - block).min(STRETCH);
        let wanted = self.filled + 1;
        let rest = &self.text[block * BLOCK..];
        // Blocks that are there to their end, with what is looked at behind them.
        let whole = (rest.len().saturating_sub(LOOKAHEAD) / BLOCK).min(wanted);
        if whole > 0 {
            self.prefilter.backend.fill(rest, &self.prefilter.triggers.windows, &mut self.masks[..whole]);
        }
        for number in whole..wanted {
            self.masks[number] = self.some(block + number)[0];
        }
    }

    /// The masks of one block, wherever the text ends. Behind the end, runs go on.
    fn some(&self, block: usize) -> [Masks; 1] {
        let mut bytes = [0; BLOCK + LOOKAHEAD];
        let rest = self.text.get(block * BLOCK..).unwrap_or_default();
        let there = rest.len().min(bytes.len());
        bytes[..there].copy_from_slice(&rest[..there]);
        let mut masks = [Masks::default()];
        self.prefilter.backend.fill(&bytes, &self.prefilter.triggers.windows, &mut masks);
        if there < BLOCK {
            let beyond = !0 << there;
            masks[0].token |= beyond;
            masks[0].base64 |= beyond;
            masks[0].window &= !beyond;
            masks[0].word_window &= !beyond;
        }
        masks
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

/// Where in a literal the word begins whose run of token characters is long enough, if there is one.
fn word_of(literal: &Literal<'_>, needle: &Needle) -> Option<usize> {
    let text = literal.text;
    let token = |set: &ByteSet| set.bytes().all(masks::is_token);
    let sure = needle.steps.iter().flat_map(|step| std::iter::repeat_n(token(&step.set), usize::from(step.count)));
    let own = text.iter().map(|&byte| masks::is_token(byte));
    let sure: Vec<bool> = own.chain(sure.skip(literal.skipped + text.len())).collect();
    let run = |at: usize| (at..sure.len()).take_while(|&at| sure[at]).count();
    let long = |at: &usize| text.len() - at >= PREFIX_BYTES_MIN && run(*at) >= RUN_MIN;
    (0..text.len()).filter(|&at| begins_word(literal, at, needle)).find(long)
}

/// Whether a word begins at a place of a literal wherever a match can be.
fn begins_word(literal: &Literal<'_>, at: usize, needle: &Needle) -> bool {
    let letter = |at: usize| literal.text[at].is_ascii_alphanumeric();
    let first = at == 0 && (literal.skipped > 0 || needle.before == (0, 0));
    letter(at) && (first || at > 0 && !letter(at - 1))
}

/// The places of the bits of a mask, in order.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = mask.trailing_zeros();
        mask &= mask.wrapping_sub(1);
        (bit < u64::BITS).then_some(bit as usize)
    })
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
#[cfg(test)]
mod dump {
    use super::*;
    #[test]
    fn dump() {
        let e = Engine::new(crate::rules::RuleSet::builtin().unwrap(), crate::scan::Options::default()).unwrap();
        let rules = e.rules().rules();
        let p = e.prefilter();
        p.triggers.dump(&|w| match w { Wanted::Token(t) => rules[e.tokens().tokens()[t as usize].rule as usize].id.clone(), o => format!("{o:?}") });
        for f in ["ci","service","json"] {
            let data = std::fs::read(format!("/tmp/b/{f}.1")).unwrap();
            let mut l = Look::new(p, &e, &data);
            let (mut w, mut pr, mut b, mut blocks) = (0,0,0,0);
            let mut reasons: std::collections::BTreeMap<String, usize> = Default::default();
            let mut examples: std::collections::BTreeMap<String, String> = Default::default();
            let mut block = 0;
            let mut prhit = 0; let mut trighit = 0;
            while let Some(ev) = l.events(block) {
                blocks += 1; w += ev.window.count_ones(); pr += ev.prefix.count_ones(); b += ev.base64.count_ones();
                let mut note = |why: String, at: usize| { *reasons.entry(why.clone()).or_default() += 1;
                    let s = memchr::memrchr(b'\n', &data[..at]).map_or(0, |x| x+1); let en = line_end(&data, at);
                    examples.entry(why).or_insert_with(|| String::from_utf8_lossy(&data[s.max(at.saturating_sub(60))..en.min(at+80)]).into_owned()); };
                for at in bits(ev.prefix).map(|x| block*64+x) {
                    if p.prefixes.may_begin(&data, at) { prhit += 1; p.prefixes.look_up(&data, at, |pl, t| if may_match(&e, &data, pl, t) { note(format!("P {}", rules[e.tokens().tokens()[t as usize].rule as usize].id), at) }); }
                }
                for at in bits(ev.window).map(|x| block*64+x) {
                    p.triggers.look_up(&data, at, |s, len, wanted| { trighit += 1; match wanted {
                        Wanted::Token(t) => if may_match(&e, &data, s, t) { note(format!("T {}", rules[e.tokens().tokens()[t as usize].rule as usize].id), at) },
                        Wanted::KeyName(i) => if may_assign(&e, &data, s..s+len, i, false) { note(format!("K {}", String::from_utf8_lossy(&data[s..s+len]).to_lowercase()), at) },
                        Wanted::KeyBlock => if keyblock::may_begin(&data, s) { note("B".into(), at) },
                        Wanted::Record => if envelope::may_be_partial(&data, s) { note("R".into(), at) } } });
                }
                for at in bits(ev.base64).map(|x| block*64+x) { if view::decodes_to_text(&data, at) { note("base64".into(), at) } }
                for at in bits(ev.sign).map(|x| block*64+x) { if let Some(s) = sign(&data, at) { note(format!("sign {s:?} {}", data[at]), at) } }
                for at in bits(ev.slash).map(|x| block*64+x) { if stands_for_another(&data, at) { note(format!("slash {}", data[at+1] as char), at) } }
                block += 1;
            }
            let lines = memchr::memchr_iter(b'\n', &data).count();
            let mut look = p.lines(&e, &data); let mut n = 0; let mut at = 0;
            while let Some((_, e)) = look.next_from(at) { n += 1; at = e; }
            println!("== {f} lines {lines} matter {n}; per block: window {:.2} prefix {:.2} base64 {:.2} prefix bit hits {:.3} trig hits {:.3}", w as f32/blocks as f32, pr as f32/blocks as f32, b as f32/blocks as f32, prhit as f32/blocks as f32, trighit as f32 / blocks as f32);
            let mut v: Vec<_> = reasons.into_iter().collect(); v.sort_by_key(|x| std::cmp::Reverse(x.1));
            for (k, c) in v.iter().take(45) { println!("  {c:6} {k:40} {:?}", examples[k]); }
        }
    }
}
