//! Turns a text into the spans of known values: what the registry held at one moment. Does not
//! change.

use std::sync::Arc;

use super::matcher::{self, Hit, Matcher};
use crate::secret::Secret;

/// The values that are looked for. The default is none, and looking for them costs nothing.
///
/// Neither `Debug` nor `Display`, so that no value is ever printed:
///
/// ```compile_fail
/// println!("{:?}", blackbar::scan::known::Known::default());
/// ```
#[derive(Default)]
pub struct Known {
    /// The strings of the values: those that were there long, and the few that were added since.
    tiers: Vec<Arc<Tier>>,
    values: Vec<Arc<Value>>,
}

/// Values that were made ready together.
pub(super) struct Tier {
    pub(super) matcher: Matcher,
    pub(super) values: usize,
}

/// A value, as it was given.
pub(super) struct Value {
    name: String,
    bytes: Secret,
}

/// How many tiers there can be: each is a pass over the text.
pub(super) const TIERS_MAX: usize = 4;

impl Value {
    pub(super) fn new(name: String, bytes: &[u8]) -> Value {
        Value { name, bytes: Secret::new(bytes) }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.expose()
    }
}

impl Known {
    pub(super) fn new(tiers: Vec<Arc<Tier>>, values: Vec<Arc<Value>>) -> Known {
        Known { tiers, values }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.tiers.is_empty()
    }

    /// How many strings are looked for: all values in all encodings.
    pub fn strings(&self) -> usize {
        self.matchers().map(|matcher| matcher.strings().len()).sum()
    }

    /// The length of the longest string (bytes); 0 if there is none.
    pub fn longest(&self) -> usize {
        self.matchers().map(Matcher::longest).max().unwrap_or(0)
    }

    /// The name of the value that a hit is named after.
    pub fn name(&self, hit: &Hit) -> &str {
        &self.values[hit.value as usize].name
    }

    /// The value that a hit is named after, as it was given.
    pub(crate) fn value(&self, hit: &Hit) -> &[u8] {
        self.values[hit.value as usize].bytes()
    }

    /// Finds all strings in a text: their union, as hits that share no bytes, in order. Hits that
    /// only touch are kept apart. What `hits` held before is gone.
    ///
    /// Never panics. Allocates nothing where nothing is found.
    pub fn find(&self, text: &[u8], hits: &mut Vec<Hit>) {
        hits.clear();
        self.matchers().for_each(|matcher| matcher.find(text, hits));
        matcher::unite(hits);
    }

    /// Where the first of all strings in `text[from..]` begins.
    ///
    /// Never panics. Allocates nothing.
    pub fn first_in(&self, text: &[u8], from: usize) -> Option<usize> {
        self.matchers().filter_map(|matcher| matcher.first_in(text, from)).min()
    }

    /// Where the longest end of `text` begins that is the beginning of a string, though not all of
    /// it, and has at least `least` bytes.
    ///
    /// Never panics. Allocates only where such an end may be, and at the first call.
    pub fn tail(&self, text: &[u8], least: usize) -> Option<usize> {
        self.matchers().filter_map(|matcher| matcher.tail(text, least)).min()
    }

    /// About how much memory this takes (bytes).
    pub fn memory_bytes(&self) -> usize {
        self.matchers().map(Matcher::memory_bytes).sum()
    }

    fn matchers(&self) -> impl Iterator<Item = &Matcher> {
        self.tiers.iter().map(|tier| &tier.matcher)
    }
}

/// Walks through a text from string to string. Each byte is looked at once by each tier, however
/// often one of the others finds something.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Where each tier has found its next string; the text's length for nowhere.
    next: Vec<Option<usize>>,
}

impl Gate {
    /// Where the first string at or after `from` begins. Asked with growing `from`.
    pub(crate) fn next(&mut self, known: &Known, text: &[u8], from: usize) -> Option<usize> {
        self.next.resize(known.tiers.len(), None);
        for (next, matcher) in self.next.iter_mut().zip(known.matchers()) {
            if next.is_none_or(|next| next < from) {
                *next = Some(matcher.first_in(text, from).unwrap_or(text.len()));
            }
        }
        self.next.iter().flatten().copied().min().filter(|&next| next < text.len())
    }
}
