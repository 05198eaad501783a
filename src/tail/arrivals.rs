//! Counts how often a file has come under the name of a log, as the system tells it, and how many of them were found: so it
//! is noticed when one came and went between two looks. Does not look at files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::Metadata,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    identity::{Identity, Inode},
    watch::Names,
};

/// What came under the names of logs.
pub struct Arrivals {
    names: Names,
    /// By the place to which a name leads.
    places: BTreeMap<PathBuf, Place>,
    /// By the name.
    reals: BTreeMap<PathBuf, PathBuf>,
}

/// A place that logs have had one after the other.
#[derive(Default)]
struct Place {
    /// How many have come that were not found.
    missing: usize,
    /// The last ones that were found, the oldest first.
    found: BTreeSet<(Option<u64>, Inode)>,
    /// Whether one is missing that has gone, and nobody was told yet.
    unseen: bool,
    /// When somebody had it last (since 1970).
    at: Duration,
}

impl Arrivals {
    /// Nothing has come yet.
    pub fn new() -> Arrivals {
        Arrivals { names: Names::new(), places: BTreeMap::new(), reals: BTreeMap::new() }
    }

    /// Is told of what comes into these folders, and of nothing else.
    pub fn set(&mut self, folders: &BTreeSet<PathBuf>) {
        self.names.set(folders);
    }

    /// Somebody has a name that leads to a place.
    pub fn know(&mut self, name: &Path, real: &Path, file: &Identity, at: Duration) {
        if self.reals.get(name).is_none_or(|old| old != real) {
            self.reals.insert(name.to_owned(), real.to_owned());
        }
        match self.places.get_mut(real) {
            Some(place) => place.at = at,
            None => {
                let found = BTreeSet::from([(file.born(), file.inode())]);
                self.places.insert(real.to_owned(), Place { found, at, ..Place::default() });
            }
        }
    }

    /// A file was found that has, or had, a name.
    pub fn found(&mut self, name: &Path, file: &Identity) {
        let place = self.reals.get(name).and_then(|real| self.places.get_mut(real));
        if let Some(place) = place
            && place.found.insert((file.born(), file.inode()))
        {
            place.missing = place.missing.saturating_sub(1);
            if place.found.len() > FOUND_MAX {
                place.found.pop_first();
            }
        }
    }

    /// Takes what the system tells. The names under which files have come that were not found.
    pub fn take(&mut self) -> Vec<(PathBuf, PathBuf)> {
        let places = &mut self.places;
        self.names.take(|path| {
            if let Some(place) = places.get_mut(path) {
                place.missing += 1;
            }
        });
        let is_missing = |(_, real): &(&PathBuf, &PathBuf)| {
            self.places.get(*real).is_some_and(|place| place.missing > 0 || place.unseen)
        };
        self.reals.iter().filter(is_missing).map(|(name, real)| (name.clone(), real.clone())).collect()
    }

    /// Whether a file was found that has, or had, a place.
    pub fn has_found(&self, real: &Path, about: &Metadata) -> bool {
        let file = Identity::new(about, &[]);
        self.places.get(real).is_some_and(|place| place.found.contains(&(file.born(), file.inode())))
    }

    /// How many have come to a place that were not found.
    pub fn missing(&self, real: &Path) -> usize {
        self.places.get(real).map_or(0, |place| place.missing)
    }

    /// Of those that were not found, so many are there. How many have gone, and whether a file is to be told that.
    pub fn there(&mut self, real: &Path, count: usize) -> (usize, bool) {
        let Some(place) = self.places.get_mut(real) else { return (0, false) };
        let gone = place.missing.saturating_sub(count);
        place.missing -= gone;
        place.unseen |= gone > 0;
        (gone, place.unseen)
    }

    /// Somebody was told of one that has gone.
    pub fn told(&mut self, real: &Path) {
        if let Some(place) = self.places.get_mut(real) {
            place.unseen = false;
        }
    }

    /// Forgets places that nobody has had for so long.
    pub fn forget(&mut self, before: Duration) {
        self.places.retain(|_, place| place.at >= before);
        self.reals.retain(|_, real| self.places.contains_key(real));
    }
}

/// How many files are remembered that had a place: one that is found again is not another one.
const FOUND_MAX: usize = 64;
