//! Finds the lines of a text that may go on in the next one, by their length and what stands before their end. **It has
//! no false negatives.** Does not decide whether a line goes on.

use super::simd::Backend;
use crate::view;

/// The start of the first line at or after `from`, a line start, that ends in a run of [`RUN_MIN`] digits of base64 or
/// more with something blank behind it, or, if they are asked for, in what may be a soft break of quoted-printable, or
/// that is as wide as one of `columns` (0 for none) and has an end.
pub fn next(text: &[u8], from: usize, soft: bool, columns: [usize; 2]) -> Option<usize> {
    Backend::known().next_break(text, from, soft, columns)
}

/// Whether a line without its end is as wide as one of `columns`, without the colours in it.
pub fn is_as_wide(line: &[u8], columns: [usize; 2]) -> bool {
    let is = |width: usize| width > 0 && columns.contains(&width);
    // A line takes at most as many columns as it has bytes.
    let may_be = columns.into_iter().any(|count| count > 0 && count <= line.len());
    may_be && if line.iter().fold(false, |odd, &byte| odd | is_odd(byte)) { is(width(line)) } else { is(line.len()) }
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

/// Whether a byte may take no column.
fn is_odd(byte: u8) -> bool {
    byte >= 0x80 || byte == ESCAPE
}

/// What is known of [`PIECE`] bytes; bit `i` speaks of byte `i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Line ends.
    pub newlines: u32,
    /// Bytes that may take no column: they begin an escape, or are part of a longer character.
    pub odd: u32,
}

/// How many bytes are looked at at once: what one vector has. A word that is made of two masks is tested bit by bit by
/// some compilers.
pub const PIECE: usize = 32;

/// Byte by byte.
pub fn scalar(bytes: &[u8; PIECE]) -> Ends {
    let bits = |is: fn(u8) -> bool| (0..PIECE).fold(0, |bits, at| bits | u32::from(is(bytes[at])) << at);
    Ends { newlines: bits(|byte| byte == b'\n'), odd: bits(is_odd) }
}

/// See [`next`].
#[inline(always)]
pub fn find(
    text: &[u8],
    from: usize,
    soft: bool,
    columns: [usize; 2],
    ends: impl Fn(&[u8; PIECE]) -> Ends,
) -> Option<usize> {
    let widths = columns.into_iter().filter(|&count| count > 0);
    let mut lines = Lines {
        text,
        soft,
        columns,
        least: widths.chain([RUN_MIN]).min().unwrap_or(RUN_MIN),
        start: from,
        is_odd: false,
    };
    let (pairs, rest) = text.get(from..)?.as_chunks::<{ 2 * PIECE }>();
    let mut at = from;
    // No line ends with a byte of zero.
    let mut last = [0; 2 * PIECE];
    last[..rest.len()].copy_from_slice(rest);
    for pair in pairs.iter().chain([&last]) {
        let (pieces, _) = pair.as_chunks::<PIECE>();
        let [first, second] = [ends(&pieces[0]), ends(&pieces[1])];
        if first.newlines | second.newlines == 0 {
            lines.is_odd |= first.odd | second.odd != 0;
        } else if let Some(start) = lines.read(at, first).or_else(|| lines.read(at + PIECE, second)) {
            return Some(start);
        }
        at += 2 * PIECE;
    }
    let rest = text.get(lines.start..).unwrap_or_default();
    (rest.last().is_some_and(u8::is_ascii_whitespace) && ends_in_run(rest.trim_ascii_end())).then_some(lines.start)
}

/// Goes over the lines of a text.
struct Lines<'a> {
    text: &'a [u8],
    soft: bool,
    columns: [usize; 2],
    /// A shorter line goes on nowhere but behind a soft break (bytes).
    least: usize,
    /// Where the line begins that is open, and whether one of its bytes is odd.
    start: usize,
    is_odd: bool,
}

impl Lines<'_> {
    /// The start of the first line with an end in the piece at `at` that may go on.
    #[inline(always)]
    fn read(&mut self, at: usize, ends: Ends) -> Option<usize> {
        let Ends { mut newlines, mut odd } = ends;
        while newlines != 0 {
            let bit = newlines.trailing_zeros();
            let (start, end) = (self.start, at + bit as usize);
            // In a line without such bytes, there are as many columns.
            let is_plain = !self.is_odd && odd & !(!0 << bit) == 0;
            let line = &self.text[start..end];
            // What stands before a soft break may be short.
            let asks = line.len() >= self.least || self.soft && line.last().is_some_and(|&b| b == b'=' || b <= b' ');
            if asks && may_go_on(line, is_plain, self.soft, self.columns) {
                return Some(start);
            }
            (self.start, self.is_odd) = (end + 1, false);
            odd &= !0 << bit;
            newlines &= newlines - 1;
        }
        self.is_odd |= odd != 0;
        None
    }
}

/// Whether a line without its end may go on in the next one.
#[inline]
fn may_go_on(line: &[u8], is_plain: bool, soft: bool, columns: [usize; 2]) -> bool {
    let bare = match line.last() {
        Some(last) if last.is_ascii_whitespace() => line.trim_ascii_end(),
        _ => line,
    };
    let line = content(line);
    ends_in_run(bare)
        || soft && bare.ends_with(b"=")
        || if is_plain { columns.contains(&line.len()) } else { is_as_wide(line, columns) }
}

/// Whether a text ends in [`RUN_MIN`] digits of base64 or more.
fn ends_in_run(text: &[u8]) -> bool {
    let run = text.len().checked_sub(RUN_MIN).map(|start| &text[start..]);
    run.is_some_and(|run| run.iter().rev().all(|&byte| view::is_base64(byte)))
}

/// The least width at which programs break base64 (characters): OpenSSL and PEM do at 64, MIME at 76, some at 60.
pub const RUN_MIN: usize = 60;

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
            let digits = bare.iter().rev().take_while(|&&byte| view::is_base64(byte)).count();
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
        for backend in Backend::all() {
            for from in 0..130 {
                let text = &text[from..];
                let mut found = Vec::new();
                let mut start = 0;
                while let Some(line) = backend.next_break(text, start, true, COLUMNS) {
                    found.push(line);
                    start = memchr::memchr(b'\n', &text[line..]).map_or(text.len(), |end| line + end + 1);
                }
                assert_eq!(found, each(text), "{backend:?} from {from}");
            }
        }
    }
}
