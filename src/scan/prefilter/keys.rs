//! Tells, by a few bytes, whether a known word may stand at a place. Says yes where it should say no now and then,
//! never the other way; does not say which word.
//!
//! Each place is asked twice: by four bytes, which turns nearly all places down, and by six or by eight where the words
//! that begin so have as many. Each answer is one bit of a table, so that it costs the same for any number of words, and
//! places can be turned down without a branch.

use super::masks::{WINDOW, fold};
use crate::{rules::condition::ByteSet, scan::array::Array};

/// How many bytes of the words that have as many are looked at.
const LONG: usize = 6;
/// How many of those that have even more.
const LONGER: usize = 8;

/// The bytes at a place, the first lowest, with letters of either case as one; behind the text's end there are zeros.
pub type Peek = u64;

/// What makes eight bytes of text a [`Peek`].
pub const FOLD: u64 = 0x2020_2020_2020_2020;

/// What stands at a place of a text.
#[inline(always)]
pub fn peek(text: &[u8], at: usize) -> Peek {
    match text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(bytes) => u64::from_le_bytes(*bytes) | FOLD,
        None => peek_of(text.get(at..).unwrap_or_default()),
    }
}

/// The eight bytes at a place of a text as they are, the first lowest; behind the text's end there are zeros.
#[inline(always)]
pub fn eight(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => rest.iter().rev().fold(0, |eight, byte| eight << 8 | u64::from(*byte)),
    }
}

fn peek_of(bytes: &[u8]) -> Peek {
    let mut eight = [0; 8];
    eight.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = fold(*byte));
    u64::from_le_bytes(eight)
}

/// The windows of all words.
#[derive(Debug, Clone, PartialEq)]
pub struct Keys {
    /// By the first four bytes.
    pub(in crate::scan) all: Bits,
    /// The same, of words that have fewer than [`LONG`] from their window on.
    pub(in crate::scan) short: Bits,
    /// By the first [`LONG`] bytes, of those that have fewer than [`LONGER`].
    pub(in crate::scan) long: Bits,
    /// By the first [`LONGER`] bytes, of the others.
    pub(in crate::scan) longer: Bits,
}

impl Keys {
    /// The keys of words: of each, what it has from its window on and what may stand behind it.
    pub fn of<'a>(words: impl Iterator<Item = (&'a [u8], ByteSet)> + Clone) -> Keys {
        let of = |least: usize, most: usize| words.clone().filter(move |(text, _)| (least..most).contains(&text.len()));
        if of(0, WINDOW_MIN).next().is_some() {
            // Two bytes could stand nearly anywhere: then no place is turned down.
            return Keys::all();
        }
        let four = |(text, behind): (&'a [u8], ByteSet)| keys_of_four(text, behind);
        let six = of(LONG, LONGER).map(|(text, _)| key_of_six(peek_of(text)));
        let eight = of(LONGER, usize::MAX).map(|(text, _)| peek_of(&text[..LONGER]));
        let count = |least: usize, most: usize| of(least, most).map(|(text, behind)| count_of_four(text, behind)).sum();
        Keys {
            all: Bits::of(of(0, usize::MAX).flat_map(four), count(0, usize::MAX)),
            short: Bits::of(of(0, LONG).flat_map(four), count(0, LONG)),
            long: Bits::of(six, of(LONG, LONGER).count()),
            longer: Bits::of(eight, of(LONGER, usize::MAX).count()),
        }
    }

    /// No place is turned down.
    pub fn all() -> Keys {
        Keys { all: Bits::full(), short: Bits::full(), long: Bits::full(), longer: Bits::full() }
    }

    /// What tells whether a word's window may begin at a place.
    #[inline(always)]
    pub fn begin(&self) -> Begin<'_> {
        Begin(self.all.table())
    }

    /// What tells whether one of the words whose windows may begin at a place goes on so.
    #[inline(always)]
    pub fn go_on(&self) -> GoOn<'_> {
        GoOn { short: self.short.table(), long: self.long.table(), longer: self.longer.table() }
    }
}

/// See [`Keys::begin`].
#[derive(Clone, Copy)]
pub struct Begin<'a>(Table<'a>);

impl<'a> Begin<'a> {
    /// Whether one may.
    #[inline(always)]
    pub fn may_hold(&self, peek: Peek) -> bool {
        self.0.may_hold(key_of_four(peek))
    }

    /// The bits, and by how much 32 bits of a hash are shifted to give the number of one; there are as many bits as
    /// numbers.
    ///
    /// # Panics
    /// If there are not.
    pub fn bits(&self) -> (&'a [u64], u32) {
        let Begin(Table { bits, shift }) = *self;
        assert!(bits.len() == 1 << (u64::BITS - shift - 6), "a table has a bit for each number");
        (bits, shift - u32::BITS)
    }
}

/// The hash of a word's first four bytes as they stand in the text: the upper half of that of their key.
#[inline(always)]
#[cfg(any(target_arch = "x86_64", test))]
pub fn hash_of_four(four: u32) -> u32 {
    (four | FOLD as u32).wrapping_mul(FACTOR as u32)
}

/// See [`Keys::go_on`].
#[derive(Clone, Copy)]
pub struct GoOn<'a> {
    short: Table<'a>,
    long: Table<'a>,
    longer: Table<'a>,
}

impl GoOn<'_> {
    /// Whether one does.
    #[inline(always)]
    pub fn may_hold(&self, peek: Peek) -> bool {
        self.short.may_hold(key_of_four(peek)) | self.long.may_hold(key_of_six(peek)) | self.longer.may_hold(peek)
    }
}

impl Default for Keys {
    fn default() -> Keys {
        Keys::of(std::iter::empty())
    }
}

/// The keys of a word by its first four bytes: one with each byte that may follow, if it has only three.
fn keys_of_four(text: &[u8], behind: ByteSet) -> impl Iterator<Item = u64> + use<> {
    let key = peek_of(text) & u64::from(u32::MAX);
    let behind = if text.len() < WINDOW { folded(&behind) } else { [0; 4] };
    let next = behind.into_iter().zip([0x20u64, 0x60, 0xa0, 0xe0]).flat_map(|(mut bits, first)| {
        std::iter::from_fn(move || {
            let bit = bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
            (bit < u32::BITS).then(|| first + u64::from(bit))
        })
    });
    // What stands behind the text's end is zeros, as here.
    std::iter::once(key).chain(next.map(move |byte| key | byte << 24)).map(key_of_four)
}

/// How many those are.
fn count_of_four(text: &[u8], behind: ByteSet) -> usize {
    let follow = if text.len() < WINDOW { folded(&behind) } else { [0; 4] };
    1 + follow.iter().map(|bits| bits.count_ones() as usize).sum::<usize>()
}

/// The bytes of a set as they are folded: one bit for each of 0x20 to 0x3f, 0x60 to 0x7f and so on.
fn folded(set: &ByteSet) -> [u32; 4] {
    set.0.map(|bits| (bits >> 32 | bits) as u32)
}

#[inline(always)]
fn key_of_four(peek: Peek) -> u64 {
    peek << 32
}

#[inline(always)]
fn key_of_six(peek: Peek) -> u64 {
    peek << (8 * (8 - LONG))
}

/// A set of keys that may say yes where it should say no: one bit for each hash.
#[derive(Debug, Clone, PartialEq)]
pub struct Bits {
    pub(in crate::scan) bits: Array<u64>,
    /// By how much a hash is shifted to give the number of its bit.
    pub(in crate::scan) shift: u32,
}

impl Bits {
    fn of(keys: impl Iterator<Item = u64>, count: usize) -> Bits {
        let wanted = (count * BITS_A_KEY).next_power_of_two().trailing_zeros();
        let width = wanted.clamp(BITS_WIDTH_MIN, BITS_WIDTH_MAX);
        let mut bits = vec![0; 1 << (width - 6)];
        let shift = u64::BITS - width;
        for key in keys {
            let bit = hash(key) >> shift;
            bits[(bit >> 6) as usize] |= 1 << (bit & 63);
        }
        Bits { bits: bits.into(), shift }
    }

    fn full() -> Bits {
        Bits { bits: Array::Built { list: &[u64::MAX] }, shift: u64::BITS - 6 }
    }

    /// The bits, wherever they are.
    #[inline(always)]
    fn table(&self) -> Table<'_> {
        Table { bits: &self.bits, shift: self.shift }
    }
}

/// See [`Bits`].
#[derive(Clone, Copy)]
struct Table<'a> {
    bits: &'a [u64],
    shift: u32,
}

impl Table<'_> {
    #[inline(always)]
    fn may_hold(&self, key: u64) -> bool {
        let bit = hash(key) >> self.shift;
        self.bits.get((bit >> 6) as usize).is_some_and(|bits| bits >> (bit & 63) & 1 == 1)
    }
}

/// Fibonacci hashing: the top bits are used. The bytes of a key are its top ones.
#[inline(always)]
fn hash(key: u64) -> u64 {
    key.wrapping_mul(FACTOR)
}

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
/// The shortest word whose places are told by the tables (bytes).
const WINDOW_MIN: usize = 3;
const BITS_WIDTH_MIN: u32 = 12;
/// With more bits a table would not stay in a core's first cache beside the text.
const BITS_WIDTH_MAX: u32 = 18;
/// How many bits of a table there are for each key.
const BITS_A_KEY: usize = 16;
