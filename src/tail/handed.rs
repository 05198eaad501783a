//! Hands lines that are held at the end of a rotated file on to the file that has its name now: a container's line may
//! have its last record there, or behind a few more rotations. Does not filter them.
//!
//! The bytes stay in memory. A checkpoint has only where they stand, and what is said if they cannot be read there any
//! more: then the rest of their line is masked whole.

use std::{fmt, fs, os::unix::fs::FileExt as _, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    again::LISTINGS,
    follow::Follow,
    identity::Identity,
    mark::{Count, Mark},
    open::{self, Kind},
    seam,
};
use crate::{
    filter::{Ground, Held, Part},
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
    pieces: Vec<Piece>,
    /// What is said instead.
    #[serde(skip_serializing_if = "Said::is_empty", default)]
    lost: Said,
}

/// Some of the lines, all in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Piece {
    file: Identity,
    offset: u64,
    lines: u64,
    bytes: u64,
}

/// The bytes stay unsaid.
impl fmt::Debug for Handed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Handed").field("place", &self.place).finish()
    }
}

impl Handed {
    /// Where they stand.
    pub fn parts(&self) -> Vec<Part> {
        let part = |piece: &Piece| Part {
            from: Ground { offset: piece.offset, lines: piece.lines, line_offset: 0 },
            bytes: piece.bytes,
        };
        self.place.pieces.iter().map(part).collect()
    }

    /// Reads them again, where all their files lie in the folder of the one that begins with them.
    pub fn read(place: &Place, beside: &Path) -> Option<Handed> {
        let folder = beside.parent()?;
        let mut bytes = Vec::new();
        for piece in &place.pieces {
            // What is given another name between two of our calls is found the next time.
            bytes.extend((0..LISTINGS).find_map(|_| Handed::listed(piece, folder))?);
        }
        Some(Handed { bytes, place: place.clone() })
    }

    fn listed(place: &Piece, folder: &Path) -> Option<Vec<u8>> {
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
        self.pieces.iter().map(|piece| piece.bytes).fold(0, u64::saturating_add)
    }

    /// What is said instead of what they say.
    pub fn lost(&self) -> &Said {
        &self.lost
    }

    /// Whether lines can stand there that were held.
    pub fn is_sound(&self) -> bool {
        let small = 0 < self.bytes() && self.bytes() <= (PARTIAL_BYTES_MAX + LINE_BYTES_MAX) as u64;
        let stands = |piece: &Piece| piece.bytes > 0 && piece.offset.checked_add(piece.bytes).is_some();
        small && self.pieces.len() <= PIECES_MAX && self.pieces.iter().all(stands) && self.lost.is_sound()
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
        let Held { bytes, parts, lines, said, written } = self.filter.as_mut()?.held_lines()?;
        let before = self.mark.handed.as_ref();
        let piece = |(index, part): (Option<usize>, Part)| {
            let file = match index {
                Some(index) => &before?.place.pieces.get(index)?.file,
                None => &self.identity,
            };
            let Ground { offset, lines, .. } = part.from;
            Some(Piece { file: file.clone(), offset, lines, bytes: part.bytes })
        };
        let pieces: Vec<Piece> = parts.into_iter().map(piece).collect::<Option<_>>()?;
        (pieces.len() <= PIECES_MAX).then_some(())?;
        let lost = said.clone().behind_lost(&bytes);
        let mut count = Count::default();
        count.add(std::iter::once(written.as_slice()).filter(|written| !written.is_empty()));
        let place = Place { pieces, lost: lost.clone() };
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

/// Over how many files lines may stand that are handed on: their line ends where there are more.
const PIECES_MAX: usize = 16;
