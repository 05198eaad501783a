//! Finds files again that have other names by now: those that were being followed, and those that had their names after
//! them. Does not decide from where they are read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Figures, From, Hooks, Notice,
    begin::{Begin, Gone, came},
    checkpoint::Checkpoint,
    discovery::Candidate,
    follow::Follow,
    identity::{Identity, Inode, inode},
    rotated::{Last, between, has_followed},
    seam,
};

impl Begin {
    /// Finds files that were being followed, and that have another name by now, where they had theirs; and those that had
    /// it after them, and have another one as well: they go on under it even if that other name is followed, too, for
    /// their lines go on behind those of the files before them. `here` are those known files that have kept their names.
    pub fn rotated(&mut self, here: &BTreeSet<Inode>, hooks: &mut dyn Hooks, figures: &mut Figures) -> Vec<Follow> {
        let mut folders: BTreeMap<PathBuf, Vec<Inode>> = BTreeMap::new();
        for (inode, known) in self.known.iter().filter(|(at, _)| !here.contains(at)) {
            // Its name may be a link into another folder, in which it was rotated.
            let real = real(Path::new(&known.path));
            let folder = real.parent().unwrap_or(Path::new("/"));
            folders.entry(folder.to_owned()).or_default().push(*inode);
        }
        let still: BTreeSet<&str> =
            here.iter().filter_map(|at| self.known.get(at)).map(|known| known.path.as_str()).collect();
        let begun = self.known.iter().filter(|(_, known)| known.has_begun());
        let begun: Vec<_> = begun.map(|(at, known)| (*at, known.path.clone(), known.file.born())).collect();
        let mut search = Search { last: BTreeMap::new(), here, found: Vec::new(), open_max: self.open_max };
        for known in self.known.values().filter(|known| !still.contains(known.path.as_str())) {
            let path = Path::new(&known.path);
            let last = search.last.entry(path.to_owned()).or_insert_with(|| Last { real: real(path), seen: 0 });
            last.seen = known.seen.max(last.seen);
        }
        for (folder, mut left) in folders {
            // What is given another name between two of our calls is not where it was, and is there the next time.
            for _ in 0..LISTINGS {
                if !left.is_empty() {
                    self.listed(&folder, &mut left, &mut search, hooks, figures);
                }
            }
            for at in left.iter().filter(|at| !here.contains(at)) {
                let Some(known) = self.known.remove(at) else { continue };
                // Those that came after it, and were read, have heard it.
                let has_heard = |(other, path, born): &(Inode, String, Option<u64>)| {
                    *path == known.path && *born > known.file.born() && !left.contains(other)
                };
                if !begun.iter().any(has_heard) {
                    self.gone.insert(PathBuf::from(&known.path), Gone::new(known.clone()));
                }
                let bytes = known.size - known.offset;
                if bytes > 0 {
                    figures.lost_bytes += bytes;
                    let how = "has gone before it was read to its end";
                    let path = self.shown(Path::new(&known.path));
                    hooks.notice(&Notice::Lost { path, how, bytes });
                }
            }
        }
        search.found
    }

    /// Opens the files of a folder that are known, and those that had their names after them. Takes them out of `left`.
    fn listed(
        &mut self,
        folder: &Path,
        left: &mut Vec<Inode>,
        search: &mut Search<'_>,
        hooks: &mut dyn Hooks,
        figures: &mut Figures,
    ) {
        seam::between();
        let Ok(entries) = fs::read_dir(folder) else { return };
        let entries: Vec<_> = entries.flatten().collect();
        seam::between();
        let all = entries.iter().filter_map(|entry| {
            let about = entry.metadata().ok()?;
            Some((inode(&about), (entry.path(), about)))
        });
        let mut all: BTreeMap<Inode, (PathBuf, fs::Metadata)> = all.collect();
        left.retain(|at| {
            let Some(known) = self.known.get(at).cloned() else { return false };
            let is_it = |(_, about): &(PathBuf, fs::Metadata)| known.file.is_same_inode(&Identity::new(about, &[]));
            // Inodes are used again: another file that has it now stays where it is.
            let Some((path, _)) = all.get(at).is_some_and(is_it).then(|| all.remove(at)).flatten() else { return true };
            let follow = self.again(&known, &path, hooks, figures);
            let has_moved = follow.is_none() && !fs::symlink_metadata(&path).is_ok_and(|about| inode(&about) == *at);
            follow.into_iter().for_each(|follow| search.add(follow));
            has_moved
        });
        all.retain(|at, _| {
            !search.here.contains(at) && !search.found.iter().any(|follow| follow.identity.inode() == *at)
        });
        for candidate in between(&search.last, all.values()) {
            if self.from == From::Checkpoint && !self.is_own(&candidate) {
                match self.file(&candidate, false, hooks, figures) {
                    Some(follow) => search.add(follow),
                    // If it has another name by now, it is known.
                    None => left.push(inode(&candidate.about)),
                }
            }
        }
    }

    /// Whether a file that is not followed any more had this name.
    pub fn knows(&self, name: &Path) -> bool {
        self.known.values().any(|known| Path::new(&known.path) == name)
    }

    /// Files that are not followed, and had a name that leads to a place before the one that has it: they came to be since `since`, or there
    /// is more of them than was read. The oldest first.
    pub fn missed(
        &self,
        name: &Path,
        of: &Path,
        since: Duration,
        is_followed: impl Fn(&fs::Metadata) -> bool,
    ) -> Vec<Candidate> {
        seam::between();
        let Some(Ok(entries)) = of.parent().map(fs::read_dir) else { return Vec::new() };
        let is_known = |about: &fs::Metadata| {
            let known = self.known.get(&inode(about)).filter(|known| Path::new(&known.path) == name);
            let same = known.filter(|known| known.file.is_same_inode(&Identity::new(about, &[])));
            same.is_some_and(|known| known.offset < about.len() || self.left.contains(&inode(about)))
        };
        let file = |entry: io::Result<fs::DirEntry>| {
            let entry = entry.ok()?;
            let (real, about) = (entry.path(), entry.metadata().ok()?);
            let missed = is_known(&about) || has_followed(of, since, &real, &about);
            (missed && about.is_file() && !is_followed(&about)).then(|| Candidate {
                name: name.to_owned(),
                real,
                about,
                named: false,
            })
        };
        let mut found: Vec<Candidate> = entries.filter_map(file).filter(|one| !self.is_own(one)).collect();
        found.sort_by_key(|one| came(&one.about));
        found
    }

    fn again(
        &mut self,
        known: &Checkpoint,
        path: &Path,
        hooks: &mut dyn Hooks,
        figures: &mut Figures,
    ) -> Option<Follow> {
        let about = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
        // Another one may have got the name since the folder was listed.
        known.file.is_same_inode(&Identity::new(&about, &[])).then_some(())?;
        let name = PathBuf::from(&known.path);
        let candidate = Candidate { name, real: path.to_owned(), about, named: false };
        let follow = self.file(&candidate, false, hooks, figures)?;
        // Another file that has got the inode is not followed: nobody asked for it.
        (follow.is_known || known.read == 0).then_some(follow)
    }
}

/// What is looked for in folders, and what was found.
struct Search<'a> {
    /// Names of known files that have them no more, and when they were seen last.
    last: BTreeMap<PathBuf, Last>,
    here: &'a BTreeSet<Inode>,
    found: Vec<Follow>,
    open_max: usize,
}

impl Search<'_> {
    fn add(&mut self, mut follow: Follow) {
        if self.found.len() >= self.open_max {
            follow.file = None;
        }
        self.found.push(follow);
    }
}

/// Where a name leads, as far as that can be told: the file may have gone.
pub fn real(path: &Path) -> PathBuf {
    let folder = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
    };
    fs::canonicalize(path).ok().or_else(folder).unwrap_or_else(|| path.to_owned())
}

/// How often a folder is listed for files that get other names meanwhile.
pub const LISTINGS: usize = 4;
