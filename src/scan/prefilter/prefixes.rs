//! Knows the literals with which tokens begin, and looks them up where a word begins. Does not find
//! the places.
//!
//! The cost does not depend on how many literals there are: one bit of a small table, told by the
//! first bytes, turns nearly all places down.

use super::{Literal, masks::fold};

/// A literal that stands where a word begins.
#[derive(Debug)]
struct Prefix {
    /// The part of the literal that is looked for, lower-case: its place among all literals' bytes.
    from: u32,
    length: u8,
    /// How much of the literal stands before that part.
    skipped: u8,
    /// How far in the literal its word begins.
    offset: u8,
    /// The token whose literal it is, by index.
    token: u16,
}

/// All literals.
#[derive(Debug, Default)]
pub struct Prefixes {
    /// One bit for each hash of a key.
    bits: Vec<u64>,
    /// How many bits of a hash are used.
    width: u32,
    /// Sorted by key; the first field of each is its key.
    list: Vec<(u32, Prefix)>,
    bytes: Vec<u8>,
    /// Where in the list keys with the same top bits begin.
    index: Vec<u32>,
}

/// The shortest literal from its word on (bytes): a key has so many bytes, or one more.
pub const PREFIX_BYTES_MIN: usize = 3;
const INDEX_BITS: u32 = 10;
const BITS_WIDTH_MIN: u32 = 16;
const BITS_WIDTH_MAX: u32 = 19;
/// How many bits of the table there are for each key.
const BITS_A_KEY: usize = 24;

impl Prefixes {
    /// Takes literals, where in them the word begins, and the token's index.
    pub fn new<'a>(literals: impl Iterator<Item = (Literal<'a>, usize, u16)>) -> Prefixes {
        let mut prefixes = Prefixes::default();
        for (literal, offset, token) in literals {
            let from = prefixes.bytes.len() as u32;
            prefixes.bytes.extend_from_slice(literal.text);
            let key = hash(key_of(&literal.text[offset..]));
            let (length, skipped) = (literal.text.len() as u8, literal.skipped as u8);
            let prefix = Prefix { from, length, skipped, offset: offset as u8, token };
            prefixes.list.push((key, prefix));
        }
        prefixes.list.sort_by_key(|(key, prefix)| (*key, prefix.from));
        let wanted = (prefixes.list.len() * BITS_A_KEY).next_power_of_two().trailing_zeros();
        prefixes.width = wanted.clamp(BITS_WIDTH_MIN, BITS_WIDTH_MAX);
        prefixes.bits = vec![0; 1 << (prefixes.width - 6)];
        prefixes.index = vec![0; (1 << INDEX_BITS) + 1];
        for (key, _) in &prefixes.list {
            let bit = key >> (32 - prefixes.width);
            prefixes.bits[(bit >> 6) as usize] |= 1 << (bit & 63);
            prefixes.index[(key >> (32 - INDEX_BITS)) as usize + 1] += 1;
        }
        for at in 1..prefixes.index.len() {
            prefixes.index[at] += prefixes.index[at - 1];
        }
        prefixes
    }

    /// Whether a literal's word may begin at `text[at..]`.
    #[inline]
    pub fn may_begin(&self, text: &[u8], at: usize) -> bool {
        let key = key_at(text, at);
        self.bit(hash(key)) || self.bit(hash(key & SHORT_KEY))
    }

    /// Calls `found` with the place of each literal whose word begins at `text[at..]`, and its token.
    pub fn look_up(&self, text: &[u8], at: usize, mut found: impl FnMut(usize, u16)) {
        let key = key_at(text, at);
        let keys = [hash(key), hash(key & SHORT_KEY)];
        for (number, key) in keys.into_iter().enumerate() {
            if number == 1 && key == keys[0] {
                continue;
            }
            let slot = (key >> (32 - INDEX_BITS)) as usize;
            let range = self.index[slot] as usize..self.index[slot + 1] as usize;
            for (_, prefix) in self.list[range].iter().filter(|(known, _)| *known == key) {
                let literal = &self.bytes[prefix.from as usize..][..usize::from(prefix.length)];
                let Some(start) = at.checked_sub(usize::from(prefix.offset)) else { continue };
                let there = text.get(start..start + literal.len());
                if there.is_some_and(|there| there.eq_ignore_ascii_case(literal)) {
                    found(start.saturating_sub(usize::from(prefix.skipped)), prefix.token);
                }
            }
        }
    }

    #[inline]
    fn bit(&self, hash: u32) -> bool {
        let bit = hash >> (32 - self.width);
        self.bits[(bit >> 6) as usize] >> (bit & 63) & 1 == 1
    }
}

const SHORT_KEY: u32 = 0x00ff_ffff;

/// The key of a literal: its first four bytes, or three if it has no more.
fn key_of(word: &[u8]) -> u32 {
    let mut bytes = [0; 4];
    bytes.iter_mut().zip(word).for_each(|(slot, byte)| *slot = fold(*byte));
    u32::from_le_bytes(bytes)
}

#[inline]
fn key_at(text: &[u8], at: usize) -> u32 {
    match text.get(at..at + 4) {
        Some(bytes) => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) | 0x2020_2020,
        None => key_of(&text[at.min(text.len())..]),
    }
}

#[inline]
fn hash(key: u32) -> u32 {
    // Fibonacci hashing: the top bits are used.
    key.wrapping_mul(0x9e37_79b1)
}
