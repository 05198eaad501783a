//! Tells whether what stands in a table beside or below a key name is more than a word about it. Does not read tables.

use super::{Case, MADE_BYTES_MIN, ValueType, random, secret_charset, value_type};

/// Whether a value in a table is the last of its row, and made of letters and digits as nothing in a list of options is.
pub fn is_beside(case: &Case) -> bool {
    let v = case.value;
    let mixed = v.iter().any(u8::is_ascii_digit) && v.iter().any(u8::is_ascii_alphabetic);
    // `password 'x'`, as Groovy assigns; `secret "db-1" deleted` tells a name.
    if case.quoted {
        let plain = || v.iter().all(u8::is_ascii_alphanumeric);
        let made = || v.len() >= 16 && (plain() || is_barred(case)) && random(v) && secret_charset(v);
        let typed = || is_barred(case) && matches!(value_type(v), ValueType::Uuid | ValueType::HexDigest);
        return mixed && v.len() >= CELL_BYTES_MIN && (case.password() || made() || typed());
    }
    // Of the columns in the middle of a table only what is nothing else is taken, and what stands in a row between bars.
    let barred = || case.password() && is_barred(case) && v.len() >= MADE_BYTES_MIN;
    let whole = case.end_of_line || case.more_follows && (v.len() >= INNER_CELL_BYTES_MIN && random(v) || barred());
    !case.quoted && whole && mixed && v.len() >= CELL_BYTES_MIN
}

/// Whether the key stands in the first cell of a row between bars.
fn is_barred(case: &Case) -> bool {
    case.before.trim_ascii_end() == b"|"
}

/// Whether what stands in a column of secrets is one, and no word about it.
pub fn is_cell(v: &[u8]) -> bool {
    let mixed = v.iter().any(u8::is_ascii_digit) && v.iter().any(u8::is_ascii_alphabetic);
    !v.contains(&b' ') && (mixed && v.len() >= CELL_BYTES_MIN || random(v))
}

/// The shortest value that is taken in a column (bytes).
const CELL_BYTES_MIN: usize = 6;
/// The shortest value that is taken in a column that others follow (bytes).
const INNER_CELL_BYTES_MIN: usize = 20;
