//! Tells whether a value says in words that a secret belongs in its place. Does not know other placeholders.

use super::{placeholder::places, randomness::text_odds};

/// Words that say "put yours here".
pub fn speaks(v: &[u8]) -> bool {
    if v.len() > 64 {
        return false;
    }
    let mut lower = [0u8; 64];
    let Some(lower) = lower.get_mut(..v.len()) else { return false };
    lower.copy_from_slice(v);
    lower.make_ascii_lowercase();
    let lower: &[u8] = lower;
    // `my_` and the like begin passwords as well: what follows must read like words.
    let plain = || {
        v.iter().filter(|b| b.is_ascii_digit()).count() <= 3
            && v.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b' '))
            && text_odds(v) > -60
    };
    OWN_STARTS.iter().any(|s| lower.starts_with(s.as_bytes())) && plain()
        || SPEECH_STARTS.iter().any(|s| lower.starts_with(s.as_bytes()) && is_written(&v[..s.len()]))
        || SPEECH.iter().any(|s| places(lower, s.as_bytes()).any(|at| is_written(&v[at..at + s.len()])))
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

const OWN_STARTS: &[&str] = &["my-", "my_", "some-", "some_", "put-", "put_"];
const SPEECH_STARTS: &[&str] = &[
    "your", "<your", "insert", "replace", "enter ", "type ", "example", "sample", "dummy", "fake", "todo", "fixme",
    "redacted", "removed", "masked", "hidden", "filtered",
];
const SPEECH: &[&str] = &[
    "your-",
    "your_",
    "yourtoken",
    "yourpassword",
    "_here",
    "-here",
    "placeholder",
    "redacted",
    "replaceme",
    "replace-me",
    "replace_me",
    "sensitive",
];
