//! Knows the words that may stand anywhere: key names, the first line of a key block, the literals
//! of tokens that do not begin a long word. Tells which one stands at a place. Does not find the
//! places: [`Windows`] does, eight buckets at a time.

use std::{collections::BTreeMap, ops::Range};

use super::{
    Literal,
    masks::{ANYWHERE_BUCKETS, WINDOW, Windows, fold, upper},
    prefixes::{Keys, all_keys, key_at},
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

#[derive(Debug)]
struct Word {
    /// Lower-case.
    text: Box<[u8]>,
    /// How much of the word stands before what is looked for.
    skipped: usize,
    /// Where in the text its window begins.
    offset: usize,
    wanted: Wanted,
}

/// All words.
#[derive(Debug, Default)]
pub struct Triggers {
    /// The windows of all words.
    pub windows: Windows,
    /// The keys of all windows, if each has three bytes or more.
    keys: Option<Keys>,
    /// By the key of their windows which words there are: a table with open addressing, in which
    /// an empty range is an empty slot.
    slots: Vec<(u32, Range<u16>)>,
    words: Vec<Word>,
    /// The keys of windows that have fewer bytes: what is kept of a key.
    short: Vec<u32>,
}

impl Triggers {
    /// Takes words, of at least two bytes each.
    ///
    /// The third value says whether a word begins with the literal wherever it counts.
    pub fn new<'a>(words: impl Iterator<Item = (Literal<'a>, Wanted, bool)>) -> Triggers {
        let mut by_window: BTreeMap<[Option<u8>; WINDOW], (bool, Vec<Word>)> = BTreeMap::new();
        for (literal, wanted, begins) in words {
            let text: Box<[u8]> = literal.text.to_ascii_lowercase().into();
            let word = word_window(&text, begins);
            let begins = word.is_some();
            let (offset, window) = word.unwrap_or_else(|| rarest_window(&text));
            let word = Word { text, skipped: literal.skipped, offset, wanted };
            let (all_begin, list) = by_window.entry(window).or_insert((true, Vec::new()));
            *all_begin &= begins;
            list.push(word);
        }
        let mut triggers = Triggers::default();
        distribute(by_window.iter().map(|(window, (begins, _))| (window, *begins)), &mut triggers.windows);
        let key = |window: &[Option<u8>; WINDOW]| u32::from_le_bytes(window.map(|byte| byte.map_or(0, fold)));
        let long = |window: &[Option<u8>; WINDOW]| window.iter().flatten().count() >= WORD_WINDOW_MIN;
        if by_window.keys().all(long) {
            let mut hashes = Vec::new();
            for window in by_window.keys() {
                let bytes: Vec<u8> = window.iter().flatten().copied().collect();
                all_keys(&bytes, &ByteSet::ALL, &mut hashes);
            }
            triggers.keys = Some(Keys::new(&hashes));
        }
        triggers.slots.resize((by_window.len() * 4).next_power_of_two().max(4), (0, 0..0));
        for (window, (_, words)) in by_window {
            let bytes = window.iter().flatten().count();
            let kept = u32::MAX >> (32 - 8 * bytes);
            if bytes < WINDOW && !triggers.short.contains(&kept) {
                triggers.short.push(kept);
            }
            let key = key(&window);
            let mut slot = triggers.slot(key);
            while !triggers.slots[slot].1.is_empty() {
                slot = (slot + 1) % triggers.slots.len();
            }
            let from = triggers.words.len() as u16;
            triggers.words.extend(words);
            triggers.slots[slot] = (key, from..triggers.words.len() as u16);
        }
        triggers
    }

    /// Whether the window of a word may begin at `text[at..]`.
    #[inline(always)]
    pub fn may_begin(&self, text: &[u8], at: usize) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.may_hold(key_at(text, at)))
    }

    /// Calls `found` with the start of each word whose window begins at `text[at..]`, its length, and
    /// who wants to know of it.
    #[inline]
    pub fn look_up(&self, text: &[u8], at: usize, mut found: impl FnMut(usize, usize, Wanted)) {
        let mut bytes = [0; WINDOW];
        bytes.iter_mut().zip(&text[at..]).for_each(|(slot, byte)| *slot = fold(*byte));
        let key = u32::from_le_bytes(bytes);
        self.with_key(text, at, key, &mut found);
        for kept in &self.short {
            self.with_key(text, at, key & kept, &mut found);
        }
    }

    fn with_key(&self, text: &[u8], at: usize, key: u32, found: &mut impl FnMut(usize, usize, Wanted)) {
        let mut slot = self.slot(key);
        while let Some((known, words)) = self.slots.get(slot).filter(|(_, words)| !words.is_empty()) {
            if *known == key {
                for word in &self.words[usize::from(words.start)..usize::from(words.end)] {
                    let Some(start) = at.checked_sub(word.offset) else { continue };
                    if begins_with(text.get(start..).unwrap_or_default(), &word.text) {
                        found(start.saturating_sub(word.skipped), word.skipped + word.text.len(), word.wanted);
                    }
                }
                return;
            }
            slot = (slot + 1) % self.slots.len();
        }
    }

    fn slot(&self, key: u32) -> usize {
        (key.wrapping_mul(0x9e37_79b1) >> 16) as usize & (self.slots.len() - 1)
    }
}

/// Whether a text begins with a lower-case word, letters of either case.
#[inline]
fn begins_with(text: &[u8], word: &[u8]) -> bool {
    text.len() >= word.len() && word.iter().zip(text).all(|(word, byte)| *word == byte.to_ascii_lowercase())
}

/// The part of a word that logs hold most seldom. Where words are joined it lies in one of them, so
/// that it is the same however they are joined.
fn rarest_window(word: &[u8]) -> (usize, [Option<u8>; WINDOW]) {
    let joiner = |byte: &u8| matches!(byte, b' ' | b'_' | b'-' | b'.');
    let whole = |range: &Range<usize>| range.len() >= WINDOW;
    let weight = |range: &Range<usize>| word[range.clone()].iter().map(|&byte| frequency(byte)).product::<f32>();
    let lengths = [WINDOW, WINDOW - 1, WINDOW - 2];
    let ranges = |length: usize| (0..(word.len() + 1).saturating_sub(length)).map(move |at| at..at + length);
    let plain = |length: usize| ranges(length).filter(|range| !word[range.clone()].iter().any(joiner));
    let rarest = |one: &Range<usize>, other: &Range<usize>| weight(one).total_cmp(&weight(other));
    let part = plain(WINDOW).min_by(rarest).or_else(|| lengths.into_iter().find_map(|n| ranges(n).min_by(rarest)));
    let range = part.unwrap_or(0..0);
    debug_assert!(whole(&range) || word.len() < WINDOW);
    let byte = |place: usize| word[range.clone()].get(place).copied();
    (range.start, std::array::from_fn(byte))
}

/// The window that logs hold most seldom of those that begin a word of `text`, wherever it stands.
fn word_window(text: &[u8], begins: bool) -> Option<(usize, [Option<u8>; WINDOW])> {
    let letter = |at: usize| text[at].is_ascii_alphanumeric();
    let joiner = |byte: &u8| matches!(byte, b' ' | b'_' | b'-' | b'.');
    let begin = |&at: &usize| letter(at) && if at == 0 { begins } else { !letter(at - 1) };
    let length = |at: usize| text[at..].iter().take(WINDOW).take_while(|byte| !joiner(byte)).count();
    let weight = |at: usize| {
        let short = WINDOW - length(at);
        text[at..at + length(at)].iter().map(|&byte| frequency(byte)).product::<f32>() * 10f32.powi(short as i32)
    };
    let at = (0..text.len())
        .filter(begin)
        .filter(|&at| length(at) >= WORD_WINDOW_MIN)
        .min_by(|&one, &other| weight(one).total_cmp(&weight(other)))?;
    Some((at, std::array::from_fn(|place| text.get(at + place).copied().filter(|_| place < length(at)))))
}

/// The shortest window that is looked for where words begin (bytes).
const WORD_WINDOW_MIN: usize = 3;

/// Puts each window into the bucket that it makes least likely to be hit by chance.
fn distribute<'a>(windows: impl Iterator<Item = (&'a [Option<u8>; WINDOW], bool)>, sets: &mut Windows) {
    let mut list: Vec<_> =
        windows.map(|(window, begins)| (Bucket::default().with(window).chance(), window, begins)).collect();
    // What is common anyway comes first and gets a bucket of its own kind.
    list.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut buckets = [Bucket::default(); 8];
    for (_, window, begins) in list {
        let grown = buckets.map(|bucket| bucket.with(window));
        let growth = |index: &usize| grown[*index].chance() - buckets[*index].chance();
        let allowed = |index: &usize| (ANYWHERE_BUCKETS >> index & 1 == 0) == begins;
        let best = (0..8).filter(allowed).min_by(|one, other| growth(one).total_cmp(&growth(other))).unwrap_or(0);
        buckets[best] = grown[best];
        sets.add(best as u8, window);
    }
}

/// The nibbles that a bucket accepts at each place.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    low: [u16; WINDOW],
    high: [u16; WINDOW],
}

impl Bucket {
    fn with(mut self, window: &[Option<u8>; WINDOW]) -> Bucket {
        for (place, byte) in window.iter().enumerate() {
            self.low[place] |= byte.map_or(u16::MAX, |byte| 1 << (fold(byte) & 15));
            self.high[place] |= byte.map_or(u16::MAX, |byte| 1 << upper(fold(byte)));
        }
        self
    }

    /// How likely the bucket is hit at a place of a log.
    fn chance(&self) -> f32 {
        let place = |place: usize| {
            COMMON
                .iter()
                .filter(|(byte, _)| {
                    self.low[place] >> (byte & 15) & 1 == 1 && self.high[place] >> upper(*byte) & 1 == 1
                })
                .map(|(_, share)| *share)
                .sum::<f32>()
                .min(1.0)
        };
        (0..WINDOW).map(place).product()
    }
}

/// How often a byte stands in logs, letters of either case as one.
fn frequency(byte: u8) -> f32 {
    COMMON.iter().find(|(known, _)| *known == byte).map_or(0.002, |(_, share)| *share)
}

/// The bytes of logs and their shares, of 8 MB of logs of builds, services and containers.
const COMMON: &[(u8, f32)] = &[
    (b' ', 0.11),
    (b'e', 0.064),
    (b't', 0.052),
    (b'0', 0.048),
    (b'o', 0.041),
    (b'a', 0.041),
    (b'i', 0.041),
    (b'n', 0.040),
    (b's', 0.039),
    (b'r', 0.037),
    (b'1', 0.034),
    (b'c', 0.026),
    (b'd', 0.026),
    (b':', 0.025),
    (b'l', 0.024),
    (b'2', 0.024),
    (b'-', 0.022),
    (b'.', 0.022),
    (b'/', 0.021),
    (b'm', 0.020),
    (b'p', 0.019),
    (b'3', 0.017),
    (b'u', 0.017),
    (b'4', 0.015),
    (b'5', 0.015),
    (b'f', 0.014),
    (b'h', 0.013),
    (b'6', 0.012),
    (b'7', 0.012),
    (b'8', 0.012),
    (b'9', 0.012),
    (b'g', 0.012),
    (b'"', 0.012),
    (b'b', 0.012),
    (b'_', 0.010),
    (b'w', 0.008),
    (b'y', 0.008),
    (b'=', 0.007),
    (b'k', 0.007),
    (b'v', 0.007),
    (b'x', 0.006),
    (b'[', 0.006),
    (b']', 0.006),
    (b'(', 0.004),
    (b')', 0.004),
    (b'j', 0.003),
    (b'z', 0.002),
    (b'q', 0.002),
    (b'|', 0.002),
];
