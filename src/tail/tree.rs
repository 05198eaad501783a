//! Writes clean bytes into a tree of files with the names of those they come from. Does not let the tree grow
//! over its bound: files are rotated by size, and the oldest rotated one goes first.

use std::{
    collections::{BTreeMap, VecDeque},
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Write as _},
    os::unix::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use rustix::{
    fd::OwnedFd,
    fs::{AtFlags, OFlags, fstat, renameat, statat, unlinkat},
};

use super::{
    checkpoint::{folder_in, own_file, private_folder},
    envelope::Voice,
    open,
    outlet::FOREIGN,
};
use crate::{redact::Clean, sink::write_stretches};

/// The tree.
pub struct Tree {
    path: PathBuf,
    folder: OwnedFd,
    /// The folder below it that was opened last.
    last: Option<(PathBuf, OwnedFd)>,
    file_bytes_max: u64,
    total_bytes_max: u64,
    files: BTreeMap<PathBuf, Leaf>,
    /// The oldest first.
    rotated: VecDeque<(PathBuf, u64)>,
    total_bytes: u64,
    removed: Vec<PathBuf>,
    /// Closed or renamed, and not synced.
    unsynced: Vec<Arc<File>>,
    open_max: usize,
    /// Counts writes, to know which file was not written for the longest time.
    clock: u64,
}

/// A file of it.
#[derive(Default)]
struct Leaf {
    file: Option<Arc<File>>,
    bytes: u64,
    /// Whose line is open at the end.
    open_line: Option<u64>,
    dirty: bool,
    used: u64,
}

impl Tree {
    /// Takes the folder, makes it if need be, and counts what is in it.
    pub fn open(path: &Path, file_bytes_max: u64, total_bytes_max: u64) -> io::Result<Tree> {
        let folder = private_folder(path)?;
        let path = fs::canonicalize(path)?;
        let mut tree = Tree {
            folder,
            last: None,
            file_bytes_max,
            total_bytes_max,
            files: BTreeMap::new(),
            rotated: VecDeque::new(),
            total_bytes: 0,
            removed: Vec::new(),
            unsynced: Vec::new(),
            open_max: open::raise_limit(true).written,
            clock: 0,
            path,
        };
        let mut old = Vec::new();
        tree.count(&tree.path.clone(), &mut old)?;
        old.sort();
        tree.rotated = old.into_iter().map(|(_, path, bytes)| (path, bytes)).collect();
        Ok(tree)
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.path
    }

    fn count(&mut self, folder: &Path, old: &mut Vec<(SystemTime, PathBuf, u64)>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (path, about) = (entry.path(), entry.metadata()?);
            if about.is_dir() {
                self.count(&path, old)?;
            } else if about.is_file() {
                let Ok(name) = path.strip_prefix(&self.path) else { continue };
                self.total_bytes += about.len();
                if number_of(name).is_some() {
                    old.push((about.modified().unwrap_or(SystemTime::UNIX_EPOCH), name.to_owned(), about.len()));
                }
            }
        }
        Ok(())
    }

    /// Writes all bytes, of which `last` is the last one, or none of them.
    pub fn write(&mut self, voice: &Voice, clean: Clean<'_>, last: u8) -> io::Result<()> {
        let name = name_of(&voice.origin.copy);
        let length = clean.len() as u64;
        self.make_room(&name, length)?;
        self.clock += 1;
        let clock = self.clock;
        let leaf = self.leaf(&name)?;
        leaf.used = clock;
        if leaf.open_line.is_some_and(|id| id != voice.id) {
            leaf.append(std::iter::once(&b"\n"[..]), 1)?;
            self.total_bytes += 1;
        }
        let leaf = self.leaf(&name)?;
        leaf.append(clean.stretches(), length)?;
        leaf.open_line = (last != b'\n').then_some(voice.id);
        self.total_bytes += length;
        Ok(())
    }

    /// Ends a line that a process before us has left open, unless it is this file's own: that of the last one that has
    /// begun in a line, if several share a name.
    pub fn begin(&mut self, voice: &Voice, in_line: bool) -> io::Result<()> {
        let name = name_of(&voice.origin.copy);
        if !self.path.join(&name).exists() {
            return Ok(());
        }
        let leaf = self.leaf(&name)?;
        if leaf.used == 0 && leaf.open_line.is_some() && in_line {
            leaf.open_line = Some(voice.id);
        }
        Ok(())
    }

    /// The line that one file has begun is another's from now on.
    pub fn hand_on(&mut self, from: u64, to: &Voice) {
        if let Some(leaf) = self.files.get_mut(&name_of(&to.origin.copy))
            && leaf.open_line == Some(from)
        {
            leaf.open_line = Some(to.id);
        }
    }

    /// Whatever comes from a file now is no part of the line that it has begun.
    pub fn leave_line(&mut self, voice: &Voice) {
        let leaf = self.files.get_mut(&name_of(&voice.origin.copy));
        if let Some(leaf) = leaf.filter(|leaf| leaf.open_line == Some(voice.id)) {
            leaf.open_line = Some(FOREIGN);
        }
    }

    /// Takes the files that have what was written since the last call.
    pub fn take_unsynced(&mut self) -> Vec<Arc<File>> {
        let dirty = self
            .files
            .values_mut()
            .filter_map(|leaf| std::mem::take(&mut leaf.dirty).then(|| leaf.file.clone()).flatten());
        let mut files: Vec<Arc<File>> = dirty.collect();
        files.append(&mut self.unsynced);
        files
    }

    /// They are not synced, all the same.
    pub fn put_unsynced(&mut self, files: Vec<Arc<File>>) {
        self.unsynced.extend(files);
    }

    /// A file is closed here; it is synced later, but not too many of them.
    fn leave(&mut self, file: Arc<File>) -> io::Result<()> {
        if self.unsynced.len() >= self.open_max {
            self.unsynced.iter().try_for_each(|file| file.sync_data())?;
            self.unsynced.clear();
        }
        self.unsynced.push(file);
        Ok(())
    }

    /// The files that were removed since the last call.
    pub fn take_removed(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.removed)
    }

    /// The open file of this name.
    fn leaf(&mut self, name: &Path) -> io::Result<&mut Leaf> {
        if self.files.get(name).is_none_or(|leaf| leaf.file.is_none()) {
            self.close_one()?;
            let (folder, file_name) = self.folder_of(name)?;
            let flags = OFlags::RDWR | OFlags::APPEND;
            // A file that is there may be anything: it is looked at before it is written to.
            let file = match own_file(&folder, file_name, flags | OFlags::CREATE | OFlags::EXCL) {
                Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => own_file(&folder, file_name, flags)?,
                made => made?,
            };
            let bytes = file.metadata()?.len();
            let mut last = [b'\n'];
            if bytes > 0 {
                std::os::unix::fs::FileExt::read_exact_at(&file, &mut last, bytes - 1)?;
            }
            let leaf = self.files.entry(name.to_owned()).or_default();
            if leaf.used == 0 {
                leaf.open_line = (last[0] != b'\n').then_some(FOREIGN);
            }
            (leaf.file, leaf.bytes) = (Some(Arc::new(file)), bytes);
        }
        // It has just been put there.
        self.files.get_mut(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Closes the file that was not written for the longest time, if too many are open.
    fn close_one(&mut self) -> io::Result<()> {
        if self.files.values().filter(|leaf| leaf.file.is_some()).count() < self.open_max {
            return Ok(());
        }
        let open = self.files.values_mut().filter(|leaf| leaf.file.is_some());
        let Some(leaf) = open.min_by_key(|leaf| leaf.used) else { return Ok(()) };
        let file = leaf.file.take();
        let is_dirty = std::mem::take(&mut leaf.dirty);
        file.filter(|_| is_dirty).map_or(Ok(()), |file| self.leave(file))
    }

    /// The folder of a file, made if need be, and the file's name in it.
    fn folder_of<'a>(&mut self, name: &'a Path) -> io::Result<(OwnedFd, &'a OsStr)> {
        let parent = name.parent().unwrap_or(Path::new(""));
        let file_name = name.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        // Many files lie in one folder, which takes some calls to open: the one that was opened is good while it is there.
        if let Some((path, folder)) = self.last.as_ref().filter(|(path, _)| path == parent)
            && is_there(&self.folder, path, folder)
        {
            return Ok((folder.try_clone()?, file_name));
        }
        let mut folder = self.folder.try_clone()?;
        for part in parent {
            folder = folder_in(&folder, part)?;
        }
        self.last = Some((parent.to_owned(), folder.try_clone()?));
        Ok((folder, file_name))
    }

    /// Rotates a file that would become too large, and removes old ones until the tree has room.
    fn make_room(&mut self, name: &Path, length: u64) -> io::Result<()> {
        let leaf = self.files.get(name);
        let bytes = leaf.map_or(0, |leaf| leaf.bytes);
        let between_lines = leaf.is_none_or(|leaf| leaf.open_line.is_none());
        if bytes > 0 && bytes + length > self.file_bytes_max && between_lines {
            self.rotate(name)?;
        }
        while self.total_bytes + length > self.total_bytes_max {
            if self.rotated.is_empty() {
                // Whatever is largest must go: a bound is a bound.
                let largest = self.files.iter().filter(|(_, leaf)| leaf.bytes > 0).max_by_key(|(_, leaf)| leaf.bytes);
                let Some((largest, _)) = largest else { return Ok(()) };
                self.rotate(&largest.clone())?;
            }
            let Some((old, bytes)) = self.rotated.pop_front() else { return Ok(()) };
            let (folder, file_name) = self.folder_of(&old)?;
            match unlinkat(&folder, file_name, AtFlags::empty()) {
                Ok(()) => self.removed.push(self.path.join(&old)),
                Err(rustix::io::Errno::NOENT) => {}
                Err(errno) => return Err(errno.into()),
            }
            self.total_bytes = self.total_bytes.saturating_sub(bytes);
        }
        Ok(())
    }

    /// Gives a file the next free number.
    fn rotate(&mut self, name: &Path) -> io::Result<()> {
        let (folder, file_name) = self.folder_of(name)?;
        let of_it = self.rotated.iter().filter(|(path, _)| stem_of(path).as_deref() == Some(name));
        let number = of_it.filter_map(|(path, _)| number_of(path)).max().map_or(1, |last| last + 1);
        let mut target = file_name.to_owned();
        target.push(format!(".{number:08}"));
        renameat(&folder, file_name, &folder, &*target)?;
        if let Some(leaf) = self.files.remove(name) {
            self.rotated.push_back((name.with_file_name(target), leaf.bytes));
            if let Some(file) = leaf.file.filter(|_| leaf.dirty) {
                self.leave(file)?;
            }
        }
        Ok(())
    }
}

impl Leaf {
    /// Appends all of the bytes, or leaves the file as it was.
    fn append<'a>(&mut self, stretches: impl Iterator<Item = &'a [u8]>, length: u64) -> io::Result<()> {
        let Some(mut file) = self.file.as_deref() else { return Err(io::ErrorKind::NotFound.into()) };
        self.dirty = true;
        let written = write_stretches(&mut file, stretches, || Ok(())).and_then(|()| file.flush());
        match &written {
            Ok(()) => self.bytes += length,
            // It is written again later, from its first byte.
            Err(_) => file.set_len(self.bytes)?,
        }
        written
    }
}

/// Whether a folder stands where it was opened.
fn is_there(root: &OwnedFd, path: &Path, folder: &OwnedFd) -> bool {
    let place = |about: rustix::fs::Stat| (about.st_dev, about.st_ino);
    let here = statat(root, if path == Path::new("") { Path::new(".") } else { path }, AtFlags::SYMLINK_NOFOLLOW);
    here.is_ok_and(|here| fstat(folder).is_ok_and(|about| place(about) == place(here)))
}

/// The name of a file in the tree: that which it was found under, without what leads out.
fn name_of(path: &Path) -> PathBuf {
    path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

/// The number of a rotated file.
fn number_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.as_bytes();
    let (stem, digits) = name.split_at_checked(name.len().checked_sub(9)?)?;
    let digits = digits.strip_prefix(b".").filter(|_| !stem.is_empty())?;
    digits.iter().all(u8::is_ascii_digit).then(|| str::from_utf8(digits).ok()?.parse().ok())?
}

/// The name that a rotated file had.
fn stem_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.as_bytes();
    let stem = OsString::from(OsStr::from_bytes(name.get(..name.len().checked_sub(9)?)?));
    Some(path.with_file_name(stem))
}
