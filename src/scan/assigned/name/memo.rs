//! Keeps what the last few keys were found to be: logs write the same ones over and over. Does not look them up.

use super::Match;

/// What some keys are, each in the slot that its bytes choose.
#[derive(Debug, Default)]
pub struct Memo {
    /// The number of the table that it was said by.
    names: u32,
    /// Empty, or [`SLOTS`].
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    key: [u8; KEY_BYTES_MAX],
    /// Zero if the slot is free.
    length: u8,
    found: Option<Match>,
}

impl Slot {
    const FREE: Slot = Slot { key: [0; KEY_BYTES_MAX], length: 0, found: None };
}

impl Memo {
    /// What the table with this number has said of a key, if that is still known.
    pub fn recall(&mut self, names: u32, key: &[u8]) -> Option<Option<Match>> {
        if self.names != names {
            *self = Memo { names, slots: Vec::new() };
        }
        let slot = self.slots.get(place(key))?;
        let same = slot.length > 0 && slot.key.get(..usize::from(slot.length)) == Some(key);
        same.then_some(slot.found)
    }

    /// Keeps what the table that was asked last has said of a key. Long keys are not worth it.
    pub fn keep(&mut self, key: &[u8], found: Option<Match>) {
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return;
        }
        self.slots.resize(SLOTS, Slot::FREE);
        let slot = &mut self.slots[place(key)];
        *slot = Slot { length: key.len() as u8, found, ..Slot::FREE };
        slot.key[..key.len()].copy_from_slice(key);
    }
}

/// Which slot a key has: by its length, and by its first and its last four bytes.
fn place(key: &[u8]) -> usize {
    let four = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let ends = match key.len() {
        0..4 => key.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)),
        _ => four(key.first_chunk()).rotate_left(5) ^ four(key.last_chunk()),
    };
    ((ends ^ key.len() as u32).wrapping_mul(0x9e37_79b1) >> (32 - SLOTS.ilog2())) as usize
}

const SLOTS: usize = 64;
const KEY_BYTES_MAX: usize = super::KEY_BYTES_MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recalled_until_another_one_takes_its_slot_or_another_table_asks() {
        let mut memo = Memo::default();
        assert_eq!(memo.recall(1, b"name"), None);
        memo.keep(b"name", None);
        assert_eq!(memo.recall(1, b"name"), Some(None));
        assert_eq!(memo.recall(1, b"nam"), None);
        assert_eq!(memo.recall(2, b"name"), None);
        assert_eq!(memo.recall(1, b"name"), None, "the first table's words are gone");
        let keys: Vec<String> = (0..10 * SLOTS).map(|number| format!("key{number}")).collect();
        keys.iter().for_each(|key| memo.keep(key.as_bytes(), None));
        let known = keys.iter().filter(|key| memo.recall(1, key.as_bytes()).is_some()).count();
        assert!((1..=SLOTS).contains(&known));
        let long = [b'k'; KEY_BYTES_MAX + 1];
        memo.keep(&long, None);
        assert_eq!(memo.recall(1, &long), None);
    }
}
