//! Keeps the places where rules are to be tried, in the order of the text, and those that a secret adds when it is
//! found. Does not try any.

use std::ops::{Range, RangeInclusive};

/// A place where a rule is to be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Where a token may begin.
    pub start: usize,
    /// Which one.
    pub token: u16,
}

/// The places of one text.
#[derive(Debug, Default)]
pub struct Candidates {
    list: Vec<Candidate>,
    /// How many of them were taken.
    taken: usize,
    /// Those inside secrets, last one first.
    inside: Vec<Candidate>,
    /// The secret of which they were added last.
    uncovered: Range<usize>,
    /// The literals that do not begin their tokens, and how far behind the beginning they may stand.
    far: Vec<(usize, u16)>,
    far_most: usize,
    begins: Begins,
}

/// Where tokens begin in the bytes that were last asked about.
#[derive(Debug, Default)]
struct Begins {
    asked: Range<usize>,
    places: Vec<usize>,
}

impl Begins {
    /// Those of the `starts` at which one `begins`. Each place is asked about once, if `starts` grow.
    fn among(&mut self, starts: &RangeInclusive<usize>, begins: impl Fn(usize) -> bool) -> &[usize] {
        if !(self.asked.start..=self.asked.end).contains(starts.start()) {
            self.places.clear();
            self.asked = *starts.start()..*starts.start();
        }
        let new = self.asked.end..starts.end() + 1;
        self.asked.end = self.asked.end.max(new.end);
        self.places.extend(new.filter(|&start| begins(start)));
        let from = self.places.partition_point(|place| place < starts.start());
        let to = self.places.partition_point(|place| place <= starts.end());
        &self.places[from..to.max(from)]
    }
}

impl Candidates {
    /// Forgets all places.
    pub fn clear(&mut self) {
        (self.taken, self.far_most) = (0, 0);
        self.uncovered = 0..0;
        self.begins.asked = 0..0;
        self.begins.places.clear();
        self.list.clear();
        self.inside.clear();
        self.far.clear();
    }

    /// Adds places.
    pub fn extend(&mut self, starts: impl Iterator<Item = usize>, token: u16) {
        self.list.extend(starts.map(|start| Candidate { start, token }));
    }

    /// Adds those of the `starts` that a literal at `place` allows at which a token `begins`. At the others one begins
    /// only if a secret covers what stands before it, which is not known yet.
    pub fn add(&mut self, place: usize, starts: RangeInclusive<usize>, token: u16, begins: impl Fn(usize) -> bool) {
        if *starts.start() == place {
            self.list.push(Candidate { start: place, token });
            return;
        }
        self.far_most = self.far_most.max(place - starts.start());
        self.far.push((place, token));
        let starts = self.begins.among(&starts, begins).iter();
        self.list.extend(starts.map(|&start| Candidate { start, token }));
    }

    /// Puts all that was added in the order of the text, so that what a secret covers is known to what follows it.
    pub fn sort(&mut self) {
        self.list.sort_unstable();
        self.list.dedup();
        self.far.sort_unstable();
        self.far.dedup();
    }

    /// All that were added, without those inside secrets.
    pub fn all(&self) -> &[Candidate] {
        &self.list
    }

    /// Takes the first place.
    pub fn take_first(&mut self) -> Option<Candidate> {
        let next = self.list.get(self.taken);
        let first = next.into_iter().chain(self.inside.last()).min().copied()?;
        self.taken += usize::from(next == Some(&first));
        if self.inside.last() == Some(&first) {
            self.inside.pop();
        }
        Some(first)
    }

    /// Adds the places inside a secret and behind it, where a token may begin amid a word: those of the literals `found`
    /// that stand in it, and of those further on. `starts` says where tokens may begin that have a literal at a place.
    pub fn uncover(
        &mut self,
        taken: Candidate,
        secret: &Range<usize>,
        starts: impl Fn(usize, u16) -> Option<RangeInclusive<usize>>,
        found: impl FnOnce(&mut dyn FnMut(usize, u16)),
    ) {
        // Several rules find the same secret: what was added then, and is not taken yet, is still there.
        if self.uncovered.start <= secret.start && secret.end <= self.uncovered.end {
            return;
        }
        self.uncovered = secret.clone();
        let Candidates { inside, far, far_most, .. } = self;
        let known = inside.len();
        let mut add = |place: usize, token: u16| {
            // What begins before the secret is known.
            let starts = starts(place, token).into_iter().flatten();
            let starts = starts.filter(|start| secret.start < *start && *start <= secret.end);
            inside.extend(starts.map(|start| Candidate { start, token }).filter(|other| *other > taken));
        };
        found(&mut add);
        let first = far.partition_point(|(place, _)| *place <= secret.start);
        let near = far[first..].iter().take_while(|(place, _)| *place <= secret.end + *far_most);
        near.for_each(|&(place, token)| add(place, token));
        if inside.len() > known {
            inside.sort_unstable_by(|one, other| other.cmp(one));
            inside.dedup();
        }
    }
}
