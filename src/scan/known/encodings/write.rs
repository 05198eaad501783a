//! Writes single bytes and characters as escapes and digits. Does not know encodings of whole values.

pub const LOWER: &[u8; 16] = b"0123456789abcdef";
pub const UPPER: &[u8; 16] = b"0123456789ABCDEF";
pub const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub fn each_char(value: &[u8], out: &mut Vec<u8>, mut each: impl FnMut(char, &mut Vec<u8>)) -> Option<()> {
    std::str::from_utf8(value).ok()?.chars().for_each(|character| each(character, out));
    Some(())
}

pub fn push_char(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// `\u` and four digits for each UTF-16 unit.
pub fn push_unicode(character: char, digits: &[u8; 16], out: &mut Vec<u8>) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.extend(b"\\u");
        unit.to_be_bytes().iter().for_each(|&byte| push_hex(byte, digits, out));
    }
}

pub fn push_byte_escape(byte: u8, out: &mut Vec<u8>) {
    out.extend(b"\\x");
    push_hex(byte, LOWER, out);
}

pub fn push_octal(byte: u8, out: &mut Vec<u8>) {
    out.push(b'\\');
    out.extend([byte >> 6, byte >> 3 & 7, byte & 7].map(|digit| b'0' + digit));
}

pub fn push_number(byte: u8, out: &mut Vec<u8>) {
    let digits = [byte / 100, byte / 10 % 10, byte % 10].map(|digit| b'0' + digit);
    out.extend_from_slice(&digits[usize::from(byte < 10) + usize::from(byte < 100)..]);
}

pub fn push_hex(byte: u8, digits: &[u8; 16], out: &mut Vec<u8>) {
    out.extend([digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
}
