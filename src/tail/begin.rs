//! Turns a file that was found into one that is followed: opens it, decides from where it is read, and finds
//! those again that were rotated while nobody looked. Does not read on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    os::unix::{ffi::OsStrExt as _, fs::FileExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use super::{
    Figures, From, Hooks, Notice,
    checkpoint::{self, Checkpoint},
    discovery::Candidate,
    envelope::Voice,
    follow::{Follow, Seen},
    identity::{HEAD_BYTES, Identity, Inode, inode},
    mark::Mark,
    open::{self, Kind},
    origin::Origin,
    rotated::is_rotated,
    seam,
};
use crate::{filter::Ground, history, names::Names, scan::Said};

/// What is known of files before they are opened.
pub struct Begin {
    pub from: From,
    /// Whether there were checkpoints that cannot be used.
    pub forgot: bool,
    /// Checkpoints of files that are not followed.
    pub known: BTreeMap<Inode, Checkpoint>,
    /// Those of them that a process before us has left, and that were not looked at yet: who writes one may have it open.
    pub(super) left: BTreeSet<Inode>,
    /// By the name: files that have gone while nobody looked.
    pub(super) gone: BTreeMap<PathBuf, Gone>,
    /// What was refused, and said so once.
    said: BTreeSet<(PathBuf, &'static str)>,
    /// What we write ourselves.
    own_file: Option<Inode>,
    own_folders: Vec<PathBuf>,
    next: u64,
    /// When files were last looked for (since 1970).
    pub looked: Duration,
    pub names: Names,
    /// How many files may be open.
    pub open_max: usize,
    /// Whether what is opened, if it is compressed, is what a followed file became when it was rotated.
    pub is_packed_again: bool,
    /// To be followed besides what was opened, and before it.
    pub copies: Vec<Follow>,
}

/// A file that has gone while nobody looked.
pub struct Gone {
    pub known: Checkpoint,
    /// What it says about the next one.
    pub says: Said,
    /// Which one was told that.
    pub told: Option<u64>,
}

impl Gone {
    /// A file of which there may have been more than was read.
    pub fn new(known: Checkpoint) -> Gone {
        Gone { says: known.says.behind_unread_end(), known, told: None }
    }
}

/// A copy of a file.
pub struct Copy {
    pub real: PathBuf,
    pub file: File,
    pub identity: Identity,
    pub about: fs::Metadata,
    pub head: Vec<u8>,
}

impl Begin {
    /// With these checkpoints; what is ours is never read.
    pub fn new(
        from: From,
        known: Vec<Checkpoint>,
        own_file: Option<Inode>,
        own_folders: Vec<PathBuf>,
        names: Names,
    ) -> Begin {
        let (mut last, mut gone) = (BTreeMap::new(), BTreeMap::new());
        for one in known {
            // Inodes are used again: of two that have had one, the older has gone.
            let Some(other) = last.insert(one.file.inode(), one.clone()) else { continue };
            let (older, newer) = if one.file.born() < other.file.born() { (one, other) } else { (other, one) };
            last.insert(newer.file.inode(), newer);
            gone.insert(PathBuf::from(&older.path), Gone::new(older));
        }
        let left = last.keys().copied().collect();
        Begin {
            from,
            forgot: false,
            known: last,
            left,
            gone,
            said: BTreeSet::new(),
            own_file,
            own_folders,
            next: SPACING,
            looked: Duration::ZERO,
            names,
            open_max: usize::MAX,
            is_packed_again: false,
            copies: Vec::new(),
        }
    }

    /// Says once that a file is not followed.
    pub fn refuse(&mut self, path: &Path, why: &'static str, hooks: &mut dyn Hooks) {
        if self.said.insert((path.to_owned(), why)) {
            let path = self.shown(path);
            hooks.notice(&Notice::Refused { path, why });
        }
    }

    /// Forgets what was said of names that nobody has any more: those with dates in them come and go.
    pub fn forget_said(&mut self) {
        self.said.retain(|(path, _)| path.symlink_metadata().is_ok());
    }

    /// How many things were said once.
    #[cfg(test)]
    pub fn said(&self) -> usize {
        self.said.len()
    }

    /// Whether a file is written by this very process.
    pub fn is_own(&self, candidate: &Candidate) -> bool {
        self.writes(&candidate.real, &candidate.about)
    }

    fn writes(&self, real: &Path, about: &fs::Metadata) -> bool {
        self.own_file == Some(inode(about)) || self.own_folders.iter().any(|folder| real.starts_with(folder))
    }

    /// Opens a file. `at_start` says that it was there when the program started.
    pub fn file(
        &mut self,
        candidate: &Candidate,
        at_start: bool,
        hooks: &mut dyn Hooks,
        figures: &mut Figures,
    ) -> Option<Follow> {
        let opened = open::read(&candidate.real);
        let (file, kind) = match opened {
            Ok(opened) => opened,
            Err(fault) => {
                if fault.kind() == io::ErrorKind::NotFound {
                    self.keep(candidate, at_start);
                }
                self.unreadable(&candidate.name, fault.kind(), hooks, figures);
                return None;
            }
        };
        if kind == Kind::Fifo && !candidate.named {
            self.refuse(&candidate.name, "is a pipe; one is followed where it is named itself", hooks);
            return None;
        }
        seam::between();
        let mut head = [0; HEAD_BYTES];
        let length = if kind == Kind::Regular { file.read_at(&mut head, 0).unwrap_or(0) } else { 0 };
        let head = &head[..length];
        if history::is_packed(head) && self.is_packed_again {
            return None;
        }
        if history::is_packed(head) {
            self.refuse(&candidate.name, "is compressed; 'blackbar scan' reads it", hooks);
            return None;
        }
        seam::between();
        let about = file.metadata().ok()?;
        let identity = Identity::new(&about, head);
        if !identity.is_same_inode(&Identity::new(&candidate.about, &[])) {
            // Another one has the name since it was found, which the next look will tell.
            self.keep(candidate, at_start);
            return None;
        }
        let known = self.known.get(&identity.inode()).filter(|known| known.file.is_same_inode(&identity));
        // What was begun under a name goes on under it.
        let known = known.filter(|known| self.from == From::Checkpoint && !has_its_name(known, candidate));
        let name = known.map(|known| PathBuf::from(&known.path));
        let name = name.as_ref().unwrap_or(&candidate.name);
        let origin = Arc::new(Origin::new(name, &candidate.real, &mut self.names));
        let voice = Voice::new(self.next, origin);
        self.next += SPACING;
        let mut follow = Follow::new(voice, candidate.real.clone(), kind, file, identity, head);
        follow.seen = Seen::of(&about);
        if self.forgot && at_start {
            follow.mark.said = follow.mark.said.behind_unread();
        }
        let placed = self.place(&mut follow, head, at_start, hooks, figures);
        if let Err(fault) = placed {
            self.unreadable(&candidate.name, fault.kind(), hooks, figures);
            return None;
        }
        Some(follow)
    }

    /// Remembers a file that was rotated before it could be opened, for when its successor is found.
    fn keep(&mut self, candidate: &Candidate, at_start: bool) {
        if !(self.from == From::End && at_start) {
            let identity = Identity::new(&candidate.about, &[]);
            let checkpoint = Checkpoint::at_start(&candidate.name, identity.clone(), self.looked);
            let same = self.known.get(&identity.inode()).is_some_and(|known| known.file.is_same_inode(&identity));
            if !same {
                self.known.insert(identity.inode(), checkpoint);
            }
        }
    }

    fn unreadable(&mut self, path: &Path, kind: io::ErrorKind, hooks: &mut dyn Hooks, figures: &mut Figures) {
        // It has gone again, or something else stands there now, which the next look will tell.
        if kind != io::ErrorKind::NotFound && self.said.insert((path.to_owned(), "")) {
            figures.errors += 1;
            let path = self.shown(path);
            hooks.notice(&Notice::Unreadable { path, kind });
        }
    }

    /// A path as it may be told.
    pub fn shown(&mut self, path: &Path) -> String {
        self.names.shown(path.as_os_str().as_bytes())
    }

    /// Decides from where a file is read.
    fn place(
        &mut self,
        follow: &mut Follow,
        head: &[u8],
        at_start: bool,
        hooks: &mut dyn Hooks,
        figures: &mut Figures,
    ) -> io::Result<()> {
        if follow.kind == Kind::Fifo {
            return Ok(());
        }
        if self.from == From::End && at_start {
            return to_last_line(follow);
        }
        let at = follow.identity.inode();
        self.left.remove(&at);
        let known = self.known.remove(&at).filter(|_| self.from == From::Checkpoint);
        let Some(known) = known.filter(|known| known.file.is_same_inode(&follow.identity)) else { return Ok(()) };
        if follow.resume(&known, head)? {
            if let Some(place) = known.handed.filter(|_| follow.mark.handed.is_none()) {
                lost(follow, "begins in a line of a file that has gone", place.bytes(), hooks, figures);
            }
            return Ok(());
        }
        follow.says.clone_from(&known.says);
        follow.start_anew();
        if self.take_copies(follow, &known, hooks, figures) {
            return Ok(());
        }
        if follow.identity.born().is_some() {
            // The same file with another text. What was in it before that, nobody knows.
            figures.truncated += 1;
            lost(follow, "was cut or written anew while it was not followed", known.size - known.read, hooks, figures);
        }
        Ok(())
    }

    /// Finds the copy of what a file was, and those of what it was after that. Whether there is one.
    fn take_copies(
        &mut self,
        follow: &mut Follow,
        known: &Checkpoint,
        hooks: &mut dyn Hooks,
        figures: &mut Figures,
    ) -> bool {
        let Some(copy) = self.copy_of(&follow.real, known, |_| false) else { return false };
        let (first, name) = (came(&copy.about), follow.voice.origin.path.clone());
        figures.truncated += 1;
        self.copied(follow, &copy.real, known.size.saturating_sub(copy.about.len()), hooks, figures);
        let (at, made) = (inode(&copy.about), self.copies.len());
        let voice = Voice::new(self.next, Arc::clone(&follow.voice.origin));
        self.next += SPACING;
        let mut again = Follow::new(voice, copy.real, Kind::Regular, copy.file, copy.identity.clone(), &copy.head);
        again.seen = Seen::of(&copy.about);
        let known = Checkpoint { file: copy.identity, ..known.clone() };
        if again.resume(&known, &copy.head).is_ok_and(|same| same) {
            self.copies.push(again);
        }
        let not_it = |about: &fs::Metadata| inode(about) == at || inode(about) == follow.identity.inode();
        for candidate in self.missed(&name, &follow.real, first, not_it) {
            let more = self.file(&candidate, false, hooks, figures);
            self.copies.extend(more);
        }
        // They are read before it.
        for copy in &mut self.copies[made..] {
            copy.rotated = true;
            std::mem::swap(&mut copy.voice.id, &mut follow.voice.id);
        }
        self.copies[made..].sort_by_key(|copy| copy.voice.id);
        true
    }

    /// The copy of a file that was cut, in which what stands before the place up to which it was read is the same. It is
    /// made before the cut, and has what was not read by then.
    pub fn copy_of(
        &self,
        real: &Path,
        known: &Checkpoint,
        is_followed: impl Fn(&fs::Metadata) -> bool,
    ) -> Option<Copy> {
        if known.read == 0 {
            return None;
        }
        seam::between();
        let entries = fs::read_dir(real.parent()?).ok()?.flatten();
        let mut files: Vec<(PathBuf, fs::Metadata)> = entries
            .map(|entry| entry.path())
            .filter(|path| is_rotated(real, path))
            .filter_map(|path| fs::symlink_metadata(&path).ok().map(|about| (path, about)))
            .filter(|(path, about)| about.is_file() && about.len() >= known.read && !self.writes(path, about))
            .filter(|(_, about)| !is_followed(about))
            .collect();
        files.sort_by_key(|(_, about)| std::cmp::Reverse(came(about)));
        files.into_iter().find_map(|(path, _)| {
            let (file, _) = open::read(&path).ok()?;
            let about = file.metadata().ok()?;
            let mut head = vec![0; HEAD_BYTES];
            let length = file.read_at(&mut head, 0).ok()?;
            head.truncate(length);
            let length = known.before.len();
            let mut before = vec![0; length];
            file.read_exact_at(&mut before, known.read - length as u64).ok()?;
            // All of a copy that has less than what is known of the first bytes is compared by what was read.
            let begins = head.len() < known.file.head_len() || known.file.clone().check_head(&head);
            let same = begins && known.before.begins(&before) && !is_followed(&about);
            same.then(|| Copy { identity: Identity::new(&about, &head), real: path, file, about, head })
        })
    }

    /// Counts and says that bytes were lost when a file was cut, and that the rest of it is read elsewhere.
    pub fn copied(&mut self, follow: &Follow, copy: &Path, bytes: u64, hooks: &mut dyn Hooks, figures: &mut Figures) {
        let (path, copy) = (follow.voice.origin.name.clone(), self.shown(copy));
        figures.lost_bytes += bytes;
        hooks.notice(&Notice::Copied { path, copy, bytes });
    }

    /// Takes what is to be kept of files that are not followed any more.
    pub fn drop_outdated(&mut self) {
        let oldest = checkpoint::now().saturating_sub(KEPT_SECONDS);
        self.known.retain(|_, known| known.seen >= oldest);
    }
}

/// Whether a known file was found under the name that it had. The user may spell it in another way by now.
pub fn has_its_name(known: &Checkpoint, found: &Candidate) -> bool {
    let path = Path::new(&known.path);
    path == found.name || fs::canonicalize(path).is_ok_and(|real| real == found.real)
}

/// Counts and says that bytes were lost.
pub fn lost(follow: &Follow, how: &'static str, bytes: u64, hooks: &mut dyn Hooks, figures: &mut Figures) {
    let path = follow.voice.origin.name.clone();
    figures.lost_bytes += bytes;
    hooks.notice(&if bytes > 0 { Notice::Lost { path, how, bytes } } else { Notice::Rewritten { path, how } });
}

/// When a file came to be, since 1970; when it was written last, where the system does not know.
pub fn came(about: &fs::Metadata) -> Duration {
    let written = || about.modified().ok()?.duration_since(UNIX_EPOCH).ok();
    seam::born(about).or_else(written).unwrap_or_default()
}

/// Goes to the end, but to the start of its line: half a secret is not recognised.
fn to_last_line(follow: &mut Follow) -> io::Result<()> {
    let size = follow.seen.size;
    let length = size.min(crate::limits::LINE_BYTES_MAX as u64);
    let tail = follow.bytes(size - length, length as usize)?;
    let start = memchr::memrchr(b'\n', &tail).map_or(0, |end| end + 1);
    let offset = size - length + start as u64;
    let said = Said::default().behind_unread().behind_lost(&tail[..start]);
    follow.mark = Mark { ground: Ground { offset, ..Ground::default() }, said, ..Mark::default() };
    follow.go_to(offset)
}

/// How far the numbers of files are apart that are found one after the other: one may be found later that stands between.
const SPACING: u64 = 1 << 20;

/// How long the checkpoint of a file is kept that is not followed.
const KEPT_SECONDS: u64 = 7 * 24 * 3600;
