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

mod follow;
mod literals;
mod look;
mod masks;
mod prefixes;
mod simd;
mod survey;
mod triggers;

pub use self::look::Buffers;
use self::{
    follow::{may_assign, may_match},
    literals::{Literal, begins_word, merged, plain_part, sure_runs, word_of},
    look::{Kind, Look, Why},
    prefixes::Prefixes,
    simd::Backend,
    triggers::{Triggers, Wanted},
};
use super::{Engine, assigned, keyblock, known::Known, tokens::Token};
use crate::{
    rules::{Rule, condition::Run},
    view,
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
        words.extend(RECORDS.iter().map(|record| (whole(record), Wanted::Record, false)));
        Prefilter {
            backend: Backend::detect(),
            prefixes: Prefixes::new(prefixes.into_iter()),
            triggers: Triggers::new(words.into_iter()),
            runs,
            everything,
        }
    }

    /// Goes through the lines of `block` that matter.
    pub fn lines<'a, 'b>(
        &'a self,
        engine: &'a Engine,
        known: &'a Known,
        block: &'a [u8],
        buffers: &'b mut LineBuffers,
    ) -> Lines<'a, 'b> {
        let LineBuffers { lines, bare, stripped } = buffers;
        Lines { look: Look::new(self, engine, block, lines), known, bare, stripped }
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
    known: &'a Known,
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
        if from >= block.len() {
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
        self.known.first_in(bare, 0).is_some()
            || self.stripped.gaps().any(matters)
            || Look::new(prefilter, engine, bare, self.bare).first(0).is_some()
    }
}

fn line_end(block: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |end| at + end + 1)
}

/// The condition under which a rule is looked at, in words, for `rules check`.
pub fn condition(rule: &Rule) -> String {
    use crate::rules::Detector;
    match rule.detector {
        Detector::Assigned => format!("one of {} key names", rule.names.len()),
        Detector::Entropy => "every token, if `--entropy all` is given".to_owned(),
        Detector::Ceiling => "a value that is longer than any bound".to_owned(),
        Detector::Known => "a known value, in any encoding".to_owned(),
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
