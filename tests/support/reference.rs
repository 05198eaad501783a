//! Turns a whole input into its redaction in the slowest and plainest way: each rule's regular
//! expression at each place of each line. Knows no prefilter and no stream, and what is text in base64 it asks the view.
//!
//! It covers rules of the kind `token` on lines without encodings, but for base64 of a text that goes on in the next
//! line, and lines that a soft break of quoted-printable cuts, which are read as one line with it; its inputs are made of
//! fragments for which that is enough. What it states is the contract of such a rule: a match that begins with a letter or digit has none before it (unless that one
//! is masked), one that ends with a letter or digit has none behind it, overlapping or touching secrets give one mask,
//! and in the masked text the rules find nothing more, unless each of [`ROUNDS_MAX`] rounds has found something.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use blackbar::{
    limits::ROUNDS_MAX,
    redact::Style,
    rules::{RuleSet, USER_FAMILY},
    scan::{Engine, Entropy, Options},
    view::{decodes_to_text, is_base64},
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
    let mut log = glue(choices);
    // A token that the end of the input cuts, behind a soft break as well, is no match of its rule.
    if log.ends_with(b"=\n") || log.ends_with(b"=\r\n") {
        log.push(b'\n');
    }
    super::same("against the reference", &log, &redact(&log), &super::whole(&engine(), &log))
}

/// The redaction of a whole input.
pub fn redact(log: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(log.len());
    let mut rest = log;
    while !rest.is_empty() {
        let (lines, behind) = rest.split_at(read_together(rest));
        rest = behind;
        let mut known = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let (text, places) = masked(lines, &known);
            let found = secrets_of_lines(&text).into_iter().chain(secrets_over_soft_breaks(lines, &text, &places));
            let found = found.map(|span| places[span.start].start..places[span.end - 1].end);
            let more = union(known.iter().cloned().chain(found).collect());
            if more == known {
                break;
            }
            known = more;
        }
        output.extend_from_slice(&masked(lines, &known).0);
    }
    output
}

/// The bytes of the first lines of a log that are read together: a line, unless it ends in base64 of a text that goes on,
/// or in a soft break.
fn read_together(log: &[u8]) -> usize {
    let (mut end, mut lines) = (0, 0);
    loop {
        let start = end;
        end += line_end(&log[start..]);
        lines += 1;
        let goes_on =
            wraps(&log[start..end]) && begins_text(&log[..end]) || before_soft_break(&log[start..end]).is_some();
        if !goes_on || lines >= JOINED_LINES_MAX || end == log.len() {
            return end;
        }
    }
}

/// The secrets of some lines: of each by itself, and of those that go on in the next ones, of both together.
fn secrets_of_lines(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let line = &text[start..start + line_end(&text[start..])];
        found.extend(secrets(line).into_iter().map(|span| span.start + start..span.end + start));
        start += line.len();
    }
    let mut start = 0;
    while start < text.len() {
        let parts = parts_read_together(&text[start..]);
        let is_text = begins_text(&text[start..]);
        // All that go on, and those with the line behind them, if it may be of the text.
        let counts = [(parts.len() - 1, true), (parts.len(), ends_run(&text[start..], parts.last()))];
        for (count, _) in counts.into_iter().filter(|(count, tried)| is_text && *tried && *count > 1) {
            let places: Vec<usize> = parts[..count].iter().flat_map(Clone::clone).map(|place| start + place).collect();
            let joined: Vec<u8> = places.iter().map(|&place| text[place]).collect();
            for span in secrets(&joined) {
                // A span for each line.
                found.extend(union(places[span].iter().map(|&place| place..place + 1).collect()));
            }
        }
        start += parts.last().map_or(0, |part| part.end);
        start += line_end(&text[start..]);
    }
    found
}

/// The secrets in `text` of what soft breaks cut: which lines they join, `lines` says, of which `text` is the masked form.
fn secrets_over_soft_breaks(lines: &[u8], text: &[u8], places: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut joined) = (0, Vec::new());
    while start < lines.len() {
        let end = start + line_end(&lines[start..]);
        let said = before_soft_break(&lines[start..end]);
        let goes_on = said.is_some() && end < lines.len();
        if said.is_some() || !joined.is_empty() {
            let part = start..said.map_or(end, |said| start + said.len());
            joined.extend((0..text.len()).filter(|&at| part.contains(&places[at].start)));
        }
        if !goes_on {
            let bytes: Vec<u8> = joined.iter().map(|&at| text[at]).collect();
            for span in secrets(&bytes) {
                // A span for each line.
                found.extend(union(joined[span].iter().map(|&at| at..at + 1).collect()));
            }
            joined.clear();
        }
        start = end;
    }
    found
}

/// What a line of quoted-printable says before its soft break, if it ends in one.
fn before_soft_break(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let said = line.strip_suffix(b"=")?;
    let digits = said.iter().rev().take_while(|&&byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte)).count();
    // The padding of base64 behind something else.
    let pads = digits % 4 == 3 && digits >= 20 && digits < said.len();
    let is_masked = said.windows(MASK.len()).any(|window| window == MASK);
    (SOFT_WIDTHS.contains(&line.len()) && !said.ends_with(b"=") && !pads && !is_masked).then_some(said)
}

/// The first line of a text, and behind it the parts of those lines that go on from it.
fn parts_read_together(text: &[u8]) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let (mut start, mut column) = (0, 0);
    loop {
        let line = &text[start..start + line_end(&text[start..])];
        let bare = line.trim_ascii_end();
        // As far to the right as in the line before, if something blank stands before it, or else from the first sign on.
        let behind = 0 < column && column < bare.len() && line[column - 1] == b' ';
        let indent = bare.len() - bare.trim_ascii_start().len();
        let from = if behind { column } else { indent };
        parts.push(start + if parts.is_empty() { 0 } else { from }..start + bare.len());
        column = bare.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
        start += line.len();
        if !wraps(line) || start == text.len() {
            return parts;
        }
    }
}

/// Whether a part is digits of base64 with or without padding.
fn ends_run(text: &[u8], part: Option<&Range<usize>>) -> bool {
    let part = part.map_or(&b""[..], |part| &text[part.clone()]);
    let padding = part.iter().rev().take(2).take_while(|&&byte| byte == b'=').count();
    part.len() > padding && part[..part.len() - padding].iter().all(|&byte| is_base64(byte))
}

/// How wide programs break quoted-printable (bytes, the sign included).
const SOFT_WIDTHS: std::ops::RangeInclusive<usize> = 62..=80;

/// Whether a line, with its end, ends in many digits of base64.
fn wraps(line: &[u8]) -> bool {
    let bare = line.trim_ascii_end();
    let run = bare.get(bare.len().saturating_sub(RUN_MIN)..).unwrap_or_default();
    let is_of = |signs: &[u8]| run.iter().any(|byte| signs.contains(byte));
    // A run of base64 is of one of its alphabets.
    bare.len() < line.len() && digits_at_the_end(bare) >= RUN_MIN && !(is_of(b"+/") && is_of(b"-_"))
}

/// Whether the first line ends in a text in base64, as wide as programs break it.
fn begins_text(text: &[u8]) -> bool {
    let bare = text[..line_end(text)].trim_ascii_end();
    let digits = digits_at_the_end(bare);
    (RUN_MIN..=RUN_MAX).contains(&digits) && digits.is_multiple_of(4) && decodes_to_text(bare, bare.len() - digits)
}

fn digits_at_the_end(bare: &[u8]) -> usize {
    bare.iter().rev().take_while(|&&byte| is_base64(byte)).count()
}

fn line_end(text: &[u8]) -> usize {
    text.iter().position(|&byte| byte == b'\n').map_or(text.len(), |at| at + 1)
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

/// How many digits of base64 end a line that may go on in the next one, and how many lines are read as one.
const RUN_MIN: usize = 60;
const RUN_MAX: usize = 160;
const JOINED_LINES_MAX: usize = 64;

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
