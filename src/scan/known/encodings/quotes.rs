//! Turns a value into what programs write between quotes or tags. Does not know shells.

use zeroize::Zeroizing;

use super::{GROWTH_MAX, write::*};

/// What a JSON encoder escapes beyond need.
#[derive(Clone, Copy)]
pub struct Json {
    pub slash: bool,
    /// All that is not ASCII.
    pub ascii: bool,
    /// These, as `\u` and four digits.
    pub coded: &'static [u8],
    pub digits: &'static [u8; 16],
}

impl Default for Json {
    fn default() -> Self {
        Json { slash: false, ascii: false, coded: b"", digits: LOWER }
    }
}

pub fn json(value: &[u8], how: Json, out: &mut Vec<u8>) -> Option<()> {
    for chunk in value.utf8_chunks() {
        json_text(chunk.valid().as_bytes(), how, out)?;
        // Only Python has a form for what is no text, and only where all of it is ASCII.
        if !chunk.invalid().is_empty() && !how.ascii {
            return None;
        }
        chunk.invalid().iter().for_each(|&byte| push_escaped_surrogate(byte, out));
    }
    Some(())
}

fn json_text(text: &[u8], how: Json, out: &mut Vec<u8>) -> Option<()> {
    each_char(text, out, |character, out| match character {
        _ if u8::try_from(character).is_ok_and(|byte| how.coded.contains(&byte)) => {
            push_unicode(character, how.digits, out);
        }
        '"' | '\\' => out.extend([b'\\', character as u8]),
        '/' if how.slash => out.extend(b"\\/"),
        '\u{8}' => out.extend(b"\\b"),
        '\u{c}' => out.extend(b"\\f"),
        '\n' => out.extend(b"\\n"),
        '\r' => out.extend(b"\\r"),
        '\t' => out.extend(b"\\t"),
        '\0'..' ' => push_unicode(character, how.digits, out),
        '\u{7f}'.. if how.ascii => push_unicode(character, how.digits, out),
        _ => push_char(character, out),
    })
}

pub fn json_unicode(value: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) -> Option<()> {
    each_char(value, out, |character, out| {
        if character.is_ascii_alphanumeric() {
            push_char(character, out);
        } else {
            push_unicode(character, digits, out);
        }
    })
}

pub fn json_in_json(value: &[u8], times: usize, out: &mut Vec<u8>) -> Option<()> {
    let how = Json { ascii: std::str::from_utf8(value).is_err(), ..Json::default() };
    let mut inner = Zeroizing::new(value.to_vec());
    for _ in 1..times {
        let mut once = Zeroizing::new(Vec::with_capacity(GROWTH_MAX * value.len()));
        json(&inner, how, &mut once)?;
        inner = once;
    }
    json(&inner, how, out)
}

pub fn xml(value: &[u8], double: &str, single: &str, out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        match byte {
            b'&' => out.extend(b"&amp;"),
            b'<' => out.extend(b"&lt;"),
            b'>' => out.extend(b"&gt;"),
            b'"' => out.extend(double.as_bytes()),
            b'\'' => out.extend(single.as_bytes()),
            _ => out.push(byte),
        }
    }
    Some(())
}

/// Go's quoting, of bytes that are no text, too; only ASCII if `ascii`.
pub fn go(value: &[u8], ascii: bool, out: &mut Vec<u8>) -> Option<()> {
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => out.extend([b'\\', character as u8]),
                '\u{7}' => out.extend(b"\\a"),
                '\u{8}' => out.extend(b"\\b"),
                '\u{c}' => out.extend(b"\\f"),
                '\n' => out.extend(b"\\n"),
                '\r' => out.extend(b"\\r"),
                '\t' => out.extend(b"\\t"),
                '\u{b}' => out.extend(b"\\v"),
                '\0'..' ' | '\u{7f}' => push_byte_escape(character as u8, out),
                '\u{80}'.. if ascii && character as u32 > 0xffff => {
                    out.extend(b"\\U");
                    (0..4).rev().for_each(|place| push_hex((character as u32 >> (8 * place)) as u8, LOWER, out));
                }
                '\u{80}'.. if ascii => push_unicode(character, LOWER, out),
                _ => push_char(character, out),
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_byte_escape(byte, out));
    }
    Some(())
}

/// ASCII as [`escaped`] has it, and other characters by their numbers.
/// <https://docs.python.org/3/library/functions.html#ascii>
pub fn python(value: &[u8], special: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            match u32::from(character) {
                number @ ..0x100 => python_bytes(&[number as u8], special, out)?,
                0x100..0x1_0000 => push_unicode(character, LOWER, out),
                number => {
                    out.extend(b"\\U");
                    number.to_be_bytes().iter().for_each(|&byte| push_hex(byte, LOWER, out));
                }
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_escaped_surrogate(byte, out));
    }
    Some(())
}

/// A byte that is no text, as Python has it in a string (PEP 383) and writes it.
fn push_escaped_surrogate(byte: u8, out: &mut Vec<u8>) {
    out.extend(b"\\udc");
    push_hex(byte, LOWER, out);
}

/// The same for bytes. Without `special` line ends and tabs stay as they are, as an error handler of a codec leaves them.
pub fn python_bytes(value: &[u8], special: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for byte in value {
        match byte {
            b' '..=b'~' | b'\n' | b'\r' | b'\t' if !special.is_empty() => escaped(&[*byte], special, out)?,
            0..0x80 if special.is_empty() => out.push(*byte),
            _ => push_byte_escape(*byte, out),
        }
    }
    Some(())
}

/// Backslashes before `special`, and the letters of C for line ends and tabs.
pub fn escaped(value: &[u8], special: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        match byte {
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            _ if special.contains(&byte) => out.extend([b'\\', byte]),
            _ => out.push(byte),
        }
    }
    Some(())
}

/// Quoted with single quotes, and that in single quotes again, as Python shows a list of what it shows.
pub fn quoted_twice(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut once = Zeroizing::new(Vec::with_capacity(2 * value.len()));
    escaped(value, b"\\'", &mut once)?;
    escaped(&once, b"\\'", out)
}

/// As a string between double quotes, shown between single ones: Python's repr of the repr of what has a single quote.
pub fn quoted_in_quotes(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut once = Zeroizing::new(Vec::with_capacity(2 * value.len()));
    escaped(value, b"\\", &mut once)?;
    escaped(&once, b"\\'", out)
}

/// Backslashes before all that is not ASCII letter, digit or `kept`.
pub fn quoted_words(value: &[u8], kept: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        if !byte.is_ascii_alphanumeric() && !kept.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    Some(())
}

/// In a command line of Windows: backslashes count only before a double quote.
/// <https://learn.microsoft.com/en-us/cpp/c-language/parsing-c-command-line-arguments>
pub fn arguments_of_windows(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for (at, &byte) in value.iter().enumerate() {
        if byte == b'"' {
            let slashes = value[..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
            out.extend(std::iter::repeat_n(b'\\', slashes + 1));
        }
        out.push(byte);
    }
    Some(())
}

/// Each byte as the character of its number.
pub fn latin(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    value.iter().for_each(|&byte| push_char(char::from(byte), out));
    Some(())
}

/// Blanks are `kept` or not; line ends stay as they are.
pub fn quoted_printable(value: &[u8], kept: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        match byte {
            b'\n' | b'\r' | b'!'..=b'<' | b'>'..=b'~' => out.push(byte),
            _ if kept.contains(&byte) => out.push(byte),
            _ => {
                out.push(b'=');
                push_hex(byte, UPPER, out);
            }
        }
    }
    Some(())
}

/// Percent codes for the UTF-16 units of a text.
pub fn percent_units(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    each_char(value, out, |character, out| match u8::try_from(character) {
        Ok(byte) if byte.is_ascii_alphanumeric() || b"@*_+-./".contains(&byte) => out.push(byte),
        Ok(byte) => {
            out.push(b'%');
            push_hex(byte, UPPER, out);
        }
        Err(_) => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.extend(b"%u");
                unit.to_be_bytes().iter().for_each(|&byte| push_hex(byte, UPPER, out));
            }
        }
    })
}

/// Escapes for line ends, and for nothing else.
pub fn line_ends(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        match byte {
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            _ => out.push(byte),
        }
    }
    Some(())
}
