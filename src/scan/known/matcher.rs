//! Turns a text into the spans of the strings of some values in it. Does not know what a value is,
//! beyond its number.

use std::{ops::Range, sync::OnceLock};

use super::{
    super::prefilter::bitmap::{Group, ROOM},
    automaton::Automaton,
    covered::Covered,
    encodings::Encoding,
    prefixes::Prefixes,
    shape,
    sieve::{self, List, Needle, Sieve, Within},
    strings::Strings,
};

/// The strings of some values, ready to be looked for.
#[derive(Default)]
pub(super) struct Matcher {
    strings: Strings,
    sieves: Vec<Sieve>,
    /// What the sieves say about each string.
    needles: Vec<Needle>,
    /// The most bytes of a string before its core.
    reach_left: usize,
    /// The most bytes of an odd string from its core on; 0 if there are no odd strings.
    reach_right: usize,
    longest: usize,
    /// Of the odd strings, from when a text may hold one.
    automaton: OnceLock<Automaton>,
    /// From when the end of a text is asked for.
    prefixes: OnceLock<Prefixes>,
}

/// A part of a text that known strings cover without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Whose string the longest in it is: an index into the values as they were added.
    pub(super) value: u32,
    /// How that is written.
    pub encoding: Encoding,
    /// The place of the longest.
    longest: (usize, usize),
}

impl Hit {
    /// The bytes it covers.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Takes in a hit that it shares bytes with. The longest string gives the name; of equals, the
    /// first. So the order in which hits come does not matter.
    fn absorb(&mut self, other: Hit) {
        let rank = |hit: &Hit| (hit.longest.1 - hit.longest.0, std::cmp::Reverse(hit.longest.0));
        let (start, end) = (self.start.min(other.start), self.end.max(other.end));
        let named = if rank(&other) > rank(self) { other } else { *self };
        *self = Hit { start, end, ..named };
    }

    /// Where the longest string in it stands, after which it is named.
    pub(crate) fn longest(&self) -> Range<usize> {
        self.longest.0..self.longest.1
    }

    fn overlaps(&self, other: &Hit) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl Matcher {
    pub(super) fn new(strings: Strings) -> Matcher {
        let mut needles = vec![Needle::UNSEEN; strings.len()];
        let sieves = shape::groups(&strings);
        // The longest strings come first: they cover others.
        let sieves = sieves.iter().rev().map(|group| Sieve::new(&strings, group, &mut needles)).collect();
        let (mut reach_left, mut reach_right, mut longest) = (0, 0, 0);
        for (needle, (_, string)) in needles.iter().zip(strings.iter()) {
            let before = needle.core as usize;
            reach_left = reach_left.max(before);
            reach_right = reach_right.max(if needle.odd { string.len() - before } else { 0 });
            longest = longest.max(string.len());
        }
        Matcher { strings, sieves, needles, reach_left, reach_right, longest, ..Matcher::default() }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.sieves.is_empty()
    }

    /// The strings that are looked for.
    pub fn strings(&self) -> &Strings {
        &self.strings
    }

    /// The length of the longest string (bytes); 0 if there is none.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Appends the place of each string in a text to `hits`, in no order; some that share bytes are one.
    pub fn find(&self, text: &[u8], hits: &mut Vec<Hit>) {
        let covered = Covered::default();
        let mut search = Search::new(self, text, 0, &covered);
        let mut list = [Group::default(); ROOM];
        while search.step(&mut list, &mut |hit| match hits.last_mut() {
            Some(last) if last.overlaps(&hit) => last.absorb(hit),
            _ => hits.push(hit),
        }) {}
    }

    /// Where the first of all strings in `text[from..]` begins. Takes no more time than the bytes
    /// up to there, and some KiB, need; so a text can be walked through from hit to hit.
    pub fn first_in(&self, text: &[u8], from: usize) -> Option<usize> {
        let covered = Covered::default();
        let mut search = Search::new(self, text, from, &covered);
        let (mut first, mut list): (Option<usize>, List) = (None, [Group::default(); ROOM]);
        while search
            .step(&mut list, &mut |hit| first = Some(first.map_or(hit.start, |first: usize| first.min(hit.start))))
        {
            if first.is_some_and(|first| first <= search.settled()) {
                break;
            }
        }
        first
    }

    /// Where the longest end of `text` begins that is the beginning of a string, though not all of
    /// it, and has at least `least` bytes. Allocates only where such an end may be.
    pub fn tail(&self, text: &[u8], least: usize) -> Option<usize> {
        (!self.is_empty()).then(|| self.prefixes().tail(&self.strings, text, least))?
    }

    /// Whether some end of `text` is the beginning of a string, though not all of it.
    pub fn has_tail(&self, text: &[u8]) -> bool {
        !self.is_empty() && self.prefixes().has_tail(&self.strings, text)
    }

    /// About how much memory this takes (bytes).
    pub fn memory_bytes(&self) -> usize {
        let sieves: usize = self.sieves.iter().map(Sieve::memory_bytes).sum();
        let needles = self.needles.len() * size_of::<Needle>();
        let prefixes = self.prefixes.get().map_or(0, Prefixes::memory_bytes);
        let automaton = self.automaton.get().map_or(0, Automaton::memory_bytes);
        self.strings.memory_bytes() + needles + sieves + prefixes + automaton
    }

    fn prefixes(&self) -> &Prefixes {
        self.prefixes.get_or_init(|| Prefixes::new(&self.strings))
    }

    fn automaton(&self) -> &Automaton {
        self.automaton.get_or_init(|| {
            let odd = (0..).zip(&self.needles).filter(|(_, needle)| needle.odd);
            Automaton::new(&self.strings, odd.map(|(index, _)| index))
        })
    }
}

/// Puts hits in order and joins those that share bytes.
pub(super) fn unite(hits: &mut Vec<Hit>) {
    hits.sort_unstable_by_key(|hit| (hit.start, hit.end));
    hits.dedup_by(|next, hit| {
        let joined = hit.overlaps(next);
        if joined {
            hit.absorb(*next);
        }
        joined
    });
}

/// The search through one text. It goes on by segments, in which the sieves take turns: what one
/// of them finds soon need not wait for another to reach the end.
struct Search<'a> {
    known: &'a Matcher,
    within: Within<'a>,
    /// The next sample of each sieve.
    samples: [usize; shape::SIEVES_MAX],
    /// Up to where the text was searched.
    place: usize,
    automaton_place: usize,
    automaton_state: u32,
    /// How many bytes were compared, strings tried and states passed: this is what must not grow
    /// faster than the text.
    work: usize,
}

impl<'a> Search<'a> {
    fn new(known: &'a Matcher, text: &'a [u8], from: usize, covered: &'a Covered) -> Search<'a> {
        let mut samples = [0; shape::SIEVES_MAX];
        for (sample, sieve) in samples.iter_mut().zip(&known.sieves) {
            *sample = sieve.first_sample(from);
        }
        // Without sieves there is nothing to search.
        let place = if known.is_empty() { text.len() } else { from };
        let within = Within { covered, text, from, strings: &known.strings, needles: &known.needles };
        Search { known, within, samples, place, automaton_place: from, automaton_state: 0, work: 0 }
    }

    /// Searches the next segment, and gives each string that is found to `each`. False at the end. `list` is room.
    fn step(&mut self, list: &mut List, each: &mut impl FnMut(Hit)) -> bool {
        if self.place >= self.within.text.len() {
            return false;
        }
        self.place = self.within.text.len().min(self.place + SEGMENT_BYTES);
        let known = self.known;
        for (index, sieve) in known.sieves.iter().enumerate() {
            let mut sample = self.samples[index];
            sieve.scan(self.within, list, &mut sample, self.place, &mut |core, first| self.visit(core, first, each));
            self.samples[index] = sample;
        }
        true
    }

    /// No string that begins before this place will still be found.
    fn settled(&self) -> usize {
        let cores = self.known.sieves.iter().zip(self.samples).map(|(sieve, sample)| sieve.first_core(sample));
        cores.min().map_or(self.place, |core| core.saturating_sub(self.known.reach_left))
    }

    /// Looks for the strings whose core stands at `core`, of which `first` is one.
    fn visit(&mut self, core: usize, first: u32, each: &mut impl FnMut(Hit)) {
        for index in sieve::chain(self.within.needles, first) {
            self.work += 1;
            let needle = self.within.needles[index as usize];
            if needle.odd {
                self.run_automaton(core, each);
            } else if let Some(hit) = self.compare(index, core, needle.core as usize) {
                each(hit);
            }
        }
    }

    /// Whether a string stands where its core does. Goes from the core outwards, so that it ends at
    /// the next place that would be a candidate for the same string.
    fn compare(&mut self, index: u32, core: usize, before: usize) -> Option<Hit> {
        let string = self.within.strings.get(index);
        let start = core.checked_sub(before).filter(|&start| start >= self.within.from)?;
        let stretch = self.within.text.get(start..start + string.len())?;
        if self.within.covered.hold(start..start + string.len()) {
            return None;
        }
        let mut same = |(a, b): (&[u8], &[u8])| {
            self.work += a.len();
            a == b
        };
        let right =
            string[before..].chunks(COMPARED_BYTES).zip(stretch[before..].chunks(COMPARED_BYTES)).all(&mut same);
        let left = || string[..before].rchunks(COMPARED_BYTES).zip(stretch[..before].rchunks(COMPARED_BYTES)).all(same);
        (right && left()).then(|| self.hit(index, start))
    }

    /// Looks for all odd strings that could have their core at `core`.
    fn run_automaton(&mut self, core: usize, each: &mut impl FnMut(Hit)) {
        let automaton = self.known.automaton();
        let start = core.saturating_sub(self.known.reach_left).max(self.within.from);
        if start > self.automaton_place {
            (self.automaton_place, self.automaton_state) = (start, 0);
        }
        let end = self.within.text.len().min(core + self.known.reach_right);
        while self.automaton_place < end {
            self.work += 1;
            self.automaton_state = automaton.next(self.automaton_state, self.within.text[self.automaton_place]);
            self.automaton_place += 1;
            if let Some(index) = automaton.string(self.automaton_state) {
                each(self.hit(index, self.automaton_place - self.within.strings.get(index).len()));
            }
        }
    }

    fn hit(&self, index: u32, start: usize) -> Hit {
        let entry = self.within.strings.entry(index);
        let end = start + self.within.strings.get(index).len();
        self.within.covered.note(start, end);
        Hit { start, end, value: entry.value, encoding: entry.encoding, longest: (start, end) }
    }
}

/// How much of a text the sieves search in turn (bytes): little enough to stay in the nearest
/// cache.
const SEGMENT_BYTES: usize = 4 << 10;

/// How many bytes are compared at once.
const COMPARED_BYTES: usize = 64;
