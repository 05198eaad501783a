//! Writes what stands in place of a secret, and knows it again. Does not decide what is masked.

use std::sync::OnceLock;

use crate::{
    finding::Fingerprint,
    limits::JSON_DEPTH_MAX,
    rules::{Rule, Text},
    view::utf16::Encoding,
};

/// What stands in place of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Style {
    /// `[REDACTED:github-pat]`
    #[default]
    Label,
    /// `[REDACTED:github-pat:9f2c61d0]`, the beginning of the fingerprint.
    Hash,
    /// As many `*` as the secret has bytes (in UTF-16: characters).
    Length,
    /// `***`
    Fixed,
    /// The user's text, in which `{rule}` and `{hash}` are filled in.
    Text(String),
}

/// A piece of a mask.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Rule,
    Hash,
}

/// Writes masks of one style and recognises them.
#[derive(Debug)]
pub struct Masker {
    /// The pieces of a mask; empty for [`Style::Length`].
    parts: Vec<Part>,
    /// The ids of all rules, by index.
    ids: Vec<Text>,
    /// Their indices, by the slots of the ids; made when the first mask is read.
    known: OnceLock<Vec<Vec<u16>>>,
    /// Whether a mask needs escaping inside JSON strings.
    special: bool,
}

/// How many hexadecimal digits of the fingerprint a mask shows.
const HASH_DIGITS: usize = 8;
/// The longest mask that is recognised when its end is still to come (bytes).
const MASK_BYTES_MAX: usize = 256;

/// In how many slots rules are looked up by their ids.
const ID_SLOTS: usize = 1024;

fn slot_of(id: &[u8]) -> usize {
    let hash = id.iter().fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> (u32::BITS - ID_SLOTS.ilog2())) as usize
}

impl Masker {
    /// A masker for the rules of one set.
    pub fn new(style: &Style, rules: &[Rule]) -> Masker {
        let template = match style {
            Style::Label => "[REDACTED:{rule}]",
            Style::Hash => "[REDACTED:{rule}:{hash}]",
            Style::Length => "",
            Style::Fixed => "***",
            Style::Text(text) => text,
        };
        let special = template.bytes().any(|byte| byte.is_ascii_control() || matches!(byte, b'"' | b'\\'));
        let ids = rules.iter().map(|rule| rule.id.clone()).collect();
        Masker { parts: parse(template), ids, known: OnceLock::new(), special }
    }

    /// Appends the mask of a secret of `length` bytes, escaped for a string `depth` deep.
    pub fn write(
        &self,
        rule: u16,
        fingerprint: &Fingerprint,
        length: usize,
        depth: usize,
        encoding: Encoding,
        out: &mut Vec<u8>,
    ) {
        if encoding == Encoding::Bytes && !(self.special && depth > 0) {
            return self.write_plain(rule, fingerprint, length, out);
        }
        let mut mask = Vec::new();
        self.write_plain(rule, fingerprint, length, &mut mask);
        if self.special {
            for _ in 0..depth {
                mask = escaped(&mask);
            }
        }
        encoding.encode(&mask, out);
    }

    fn write_plain(&self, rule: u16, fingerprint: &Fingerprint, length: usize, out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text),
                Part::Rule => {
                    out.extend_from_slice(self.ids.get(usize::from(rule)).map_or(&b""[..], |id| id.as_bytes()))
                }
                Part::Hash => out.extend_from_slice(fingerprint.short().as_bytes()),
            }
        }
        if self.parts.is_empty() {
            out.resize(out.len() + length, b'*');
        }
    }

    /// The length of the mask that stands at `at`, if one does that these rules could have
    /// written. Text that only resembles one is not recognised: nothing hides in a forged mask.
    pub fn len_at(&self, text: &[u8], at: usize) -> Option<usize> {
        let rest = text.get(at..)?;
        if self.parts.is_empty() {
            let stars = rest.iter().take_while(|&&byte| byte == b'*').count();
            return (stars > 0).then_some(stars);
        }
        let mut length = 0;
        for part in &self.parts {
            let rest = &rest[length..];
            length += match part {
                Part::Text(text) => rest.starts_with(text).then_some(text.len())?,
                Part::Rule => {
                    let id = rest.iter().take_while(|&&byte| is_id(byte)).count();
                    self.is_rule(&rest[..id]).then_some(id)?
                }
                Part::Hash => {
                    let digits = rest.get(..HASH_DIGITS)?;
                    digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).then_some(HASH_DIGITS)?
                }
            };
        }
        Some(length)
    }

    /// Whether a mask stands anywhere in a text.
    pub fn stands_in(&self, text: &[u8]) -> bool {
        let is_one = |at: usize| self.len_at(text, at).is_some();
        match self.begins() {
            Some(byte) => memchr::memchr_iter(byte, text).any(is_one),
            None => (0..text.len()).any(is_one),
        }
    }

    /// Whether a rule has this id.
    fn is_rule(&self, id: &[u8]) -> bool {
        let slots = self.known.get_or_init(|| {
            let mut slots = vec![Vec::new(); ID_SLOTS];
            for (id, index) in self.ids.iter().zip(0..) {
                slots[slot_of(id.as_bytes())].push(index);
            }
            slots
        });
        slots[slot_of(id)].iter().any(|&index| self.ids[usize::from(index)].as_bytes() == id)
    }

    /// The byte with which each mask begins, if it is always the same.
    pub fn begins(&self) -> Option<u8> {
        match self.parts.first() {
            Some(Part::Text(text)) => text.first().copied(),
            Some(_) => None,
            None => Some(b'*'),
        }
    }

    /// Where a mask may begin that the end of `text` cuts.
    pub fn cut_at_end(&self, text: &[u8]) -> Option<usize> {
        if self.parts.is_empty() {
            let stars = text.iter().rev().take_while(|&&byte| byte == b'*').count();
            return (stars > 0).then_some(text.len() - stars);
        }
        let from = text.len().saturating_sub(MASK_BYTES_MAX);
        (from..text.len()).find(|&at| self.is_beginning(&text[at..]))
    }

    /// Whether more bytes could make a mask of `text`.
    fn is_beginning(&self, text: &[u8]) -> bool {
        let mut rest = text;
        for part in &self.parts {
            let length = match part {
                Part::Text(text) if text.starts_with(rest) => return true,
                Part::Text(text) if rest.starts_with(text) => text.len(),
                Part::Text(_) => return false,
                Part::Rule => {
                    let id = rest.iter().take_while(|&&byte| is_id(byte)).count();
                    if id == rest.len() {
                        return self.ids.iter().any(|known| known.as_bytes().starts_with(rest));
                    }
                    id
                }
                Part::Hash => {
                    let digits = rest.iter().take(HASH_DIGITS).take_while(|byte| byte.is_ascii_hexdigit()).count();
                    if digits == rest.len() {
                        return true;
                    }
                    digits
                }
            };
            rest = &rest[length..];
        }
        false
    }

    /// How deep in JSON strings the text after `before` stands; 0 where no mask needs to know.
    pub fn string_depth(&self, before: &[u8]) -> usize {
        if !self.special {
            return 0;
        }
        let line = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        let line = &before[line..];
        let slashes = |at: usize| line[..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
        let mut depth = 0;
        // A quote at depth d + 1 is written with 2^d - 1 backslashes before it; an odd number of
        // them means that the string is open.
        for level in 0..JSON_DEPTH_MAX {
            let wanted = (1 << level) - 1;
            let quotes = memchr::memchr_iter(b'"', line).filter(|&at| slashes(at) == wanted).count();
            if quotes % 2 == 1 {
                depth = level + 1;
            }
        }
        depth
    }
}

/// Whether a byte can stand in a rule's id.
fn is_id(byte: u8) -> bool {
    byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Splits a template at `{rule}` and `{hash}`.
fn parse(template: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = template;
    while !rest.is_empty() {
        let (part, length) = if rest.starts_with("{rule}") {
            (Part::Rule, 6)
        } else if rest.starts_with("{hash}") {
            (Part::Hash, 6)
        } else {
            let next = ["{rule}", "{hash}"].iter().filter_map(|name| rest.find(name)).min().unwrap_or(rest.len());
            (Part::Text(rest.as_bytes()[..next].to_vec()), next)
        };
        parts.push(part);
        rest = &rest[length..];
    }
    parts
}

/// A text as the inside of a JSON string.
fn escaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8);
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\t' => out.extend(b"\\t"),
            0..=0x1f | 0x7f => out.extend(format!("\\u{byte:04x}").bytes()),
            _ => out.push(byte),
        }
    }
    out
}
