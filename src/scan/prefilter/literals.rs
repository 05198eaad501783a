//! Turns the literals of a rule's condition into what is looked for: parts that are written the same
//! in an escaped text, and the words in them. Does not look for them.

use super::{masks, survey::RUN_MIN};
use crate::rules::condition::Needle;

/// A literal, or the part of it that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal<'a> {
    /// Lower-case.
    pub text: &'a [u8],
    /// How many bytes of the literal stand before the part.
    pub skipped: usize,
}

/// The longest part of a literal in which no quote or blank may be written as an escape.
pub fn plain_part<'a>(literal: &'a [u8], needle: &Needle) -> Literal<'a> {
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
/// `sure` is how many bytes of a match are such bytes, without one that is not, from each of its places on.
pub fn word_of(literal: &Literal<'_>, needle: &Needle, sure: &[usize]) -> Option<usize> {
    let text = literal.text;
    let behind = sure.get(literal.skipped + text.len()).copied().unwrap_or(0);
    let run = |at: usize| {
        let own = text[at..].iter().take_while(|&&byte| masks::is_token(byte)).count();
        if at + own == text.len() { own + behind } else { own }
    };
    let long = |at: &usize| text.len() - at >= WORD_BYTES_MIN && run(*at) >= RUN_MIN;
    (0..text.len()).filter(|&at| begins_word(literal, at, needle)).find(long)
}

/// From each place of a match on, how many bytes in a row are token bytes in every match.
pub fn sure_runs(needle: &Needle) -> Vec<usize> {
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
pub fn begins_word(literal: &Literal<'_>, at: usize, needle: &Needle) -> bool {
    let letter = |at: usize| literal.text[at].is_ascii_alphanumeric();
    let first = at == 0 && (literal.skipped > 0 || needle.before == (0, 0));
    letter(at) && (first || at > 0 && !letter(at - 1))
}
