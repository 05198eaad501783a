//! Turns percent codes of URLs, character references of HTML and XML, and the equals sign of quoted-printable into what
//! they stand for.
//! Does not parse URLs or markup: codes are understood wherever they stand.

use super::{View, push_char};

/// The longest reference that is looked at, `&#x10FFFF;` (bytes).
const REFERENCE_BYTES_MAX: usize = 10;

/// How quoted-printable writes the equals sign, as the one code of it that ends what a word begins behind.
const EQUALS: &[u8] = b"=3D";

/// The references with names that matter in logs; all others stay as they are.
const NAMED: &[(&[u8], char)] =
    &[(b"quot", '"'), (b"amp", '&'), (b"lt", '<'), (b"gt", '>'), (b"apos", '\''), (b"nbsp", ' ')];

/// Whether a text may hold a code. False only where [`decode`] changes nothing.
pub fn present(text: &[u8]) -> bool {
    memchr::memchr3_iter(b'%', b'&', b'=', text).any(|at| code(&text[at..]).is_some())
}

/// Whether a code begins at the start of `text`.
pub fn is_code(text: &[u8]) -> bool {
    code(text).is_some()
}

/// Appends `parent[from..to]`, decoded once, to `view`.
pub fn decode(parent: &[u8], from: usize, to: usize, view: &mut View) {
    let mut place = from;
    let mut copied = from;
    while let Some(step) = memchr::memchr3(b'%', b'&', b'=', &parent[place..to]) {
        let at = place + step;
        let Some((what, length)) = code(&parent[at..to]) else {
            place = at + 1;
            continue;
        };
        view.copy(parent, copied, at);
        let here = view.text.len();
        match what {
            Code::Byte(byte) => view.text.push(byte),
            Code::Char(char) => push_char(&mut view.text, char),
        }
        view.map.atom(here, at, at + length);
        place = at + length;
        copied = place;
    }
    view.copy(parent, copied, to);
}

enum Code {
    Byte(u8),
    Char(char),
}

/// The code at the start of `text`, and its length.
fn code(text: &[u8]) -> Option<(Code, usize)> {
    if text.first() == Some(&b'%') {
        let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
        let byte = (digit(1)? << 4 | digit(2)?) as u8;
        return Some((Code::Byte(byte), 3));
    }
    if text.first() == Some(&b'=') {
        return text.starts_with(EQUALS).then_some((Code::Byte(b'='), EQUALS.len()));
    }
    let bound = text.len().min(REFERENCE_BYTES_MAX);
    let end = memchr::memchr(b';', &text[..bound])?;
    let name = text.get(1..end)?;
    let char = match name {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((Code::Char(char), end + 1))
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    if digits.is_empty() {
        return None;
    }
    let code = digits
        .iter()
        .try_fold(0u32, |sum, &digit| sum.checked_mul(radix)?.checked_add(char::from(digit).to_digit(radix)?))?;
    char::from_u32(code)
}

/// Where a code begins that the end of `text` cuts, if one may.
pub fn unfinished(text: &[u8]) -> Option<usize> {
    let from = text.len().saturating_sub(REFERENCE_BYTES_MAX - 1);
    (from..text.len()).find_map(|at| {
        let (cut, from) = match text[at] {
            b'%' => (text.len() - at < 3 && text[at + 1..].iter().all(u8::is_ascii_hexdigit), at),
            b'&' => (text[at + 1..].iter().all(|&byte| byte.is_ascii_alphanumeric() || byte == b'#'), at),
            // The sign stands for itself, whatever comes.
            b'=' => (text[at..] == EQUALS[..2], at + 1),
            _ => (false, at),
        };
        cut.then_some(from)
    })
}
