//! Turns values into the list of all strings that are looked for, each once. Does not look for
//! them. The bytes are wiped when the list goes.

use zeroize::Zeroizing;

use super::{
    encodings::Encoding,
    table::{Hasher, Table},
};

/// A string that is looked for.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    start: u32,
    end: u32,
    pub(super) value: u32,
    pub(super) encoding: Encoding,
}

/// The strings of some values.
#[derive(Default)]
pub(super) struct Strings {
    /// All strings, one after the other.
    bytes: Zeroizing<Vec<u8>>,
    entries: Vec<Entry>,
    seen: Table,
    hasher: Hasher,
}

/// The list has reached [`STRINGS_BYTES_MAX`].
pub(super) struct Full;

impl Strings {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The keys that this list was made with.
    pub(super) fn hasher(&self) -> Hasher {
        self.hasher
    }

    /// Whose string it is, and how it is written.
    pub(super) fn entry(&self, index: u32) -> Entry {
        self.entries[index as usize]
    }

    /// The bytes of a string.
    #[inline]
    pub(super) fn get(&self, index: u32) -> &[u8] {
        let Entry { start, end, .. } = self.entries[index as usize];
        &self.bytes[start as usize..end as usize]
    }

    /// All strings with their indices.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        (0..self.entries.len() as u32).map(|index| (index, self.get(index)))
    }

    /// Adds a string unless it is there.
    pub(super) fn add(&mut self, string: &[u8], value: u32, encoding: Encoding) -> Result<(), Full> {
        let hash = self.hasher.bytes(string);
        if self.seen.find(hash, |index| self.get(index) == string).is_some() {
            return Ok(());
        }
        let start = self.bytes.len();
        if start + string.len() > STRINGS_BYTES_MAX {
            return Err(Full);
        }
        if start + string.len() > self.bytes.capacity() {
            // A vector that grows by itself leaves its bytes behind in freed memory.
            let mut more = Zeroizing::new(Vec::with_capacity((2 * start).max(start + string.len()).max(1024)));
            more.extend_from_slice(&self.bytes);
            self.bytes = more;
        }
        self.bytes.extend_from_slice(string);
        self.seen.insert(hash, self.entries.len() as u32);
        // Both fit: see `STRINGS_BYTES_MAX`.
        self.entries.push(Entry { start: start as u32, end: self.bytes.len() as u32, value, encoding });
        Ok(())
    }

    /// Forgets all but the first `count` strings.
    pub(super) fn truncate(&mut self, count: usize) {
        self.entries.truncate(count);
        self.bytes.truncate(self.entries.last().map_or(0, |entry| entry.end as usize));
        self.seen = Table::with_room(count);
        for index in 0..count as u32 {
            self.seen.insert(self.hasher.bytes(self.get(index)), index);
        }
    }

    /// Adds all strings of another list that are not there yet.
    pub(super) fn add_all(&mut self, other: &Strings) -> Result<(), Full> {
        other.iter().try_for_each(|(index, string)| {
            let Entry { value, encoding, .. } = other.entry(index);
            self.add(string, value, encoding)
        })
    }

    /// What the list takes in memory (bytes).
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>() + self.seen.memory_bytes()
    }
}

/// How many bytes all strings together may have.
const STRINGS_BYTES_MAX: usize = 256 << 20;

const _: () = assert!(STRINGS_BYTES_MAX < u32::MAX as usize);
