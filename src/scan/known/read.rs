//! Turns a value that is itself written in some encoding into what programs make of it when they read it. Does not know
//! in which one it is meant to be: each that changes something counts.
//!
//! A private key is kept in one variable with `\n` for its line ends, and the program that uses it writes lines. A password
//! is kept as its URL has it, and the client shows it decoded.

use zeroize::Zeroizing;

use crate::view::ansi::{self, Sequence};

/// Calls `each` with what the value becomes when it is read once, in each way that changes it and leaves enough of it.
pub(super) fn once<E>(value: &[u8], mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len()));
    for (sign, read) in READINGS {
        if !value.contains(&sign) {
            continue;
        }
        out.clear();
        read(value, &mut out);
        if out.len() >= READ_BYTES_MIN && out[..] != *value {
            each(&out)?;
        }
    }
    out.clear();
    match base64(value, &mut out) {
        Some(()) if out.len() >= READ_BYTES_MIN => each(&out),
        _ => Ok(()),
    }
}

/// Writes what a text is read as, which has no more bytes, into an empty buffer.
type Read = fn(&[u8], &mut Vec<u8>);

/// A sign without which a reading changes nothing, and the reading.
const READINGS: [(u8, Read); 7] = [
    (b'\x1b', without_escapes),
    (b'\\', backslashes),
    (b'\\', unquoted),
    (b'%', percent),
    // What `cmd` takes a caret for, and what Make, Compose and batch files make of two signs.
    (b'^', |value, out| unprefixed(value, b'^', |_| true, out)),
    (b'$', |value, out| unprefixed(value, b'$', |next| next == b'$', out)),
    (b'%', |value, out| unprefixed(value, b'%', |next| next == b'%', out)),
];

/// The shortest text that is looked for because a value becomes that (bytes).
const READ_BYTES_MIN: usize = 8;

/// Takes away a sign before each byte of a kind.
fn unprefixed(value: &[u8], sign: u8, is_special: fn(u8) -> bool, out: &mut Vec<u8>) {
    let mut rest = value.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match rest.peek() {
            Some(&next) if byte == sign && is_special(next) => {
                out.push(next);
                rest.next();
            }
            _ => out.push(byte),
        }
    }
}

/// As a word of a shell that nobody has quoted. A backslash at its end goes with the line end behind it. Nothing, if it is
/// rather a string of JSON.
fn unquoted(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value.iter().skip_while(|&&byte| byte != b'\\').skip(1).peekable();
    while rest.peek().is_some_and(|next| b"nrtu\"'/\\".contains(next)) {
        rest.next();
        while rest.next_if(|&&byte| byte != b'\\').is_some() {}
        if rest.next().is_none() {
            return;
        }
    }
    let odd = value.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2;
    unprefixed(&value[..value.len() - odd], b'\\', |_| true, out);
}

/// As a string of JSON, and of the languages that write strings like it. What it does not know stays.
fn backslashes(value: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        let (read, length) = match (byte, value.get(at + 1)) {
            (b'\\', Some(b'n')) => (Some('\n'), 2),
            (b'\\', Some(b'r')) => (Some('\r'), 2),
            (b'\\', Some(b't')) => (Some('\t'), 2),
            (b'\\', Some(&quoted @ (b'\\' | b'"' | b'\'' | b'/'))) => (Some(char::from(quoted)), 2),
            (b'\\', Some(b'u')) => unicode(&value[at..]),
            _ => (None, 1),
        };
        match read {
            Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.push(byte),
        }
        at += length;
    }
}

/// The character of `\uXXXX`, or of two of these, and how many bytes were read for it.
fn unicode(text: &[u8]) -> (Option<char>, usize) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0_u16, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)? as u16))
    };
    let Some(first) = unit(0) else { return (None, 1) };
    let read = |units: &[u16]| char::decode_utf16(units.iter().copied()).next().and_then(Result::ok);
    match (read(&[first]), unit(6).and_then(|second| read(&[first, second]))) {
        (Some(one), _) => (Some(one), 6),
        (None, Some(two)) => (Some(two), 12),
        (None, None) => (None, 1),
    }
}

/// As a terminal shows it.
fn without_escapes(value: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(escape) = ansi::next(value, at) {
        out.extend_from_slice(&value[at..escape]);
        at = match ansi::sequence(&value[escape..]) {
            Sequence::Control(length) | Sequence::String(length, _) => escape + length,
            Sequence::Cut => value.len(),
        };
    }
    out.extend_from_slice(&value[at..]);
}

/// What the whole of it is in base64, if that is a text.
fn base64(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (mut bits, mut count) = (0_u32, 0);
    let mut digits = value.iter().filter(|byte| !byte.is_ascii_whitespace());
    for &byte in digits.by_ref() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(digit), count + 6);
        if count >= 8 {
            count -= 8;
            // The lowest eight of those that are left.
            out.push((bits >> count) as u8);
        }
    }
    let is_whole = digits.all(|&byte| byte == b'=');
    let text = std::str::from_utf8(out).ok().filter(|_| is_whole)?;
    (!text.contains(|character: char| character.is_control() && !character.is_ascii_whitespace())).then_some(())
}

fn percent(value: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    let digit = |at: usize| value.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    while let Some(&byte) = value.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                // Two digits of four bits.
                out.push((high << 4 | low) as u8);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Vec<String> {
        let mut all = Vec::new();
        let Ok(()) = once(value.as_bytes(), |text| {
            all.push(String::from_utf8_lossy(text).into_owned());
            Ok::<(), std::convert::Infallible>(())
        });
        all
    }

    #[test]
    fn a_value_is_read_as_programs_read_it() {
        let cases: &[(&str, &[&str])] = &[
            ("nothing to read here", &[]),
            (r"first\nsecond\t\\third", &["first\nsecond\t\\third"]),
            (r#"{\"a\":\"b\/c'\'\"}"#, &[r#"{"a":"b/c''"}"#]),
            (r"p\u00e4ss\ud83d\udd11w\u00zz\ud83dx\u", &["päss\u{1f511}w\\u00zz\\ud83dx\\u"]),
            ("pass%20word%2B%zz%4", &["pass word+%zz%4"]),
            ("a^<b^>^^c-and-d^", &["a<b>^c-and-d^"]),
            ("a$$b$$$c-and-more$", &["a$b$$c-and-more$"]),
            ("100%%-of-it%", &["100%-of-it%"]),
            ("\x1b[1;31mred-value\x1b[0m\x1b]0;t\x07x\x1b", &["red-valuex"]),
            ("dXNlcjpLZXN0cmVsLTQ3MTE=", &["user:Kestrel-4711"]),
            ("dXNlcjpLZXN0cmVsLTQ3MTE\n", &["user:Kestrel-4711"]),
            // It could be base64, but not of a text.
            ("q7Rk2mZx9Lp4TdV8nB3s", &[]),
            // Too little is left of these.
            (r"ab\ncd\\e", &[]),
            ("%41%42%43", &[]),
        ];
        for (value, expected) in cases {
            assert_eq!(read(value), *expected, "{value}");
        }
    }
}
