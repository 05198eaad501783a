//! Turns the letters of a key into the names that they may end in, in a step a length. Does not compare names longer
//! than [`LETTERS`] to their beginnings.

use super::{
    super::trigger::{PAIRS, pair},
    Entry,
};
use crate::scan::array::Array;

/// A hash table of names by their last letters.
#[derive(Clone, Debug, PartialEq)]
pub struct Endings {
    /// The numbers of the entries; those whose last letters are the same stand together, in order.
    pub(in crate::scan) ids: Array<u16>,
    /// At most half full; its length is a power of two.
    pub(in crate::scan) slots: Array<Slot>,
    /// By the last two letters: bit n is set if a name of n letters ends so; bit [`LETTERS`] if a longer one does.
    pub(in crate::scan) lengths: Array<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::scan) struct Slot {
    /// Letters, the last one in the highest byte; zero if the slot is free.
    pub letters: u128,
    /// The part of the list of numbers.
    pub from: u16,
    pub to: u16,
}

/// How many letters of a name are told apart.
const LETTERS: usize = 16;

impl Endings {
    /// The table of names of two letters or more.
    pub fn of(entries: &[Entry]) -> Endings {
        let key = |entry: &Entry| first(last(entry.joined.as_bytes()), entry.joined.len().min(LETTERS));
        let mut keys: Vec<(u128, u16)> = entries.iter().map(key).zip(0..).collect();
        keys.sort_unstable();
        let mut lengths = vec![0; PAIRS];
        for entry in entries {
            lengths[tail(entry.joined.as_bytes())] |= 1 << entry.joined.len().min(LETTERS);
        }
        let mut slots = vec![Slot::default(); (2 * keys.len()).next_power_of_two().max(2)];
        let mut from = 0;
        for group in keys.chunk_by(|(one, _), (other, _)| one == other) {
            let letters = group[0].0;
            let to = from + group.len() as u16;
            let mut at = place(letters, slots.len());
            while slots[at].letters != 0 {
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = Slot { letters, from, to };
            from = to;
        }
        Endings { ids: keys.into_iter().map(|(_, id)| id).collect(), slots: slots.into(), lengths: lengths.into() }
    }

    /// The numbers of the entries whose names may end `letters`, in order, which is that of preference: of all names of
    /// fewer than [`LETTERS`] letters those that do, of others those whose last letters are the same.
    pub fn of_key(&self, letters: &[u8], ids: &mut Vec<u16>) {
        ids.clear();
        if letters.len() < 2 {
            return;
        }
        let end = last(letters);
        let fit = (2 << letters.len().min(LETTERS)) - 1;
        let mut lengths = self.lengths[tail(letters)] & fit;
        while lengths != 0 {
            let length = lengths.trailing_zeros() as usize;
            lengths &= lengths - 1;
            ids.extend_from_slice(self.find(first(end, length)));
        }
        ids.sort_unstable();
    }

    fn find(&self, letters: u128) -> &[u16] {
        let mut at = place(letters, self.slots.len());
        loop {
            let slot = self.slots[at];
            if slot.letters == letters {
                return &self.ids[usize::from(slot.from)..usize::from(slot.to)];
            }
            if slot.letters == 0 {
                return &[];
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }
}

fn tail(word: &[u8]) -> usize {
    pair(&word[word.len() - 2..])
}

/// The last letters of a word, the last one in the highest byte.
fn last(word: &[u8]) -> u128 {
    match word.last_chunk() {
        Some(letters) => u128::from_le_bytes(*letters),
        None => {
            let mut letters = [0; LETTERS];
            letters[LETTERS - word.len()..].copy_from_slice(word);
            u128::from_le_bytes(letters)
        }
    }
}

/// The `count` last letters of those, at least one.
fn first(letters: u128, count: usize) -> u128 {
    letters & (u128::MAX << (8 * (LETTERS - count)))
}

/// Where letters stand in a table of so many slots, if it is not taken.
fn place(letters: u128, slots: usize) -> usize {
    let mixed = ((letters >> 64) as u64 ^ (letters as u64).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize & (slots - 1)
}

#[cfg(test)]
mod tests {
    use super::{super::NamedRule, *};
    use crate::rules::Strength;

    #[test]
    fn of_all_names_those_that_end_the_key_are_found_in_order() {
        let long = ["vendor secret access token", "another secret access token", "secret access token", "access token"];
        let short = ["token", "to ken", "en", "password", "db password", "pass word", "sword"];
        let name = |name| NamedRule { rule: 0, name, strength: Strength::Strong, shape: None };
        let entries: Vec<Entry> = long.iter().chain(&short).filter_map(|text| Entry::new(&name(text), false)).collect();
        let endings = Endings::of(&entries);
        let mut found = Vec::new();
        for key in
            ["", "n", "en", "token", "vendorsecretaccesstoken", "xsecretaccesstoken", "dbpassword", "word", "secre"]
        {
            let ends = |id: &u16| key.as_bytes().ends_with(entries[usize::from(*id)].joined.as_bytes());
            let right: Vec<u16> = (0..entries.len() as u16).filter(ends).collect();
            endings.of_key(key.as_bytes(), &mut found);
            assert!(found.is_sorted());
            found.retain(ends);
            assert_eq!(found, right, "{key}");
        }
    }
}
