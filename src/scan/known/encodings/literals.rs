//! Turns a value into literals and dumps of C, Perl, PHP, Node, Ruby and Java. Does not know other languages.

use super::{
    shell::{is_unseen, push_ansi},
    write::*,
};

/// What Perl's Data::Dumper writes between double quotes, with Useqq: bytes, or characters by their numbers if the
/// text was decoded. <https://metacpan.org/pod/Data::Dumper>
pub fn perl(value: &[u8], text: bool, out: &mut Vec<u8>) -> Option<()> {
    if !text {
        for (at, &byte) in value.iter().enumerate() {
            push_perl(byte, value.get(at + 1).is_some_and(u8::is_ascii_digit), out);
        }
        return Some(());
    }
    let mut rest = std::str::from_utf8(value).ok()?.chars().peekable();
    while let Some(character) = rest.next() {
        match u8::try_from(character) {
            Ok(byte @ 0..=0x7f) => push_perl(byte, rest.peek().is_some_and(char::is_ascii_digit), out),
            _ => push_braced(b"\\x{", character, LOWER, out),
        }
    }
    Some(())
}

fn push_perl(byte: u8, before_digit: bool, out: &mut Vec<u8>) {
    match byte {
        b'\\' | b'"' | b'$' | b'@' => out.extend([b'\\', byte]),
        b' '..=b'~' => out.push(byte),
        // A vertical tab has no letter in Perl.
        7..=10 | 12 | 13 | 27 => push_ansi(byte, b"\\e", out),
        // As short as it can be told from a digit behind it.
        0..7 if !before_digit => out.extend([b'\\', b'0' + byte]),
        11 | 14..=26 | 28..=31 if !before_digit => out.extend([b'\\', b'0' + (byte >> 3), b'0' + (byte & 7)]),
        _ => push_octal(byte, out),
    }
}

/// As in a literal of C whose quotes are no matter.
pub fn c_literal(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        match byte {
            b'\\' => out.extend(b"\\\\"),
            b' '..=b'~' => out.push(byte),
            _ => push_ansi(byte, b"\\033", out),
        }
    }
    Some(())
}

/// What PHP shows of an argument in the trace of an exception: its first fifteen bytes.
/// <https://www.php.net/manual/en/ini.core.php#ini.zend.exception-string-param-max-len>
pub fn php_argument(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for &byte in &value[..value.len().min(PHP_ARGUMENT_BYTES)] {
        match byte {
            b'\\' => out.extend(b"\\\\"),
            b' '..=b'~' => out.push(byte),
            9..=13 | 27 => push_ansi(byte, b"\\e", out),
            _ => push_byte(byte, out),
        }
    }
    out.extend_from_slice(if value.len() > PHP_ARGUMENT_BYTES { b"..." } else { b"" });
    Some(())
}

/// As PHP's escapeshellcmd: quotes in pairs stay. <https://www.php.net/manual/en/function.escapeshellcmd.php>
pub fn php_command(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut open = None;
    for (at, &byte) in value.iter().enumerate() {
        let special = match byte {
            b'\'' | b'"' if open == Some(byte) => {
                open = None;
                false
            }
            b'\'' | b'"' if open.is_none() && value[at + 1..].contains(&byte) => {
                open = Some(byte);
                false
            }
            _ => b"#&;`|*?~<>^()[]{}$\\\n\xff'\"".contains(&byte),
        };
        out.extend_from_slice(if special { b"\\" } else { b"" });
        out.push(byte);
    }
    Some(())
}

/// What Node's util.inspect writes between single quotes: characters of control by their numbers.
/// <https://nodejs.org/api/util.html#utilinspectobject-options>
pub fn node(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    each_char(value, out, |character, out| match character {
        '\'' | '\\' => out.extend([b'\\', character as u8]),
        '\u{8}'..='\u{a}' | '\u{c}' | '\r' => push_ansi(character as u8, b"", out),
        _ if character.is_control() => push_byte(character as u8, out),
        _ => push_char(character, out),
    })
}

/// How Ruby writes what is not ASCII.
#[derive(Clone, Copy, PartialEq)]
pub enum Ruby {
    /// As it is, but what cannot be seen by its number: `inspect`.
    Shown,
    /// By its number: `dump`.
    Numbers,
    /// Byte by byte: of bytes, and where the locale has only ASCII.
    Bytes,
}

/// What Ruby writes between double quotes. <https://docs.ruby-lang.org/en/master/String.html#method-i-inspect>
pub fn ruby(value: &[u8], how: Ruby, out: &mut Vec<u8>) -> Option<()> {
    for chunk in value.utf8_chunks() {
        let mut rest = chunk.valid().chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '"' | '\\' => out.extend([b'\\', character as u8]),
                '#' if matches!(rest.peek(), Some('{' | '$' | '@')) => out.extend(b"\\#"),
                '\u{7}'..='\u{d}' | '\u{1b}' => push_ansi(character as u8, b"\\e", out),
                ' '..='~' => push_char(character, out),
                _ if how == Ruby::Bytes || how == Ruby::Numbers && character.is_ascii() => {
                    character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_byte(byte, out));
                }
                // To Ruby a next line can be seen.
                _ if how == Ruby::Shown && (!is_unseen(character) || character == '\u{85}') => {
                    push_char(character, out)
                }
                '\0'..='\u{ffff}' => push_unicode(character, UPPER, out),
                _ => push_braced(b"\\u{", character, UPPER, out),
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_byte(byte, out));
    }
    Some(())
}

/// What Ruby shows of a long key that it did not find: the first characters of what `inspect` writes.
pub fn ruby_key(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    ruby(value, Ruby::Shown, out)?;
    let text = std::str::from_utf8(out).ok()?;
    let (end, _) = text.char_indices().nth(RUBY_KEY_CHARACTERS)?;
    // With the quotes the whole is longer than what is shown.
    text[end..].chars().nth(1)?;
    out.truncate(end);
    out.extend(b"...");
    Some(())
}

/// Ruby's Shellwords: a backslash before each character but a few. <https://docs.ruby-lang.org/en/master/Shellwords.html>
pub fn ruby_words(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    each_char(value, out, |character, out| match character {
        '\n' => out.extend(b"'\n'"),
        _ => {
            let plain = character.is_ascii_alphanumeric() || "_-.,:+/@".contains(character);
            out.extend_from_slice(if plain { b"" } else { b"\\" });
            push_char(character, out);
        }
    })
}

/// Ruby's Regexp.escape.
pub fn ruby_pattern(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        match byte {
            9..=13 => push_ansi(byte, b"", out),
            _ => {
                out.extend_from_slice(if b"[]{}()|-*.\\?+^$# ".contains(&byte) { b"\\" } else { b"" });
                out.push(byte);
            }
        }
    }
    Some(())
}

/// A value in a file of Java's Properties. <https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html>
pub fn java_properties(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    each_char(value, out, |character, out| match character {
        ' ' if out.is_empty() => out.extend(b"\\ "),
        '\\' | '=' | ':' | '#' | '!' => out.extend([b'\\', character as u8]),
        '\t' | '\n' | '\u{c}' | '\r' => push_ansi(character as u8, b"", out),
        ' '..='~' => push_char(character, out),
        _ => push_unicode(character, UPPER, out),
    })
}

/// `\x` and two capital digits.
fn push_byte(byte: u8, out: &mut Vec<u8>) {
    out.extend(b"\\x");
    push_hex(byte, UPPER, out);
}

/// The number of a character in braces.
fn push_braced(open: &[u8], character: char, digits: &[u8; 16], out: &mut Vec<u8>) {
    out.extend_from_slice(open);
    let number = u32::from(character);
    let length = number.checked_ilog2().map_or(1, |log| log / 4 + 1);
    out.extend((0..length).rev().map(|place| digits[(number >> (4 * place) & 15) as usize]));
    out.push(b'}');
}

/// How much of a key Ruby's KeyError shows, behind its quote.
const RUBY_KEY_CHARACTERS: usize = 61;

/// How much of a string PHP's traces show unless they are told otherwise.
const PHP_ARGUMENT_BYTES: usize = 15;

/// Rust's `escape_default`. <https://doc.rust-lang.org/std/primitive.str.html#method.escape_default>
pub fn rust(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    each_char(value, out, |character, out| character.escape_default().for_each(|one| push_char(one, out)))
}

/// A value in a message to TeamCity.
pub fn teamcity(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    each_char(value, out, |character, out| match character {
        '\n' => out.extend(b"|n"),
        '\r' => out.extend(b"|r"),
        '\'' | '|' | '[' | ']' => out.extend([b'|', character as u8]),
        ..='\u{7f}' => push_char(character, out),
        _ => character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
            out.extend(b"|0x");
            unit.to_be_bytes().iter().for_each(|&byte| push_hex(byte, UPPER, out));
        }),
    })
}

/// A value in a command to the agent of Azure Pipelines, or in a property of one. Without a percent sign it is read as
/// percent codes are.
pub fn azure(value: &[u8], property: bool, out: &mut Vec<u8>) -> Option<()> {
    if !value.contains(&b'%') {
        return None;
    }
    for &byte in value {
        match byte {
            b'%' => out.extend(b"%AZP25"),
            b'\r' => out.extend(b"%0D"),
            b'\n' => out.extend(b"%0A"),
            b']' if property => out.extend(b"%5D"),
            b';' if property => out.extend(b"%3B"),
            _ => out.push(byte),
        }
    }
    Some(())
}

/// Blanks and backslashes as tables of mounts have them.
pub fn octal_blanks(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => push_octal(byte, out),
            _ => out.push(byte),
        }
    }
    Some(())
}
