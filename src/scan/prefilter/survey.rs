//! Turns bit masks into lists of places that are worth a look. Does not look at them.
//!
//! The lists are written without branches on what the masks hold: a branch that depends on the
//! text is mispredicted every few bytes, and that costs more than all else here.

use super::masks::{BLOCK, Masks};

/// How many blocks are looked at together.
pub const STRETCH: usize = 16;

/// Places of a stretch, in order, as distances from its start.
#[derive(Debug, Clone)]
pub struct List {
    places: [u16; STRETCH * BLOCK + UNROLLED],
    length: usize,
}

/// What is to be looked at in a stretch.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Where a word begins that a long run of token bytes goes on from.
    pub words: List,
    /// Where the window of a trigger may begin.
    pub windows: List,
    /// Where a run of base64 digits begins.
    pub base64: List,
    /// Bytes that may begin an escape or a code.
    pub signs: List,
    /// Backslashes.
    pub slashes: List,
}

impl Survey {
    /// Takes the masks of a stretch, of the block before it and of the one behind it, the last of
    /// `masks`.
    #[inline(always)]
    pub fn take(&mut self, before: &Masks, masks: &[Masks]) {
        for list in [&mut self.words, &mut self.windows, &mut self.base64, &mut self.signs, &mut self.slashes] {
            list.length = 0;
        }
        let mut before = *before;
        for (number, (here, after)) in masks.iter().zip(masks.iter().skip(1)).enumerate() {
            let start = (number * BLOCK) as u16;
            // The letter behind a backslash may be none: then a word, or a run, begins behind it.
            let escaped = here.slash << 2 | before.slash >> (BLOCK - 2);
            let words = here.word & (!(here.word << 1 | before.word >> (BLOCK - 1)) | escaped);
            let runs = here.base64 & (!(here.base64 << 1 | before.base64 >> (BLOCK - 1)) | escaped);
            self.words.add(words & run_of_8(here.token, after.token), start);
            self.windows.add(here.window | here.word_window & words, start);
            self.base64.add_few(runs & run_of_20(here.base64, after.base64), start);
            self.signs.add_few(here.sign, start);
            self.slashes.add_few(here.slash, start);
            before = *here;
        }
    }
}

impl List {
    /// The places.
    pub fn as_slice(&self) -> &[u16] {
        &self.places[..self.length.min(STRETCH * BLOCK)]
    }

    /// Adds the places of the bits of a mask that has some.
    #[inline(always)]
    fn add(&mut self, mut mask: u64, start: u16) {
        let count = mask.count_ones() as usize;
        let mut from = self.length;
        self.length += count;
        loop {
            // Behind the last bit nonsense is written, which the next mask overwrites.
            let Some(slots) = self.places.get_mut(from..from + UNROLLED) else { return };
            for slot in slots {
                *slot = start + mask.trailing_zeros() as u16;
                mask &= mask.wrapping_sub(1);
            }
            if mask == 0 {
                return;
            }
            from += UNROLLED;
        }
    }

    /// Adds the places of the bits of a mask that mostly has none.
    #[inline(always)]
    fn add_few(&mut self, mut mask: u64, start: u16) {
        while mask != 0 {
            if let Some(slot) = self.places.get_mut(self.length) {
                *slot = start + mask.trailing_zeros() as u16;
            }
            self.length += 1;
            mask &= mask - 1;
        }
    }
}

impl Default for List {
    fn default() -> Self {
        List { places: [0; STRETCH * BLOCK + UNROLLED], length: 0 }
    }
}

/// Where eight bits in a row are set; `after` are the bits that follow.
#[inline(always)]
fn run_of_8(here: u64, after: u64) -> u64 {
    let (here, after) = halve(here, after, 1);
    let (here, after) = halve(here, after, 2);
    halve(here, after, 4).0
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

/// How many places are written at a time.
const UNROLLED: usize = 8;

#[cfg(test)]
impl Survey {
    /// All lists, in the order of the fields.
    pub fn lists(&self) -> [&[u16]; 5] {
        [&self.words, &self.windows, &self.base64, &self.signs, &self.slashes].map(List::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where runs of `least` begin, bit by bit.
    fn naive(here: u64, after: u64, least: usize) -> u64 {
        let all = u128::from(here) | u128::from(after) << BLOCK;
        let run = |at: &usize| (*at..at + least).all(|bit| all >> bit & 1 == 1);
        (0..BLOCK).filter(run).map(|at| 1 << at).sum()
    }

    proptest::proptest! {
        #[test]
        fn runs_are_found_across_blocks(one: u64, two: u64, three: u64, after: u64) {
            // Three masks together make runs likely.
            let here = one | two | three;
            proptest::prop_assert_eq!(run_of_8(here, after | two), naive(here, after | two, 8));
            let dense = here | one.rotate_left(7) | two.rotate_left(13);
            proptest::prop_assert_eq!(run_of_20(dense, after | one | two), naive(dense, after | one | two, 20));
        }

        #[test]
        fn a_list_holds_the_places_of_all_bits(masks: [u64; STRETCH]) {
            let (mut list, mut few) = (List::default(), List::default());
            let mut wanted = Vec::new();
            for (number, &mask) in masks.iter().enumerate() {
                let start = (number * BLOCK) as u16;
                list.add(mask, start);
                few.add_few(mask, start);
                wanted.extend((0..64).filter(|bit| mask >> bit & 1 == 1).map(|bit| start + bit));
            }
            proptest::prop_assert_eq!(list.as_slice(), wanted.as_slice());
            proptest::prop_assert_eq!(few.as_slice(), wanted.as_slice());
        }
    }

    #[test]
    fn a_stretch_full_of_bits_has_all_its_places() {
        let mut list = List::default();
        for number in 0..STRETCH {
            list.add(!0, (number * BLOCK) as u16);
        }
        assert!(list.as_slice().iter().copied().eq(0..(STRETCH * BLOCK) as u16));
    }
}
