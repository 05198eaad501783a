//! Turns bit masks into the list of places that are worth a look. Looks at four bytes of each.
//!
//! The list is written without branches on what the masks hold: a branch that depends on the
//! text is mispredicted every few bytes, and that costs more than all else here.

use super::{
    keys::{Begin, Keys, Peek, peek},
    masks::{BLOCK, STRETCH, Stretch},
};
use crate::view;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word that is known, perhaps.
    Word,
    /// The beginning of a run of base64 digits.
    Base64,
    /// A byte that may begin an escape or a code.
    Sign,
    /// A backslash that stands for another character than a blank or a quote.
    Escape,
    /// A word that a long run of token bytes goes on from.
    Run,
}

const KINDS: [Kind; 5] = [Kind::Word, Kind::Base64, Kind::Sign, Kind::Escape, Kind::Run];

/// A place in a stretch and what stands there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u16);

impl Place {
    /// Behind all others.
    pub const NONE: Place = Place(u16::MAX);

    pub fn new(at: u16, kind: Kind) -> Place {
        Place(at << 3 | kind as u16)
    }

    /// The distance from the start of the stretch.
    pub fn at(self) -> usize {
        usize::from(self.0 >> 3)
    }

    /// What stands there.
    pub fn kind(self) -> Kind {
        KINDS[usize::from(self.0 & 7) % KINDS.len()]
    }
}

/// What a survey asks about the text.
pub trait Text {
    /// What stands at a place of the stretch.
    fn peek(&self, at: u16) -> Peek;
    /// Lists those places of `masks`, one of each block, at which a word may begin; `places` has room for all. Returns how
    /// many there are.
    fn begin(&self, masks: &[u64], begin: Begin<'_>, places: &mut [Place]) -> usize;
    /// Whether a long run of base64 digits that begins at a place may decode to text; see [`view::may_decode`].
    fn may_decode(&self, at: u16, run: usize) -> bool;
}

impl Text for &[u8] {
    fn peek(&self, at: u16) -> Peek {
        peek(self, usize::from(at))
    }

    fn begin(&self, masks: &[u64], begin: Begin<'_>, places: &mut [Place]) -> usize {
        let mut count = 0;
        for (number, mask) in masks.iter().enumerate() {
            let mut mask = *mask;
            while mask != 0 {
                let at = (number * BLOCK) as u16 + mask.trailing_zeros() as u16;
                mask &= mask - 1;
                if begin.may_hold(self.peek(at)) {
                    places[count] = Place::new(at, Kind::Word);
                    count += 1;
                }
            }
        }
        count
    }

    fn may_decode(&self, at: u16, run: usize) -> bool {
        let digits = self.get(usize::from(at)..).and_then(|rest| rest.first_chunk());
        digits.is_none_or(|digits| view::may_decode(digits, run))
    }
}

/// What is to be looked at in a stretch.
#[derive(Debug, Clone)]
pub struct Survey {
    words: List,
    others: List,
    bases: List,
    bits: Bits,
    /// Whether places of [`Kind::Run`] are wanted.
    pub runs: bool,
}

impl Survey {
    /// The places of [`Kind::Word`] and those of all other kinds, each in the order of the text, with a
    /// [`Place::NONE`] behind them.
    pub fn places(&self) -> [&[Place]; 2] {
        [&self.words.places[..=self.words.length], &self.others.places[..=self.others.length]]
    }

    /// Takes the masks of a stretch of `count` blocks. `text` begins with the stretch.
    pub fn take(&mut self, text: &[u8], masks: &Stretch, count: usize, keys: &Keys) {
        self.take_those(text, masks, count, keys);
    }

    /// The same, of any [`Text`].
    #[inline(always)]
    pub fn take_those(&mut self, text: impl Text, masks: &Stretch, count: usize, keys: &Keys) {
        (self.words.length, self.others.length, self.bases.length) = (0, 0, 0);
        self.bits.take(masks, count, self.runs);
        let Bits { words, bases, others } = &self.bits;
        self.words.length = text.begin(&words[..count], keys.begin(), &mut self.words.places);
        for (number, (bases, others)) in bases.iter().zip(others).take(count).enumerate() {
            let start = (number * BLOCK) as u16;
            self.bases.add_all::<2>(*bases, start, Kind::Base64);
            let mut mask = *others;
            while mask != 0 {
                let bit = mask & mask.wrapping_neg();
                let at = start + mask.trailing_zeros() as u16;
                // Of these, no two stand at one place.
                let kind = if masks.sign[number + 1] & bit != 0 {
                    Kind::Sign
                } else if masks.slash[number + 1] & bit != 0 {
                    Kind::Escape
                } else {
                    Kind::Run
                };
                self.others.add(Place::new(at, kind));
                mask &= mask - 1;
            }
        }
        let go_on = keys.go_on();
        self.words.keep(|place| go_on.may_hold(text.peek(place.at() as u16)));
        let run = |place: Place| {
            let (block, bit) = (place.at() / BLOCK + 1, place.at() % BLOCK);
            // Shifted twice, because a whole block cannot be.
            (masks.base64[block] >> bit | masks.base64[block + 1] << 1 << (BLOCK - 1 - bit)).trailing_ones() as usize
        };
        self.bases.keep(|place| text.may_decode(place.at() as u16, run(place)));
        self.others.merge(&self.bases);
        self.words.end();
        self.others.end();
    }
}

/// Where in the blocks of a stretch there is something.
#[derive(Debug, Clone)]
struct Bits {
    words: [u64; STRETCH],
    bases: [u64; STRETCH],
    others: [u64; STRETCH],
}

impl Bits {
    /// Takes the masks of `count` blocks, and perhaps of some more: all are alike, so that several can be taken at once.
    #[inline(always)]
    fn take(&mut self, masks: &Stretch, count: usize, with_runs: bool) {
        let with_runs = if with_runs { !0 } else { 0 };
        for number in 0..count.next_multiple_of(4).min(STRETCH) {
            let [before, here, after] = [number, number + 1, number + 2];
            // Where bytes begin that the byte before does not belong to. The letter behind a backslash may be none: then
            // a word, or a run, begins behind it.
            let behind = masks.slash[here] << 2 | masks.slash[before] >> (BLOCK - 2);
            let begin =
                |kind: &[u64; STRETCH + 2]| kind[here] & (!(kind[here] << 1 | kind[before] >> (BLOCK - 1)) | behind);
            let words = begin(&masks.word);
            let runs = words & run_of_16(masks.token[here], masks.token[after]);
            self.words[number] = runs | masks.window[here] | masks.word_window[here] & words;
            self.bases[number] = begin(&masks.base64) & run_of_20(masks.base64[here], masks.base64[after]);
            let escapes = masks.slash[here] & (masks.escaped[here] >> 1 | masks.escaped[after] << (BLOCK - 1));
            self.others[number] = masks.sign[here] | escapes | runs & with_runs;
        }
    }
}

/// Places in order.
#[derive(Debug, Clone)]
struct List {
    places: Vec<Place>,
    length: usize,
}

impl List {
    /// Adds the places of a mask. Writes a fixed number at once, because how many there are cannot be foretold.
    #[inline(always)]
    fn add_all<const AT_ONCE: usize>(&mut self, mut mask: u64, start: u16, kind: Kind) {
        let count = mask.count_ones() as usize;
        let mut from = self.length;
        self.length += count;
        while let Some(slots) = self.places.get_mut(from..from + AT_ONCE) {
            for slot in slots {
                // Without a bit left this is a place behind the block, which counts for nothing.
                *slot = Place::new(start + mask.trailing_zeros() as u16, kind);
                mask &= mask.wrapping_sub(1);
            }
            if mask == 0 {
                break;
            }
            from += AT_ONCE;
        }
    }

    fn add(&mut self, place: Place) {
        if let Some(slot) = self.places.get_mut(self.length) {
            *slot = place;
            self.length += 1;
        }
    }

    /// Keeps those places that are wanted.
    #[inline(always)]
    fn keep(&mut self, wanted: impl Fn(Place) -> bool) {
        let mut kept = 0;
        let places = &mut self.places[..];
        for at in 0..self.length.min(places.len()) {
            let place = places[at];
            places[kept] = place;
            kept += usize::from(wanted(place));
        }
        self.length = kept;
    }

    /// Adds the few places of another list, so that all are in order.
    fn merge(&mut self, other: &List) {
        let (mut own, mut others) = (self.length, other.length);
        self.length = (own + others).min(self.places.len());
        for at in (0..self.length).rev() {
            if others == 0 {
                break;
            }
            if own > 0 && self.places[own - 1] > other.places[others - 1] {
                own -= 1;
                self.places[at] = self.places[own];
            } else {
                others -= 1;
                self.places[at] = other.places[others];
            }
        }
    }

    fn end(&mut self) {
        self.length = self.length.min(PLACES_MAX);
        self.places[self.length] = Place::NONE;
    }
}

impl Default for Survey {
    fn default() -> Self {
        let list = List { places: vec![Place::NONE; PLACES_MAX + BLOCK], length: 0 };
        let bits = [0; STRETCH];
        let bits = Bits { words: bits, bases: bits, others: bits };
        Survey { words: list.clone(), others: list.clone(), bases: list, bits, runs: false }
    }
}

/// Where sixteen bits in a row are set; `after` are the bits that follow.
#[inline(always)]
fn run_of_16(here: u64, after: u64) -> u64 {
    let (here, after) = halve(here, after, 1);
    let (here, after) = halve(here, after, 2);
    let (here, after) = halve(here, after, 4);
    halve(here, after, 8).0
}

/// Where twenty bits in a row are set.
#[inline(always)]
fn run_of_20(here: u64, after: u64) -> u64 {
    let (here, after) = halve(here, after, 1);
    let (four, four_after) = halve(here, after, 2);
    let (here, after) = halve(four, four_after, 4);
    halve(here, after, 8).0 & (four >> 16 | four_after << (BLOCK - 16))
}

#[inline(always)]
fn halve(here: u64, after: u64, by: u32) -> (u64, u64) {
    (here & (here >> by | after << (u64::BITS - by)), after & after >> by)
}

/// How many places of a list a stretch may have: at each byte one of a word, and of the others one of base64 and one
/// more.
const PLACES_MAX: usize = 2 * STRETCH * BLOCK;

const _: () = assert!(STRETCH * BLOCK <= 1 << 12, "a place has thirteen bits");

#[cfg(test)]
mod tests {
    use proptest::prelude::ProptestConfig;

    use super::{super::masks::Masks, *};

    /// Where runs of `least` begin, bit by bit.
    fn naive(here: u64, after: u64, least: usize) -> u64 {
        let all = u128::from(here) | u128::from(after) << BLOCK;
        let run = |at: &usize| (*at..at + least).all(|bit| all >> bit & 1 == 1);
        (0..BLOCK).filter(run).map(|at| 1 << at).sum()
    }

    /// The places of a stretch of blocks with the same masks, with no key turned down.
    fn survey(mask: Masks, keys: &Keys, blocks: usize) -> Vec<(usize, Kind)> {
        let mut masks = Stretch::default();
        (1..STRETCH + 2).for_each(|block| masks.set(block, mask));
        let mut survey = Survey::default();
        survey.take(&[b'a'; STRETCH * BLOCK], &masks, blocks, keys);
        let [words, others] = survey.places();
        let mut places = [words, others].concat();
        places.retain(|place| *place != Place::NONE);
        places.sort_unstable();
        places.iter().map(|place| (place.at(), place.kind())).collect()
    }

    proptest::proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, ..ProptestConfig::default() })]

        #[test]
        fn runs_are_found_across_blocks(one: u64, two: u64, three: u64, after: u64) {
            // Three masks together make runs likely.
            let dense = one | two | three | one.rotate_left(7) | two.rotate_left(13);
            let after = after | one | two;
            proptest::prop_assert_eq!(run_of_16(dense, after), naive(dense, after, 16));
            proptest::prop_assert_eq!(run_of_20(dense, after), naive(dense, after, 20));
        }

        #[test]
        fn places_are_those_of_all_bits_in_order(window: u64, sign: u64) {
            let masks = Masks { window, sign, ..Masks::default() };
            let bits = |mask: u64, kind: Kind| (0..64).filter(move |bit| mask >> bit & 1 == 1).map(move |bit| (bit, kind));
            let mut wanted: Vec<_> = bits(window, Kind::Word).chain(bits(sign, Kind::Sign)).collect();
            wanted.sort_by_key(|(at, kind)| (*at, *kind as u8));
            proptest::prop_assert_eq!(survey(masks, &Keys::all(), 1), wanted);
            let wanted: Vec<_> = bits(sign, Kind::Sign).collect();
            proptest::prop_assert_eq!(survey(masks, &Keys::default(), 1), wanted);
        }
    }

    #[test]
    fn a_stretch_full_of_bits_has_all_its_places() {
        let full = Masks { sign: !0, slash: !0, escaped: !0, ..Masks::default() };
        assert_eq!(survey(full, &Keys::default(), STRETCH).len(), STRETCH * BLOCK);
    }
}
