//! Turns a text into the spans of known values: what the registry held at one moment. Does not
//! change.

use std::sync::Arc;

use super::{
    lines::{Blocks, Progress, Step},
    matcher::{self, Hit, Matcher},
};
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
    /// The lines of values that have several, and first lines that are looked for only because more
    /// of their value may follow.
    blocks: Blocks,
    openers: Arc<Matcher>,
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
    pub(super) fn new(tiers: Vec<Arc<Tier>>, values: Vec<Arc<Value>>, blocks: Blocks, openers: Arc<Matcher>) -> Known {
        Known { tiers, values, blocks, openers }
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

    /// Whether some value has several lines.
    pub(crate) fn has_blocks(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// Finds first lines of values that are no values themselves.
    pub(crate) fn openers(&self, text: &[u8], hits: &mut Vec<Hit>) {
        hits.clear();
        self.openers.find(text, hits);
    }

    /// Where the longest end of `text` begins that is the beginning of such a line, or all of it.
    pub(crate) fn opener_tail(&self, text: &[u8]) -> Option<usize> {
        let mut hits = Vec::new();
        self.openers(text, &mut hits);
        let whole = hits.iter().filter(|hit| hit.end == text.len()).map(|hit| hit.start);
        whole.chain(self.openers.tail(text, 1)).min()
    }

    /// Where a text stands in values of several lines after a line that ends with this one of theirs.
    pub(crate) fn after<'a>(&'a self, line: &'a [u8]) -> impl Iterator<Item = Progress> + 'a {
        self.blocks.after(&self.values, line)
    }

    /// Where a text may stand in values if it is in the middle of some, and this is its next line.
    pub(crate) fn before<'a>(&'a self, some: Progress, line: &'a [u8]) -> impl Iterator<Item = Progress> + 'a {
        self.blocks.before(&self.values, some, line)
    }

    /// What the next line of the text, without the blanks at its end, does to a progress.
    pub(crate) fn step(&self, progress: Progress, line: &[u8]) -> Step {
        self.blocks.step(&self.values, progress, line)
    }

    /// Where the end of a text begins that is the beginning of the expected line, if it is to be
    /// masked when nothing follows.
    pub(crate) fn cut_line(&self, progress: Progress, text: &[u8]) -> Option<usize> {
        self.blocks.cut_line(&self.values, progress, text)
    }

    /// Where the first of all strings in `text[from..]` begins.
    ///
    /// Never panics. Allocates nothing.
    pub fn first_in(&self, text: &[u8], from: usize) -> Option<usize> {
        self.gates().filter_map(|matcher| matcher.first_in(text, from)).min()
    }

    /// Where the longest end of `text` begins that is the beginning of a string, though not all of
    /// it, and has at least `least` bytes.
    ///
    /// Never panics. Allocates only where such an end may be, and at the first call.
    pub fn tail(&self, text: &[u8], least: usize) -> Option<usize> {
        self.matchers().filter_map(|matcher| matcher.tail(text, least)).min()
    }

    /// Whether some end of `text` is the beginning of a string, though not all of it: whether [`tail`](Known::tail) finds
    /// one of a byte or more.
    pub(crate) fn has_tail(&self, text: &[u8]) -> bool {
        self.matchers().any(|matcher| matcher.has_tail(text))
    }

    /// About how much memory this takes (bytes).
    pub fn memory_bytes(&self) -> usize {
        self.matchers().map(Matcher::memory_bytes).sum()
    }

    /// All that makes a line worth a closer look.
    fn gates(&self) -> impl Iterator<Item = &Matcher> {
        self.matchers().chain([&*self.openers])
    }

    fn matchers(&self) -> impl Iterator<Item = &Matcher> {
        self.tiers.iter().map(|tier| &tier.matcher)
    }
}

/// Walks through a text from string to string. Each byte is looked at once by each tier, however
/// often one of the others finds something.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Where each tier has found its next string, counted from the text's end; 0 for nowhere.
    next: Vec<Option<usize>>,
}

impl Gate {
    /// Where the first string at or after `from` begins. Asked with growing `from`, of texts that end in the same
    /// place until all is forgotten.
    pub(crate) fn next(&mut self, known: &Known, text: &[u8], from: usize) -> Option<usize> {
        self.next.resize(known.tiers.len() + 1, None);
        for (next, matcher) in self.next.iter_mut().zip(known.gates()) {
            if next.is_none_or(|left| left > text.len() - from) {
                *next = Some(matcher.first_in(text, from).map_or(0, |next| text.len() - next));
            }
        }
        self.next.iter().flatten().max().filter(|&&left| left > 0).map(|left| text.len() - left)
    }

    /// Another text comes.
    pub(crate) fn forget(&mut self) {
        self.next.clear();
    }
}
