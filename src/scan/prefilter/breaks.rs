//! Turns a text into the places where a line may end that goes on in the next one, without looking at each line. **It
//! has no false negatives.** Does not decide whether a line goes on.

use super::{masks::BLOCK, simd::Backend};
use crate::view;

/// The first place at or after `from`, a line start, that lies in a run of [`RUN_MIN`] digits of base64 or more with
/// something blank behind it, or, if they are asked for, where a soft break of quoted-printable may stand, or the LF of a
/// line that is as wide as one of `columns` (0 for none).
pub fn next(text: &[u8], from: usize, soft: bool, columns: [usize; 2]) -> Option<usize> {
    Backend::known().next_break(text, from, soft, columns)
}

/// Whether a line without its end is as wide as one of `columns`, without the colours in it.
pub fn is_as_wide(line: &[u8], columns: [usize; 2]) -> bool {
    // A line takes at most as many columns as it has bytes.
    let least = columns.into_iter().filter(|&count| count > 0).min().unwrap_or(usize::MAX);
    line.len() >= least && Some(width(line)).filter(|&width| width > 0).is_some_and(|width| columns.contains(&width))
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

/// What is known of [`BLOCK`] bytes; bit `i` speaks of byte `i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Digits of base64 of either alphabet.
    pub digits: u64,
    /// Equals signs with a blank, a line end or a control character behind them. In two halves: some compilers test a
    /// word that is made of two masks bit by bit.
    pub signs: [u32; 2],
    /// Line ends, in two halves as well.
    pub newlines: [u32; 2],
    /// Whether one of the bytes may take no column: it begins an escape, or is part of a longer character.
    pub odd: bool,
}

/// A block and the byte behind it.
pub type Bytes = [u8; BLOCK + 1];

/// Byte by byte.
pub fn scalar(bytes: &Bytes) -> Ends {
    let signs = bits(|at| bytes[at] == b'=' && bytes[at + 1] <= b' ');
    let newlines = bits(|at| bytes[at] == b'\n');
    Ends {
        digits: bits(|at| view::is_base64(bytes[at])),
        signs: [signs as u32, (signs >> 32) as u32],
        newlines: [newlines as u32, (newlines >> 32) as u32],
        odd: bytes[..BLOCK].iter().any(|&byte| is_odd(byte)),
    }
}

#[inline(always)]
fn bits(is: impl Fn(usize) -> bool) -> u64 {
    (0..BLOCK).fold(0, |bits, at| bits | u64::from(is(at)) << at)
}

/// See [`next`].
#[inline(always)]
pub fn find(text: &[u8], from: usize, soft: bool, columns: [usize; 2], ends: impl Fn(&Bytes) -> Ends) -> Option<usize> {
    let mut run = 0;
    let mut lines = Lines::new(columns);
    for at in (from..text.len()).step_by(BLOCK) {
        let found = match text[at..].first_chunk() {
            Some(bytes) => ends(bytes),
            None => {
                // A byte of zero is no digit, and no line ends with it.
                let mut bytes = [0; BLOCK + 1];
                bytes[..text.len() - at].copy_from_slice(&text[at..]);
                ends(&bytes)
            }
        };
        let Ends { digits, signs, newlines, odd } = found;
        let wide = lines.next(newlines, odd);
        let begin = (!digits).trailing_zeros() as usize;
        let matters = signs[0] | signs[1] != 0
            || run + begin >= RUN_MIN
            || digits.count_ones() as usize >= RUN_MIN
            || wide[0] | wide[1] != 0;
        if matters && let Some(found) = first(text, (from, at), run, (soft, columns), &Ends { newlines: wide, ..found })
        {
            return Some(found);
        }
        run = if begin == BLOCK { run + BLOCK } else { digits.leading_ones() as usize };
    }
    None
}

/// Follows the lines of a text from block to block.
struct Lines {
    columns: [usize; 2],
    /// The line ends of the last blocks, and how many blocks there were.
    newlines: [u64; BLOCKS],
    count: usize,
    /// For each width, where lines of the last block end that have it if a line end stands there.
    before: [u64; 2],
    /// Whether the line that is open has a byte that may take no column.
    odd: bool,
}

impl Lines {
    fn new(columns: [usize; 2]) -> Lines {
        let mut newlines = [0; BLOCKS];
        newlines[BLOCKS - 1] = 1 << (BLOCK - 1);
        Lines { columns, newlines, count: 0, before: [0; 2], odd: false }
    }

    /// The line ends of the next block behind lines that may be as wide as is asked for.
    #[inline(always)]
    fn next(&mut self, newlines: [u32; 2], odd: bool) -> [u32; 2] {
        self.newlines[self.count % BLOCKS] = u64::from(newlines[0]) | u64::from(newlines[1]) << 32;
        let mut wide = 0;
        for (&columns, before) in self.columns.iter().zip(&mut self.before).filter(|(columns, _)| **columns > 0) {
            let (blocks, bits) = ((columns + 1) / BLOCK, (columns + 1) % BLOCK);
            let back = |blocks: usize| self.newlines[self.count.wrapping_sub(blocks) % BLOCKS];
            let here = back(blocks) << bits | back(blocks + 1) >> 1 >> (BLOCK - 1 - bits);
            // One or two CRs may stand in front of a line end.
            wide |= here | here << 1 | *before >> (BLOCK - 1) | here << 2 | *before >> (BLOCK - 2);
            *before = here;
        }
        self.count = self.count.wrapping_add(1);
        // In a line with such bytes, there are more of them than columns.
        let odd_line = self.odd | odd;
        self.odd = if newlines[0] | newlines[1] == 0 { odd_line } else { odd };
        if odd_line && self.columns != [0; 2] {
            return newlines;
        }
        [newlines[0] & wide as u32, newlines[1] & (wide >> 32) as u32]
    }
}

/// The first of what [`next`] looks for in the block at `at`, before which a run of `run` digits ends; of the line ends,
/// only some.
#[cold]
#[inline(never)]
fn first(
    text: &[u8],
    (from, at): (usize, usize),
    run: usize,
    (soft, columns): (bool, [usize; 2]),
    ends: &Ends,
) -> Option<usize> {
    let &Ends { digits, signs, newlines, .. } = ends;
    let begin = (!digits).trailing_zeros() as usize;
    let runs = [Some(begin).filter(|_| run + begin >= RUN_MIN), inner_run(digits)];
    // A run that reaches the block's end is told with the next block.
    let runs = runs.into_iter().flatten().filter(|end| *end < BLOCK).map(|end| at + end);
    let run = runs.filter(|&end| text.get(end).is_some_and(u8::is_ascii_whitespace)).map(|end| end - 1).min();
    let signs = if soft { u64::from(signs[0]) | u64::from(signs[1]) << 32 } else { 0 };
    let sign = ones(signs).map(|bit| at + bit).find(|&sign| ends_line(&text[sign + 1..]));
    let line =
        |end: usize| &text[memchr::memrchr(b'\n', &text[from..end]).map_or(from, |before| from + before + 1)..end];
    let newlines = u64::from(newlines[0]) | u64::from(newlines[1]) << 32;
    let wide = ones(newlines).map(|bit| at + bit).find(|&end| is_as_wide(content(line(end)), columns));
    run.into_iter().chain(sign).chain(wide).min()
}

/// The end of the first run of [`RUN_MIN`] digits in a block, which may have begun before.
fn inner_run(digits: u64) -> Option<usize> {
    // Bit `i` of `starts` says that so many digits stand from there on; twice as many each time.
    let (mut starts, mut length) = (digits, 1);
    while length < RUN_MIN {
        let more = length.min(RUN_MIN - length);
        starts &= starts >> more;
        length += more;
    }
    let start = (starts != 0).then(|| starts.trailing_zeros())?;
    Some((start + (!(digits >> start)).trailing_zeros()) as usize)
}

fn ends_line(behind: &[u8]) -> bool {
    behind.iter().find(|&&byte| byte == b'\n' || !byte.is_ascii_whitespace()) == Some(&b'\n')
}

fn ones(bits: u64) -> impl Iterator<Item = usize> {
    let next = |bits: u64| (bits != 0).then_some(bits);
    std::iter::successors(next(bits), move |&bits| next(bits & (bits - 1))).map(|bits| bits.trailing_zeros() as usize)
}

/// The least width at which programs break base64 (characters): OpenSSL and PEM do at 64, MIME at 76, some at 60.
pub const RUN_MIN: usize = 60;

/// The widest lines that can be asked for (columns).
pub const COLUMNS_MAX: usize = (BLOCKS - 2) * BLOCK - 1;

/// How many blocks are remembered: as many as the widest lines have, and two more.
const BLOCKS: usize = 16;

const ESCAPE: u8 = 0x1b;

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
            if bare.len() < line.len() && (digits >= RUN_MIN || bare.ends_with(b"=") && line.ends_with(b"\n")) || wide {
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
                while let Some(place) = backend.next_break(text, start, true, COLUMNS) {
                    found.push(memchr::memrchr(b'\n', &text[..place]).map_or(0, |end| end + 1));
                    start = memchr::memchr(b'\n', &text[place..]).map_or(text.len(), |end| place + end + 1);
                }
                assert_eq!(found, each(text), "{backend:?} from {from}");
            }
        }
    }
}
