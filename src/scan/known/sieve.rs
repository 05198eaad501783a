//! Finds the places of a text where a known string may stand, looking at a few of its bytes only.
//! **It has no false negatives.** Does not compare strings.
//!
//! Each string has a *core*: as many of its bytes in a row as the shortest string has, those that
//! text is least likely to hold. A core of `c` bytes holds `s = c - w + 1` *windows* of `w` bytes.
//! Of the windows of a text only each `s`th is looked at: one of them is in every core, wherever
//! it stands. So all windows of all cores are in a bitmap, and a text without known strings costs
//! one test of the bitmap for each `s` bytes, however many strings there are.
//!
//! Where a test succeeds, so must those of the windows around it, `s` in a row. Where they do, the
//! core is looked up in a hash table.
//!
//! Example, `c` = 8 and `w` = 4, so that `s` is 5, and the core `hunter2!`:
//!
//! ```text
//! text      p w = h u n t e r 2 ! ;        windows of the core: hunt unte nter ter2 er2!
//! tested          |       |       |        `= hu` and `er2!` and so on: the second is known
//! ```

use memchr::memmem;

use super::{
    super::prefilter::bitmap::{Bitmap, Group, ROOM},
    covered::Covered,
    shape::{self, Shape},
    strings::Strings,
    table::{Hasher, Table, word},
};

/// Samples that may be known.
pub(super) type List = [Group; ROOM];

/// Finds candidates for a part of the known strings.
pub(super) struct Sieve {
    core_bytes: usize,
    window_bytes: usize,
    stride: usize,
    /// The windows of all cores.
    windows: Bitmap,
    hasher: Hasher,
    /// The first string of each core.
    cores: Table,
    /// The length of the longest string (bytes).
    longest: usize,
}

/// What a sieve says about a string.
#[derive(Clone, Copy)]
pub(super) struct Needle {
    /// Where its core is in it.
    pub(super) core: u32,
    /// The next string with the same core, or [`NONE`].
    pub(super) next: u32,
    /// Whether comparing it wherever its core is found could take long: it is left to the automaton.
    pub(super) odd: bool,
}

/// No string.
pub(super) const NONE: u32 = u32::MAX;

impl Needle {
    /// A string that no sieve has seen yet.
    pub(super) const UNSEEN: Needle = Needle { core: 0, next: NONE, odd: false };
}

impl Sieve {
    /// Takes up the strings of a group, and says what it made of each of them in `needles`.
    pub(super) fn new(strings: &Strings, group: &shape::Group, needles: &mut [Needle]) -> Sieve {
        let shape = Shape::new(group.shortest, group.strings.len());
        let hasher = strings.hasher();
        let mut sieve = Sieve {
            core_bytes: shape.core_bytes,
            window_bytes: shape.window_bytes,
            stride: shape.stride(),
            windows: Bitmap::new(shape.window_bytes, shape.windows, hasher.multipliers()),
            hasher,
            cores: Table::with_room(group.strings.len()),
            longest: group.strings.iter().map(|&index| strings.get(index).len()).max().unwrap_or(0),
        };
        group.strings.iter().for_each(|&index| sieve.add(strings, index, needles));
        sieve
    }

    /// Where scanning begins: the last window of a core that begins at `from`.
    pub(super) fn first_sample(&self, from: usize) -> usize {
        from + self.stride - 1
    }

    /// The first place where a core may begin that has not been visited before this sample.
    pub(super) fn first_core(&self, sample: usize) -> usize {
        sample + 1 - self.stride
    }

    /// Calls `visit` with each place where a core stands, in order, and the first string that has
    /// it. Goes on at `sample`, which begins at [`first_sample`](Sieve::first_sample), until it has
    /// reached `until` or the end of the text, and leaves the next sample there. `list` is room.
    pub(super) fn scan(
        &self,
        within: Within,
        list: &mut List,
        sample: &mut usize,
        until: usize,
        visit: &mut impl FnMut(usize, u32),
    ) {
        let mut run = Run::default();
        let known = &mut |sample: usize| self.look_around(within, sample, &mut run, visit);
        let text = within.text;
        loop {
            let from = *sample;
            let (next, count) = self.windows.list(text, from, self.stride, until, list);
            *sample = next;
            for &Group { offset, known: mut some } in &list[..count] {
                while some != 0 {
                    let place = from + offset as usize + some.trailing_zeros() as usize * self.stride;
                    if self.stride == 1 || self.has_neighbour(text, place) {
                        known(place);
                    }
                    some &= some - 1;
                }
            }
            if count < ROOM {
                break;
            }
        }
        // The last samples, where there are not enough for all at once.
        while *sample < until && *sample + self.window_bytes <= text.len() {
            if self.windows.knows(word(text, *sample)) {
                known(*sample);
            }
            *sample += self.stride;
        }
    }

    /// Whether the window before or behind a known one is known, too, as it is in a core of more than
    /// one window. A window that is known by chance seldom has such a neighbour.
    fn has_neighbour(&self, text: &[u8], place: usize) -> bool {
        self.windows.knows(word(text, place - 1)) || self.windows.knows(word(text, place + 1))
    }

    /// Looks for cores that hold the window at `sample`.
    #[cold]
    fn look_around(&self, within: Within, sample: usize, run: &mut Run, visit: &mut impl FnMut(usize, u32)) {
        let Within { text, from, .. } = within;
        if within.covered.hold(sample.saturating_sub(self.longest)..sample + self.longest) {
            return;
        }
        let others = self.stride - 1;
        let known = |place: &usize| self.windows.knows(word(text, *place));
        // The window at the sample lies within the text.
        let windows_end = text.len() - self.window_bytes + 1;
        if run.end < sample || run.start > sample {
            let left = (from..sample).rev().take(others).take_while(known).count();
            *run = Run { start: sample - left, end: sample + 1, ..*run };
        }
        let left = (sample - run.start).min(others);
        run.end = run.end.max(sample + 1);
        while run.end < windows_end.min(sample + 1 + others) && known(&run.end) {
            run.end += 1;
        }
        let right = run.end - sample - 1;
        for place in sample - left..(sample + right + 1).saturating_sub(others) {
            if let Some(first) = self.first_at(within, place, run) {
                visit(place, first);
            }
        }
    }

    /// The first string whose core stands at a place: in a text that repeats itself, that of one or two places before.
    fn first_at(&self, within: Within, place: usize, run: &mut Run) -> Option<u32> {
        let (text, last) = (within.text, place + self.core_bytes - 1);
        let goes_on = run.period > 0 && run.place + 1 == place && text[last] == text[last - run.period];
        if !goes_on {
            let core = |place: usize| &text[place..place + self.core_bytes];
            let seen = |&back: &usize| {
                let before = place.checked_sub(back).filter(|&before| run.firsts[before % 2].0 == before + 1);
                before.is_some_and(|before| core(before) == core(place))
            };
            run.period = [1, 2].into_iter().find(seen).unwrap_or(0);
        }
        let first = match run.period {
            0 => self.first_with(&text[place..=last], within.strings, within.needles),
            back => run.firsts[(place - back) % 2].1,
        };
        run.place = place;
        run.firsts[place % 2] = (place + 1, first);
        first
    }

    /// The first string with this core.
    fn first_with(&self, core: &[u8], strings: &Strings, needles: &[Needle]) -> Option<u32> {
        self.cores.find(self.hash(core), |index| {
            let start = needles[index as usize].core as usize;
            &strings.get(index)[start..start + self.core_bytes] == core
        })
    }

    /// The hash of a core, by three words that cover it.
    fn hash(&self, core: &[u8]) -> u64 {
        let last = core.len().saturating_sub(8);
        let ends = self.hasher.pair(word(core, 0), word(core, last));
        self.hasher.pair(ends, word(core, last / 2))
    }

    fn add(&mut self, strings: &Strings, index: u32, needles: &mut [Needle]) {
        let string = strings.get(index);
        let choice = self.choose(string, strings, needles);
        let start = choice.core;
        let odd = choice.crowd >= CROWD_MAX || string.len() > ODD_BYTES_MIN && !choice.alone;
        needles[index as usize] = Needle { core: start as u32, next: NONE, odd };
        let core = &string[start..start + self.core_bytes];
        match self.first_with(core, strings, needles) {
            None => {
                self.cores.insert(self.hash(core), index);
                (start..start + self.stride).for_each(|place| self.windows.add(word(string, place)));
            }
            // One odd string stands for all; what the automaton looks for is not compared as well.
            Some(first) if odd => {
                let mut other = first;
                while other != NONE {
                    let needle = &mut needles[other as usize];
                    needle.odd = true;
                    other = std::mem::replace(&mut needle.next, NONE);
                }
            }
            Some(first) => {
                needles[index as usize].next = needles[first as usize].next;
                needles[first as usize].next = index;
            }
        }
    }

    /// Chooses the core of a string: one that no other string has, if there is one, that does not
    /// come twice in a long string, and of those the one that text is least likely to hold.
    fn choose(&self, string: &[u8], strings: &Strings, needles: &[Needle]) -> Choice {
        let last = string.len() - self.core_bytes;
        let quick = self.best(string, 0..=last, strings, needles);
        if string.len() <= ODD_BYTES_MIN || is_alone(string, quick.core, self.core_bytes) {
            return Choice { alone: true, ..quick };
        }
        let mut cores: Vec<(u64, usize)> =
            (0..=last).map(|place| (self.hash(&string[place..place + self.core_bytes]), place)).collect();
        cores.sort_unstable();
        let alone = cores.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() == 1).map(|same| same[0].1);
        let mut alone: Vec<usize> = alone.collect();
        alone.sort_unstable();
        if alone.is_empty() {
            return quick;
        }
        Choice { alone: true, ..self.best(string, alone.into_iter(), strings, needles) }
    }

    fn best(
        &self,
        string: &[u8],
        places: impl Iterator<Item = usize>,
        strings: &Strings,
        needles: &[Needle],
    ) -> Choice {
        let mut best = Choice { core: 0, crowd: usize::MAX, rarity: 0, alone: false };
        let (mut start, mut end, mut rarity) = (0, 0, 0);
        for core in places {
            while end < core + self.core_bytes {
                rarity += rarity_at(string, end);
                end += 1;
            }
            while start < core {
                rarity -= rarity_at(string, start);
                start += 1;
            }
            // Most strings have cores of their own: then only those are looked up that are rarer.
            if best.crowd == 0 && rarity <= best.rarity {
                continue;
            }
            let first = self.first_with(&string[core..end], strings, needles);
            let crowd = first.map_or(0, |first| crowd(needles, first));
            if crowd < best.crowd || crowd == best.crowd && rarity > best.rarity {
                best = Choice { core, crowd, rarity, alone: false };
            }
        }
        best
    }

    /// What the sieve takes in memory (bytes).
    pub(super) fn memory_bytes(&self) -> usize {
        self.windows.memory_bytes() + self.cores.memory_bytes()
    }
}

/// The windows around the last sample, one after the other, that are known, and what the last places had.
#[derive(Default)]
struct Run {
    start: usize,
    end: usize,
    /// The last place, and after how many bytes its core comes again; 0 if it does not.
    place: usize,
    period: usize,
    /// The last two places, plus one, and the first strings there.
    firsts: [(usize, Option<u32>); 2],
}

/// The part of a text that is looked at, and what is looked for.
#[derive(Clone, Copy)]
pub(super) struct Within<'a> {
    pub(super) covered: &'a Covered,
    pub(super) text: &'a [u8],
    pub(super) from: usize,
    pub(super) strings: &'a Strings,
    pub(super) needles: &'a [Needle],
}

/// The core of a string.
struct Choice {
    core: usize,
    /// How many other strings have it.
    crowd: usize,
    rarity: usize,
    /// Whether it comes but once in the string.
    alone: bool,
}

/// The strings with one core, from the first.
pub(super) fn chain(needles: &[Needle], first: u32) -> impl Iterator<Item = u32> {
    let next = |index: u32| (index != NONE).then_some(index);
    std::iter::successors(next(first), move |&index| next(needles[index as usize].next))
}

/// How many strings count as having one core: as many as there may be, if one of them is odd.
fn crowd(needles: &[Needle], first: u32) -> usize {
    if needles[first as usize].odd { CROWD_MAX } else { chain(needles, first).count() }
}

/// Whether a part of a string does not come again in it.
fn is_alone(string: &[u8], start: usize, length: usize) -> bool {
    let part = &string[start..start + length];
    memmem::find(&string[..start + length - 1], part).is_none() && memmem::find(&string[start + 1..], part).is_none()
}

/// How much a byte tells a string from the words, numbers and digests that logs are full of. What
/// changes tells more: words have one kind of letters, digests two.
fn rarity_at(string: &[u8], place: usize) -> usize {
    let byte = string[place];
    let before = if place > 0 { string[place - 1] } else { byte };
    let kind = |byte: u8| KINDS[usize::from(byte)];
    let changes = kind(byte) != kind(before);
    usize::from(byte != before) * usize::from(kind(byte)) + 3 * usize::from(changes)
}

/// The kind of each byte, the rarest last: blanks, small letters, digits, capitals, all others.
const KINDS: [u8; 256] = {
    let mut kinds = [4; 256];
    let mut byte = 0;
    while byte < 256 {
        match byte as u8 {
            b' ' | b'\0' => kinds[byte] = 0,
            b'a'..=b'z' => kinds[byte] = 1,
            b'0'..=b'9' => kinds[byte] = 2,
            b'A'..=b'Z' => kinds[byte] = 3,
            _ => {}
        }
        byte += 1;
    }
    kinds
};

/// How many strings may have the same core before the next is odd.
const CROWD_MAX: usize = 8;

/// How long a string may be in which every core comes twice before it is odd (bytes).
///
/// This makes comparing linear: if a core comes but once in a string, a comparison that begins
/// there cannot reach beyond the next place of the text where the core stands, and fail later.
const ODD_BYTES_MIN: usize = 64;
