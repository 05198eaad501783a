//! Tells whether what stands in a table beside or below a key name is more than a word about it. Does not read tables.

use super::super::assigned::bar;
use super::{
    Case, Confidence, MADE_BYTES_MIN, Question, ValueType, Verdict, is_code, is_jumbled, is_placeholder, mix, random,
    secret_charset, value_type,
};

/// Whether a value in a table is the last of its row, and made of letters and digits as nothing in a list of options is.
pub fn is_beside(case: &Case) -> bool {
    let v = case.value;
    // In a row between bars, letters alone may be a password that a machine made.
    let shuffled = || case.password() && is_barred(case) && is_shuffled(v);
    let signed = || is_barred(case) && v.len() >= MADE_BYTES_MIN && random(v) && v.iter().any(|b| SIGNS.contains(b));
    let mixed = v.iter().any(u8::is_ascii_digit) && v.iter().any(u8::is_ascii_alphabetic) || shuffled() || signed();
    // `password 'x'`, as Groovy assigns; `secret "db-1" deleted` tells a name.
    if case.quoted {
        let plain = || v.iter().all(u8::is_ascii_alphanumeric);
        let made = || v.len() >= 16 && (plain() || is_barred(case)) && random(v) && secret_charset(v);
        let typed = || is_barred(case) && matches!(value_type(v), ValueType::Uuid | ValueType::HexDigest);
        return mixed && v.len() >= CELL_BYTES_MIN && (case.password() || made() || typed()) || signed();
    }
    // Of the columns in the middle of a table only what is nothing else is taken, and what stands in a row between bars.
    let barred = || is_barred(case) && (case.password() || v.len() >= MADE_BYTES_MIN && (random(v) || is_jumbled(v)));
    let inner = v.len() >= INNER_CELL_BYTES_MIN && random(v);
    let whole = case.end_of_line || case.more_follows && (inner || barred());
    !case.quoted && whole && mixed && v.len() >= CELL_BYTES_MIN
}

/// Whether letters of both cases stand in a row by chance, and in no humps.
fn is_shuffled(v: &[u8]) -> bool {
    let (_, changes) = mix(v);
    v.len() >= 12 && v.iter().all(u8::is_ascii_alphabetic) && changes * 3 >= v.len() && random(v)
}

/// Whether the key stands in the first cell of a row between bars.
fn is_barred(case: &Case) -> bool {
    let frame = case.before.trim_ascii();
    !frame.is_empty() && bar(frame) == frame.len()
}

/// Whether the second of a pair is more than another word for the first: its type, its label, a name beside a name.
pub fn is_item(case: &Case) -> bool {
    is_cell(case.value) && !case.asks(Question::IsCode)
}

/// Whether what stands in a column of secrets is one, and no word about it.
pub fn is_cell(v: &[u8]) -> bool {
    let mixed = v.iter().any(u8::is_ascii_digit) && v.iter().any(u8::is_ascii_alphabetic);
    !v.contains(&b' ') && (mixed && v.len() >= CELL_BYTES_MIN || random(v))
}

/// The verdict on a value of a map of secrets, whose key says nothing.
pub fn entry(case: &Case) -> Option<Verdict> {
    let v = case.value;
    let mixed = v.iter().any(u8::is_ascii_digit) && v.iter().any(u8::is_ascii_alphabetic);
    let made = match value_type(v) {
        ValueType::Opaque if !case.password() => random(v),
        ValueType::HexDigest | ValueType::Uuid => true,
        _ => case.password() && v.len() >= MADE_BYTES_MIN && !v.contains(&b'/'),
    };
    let is_secret = mixed && made && secret_charset(v) && !is_placeholder(v) && (case.quoted || !is_code(v));
    is_secret.then_some((Confidence::Medium, "a value of a map of secrets"))
}

/// Signs that passwords have, and names and types do not.
const SIGNS: &[u8] = b"!#%^&*?@+=~$";
/// The shortest value that is taken in a column (bytes).
const CELL_BYTES_MIN: usize = 6;
/// The shortest value that is taken in a column that others follow (bytes).
const INNER_CELL_BYTES_MIN: usize = 20;
