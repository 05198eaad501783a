//! Finds the values of Kubernetes Secrets, whatever their keys are called: in manifests, line by line, and in JSON on
//! one line. Does not decode them, and does not judge what other manifests hold.
//!
//! What one line says about the next is a [`Manifest`]; it holds no byte of a value. `kubectl` prints `data` before
//! `kind`, and no verdict may depend on what follows. So `data` right behind `apiVersion: v1` is taken for a Secret's
//! as long as its values are base64, of which those are masked that decode to text or look random: a ConfigMap's are
//! neither.

mod flow;

use std::{cmp::Ordering, ops::Range};

use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::{
    assigned::{Family, Place, Strength},
    judge::{self, Case, Separator},
    lines::lines,
};
use crate::view;

/// Whether a Secret's manifest may begin where one of the prefilter's words stands in `text`, which may be escaped.
pub fn may_begin(text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    if let Some(behind) = rest.strip_prefix(SECRET) {
        let behind = behind.strip_prefix(LIST).unwrap_or(behind);
        let ends = behind.first().is_none_or(|byte| !is_key(*byte) && !matches!(byte, b':' | b'/'));
        let head = &text[at.saturating_sub(MARKS_MAX)..at];
        return ends
            && trim_marks_end(head).strip_suffix(b":").is_some_and(|head| trim_marks_end(head).ends_with(KIND));
    }
    let version = || {
        let behind = skip_marks(rest.strip_prefix(VERSION)?).strip_prefix(b":")?;
        let behind = skip_marks(behind).strip_prefix(V1)?;
        // In a string, an escaped line end stands behind it.
        let ends = |text: &[u8]| matches!(text.first(), None | Some(b'\n' | b'\r' | b'n' | b'r'));
        let next = skip_marks(behind);
        Some(
            ends(next)
                || next
                    .strip_prefix(b",")
                    .map(skip_marks)
                    .is_some_and(|next| ends(next) || next.starts_with(DATA) || next.starts_with(STRINGS)),
        )
    };
    version().unwrap_or(false)
}

/// A manifest whose values may be those of a Secret, at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Where its own keys stand in their lines.
    place: Place,
    stage: Stage,
    /// The form of the values that the next line may hold.
    values: Option<Form>,
    /// Where these stand in their lines, once one was seen: what stands further in is the rest of one.
    column: Option<u32>,
    /// How many more lines that say nothing do not end it.
    lines: u8,
}

/// How much of a manifest was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// Its `apiVersion: v1`, on the line before.
    Version,
    /// `data` behind that, and no `kind` yet.
    Data,
    /// `kind: Secret`.
    Secret,
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Form {
    /// In base64: those of `data`.
    Encoded,
    /// As they are: those of `stringData`.
    Plain,
}

/// What a line says about the manifest before it.
#[derive(PartialEq, Eq)]
enum Next {
    GoesOn,
    Over,
    /// Somebody else has written it, and another manifest may begin there.
    Foreign,
}

/// A value of a Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Where it stands in the text.
    pub span: Range<usize>,
    /// Whether its manifest was seen to be a Secret's.
    pub told: bool,
}

/// Appends the values of Secrets in `text` to `found`. `open` is the manifest that the text before has left, and that
/// this one leaves.
///
/// `ended` is false where more bytes may follow; then the place is returned where a value begins that they could
/// lengthen. `is_mask` tells our own masks.
pub fn scan(
    text: &[u8],
    ended: bool,
    is_mask: &dyn Fn(&[u8]) -> bool,
    open: &mut Option<Manifest>,
    found: &mut Vec<Value>,
) -> Option<usize> {
    for (line, cut) in lines(text, ended) {
        let start = line.start;
        let line = text[line.clone()].strip_suffix(b"\r").unwrap_or(&text[line]);
        let first = found.len();
        let live = match open {
            Some(manifest) if cut => manifest.live(line),
            Some(manifest) => {
                *open = match manifest.line(line, is_mask, found) {
                    Next::GoesOn => *open,
                    Next::Over => Manifest::opened(line),
                    Next::Foreign => Manifest::opened(line).or(*open),
                };
                None
            }
            None => {
                *open = Manifest::opened(line).filter(|_| !cut);
                None
            }
        };
        let live = live.or(flow::scan(line, cut, is_mask, found));
        found[first..].iter_mut().for_each(|value| value.span = value.span.start + start..value.span.end + start);
        if let Some(at) = live {
            return Some(start + at);
        }
    }
    None
}

impl Manifest {
    /// The manifest that begins on a line, with its `apiVersion` or its `kind`.
    fn opened(line: &[u8]) -> Option<Manifest> {
        [(KIND, Stage::Secret), (VERSION, Stage::Version)].into_iter().find_map(|(word, stage)| {
            let at = memmem::rfind(line, word)?;
            let begins = at - usize::from(at > 0 && line[at - 1] == b'"');
            let (head, rest) = line.split_at(begins);
            let wanted = if stage == Stage::Secret { SECRET } else { V1 };
            let is_it = |entry: &Entry| rest[entry.key.clone()] == *word && rest[entry.value.clone()] == *wanted;
            let begins_word = head.last().is_none_or(|byte| !is_key(*byte));
            Entry::of(rest).filter(|entry| begins_word && is_it(entry) && entry.ends(rest))?;
            Some(Manifest { place: Place::new(head), stage, values: None, column: None, lines: LINES_MAX })
        })
    }

    /// Whether some line leaves one like it.
    pub fn is_sound(&self) -> bool {
        self.lines <= LINES_MAX
    }

    /// Reads the next line.
    fn line(&mut self, line: &[u8], is_mask: &dyn Fn(&[u8]) -> bool, found: &mut Vec<Value>) -> Next {
        let Some((depth, at)) = self.place.against(line).filter(|(_, at)| *at < line.len()) else {
            return if self.says_nothing() { Next::Foreign } else { Next::Over };
        };
        let content = &line[at..];
        if depth == Ordering::Greater && self.values.is_none() && self.column.is_some() {
            // Its values were seen: what is indented deeper may be another manifest, in JSON.
            return if self.says_nothing() { Next::Foreign } else { Next::Over };
        }
        let goes_on = match (depth, self.values) {
            (Ordering::Greater, None) => self.stage != Stage::Version && self.says_nothing(),
            (Ordering::Greater, Some(form)) => {
                let first = found.len();
                let column = *self.column.get_or_insert(at as u32);
                let goes_on = match at as u32 > column {
                    true => self.rest_of_value(content, form, found),
                    false => self.value(content, form, is_mask, found),
                };
                found[first..].iter_mut().for_each(|value| value.span = value.span.start + at..value.span.end + at);
                goes_on
            }
            (Ordering::Equal, _) => self.key(content),
            // The end of an object or an item, or a line of somebody else.
            (Ordering::Less, _) => {
                !matches!(content[0], b'}' | b']') && !content.starts_with(b"- ") && self.says_nothing()
            }
        };
        if goes_on { Next::GoesOn } else { Next::Over }
    }

    /// Reads a line with one of the manifest's own keys.
    fn key(&mut self, content: &[u8]) -> bool {
        if content.starts_with(b"---") || content.starts_with(b"...") {
            return false;
        }
        // Another object may begin, or this one end; what somebody else writes in between ends nothing.
        if matches!(content, [b'{' | b'}', ..]) {
            self.values = None;
            return content[0] == b'}' || self.says_nothing();
        }
        let Some(entry) = Entry::of(content) else { return self.says_nothing() };
        let (key, value) = (&content[entry.key], &content[entry.value]);
        let fresh = self.lines == LINES_MAX;
        let form = Form::of_key(key);
        self.values = None;
        match self.stage {
            _ if key == KIND => {
                self.stage = Stage::Secret;
                self.lines = LINES_MAX;
                value == SECRET
            }
            // Another one begins, unless this is the line behind its `kind`.
            _ if key == VERSION => self.stage == Stage::Secret && fresh,
            Stage::Version if form.is_none() || !fresh => false,
            _ => {
                if self.stage == Stage::Version {
                    self.stage = Stage::Data;
                }
                self.values = form.filter(|_| matches!(value, b"" | b"{"));
                if form.is_some() {
                    self.column = None;
                }
                self.says_nothing()
            }
        }
    }

    /// Reads a line below `data`.
    fn value(&mut self, content: &[u8], form: Form, is_mask: &dyn Fn(&[u8]) -> bool, found: &mut Vec<Value>) -> bool {
        let told = self.stage == Stage::Secret;
        let Some(entry) = Entry::of(content) else { return told };
        let value = &content[entry.value.clone()];
        if value.is_empty() || is_mask(value) {
            return true;
        }
        if form.holds_secret(value, told, entry.quoted) {
            found.push(Value { span: entry.value, told });
            return true;
        }
        // In another manifest's data, what looks like base64 is none.
        told || form == Form::Encoded && is_base64(value)
    }

    /// Reads a line of a value that goes over several.
    fn rest_of_value(&mut self, content: &[u8], form: Form, found: &mut Vec<Value>) -> bool {
        let told = self.stage == Stage::Secret;
        let all = content.trim_ascii_end();
        let secret = match form {
            Form::Encoded => all.len() >= PIECE_BYTES_MIN && all.iter().all(|byte| is_digit(*byte)),
            // Of a file in a block scalar, what stands alone on its line.
            Form::Plain => !all.contains(&b' ') && judge::judge(&plain(all)).is_some(),
        };
        if told && secret {
            found.push(Value { span: 0..all.len(), told });
        }
        told
    }

    /// Where a value begins in a line that may go on.
    fn live(&self, line: &[u8]) -> Option<usize> {
        self.values?;
        let (depth, at) = self.place.against(line).filter(|(_, at)| *at < line.len())?;
        if depth != Ordering::Greater {
            return None;
        }
        let content = &line[at..];
        match Entry::of(content) {
            Some(entry) => (entry.value.start < content.len()).then_some(at + entry.value.start),
            None => content.iter().all(|byte| is_digit(*byte)).then_some(at),
        }
    }

    /// Counts a line that says nothing.
    fn says_nothing(&mut self) -> bool {
        self.lines = self.lines.saturating_sub(1);
        self.lines > 0
    }
}

impl Form {
    fn of_key(key: &[u8]) -> Option<Form> {
        match key {
            _ if key == DATA => Some(Form::Encoded),
            _ if key == STRINGS => Some(Form::Plain),
            _ => None,
        }
    }

    /// Whether a value written so is a secret. `told` says that its manifest is known to be a Secret's.
    fn holds_secret(self, value: &[u8], told: bool, quoted: bool) -> bool {
        match self {
            Form::Encoded => {
                let is_public = || PUBLIC.iter().any(|begin| value.starts_with(begin));
                let likely = || told || is_text(value) || is_random(value);
                value.len() >= ENCODED_BYTES_MIN && is_base64(value) && likely() && !is_public()
            }
            Form::Plain => {
                let written = quoted || !matches!(value[0], b'|' | b'>' | b'&' | b'*' | b'!' | b'{' | b'[' | b'#');
                told && written && judge::judge(&plain(value)).is_some()
            }
        }
    }
}

/// A value of `stringData`: that it stands there says as much as the best of names.
fn plain(value: &[u8]) -> Case<'_> {
    Case {
        value,
        quoted: true,
        separator: Separator::Pair,
        end_of_line: true,
        more_follows: false,
        spaced: false,
        columns: false,
        strength: Strength::Strong,
        family: Family::Passphrase,
        plural: false,
        key: &[],
        before: &[],
        values: None,
    }
}

/// A key and its value, `key: value` or `"key": "value",`.
struct Entry {
    key: Range<usize>,
    value: Range<usize>,
    quoted: bool,
}

impl Entry {
    /// Of what a line's content begins with.
    fn of(content: &[u8]) -> Option<Entry> {
        let key_quote = usize::from(content.first() == Some(&b'"'));
        let length = content[key_quote..].iter().take_while(|byte| is_key(**byte)).count();
        let key = key_quote..key_quote + length;
        let closing = if key_quote == 1 { &b"\""[..] } else { b"" };
        let behind = content[key.end..].strip_prefix(closing)?.trim_ascii_start();
        let behind = behind.strip_prefix(b":").filter(|_| length > 0)?;
        // In YAML a blank stands behind the colon.
        if key_quote == 0 && !matches!(behind.first(), None | Some(b' ' | b'\t')) {
            return None;
        }
        let start = content.len() - behind.trim_ascii_start().len();
        let Some(&quote @ (b'"' | b'\'')) = content.get(start) else {
            let value = content[start..].iter().take_while(|byte| !matches!(byte, b' ' | b'\t' | b',')).count();
            return Some(Entry { key, value: start..start + value, quoted: false });
        };
        let end = string_end(content, start + 1, quote).unwrap_or(content.len());
        Some(Entry { key, value: start + 1..end, quoted: true })
    }

    /// Whether nothing but a comma or a comment stands behind the value.
    fn ends(&self, content: &[u8]) -> bool {
        let behind = &content[(self.value.end + usize::from(self.quoted)).min(content.len())..];
        matches!(behind.trim_ascii(), b"" | b",") || behind.starts_with(b" #")
    }
}

/// Where the string ends that begins at `from`.
fn string_end(text: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    loop {
        match *text.get(at)? {
            byte if byte == quote => return Some(at),
            b'\\' if quote == b'"' => at += 2,
            _ => at += 1,
        }
    }
}

/// Whole groups of base64 digits, padded, as the API takes nothing else.
fn is_base64(value: &[u8]) -> bool {
    let padding = value.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let digits = &value[..value.len() - padding];
    value.len().is_multiple_of(4) && digits.iter().all(|byte| is_digit(*byte) && *byte != b'=')
}

/// Whether base64 decodes to text, so that this is no chance.
fn is_text(value: &[u8]) -> bool {
    (value.ends_with(b"=") || value.len() >= TEXT_BYTES_MIN) && view::decodes_to_text(value, 0)
}

/// Whether it is a long run of random digits, and nothing else that is known.
fn is_random(value: &[u8]) -> bool {
    (RANDOM_BYTES_MIN..=RANDOM_BYTES_MAX).contains(&value.len()) && judge::bare(value).is_some()
}

/// A digit of the alphabet that the API takes, or padding.
fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// What a Secret's keys are made of.
fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// Quotes, the backslashes before them, and blanks.
fn is_mark(byte: &u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'\\' | b' ' | b'\t')
}

fn skip_marks(text: &[u8]) -> &[u8] {
    &text[text.iter().take(MARKS_MAX).take_while(|byte| is_mark(byte)).count()..]
}

fn trim_marks_end(text: &[u8]) -> &[u8] {
    &text[..text.len() - text.iter().rev().take_while(|byte| is_mark(byte)).count()]
}

const KIND: &[u8] = b"kind";
const SECRET: &[u8] = b"Secret";
const LIST: &[u8] = b"List";
const VERSION: &[u8] = b"apiVersion";
const V1: &[u8] = b"v1";
const DATA: &[u8] = b"data";
const STRINGS: &[u8] = b"stringData";

/// How certificates and public keys begin, in base64: `-----BEGIN CERTIFICATE`, `-----BEGIN PUBLIC KEY`, `ssh-rsa AAAA`,
/// `ssh-ed25519 `.
const PUBLIC: &[&[u8]] =
    &[b"LS0tLS1CRUdJTiBDRVJUSUZJQ0FU", b"LS0tLS1CRUdJTiBQVUJMSUMgS0VZ", b"c3NoLXJzYSBBQUFB", b"c3NoLWVkMjU1MTkg"];

/// How many lines of metadata, or of somebody else, may stand in a manifest before its values.
const LINES_MAX: u8 = 96;
/// How many quotes, backslashes and blanks are looked over.
const MARKS_MAX: usize = 24;
/// The shortest value in base64: of four bytes.
const ENCODED_BYTES_MIN: usize = 8;
/// The shortest line of a value that goes over several.
const PIECE_BYTES_MIN: usize = 4;
/// The shortest base64 without padding whose decoding is text by no chance (bytes).
const TEXT_BYTES_MIN: usize = 8;
/// The shortest and the longest run that may be a random secret before a manifest's kind is known (bytes).
const RANDOM_BYTES_MIN: usize = 24;
const RANDOM_BYTES_MAX: usize = 512;
