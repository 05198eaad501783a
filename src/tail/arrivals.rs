//! Follows the files that come to the name of a log, as the system tells it, from name to name until they are found: so it
//! is noticed when one came and went between two looks, and which one came after it. Does not open files.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs::{self, Metadata},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    again::LISTINGS,
    seam,
    watch::{Move, Names},
};

/// What came to the names of logs.
pub struct Arrivals {
    names: Names,
    /// By the place to which a name leads.
    places: BTreeMap<PathBuf, Place>,
    /// By the name.
    reals: BTreeMap<PathBuf, PathBuf>,
    /// By where they are now: those that have come, and were not found.
    here: BTreeMap<PathBuf, Arrival>,
    /// Those that have left a name, by the number under which they come to another one, and whether that is late.
    moving: BTreeMap<u32, (Option<Arrival>, bool)>,
}

/// To which place a file has come, and as which one.
type Arrival = (PathBuf, u64);

/// A place that logs have one after the other.
#[derive(Default)]
struct Place {
    /// Those that have come since the last one that was found, in their order.
    files: VecDeque<Come>,
    next: u64,
    /// Whether one that nobody has found was before them.
    is_behind_unseen: bool,
    /// Whether the system has not told all.
    is_missed: bool,
    /// The files that are followed, and were found since the last look.
    added: Vec<u64>,
    /// When somebody had it last (since 1970).
    at: Duration,
}

struct Come {
    number: u64,
    state: State,
}

#[derive(Clone, PartialEq, Eq)]
enum State {
    Here(PathBuf),
    Moving,
    Gone,
    /// Gone, and that was told.
    Unseen,
    /// Followed, under this number.
    Found(u64),
}

/// What was noticed.
#[derive(Default)]
pub struct Noticed {
    /// Under which names so many files have gone that nobody has found.
    pub unseen: Vec<(PathBuf, usize)>,
    /// The files that are followed and may have come right after one that was not found.
    pub behind: BTreeSet<u64>,
}

impl Arrivals {
    /// Nothing has come yet.
    pub fn new() -> Arrivals {
        Arrivals {
            names: Names::new(),
            places: BTreeMap::new(),
            reals: BTreeMap::new(),
            here: BTreeMap::new(),
            moving: BTreeMap::new(),
        }
    }

    /// Is told of what happens in these folders, and of nothing else.
    pub fn set(&mut self, folders: &BTreeSet<PathBuf>) {
        self.names.set(folders);
    }

    /// Somebody has a name that leads to a place.
    pub fn know(&mut self, name: &Path, real: &Path, at: Duration, follows: impl Fn(&Metadata) -> bool) {
        if self.reals.get(name).is_none_or(|old| old != real) {
            self.reals.insert(name.to_owned(), real.to_owned());
        }
        if let Some(place) = self.places.get_mut(real) {
            place.at = at.max(place.at);
            return;
        }
        self.places.insert(real.to_owned(), Place { at, ..Place::default() });
        let is_new = || fs::symlink_metadata(real).is_ok_and(|about| !follows(&about));
        if !self.here.contains_key(real) && is_new() {
            self.come(real);
        }
    }

    /// Whether a name is one of those that somebody has, or had.
    pub fn knows(&self, name: &Path) -> bool {
        self.reals.contains_key(name)
    }

    /// A file is followed that has, or had, a name.
    pub fn found(&mut self, name: &Path, id: u64) {
        if let Some(place) = self.reals.get(name).and_then(|real| self.places.get_mut(real)) {
            place.added.push(id);
        }
    }

    /// Where those are that have come to a place, and have another name by now.
    pub fn elsewhere(&mut self, real: &Path) -> Vec<PathBuf> {
        self.take();
        let files = self.places.get(real).into_iter().flat_map(|place| &place.files);
        let paths = files.filter_map(|come| if let State::Here(path) = &come.state { Some(path) } else { None });
        paths.filter(|path| *path != real).cloned().collect()
    }

    /// The names from which some have come to others, with the places to which they lead.
    pub fn left(&mut self) -> Vec<(PathBuf, PathBuf)> {
        self.take();
        let is_elsewhere = |(path, (place, _)): (&PathBuf, &Arrival)| (path != place).then(|| place.clone());
        let places: BTreeSet<PathBuf> = self.here.iter().filter_map(is_elsewhere).collect();
        let of = |place: &PathBuf| self.reals.iter().find(|(_, real)| *real == place).map(|(name, _)| name.clone());
        places.into_iter().filter_map(|place| Some((of(&place)?, place))).collect()
    }

    /// Takes what the system tells. Whether that is something.
    pub fn take(&mut self) -> bool {
        let moves = self.names.take();
        let late: Vec<u32> =
            self.moving.iter().filter(|(_, (_, is_late))| *is_late).map(|(number, _)| *number).collect();
        let is_new = !moves.is_empty();
        for one in moves {
            match one {
                // A new file at a name that is somebody's: it was seen there before this was told.
                Move::Came(path, 0) if self.here.contains_key(&path) => {}
                Move::Came(path, number) => {
                    self.ends(&path);
                    match self.moving.remove(&number) {
                        Some((Some(arrival), _)) => {
                            self.set_state(&arrival, State::Here(path.clone()));
                            self.here.insert(path, arrival);
                        }
                        // One that is known has another name.
                        Some((None, _)) => {}
                        None => self.come(&path),
                    }
                }
                Move::Left(path, 0) => self.ends(&path),
                Move::Left(path, number) => {
                    let arrival = self.here.remove(&path);
                    if let Some(arrival) = &arrival {
                        self.set_state(arrival, State::Moving);
                    }
                    if arrival.is_some() || self.places.contains_key(&path) {
                        self.moving.insert(number, (arrival, false));
                    }
                }
                Move::Missed(folder) => self.miss(folder.as_deref()),
            }
        }
        // Both names of one that is moved are told together, but may be read in two goes.
        for number in late {
            if let Some((Some(arrival), _)) = self.moving.remove(&number) {
                self.set_state(&arrival, State::Gone);
            }
        }
        self.moving.values_mut().for_each(|(_, is_late)| *is_late = true);
        is_new
    }

    /// A file has come to a path.
    fn come(&mut self, path: &Path) {
        let Some(place) = self.places.get_mut(path) else { return };
        let number = place.next;
        place.next += 1;
        place.files.push_back(Come { number, state: State::Here(path.to_owned()) });
        self.here.insert(path.to_owned(), (path.to_owned(), number));
        if place.files.len() > FILES_MAX {
            place.files.pop_front();
            place.is_behind_unseen = true;
        }
    }

    /// What is at a path is there no more.
    fn ends(&mut self, path: &Path) {
        if let Some(arrival) = self.here.remove(path) {
            self.set_state(&arrival, State::Gone);
        }
    }

    fn set_state(&mut self, (place, number): &Arrival, state: State) {
        let files = self.places.get_mut(place).map(|place| &mut place.files);
        if let Some(come) = files.and_then(|files| files.iter_mut().find(|come| come.number == *number)) {
            come.state = state;
        }
    }

    /// Nobody knows what has happened in a folder, or in all.
    fn miss(&mut self, folder: Option<&Path>) {
        let is_in = |path: &Path| folder.is_none_or(|folder| path.parent() == Some(folder));
        for (_, place) in self.places.iter_mut().filter(|(path, _)| is_in(path)) {
            place.is_missed = true;
            place.files.clear();
        }
        self.here.retain(|_, (place, _)| !is_in(place));
        self.moving.clear();
    }

    /// Tells which of those that have come are followed, by their numbers, and what that says about the others.
    pub fn notice(&mut self, follows: impl Fn(&Metadata) -> Option<u64>) -> Noticed {
        let mut paired = BTreeSet::new();
        let mut is_quiet = false;
        for _ in 0..LISTINGS {
            let id = |path: &Path| fs::symlink_metadata(path).ok().and_then(|about| follows(&about));
            let found = self.here.iter().filter_map(|(path, arrival)| Some((path.clone(), arrival.clone(), id(path)?)));
            let found: Vec<_> = found.collect();
            seam::between();
            is_quiet = !self.take();
            // Who has left that path meanwhile may not be the one that was there.
            for (path, arrival, id) in found {
                if self.here.get(&path) == Some(&arrival) {
                    self.here.remove(&path);
                    self.set_state(&arrival, State::Found(id));
                    paired.insert(id);
                }
            }
            if is_quiet {
                break;
            }
        }
        let mut noticed = Noticed::default();
        for (real, place) in &mut self.places {
            place.added.retain(|id| !paired.contains(id));
            let gone = place.notice(is_quiet, &mut noticed.behind);
            if gone > 0
                && let Some((name, _)) = self.reals.iter().find(|(_, to)| *to == real)
            {
                noticed.unseen.push((name.clone(), gone));
            }
        }
        noticed
    }

    /// Forgets places that nobody has had for so long.
    pub fn forget(&mut self, before: Duration) {
        self.places.retain(|_, place| place.at >= before);
        self.reals.retain(|_, real| self.places.contains_key(real));
        self.here.retain(|_, (place, _)| self.places.contains_key(place));
    }
}

impl Place {
    /// Tells those that may have come after one that was not found. How many have gone without that.
    fn notice(&mut self, is_quiet: bool, behind: &mut BTreeSet<u64>) -> usize {
        if self.files.is_empty() && !self.is_missed {
            self.added.clear();
            return 0;
        }
        // One may have been opened, and have gone before it was seen which one it is.
        let is_open = |state: &State| match state {
            State::Gone | State::Moving => true,
            State::Here(_) => !is_quiet,
            State::Unseen | State::Found(_) => false,
        };
        let added = std::mem::take(&mut self.added);
        let open: Vec<&mut Come> = self.files.iter_mut().filter(|come| is_open(&come.state)).collect();
        if open.len() == added.len() && !self.is_missed {
            open.into_iter().zip(&added).for_each(|(come, id)| come.state = State::Found(*id));
        } else if !open.is_empty() || self.is_missed {
            behind.extend(&added);
        }
        // Those of them that are followed are read, whichever they are.
        let mut kept = if self.is_missed { 0 } else { added.len() };
        let is_missed = self.is_missed;
        let (mut gone, mut is_behind_unseen) = (0, self.is_behind_unseen);
        for come in &mut self.files {
            match come.state {
                State::Found(id) => {
                    if std::mem::take(&mut is_behind_unseen) || is_missed {
                        behind.insert(id);
                    }
                    (self.is_missed, self.is_behind_unseen) = (false, false);
                    continue;
                }
                State::Gone => {
                    gone += usize::from(kept == 0);
                    kept = kept.saturating_sub(1);
                    come.state = State::Unseen;
                }
                State::Here(_) | State::Moving | State::Unseen => {}
            }
            is_behind_unseen = true;
        }
        self.is_missed &= added.is_empty();
        let is_found = |come: &Come| matches!(come.state, State::Found(_));
        let over = self.files.iter().rposition(is_found).map_or(0, |last| last + 1);
        self.files.drain(..over);
        // What is still there may be found.
        let unseen = self.files.iter().take_while(|come| come.state == State::Unseen).count();
        self.files.drain(..unseen);
        self.is_behind_unseen |= unseen > 0;
        gone
    }
}

/// How many files are followed from name to name that have come to one place, and were not found.
const FILES_MAX: usize = 64;
