//! Turns UTF-16 into UTF-8 for the scanner, and masks into UTF-16 for the stream. Does not guess:
//! only a byte order mark at the start of a stream makes it UTF-16. Who can write that mark must not blind the
//! scanner: bytes behind it that are plainly ASCII are read as ASCII.

use super::{View, push_char};

/// How a stream writes its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// ASCII-compatible bytes: UTF-8, Latin-1, or none at all.
    #[default]
    Bytes,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
}

impl Encoding {
    /// The encoding that the first two bytes of a stream announce.
    pub fn of_mark(start: &[u8]) -> Encoding {
        match start {
            [0xff, 0xfe, ..] => Encoding::Utf16Le,
            [0xfe, 0xff, ..] => Encoding::Utf16Be,
            _ => Encoding::Bytes,
        }
    }

    /// Where the first line of `bytes` ends (just after its LF), if it does. `from` bytes are
    /// known to hold no line end; in UTF-16, `bytes` begins at a code unit.
    pub fn line_end(self, bytes: &[u8], from: usize) -> Option<usize> {
        if self == Encoding::Bytes {
            return memchr::memchr(b'\n', &bytes[from..]).map(|at| from + at + 1);
        }
        let even = from & !1;
        let units = bytes[even..].chunks_exact(2);
        units.into_iter().position(|unit| self.unit(unit) == 0x0a).map(|index| even + 2 * index + 2)
    }

    /// Where half a character begins at the end of `bytes`, which begin at a code unit, or what may be ASCII.
    pub fn unfinished(self, bytes: &[u8]) -> Option<usize> {
        let whole = bytes.len() & !1;
        let ascii = bytes[..whole].rchunks_exact(2).take(ASCII_UNITS).take_while(|unit| is_ascii(unit)).count();
        if self != Encoding::Bytes && (1..ASCII_UNITS).contains(&ascii) {
            return Some(whole - 2 * ascii);
        }
        let high = |at: usize| bytes.get(at..whole).is_some_and(|unit| (0xd800..0xdc00).contains(&self.unit(unit)));
        match self {
            Encoding::Bytes => None,
            _ if whole >= 2 && high(whole - 2) => Some(whole - 2),
            _ => (whole < bytes.len()).then_some(whole),
        }
    }

    /// Writes `text` (UTF-8, or bytes where the stream is bytes) as the stream has it.
    pub fn encode(self, text: &[u8], out: &mut Vec<u8>) {
        if self == Encoding::Bytes {
            out.extend_from_slice(text);
            return;
        }
        for unit in String::from_utf8_lossy(text).encode_utf16() {
            out.extend(if self == Encoding::Utf16Le { unit.to_le_bytes() } else { unit.to_be_bytes() });
        }
    }

    fn unit(self, bytes: &[u8]) -> u16 {
        match (self, bytes) {
            (Encoding::Utf16Be, &[high, low, ..]) => u16::from_be_bytes([high, low]),
            (_, &[low, high, ..]) => u16::from_le_bytes([low, high]),
            _ => 0,
        }
    }

    /// Appends `parent`, which is of this encoding, to `view` as UTF-8. A lone surrogate stands
    /// for U+FFFD, a byte order mark for nothing, an odd last byte for U+FFFD; but where `open` is
    /// set and more bytes may follow, half a character at the end is left out, and what may become ASCII.
    pub fn decode(self, parent: &[u8], open: bool, view: &mut View) {
        let (mut place, mut in_bytes) = (0, false);
        while place + 1 < parent.len() {
            if open && !in_bytes {
                let ascii = ascii_units(&parent[place..]);
                if (1..ASCII_UNITS).contains(&ascii) && place + 2 * ascii + 1 >= parent.len() {
                    return;
                }
            }
            in_bytes = is_in_bytes(&parent[place..], in_bytes);
            if in_bytes {
                view.copy(parent, place, place + 2);
                place += 2;
                continue;
            }
            let unit = self.unit(&parent[place..]);
            let mut length = 2;
            let char = match unit {
                0xd800..=0xdbff if open && place + 4 > parent.len() => return,
                0xd800..=0xdbff => {
                    let low = parent.get(place + 2..place + 4).map(|bytes| self.unit(bytes));
                    match low.and_then(|low| char::decode_utf16([unit, low]).next()?.ok()) {
                        Some(char) => {
                            length = 4;
                            char
                        }
                        None => char::REPLACEMENT_CHARACTER,
                    }
                }
                _ => char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER),
            };
            let at = view.text.len();
            if char == '\u{feff}' {
                view.map.gap(at, place, place + length);
            } else {
                push_char(&mut view.text, char);
                view.map.atom(at, place, place + length);
            }
            place += length;
        }
        if place < parent.len() && !open {
            let at = view.text.len();
            if in_bytes {
                view.text.push(parent[place]);
            } else {
                push_char(&mut view.text, char::REPLACEMENT_CHARACTER);
            }
            view.map.atom(at, place, parent.len());
        }
    }
}

/// What stands where, in a text whose units are looked at in order: UTF-16, or ASCII that [`Encoding::decode`]
/// reads as such.
#[derive(Debug, Default)]
pub struct Reading {
    place: usize,
    in_bytes: bool,
}

impl Reading {
    /// How the code unit is read that ends at `end` in a text of this encoding. The places of one text ascend.
    pub fn before(&mut self, encoding: Encoding, text: &[u8], end: usize) -> Encoding {
        while encoding != Encoding::Bytes && self.place + 1 < end {
            self.in_bytes = is_in_bytes(&text[self.place..], self.in_bytes);
            self.place += 2;
        }
        if self.in_bytes { Encoding::Bytes } else { encoding }
    }
}

/// Whether the first unit of `rest` is read as two characters of ASCII, behind one that was or was not.
fn is_in_bytes(rest: &[u8], was: bool) -> bool {
    if was { !rest.iter().take(2).any(|&byte| byte < b'\t') } else { ascii_units(rest) == ASCII_UNITS }
}

/// How many code units in a row may be ASCII, as far as it matters.
fn ascii_units(rest: &[u8]) -> usize {
    rest.chunks_exact(2).take(ASCII_UNITS).take_while(|unit| is_ascii(unit)).count()
}

/// Whether a code unit may as well be two characters of ASCII, as they stand in logs.
fn is_ascii(unit: &[u8]) -> bool {
    unit.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x1b | b' '..=b'~'))
}

/// So many of such code units in a row are ASCII: as UTF-16 they would be four Chinese characters of a third of all.
const ASCII_UNITS: usize = 4;
