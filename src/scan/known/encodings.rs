//! Turns a value into the strings that logs show in its place. Does not look for them.
//!
//! Each row of [`ENCODINGS`] is one way in which programs write a value. Where a row changes
//! nothing about a value, or two rows agree, the string is kept once, under the first row's name;
//! so the order of the rows is that of their importance. A row that cannot write a value (text
//! escapes of bytes that are no text) is left out for it.

use std::fmt;

use memchr::memmem;
use zeroize::Zeroizing;

/// A way to write a value: an index into the list of all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Encoding(pub(super) u8);

impl Encoding {
    /// The value as it is.
    pub const RAW: Encoding = Encoding(0);

    /// Whether a value can be looked for without it.
    pub(super) fn can_be_missed(self) -> bool {
        [HEX_ESCAPES, OCTAL_ESCAPES].contains(&self.name())
    }

    /// The name in findings, as `base64`. Several rows may share one, where they differ in nothing
    /// that a reader would want to know.
    pub fn name(self) -> &'static str {
        ENCODINGS[usize::from(self.0)].0
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Calls `each` with every way to write `value`, the value itself first. The buffer it is given is
/// wiped in the end.
pub(super) fn each<E>(value: &[u8], mut each: impl FnMut(Encoding, &[u8]) -> Result<(), E>) -> Result<(), E> {
    // With this room the buffer never moves, which would leave a copy behind that is not wiped.
    let mut out = Zeroizing::new(Vec::with_capacity(GROWTH_MAX * value.len() + 16));
    for (index, (_, write)) in (0..).zip(ENCODINGS) {
        out.clear();
        // Most rows change nothing about most values.
        if write(value, &mut out).is_some() && (index == 0 || *out != value) {
            each(Encoding(index), &out)?;
        }
    }
    Ok(())
}

/// How many bytes of a string stand for one byte of the value, at most: those of a control character in
/// JSON inside JSON inside JSON, and `'$'\001''` of one that stands alone in coreutils' quotes.
const GROWTH_MAX: usize = 9;

/// Writes a value into an empty buffer; `None` if this encoding has no form for it.
type Write = fn(&[u8], &mut Vec<u8>) -> Option<()>;

/// All encodings. Base64 comes in three alignments: the digits that depend on the value alone when
/// 0, 1 or 2 bytes (modulo 3) stand before it. The digits shared with its neighbours are left out.
const ENCODINGS: &[(&str, Write)] = &[
    ("raw", |value, out| raw(value, out)),
    // RFC 4648, sections 4 and 5: <https://www.rfc-editor.org/rfc/rfc4648>
    ("base64", |value, out| base64_whole(value, STANDARD, true, out)),
    ("base64", |value, out| base64_whole(value, STANDARD, false, out)),
    ("base64", |value, out| base64_part(value, 0, STANDARD, out)),
    ("base64", |value, out| base64_part(value, 1, STANDARD, out)),
    ("base64", |value, out| base64_part(value, 2, STANDARD, out)),
    ("base64-url", |value, out| base64_whole(value, URL_SAFE, true, out)),
    ("base64-url", |value, out| base64_whole(value, URL_SAFE, false, out)),
    ("base64-url", |value, out| base64_part(value, 0, URL_SAFE, out)),
    ("base64-url", |value, out| base64_part(value, 1, URL_SAFE, out)),
    ("base64-url", |value, out| base64_part(value, 2, URL_SAFE, out)),
    ("hex", |value, out| hex(value, LOWER, out)),
    ("hex", |value, out| hex(value, UPPER, out)),
    // Pairs of digits apart: Go's `% x` and od, OpenSSL, .NET's BitConverter, strings of C.
    ("hex", |value, out| hex_apart(value, b" ", LOWER, out)),
    ("hex", |value, out| hex_apart(value, b":", LOWER, out)),
    ("hex", |value, out| hex_apart(value, b":", UPPER, out)),
    ("hex", |value, out| hex_apart(value, b"-", LOWER, out)),
    ("hex", |value, out| hex_apart(value, b"-", UPPER, out)),
    (HEX_ESCAPES, |value, out| hex_escapes(value, out)),
    (OCTAL_ESCAPES, |value, out| octal_escapes(value, out)),
    // What an encoder of URLs leaves as it is differs: RFC 3986 names the unreserved characters,
    // JavaScript's encodeURIComponent and Python's quote leave some more.
    ("percent", |value, out| percent(value, b"-._~", UPPER, out)),
    ("percent", |value, out| percent(value, b"-._~", LOWER, out)),
    ("percent", |value, out| percent(value, b"-._~!'()*", UPPER, out)),
    ("percent", |value, out| percent(value, b"-._~/", UPPER, out)),
    // <https://url.spec.whatwg.org/#urlencoded-serializing>
    ("form", |value, out| percent(value, b"-._* ", UPPER, out)),
    ("form", |value, out| percent(value, b"-._* ", LOWER, out)),
    // RFC 8259, section 7, and what encoders escape beyond need: PHP the slash, Python what is not
    // ASCII, Go and PHP what HTML would read, .NET all of that and the plus sign.
    ("json", |value, out| json(value, Json::default(), out)),
    ("json", |value, out| json(value, Json { slash: true, ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { ascii: true, ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { ascii: true, digits: UPPER, ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { ascii: true, slash: true, ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { coded: b"<>&", ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { coded: b"<>&'\"", digits: UPPER, ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { coded: b"<>&'\"+`", ascii: true, digits: UPPER, ..Json::default() }, out)),
    ("json-unicode", |value, out| json_unicode(value, LOWER, out)),
    ("json-unicode", |value, out| json_unicode(value, UPPER, out)),
    ("json-json", |value, out| json_in_json(value, 2, out)),
    ("json-json", |value, out| json_in_json(value, 3, out)),
    // XML's five entities, then the forms of PHP, Python and Go for the two quotes.
    ("xml", |value, out| xml(value, "&quot;", "&apos;", out)),
    ("xml", |value, out| xml(value, "\"", "'", out)),
    ("xml", |value, out| xml(value, "&quot;", "'", out)),
    ("xml", |value, out| xml(value, "&quot;", "&#39;", out)),
    ("xml", |value, out| xml(value, "&quot;", "&#039;", out)),
    ("xml", |value, out| xml(value, "&quot;", "&#x27;", out)),
    ("xml", |value, out| xml(value, "&#34;", "&#39;", out)),
    // Go's %q and %+q: <https://pkg.go.dev/strconv#Quote>
    ("go", |value, out| go(value, false, out)),
    ("go", |value, out| go(value, true, out)),
    ("quoted", |value, out| escaped(value, b"\\'", out)),
    ("quoted", |value, out| escaped(value, b"\\\"", out)),
    ("quoted", |value, out| escaped(value, b"\\", out)),
    ("quoted", |value, out| escaped(value, b"\\\"$@", out)),
    ("quoted", quoted_twice),
    ("quoted", arguments_of_windows),
    // As text for a regular expression: Perl's quotemeta, Python's and Go's.
    ("pattern", |value, out| quoted_words(value, b"_", out)),
    ("pattern", |value, out| quoted_words(value, b"_!\"%',/:;<=>@`", out)),
    ("pattern", |value, out| prefixed(value, b"\\.+*?()|[]{}^$", b'\\', out)),
    // Bytes of UTF-8 that were read as Latin-1 and written as UTF-8 again.
    ("utf8-utf8", |value, out| latin(value, out)),
    // RFC 2045, section 6.7: <https://www.rfc-editor.org/rfc/rfc2045>
    ("quoted-printable", |value, out| quoted_printable(value, out)),
    // JavaScript's escape.
    ("percent", percent_units),
    ("escaped-line-ends", line_ends),
    // What stands between the quotes of a POSIX shell, and what bash writes for `printf %q`.
    ("shell", |value, out| replaced(value, b"'", "'\\''", out)),
    ("shell", |value, out| replaced(value, b"'", "'\"'\"'", out)),
    ("shell", shell_runs),
    ("shell", |value, out| prefixed(value, b"\\\"$`", b'\\', out)),
    ("shell", |value, out| prefixed(value, b" \t!\"#$&'()*,;<>?[\\]^`{|}~", b'\\', out)),
    ("shell", |value, out| shell_ansi(value, false, out)),
    ("shell", |value, out| shell_ansi(value, true, out)),
    ("shell", shell_words),
    // What ls and the other coreutils write between the quotes around a name.
    ("shell", |value, out| shell_parts(value, false, out)),
    ("shell", |value, out| shell_parts(value, true, out)),
    ("powershell", |value, out| prefixed(value, b"`\"$", b'`', out)),
    ("powershell", |value, out| replaced(value, b"'", "''", out)),
    ("powershell", |value, out| replaced(value, b"\"", "\"\"", out)),
    // PowerShell colours a command line that it cannot read from its ampersands on, and each part
    // may come by itself. After `&+` one character is lost.
    ("powershell", before_ampersand),
    ("powershell", after_ampersand),
    ("cmd", |value, out| prefixed(value, b"&|<>^()\"!", b'^', out)),
    ("cmd", |value, out| prefixed(value, b"&|<>^", b'^', out)),
    ("cmd", |value, out| replaced(value, b"%", "%%", out)),
    ("utf16", utf16),
    // The argument of PowerShell's -EncodedCommand.
    ("base64-utf16", |value, out| base64_whole(&utf16_of(value)?, STANDARD, true, out)),
    ("base64-utf16", |value, out| base64_part(&utf16_of(value)?, 0, STANDARD, out)),
    ("base64-utf16", |value, out| base64_part(&utf16_of(value)?, 1, STANDARD, out)),
    ("base64-utf16", |value, out| base64_part(&utf16_of(value)?, 2, STANDARD, out)),
    ("base64-utf16", |value, out| base64_part(&doubled_utf16(value)?, 0, STANDARD, out)),
    ("base64-utf16", |value, out| base64_part(&doubled_utf16(value)?, 1, STANDARD, out)),
    ("base64-utf16", |value, out| base64_part(&doubled_utf16(value)?, 2, STANDARD, out)),
    // A value that was encoded, as in a Kubernetes Secret, inside a text that was encoded again.
    ("base64-base64", |value, out| base64_twice(value, None, out)),
    ("base64-base64", |value, out| base64_twice(value, Some(0), out)),
    ("base64-base64", |value, out| base64_twice(value, Some(1), out)),
    ("base64-base64", |value, out| base64_twice(value, Some(2), out)),
];

/// Names of forms that take four bytes for each byte. A value for which they are too long is looked for
/// without them.
const HEX_ESCAPES: &str = "hex-escapes";
const OCTAL_ESCAPES: &str = "octal-escapes";

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn raw(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(value);
    Some(())
}

/// The value alone, padded or not.
fn base64_whole(value: &[u8], digits: &[u8; 64], padded: bool, out: &mut Vec<u8>) -> Option<()> {
    let length = value.len().checked_mul(8)?.div_ceil(6);
    (0..length).for_each(|index| out.push(base64_digit(value, 6 * index, digits)));
    if padded {
        out.resize(length.next_multiple_of(4), b'=');
    }
    Some(())
}

/// The digits that hold bits of the value only, if `before` bytes (modulo 3) precede it.
fn base64_part(value: &[u8], before: usize, digits: &[u8; 64], out: &mut Vec<u8>) -> Option<()> {
    let first = (8 * before).div_ceil(6);
    let end = 8 * (before + value.len()) / 6;
    (first..end).for_each(|index| out.push(base64_digit(value, 6 * index - 8 * before, digits)));
    Some(())
}

/// The digit of the six bits from `bit` on; bits behind the end are 0.
fn base64_digit(value: &[u8], bit: usize, digits: &[u8; 64]) -> u8 {
    let byte = |index| value.get(index).map_or(0, |&byte: &u8| u16::from(byte));
    let pair = byte(bit / 8) << 8 | byte(bit / 8 + 1);
    digits[usize::from(pair >> (10 - bit % 8) & 63)]
}

/// Standard base64 of the standard base64 of the value alone: that alone, too, or the part that
/// depends on the value only, with `before` bytes before it.
fn base64_twice(value: &[u8], before: Option<usize>, out: &mut Vec<u8>) -> Option<()> {
    let mut once = Zeroizing::new(Vec::with_capacity(value.len() * 4 / 3 + 4));
    match before {
        None => {
            base64_whole(value, STANDARD, true, &mut once)?;
            base64_whole(&once, STANDARD, true, out)
        }
        Some(before) => {
            base64_part(value, 0, STANDARD, &mut once)?;
            base64_part(&once, before, STANDARD, out)
        }
    }
}

fn push_hex(byte: u8, digits: &[u8; 16], out: &mut Vec<u8>) {
    out.extend([digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
}

fn hex(value: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) -> Option<()> {
    value.iter().for_each(|&byte| push_hex(byte, digits, out));
    Some(())
}

/// Pairs of digits with something between them.
fn hex_apart(value: &[u8], between: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) -> Option<()> {
    for (index, &byte) in value.iter().enumerate() {
        out.extend_from_slice(if index > 0 { between } else { b"" });
        push_hex(byte, digits, out);
    }
    Some(())
}

fn hex_escapes(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    value.iter().for_each(|&byte| push_byte_escape(byte, out));
    Some(())
}

fn octal_escapes(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    value.iter().for_each(|&byte| push_octal(byte, out));
    Some(())
}

/// Percent codes for all but ASCII letters, digits and `kept`; where a blank is kept, it is a plus.
fn percent(value: &[u8], kept: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(if byte == b' ' { b'+' } else { byte });
        } else {
            out.push(b'%');
            push_hex(byte, digits, out);
        }
    }
    Some(())
}

/// What a JSON encoder escapes beyond need.
#[derive(Clone, Copy)]
struct Json {
    slash: bool,
    /// All that is not ASCII.
    ascii: bool,
    /// These, as `\u` and four digits.
    coded: &'static [u8],
    digits: &'static [u8; 16],
}

impl Default for Json {
    fn default() -> Self {
        Json { slash: false, ascii: false, coded: b"", digits: LOWER }
    }
}

fn json(value: &[u8], how: Json, out: &mut Vec<u8>) -> Option<()> {
    each_char(value, out, |character, out| match character {
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

fn json_unicode(value: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) -> Option<()> {
    each_char(value, out, |character, out| {
        if character.is_ascii_alphanumeric() {
            push_char(character, out);
        } else {
            push_unicode(character, digits, out);
        }
    })
}

fn json_in_json(value: &[u8], times: usize, out: &mut Vec<u8>) -> Option<()> {
    let mut inner = Zeroizing::new(value.to_vec());
    for _ in 1..times {
        let mut once = Zeroizing::new(Vec::with_capacity(GROWTH_MAX * value.len()));
        json(&inner, Json::default(), &mut once)?;
        inner = once;
    }
    json(&inner, Json::default(), out)
}

fn xml(value: &[u8], double: &str, single: &str, out: &mut Vec<u8>) -> Option<()> {
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
fn go(value: &[u8], ascii: bool, out: &mut Vec<u8>) -> Option<()> {
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

/// Backslashes before `special`, and the letters of C for line ends and tabs.
fn escaped(value: &[u8], special: &[u8], out: &mut Vec<u8>) -> Option<()> {
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
fn quoted_twice(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut once = Zeroizing::new(Vec::with_capacity(2 * value.len()));
    escaped(value, b"\\'", &mut once)?;
    escaped(&once, b"\\'", out)
}

/// Backslashes before all that is not ASCII letter, digit or `kept`.
fn quoted_words(value: &[u8], kept: &[u8], out: &mut Vec<u8>) -> Option<()> {
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
fn arguments_of_windows(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
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
fn latin(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    value.iter().for_each(|&byte| push_char(char::from(byte), out));
    Some(())
}

fn quoted_printable(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        match byte {
            b'\t' | b'\n' | b'\r' | b' '..=b'<' | b'>'..=b'~' => out.push(byte),
            _ => {
                out.push(b'=');
                push_hex(byte, UPPER, out);
            }
        }
    }
    Some(())
}

/// Percent codes for the UTF-16 units of a text.
fn percent_units(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
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
fn line_ends(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        match byte {
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            _ => out.push(byte),
        }
    }
    Some(())
}

fn prefixed(value: &[u8], special: &[u8], prefix: u8, out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        if special.contains(&byte) {
            out.push(prefix);
        }
        out.push(byte);
    }
    Some(())
}

fn replaced(value: &[u8], special: &[u8], replacement: &str, out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        if special.contains(&byte) {
            out.extend(replacement.as_bytes());
        } else {
            out.push(byte);
        }
    }
    Some(())
}

/// As dash writes it when it traces: quotes in a row stand together between double quotes.
fn shell_runs(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for run in value.chunk_by(|a, b| (*a == b'\'') == (*b == b'\'')) {
        let quotes = run.starts_with(b"'");
        out.extend_from_slice(if quotes { b"'\"" } else { b"" });
        out.extend_from_slice(run);
        out.extend_from_slice(if quotes { b"\"'" } else { b"" });
    }
    Some(())
}

/// The part that PowerShell leaves before an ampersand.
fn before_ampersand(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let end = match memmem::find(value, b"&+") {
        Some(at) => at + 2,
        None => memchr::memrchr(b'&', value)? + 1,
    };
    raw(&value[..end], out)
}

/// The part that PowerShell leaves after an ampersand.
fn after_ampersand(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = match memmem::find(value, b"&+") {
        Some(at) => at + 3,
        None => memchr::memrchr(b'&', value)? + 1,
    };
    raw(value.get(start..)?, out)
}

/// What bash writes between `$'` and `'`; octal for all that is not ASCII if `ascii`.
fn shell_ansi(value: &[u8], ascii: bool, out: &mut Vec<u8>) -> Option<()> {
    each_shown(value, ascii, |byte, shown| match byte {
        b'\'' | b'\\' => out.extend([b'\\', byte]),
        _ if shown => out.push(byte),
        _ => push_ansi(byte, b"\\E", out),
    });
    Some(())
}

/// A character that is not shown, as in `$'..'`.
fn push_ansi(byte: u8, escape: &[u8], out: &mut Vec<u8>) {
    match byte {
        7 => out.extend(b"\\a"),
        8 => out.extend(b"\\b"),
        9 => out.extend(b"\\t"),
        10 => out.extend(b"\\n"),
        11 => out.extend(b"\\v"),
        12 => out.extend(b"\\f"),
        13 => out.extend(b"\\r"),
        27 => out.extend(escape),
        _ => push_octal(byte, out),
    }
}

/// Tells of each byte whether a terminal would show it; of what is not ASCII nothing if `ascii`.
fn each_shown(value: &[u8], ascii: bool, mut each: impl FnMut(u8, bool)) {
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            let shown = !is_unseen(character) && !(ascii && !character.is_ascii());
            character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| each(byte, shown));
        }
        chunk.invalid().iter().for_each(|&byte| each(byte, false));
    }
}

/// Whether the C library says of a character that it cannot be printed.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{f0000}'..)
}

/// As coreutils write it: what is not shown stands in `$'..'`, the rest in quotes of its own.
fn shell_parts(value: &[u8], ascii: bool, out: &mut Vec<u8>) -> Option<()> {
    let mut inside = false;
    each_shown(value, ascii, |byte, shown| {
        match (inside, shown) {
            (false, false) => out.extend(b"'$'"),
            (true, true) => out.extend(b"''"),
            _ => {}
        }
        inside = !shown;
        match byte {
            b'\'' => out.extend(b"'\\''"),
            _ if shown => out.push(byte),
            _ => push_ansi(byte, b"\\033", out),
        }
    });
    Some(())
}

/// The words of a value one by one, as bash writes them when it traces `echo $VALUE`.
fn shell_words(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let words = value.split(|byte| b" \t\n".contains(byte)).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        out.extend_from_slice(if index > 0 { b" " } else { b"" });
        let mut all_shown = true;
        each_shown(word, false, |_, shown| all_shown &= shown);
        if !all_shown {
            out.extend(b"$'");
            shell_ansi(word, false, out)?;
            out.push(b'\'');
        } else if word.iter().any(|byte| b"!\"#$&'()*;<>?[\\]^`{|}~".contains(byte)) {
            out.push(b'\'');
            replaced(word, b"'", "'\\''", out)?;
            out.push(b'\'');
        } else {
            out.extend_from_slice(word);
        }
    }
    Some(())
}

fn utf16(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    each_char(value, out, |character, out| {
        character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.extend(unit.to_le_bytes()));
    })
}

fn utf16_of(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(2 * value.len()));
    utf16(value, &mut text)?;
    Some(text)
}

/// UTF-16 of what stands between single quotes in PowerShell.
fn doubled_utf16(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if !value.contains(&b'\'') {
        return None;
    }
    let mut doubled = Zeroizing::new(Vec::with_capacity(2 * value.len()));
    replaced(value, b"'", "''", &mut doubled)?;
    utf16_of(&doubled)
}

fn each_char(value: &[u8], out: &mut Vec<u8>, mut each: impl FnMut(char, &mut Vec<u8>)) -> Option<()> {
    std::str::from_utf8(value).ok()?.chars().for_each(|character| each(character, out));
    Some(())
}

fn push_char(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// `\u` and four digits for each UTF-16 unit.
fn push_unicode(character: char, digits: &[u8; 16], out: &mut Vec<u8>) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.extend(b"\\u");
        unit.to_be_bytes().iter().for_each(|&byte| push_hex(byte, digits, out));
    }
}

fn push_byte_escape(byte: u8, out: &mut Vec<u8>) {
    out.extend(b"\\x");
    push_hex(byte, LOWER, out);
}

fn push_octal(byte: u8, out: &mut Vec<u8>) {
    out.push(b'\\');
    out.extend([byte >> 6, byte >> 3 & 7, byte & 7].map(|digit| b'0' + digit));
}
