//! Finds the few lines, and the few places in them, that are worth a closer look. **It has no
//! false negatives**: a line that it passes over has no hit in any view, and leaves no carry.
//!
//! One pass turns the bytes into bit masks (`masks`, `simd`), and these into the few places that are
//! worth a look (`survey`): those where a known word may begin (`words`), told by its first bytes. Most
//! words, the literals of tokens, are only looked for where a word begins that a long run of token
//! characters goes on from; the others, key names and such, by a window of each (`windows`). A line
//! matters if it holds
//! 1. a word whose surroundings do not deny that it belongs to a secret (`follow`), or
//! 2. the beginning of a container's partial record, or
//! 3. a sign that another text can be read in it (an escape sequence, a percent code, a character
//!    reference, a backslash that stands for another character than a blank or a quote, a run of
//!    base64 or hexadecimal digits that decodes to text), if one of these texts matters.
//!
//! Backslashes before a quote, `n`, `r` or `t` are in each line of JSON, so they are no sign: the
//! letter behind a backslash counts both as a letter and as the end of a word, and whoever looks at
//! what follows a literal gives up at a backslash. So the raw text says at least what the unescaped
//! one would.
//!
//! A condition that is *not* allowed here: "lines with fewer than eight letters and digits in a
//! row have no secret". It holds for tokens, but `password=a.b-c!` is one of its false negatives.
//!
//! A rule without a literal has its line found by the run of letters and digits it begins with. A
//! rule without that, either, makes every line matter; `rules check` names it.

pub(in crate::scan) mod bitmap;
pub(in crate::scan) mod breaks;
mod follow;
pub(in crate::scan) mod keys;
mod lines;
mod literals;
mod look;
pub(in crate::scan) mod masks;
mod simd;
mod stripped;
mod survey;
pub mod tables;
mod windows;
pub(in crate::scan) mod words;

pub use self::{
    follow::Ahead,
    lines::{LineBuffers, Lines},
    look::Buffers,
};
use self::{
    follow::may_assign,
    look::Look,
    masks::Windows,
    simd::Backend,
    survey::Kind,
    tables::Tables,
    words::{Wanted, Words},
};
use std::ops::Range;

use super::{Engine, assigned, keyblock, known::Known, manifest, tokens::Token};
use crate::rules::{Rule, condition::Run};

/// Finds lines and places.
#[derive(Debug)]
pub struct Prefilter {
    backend: Backend,
    words: Words,
    windows: Windows,
    /// The runs that stand in for literals.
    runs: Vec<Run>,
    /// Whether some rule has neither literal nor run, so that every line matters.
    everything: bool,
}

impl Prefilter {
    /// Finds what `tables` hold, which are of these tokens. With `everything`, every line matters.
    pub fn new(tables: Tables, tokens: &[Token], everything: bool) -> Prefilter {
        let Tables { words, windows } = tables;
        let runs: Vec<Run> = tokens.iter().filter_map(|token| token.pattern.run()).collect();
        let helpless = |token: &Token| token.pattern.needle().is_none() && token.pattern.run().is_none();
        let everything = everything || tokens.iter().any(helpless);
        Prefilter { backend: Backend::detect(), words, windows, runs, everything }
    }

    /// Goes through the lines of `block` that matter.
    pub fn lines<'a, 'b>(
        &'a self,
        engine: &'a Engine,
        known: &'a Known,
        block: &'a [u8],
        buffers: &'b mut LineBuffers,
    ) -> Lines<'a, 'b> {
        Lines::new(self, engine, known, block, buffers)
    }

    /// Looks up one text that is not escaped: calls `token` with the place of each literal, and with where it was seen, appends the words of key names to
    /// those of `buffers`, and says which detectors have a word in it. `open` says that more bytes may follow; `gaps` are
    /// places where a word may begin although a letter stands before it.
    pub fn places(
        &self,
        engine: &Engine,
        text: &[u8],
        open: bool,
        gaps: impl Iterator<Item = usize>,
        buffers: &mut Buffers,
        mut token: impl FnMut(usize, u16, usize),
    ) -> Found {
        let mut keys = std::mem::take(&mut buffers.keys);
        let (first, mut found) = (keys.len(), Found::default());
        for at in gaps.filter(|&at| is_amid_a_word(text, at)) {
            self.places_at(text, at, |start, index| token(start, index, at));
        }
        let mut look = Look::new(self, engine, text, buffers);
        let mut from = 0;
        while let Some((at, kind)) = look.next_place(from) {
            from = at;
            if kind == Kind::Word {
                self.words.look_up(text, at, |start, length, wanted| match wanted {
                    Wanted::Token(index) => token(start, index, at),
                    Wanted::KeyName(index) => keys.push((start..start + length, index)),
                    Wanted::KeyBlock => found.key_block |= open || keyblock::may_begin(text, start),
                    Wanted::Manifest => found.manifest |= open || manifest::may_begin(text, start),
                    Wanted::Record | Wanted::Code => {}
                });
            }
        }
        found.keys = first..keys.len();
        buffers.keys = keys;
        found
    }

    /// Whether one of the words of key names in a text, which is not escaped, may have a value assigned.
    pub fn assigns(
        &self,
        engine: &Engine,
        text: &[u8],
        open: bool,
        keys: &[(Range<usize>, u16)],
        scratch: &mut assigned::Scratch,
    ) -> bool {
        keys.iter().any(|(place, index)| may_assign(engine, text, place.clone(), *index, open, scratch))
    }

    /// Calls `token` with the place of each literal whose window begins amid a word of `span` or at its end.
    pub fn places_within(&self, text: &[u8], span: &Range<usize>, mut token: impl FnMut(usize, u16)) {
        let keys = self.words.keys();
        let (begin, go_on) = (keys.begin(), keys.go_on());
        for at in span.start + 1..=span.end.min(text.len().saturating_sub(1)) {
            let peek = keys::peek(text, at);
            if begin.may_hold(peek) && go_on.may_hold(peek) && is_amid_a_word(text, at) {
                self.tokens_at(text, at, &mut token);
            }
        }
    }

    /// Calls `token` with the place of each literal whose window begins at `text[at..]`.
    pub fn places_at(&self, text: &[u8], at: usize, mut token: impl FnMut(usize, u16)) {
        let (keys, peek) = (self.words.keys(), keys::peek(text, at));
        if keys.begin().may_hold(peek) && keys.go_on().may_hold(peek) {
            self.tokens_at(text, at, &mut token);
        }
    }

    fn tokens_at(&self, text: &[u8], at: usize, token: &mut impl FnMut(usize, u16)) {
        self.words.look_up(text, at, |start, _, wanted| {
            if let Wanted::Token(index) = wanted {
                token(start, index);
            }
        });
    }
}

/// Which other detectors have a word in a text.
#[derive(Debug, Default, Clone)]
pub struct Found {
    /// The assigned-secret detector: which of the words that were found are of key names.
    pub keys: Range<usize>,
    /// The key-block detector.
    pub key_block: bool,
    /// Whoever reads Kubernetes manifests.
    pub manifest: bool,
}

/// Whether a letter or digit stands at a place, and before it: no word that begins elsewhere is missed by a survey.
fn is_amid_a_word(text: &[u8], at: usize) -> bool {
    let letter = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    letter(at) && at.checked_sub(1).is_some_and(letter)
}

fn line_start(block: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &block[..at]).map_or(0, |end| end + 1)
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
        Detector::Manifest => "a manifest's `kind: Secret` or `apiVersion: v1`".to_owned(),
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
