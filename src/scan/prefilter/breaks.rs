//! Turns a text into the places where a line may end that goes on in the next one, without looking at each line. **It
//! has no false negatives.** Does not decide whether a line goes on.

use super::{masks::BLOCK, simd::Backend};
use crate::view;

/// The first place at or after `from`, a line start, that lies in a run of [`RUN_MIN`] digits of base64 or more with
/// something blank behind it, or, if they are asked for, where a soft break of quoted-printable may stand.
pub fn next(text: &[u8], from: usize, soft: bool) -> Option<usize> {
    Backend::known().next_break(text, from, soft)
}

/// What is known of [`BLOCK`] bytes; bit `i` speaks of byte `i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Digits of base64 of either alphabet.
    pub digits: u64,
    /// Equals signs with a blank, a line end or a control character behind them. In two halves: some compilers test a
    /// word that is made of two masks bit by bit.
    pub signs: [u32; 2],
}

/// A block and the byte behind it.
pub type Bytes = [u8; BLOCK + 1];

/// Byte by byte.
pub fn scalar(bytes: &Bytes) -> Ends {
    let signs = bits(|at| bytes[at] == b'=' && bytes[at + 1] <= b' ');
    Ends { digits: bits(|at| view::is_base64(bytes[at])), signs: [signs as u32, (signs >> 32) as u32] }
}

#[inline(always)]
fn bits(is: impl Fn(usize) -> bool) -> u64 {
    (0..BLOCK).fold(0, |bits, at| bits | u64::from(is(at)) << at)
}

/// See [`next`].
#[inline(always)]
pub fn find(text: &[u8], from: usize, soft: bool, ends: impl Fn(&Bytes) -> Ends) -> Option<usize> {
    let mut run = 0;
    for at in (from..text.len()).step_by(BLOCK) {
        let Ends { digits, signs } = match text[at..].first_chunk() {
            Some(bytes) => ends(bytes),
            None => {
                // A byte of zero is no digit, and no line ends with it.
                let mut bytes = [0; BLOCK + 1];
                bytes[..text.len() - at].copy_from_slice(&text[at..]);
                ends(&bytes)
            }
        };
        let begin = (!digits).trailing_zeros() as usize;
        let matters = signs[0] | signs[1] != 0 || run + begin >= RUN_MIN || digits.count_ones() as usize >= RUN_MIN;
        if matters && let Some(found) = first(text, at, run, soft, Ends { digits, signs }) {
            return Some(found);
        }
        run = if begin == BLOCK { run + BLOCK } else { digits.leading_ones() as usize };
    }
    None
}

/// The first of what [`next`] looks for in the block at `at`, before which a run of `run` digits ends.
#[cold]
#[inline(never)]
fn first(text: &[u8], at: usize, run: usize, soft: bool, Ends { digits, signs }: Ends) -> Option<usize> {
    let begin = (!digits).trailing_zeros() as usize;
    let runs = [Some(begin).filter(|_| run + begin >= RUN_MIN), inner_run(digits)];
    // A run that reaches the block's end is told with the next block.
    let runs = runs.into_iter().flatten().filter(|end| *end < BLOCK).map(|end| at + end);
    let run = runs.filter(|&end| text.get(end).is_some_and(u8::is_ascii_whitespace)).map(|end| end - 1).min();
    let signs = if soft { u64::from(signs[0]) | u64::from(signs[1]) << 32 } else { 0 };
    let sign = ones(signs).map(|bit| at + bit).find(|&sign| ends_line(&text[sign + 1..]));
    run.into_iter().chain(sign).min()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The starts of the lines that may go on, by a look at each.
    fn each(text: &[u8]) -> Vec<usize> {
        let mut start = 0;
        let mut starts = Vec::new();
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            let bare = line.trim_ascii_end();
            let digits = bare.iter().rev().take_while(|&&byte| view::is_base64(byte)).count();
            if bare.len() < line.len() && (digits >= RUN_MIN || bare.ends_with(b"=") && line.ends_with(b"\n")) {
                starts.push(start);
            }
            start += line.len();
        }
        starts
    }

    #[test]
    fn each_line_that_may_go_on_is_found_wherever_it_stands() {
        let lines =
            [("", "\n"), ("x = y ", " \t\r\n"), ("a=", "=\n"), ("k = v\n", " = \n"), ("", "- \n"), ("\n", ".\n")];
        let mut text = Vec::new();
        for digits in 50..200 {
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
                while let Some(place) = backend.next_break(text, start, true) {
                    found.push(memchr::memrchr(b'\n', &text[..place]).map_or(0, |end| end + 1));
                    start = memchr::memchr(b'\n', &text[place..]).map_or(text.len(), |end| place + end + 1);
                }
                assert_eq!(found, each(text), "{backend:?} from {from}");
            }
        }
    }
}
