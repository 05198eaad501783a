//! Finds the few lines, and the few places in them, that are worth a closer look. **It has no
//! false negatives**: a line that it passes over has no hit in any view, and leaves no carry.
//!
//! A line matters if it holds
//! 1. a *literal* of a token rule or a *trigger* of the assigned-secret detector or of key blocks
//!    (ASCII letters of either case), or
//! 2. a *sign* that another text can be read in it: an introducer of a terminal escape, a
//!    backslash, a percent code or a character reference, or
//! 3. a run of base64 or hexadecimal digits whose first bytes decode to text, or
//! 4. the beginning of a container's partial record (a trigger, too).
//!
//! A condition that is *not* allowed here: "lines with fewer than eight letters and digits in a
//! row have no secret". It holds for tokens, but `password=a.b-c!` is one of its false negatives.
//!
//! A rule without a literal has its line found by the run of letters and digits it begins with. A
//! rule without that, either, makes every line matter; `rules check` names it.

use std::{collections::BTreeMap, ops::Range};

use aho_corasick::{AhoCorasick, MatchKind};

use super::tokens::Token;
use crate::{
    rules::{
        Rule,
        condition::{Run, is_word},
    },
    view,
};

/// What the runtime of a container writes into partial records.
const PARTIAL_RECORDS: &[&str] = &["{\"log\":", " stdout p", " stderr p"];

/// Finds lines and places.
#[derive(Debug)]
pub struct Prefilter {
    automaton: Option<AhoCorasick>,
    targets: Vec<Target>,
    /// The runs that stand in for literals.
    runs: Vec<Run>,
    /// Whether some rule has neither literal nor run, so that every line matters.
    everything: bool,
}

/// Who wants to know of a literal.
#[derive(Debug, Default, Clone)]
pub struct Target {
    /// The tokens (by index) whose needle it is.
    pub tokens: Vec<u16>,
    /// The assigned-secret detector.
    pub assigned: bool,
    /// The key-block detector.
    pub key_block: bool,
}

impl Prefilter {
    /// Builds the automaton over the literals of `tokens` and the other detectors' triggers.
    pub fn new(tokens: &[Token], assigned: &[String], key_block: &[&str], everything: bool) -> Prefilter {
        let mut wanted: BTreeMap<Vec<u8>, Target> = BTreeMap::new();
        for (index, token) in tokens.iter().enumerate() {
            for literal in token.pattern.needle().map_or(&[][..], |needle| &needle.literals) {
                wanted.entry(literal.clone()).or_default().tokens.push(index as u16);
            }
        }
        for word in assigned {
            wanted.entry(word.to_ascii_lowercase().into_bytes()).or_default().assigned = true;
        }
        for word in key_block {
            wanted.entry(word.as_bytes().to_ascii_lowercase()).or_default().key_block = true;
        }
        if !wanted.is_empty() {
            PARTIAL_RECORDS.iter().for_each(|word| {
                wanted.entry(word.as_bytes().to_vec()).or_default();
            });
        }
        let (literals, targets): (Vec<Vec<u8>>, Vec<Target>) = wanted.into_iter().unzip();
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&literals)
            .ok()
            .filter(|_| !literals.is_empty());
        let runs: Vec<Run> = tokens.iter().filter_map(|token| token.pattern.run()).collect();
        let helpless = |token: &Token| token.pattern.needle().is_none() && token.pattern.run().is_none();
        let everything = everything || tokens.iter().any(helpless);
        Prefilter { automaton, targets, runs, everything }
    }

    /// Whether nothing is looked for at all: then no line matters.
    pub fn is_empty(&self) -> bool {
        self.automaton.is_none() && self.runs.is_empty() && !self.everything
    }

    /// Goes through the lines of `block` that matter.
    pub fn lines<'a>(&'a self, block: &'a [u8]) -> Lines<'a> {
        Lines { prefilter: self, block, literal: Next::Unknown, sign: Next::Unknown }
    }

    /// Calls `found` with each literal's place in `text` and who wants to know of it.
    pub fn places(&self, text: &[u8], mut found: impl FnMut(usize, &Target)) {
        let Some(automaton) = &self.automaton else { return };
        for hit in automaton.find_overlapping_iter(text) {
            if let Some(target) = self.targets.get(hit.pattern().as_usize()) {
                found(hit.start(), target);
            }
        }
    }

    fn first_literal(&self, text: &[u8]) -> Option<usize> {
        self.automaton.as_ref()?.find(text).map(|hit| hit.start())
    }
}

/// The lines of a block that matter, in order. What was found ahead is remembered: each place is
/// looked at once.
#[derive(Debug)]
pub struct Lines<'a> {
    prefilter: &'a Prefilter,
    block: &'a [u8],
    literal: Next,
    sign: Next,
}

/// The first place of something at or after a place that was asked for before.
#[derive(Debug, Clone, Copy)]
enum Next {
    Unknown,
    At(usize),
    None,
}

impl Next {
    /// Looks for the first place at or after `from`, unless it is known.
    fn find(&mut self, from: usize, search: impl FnOnce() -> Option<usize>) -> Option<usize> {
        match *self {
            Next::At(at) if at >= from => Some(at),
            Next::None => None,
            _ => {
                let found = search();
                *self = found.map_or(Next::None, Next::At);
                found
            }
        }
    }
}

impl Lines<'_> {
    /// The first line at or after `from` (a line start) that matters: its start, and its end (after
    /// its LF, or the block's end).
    pub fn next_from(&mut self, from: usize) -> Option<(usize, usize)> {
        let Lines { prefilter, block, .. } = *self;
        if prefilter.is_empty() || from >= block.len() {
            return None;
        }
        if prefilter.everything {
            return Some((from, line_end(block, from)));
        }
        let rest = &block[from..];
        let literal = self.literal.find(from, || prefilter.first_literal(rest).map(|at| from + at));
        let sign = self.sign.find(from, || first_sign(rest, &prefilter.runs).map(|at| from + at));
        let at = match (literal, sign) {
            (Some(literal), Some(sign)) => literal.min(sign),
            (literal, sign) => literal.or(sign)?,
        };
        let start = memchr::memrchr(b'\n', &block[from..at]).map_or(from, |end| from + end + 1);
        Some((start, line_end(block, at)))
    }
}

fn line_end(block: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |end| at + end + 1)
}

/// What a byte can be a sign of.
const SIGNS: [u8; 256] = {
    let mut table = [0; 256];
    table[0x1b] = SIGN;
    table[0xc2] = SIGN;
    table[0x9b] = SIGN;
    table[b'\\' as usize] = SIGN;
    table[b'%' as usize] = SIGN;
    table[b'&' as usize] = SIGN;
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
    let mut index = 0;
    while index < digits.len() {
        table[digits[index] as usize] = DIGIT;
        index += 1;
    }
    table
};
const SIGN: u8 = 1;
const DIGIT: u8 = 2;

/// The place of the first sign of another view, or of a run that stands in for a literal.
fn first_sign(text: &[u8], runs: &[Run]) -> Option<usize> {
    let mut run = 0;
    for (at, &byte) in text.iter().enumerate() {
        match SIGNS[usize::from(byte)] {
            DIGIT => run += 1,
            kind => {
                if run >= crate::limits::BASE64_RUN_MIN && run_matters(text, at - run..at, runs) {
                    return Some(at - run);
                }
                run = 0;
                if kind == SIGN && is_sign(text, at) {
                    return Some(at);
                }
            }
        }
    }
    let start = text.len() - run;
    let matters = run >= crate::limits::BASE64_RUN_MIN && run_matters(text, start..text.len(), runs);
    matters.then_some(start)
}

/// Whether a run of base64 digits may be an encoded text, or end in a run of word characters with
/// which some rule's match may begin.
fn run_matters(text: &[u8], span: Range<usize>, runs: &[Run]) -> bool {
    let digits = &text[span.clone()];
    let after = text.get(span.end);
    let wanted = |run: &Run| {
        // The run of word characters that the byte after it ends is the last one in the span.
        let words = digits.iter().rev().take_while(|&&byte| is_word(byte)).count();
        words >= run.least && run.after.is_none_or(|byte| after.is_none_or(|&next| next == byte))
    };
    view::promising(digits) || runs.iter().any(|run| run.after.is_none() && digits.len() >= run.least || wanted(run))
}

fn is_sign(text: &[u8], at: usize) -> bool {
    match text[at] {
        b'%' => {
            text.get(at + 1).is_some_and(u8::is_ascii_hexdigit) && text.get(at + 2).is_some_and(u8::is_ascii_hexdigit)
        }
        b'&' => memchr::memchr(b';', &text[at..text.len().min(at + 12)]).is_some(),
        0xc2 => text.get(at + 1).is_some_and(|second| (0x80..=0x9f).contains(second)),
        _ => true,
    }
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
