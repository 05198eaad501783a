//! Remembers where a new filter of a file would begin, and what was written behind that place. Does not read files.

use std::sync::Arc;

use super::handed::Handed;
use crate::{filter::Ground, scan::Said};

/// How many clean bytes, and their CRC-32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub bytes: u64,
    pub crc: u32,
}

impl Count {
    /// Counts more bytes.
    pub fn add<'a>(&mut self, stretches: impl Iterator<Item = &'a [u8]>) {
        let mut hasher = crc32fast::Hasher::new_with_initial_len(self.crc, self.bytes);
        for stretch in stretches {
            hasher.update(stretch);
            self.bytes += stretch.len() as u64;
        }
        self.crc = hasher.finalize();
    }
}

/// Where a new filter would begin, and what was written behind that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    pub ground: Ground,
    /// What was said before that about what follows, elsewhere: in the file that had the name before, or in a record that
    /// was withheld.
    pub said: Said,
    /// What it begins with, which stands in the file that had its name before.
    pub handed: Option<Arc<Handed>>,
    pub written: Count,
}

impl Mark {
    /// What is said to whoever has nothing of what is before the next byte of the file.
    pub fn says(&self) -> Said {
        self.handed.as_ref().map_or_else(|| self.said.clone(), |handed| handed.place.lost().clone())
    }
}

/// What is to be dropped, and what was dropped so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    pub whole: Count,
    pub so_far: Count,
}
