//! Reads what YAML has between a key and its value: tags, anchors, and aliases in the value's place. Does not judge values.

use super::{Scan, Separator, candidate::Candidate, judge, key};

/// What stands where a value may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// Nothing that YAML has there, as far as is known.
    None,
    /// What may be a tag or an anchor, as far as the text goes.
    Open,
    /// A tag that says where the value is kept, or an alias: there is no value.
    Reference,
    /// The kind of the value, which begins behind this place.
    Tag(usize),
    /// A name for the value that begins behind this place, or a value with such a sign in front.
    Anchor(usize),
}

impl Scan<'_> {
    /// What stands at `at` in the place of a candidate's value.
    pub(super) fn property(&mut self, c: &Candidate, at: usize) -> Property {
        if !begins(self.text.get(at)) || c.separator != Separator::Colon || at == c.from {
            return Property::None;
        }
        let rest = self.text.get(at..).unwrap_or_default();
        let length = rest.iter().take(PROPERTY_BYTES_MAX).take_while(|byte| is_of_property(**byte)).count();
        self.reach = self.reach.max(at + length + BEHIND_BYTES_MAX);
        let (word, behind) = rest.split_at(length);
        if behind.is_empty() && !self.ended && length < PROPERTY_BYTES_MAX {
            return Property::Open;
        }
        let blank = matches!(behind, [b' ' | b'\t', ..]);
        let stands = blank || matches!(behind, [] | [b'\n' | b'\r', ..]);
        match word[0] {
            b'*' if is_alias(&word[1..]) => alone(behind, self.ended),
            b'!' if stands && is_core(word) => Property::Tag(at + length),
            b'!' if blank && is_named(&word[1..]) => match refers(&word[1..]) {
                true => Property::Reference,
                false => Property::Tag(at + length),
            },
            b'&' if blank && is_anchor(&word[1..]) => {
                match self.text.get(key::skip_blanks(self.text, at + length)) {
                    None if !self.ended => Property::Open,
                    None | Some(b'\n' | b'\r' | b'=' | b'{' | b'(' | b')' | b'-' | b',' | b'+' | b'&') => {
                        Property::None
                    }
                    // The value was found and masked.
                    Some(_) if self.is_masked(at + length) => Property::Tag(at + length),
                    Some(_) => Property::Anchor(at + length),
                }
            }
            _ => Property::None,
        }
    }

    /// Whether the value behind `from`, and behind a tag, is a mask.
    fn is_masked(&self, from: usize) -> bool {
        let mut at = key::skip_blanks(self.text, from);
        if self.text.get(at) == Some(&b'!') {
            let rest = self.text.get(at..).unwrap_or_default();
            at += rest.iter().take(PROPERTY_BYTES_MAX).take_while(|byte| is_of_property(**byte)).count();
            at = key::skip_blanks(self.text, at);
        }
        let quote = usize::from(matches!(self.text.get(at), Some(b'"' | b'\'')));
        self.env.mask_len_at(self.text, at + quote).is_some()
    }
}

/// Whether a byte is the sign in front of a tag, an anchor or an alias.
pub fn begins(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b'!' | b'&' | b'*'))
}

/// An alias, if nothing else stands on its line.
fn alone(behind: &[u8], ended: bool) -> Property {
    match behind.iter().find(|byte| !matches!(byte, b' ' | b'\t')) {
        None if !ended => Property::Open,
        None | Some(b'\n' | b'\r' | b'#') => Property::Reference,
        Some(_) => Property::None,
    }
}

/// What tags, anchors and aliases are made of.
fn is_of_property(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!&*<>_-.:/,".contains(&byte)
}

/// `!!str`, `!!python/unicode`, `!<tag:yaml.org,2002:str>`, `!`.
fn is_core(tag: &[u8]) -> bool {
    match tag {
        [b'!', b'!', kind @ ..] => {
            let known = [&b"str"[..], b"binary", b"int", b"float", b"bool", b"null", b"timestamp"].contains(&kind);
            let typed = kind.iter().any(|byte| matches!(byte, b'/' | b'.' | b':'));
            known || typed && kind[0].is_ascii_alphabetic() && !judge::is_made(kind)
        }
        [b'!', b'<', .., b'>'] => true,
        _ => tag == b"!",
    }
}

/// Whether a tag's name is made of words.
fn is_named(name: &[u8]) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/');
    name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(word)
}

/// Whether a tag says where the value is, or how it is made of others: `!Ref`, `!GetAtt`, `!env_var`, `!vault`.
fn refers(name: &[u8]) -> bool {
    let joins = |byte: &u8| !byte.is_ascii_alphabetic();
    let humps = |word| <[u8]>::chunk_by(word, |a, b| !(a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    name.split(joins)
        .flat_map(|word| std::iter::once(word).chain(humps(word)))
        .any(|word| REFERENCES.iter().any(|reference| word.eq_ignore_ascii_case(reference.as_bytes())))
}

/// Whether a word may be the name of an anchor, and is none that Rust has behind the sign.
fn is_anchor(name: &[u8]) -> bool {
    let rust = [&b"mut"[..], b"str", b"dyn", b"static", b"const", b"impl", b"crate", b"self"];
    is_label(name) && !judge::is_made(name) && !rust.contains(&name)
}

/// Whether a word may be the name of an alias, and no password with a sign in front.
fn is_alias(name: &[u8]) -> bool {
    let digits = name.iter().filter(|byte| byte.is_ascii_digit()).count();
    is_label(name) && digits <= LABEL_DIGITS_MAX && !judge::is_made(name)
}

fn is_label(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Words of tags behind which a name, a path or an expression stands.
const REFERENCES: &[&str] = &[
    "ref",
    "reference",
    "getatt",
    "att",
    "importvalue",
    "import",
    "include",
    "sub",
    "join",
    "select",
    "split",
    "findinmap",
    "find",
    "if",
    "condition",
    "transform",
    "cidr",
    "getazs",
    "env",
    "envvar",
    "environ",
    "environment",
    "var",
    "variable",
    "param",
    "parameter",
    "secret",
    "secrets",
    "vault",
    "file",
    "path",
    "lookup",
    "context",
    "keyof",
    "format",
    "output",
    "stack",
    "ssm",
    "kms",
    "sops",
    "keyvault",
    "secretsmanager",
    "template",
    "encrypted",
    "config",
    "setting",
    "input",
    "expr",
    "eval",
    "call",
    "get",
    "load",
    "url",
];
/// How many of them a value has in front at most: a tag and an anchor.
pub const PROPERTIES_MAX: usize = 2;
/// The longest tag or anchor (bytes).
const PROPERTY_BYTES_MAX: usize = 80;
/// How far behind one it is looked for what follows (bytes).
const BEHIND_BYTES_MAX: usize = 80;
/// How many digits the name of an alias has at most.
const LABEL_DIGITS_MAX: usize = 2;
