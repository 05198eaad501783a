//! Turns bytes into hashes and hashes into indices. Does not hold what is indexed: whoever asks
//! compares.

use std::hash::{BuildHasher, RandomState};

/// Keys of the hashes. They are random, so that nobody who can bring in values or text can make
/// them collide; what is found never depends on them.
#[derive(Clone, Copy)]
pub(super) struct Hasher {
    keys: [u64; 2],
}

impl Default for Hasher {
    fn default() -> Self {
        let random = RandomState::new();
        Hasher { keys: [random.hash_one(0), random.hash_one(1)] }
    }
}

impl Hasher {
    /// Random numbers, to multiply with.
    pub(super) fn multipliers(self) -> [u32; 3] {
        let [first, second] = self.keys;
        [first as u32, (first >> 32) as u32, second as u32]
    }

    /// Of two words: the halves of their product, folded.
    pub(super) fn pair(self, a: u64, b: u64) -> u64 {
        let product = u128::from(a ^ self.keys[0]) * u128::from(b ^ self.keys[1]);
        (product >> 64) as u64 ^ product as u64
    }

    /// Of a string.
    pub(super) fn bytes(self, bytes: &[u8]) -> u64 {
        let whole = bytes.chunks(8).fold(self.keys[0], |hash, chunk| self.pair(hash.rotate_left(23), word(chunk, 0)));
        self.pair(whole, bytes.len() as u64)
    }
}

/// The eight bytes at `place`, the first of them lowest; 0 for those behind the end.
#[inline]
pub(super) fn word(text: &[u8], place: usize) -> u64 {
    let rest = text.get(place..).unwrap_or_default();
    if let Some(bytes) = rest.first_chunk() {
        return u64::from_le_bytes(*bytes);
    }
    rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// A hash table of indices with open addressing.
#[derive(Clone, Default)]
pub(super) struct Table {
    /// Half of the hash above the index plus one; 0 where there is nothing. The length is 0 or a
    /// power of two, and at least a half is empty, so each search ends.
    slots: Vec<u64>,
    count: usize,
}

impl Table {
    /// With room for this many.
    pub(super) fn with_room(count: usize) -> Table {
        Table { slots: vec![0; (2 * count).next_power_of_two()], count: 0 }
    }

    /// The first index under this hash that `is_it`.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut place = self.place(hash);
        loop {
            let slot = *self.slots.get(place)?;
            if slot == 0 {
                return None;
            }
            // An index is stored plus one, so the low half is not 0.
            let index = slot as u32 - 1;
            if slot >> 32 == hash >> 32 && is_it(index) {
                return Some(index);
            }
            place = (place + 1) & (self.slots.len() - 1);
        }
    }

    /// Adds an index. It may be below `u32::MAX` only.
    pub(super) fn insert(&mut self, hash: u64, index: u32) {
        if 2 * (self.count + 1) > self.slots.len() {
            let slots = vec![0; (4 * (self.count + 1)).next_power_of_two()];
            for slot in std::mem::replace(&mut self.slots, slots) {
                if slot != 0 {
                    self.put(slot);
                }
            }
        }
        self.put((hash >> 32 << 32) | (u64::from(index) + 1));
        self.count += 1;
    }

    /// What the table takes in memory (bytes).
    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.len() * size_of::<u64>()
    }

    fn put(&mut self, slot: u64) {
        let mut place = self.place(slot);
        while self.slots[place] != 0 {
            place = (place + 1) & (self.slots.len() - 1);
        }
        self.slots[place] = slot;
    }

    /// Where a hash belongs: the upper half alone decides, which is all that a slot remembers.
    fn place(&self, hash: u64) -> usize {
        (((hash >> 32) * self.slots.len() as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_finds_what_was_put_in() {
        let hasher = Hasher::default();
        let mut table = Table::default();
        assert_eq!(table.find(7, |_| true), None);
        for index in 0..1000 {
            table.insert(hasher.pair(u64::from(index), 0), index);
        }
        for index in 0..1000 {
            assert_eq!(table.find(hasher.pair(u64::from(index), 0), |found| found == index), Some(index));
        }
        assert_eq!(table.find(hasher.pair(1000, 0), |found| found == 1000), None);
    }

    #[test]
    fn a_word_at_the_end_is_filled_up_with_zeros() {
        assert_eq!(word(b"\x01\x02\x03", 0), 0x03_0201);
        assert_eq!(word(b"123456789", 1), u64::from_le_bytes(*b"23456789"));
        assert_eq!(word(b"123456789", 8), u64::from(b'9'));
        assert_eq!(word(b"12", 9), 0);
    }
}
