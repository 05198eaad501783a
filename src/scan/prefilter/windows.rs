//! Chooses the window by which each word is looked for, and puts the windows into the buckets of
//! [`Windows`], so that few places of logs are hit by chance. Does not look for them.

use std::ops::Range;

use super::masks::{Buckets, WINDOW, Windows, fold, upper};

/// A window: its bytes, fewer if the rest does not matter.
pub type Window = [Option<u8>; WINDOW];

/// The window of a lower-case word of at least two bytes: where in the word it begins, itself, and
/// whether a word begins there wherever it counts. `begins` says that the literal itself begins one.
pub fn window_of(text: &[u8], begins: bool) -> (usize, Window, bool) {
    match word_window(text, begins) {
        Some((offset, window)) => (offset, window, true),
        None => {
            let (offset, window) = rarest_window(text);
            (offset, window, false)
        }
    }
}

/// How many bytes a window has.
pub fn length(window: &Window) -> usize {
    window.iter().flatten().count()
}

/// Puts each window into the bucket that it makes least likely to be hit by chance; with each comes whether it only
/// begins with a word.
pub fn distribute<'a>(windows: impl Iterator<Item = (&'a Window, bool)> + Clone) -> Windows {
    let those = |begin: bool| buckets(windows.clone().filter(|(_, begins)| *begins == begin).map(|(window, _)| window));
    Windows { anywhere: those(false), words: those(true) }
}

fn buckets<'a>(windows: impl Iterator<Item = &'a Window>) -> Buckets {
    let mut sets = Buckets::default();
    let nibbles = Nibbles::OF_COMMON;
    let mut list: Vec<_> = windows.map(|window| (Bucket::default().with(window, &nibbles).chance(), window)).collect();
    // What is common anyway comes first and gets a bucket of its own kind.
    list.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut buckets = [(Bucket::default(), 0.0); 8];
    for (_, window) in list {
        let grown = buckets.iter().enumerate().map(|(index, (bucket, chance))| {
            let grown = bucket.with(window, &nibbles);
            let more = if grown == *bucket { *chance } else { grown.chance() };
            (index, grown, more, more - chance)
        });
        let Some((best, bucket, chance, _)) = grown.min_by(|one, other| one.3.total_cmp(&other.3)) else { continue };
        buckets[best] = (bucket, chance);
        sets.add(best as u8, window);
    }
    sets
}

/// The part of a word that logs hold most seldom. Where words are joined it lies in one of them, so
/// that it is the same however they are joined.
fn rarest_window(word: &[u8]) -> (usize, Window) {
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
fn word_window(text: &[u8], begins: bool) -> Option<(usize, Window)> {
    let letter = |at: usize| text[at].is_ascii_alphanumeric();
    let joiner = |byte: &u8| matches!(byte, b' ' | b'_' | b'-' | b'.');
    let begin = |&at: &usize| letter(at) && if at == 0 { begins } else { !letter(at - 1) };
    let plain = |at: usize| text[at..].iter().take(WINDOW).take_while(|byte| !joiner(byte)).count();
    // A first word that is too short is looked for with what joins it to the next one.
    let length = |at: usize| if at == 0 && plain(at) < WORD_WINDOW_MIN { WINDOW.min(text.len()) } else { plain(at) };
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

/// What a bucket accepts at each place of a window: bytes of [`COMMON`] with the nibbles of its windows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Bucket {
    /// The common bytes that have the low nibble of one of the windows' bytes, a bit each.
    low: [u64; WINDOW],
    /// Those that have its [`upper`] bits.
    high: [u64; WINDOW],
    /// How often a byte of logs is accepted.
    share: [f32; WINDOW],
}

impl Bucket {
    fn with(mut self, window: &Window, nibbles: &Nibbles) -> Bucket {
        for (place, byte) in window.iter().enumerate() {
            let before = self.low[place] & self.high[place];
            self.low[place] |= byte
                .map_or(u64::MAX, |byte| if byte.is_ascii() { nibbles.low[usize::from(fold(byte) & 15)] } else { 0 });
            self.high[place] |= byte.map_or(u64::MAX, |byte| nibbles.high[usize::from(upper(fold(byte)))]);
            let mut news = self.low[place] & self.high[place] & !before;
            while news != 0 {
                self.share[place] += COMMON.get(news.trailing_zeros() as usize).map_or(0.0, |(_, share)| *share);
                news &= news - 1;
            }
        }
        self
    }

    /// How likely the bucket is hit at a place of a log.
    fn chance(&self) -> f32 {
        self.share.iter().map(|share| share.min(1.0)).product()
    }
}

/// Which bytes of [`COMMON`] have a nibble, a bit each.
struct Nibbles {
    low: [u64; 16],
    high: [u64; 16],
}

impl Nibbles {
    const OF_COMMON: Nibbles = {
        let mut nibbles = Nibbles { low: [0; 16], high: [0; 16] };
        let mut at = 0;
        while at < COMMON.len() {
            let byte = COMMON[at].0;
            nibbles.low[(byte & 15) as usize] |= 1 << at;
            nibbles.high[upper(byte) as usize] |= 1 << at;
            at += 1;
        }
        nibbles
    };
}

const _: () = assert!(COMMON.len() <= u64::BITS as usize);

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
