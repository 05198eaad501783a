//! Knows the literals with which tokens begin, and looks them up where a word begins. Does not find
//! the places.
//!
//! The cost does not depend on how many literals there are: one bit of a small table, told by the
//! first bytes, turns nearly all places down.

use super::{Literal, masks::fold};
use crate::rules::condition::ByteSet;

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
    keys: Keys,
    /// Sorted by key; the first field of each is its key.
    list: Vec<(u32, Prefix)>,
    bytes: Vec<u8>,
    /// Where in the list keys with the same top bits begin.
    index: Vec<u32>,
}

/// The shortest literal from its word on (bytes): a key has so many bytes, or one more.
pub const PREFIX_BYTES_MIN: usize = 3;
const INDEX_BITS: u32 = 10;
const BITS_WIDTH_MIN: u32 = 14;
const BITS_WIDTH_MAX: u32 = 19;
/// How many bits of the table there are for each key.
const BITS_A_KEY: usize = 16;

impl Prefixes {
    /// Takes literals, where in them the word begins, the token's index, and what may stand behind it.
    pub fn new<'a>(literals: impl Iterator<Item = (Literal<'a>, usize, u16, ByteSet)>) -> Prefixes {
        let mut prefixes = Prefixes::default();
        let mut hashes = Vec::new();
        for (literal, offset, token, behind) in literals {
            all_keys(&literal.text[offset..], &behind, &mut hashes);
            let from = prefixes.bytes.len() as u32;
            prefixes.bytes.extend_from_slice(literal.text);
            let key = hash(key_of(&literal.text[offset..]));
            let (length, skipped) = (literal.text.len() as u8, literal.skipped as u8);
            let prefix = Prefix { from, length, skipped, offset: offset as u8, token };
            prefixes.list.push((key, prefix));
        }
        prefixes.list.sort_by_key(|(key, prefix)| (*key, prefix.from));
        prefixes.keys = Keys::new(&hashes);
        prefixes.index = vec![0; (1 << INDEX_BITS) + 1];
        for (key, _) in &prefixes.list {
            prefixes.index[(key >> (32 - INDEX_BITS)) as usize + 1] += 1;
        }
        for at in 1..prefixes.index.len() {
            prefixes.index[at] += prefixes.index[at - 1];
        }
        prefixes
    }

    /// Whether a literal's word may begin at `text[at..]`.
    #[inline(always)]
    pub fn may_begin(&self, text: &[u8], at: usize) -> bool {
        self.keys.may_hold(key_at(text, at))
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
}

/// A set of keys that may say yes where it should say no: one bit for each hash.
#[derive(Debug, Default)]
pub struct Keys {
    bits: Vec<u64>,
    /// By how much a hash is shifted to give the number of its bit.
    shift: u32,
}

impl Keys {
    /// Takes the hashes of keys of four bytes.
    pub fn new(hashes: &[u32]) -> Keys {
        let wanted = (hashes.len() * BITS_A_KEY).next_power_of_two().trailing_zeros();
        let width = wanted.clamp(BITS_WIDTH_MIN, BITS_WIDTH_MAX);
        let mut keys = Keys { bits: vec![0; 1 << (width - 6)], shift: 32 - width };
        for hash in hashes {
            let bit = hash >> keys.shift;
            keys.bits[(bit >> 6) as usize] |= 1 << (bit & 63);
        }
        keys
    }

    /// Whether a key of four bytes may be in the set.
    #[inline(always)]
    pub fn may_hold(&self, key: u32) -> bool {
        let bit = hash(key) >> self.shift;
        self.bits.get((bit >> 6) as usize).is_some_and(|bits| bits >> (bit & 63) & 1 == 1)
    }
}

/// Appends the hashes of all keys of four bytes that a word may begin with; `behind` may follow it.
pub fn all_keys(word: &[u8], behind: &ByteSet, hashes: &mut Vec<u32>) {
    let key = key_of(word);
    if word.len() >= 4 {
        hashes.push(hash(key));
        return;
    }
    // What stands behind the text's end is taken for zeros.
    let mut folded: Vec<u8> = behind.bytes().map(fold).collect();
    folded.push(0);
    folded.sort_unstable();
    folded.dedup();
    hashes.extend(folded.iter().map(|&byte| hash(key | u32::from(byte) << 24)));
}

const SHORT_KEY: u32 = 0x00ff_ffff;

/// The key of a literal: its first four bytes, or three if it has no more.
fn key_of(word: &[u8]) -> u32 {
    let mut bytes = [0; 4];
    bytes.iter_mut().zip(word).for_each(|(slot, byte)| *slot = fold(*byte));
    u32::from_le_bytes(bytes)
}

/// The key of what stands at a place; behind the end there are zeros.
#[inline(always)]
pub fn key_at(text: &[u8], at: usize) -> u32 {
    match text.get(at..at + 4) {
        Some(bytes) => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) | 0x2020_2020,
        None => key_of(&text[at.min(text.len())..]),
    }
}

/// The hash of a key.
#[inline(always)]
pub fn hash(key: u32) -> u32 {
    // Fibonacci hashing: the top bits are used.
    key.wrapping_mul(0x9e37_79b1)
}
