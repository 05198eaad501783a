//! Turns a value into digits: base64, hexadecimal, percent codes. Does not know quotes.

use zeroize::Zeroizing;

use super::{shell::replaced, write::*};

/// The value alone, padded or not.
pub fn base64_whole(value: &[u8], digits: &[u8; 64], padded: bool, out: &mut Vec<u8>) -> Option<()> {
    let length = value.len().checked_mul(8)?.div_ceil(6);
    (0..length).for_each(|index| out.push(base64_digit(value, 6 * index, digits)));
    if padded {
        out.resize(length.next_multiple_of(4), b'=');
    }
    Some(())
}

/// The digits that hold bits of the value only, if `before` bytes (modulo 3) precede it.
pub fn base64_part(value: &[u8], before: usize, digits: &[u8; 64], out: &mut Vec<u8>) -> Option<()> {
    let first = (8 * before).div_ceil(6);
    let end = 8 * (before + value.len()) / 6;
    (first..end).for_each(|index| out.push(base64_digit(value, 6 * index - 8 * before, digits)));
    Some(())
}

/// The digit of the six bits from `bit` on; bits behind the end are 0.
pub fn base64_digit(value: &[u8], bit: usize, digits: &[u8; 64]) -> u8 {
    let byte = |index| value.get(index).map_or(0, |&byte: &u8| u16::from(byte));
    let pair = byte(bit / 8) << 8 | byte(bit / 8 + 1);
    digits[usize::from(pair >> (10 - bit % 8) & 63)]
}

/// A value that is base64 itself, without padding and with these digits for the last two.
pub fn own_digits(value: &[u8], digits: &[u8; 64], out: &mut Vec<u8>) -> Option<()> {
    let bare = &value[..value.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1)];
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    if bare.len() < OWN_DIGITS_MIN || !bare.iter().all(is_digit) {
        return None;
    }
    out.extend(bare.iter().map(|byte| match byte {
        b'+' | b'-' => digits[62],
        b'/' | b'_' => digits[63],
        other => *other,
    }));
    Some(())
}

/// Standard base64 of the standard base64 of the value alone: that alone, too, or the part that
/// depends on the value only, with `before` bytes before it.
pub fn base64_twice(value: &[u8], before: Option<usize>, out: &mut Vec<u8>) -> Option<()> {
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

pub fn hex(value: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) -> Option<()> {
    value.iter().for_each(|&byte| push_hex(byte, digits, out));
    Some(())
}

/// Pairs of digits with something between them.
pub fn hex_apart(value: &[u8], between: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) -> Option<()> {
    for (index, &byte) in value.iter().enumerate() {
        out.extend_from_slice(if index > 0 { between } else { b"" });
        push_hex(byte, digits, out);
    }
    Some(())
}

/// Each byte as a number of its own, as lists of numbers are written.
pub fn numbers(value: &[u8], between: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for (index, &byte) in value.iter().enumerate() {
        out.extend_from_slice(if index > 0 { between } else { b"" });
        push_number(byte, out);
    }
    Some(())
}

/// The same where bytes have a sign, if that makes a difference.
pub fn signed_numbers(value: &[u8], between: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if value.is_ascii() {
        return None;
    }
    for (index, &byte) in value.iter().enumerate() {
        out.extend_from_slice(if index > 0 { between } else { b"" });
        out.extend_from_slice(if byte < 0x80 { b"" } else { b"-" });
        push_number(byte.cast_signed().unsigned_abs(), out);
    }
    Some(())
}

pub fn hex_escapes(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    value.iter().for_each(|&byte| push_byte_escape(byte, out));
    Some(())
}

pub fn octal_escapes(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    value.iter().for_each(|&byte| push_octal(byte, out));
    Some(())
}

/// Percent codes for all but ASCII letters, digits and `kept`; where a blank is kept, it is a plus.
pub fn percent(value: &[u8], kept: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) -> Option<()> {
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

/// The percent signs of that are encoded, too.
pub fn percent_twice(value: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        out.extend_from_slice(if plain { b"" } else { b"%25" });
        if plain {
            out.push(byte);
        } else {
            push_hex(byte, digits, out);
        }
    }
    Some(())
}

pub fn utf16(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    each_char(value, out, |character, out| {
        character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.extend(unit.to_le_bytes()));
    })
}

pub fn utf16_of(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(2 * value.len()));
    utf16(value, &mut text)?;
    Some(text)
}

/// UTF-16 of what stands between single quotes in PowerShell.
pub fn doubled_utf16(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if !value.contains(&b'\'') {
        return None;
    }
    let mut doubled = Zeroizing::new(Vec::with_capacity(2 * value.len()));
    replaced(value, b"'", "''", &mut doubled)?;
    utf16_of(&doubled)
}

/// How long a value must be to be taken for base64 (bytes).
const OWN_DIGITS_MIN: usize = 16;
