//! Knows all words that tell of a secret, and looks up which of them stand at a place. Does not
//! find the places.
//!
//! A word is known by a window of it, two to four bytes. The cost does not depend on how many words
//! there are: one bit of a table, told by the bytes at a place, turns nearly all places down.

use super::{
    literals::Literal,
    masks::{WINDOW, fold},
};
use crate::rules::condition::ByteSet;

/// Who wants to know of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A token, by index.
    Token(u16),
    /// The assigned-secret detector, with the trigger's index.
    KeyName(u16),
    /// The key-block detector.
    KeyBlock,
    /// Whoever joins the partial records of a container.
    Record,
}

/// A word to be known.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The word.
    pub literal: Literal<'a>,
    /// Where in it its window begins, and how many bytes the window has, at most [`WINDOW`].
    pub window: (usize, usize),
    /// What may stand behind the word.
    pub behind: ByteSet,
    /// Who wants to know.
    pub wanted: Wanted,
}

/// A word that is known.
#[derive(Debug, Clone, Copy)]
struct Word {
    /// Its place among the bytes of all words, lower-case.
    from: u32,
    length: u8,
    /// How much of what is looked for stands before the word.
    skipped: u8,
    /// Where in the word its window begins.
    offset: u8,
    wanted: Wanted,
}

/// All words.
#[derive(Debug, Default)]
pub struct Words {
    keys: Keys,
    /// In the order of the hashes of their windows, the first field of each.
    list: Vec<(u32, Word)>,
    bytes: Vec<u8>,
    /// Where in the list hashes with the same top bits begin.
    index: Vec<u32>,
    /// What is kept of a place's bytes to find windows of each length that there is.
    kept: Vec<u32>,
}

/// The table of words in the making.
#[derive(Debug, Default)]
pub struct Making {
    words: Words,
    /// The keys of windows that are shorter than a key, and what may stand behind each.
    short: Vec<(u32, ByteSet)>,
    lengths: [bool; WINDOW + 1],
}

impl Making {
    /// Adds a word.
    pub fn add(&mut self, Entry { literal, window: (offset, length), behind, wanted }: Entry<'_>) {
        let words = &mut self.words;
        let text = &literal.text[..literal.text.len().min(usize::from(u8::MAX))];
        let key = key_of(&text[offset..offset + length]);
        if length < WINDOW {
            let next = text.get(offset + length).map(|&byte| ByteSet::of(byte.to_ascii_lowercase()));
            self.short.push((key, next.unwrap_or(behind)));
        }
        self.lengths[length] = true;
        let from = words.bytes.len() as u32;
        words.bytes.extend_from_slice(text);
        let word =
            Word { from, length: text.len() as u8, skipped: literal.skipped as u8, offset: offset as u8, wanted };
        words.list.push((hash(key), word));
    }

    /// The table.
    pub fn words(self) -> Words {
        let Making { mut words, short, lengths } = self;
        // Which of the words with one window comes first does not matter.
        words.list.sort_unstable_by_key(|(hash, _)| *hash);
        words.index = vec![0; (1 << INDEX_BITS) + 1];
        for (hash, _) in &words.list {
            words.index[slot_of(*hash) + 1] += 1;
        }
        for at in 1..words.index.len() {
            words.index[at] += words.index[at - 1];
        }
        words.keys = if lengths[..WINDOW_MIN].contains(&true) {
            // A window of two bytes could stand nearly anywhere: then no place is turned down.
            Keys::all()
        } else {
            let longer = short.iter().map(|(key, behind)| with_next(*key, behind).count()).sum::<usize>();
            let mut keys = Keys::of(words.list.len() + longer);
            words.list.iter().for_each(|(hash, _)| keys.add_hash(*hash));
            for (key, behind) in &short {
                with_next(*key, behind).for_each(|key| keys.add(key));
            }
            keys
        };
        words.kept = (1..=WINDOW).rev().filter(|&n| lengths[n]).map(|n| u32::MAX >> (32 - 8 * n)).collect();
        words
    }
}

impl Words {
    /// What tells whether a word's window may begin at a place.
    #[inline(always)]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Calls `found` for each word whose window begins at `text[at..]`: with the place of what is looked
    /// for, how long it is up to the word's end, and who wants to know.
    #[inline]
    pub fn look_up(&self, text: &[u8], at: usize, mut found: impl FnMut(usize, usize, Wanted)) {
        let key = key_at(text, at);
        let mut before = None;
        for kept in &self.kept {
            let key = hash(key & kept);
            if before.replace(key) == Some(key) {
                continue;
            }
            let slot = slot_of(key);
            let range = self.index[slot] as usize..self.index[slot + 1] as usize;
            for (_, word) in self.list[range].iter().filter(|(known, _)| *known == key) {
                let literal = &self.bytes[word.from as usize..][..usize::from(word.length)];
                let Some(start) = at.checked_sub(usize::from(word.offset)) else { continue };
                if text.get(start..start + literal.len()).is_some_and(|there| is_same(there, literal)) {
                    let skipped = usize::from(word.skipped);
                    found(start.saturating_sub(skipped), skipped + literal.len(), word.wanted);
                }
            }
        }
    }
}

/// Whether a text is a lower-case word, letters of either case.
#[inline]
fn is_same(text: &[u8], word: &[u8]) -> bool {
    text.iter().zip(word).all(|(byte, word)| byte.to_ascii_lowercase() == *word)
}

/// A set of keys of four bytes that may say yes where it should say no: one bit for each hash.
#[derive(Debug, Default)]
pub struct Keys {
    bits: Vec<u64>,
    /// By how much a hash is shifted to give the number of its bit.
    shift: u32,
}

impl Keys {
    /// An empty set with room for so many keys.
    pub fn of(keys: usize) -> Keys {
        let wanted = (keys * BITS_A_KEY).next_power_of_two().trailing_zeros();
        let width = wanted.clamp(BITS_WIDTH_MIN, BITS_WIDTH_MAX);
        Keys { bits: vec![0; 1 << (width - 6)], shift: 32 - width }
    }

    /// Adds a key.
    pub fn add(&mut self, key: u32) {
        self.add_hash(hash(key));
    }

    fn add_hash(&mut self, hash: u32) {
        let bit = hash >> self.shift;
        self.bits[(bit >> 6) as usize] |= 1 << (bit & 63);
    }

    /// All keys.
    pub fn all() -> Keys {
        Keys { bits: vec![u64::MAX], shift: 32 - 6 }
    }

    /// Whether a key may be in the set.
    #[inline(always)]
    pub fn may_hold(&self, key: u32) -> bool {
        let bit = hash(key) >> self.shift;
        self.bits.get((bit >> 6) as usize).is_some_and(|bits| bits >> (bit & 63) & 1 == 1)
    }
}

/// A window of three bytes as keys of four, with each byte that may follow it, letters of either case. What stands behind the text's end is
/// taken for zeros, as in the key of the window itself.
fn with_next(key: u32, behind: &ByteSet) -> impl Iterator<Item = u32> {
    let folded = (0..=u8::MAX).filter(|&byte| fold(byte) == byte);
    let there = |byte: &u8| behind.contains(*byte) || behind.contains(byte ^ 0x20);
    folded.filter(there).map(move |byte| key | u32::from(byte) << 24)
}

/// The key of a window; what it has not is zeros.
fn key_of(window: &[u8]) -> u32 {
    let mut bytes = [0; WINDOW];
    bytes.iter_mut().zip(window).for_each(|(slot, byte)| *slot = fold(*byte));
    u32::from_le_bytes(bytes)
}

/// The key of what stands at a place; behind the end there are zeros.
#[inline(always)]
pub fn key_at(text: &[u8], at: usize) -> u32 {
    match text.get(at..at + WINDOW) {
        Some(bytes) => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) | FOLD,
        None => key_of(text.get(at..).unwrap_or_default()),
    }
}

/// What makes four bytes a key: letters of either case are one.
pub const FOLD: u32 = 0x2020_2020;

/// The hash of a key.
#[inline(always)]
fn hash(key: u32) -> u32 {
    // Fibonacci hashing: the top bits are used.
    key.wrapping_mul(0x9e37_79b1)
}

/// Where in the index a hash is found.
fn slot_of(hash: u32) -> usize {
    (hash >> (32 - INDEX_BITS)) as usize
}

/// The shortest window whose places are told by the table of keys (bytes).
const WINDOW_MIN: usize = 3;
const INDEX_BITS: u32 = 12;
const BITS_WIDTH_MIN: u32 = 14;
/// With more bits the table would not stay in a core's first cache beside the text.
const BITS_WIDTH_MAX: u32 = 20;
/// How many bits of the table there are for each key.
const BITS_A_KEY: usize = 64;
