//! Tells whether a value says in words that a secret belongs in its place. Does not know other placeholders.

use super::{
    bytes::{Texts, begins_with_one, places},
    randomness::{is_made, text_odds},
};
use crate::rules::condition::ByteSet;

/// Words that say "put yours here".
pub fn speaks(v: &[u8]) -> bool {
    // Most values neither begin as one of the words does nor hold one.
    if v.is_empty() || v.len() > 64 || !BEGINNINGS.may_begin(v) && !AMID.any(v, |_, _| true) {
        return false;
    }
    let mut lower = [0u8; 64];
    let Some(lower) = lower.get_mut(..v.len()) else { return false };
    lower.copy_from_slice(v);
    lower.make_ascii_lowercase();
    let lower: &[u8] = lower;
    // `my_` and the like begin passwords as well: what follows must read like words.
    let plain = || {
        (!v.iter().any(u8::is_ascii_digit) || OWN.iter().any(|word| places(lower, word.as_bytes()).next().is_some()))
            && v.iter().filter(|b| b.is_ascii_digit()).count() <= 3
            && v.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b' '))
            && text_odds(v) > -60
    };
    let held = ByteSet::of(lower);
    // `example-Xy7Kq2mVb9`: what stands beside the words may be a secret by itself.
    let alone = |at: usize, length: usize| !is_made(&v[..at]) && !is_made(&v[at + length..]);
    let begins = |s: &&str| lower.starts_with(s.as_bytes()) && is_written(&v[..s.len()]);
    let holds = |(bytes, s): &(ByteSet, &'static str)| {
        // Few values hold all of the letters.
        if !bytes.is_within(&held) {
            return None;
        }
        places(lower, s.as_bytes()).find(|at| is_written(&v[*at..at + s.len()])).map(|at| (at, s.len()))
    };
    begins_with_one(lower, OWN_STARTS) && plain()
        || MASK_STARTS.iter().any(&begins)
        || SPEECH_STARTS.iter().any(|s| begins(s) && alone(0, s.len()))
        || [&b"your"[..], b"<your"].iter().any(|s| {
            let begins = lower.starts_with(s) && is_written(&v[..s.len()]);
            begins && is_owned(&lower[s.len()..]) && alone(0, s.len())
        })
        || MASKS.iter().any(|word| holds(word).is_some())
        || SPEECH.iter().filter_map(holds).any(|(at, length)| alone(at, length))
}

/// Whether a value says of itself that it is an example: `AKIAIOSFODNN7EXAMPLE`, `dummy-8HF0DNBZZd`.
pub fn names_an_example(v: &[u8]) -> bool {
    let v = &v[..v.len().min(EXAMPLE_BYTES_MAX)];
    EXAMPLES.any(v, |at, word| is_written(&v[at..at + word.len()]))
}

/// Whether letters are in a case in which somebody writes words: `replace_me`, `REPLACEME`, `replaceMe`, but not `fAKe`,
/// which chance makes.
fn is_written(word: &[u8]) -> bool {
    let mut humps = word.chunk_by(|a, b| !(a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    !word.iter().any(u8::is_ascii_lowercase)
        || humps.all(|hump| {
            let rest = hump.get(1..).unwrap_or_default();
            !rest.is_empty() && !rest.iter().any(u8::is_ascii_uppercase)
        })
}

/// Whether what follows `your` is no word, or the beginning of one that names what is to be filled in.
fn is_owned(rest: &[u8]) -> bool {
    !rest.first().is_some_and(u8::is_ascii_lowercase) || OWN.iter().any(|word| rest.starts_with(word.as_bytes()))
}

/// What a reader has that is to be filled in.
const OWN: &[&str] = &[
    "pass", "pwd", "pw", "secret", "token", "key", "api", "name", "user", "app", "org", "project", "account", "client",
    "auth", "cred", "access", "private", "id", "domain", "host", "mail", "email", "server", "db", "database",
    "company", "team", "own", "service", "bot", "license", "value", "string", "text", "phrase", "login", "jwt", "url",
    "site", "web", "github", "aws",
];
const OWN_STARTS: &[&str] = &["my-", "my_", "some-", "some_", "put-", "put_"];
const SPEECH_STARTS: &[&str] =
    &["insert", "replace", "enter ", "type ", "example", "sample", "dummy", "fake", "todo", "fixme"];
/// How a secret is written that somebody has masked, with a number of it or without.
const MASK_STARTS: &[&str] = &["redacted", "removed", "masked", "hidden", "filtered"];
const MASKS: &[(ByteSet, &str)] = &[speech("redacted"), speech("sensitive")];
/// Words anywhere in a value, and their bytes.
const SPEECH: &[(ByteSet, &str)] = &[
    speech("your-"),
    speech("your_"),
    speech("yourtoken"),
    speech("yourpassword"),
    speech("_here"),
    speech("-here"),
    speech("placeholder"),
    speech("replaceme"),
    speech("replace-me"),
    speech("replace_me"),
];

const fn speech(words: &str) -> (ByteSet, &str) {
    (ByteSet::of(words.as_bytes()), words)
}

/// All that stands only at a value's beginning.
static BEGINNINGS: Texts = Texts::caseless(&[
    "my-", "my_", "some-", "some_", "put-", "put_", "insert", "replace", "enter ", "type ", "example", "sample",
    "dummy", "fake", "todo", "fixme", "redacted", "removed", "masked", "hidden", "filtered", "your", "<your",
]);
/// All words that may stand anywhere.
static AMID: Texts = Texts::caseless(&[
    "redacted",
    "sensitive",
    "your-",
    "your_",
    "yourtoken",
    "yourpassword",
    "_here",
    "-here",
    "placeholder",
    "replaceme",
    "replace-me",
    "replace_me",
]);

/// Words that are said of examples.
static EXAMPLES: Texts = Texts::caseless(&["example", "dummy", "sample", "placeholder", "changeme"]);
/// How much of a value is looked at for them (bytes).
const EXAMPLE_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_most_values_are_told_by_knows_all_words() {
        let starts = [OWN_STARTS, SPEECH_STARTS, MASK_STARTS, &["your", "<your"]].concat();
        assert!(starts.iter().all(|word| BEGINNINGS.may_begin(word.as_bytes())));
        assert!(MASKS.iter().chain(SPEECH).all(|(_, word)| AMID.any(word.as_bytes(), |at, _| at == 0)));
    }
}
