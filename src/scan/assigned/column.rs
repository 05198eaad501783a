//! Finds the cell beside a key name that stands in the first column of a table without a header. Does not judge what is in it.

use std::ops::Range;

use super::{Names, key, name::KeyWords};

/// Where the value's column begins, if `text[start..end]` is the first word of the line that begins at `line` and one
/// is beside it, as in `vault kv get`, `psql` and `.netrc`: behind two blanks, a tab or a bar, or alone behind `password`.
pub fn column(text: &[u8], line: usize, start: usize, end: usize) -> Option<usize> {
    let head = text.get(line..start)?;
    let first = head.iter().all(|b| is_of_frame(*b)) && head.len() <= COLUMN_BYTES_MAX;
    if !first {
        return None;
    }
    let rest = text.get(end..)?;
    let gap = rest.iter().take(COLUMN_BYTES_MAX).take_while(|b| matches!(b, b' ' | b'\t')).count();
    let bar = if gap > 0 { bar(&rest[gap..]) } else { 0 };
    let bar = if rest.get(gap + bar) == Some(&b' ') { bar } else { 0 };
    let told = [&b" for "[..], b" is ", b" was ", b" has ", b" set ", b" changed ", b" reset "];
    let netrc = gap == 1 && text.get(start..end)? == b"password" && !told.iter().any(|word| rest.starts_with(word));
    let wide = gap > 1 || rest.first() == Some(&b'\t') || netrc;
    // A quoted value alone behind its name, as Groovy has it.
    let quoted = gap == 1 && matches!(rest.get(1), Some(b'\'' | b'"'));
    (bar > 0 || wide || quoted).then_some(if bar > 0 { end + gap + bar } else { end })
}

/// How long the bar is that parts the cells of a table, if a text begins with one (bytes): `|`, `│`, `┃`, `┆`, `┊`, `║`.
pub fn bar(text: &[u8]) -> usize {
    match text {
        [b'|', ..] => 1,
        [0xe2, 0x94, 0x82 | 0x83 | 0x86 | 0x8a, ..] | [0xe2, 0x95, 0x91, ..] => 3,
        _ => 0,
    }
}

/// What stands before the first cell of a row: blanks, and bytes of a bar.
fn is_of_frame(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'|' | 0xe2 | 0x94 | 0x95 | 0x82 | 0x83 | 0x86 | 0x8a | 0x91)
}

/// Whether the word that begins its line at `first` is a name of the table with a column behind it.
pub fn is_column(names: &Names, text: &[u8], word: Range<usize>, open: bool, words: &mut KeyWords) -> bool {
    let Range { start: first, end } = word;
    // Nearly all words stand amid others, which one byte tells.
    let escaped = |at: usize| at > 1 && text[at - 2] == b'\\' && matches!(text[at - 1], b'n' | b'r' | b't');
    // The letter of an escape is no letter of the name.
    let first = first + usize::from(escaped(first + 1));
    let begins = first.checked_sub(1).is_none_or(|at| is_of_frame(text[at]) || text[at] == b'\n');
    if !begins && !escaped(first) {
        return false;
    }
    let to = end + text[end..].iter().take_while(|&&byte| key::is_ident(byte)).count();
    let unknown = open && to == text.len();
    if !unknown && !matches!(text.get(to), Some(b' ' | b'\t')) {
        return false;
    }
    let head = text[..first].iter().rev().take(COLUMN_BYTES_MAX).take_while(|b| is_of_frame(**b));
    let line = first - head.count();
    let stands = line == 0 || text[line - 1] == b'\n' || escaped(line);
    stands && (unknown || column(text, line, first, to).is_some()) && names.look_up(&text[first..to], words).is_some()
}

/// How wide the blanks before or behind a name are in a table (bytes).
const COLUMN_BYTES_MAX: usize = 64;
