//! Hands lines that are held at the end of a rotated file on to the file that has its name now: a container's line may
//! have its last record there. Does not filter them.
//!
//! The bytes stay in memory. A checkpoint has only where they stand, and what is said if they cannot be read there any
//! more: then the rest of their line is masked whole.

use std::{fmt, fs, os::unix::fs::FileExt as _, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    again::LISTINGS,
    follow::{Count, Follow, Mark},
    identity::Identity,
    open::{self, Kind},
    seam,
};
use crate::{
    filter::{Ground, Held},
    limits::{LINE_BYTES_MAX, PARTIAL_BYTES_MAX},
    scan::Said,
    view::utf16::Encoding,
};

/// Lines of another file, with which one begins.
#[derive(Clone, PartialEq, Eq)]
pub struct Handed {
    pub bytes: Vec<u8>,
    pub place: Place,
}

/// Where they stand, and what they say to whoever cannot read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    file: Identity,
    offset: u64,
    lines: u64,
    bytes: u64,
    /// What is said instead.
    #[serde(skip_serializing_if = "Said::is_empty", default)]
    lost: Said,
}

/// The bytes stay unsaid.
impl fmt::Debug for Handed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Handed").field("place", &self.place).finish()
    }
}

impl Handed {
    /// Where they stand.
    pub fn ground(&self) -> Ground {
        Ground { offset: self.place.offset, lines: self.place.lines, line_offset: 0 }
    }

    /// Reads them again, where a file lies in the folder of the one that begins with them.
    pub fn read(place: &Place, beside: &Path) -> Option<Handed> {
        // What is given another name between two of our calls is found the next time.
        let bytes = (0..LISTINGS).find_map(|_| Handed::listed(place, beside.parent()?))?;
        Some(Handed { bytes, place: place.clone() })
    }

    fn listed(place: &Place, folder: &Path) -> Option<Vec<u8>> {
        seam::between();
        let entries = fs::read_dir(folder).ok()?;
        let mut bytes = vec![0; usize::try_from(place.bytes).ok()?];
        entries.flatten().find_map(|entry| {
            let about = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            // Whether it is the one is asked of what is opened.
            (super::identity::inode(&about) == place.file.inode()).then_some(())?;
            seam::between();
            let (file, _) = open::read(&entry.path()).ok()?;
            let mut head = vec![0; super::identity::HEAD_BYTES];
            let length = file.read_at(&mut head, 0).ok()?;
            let now = Identity::new(&file.metadata().ok()?, &head[..length]);
            let same = place.file.is_same_inode(&now) && place.file.clone().check_head(&head[..length]);
            same.then_some(())?;
            file.read_exact_at(&mut bytes, place.offset).ok()?;
            Some(())
        })?;
        Some(bytes)
    }
}

impl Place {
    /// How many bytes they are.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is said instead of what they say.
    pub fn lost(&self) -> &Said {
        &self.lost
    }

    /// Whether lines can stand there that were held.
    pub fn is_sound(&self) -> bool {
        let small = 0 < self.bytes && self.bytes <= (PARTIAL_BYTES_MAX + LINE_BYTES_MAX) as u64;
        small && self.offset.checked_add(self.bytes).is_some() && self.lost.is_sound()
    }
}

impl Follow {
    /// Whether its end was reached with lines that wait for others.
    pub fn waits_at_end(&self) -> bool {
        let is_over = self.kind == Kind::Regular && self.position == self.reached;
        is_over && !self.voice.holds() && self.filter.as_ref().is_some_and(crate::Filter::waits)
    }

    /// Gives away what waits at its end. It is written to its end from now on, as far as its own mark says.
    pub fn hand_on(&mut self) -> Option<Mark> {
        if self.replay.is_some() {
            return None;
        }
        let Held { bytes, from, said, written } = self.filter.as_mut()?.held_lines()?;
        let lost = said.clone().behind_lost(&bytes);
        let lines = from.lines + memchr::memchr_iter(b'\n', &bytes).count() as u64;
        let mut count = Count::default();
        count.add(std::iter::once(written.as_slice()).filter(|written| !written.is_empty()));
        let (offset, length) = (from.offset, bytes.len() as u64);
        let place = Place { file: self.identity.clone(), offset, lines: from.lines, bytes: length, lost: lost.clone() };
        let ground = Ground { offset: self.position, lines, line_offset: 0 };
        // Should it grow all the same, nobody has the beginning of what goes on there.
        self.mark = Mark { ground, said: lost.clone(), ..Mark::default() };
        (self.says, self.since, self.filter, self.open_since) = (lost, Count::default(), None, None);
        let handed = Some(Arc::new(Handed { bytes, place }));
        Some(Mark { said, written: count, handed, ..Mark::default() })
    }

    /// Begins with what another file has given away. Nothing of its own was read yet.
    pub fn begin_with(&mut self, mark: Mark) -> std::io::Result<()> {
        self.mark = mark;
        self.rewind()
    }

    /// Whether lines of bytes can stand before it.
    pub fn is_bytes(&mut self) -> bool {
        self.bytes(0, 2).is_ok_and(|start| Encoding::of_mark(&start) == Encoding::Bytes)
    }
}
