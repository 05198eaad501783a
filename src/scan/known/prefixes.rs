//! Finds the longest end of a text that is the beginning of a known string. Does not find whole
//! strings.
//!
//! The strings are sorted, so those with a common beginning are neighbours. An end of the text is
//! looked up by the hash of its first blocks of 32 bytes, which leads to the strings that have
//! them; the rest, less than a block, is searched among them. Each end thus takes the same time
//! however long it is, and the whole search is linear.

use super::{
    strings::Strings,
    table::{Hasher, Table, word},
};

/// The beginnings of all strings.
pub(super) struct Prefixes {
    /// The strings in their order.
    order: Vec<u32>,
    /// Which strings begin with the same blocks.
    runs: Vec<Run>,
    /// The runs by the hash of their blocks.
    by_hash: Table,
    /// One bit for the first eight bytes of each string that has more, and one for its first four: most ends of a text
    /// begin with none of them.
    starts: Vec<u64>,
    /// One bit for each two bytes with which a string begins.
    pairs: Vec<u64>,
    /// Whether a string of several bytes begins with a byte.
    firsts: [bool; 256],
    /// Powers of [`BASE`] with multiples of [`BLOCK_BYTES`].
    powers: Vec<u64>,
    hasher: Hasher,
    longest: usize,
}

/// Strings `from..to` in their order, which begin with the same blocks.
struct Run {
    hash: u64,
    /// Of these blocks (bytes).
    length: u32,
    from: u32,
    to: u32,
}

impl Prefixes {
    /// Of all strings.
    pub(super) fn new(strings: &Strings) -> Prefixes {
        let mut keyed: Vec<(u64, u32)> =
            strings.iter().map(|(index, string)| (word(string, 0).swap_bytes(), index)).collect();
        keyed.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| strings.get(a.1).cmp(strings.get(b.1))));
        let longest = strings.iter().map(|(_, string)| string.len()).max().unwrap_or(0);
        let mut prefixes = Prefixes {
            order: keyed.into_iter().map(|(_, index)| index).collect(),
            runs: Vec::new(),
            by_hash: Table::default(),
            starts: vec![0; (strings.len() / 2).next_power_of_two()],
            pairs: vec![0; (1 << 16) / 64],
            firsts: [false; 256],
            powers: vec![1],
            hasher: strings.hasher(),
            longest,
        };
        let block = (0..BLOCK_BYTES).fold(1, |power, _| times(power, BASE));
        while prefixes.powers.len() <= longest / BLOCK_BYTES {
            prefixes.powers.push(times(prefixes.powers[prefixes.powers.len() - 1], block));
        }
        for (_, string) in strings.iter() {
            for bytes in [HALF_BYTES, WORD_BYTES].into_iter().filter(|&bytes| string.len() > bytes) {
                let (cell, bit) = prefixes.start(string, bytes);
                prefixes.starts[cell] |= bit;
            }
            if let Some(pair) = string.first_chunk::<2>() {
                let (cell, bit) = pair_of(pair);
                prefixes.pairs[cell] |= bit;
                prefixes.firsts[usize::from(string[0])] = true;
            }
        }
        prefixes.find_runs(strings);
        prefixes
    }

    /// Whether some end of `text` is the beginning of a string and not all of it. With many strings the last byte tells.
    pub(super) fn has_tail(&self, strings: &Strings, text: &[u8]) -> bool {
        let last = text.last().is_some_and(|&last| self.firsts[usize::from(last)]);
        last || self.tail(strings, text, 2).is_some()
    }

    /// Where the longest end of `text` begins that is the beginning of a string and not all of it,
    /// and has `least` bytes or more.
    pub(super) fn tail(&self, strings: &Strings, text: &[u8], least: usize) -> Option<usize> {
        let first = text.len() - text.len().min(self.longest.saturating_sub(1));
        // Sums of the hash up to each place from the first candidate on.
        let mut sums = Vec::new();
        let mut summed = 0;
        for start in first..text.len().saturating_sub(least.max(1) - 1) {
            let end = &text[start..];
            if !self.firsts[usize::from(end[0])] {
                continue;
            }
            if !self.may_begin(end) {
                continue;
            }
            let whole_blocks = end.len() / BLOCK_BYTES;
            let known = if whole_blocks == 0 {
                self.begins(strings, 0..self.order.len(), 0, end)
            } else {
                if sums.is_empty() {
                    summed = start;
                    sums = running(end);
                }
                let blocks = whole_blocks * BLOCK_BYTES;
                let hash = minus(sums[start + blocks - summed], times(sums[start - summed], self.powers[whole_blocks]));
                let is_it = |index: u32| {
                    let run = &self.runs[index as usize];
                    let same = run.hash == hash && run.length as usize == blocks;
                    same && self.begins(strings, run.from as usize..run.to as usize, blocks, end)
                };
                self.by_hash.find(self.hasher.pair(hash, blocks as u64), is_it).is_some()
            };
            if known {
                return Some(start);
            }
        }
        None
    }

    /// What the lists take in memory (bytes).
    pub(super) fn memory_bytes(&self) -> usize {
        self.order.len() * 4
            + self.runs.len() * size_of::<Run>()
            + self.by_hash.memory_bytes()
            + (self.starts.len() + self.pairs.len()) * 8
    }

    /// Whether a string of the run begins with `end` and goes on. The first `same` bytes are taken
    /// to be equal until one is found.
    fn begins(&self, strings: &Strings, run: std::ops::Range<usize>, same: usize, end: &[u8]) -> bool {
        let run = &self.order[run];
        let first = run.partition_point(|&index| strings.get(index)[same..] < end[same..]);
        // The first may be `end` itself; the next string goes on, if it begins so.
        run[first..].iter().take(2).any(|&index| {
            let string = strings.get(index);
            string.len() > end.len() && string.starts_with(end)
        })
    }

    /// Whether a string may begin with `end`, by its first bytes.
    fn may_begin(&self, end: &[u8]) -> bool {
        let holds = |list: &[u64], (cell, bit): (usize, u64)| list[cell] & bit != 0;
        end.first_chunk::<2>().is_none_or(|pair| holds(&self.pairs, pair_of(pair)))
            && match end.len() {
                ..HALF_BYTES => true,
                HALF_BYTES..WORD_BYTES => holds(&self.starts, self.start(end, HALF_BYTES)),
                _ => holds(&self.starts, self.start(end, WORD_BYTES)),
            }
    }

    /// The cell and the bit of the first bytes, so many.
    fn start(&self, text: &[u8], bytes: usize) -> (usize, u64) {
        let hash = self.hasher.pair(word(&text[..bytes], 0), bytes as u64);
        ((hash >> 32) as usize & (self.starts.len() - 1), 1 << (hash & 63))
    }

    /// Fills `runs`: for each number of blocks, the neighbours that begin with the same.
    fn find_runs(&mut self, strings: &Strings) {
        let mut open: Vec<Run> = Vec::new();
        let mut last: &[u8] = &[];
        for place in 0..self.order.len() as u32 {
            let string = strings.get(self.order[place as usize]);
            let same = string.iter().zip(last).take_while(|(a, b)| a == b).count() / BLOCK_BYTES;
            while open.len() > same {
                self.close(open.pop(), place);
            }
            let mut hash = open.last().map_or(0, |run| run.hash);
            for block in string.chunks_exact(BLOCK_BYTES).skip(same) {
                hash = block.iter().fold(hash, |hash, &byte| plus(hash, byte));
                let length = (open.len() as u32 + 1) * BLOCK_BYTES as u32;
                open.push(Run { hash, length, from: place, to: place });
            }
            last = string;
        }
        while !open.is_empty() {
            self.close(open.pop(), self.order.len() as u32);
        }
    }

    /// Adds a run that ends before the string at `to`.
    fn close(&mut self, run: Option<Run>, to: u32) {
        let Some(run) = run else { return };
        self.by_hash.insert(self.hasher.pair(run.hash, run.length.into()), self.runs.len() as u32);
        self.runs.push(Run { to, ..run });
    }
}

/// The hash of each beginning of the bytes: a polynomial over the integers modulo a prime, of
/// which that of any part follows (Karp and Rabin).
fn running(bytes: &[u8]) -> Vec<u64> {
    let mut sum = 0;
    let first = std::iter::once(0);
    first
        .chain(bytes.iter().map(|&byte| {
            sum = plus(sum, byte);
            sum
        }))
        .collect()
}

/// The cell and the bit of two bytes.
fn pair_of(pair: &[u8; 2]) -> (usize, u64) {
    let number = usize::from(u16::from_le_bytes(*pair));
    (number / 64, 1 << (number % 64))
}

/// The hash of one byte more. A byte counts one more than it is, so that zeros count.
fn plus(hash: u64, byte: u8) -> u64 {
    let sum = times(hash, BASE) + u64::from(byte) + 1;
    if sum >= PRIME { sum - PRIME } else { sum }
}

fn minus(a: u64, b: u64) -> u64 {
    if a >= b { a - b } else { a + PRIME - b }
}

fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    // 2^61 is 1, so what is above counts as much.
    let sum = (product as u64 & PRIME) + (product >> 61) as u64;
    if sum >= PRIME { sum - PRIME } else { sum }
}

/// A Mersenne prime, by which dividing is cheap.
const PRIME: u64 = (1 << 61) - 1;

/// Any number of about that size will do: what is found by its hash is compared.
const BASE: u64 = 0x0f3a_9c51_7be2_46d9;

/// How many bytes a block has: long enough that a typical string has one.
const BLOCK_BYTES: usize = 32;

/// How many bytes of a beginning are in `starts`, and of a shorter one.
const WORD_BYTES: usize = 8;
const HALF_BYTES: usize = 4;
