//! The looks of the loop: which files are there, which have another name, and which have changed. Reads none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Metadata},
    os::unix::fs::{DirEntryExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Notice,
    again::{LISTINGS, real},
    arrivals::Noticed,
    begin,
    discovery::Candidate,
    follow::{Follow, Seen},
    identity::{Identity, Inode},
    open::Kind,
    rotated::stems,
    seam,
    work::Loop,
};

impl Loop<'_> {
    /// Finds files that have come, gone, or changed their names.
    pub(super) fn discover(&mut self, at_start: bool) {
        // A file system's clock may be some milliseconds behind ours.
        let looked = seam::wall().saturating_sub(CLOCK_LAG);
        self.begin.looked = looked;
        let found = self.discovery.look();
        self.watch.set(&found.folders);
        self.arrivals.set(&found.folders);
        self.arrivals.take();
        if let Some(kind) = self.watch.take_fault() {
            self.hooks.notice(&Notice::Polling(kind));
        }
        for (path, why) in &found.refused {
            self.begin.refuse(path, why, self.hooks);
        }
        let mut here = BTreeSet::new();
        let mut new = Vec::new();
        for candidate in &found.candidates {
            if self.begin.is_own(candidate) {
                continue;
            }
            let now = Identity::new(&candidate.about, &[]);
            let followed = self
                .by_inode
                .get(&now.inode())
                .filter(|id| self.files.get(id).is_some_and(|follow| follow.identity.is_same_inode(&now)));
            match followed {
                Some(&id) => {
                    here.insert(id);
                    self.held(candidate.name.clone(), looked);
                    self.know(&candidate.name, &candidate.real, looked);
                    if let Some(follow) = self.files.get_mut(&id) {
                        // A name that it has now, for when it must be opened again.
                        follow.real.clone_from(&candidate.real);
                    }
                }
                None => new.push(candidate),
            }
        }
        let mut listings = Listings::default();
        for (id, follow) in &mut self.files {
            let gone = !here.contains(id);
            if gone && !std::mem::replace(&mut follow.rotated, true) {
                let links = follow.file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |about| about.nlink());
                let count = if links == 0 { &mut self.figures.deleted } else { &mut self.figures.renamed };
                *count += 1;
                follow.quiet_since = seam::now();
                follow.drained = follow.file.is_none() && !listings.find(follow);
                // Whoever has its name now waits until its end was reached.
                if !std::mem::replace(&mut follow.queued, true) {
                    self.queue.push_back(*id);
                }
            }
        }
        if at_start {
            // Before the new files of the same names, which wait for these.
            let is_candidate = |path: &Path| found.candidates.iter().any(|candidate| candidate.real == path);
            let mut again = self.take_known_of(&new);
            // A file that came later was written later.
            again.sort_by_key(|follow| (follow.identity.born(), follow.seen));
            // One waits for those of its name that have lower numbers.
            let mut ids: Vec<u64> = again.iter().map(|follow| follow.voice.id).collect();
            ids.sort_unstable();
            for (mut follow, id) in again.into_iter().zip(ids) {
                follow.voice.id = id;
                // One whose other name is followed as well stays.
                follow.rotated = !is_candidate(&follow.real);
                self.figures.renamed += 1;
                self.files_open += usize::from(follow.file.is_some());
                self.add(follow);
            }
        }
        if !at_start {
            // They may have no successor that is found.
            self.arrivals.left().iter().for_each(|(name, real)| self.add_missed(name, real));
        }
        for candidate in new {
            if !at_start {
                self.add_missed(&candidate.name, &candidate.real);
                self.add_missed_of_stems(candidate);
            }
            // Found under another name a moment ago.
            if self.follows(&candidate.about) {
                continue;
            }
            self.make_room();
            self.begin.is_packed_again = !at_start && self.was_followed_unpacked(&candidate.name);
            if let Some(follow) = self.begin.file(candidate, at_start, self.hooks, &mut self.figures) {
                self.add(follow);
                self.know(&candidate.name, &candidate.real, looked);
                self.held(candidate.name.clone(), looked);
            }
        }
        // One may be waited for at a name that nobody has at the moment.
        for name in self.by_name.keys().filter(|name| !self.arrivals.knows(name)).cloned().collect::<Vec<_>>() {
            self.know(&name, &real(&name), looked);
        }
        self.tell_of_unseen();
        self.arrivals.forget(looked.saturating_sub(NAMED));
        self.named.retain(|_, named| looked.saturating_sub(*named) < NAMED);
        self.said.retain(|_, (_, at)| looked.saturating_sub(*at) < NAMED);
        self.begin.forget_said();
    }

    /// Somebody has a name that leads to a place.
    fn know(&mut self, name: &Path, real: &Path, at: Duration) {
        let (files, by_inode) = (&self.files, &self.by_inode);
        self.arrivals.know(name, real, at, |about| followed(files, by_inode, about).is_some());
    }

    /// Tells files that are not read yet that one before them came and went between two looks: a line may go on in them
    /// whose beginning nobody has read.
    fn tell_of_unseen(&mut self) {
        let (files, by_inode) = (&self.files, &self.by_inode);
        let Noticed { unseen, behind } = self.arrivals.notice(|about| followed(files, by_inode, about));
        for (name, count) in unseen {
            self.figures.deleted += count as u64;
            let path = self.begin.shown(&name);
            self.hooks.notice(&Notice::Unseen { path, count });
        }
        for id in behind {
            if let Some(follow) = self.files.get_mut(&id).filter(|follow| !follow.has_begun()) {
                follow.put_behind_unread_end();
            }
        }
    }

    /// Adds files that had a name after the last one that was seen under it, and were rotated before it was looked at.
    fn add_missed(&mut self, name: &Path, real: &Path) {
        let Some(since) = self.named_since(name) else { return };
        for _ in 0..LISTINGS {
            let elsewhere = self.arrivals.elsewhere(real);
            let mut missed = self.begin.missed(name, real, since, |about| self.follows(about));
            missed.extend(elsewhere.into_iter().filter_map(|real| self.unread(name, real)));
            if missed.is_empty() {
                break;
            }
            missed.sort_by_key(|one| begin::came(&one.about));
            missed.dedup_by(|one, other| one.real == other.real);
            for candidate in missed {
                self.make_room();
                if let Some(mut follow) = self.begin.file(&candidate, false, self.hooks, &mut self.figures) {
                    follow.rotated = true;
                    self.figures.renamed += 1;
                    self.add(follow);
                }
            }
        }
    }

    /// What had a name, and has another one by now, if it is not followed.
    fn unread(&self, name: &Path, real: PathBuf) -> Option<Candidate> {
        let about = fs::symlink_metadata(&real).ok().filter(Metadata::is_file)?;
        let candidate = Candidate { name: name.to_owned(), real, about, named: false };
        (!self.follows(&candidate.about) && !self.begin.is_own(&candidate)).then_some(candidate)
    }

    /// Whether a name is that of a file that was followed and rotated, with the ending of a packer: `app.log.1.gz`.
    fn was_followed_unpacked(&self, name: &Path) -> bool {
        let unpacked = name.with_extension("");
        let names = std::iter::once(unpacked.clone()).chain(stems(&unpacked));
        names.into_iter().any(|name| self.by_name.contains_key(&name) || self.begin.knows(&name))
    }

    /// Since when somebody else may have had a name that a file had which is known.
    fn named_since(&self, name: &Path) -> Option<Duration> {
        let is_known = || self.by_name.contains_key(name) || self.begin.knows(name);
        self.named.get(name).copied().or_else(|| is_known().then_some(self.started))
    }

    /// The same where the name has no file now, and the other name of the missed one is followed as well.
    fn add_missed_of_stems(&mut self, candidate: &Candidate) {
        let stems = stems(&candidate.name).zip(stems(&candidate.real));
        let known: Vec<_> = stems.filter(|(name, _)| self.named_since(name).is_some()).collect();
        for (name, real) in known {
            self.add_missed(&name, &real);
        }
    }

    /// Somebody had a name at a time: a successor came to be after that.
    pub(super) fn held(&mut self, name: PathBuf, at: Duration) {
        let last = self.named.entry(name).or_default();
        *last = at.max(*last);
    }

    /// Whether this very file is followed.
    pub(super) fn follows(&self, about: &Metadata) -> bool {
        followed(&self.files, &self.by_inode, about).is_some()
    }

    /// Files of checkpoints that have not the names any more that they had.
    fn take_known_of(&mut self, new: &[&Candidate]) -> Vec<Follow> {
        let here = new.iter().filter_map(|candidate| {
            let now = Identity::new(&candidate.about, &[]);
            // Inodes are used again: another file that has it now says nothing of the one that is known.
            let known = self.begin.known.get(&now.inode()).filter(|known| known.file.is_same_inode(&now));
            known.filter(|known| begin::has_its_name(known, candidate)).map(|_| now.inode())
        });
        // They stay known: one that gets another name meanwhile goes on under that.
        let here = here.collect();
        self.begin.rotated(&here, self.hooks, &mut self.figures)
    }

    fn add(&mut self, mut follow: Follow) {
        let copies = std::mem::take(&mut self.begin.copies);
        self.files_open += copies.len();
        if follow.is_known && copies.is_empty() {
            self.put_in_order(&mut follow);
        }
        if !follow.is_known {
            // One that is followed under the name to which it was rotated had the other one before.
            let (name, id) = (&follow.voice.origin.path, follow.voice.id);
            stems(name).chain([name.clone()]).for_each(|name| self.arrivals.found(&name, id));
        }
        copies.into_iter().chain([follow]).for_each(|follow| self.add_one(follow));
    }

    /// One that is found again stands before those that had its name after it.
    fn put_in_order(&self, follow: &mut Follow) {
        let Some(born) = follow.identity.born() else { return };
        let ids = self.by_name.get(&follow.voice.origin.path).into_iter().flatten();
        let is_later = |id: &&u64| self.files.get(id).and_then(|other| other.identity.born()) > Some(born);
        let Some(first) = ids.copied().filter(|id| is_later(&id)).min() else { return };
        let free = (1..first.min(follow.voice.id)).rev().find(|id| !self.files.contains_key(id));
        follow.voice.id = free.unwrap_or(follow.voice.id);
    }

    fn add_one(&mut self, mut follow: Follow) {
        let id = follow.voice.id;
        let in_line = follow.mark.written.bytes > 0;
        if self.feeder.outlet.begin(&follow.voice, in_line).is_err() {
            self.figures.errors += 1;
        }
        self.by_inode.insert(follow.identity.inode(), id);
        // One checkpoint a file: its own.
        self.begin.known.remove(&follow.identity.inode());
        self.by_name.entry(follow.voice.origin.path.clone()).or_default().insert(id);
        follow.queued = true;
        self.queue.push_back(id);
        self.files.insert(id, follow);
    }

    /// Looks which files have changed.
    pub(super) fn look(&mut self) {
        let (mut gone, mut listings) = (Vec::new(), Listings::default());
        for (id, follow) in &mut self.files {
            if follow.kind == Kind::Regular {
                match follow.look() {
                    Ok(about) => {
                        let changed = Seen::of(&about) != follow.seen;
                        follow.see(&about);
                        if changed && follow.seen.size > follow.position {
                            follow.grown_at.get_or_insert_with(seam::now);
                        }
                        if changed && !std::mem::replace(&mut follow.queued, true) {
                            self.queue.push_back(*id);
                        }
                    }
                    Err(_) if follow.file.is_none() && !listings.find(follow) => gone.push(*id),
                    Err(_) => {}
                }
            }
        }
        self.signals.set_left(self.files.values().map(Follow::backlog).sum());
        for id in gone {
            let Some(follow) = self.files.get(&id) else { continue };
            let (inode, bytes) = (follow.identity.inode(), follow.backlog());
            if bytes > 0 {
                begin::lost(follow, "has gone before it was read to its end", bytes, self.hooks, &mut self.figures);
            }
            self.forget(id);
            if bytes > 0 {
                // It was said, and is not said again after a restart.
                self.begin.known.remove(&inode);
            }
        }
    }

    /// Closes files, if need be, so that one more may be open: those first that have been read for the longest time. They
    /// are opened again when it is their turn.
    pub(super) fn make_room(&mut self) {
        self.files_open += 1;
        if self.files_open <= self.files_open_max {
            return;
        }
        let open = self.files.values().filter(|follow| follow.file.is_some()).count();
        let mut least: Vec<_> =
            self.files.values_mut().filter(|follow| follow.kind == Kind::Regular && follow.file.is_some()).collect();
        // What has lost its name may not be found again.
        least.sort_by_key(|follow| (follow.rotated, follow.queued, follow.quiet_since));
        // Many at once, because they all have to be looked at for that.
        let close = (open + 1).saturating_sub(self.files_open_max * 3 / 4);
        least.into_iter().take(close).for_each(|follow| follow.file = None);
        self.files_open = open + 1 - close.min(open);
    }

    /// A file is not followed any more; its checkpoint is kept for when it is found again.
    pub(super) fn forget(&mut self, id: u64) {
        let Some(follow) = self.files.remove(&id) else { return };
        let inode = follow.identity.inode();
        let name = &follow.voice.origin.path;
        // What it said when there was less of it counts no more.
        for other in self.by_name.get(name).into_iter().flatten() {
            if let Some(other) = self.files.get_mut(other).filter(|other| other.heard == Some(id) && !other.has_begun())
            {
                other.mark.said.clone_from(&follow.says);
                other.says.clone_from(&follow.says);
            }
        }
        if follow.says.is_empty() {
            self.said.remove(name);
        } else {
            self.said.insert(name.clone(), (follow.says.clone(), seam::wall()));
        }
        if self.by_inode.get(&inode) == Some(&id) {
            self.by_inode.remove(&inode);
        }
        if let Some(ids) = self.by_name.get_mut(&follow.voice.origin.path) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_name.remove(&follow.voice.origin.path);
            }
        }
        if follow.kind == Kind::Regular {
            self.begin.known.insert(inode, follow.checkpoint(self.begin.looked));
        }
    }
}

/// Which one of those that are followed a file is.
fn followed(files: &BTreeMap<u64, Follow>, by_inode: &BTreeMap<Inode, u64>, about: &Metadata) -> Option<u64> {
    let now = Identity::new(about, &[]);
    let id = by_inode.get(&now.inode()).copied()?;
    files.get(&id).is_some_and(|follow| follow.identity.is_same_inode(&now)).then_some(id)
}

/// What is in folders, as far as somebody asked.
#[derive(Default)]
pub(super) struct Listings(BTreeMap<PathBuf, BTreeMap<u64, PathBuf>>);

impl Listings {
    /// Finds the name that a file has now that was closed: in its folder, where files are rotated. Whether it is there.
    pub(super) fn find(&mut self, follow: &mut Follow) -> bool {
        let Some(folder) = follow.real.parent() else { return false };
        let listed = self.0.entry(folder.to_owned()).or_insert_with(|| {
            seam::between();
            let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
            entries.map(|entry| (entry.ino(), entry.path())).collect()
        });
        let Some(path) = listed.get(&follow.identity.inode().1) else { return false };
        let before = std::mem::replace(&mut follow.real, path.clone());
        // Another file system's folder may be in the place, or another file have got the inode.
        let is_it = follow.look().is_ok();
        if !is_it {
            follow.real = before;
        }
        is_it
    }
}

/// For how long it is known when a name was seen last, and what the last file said that had it.
const NAMED: Duration = Duration::from_secs(24 * 3600);

/// How far a file system's clock may be behind ours.
const CLOCK_LAG: Duration = Duration::from_millis(20);
