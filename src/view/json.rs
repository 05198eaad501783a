//! Turns backslash escapes, as JSON and most languages write them, into what they stand for.
//! Does not parse JSON: escapes are understood wherever they stand.

use super::{View, push_char};

/// Appends `parent[from..to]`, unescaped once, to `view`; every escape makes it shorter.
///
/// Known escapes: `\n \r \t \b \f \0 \a \v \e \" \' \/ \\ \uXXXX` (with surrogate pairs) `\xXX`
/// `\033`, `\u{X}` and `\x{X}` with one to six digits. Anything else stays as it is, backslash included.
pub fn unescape(parent: &[u8], from: usize, to: usize, view: &mut View) {
    let mut place = from;
    while let Some(step) = memchr::memchr(b'\\', &parent[place..to]) {
        let slash = place + step;
        view.copy(parent, place, slash);
        match escape(&parent[slash..to]) {
            Some((char, length)) => {
                let at = view.text.len();
                push_char(&mut view.text, char);
                view.map.atom(at, slash, slash + length);
                place = slash + length;
            }
            None => {
                view.copy(parent, slash, slash + 1);
                place = slash + 1;
            }
        }
    }
    view.copy(parent, place, to);
}

/// The character that the escape at the start of `text` stands for, and the escape's length.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    let simple = |char| Some((char, 2));
    match *text.get(1)? {
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'a' => simple('\u{7}'),
        b'v' => simple('\u{b}'),
        b'e' => simple('\u{1b}'),
        b'0' if text.get(2..4) == Some(b"33") => Some(('\u{1b}', 4)),
        char @ (b'"' | b'\'' | b'/' | b'\\') => simple(char as char),
        b'u' | b'x' if text.get(2) == Some(&b'{') => braced(text),
        b'x' => Some((char::from(hex(text.get(2..4)?)? as u8), 4)),
        b'u' => unicode(text),
        _ => None,
    }
}

/// `\uXXXX`, or a surrogate pair of two of them. A lone surrogate stands for U+FFFD.
fn unicode(text: &[u8]) -> Option<(char, usize)> {
    let unit = hex(text.get(2..6)?)?;
    if (0xD800..0xDC00).contains(&unit)
        && text.get(6..8) == Some(b"\\u")
        && let Some(low) = text.get(8..12).and_then(hex)
        && (0xDC00..0xE000).contains(&low)
    {
        let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        return char::from_u32(code).map(|char| (char, 12));
    }
    Some((char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}

/// `\u{X}` or `\x{X}`.
fn braced(text: &[u8]) -> Option<(char, usize)> {
    let digits = text[3..].iter().take(BRACED_DIGITS_MAX).take_while(|digit| digit.is_ascii_hexdigit()).count();
    let end = 3 + digits;
    let char = char::from_u32(hex(&text[3..end])?)?;
    (digits > 0 && text.get(end) == Some(&b'}')).then_some((char, end + 1))
}

/// The number that some hexadecimal digits write.
fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, &digit| Some(sum << 4 | char::from(digit).to_digit(16)?))
}

/// Where an escape begins that the end of `text` cuts, if one does.
pub fn unfinished(text: &[u8]) -> Option<usize> {
    // The longest escape has 12 bytes; whether a backslash begins an escape or ends one is
    // decided by the run of backslashes it stands in.
    let from = text.len().saturating_sub(12);
    let mut place = from;
    while let Some(step) = memchr::memchr(b'\\', &text[place..]) {
        let slash = place + step;
        let run = text[..slash].iter().rev().take_while(|&&byte| byte == b'\\').count();
        if run % 2 == 1 {
            place = slash + 1;
            continue;
        }
        let rest = &text[slash + 1..];
        let hex_digits = |from: usize| rest.get(from..).unwrap_or_default().iter().all(u8::is_ascii_hexdigit);
        let cut = match rest.first() {
            None => true,
            Some(b'u' | b'x') if rest.get(1) == Some(&b'{') => rest.len() <= 2 + BRACED_DIGITS_MAX && hex_digits(2),
            Some(b'x') => rest.len() < 3 && hex_digits(1),
            Some(b'0') => b"033".starts_with(rest),
            Some(b'u') => rest.len() < 5 && hex_digits(1) || high_surrogate_waits(rest),
            Some(_) => false,
        };
        if cut {
            return Some(slash);
        }
        place = slash + 1;
    }
    None
}

/// Whether `rest`, which follows a backslash, is a high surrogate whose partner may still come.
fn high_surrogate_waits(rest: &[u8]) -> bool {
    let high = rest.get(1..5).and_then(hex).is_some_and(|unit| (0xD800..0xDC00).contains(&unit));
    let partner = rest.get(5..).unwrap_or_default();
    high && partner.len() < 6
        && (b"\\u".starts_with(partner)
            || partner.starts_with(b"\\u") && partner[2..].iter().all(u8::is_ascii_hexdigit))
}

/// How many digits the number of a character in braces may have.
const BRACED_DIGITS_MAX: usize = 6;
