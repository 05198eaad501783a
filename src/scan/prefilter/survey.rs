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
        for (number, pair) in masks.array_windows::<2>().enumerate() {
            let [here, after] = pair;
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
