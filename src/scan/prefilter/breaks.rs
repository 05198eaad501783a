//! Finds the lines of a text that may go on in the next one, by their length and what stands before their end. **It has
//! no false negatives.** Does not decide whether a line goes on.

use std::ops::Range;

use super::simd::Backend;
use crate::view;

/// Goes over the lines of a text. Which bytes end lines, and with what each line ends, cannot be foretold: so the ends of a
/// chunk are listed without a branch, and a line is read only if its length or a few of its bytes ask for it.
pub struct Breaks {
    list: Box<List>,
    /// How many ends of the chunk there are, and how many of them were looked at.
    count: usize,
    seen: usize,
    /// Where the chunk begins, and where the next one does.
    chunk: usize,
    next: usize,
    /// Where the line begins that is open, and whether some byte near it takes no column.
    start: usize,
    is_odd: bool,
    is_chunk_odd: bool,
}

/// Where lines end in a chunk.
pub type List = [u16; CHUNK_BYTES + AT_ONCE];

impl Default for Breaks {
    fn default() -> Breaks {
        Breaks {
            list: Box::new([0; CHUNK_BYTES + AT_ONCE]),
            count: 0,
            seen: 0,
            chunk: 0,
            next: 0,
            start: 0,
            is_odd: false,
            is_chunk_odd: false,
        }
    }
}

impl Breaks {
    /// Another text comes, or the same from its beginning.
    pub fn forget(&mut self) {
        (self.count, self.seen, self.next, self.start, self.is_odd) = (0, 0, 0, 0, false);
    }

    /// The start of the first line at or after `from`, a line start that is not before those of earlier calls, that ends in a
    /// run of [`RUN_MIN`] digits of base64 or more with something blank behind it, in what may be a soft break of
    /// quoted-printable, or that is as wide as one of `columns` (0 for none) and has an end. That line is asked about
    /// again if the next call begins there.
    pub fn next(&mut self, text: &[u8], from: usize, columns: [usize; 2]) -> Option<usize> {
        let least = columns.into_iter().filter(|&count| count > 0).min().unwrap_or(usize::MAX);
        if from > self.next {
            (self.count, self.seen, self.next, self.start, self.is_odd) = (0, 0, from, from, false);
        }
        loop {
            while self.seen < self.count {
                let end = self.chunk + usize::from(self.list[self.seen]);
                let start = self.start;
                if start >= from && asks(text, start..end, !self.is_odd, columns, least) {
                    return Some(start);
                }
                (self.start, self.is_odd) = (end + 1, self.is_chunk_odd);
                self.seen += 1;
            }
            let rest = text.get(self.next..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let chunk = &rest[..rest.len().min(CHUNK_BYTES)];
            let ends = Backend::known().line_ends(chunk, &mut self.list);
            (self.count, self.seen, self.is_chunk_odd) = (ends.count, 0, ends.is_odd);
            (self.chunk, self.next) = (self.next, self.next + chunk.len());
            self.is_odd |= ends.is_odd;
        }
        let start = self.start.max(from);
        let rest = text.get(start..).unwrap_or_default();
        (rest.last().is_some_and(u8::is_ascii_whitespace) && ends_in_run(rest.trim_ascii_end())).then_some(start)
    }
}

/// Whether the line at these bytes, of which the end is a byte of the text, may go on in the next one. If it is plain, it
/// has as many columns as bytes.
#[inline(always)]
fn asks(text: &[u8], line: Range<usize>, is_plain: bool, columns: [usize; 2], least: usize) -> bool {
    // Bytes before the line say yes only where the length says no.
    let byte = |behind: usize| text[line.end.saturating_sub(behind)];
    let last = byte(1);
    let all_digits = PROBES.iter().fold(true, |all, &behind| all & view::is_base64(byte(behind)));
    let run = (line.len() >= RUN_MIN) & all_digits;
    let wide = columns.contains(&line.len()) | (!is_plain && line.len() >= least && has_odd(&text[line.clone()]));
    let asks = (last <= b' ') | run | wide | (last == b'=');
    asks && !line.is_empty() && may_go_on(&text[line], is_plain, columns)
}

/// Whether a line without its end is as wide as one of `columns`, without the colours in it.
pub fn is_as_wide(line: &[u8], columns: [usize; 2]) -> bool {
    let is = |width: usize| width > 0 && columns.contains(&width);
    // A line takes at most as many columns as it has bytes.
    let may_be = columns.into_iter().any(|count| count > 0 && count <= line.len());
    may_be && if has_odd(line) { is(width(line)) } else { is(line.len()) }
}

/// A line without its end.
pub fn content(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// How many characters a line has, but for escapes that choose colours and the like.
fn width(line: &[u8]) -> usize {
    let begins = |&byte: &u8| u8::from(byte & 0xc0 != 0x80);
    let characters = |text: &[u8]| match text.is_ascii() {
        true => text.len(),
        // Sums of a byte are made many at a time.
        false => text.chunks(255).map(|chunk| usize::from(chunk.iter().map(begins).sum::<u8>())).sum(),
    };
    let (mut count, mut rest) = (0, line);
    while let Some(at) = memchr::memchr(ESCAPE, rest) {
        count += characters(&rest[..at]);
        let behind = &rest[at + 1..];
        rest = match behind.strip_prefix(b"[") {
            Some(sequence) => {
                let end = sequence.iter().position(|&byte| byte >= b'@').map_or(sequence.len(), |at| at + 1);
                &sequence[end..]
            }
            None => {
                count += 1;
                behind
            }
        };
    }
    count + characters(rest)
}

fn has_odd(line: &[u8]) -> bool {
    line.iter().fold(false, |odd, &byte| odd | is_odd(byte))
}

/// Whether a byte may take no column.
fn is_odd(byte: u8) -> bool {
    byte >= 0x80 || byte == ESCAPE
}

/// What is known of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// How many lines end in it.
    pub count: usize,
    /// Whether some byte may take no column: it begins an escape, or is part of a longer character.
    pub is_odd: bool,
}

/// The most bytes of a chunk.
pub const CHUNK_BYTES: usize = 4 << 10;

/// How many bytes have their line ends in one word.
pub const PIECE: usize = 64;

/// How many ends are written at once, because how many there are cannot be foretold.
const AT_ONCE: usize = 2;

/// The line ends of a piece, bit `i` for byte `i`, and whether a byte of it is odd: byte by byte.
pub fn scalar(piece: &[u8; PIECE]) -> (u64, bool) {
    let newline = |bits: u64, (at, &byte): (usize, &u8)| bits | u64::from(byte == b'\n') << at;
    (piece.iter().enumerate().fold(0, newline), piece.iter().any(|&byte| is_odd(byte)))
}

/// Lists the line ends of a chunk.
#[inline(always)]
pub fn list(chunk: &[u8], list: &mut List, ends: impl Fn(&[u8; PIECE]) -> (u64, bool)) -> Ends {
    let (pieces, rest) = chunk.as_chunks();
    // No line ends with a byte of zero.
    let mut last = [0; PIECE];
    last[..rest.len()].copy_from_slice(rest);
    let (mut count, mut is_odd) = (0, false);
    for (piece, bytes) in pieces.iter().chain((!rest.is_empty()).then_some(&last)).enumerate() {
        let (mut newlines, odd) = ends(bytes);
        is_odd |= odd;
        let mut to = count;
        count += newlines.count_ones() as usize;
        loop {
            for slot in &mut list[to..to + AT_ONCE] {
                // Without a newline left this is behind the piece, and will be overwritten.
                *slot = (piece * PIECE) as u16 + newlines.trailing_zeros() as u16;
                newlines &= newlines.wrapping_sub(1);
            }
            if newlines == 0 {
                break;
            }
            to += AT_ONCE;
        }
    }
    Ends { count, is_odd }
}

/// Whether a line without its end may go on in the next one.
#[cold]
fn may_go_on(line: &[u8], is_plain: bool, columns: [usize; 2]) -> bool {
    let bare = line.trim_ascii_end();
    let line = content(line);
    ends_in_run(bare)
        || bare.ends_with(b"=")
        || if is_plain { columns.contains(&line.len()) } else { is_as_wide(line, columns) }
}

/// Whether a text ends in [`RUN_MIN`] digits of base64 or more, of one of its alphabets: paths have signs of both.
pub fn ends_in_run(text: &[u8]) -> bool {
    let Some(run) = text.last_chunk::<RUN_MIN>() else { return false };
    // Without a branch many bytes are told at once.
    let (mut all, mut standard, mut safe) = (true, false, false);
    for &byte in run {
        let of_standard = (byte == b'+') | (byte == b'/');
        let of_safe = (byte == b'-') | (byte == b'_');
        let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        all &= is_letter | (byte.wrapping_sub(b'0') < 10) | of_standard | of_safe;
        standard |= of_standard;
        safe |= of_safe;
    }
    all && !(standard && safe)
}

/// The least width at which programs break base64 (characters): OpenSSL and PEM do at 64, MIME at 76, some at 60.
pub const RUN_MIN: usize = 60;

/// Which bytes of a run at a line's end are looked at first (from the end): words and numbers are seldom so long that no
/// blank or sign is among them.
const PROBES: [usize; 6] = [1, 8, 17, 28, 42, RUN_MIN];

/// The widest lines that can be asked for (columns): wider is no terminal.
pub const COLUMNS_MAX: usize = 895;

pub const ESCAPE: u8 = 0x1b;

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [usize; 2] = [80, 127];

    /// The starts of the lines that may go on, by a look at each.
    fn each(text: &[u8]) -> Vec<usize> {
        let mut start = 0;
        let mut starts = Vec::new();
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            let bare = line.trim_ascii_end();
            let run = bare.iter().rev().take_while(|&&byte| view::is_base64(byte)).take(RUN_MIN);
            let digits = if run.clone().any(|byte| b"+/".contains(byte)) && run.clone().any(|byte| b"-_".contains(byte))
            {
                0
            } else {
                run.count()
            };
            let wide = line.ends_with(b"\n") && is_as_wide(content(line), COLUMNS);
            let soft = bare.ends_with(b"=") && line.ends_with(b"\n");
            if bare.len() < line.len() && digits >= RUN_MIN || soft || wide {
                starts.push(start);
            }
            start += line.len();
        }
        starts
    }

    #[test]
    fn each_line_that_may_go_on_is_found_wherever_it_stands() {
        let lines = [
            ("", "\n"),
            ("x = y ", " \t\r\n"),
            ("a=", "=\n"),
            ("k = v\n", " = \n"),
            ("", "- \n"),
            ("", "-DD/D\n"),
            ("\n", ".\n"),
            ("x.", ".\r\r\n"),
            (". \u{1b}[32;1m ", "\u{1b}[m.\n"),
            ("\u{e4}", ".\r\n"),
            ("\u{6f22}\n.", ".\n"),
        ];
        let mut text = Vec::new();
        for digits in 50..140 {
            for (before, behind) in lines {
                text.extend_from_slice(before.as_bytes());
                text.extend(std::iter::repeat_n(b'D', digits));
                text.extend_from_slice(behind.as_bytes());
            }
        }
        for from in 0..130 {
            let text = &text[from..];
            let (mut breaks, mut found, mut start) = (Breaks::default(), Vec::new(), 0);
            while let Some(line) = breaks.next(text, start, COLUMNS) {
                found.push(line);
                start = memchr::memchr(b'\n', &text[line..]).map_or(text.len(), |end| line + end + 1);
            }
            assert_eq!(found, each(text), "from {from}");
        }
    }
}
