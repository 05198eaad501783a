//! Follows values of several lines through a text, line by line. Does not need what stands before
//! the lines (timestamps, indentation, the `+` of a diff) to be known: a line of the value ends a
//! line of the text.
//!
//! Lines that say something are values of their own, and are masked wherever they stand. The others
//! (`{`, `ab12`) are masked where they come in their order: after a line that says something, or
//! once eight bytes of the value were seen.

use std::{collections::HashMap, ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    snapshot::Value,
    table::Hasher,
    value::{self, Line},
};

/// Where a text stands in a value. Holds no byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// [`SOME`] if it is not known which one.
    value: u32,
    /// The line that is expected next.
    next: u32,
    /// How many other lines may still come before it: as many as the value has blank ones.
    blanks: u32,
    /// How many blank lines came before it that the value does not have.
    waited: u32,
    /// How many bytes of the value were seen in a row.
    seen: usize,
    /// Whether all lines before that one were seen.
    is_whole: bool,
}

/// That a text stands in the middle of a value, told without its number: others count values differently. Holds no byte
/// of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Between {
    /// See [`Progress`]; no more than what is enough.
    seen: u8,
    /// How many other lines may come before the next one of the value.
    blanks: u32,
}

impl Between {
    /// Of all values that a text is in the middle of.
    pub(crate) fn of(known: &[Progress]) -> Option<Between> {
        let seen = known.iter().map(|progress| progress.seen.min(SURE_BYTES)).max()?;
        let blanks = known.iter().map(|progress| progress.blanks).max()?;
        Some(Between { seen: u8::try_from(seen).unwrap_or(u8::MAX), blanks: blanks.min(BLANKS_MAX) })
    }

    /// In the middle of some value.
    pub(crate) fn progress(self) -> Progress {
        Progress { value: SOME, next: 0, blanks: self.blanks, waited: 0, seen: usize::from(self.seen), is_whole: false }
    }

    /// Whether a text can stand there.
    pub(crate) fn is_sound(self) -> bool {
        usize::from(self.seen) <= SURE_BYTES && self.blanks <= BLANKS_MAX
    }
}

/// What a line of a text does to a progress.
pub(crate) enum Step {
    /// It is the expected line, which stands here, the last one maybe more than once; what then follows, if it was
    /// not the last; whether enough was seen to be sure.
    Here(Vec<Range<usize>>, Option<Progress>, bool),
    /// It is blank.
    Waits(Progress),
    /// It is something else.
    Lost,
}

impl Progress {
    /// The same after a line that stands in many texts: however long it is, it proves nothing.
    pub(crate) fn unsure(self) -> Progress {
        let seen = if self.seen >= SURE_BYTES { 0 } else { self.seen };
        Progress { seen, ..self }
    }

    /// Whether it says of which value it is.
    pub(crate) fn is_of_some(&self) -> bool {
        self.value == SOME
    }

    /// Whether both expect the same line.
    pub(crate) fn is_at(&self, other: &Progress) -> bool {
        (self.value, self.next) == (other.value, other.next)
    }
}

/// The lines of all values that have several.
#[derive(Default, Clone)]
pub(super) struct Blocks {
    lines: HashMap<u32, Vec<Line>>,
    /// Values and the numbers of their lines by the hash of the line's bytes.
    by_hash: HashMap<u64, Vec<(u32, u32)>>,
    hasher: Hasher,
}

impl Blocks {
    /// Whether no value has several lines.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Adds a value, if it has several lines.
    pub(super) fn add(&mut self, number: u32, bytes: &[u8]) {
        let lines = value::parts(bytes);
        if lines.len() < 2 {
            return;
        }
        for (index, line) in (0..).zip(&lines) {
            let hash = self.hasher.bytes(&bytes[line.range.clone()]);
            self.by_hash.entry(hash).or_default().push((number, index));
        }
        self.lines.insert(number, lines);
    }

    /// Where the text stands after a line that ends with this one: for each value that has it.
    pub(super) fn after<'a>(&'a self, values: &'a [Arc<Value>], line: &'a [u8]) -> impl Iterator<Item = Progress> + 'a {
        let places = self.by_hash.get(&self.hasher.bytes(line)).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(move |&(value, index)| {
            let lines = self.lines.get(&value)?;
            let here = lines.get(index as usize)?;
            if &values[value as usize].bytes()[here.range.clone()] != line {
                return None;
            }
            self.at(value, index + 1, line.len(), index == 0)
        })
    }

    /// Where a text may stand that is in the middle of some value, if its next line is this one: before each line of a
    /// value that ends it.
    pub(super) fn before<'a>(
        &'a self,
        values: &'a [Arc<Value>],
        some: Progress,
        text: &'a [u8],
    ) -> impl Iterator<Item = Progress> + 'a {
        let lines = self.lines.iter().flat_map(|(value, lines)| (0..).zip(lines).map(move |line| (*value, line)));
        let ends = move |value: u32, line: &Line| text.ends_with(&values[value as usize].bytes()[line.range.clone()]);
        // The first line of a value is not in its middle.
        let inside = lines.filter(move |(value, (index, line))| *index > 0 && ends(*value, line));
        inside.map(move |(value, (next, _))| Progress { value, next, blanks: 0, ..some })
    }

    /// What a line of a text, without the blanks at its end, does to a progress.
    pub(super) fn step(&self, values: &[Arc<Value>], progress: Progress, text: &[u8]) -> Step {
        if progress.is_of_some() {
            return waits(progress, text);
        }
        let Some(lines) = self.lines.get(&progress.value) else { return Step::Lost };
        let Some(line) = lines.get(progress.next as usize) else { return Step::Lost };
        let wanted = &values[progress.value as usize].bytes()[line.range.clone()];
        let last = progress.next as usize + 1 == lines.len();
        // Behind the last line the text may go on.
        let start = match text.len().checked_sub(wanted.len()) {
            Some(start) if text.ends_with(wanted) => Some(start),
            _ if last => memchr::memmem::find(text, wanted),
            _ => None,
        };
        match start {
            Some(start) => {
                let seen = progress.seen + wanted.len();
                let next = self.at(progress.value, progress.next + 1, seen, progress.is_whole);
                // All of a value is no chance either, if none of its lines proves anything.
                let all = last && progress.is_whole && values[progress.value as usize].bytes().len() >= SURE_BYTES;
                // It may stand in the text that goes on, too.
                let again = memchr::memmem::find_iter(text, wanted).filter(|_| last && wanted.len() >= SURE_BYTES);
                let places = again.filter(|&at| at != start).chain([start]).map(|at| at..at + wanted.len());
                Step::Here(places.collect(), next, all || seen >= SURE_BYTES)
            }
            None => waits(progress, text),
        }
    }

    /// Where the longest end of a text begins that is the beginning of the expected line, if with it
    /// enough of the value was seen.
    pub(super) fn cut_line(&self, values: &[Arc<Value>], progress: Progress, text: &[u8]) -> Option<usize> {
        let line = self.lines.get(&progress.value)?.get(progress.next as usize)?;
        let wanted = &values[progress.value as usize].bytes()[line.range.clone()];
        let longest = (1..=wanted.len().min(text.len())).rev().find(|&length| text.ends_with(&wanted[..length]))?;
        (progress.seen + longest >= SURE_BYTES).then_some(text.len() - longest)
    }

    fn at(&self, value: u32, next: u32, seen: usize, is_whole: bool) -> Option<Progress> {
        let line = self.lines.get(&value)?.get(next as usize)?;
        Some(Progress { value, next, blanks: line.blanks, waited: 0, seen, is_whole })
    }
}

/// What a line does that is not the expected one.
fn waits(progress: Progress, text: &[u8]) -> Step {
    if progress.blanks > 0 {
        Step::Waits(Progress { blanks: progress.blanks - 1, ..progress })
    } else if text.is_empty() && progress.waited < WAITED_MAX {
        Step::Waits(Progress { waited: progress.waited + 1, ..progress })
    } else {
        Step::Lost
    }
}

/// The number of a value whose number is not known.
const SOME: u32 = u32::MAX;

/// How many other lines may come before one of a value that is not known.
const BLANKS_MAX: u32 = 16;

/// How many blank lines may stand in a value that has none there.
const WAITED_MAX: u32 = 3;

/// How many bytes of a value in a row are no chance.
const SURE_BYTES: usize = 8;
