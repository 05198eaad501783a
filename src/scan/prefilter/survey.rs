//! Turns bit masks into the list of places that are worth a look. Looks at four bytes of each.
//!
//! The list is written without branches on what the masks hold: a branch that depends on the
//! text is mispredicted every few bytes, and that costs more than all else here.

use super::{
    masks::{BLOCK, Masks},
    words::{Keys, key_at},
};

/// How many blocks are looked at together.
pub const STRETCH: usize = 32;

/// How long a run of token bytes must be from the start of a word on, for the word to be looked up
/// wherever it stands.
pub const RUN_MIN: usize = 16;

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

    fn new(at: u16, kind: Kind) -> Place {
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

/// What is to be looked at in a stretch.
#[derive(Debug, Clone)]
pub struct Survey {
    words: List,
    others: List,
    /// Whether places of [`Kind::Run`] are wanted.
    pub runs: bool,
}

impl Survey {
    /// The places of [`Kind::Word`] and those of all other kinds, each in the order of the text, with a
    /// [`Place::NONE`] behind them.
    pub fn places(&self) -> [&[Place]; 2] {
        [&self.words.places[..=self.words.length], &self.others.places[..=self.others.length]]
    }

    /// Takes the masks of a stretch, of the block before it and of the one behind it, the last of
    /// `masks`. `text` begins with the stretch.
    pub fn take(&mut self, text: &[u8], before: &Masks, masks: &[Masks], keys: &Keys) {
        self.take_those(before, masks, |at| keys.may_hold(key_at(text, usize::from(at))));
    }

    /// The same; `may_hold` says whether a known word may begin at a place, and is asked about places of the stretch
    /// and the one behind its last block.
    #[inline(always)]
    pub fn take_those(&mut self, before: &Masks, masks: &[Masks], may_hold: impl Fn(u16) -> bool) {
        (self.words.length, self.others.length) = (0, 0);
        let mut before = *before;
        for (number, (here, after)) in masks.iter().zip(masks.iter().skip(1)).enumerate() {
            let start = (number * BLOCK) as u16;
            // The letter behind a backslash may be none: then a word, or a run, begins behind it.
            let behind = here.slash << 2 | before.slash >> (BLOCK - 2);
            let words = here.word & (!(here.word << 1 | before.word >> (BLOCK - 1)) | behind);
            let bases = here.base64 & (!(here.base64 << 1 | before.base64 >> (BLOCK - 1)) | behind);
            let runs = words & run_of_16(here.token, after.token);
            self.words.add_known(runs | here.window | here.word_window & words, start, &may_hold);
            let bases = bases & run_of_20(here.base64, after.base64);
            let escapes = here.slash & (here.escaped >> 1 | after.escaped << (BLOCK - 1));
            let runs = if self.runs { runs } else { 0 };
            let mut mask = bases | here.sign | escapes | runs;
            while mask != 0 {
                let bit = mask & mask.wrapping_neg();
                let at = start + mask.trailing_zeros() as u16;
                // Of these, no two stand at one place.
                for (those, kind) in [(bases, Kind::Base64), (here.sign, Kind::Sign), (escapes, Kind::Escape)] {
                    self.others.add(Place::new(at, kind), those & bit != 0);
                }
                self.others.add(Place::new(at, Kind::Run), runs & bit != 0);
                mask &= mask - 1;
            }
            before = *here;
        }
        self.words.end();
        self.others.end();
    }
}

/// Places in order.
#[derive(Debug, Clone)]
struct List {
    places: Vec<Place>,
    length: usize,
}

impl List {
    /// Adds those places of a mask at which a known word may begin.
    #[inline(always)]
    fn add_known(&mut self, mut mask: u64, start: u16, may_hold: impl Fn(u16) -> bool) {
        let mut length = self.length;
        while mask != 0 {
            for _ in 0..UNROLLED {
                // Without a bit left this is the place behind the block, which is taken back below.
                let at = start + mask.trailing_zeros() as u16;
                if let Some(slot) = self.places.get_mut(length) {
                    *slot = Place::new(at, Kind::Word);
                }
                length += usize::from(may_hold(at));
                mask &= mask.wrapping_sub(1);
            }
        }
        let behind = Place::new(start + BLOCK as u16, Kind::Word);
        while length > self.length && self.places[length - 1] == behind {
            length -= 1;
        }
        self.length = length;
    }

    /// Adds a place if it is wanted.
    #[inline(always)]
    fn add(&mut self, place: Place, wanted: bool) {
        if let Some(slot) = self.places.get_mut(self.length) {
            *slot = place;
            self.length += usize::from(wanted);
        }
    }

    fn end(&mut self) {
        self.length = self.length.min(PLACES_MAX);
        self.places[self.length] = Place::NONE;
    }
}

impl Default for Survey {
    fn default() -> Self {
        let list = List { places: vec![Place::NONE; PLACES_MAX + 1], length: 0 };
        Survey { words: list.clone(), others: list, runs: false }
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

/// How many places are looked at between two questions whether there are more.
const UNROLLED: usize = 4;
/// How many places a stretch may have: of words one at each byte, of others two at most.
const PLACES_MAX: usize = 2 * STRETCH * BLOCK + UNROLLED;

const _: () = assert!(STRETCH * BLOCK <= 1 << 12, "a place has thirteen bits");

#[cfg(test)]
mod tests {
    use super::*;

    /// Where runs of `least` begin, bit by bit.
    fn naive(here: u64, after: u64, least: usize) -> u64 {
        let all = u128::from(here) | u128::from(after) << BLOCK;
        let run = |at: &usize| (*at..at + least).all(|bit| all >> bit & 1 == 1);
        (0..BLOCK).filter(run).map(|at| 1 << at).sum()
    }

    /// The places of a stretch of blocks with the same masks, with no key turned down.
    fn survey(masks: &[Masks], keys: &Keys) -> Vec<(usize, Kind)> {
        let text = vec![b'a'; masks.len() * BLOCK];
        let mut survey = Survey::default();
        survey.take(&text, &Masks::default(), masks, keys);
        let [words, others] = survey.places();
        let mut places = [words, others].concat();
        places.retain(|place| *place != Place::NONE);
        places.sort_unstable();
        places.iter().map(|place| (place.at(), place.kind())).collect()
    }

    proptest::proptest! {
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
            let masks = [Masks { window, sign, ..Masks::default() }, Masks::default()];
            let bits = |mask: u64, kind: Kind| (0..64).filter(move |bit| mask >> bit & 1 == 1).map(move |bit| (bit, kind));
            let mut wanted: Vec<_> = bits(window, Kind::Word).chain(bits(sign, Kind::Sign)).collect();
            wanted.sort_by_key(|(at, kind)| (*at, *kind as u8));
            proptest::prop_assert_eq!(survey(&masks, &Keys::all()), wanted);
            let wanted: Vec<_> = bits(sign, Kind::Sign).collect();
            proptest::prop_assert_eq!(survey(&masks, &Keys::of(0)), wanted);
        }
    }

    #[test]
    fn a_stretch_full_of_bits_has_all_its_places() {
        let full = Masks { sign: !0, slash: !0, escaped: !0, ..Masks::default() };
        let masks = [full; STRETCH + 1];
        assert_eq!(survey(&masks, &Keys::of(0)).len(), 2 * STRETCH * BLOCK);
    }
}
