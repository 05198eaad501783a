//! Turns the literals of a rule's condition into what is looked for: parts that are written the same
//! in an escaped text, and the words in them. Does not look for them.

use super::masks::{self, RUN_MIN};
use crate::rules::condition::{Needle, has_an_escape};

/// A literal, or the part of it that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal<'a> {
    /// Lower-case.
    pub text: &'a [u8],
    /// How many bytes of the literal stand before the part.
    pub skipped: usize,
}

/// The places at which one of the literals has a tab, a bit each.
pub fn tabs(needle: &Needle) -> u128 {
    let places = needle.literals.iter().flat_map(|literal| memchr::memchr_iter(b'\t', literal));
    places.fold(0, |places, at| places | 1 << at.min(127))
}

/// The longest part of a literal in which no quote or blank may be written as an escape; `tabs` are those of its needle.
pub fn plain_part(literal: &[u8], tabs: u128) -> Literal<'_> {
    let blank = |at: usize| tabs >> at.min(127) & 1 == 1;
    let escaped = |at: &usize| has_an_escape(literal[*at]) || blank(*at);
    let ends = (0..literal.len()).filter(escaped).chain([literal.len()]);
    let mut from = 0;
    let mut best = 0..0;
    for end in ends {
        if end - from > best.len() {
            best = from..end;
        }
        from = end + 1;
    }
    if best.len() < WORD_BYTES_MIN {
        best = 0..literal.len();
    }
    Literal { text: &literal[best.clone()], skipped: best.start }
}

/// Literals that differ only in their last byte, in most of the ways they may, as one that is
/// shorter by it: so many would fill the tables, and say little more.
pub fn merged(literals: Vec<Literal<'_>>) -> Vec<Literal<'_>> {
    pub fn stem<'a>(literal: &Literal<'a>) -> (Option<&'a [u8]>, usize) {
        (literal.text.split_last().map(|(_, stem)| stem), literal.skipped)
    }
    let mut list: Vec<Literal<'_>> = Vec::with_capacity(literals.len());
    for literal in &literals {
        let long = literals.len() >= VARIANTS_MAX && literal.text.len() > WORD_BYTES_MIN + 1;
        let alike = || literals.iter().filter(|other| stem(other) == stem(literal)).nth(VARIANTS_MAX - 1).is_some();
        let short = long && alike();
        let kept = literal.text.len() - usize::from(short);
        let literal = Literal { text: &literal.text[..kept], ..*literal };
        // Only those that were cut may be the same.
        if !(short && list.contains(&literal)) {
            list.push(literal);
        }
    }
    list
}

/// The shortest literal, from its word on, that is looked up where words begin (bytes).
pub const WORD_BYTES_MIN: usize = 3;
/// How many literals may differ in their last byte alone.
pub const VARIANTS_MAX: usize = 4;

/// Where in a literal the word begins whose run of token bytes is long enough, if there is one.
pub fn word_of(literal: &Literal<'_>, needle: &Needle) -> Option<usize> {
    let text = literal.text;
    let behind = sure_run(needle, literal.skipped + text.len());
    let run = |at: usize| {
        let own = text[at..].iter().take_while(|&&byte| masks::is_token(byte)).count();
        if at + own == text.len() { own + behind } else { own }
    };
    let long = |at: &usize| text.len() - at >= WORD_BYTES_MIN && run(*at) >= RUN_MIN;
    (0..text.len()).filter(|&at| begins_word(literal, at, needle)).find(long)
}

/// How many bytes in a row are token bytes from a place of every match on, as far as it matters.
fn sure_run(needle: &Needle, place: usize) -> usize {
    let (mut run, mut end) = (0, 0);
    for step in needle.steps.iter() {
        let begin = end;
        end += usize::from(step.count);
        if end <= place {
            continue;
        }
        if run >= RUN_MIN || !step.set.is_within(&masks::TOKEN_BYTES) {
            break;
        }
        run += end - begin.max(place);
    }
    run
}

/// Whether a word begins at a place of a literal wherever a match can be.
pub fn begins_word(literal: &Literal<'_>, at: usize, needle: &Needle) -> bool {
    let letter = |at: usize| literal.text[at].is_ascii_alphanumeric();
    let first = at == 0 && (literal.skipped > 0 || needle.before == (0, 0));
    letter(at) && (first || at > 0 && !letter(at - 1))
}
