//! Knows all words that tell of a secret, and looks up which of them stand at a place. Does not
//! find the places.
//!
//! A word is known by a window of it, two to four bytes; [`Keys`] turn down nearly all places where none begins, so
//! that the cost does not depend on how many words there are.

use super::{
    keys::{self, FOLD, Keys},
    literals::Literal,
    masks::{WINDOW, fold},
};
use crate::{rules::condition::ByteSet, scan::array::Array};

/// Who wants to know of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A token, by index.
    Token(u16),
    /// The assigned-secret detector, with the trigger's index.
    KeyName(u16),
    /// The key-block detector.
    KeyBlock,
    /// Whoever reads Kubernetes manifests.
    Manifest,
    /// Whoever joins the partial records of a container.
    Record,
    /// Whoever decodes codes.
    Code,
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::scan) struct Word {
    /// Its place among the bytes of all words, lower-case.
    pub from: u32,
    pub length: u8,
    /// How much of what is looked for stands before the word.
    pub skipped: u8,
    /// Where in the word its window begins.
    pub offset: u8,
    pub wanted: Wanted,
    /// Its first bytes from there on, up to eight, the first lowest.
    pub head: u64,
    /// All bits of those bytes.
    pub there: u64,
    /// [`FOLD`], of those of them that are letters.
    pub letters: u64,
}

/// All words.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Words {
    pub(in crate::scan) keys: Keys,
    /// In the order of the hashes of their windows, the first field of each.
    pub(in crate::scan) list: Array<(u32, Word)>,
    pub(in crate::scan) bytes: Array<u8>,
    /// Where in the list hashes with the same top bits begin.
    pub(in crate::scan) index: Array<u32>,
    /// What is kept of a place's bytes to find windows of each length that there is.
    pub(in crate::scan) kept: Array<u32>,
}

/// The table of words in the making.
#[derive(Debug, Default)]
pub struct Making {
    list: Vec<(u32, Word)>,
    bytes: Vec<u8>,
    /// What may stand behind each.
    behind: Vec<ByteSet>,
    lengths: [bool; WINDOW + 1],
}

impl Making {
    /// Adds a word.
    pub fn add(&mut self, Entry { literal, window: (offset, length), behind, wanted }: Entry<'_>) {
        let text = &literal.text[..literal.text.len().min(usize::from(u8::MAX))];
        let key = key_of(&text[offset..offset + length]);
        self.behind.push(behind);
        self.lengths[length] = true;
        let from = self.bytes.len() as u32;
        self.bytes.extend_from_slice(text);
        let head = keys::eight(text, offset);
        let letters = text[offset..].iter().take(HEAD).map(|byte| if byte.is_ascii_alphabetic() { fold(0) } else { 0 });
        let letters = keys::eight(&letters.collect::<Vec<_>>(), 0);
        let there = u64::MAX >> (u64::BITS - u8::BITS * (text.len() - offset).min(HEAD) as u32);
        let (length, skipped) = (text.len() as u8, literal.skipped as u8);
        let word = Word { from, length, skipped, offset: offset as u8, wanted, head, there, letters };
        self.list.push((hash(key), word));
    }

    /// The table.
    pub fn words(self) -> Words {
        let Making { mut list, bytes, behind, lengths } = self;
        let keys = Keys::of(list.iter().zip(&behind).map(|((_, word), behind)| {
            let text = &bytes[word.from as usize..][..usize::from(word.length)];
            (&text[usize::from(word.offset)..], *behind)
        }));
        // Which of the words with one window comes first does not matter.
        list.sort_unstable_by_key(|(hash, word)| (*hash, word.from));
        let mut index = vec![0; (1 << INDEX_BITS) + 1];
        for (hash, _) in &list {
            index[slot_of(*hash) + 1] += 1;
        }
        for at in 1..index.len() {
            index[at] += index[at - 1];
        }
        let kept = (1..=WINDOW).rev().filter(|&n| lengths[n]).map(|n| u32::MAX >> (32 - 8 * n)).collect();
        Words { keys, list: list.into(), bytes: bytes.into(), index: index.into(), kept }
    }
}

impl Words {
    /// What tells whether a word may stand at a place.
    #[inline(always)]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Calls `found` for each word whose window begins at `text[at..]`: with the place of what is looked
    /// for, how long it is up to the word's end, and who wants to know.
    #[inline]
    pub fn look_up(&self, text: &[u8], at: usize, mut found: impl FnMut(usize, usize, Wanted)) {
        let eight = keys::eight(text, at);
        let key = (eight | FOLD) as u32;
        let mut before = None;
        for kept in self.kept.iter() {
            let key = hash(key & kept);
            if before.replace(key) == Some(key) {
                continue;
            }
            let slot = slot_of(key);
            let range = self.index[slot] as usize..self.index[slot + 1] as usize;
            for (_, word) in self.list[range].iter().filter(|(known, word)| *known == key && word.may_begin(eight)) {
                let (length, offset) = (usize::from(word.length), usize::from(word.offset));
                let Some(start) = at.checked_sub(offset) else { continue };
                let short = offset == 0 && length <= HEAD && start + length <= text.len();
                let literal = || &self.bytes[word.from as usize..][..length];
                if short || text.get(start..start + length).is_some_and(|there| is_same(there, literal())) {
                    let skipped = usize::from(word.skipped);
                    found(start.saturating_sub(skipped), skipped + length, word.wanted);
                }
            }
        }
    }
}

impl Word {
    /// Whether the word's first bytes from its window on are these, letters of either case.
    #[inline(always)]
    fn may_begin(&self, eight: u64) -> bool {
        ((eight | self.letters) ^ self.head) & self.there == 0
    }
}

/// Whether a text is a lower-case word, letters of either case.
#[inline]
fn is_same(text: &[u8], word: &[u8]) -> bool {
    text.iter().zip(word).all(|(byte, word)| byte.to_ascii_lowercase() == *word)
}

/// The key of a window; what it has not is zeros.
fn key_of(window: &[u8]) -> u32 {
    let mut bytes = [0; WINDOW];
    bytes.iter_mut().zip(window).for_each(|(slot, byte)| *slot = fold(*byte));
    u32::from_le_bytes(bytes)
}

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

const INDEX_BITS: u32 = 12;
/// How many bytes of a word are compared at once.
const HEAD: usize = 8;
