//! Turns a whole input into its redaction in the slowest and plainest way: each rule's regular
//! expression at each place of each line. Knows no prefilter, no stream and no view.
//!
//! It covers rules of the kind `token` on lines without encodings; its inputs are made of
//! fragments for which that is enough. What it states is the contract of such a rule: a match
//! that begins with a letter or digit has none before it (unless that one is masked), one that ends
//! with a letter or digit has none behind it, overlapping or touching secrets give one mask, and in the
//! masked text the rules find nothing more.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use blackbar::{
    redact::Style,
    rules::{RuleSet, USER_FAMILY},
    scan::{Engine, Entropy, Options},
};
use regex::bytes::Regex;

/// The fuzz target `filter_differential`: the filter agrees with the reference.
///
/// # Panics
/// If it does not.
pub fn filter_differential(choices: &[u8]) {
    if let Err(fault) = agrees(choices) {
        panic!("{fault}");
    }
}

/// Compares the filter with the reference on the log that these fragments make.
///
/// # Errors
/// If they differ: where they do.
pub fn agrees(choices: &[u8]) -> Result<(), String> {
    let log = glue(choices);
    super::same("against the reference", &log, &redact(&log), &super::whole(&engine(), &log))
}

/// The redaction of a whole input.
pub fn redact(log: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(log.len());
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        let mut known = Vec::new();
        loop {
            let (text, places) = masked(line, &known);
            let found = secrets(&text).into_iter().map(|span| places[span.start].start..places[span.end - 1].end);
            let more = union(known.iter().cloned().chain(found).collect());
            if more == known {
                output.extend_from_slice(&text);
                break;
            }
            known = more;
        }
    }
    output
}

/// A line with masks, and for each byte of that the bytes of the line that it stands for.
fn masked(line: &[u8], spans: &[Range<usize>]) -> (Vec<u8>, Vec<Range<usize>>) {
    let (mut text, mut places) = (Vec::new(), Vec::new());
    let mut at = 0;
    for span in spans.iter().cloned().chain(std::iter::once(line.len()..line.len())) {
        text.extend_from_slice(&line[at..span.start]);
        places.extend((at..span.start).map(|place| place..place + 1));
        at = span.end;
        if !span.is_empty() {
            text.extend_from_slice(MASK);
            places.extend(MASK.iter().map(|_| span.clone()));
        }
    }
    (text, places)
}

/// Every secret of every rule, wherever it begins, in the order of their beginnings.
fn secrets(line: &[u8]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for start in 0..line.len() {
        for regex in regexes() {
            let Some(found) = regex.captures(&line[start..]) else { continue };
            // Group 0 is the match; `secret` is absent where the whole match is the secret.
            let whole = found.get(0).unwrap().range();
            let secret = found.name("secret").map_or(whole.clone(), |group| group.range());
            if stands_alone(line, start + whole.start..start + whole.end, &spans) {
                spans.push(start + secret.start..start + secret.end);
            }
        }
    }
    spans
}

/// What is masked before a match does not belong to its word.
fn stands_alone(line: &[u8], span: Range<usize>, masked: &[Range<usize>]) -> bool {
    let word = |at: usize| line.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let covered = masked.iter().any(|mask| mask.start < span.start && span.start <= mask.end);
    let joined_before = span.start > 0 && word(span.start) && word(span.start - 1) && !covered;
    let joined_behind = word(span.end - 1) && word(span.end);
    !joined_before && !joined_behind
}

fn union(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_by_key(|span| (span.start, span.end));
    let mut union: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match union.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => union.push(span),
        }
    }
    union
}

fn regexes() -> &'static [Regex] {
    static REGEXES: OnceLock<Vec<Regex>> = OnceLock::new();
    REGEXES.get_or_init(|| PATTERNS.iter().map(|pattern| Regex::new(&format!("^(?-u:{pattern})")).unwrap()).collect())
}

/// The filter with the same rules and a mask that does not tell which rule it was.
fn engine() -> Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    Arc::clone(ENGINE.get_or_init(|| {
        let mut rules = RuleSet::empty();
        for (number, pattern) in PATTERNS.iter().enumerate() {
            let row = format!(
                "[[rule]]\nid = \"reference-{number}\"\nname = \"x\"\nseverity = \"high\"\npattern = '''{pattern}'''\n"
            );
            rules.add(&row, "reference", USER_FAMILY).unwrap();
        }
        let options = Options { style: Style::Fixed, entropy: Entropy::Off, ..Options::default() };
        Arc::new(Engine::new(rules, options).unwrap())
    }))
}

/// Glues fragments; each byte names one. The last line always ends, so that nothing is cut short.
fn glue(choices: &[u8]) -> Vec<u8> {
    let mut log = Vec::new();
    for &choice in choices {
        log.extend_from_slice(FRAGMENTS[usize::from(choice) % FRAGMENTS.len()].as_bytes());
    }
    log.push(b'\n');
    log
}

const MASK: &[u8] = b"***";

/// One pattern of each kind: fixed length, a range, a choice of prefixes, a capture behind a
/// caseless name, a literal in the middle, and a terminator behind the secret.
const PATTERNS: &[&str] = &[
    "refa_[0-9A-Za-z]{20}",
    "refb-[0-9A-Za-z_-]{12,40}",
    "(?:QKRF|QSRF)[A-Z2-7]{16}",
    "(?i:x-ref-key)[ \\t]{0,2}[:=][ \\t]{0,2}(?P<secret>[0-9a-f]{16,64})",
    "[0-9A-Za-z]{10}\\.refmid\\.[0-9A-Za-z]{12,30}",
    "re[fg]c_[a-z]{8,10}x",
    "://[^\\s\"'\\\\<>`/@:\\x00-\\x1f]{0,32}:(?P<secret>[^\\s\"'\\\\<>`/@:\\x00-\\x1f]{1,64})@",
];

/// What the inputs are made of: prefixes, bodies of the right and of wrong lengths, separators.
const FRAGMENTS: &[&str] = &[
    "refa_",
    "refb-",
    "QKRF",
    "QSRF",
    "x-ref-key: ",
    "X-Ref-Key=",
    ".refmid.",
    "refc_",
    "regc_",
    "://",
    "https://user:",
    "@",
    "@host ",
    "Ab3dE5gH1j",
    "K2lM4nO6pQ",
    "kL9mN8oP7q",
    "ABCDEFGH23456767",
    "MNOPQRST",
    "0123456789abcdef",
    "fedcba98",
    "abcdefghx",
    "abcdefgh",
    "x",
    "a",
    "Z",
    "9",
    "_",
    "-",
    ".",
    ":",
    "=",
    " ",
    "\t",
    ", ",
    "\"",
    "'",
    "(",
    ")",
    "\n",
    "\r\n",
    "token ",
    "level=info ",
    "é",
    "漢",
];
