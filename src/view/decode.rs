//! Finds runs of base64 and hexadecimal whose decoding is text, and decodes them. Does not decide
//! whether that text holds a secret.
//!
//! Clean logs are full of such runs (digests, ids, paths); nearly all fail on the first few
//! decoded bytes, which is what [`promising`] looks at.

use std::ops::Range;

use super::View;
use crate::limits::{BASE64_RUN_MIN, HEX_RUN_MIN, SECRET_BYTES_MAX};

/// How many bytes of a decoding are looked at before it is worth doing it whole.
const PROBE_BYTES: usize = 9;

/// Whether a byte can stand in a base64 run (standard or URL-safe alphabet), padding aside.
pub fn is_base64(byte: u8) -> bool {
    VALUES[usize::from(byte)] < 64
}

/// The value of each base64 digit of both alphabets; 64 for all other bytes.
const VALUES: [u8; 256] = {
    let mut table = [64; 256];
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        table[digits[value] as usize] = value as u8;
        value += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

/// The next maximal run of base64 digits of at least [`BASE64_RUN_MIN`] at or after `from`.
pub fn next_run(text: &[u8], from: usize) -> Option<Range<usize>> {
    // All bytes from `start` to `known` are digits; a byte that is none at the last place of the shortest
    // run says that no run begins before it, so most bytes are not looked at.
    let (mut start, mut known) = (from, from);
    loop {
        let last = start + BASE64_RUN_MIN - 1;
        if !is_base64(*text.get(last)?) {
            (start, known) = (last + 1, last + 1);
            continue;
        }
        match text[known..last].iter().rposition(|&byte| !is_base64(byte)) {
            Some(at) => (start, known) = (known + at + 1, last + 1),
            None => {
                let more = text[last..].iter().take_while(|&&byte| is_base64(byte)).count();
                return Some(start..last + more);
            }
        }
    }
}

/// Whether the run of base64 digits that begins at `text[at..]` decodes to text. False only for runs
/// that `texts` leaves out, except that a backslash in the text may end a run too early.
pub fn decodes_to_text(text: &[u8], at: usize) -> bool {
    let rest = &text[at..];
    if base64_is_text(rest) {
        return true;
    }
    let rest = unprefixed(rest);
    let hex_begins = || rest.chunks_exact(2).take(3).all(|pair| hex_byte(pair).is_some_and(is_text));
    if !hex_begins() {
        return false;
    }
    let run = &rest[..rest.iter().take_while(|&&byte| is_base64(byte)).count()];
    is_hex(run)
        && run.chunks_exact(2).all(|pair| hex_byte(pair).is_some_and(is_text))
        && is_mostly_ascii(hex_bytes(run))
}

/// Whether a run of at least [`BASE64_RUN_MIN`] digits may decode to text, told by the first of them and by how many there
/// are; `run` is [`RUN_SEEN_MAX`] or more where there may be more. False only where [`decodes_to_text`] is.
pub fn may_decode(digits: &[u8; 16], run: usize) -> bool {
    let base64 = || {
        let mut ascii = 0;
        let text = digits.chunks_exact(4).all(|group| match base64_group(group) {
            Some(bytes) => {
                ascii += bytes.iter().filter(|byte| byte.is_ascii()).count();
                bytes.into_iter().all(is_text)
            }
            None => {
                ascii += 3;
                true
            }
        });
        text && (run >= RUN_SEEN_MAX || is_mostly(ascii + (run * 3 / 4).saturating_sub(12), run * 3 / 4))
    };
    let hex = || digits.chunks_exact(2).all(|pair| hex_byte(pair).is_some_and(is_text));
    base64() || hex() || unprefixed(digits).len() < digits.len()
}

/// Up to how many digits [`may_decode`] is told of.
pub const RUN_SEEN_MAX: usize = 64;

/// Whether so many of all bytes are ASCII that they are text.
fn is_mostly(ascii: usize, all: usize) -> bool {
    all > 0 && ascii * 10 >= all * 9
}

/// Whether the run of base64 digits that `text` begins with decodes to text: all of its whole groups, and nearly all
/// bytes ASCII.
fn base64_is_text(text: &[u8]) -> bool {
    let (mut ascii, mut all) = (0, 0);
    let mut count = |bytes: &[u8]| {
        ascii += bytes.iter().filter(|byte| byte.is_ascii()).count();
        all += bytes.len();
    };
    let mut groups = text.chunks(4);
    for group in &mut groups {
        match base64_group(group) {
            Some(bytes) if bytes.iter().all(|&byte| is_text(byte)) => count(&bytes),
            Some(_) => return false,
            None => {
                let rest = group.iter().take_while(|&&byte| is_base64(byte)).count();
                base64_bytes(&group[..rest]).for_each(|byte| count(&[byte]));
                break;
            }
        }
    }
    is_mostly(ascii, all)
}

fn is_mostly_ascii(bytes: impl Iterator<Item = u8>) -> bool {
    let (mut ascii, mut all) = (0, 0);
    for byte in bytes {
        ascii += usize::from(byte.is_ascii());
        all += 1;
    }
    is_mostly(ascii, all)
}

/// The bytes of a whole group of digits.
fn base64_group(group: &[u8]) -> Option<[u8; 3]> {
    let [a, b, c, d] = group.first_chunk::<4>()?.map(|digit| VALUES[usize::from(digit)]);
    (a | b | c | d < 64).then_some([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d])
}

fn hex_byte(pair: &[u8]) -> Option<u8> {
    let [high, low] = pair.first_chunk::<2>()?.map(|digit| HEX[usize::from(digit)]);
    (high | low < 16).then_some(high << 4 | low)
}

/// The value of each hexadecimal digit; 16 for all other bytes.
const HEX: [u8; 256] = {
    let mut table = [16; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value];
        table[digit as usize] = value as u8;
        table[digit.to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    table
};

/// Whether the decoding of a run may be text, judged on its first bytes. False only for runs that
/// `texts` leaves out.
fn promising(run: &[u8]) -> bool {
    let mut probe = [0; PROBE_BYTES];
    probe_is_text(&mut probe, base64_bytes(run)) || probe_is_text(&mut probe, hex_bytes(unprefixed(run)))
}

fn probe_is_text(probe: &mut [u8; PROBE_BYTES], bytes: impl Iterator<Item = u8>) -> bool {
    let mut length = 0;
    for (slot, byte) in probe.iter_mut().zip(bytes) {
        *slot = byte;
        length += 1;
    }
    length > 0 && probe[..length].iter().all(|&byte| is_text(byte))
}

/// Appends the decoding of every run of `parent` that decodes to text to `view`, each followed by
/// a line end.
///
/// A run is indivisible: what is found in it masks it whole. But a run longer than a secret can be
/// is a blob, of which only the groups of four digits are indivisible, because its beginning may
/// have been written when the secret comes. Where `open` is set, a blob at the end may go on, and
/// its decoding has no line end.
pub fn texts(parent: &[u8], open: bool, view: &mut View) {
    let mut place = 0;
    while let Some(run) = next_run(parent, place) {
        place = run.end;
        let digits = &parent[run.clone()];
        if !promising(digits) {
            continue;
        }
        let padding = parent[run.end..].iter().take(2).take_while(|&&byte| byte == b'=').count();
        let start = view.text.len();
        let hex = unprefixed(digits);
        if is_hex(hex) {
            view.text.extend(hex_bytes(hex));
        }
        if view.text.len() == start || !mostly_text(&view.text[start..]) {
            view.text.truncate(start);
            view.text.extend(base64_bytes(digits));
        }
        if !mostly_text(&view.text[start..]) {
            view.text.truncate(start);
            continue;
        }
        let end = view.text.len();
        if run.len() > SECRET_BYTES_MAX {
            let is_hex = end - start == hex.len() / 2;
            let (size, decoded) = if is_hex { (2, 1) } else { (4, 3) };
            let first = if is_hex { run.end - hex.len() } else { run.start };
            for (group, at) in (start..end).step_by(decoded).enumerate() {
                let from = first + group * size;
                view.map.atom(at, from, (from + size).min(run.end + padding));
            }
            if open && run.end + padding == parent.len() {
                continue;
            }
        } else {
            view.map.atom(start, run.start, run.end + padding);
        }
        view.text.push(b'\n');
        view.map.atom(end, run.end + padding, run.end + padding);
    }
}

/// The bytes of digits of base64, without padding.
pub fn base64_bytes(digits: &[u8]) -> impl Iterator<Item = u8> + '_ {
    digits.chunks(4).flat_map(|chunk| {
        let value = |index: usize| chunk.get(index).map_or(0, |&digit| u32::from(VALUES[usize::from(digit)]));
        let bits = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
        let length = chunk.len() * 3 / 4;
        [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8].into_iter().take(length)
    })
}

/// A run of hexadecimal digits without the sign that says that it is one: `0x`.
fn unprefixed(run: &[u8]) -> &[u8] {
    run.strip_prefix(b"0x").or(run.strip_prefix(b"0X")).unwrap_or(run)
}

fn is_hex(run: &[u8]) -> bool {
    run.len() >= HEX_RUN_MIN && run.len().is_multiple_of(2) && run.iter().all(u8::is_ascii_hexdigit)
}

fn hex_bytes(digits: &[u8]) -> impl Iterator<Item = u8> + '_ {
    digits.chunks_exact(2).map(|pair| hex_byte(pair).unwrap_or(0))
}

/// Bytes that text is made of; those of UTF-8 sequences included.
#[inline]
fn is_text(byte: u8) -> bool {
    TEXT[usize::from(byte)]
}

const TEXT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_text_byte(byte as u8);
        byte += 1;
    }
    table
};

const fn is_text_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x1b | 0x20..=0x7e | 0xc2..=0xf4 | 0x80..=0xbf)
}

/// The bytes of text, by nibbles: a byte is one if a bit is set for both its nibbles.
pub const TEXT_LOW: [u8; 16] = {
    let mut table = [0; 16];
    let mut byte = 0;
    while byte < 256 {
        table[byte & 15] |= text_class(byte as u8);
        byte += 1;
    }
    table
};
/// See [`TEXT_LOW`].
pub const TEXT_HIGH: [u8; 16] = {
    let mut table = [0; 16];
    let mut byte = 0;
    while byte < 256 {
        table[byte >> 4] |= text_class(byte as u8);
        byte += 1;
    }
    table
};

/// A bit for each kind of rows of sixteen bytes that have the same bytes of text.
const fn text_class(byte: u8) -> u8 {
    match byte {
        _ if !is_text_byte(byte) => 0,
        0x00..0x10 => 1,
        0x10..0x20 => 2,
        0x70..0x80 => 4,
        0xc0..0xd0 => 8,
        0xf0.. => 16,
        _ => 32,
    }
}

// The classes of nibbles must not say more, nor less, than `is_text_byte` does.
const _: () = {
    let mut byte: usize = 0;
    while byte < 256 {
        assert!((TEXT_LOW[byte & 15] & TEXT_HIGH[byte >> 4] != 0) == is_text_byte(byte as u8));
        byte += 1;
    }
};

/// Whether all bytes are text, and nearly all of them ASCII.
fn mostly_text(bytes: &[u8]) -> bool {
    let ascii = bytes.iter().filter(|byte| byte.is_ascii()).count();
    bytes.iter().all(|&byte| is_text(byte)) && is_mostly(ascii, bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            cases: if cfg!(miri) { 4 } else { 20_000 }, ..proptest::prelude::ProptestConfig::default()
        })]

        #[test]
        fn what_the_first_digits_deny_decodes_to_no_text(
            // One text in some ten holds as many bytes that are no ASCII as are allowed, or one more.
            mut bytes in proptest::collection::vec(b' '..=b'~', 15..80),
            odd in proptest::collection::vec((0..80_usize, 0x80..=0xff_u8), 0..9),
            cut in 0..3_usize,
        ) {
            odd.iter().for_each(|&(at, byte)| if let Some(slot) = bytes.get_mut(at) { *slot = byte });
            let mut run = crate::rules::sample::base64url(&bytes);
            run.truncate(run.len() - cut);
            if run.len() >= crate::limits::BASE64_RUN_MIN && decodes_to_text(run.as_bytes(), 0) {
                let first = run.as_bytes().first_chunk().unwrap();
                proptest::prop_assert!(may_decode(first, run.len().min(RUN_SEEN_MAX)), "{}", run);
            }
        }
    }
}
