//! Chooses where an over-long line is cut, and knows where a value that is longer than any bound
//! ends. Both depend on the bytes alone. Does not scan.

use crate::{
    limits::CUT_SEARCH_BYTES,
    view::{self, utf16::Encoding},
};

/// The bytes before a cut among which no escape may stand.
const QUIET_BYTES: usize = 16;

/// A place at or before `target` at which every view is in its ground state: a line end where the
/// window holds whole records, else after white space or a comma with no escape near, else between
/// two groups of a base64 run.
pub fn place(window: &[u8], target: usize, records: bool, encoding: Encoding) -> usize {
    if encoding != Encoding::Bytes {
        return target & !1;
    }
    if records && let Some(end) = memchr::memrchr(b'\n', &window[..target]) {
        return end + 1;
    }
    let from = target.saturating_sub(CUT_SEARCH_BYTES).max(1);
    let neutral = (from..=target)
        .rev()
        .find(|&at| matches!(window[at - 1], b' ' | b'\t' | b',' | b';') && is_quiet(&window[..at]));
    if let Some(at) = neutral {
        return at;
    }
    let run = window[..target].iter().rev().take_while(|&&byte| view::is_base64(byte)).count();
    if run >= 4 { target - run % 4 } else { target }
}

/// Whether no escape is open at the end of a text, nor closely before it.
fn is_quiet(text: &[u8]) -> bool {
    let near = &text[text.len().saturating_sub(QUIET_BYTES)..];
    !near.iter().any(|byte| matches!(byte, b'\\' | b'%' | b'&' | 0x1b)) && !view::escape_is_open(text)
}

/// Whether a text ends inside a string, if it began so or not.
pub fn in_string(text: &[u8], began: bool) -> bool {
    let line = memchr::memrchr(b'\n', text).map(|end| end + 1);
    let mut inside = began && line.is_none();
    let mut escaped = false;
    for &byte in &text[line.unwrap_or(0)..] {
        match byte {
            b'\\' => escaped = !escaped,
            b'"' if !escaped => inside = !inside,
            _ => escaped = false,
        }
        if byte != b'\\' {
            escaped = false;
        }
    }
    inside
}

/// What ends a value whose beginning was masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminator {
    /// White space or a quote.
    Word,
    /// The quote that opened it, not behind a backslash, or a line end.
    Quote {
        /// The quote.
        quote: u8,
        /// Whether the byte before was a backslash that escapes the next one.
        escaped: bool,
    },
    /// Nothing: the rest of the stream is withheld. For UTF-16.
    Never,
}

impl Terminator {
    /// What ends the value that begins at `start` and reaches to the window's end.
    pub fn of(window: &[u8], start: usize, encoding: Encoding) -> Terminator {
        if encoding != Encoding::Bytes {
            return Terminator::Never;
        }
        match start.checked_sub(1).map(|at| window[at]) {
            Some(quote @ (b'"' | b'\'' | b'`')) => {
                let slashes = window.iter().rev().take_while(|&&byte| byte == b'\\').count();
                Terminator::Quote { quote, escaped: slashes % 2 == 1 }
            }
            _ => Terminator::Word,
        }
    }

    /// The place of the terminator in the next bytes of the stream.
    pub fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        match self {
            Terminator::Word => {
                bytes.iter().position(|&byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\''))
            }
            Terminator::Never => None,
            Terminator::Quote { quote, escaped } => {
                for (at, &byte) in bytes.iter().enumerate() {
                    if byte == b'\n' || byte == *quote && !*escaped {
                        return Some(at);
                    }
                    *escaped = byte == b'\\' && !*escaped;
                }
                None
            }
        }
    }
}
