//! Waits until something may have changed in a set of folders. Does not say what: who is told looks at all
//! files, which costs less than to keep names of notifications right across rotation.

#[cfg(target_os = "linux")]
use std::collections::BTreeMap;
use std::{collections::BTreeSet, io, os::fd::BorrowedFd, path::PathBuf, time::Duration};

#[cfg(target_os = "linux")]
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::OwnedFd,
};

use super::seam;

/// Watched folders.
pub struct Watch {
    /// Absent where there are no notifications.
    folders: Option<Folders>,
    fault: Option<io::ErrorKind>,
}

/// Folders of which it is told which names come into them, and which leave them.
pub struct Names {
    folders: Option<Folders>,
    missed: Vec<Move>,
}

/// What has happened to a name.
pub enum Move {
    /// A file has come to it: a new one, or the one that has left another name with this number.
    Came(PathBuf, u32),
    /// One has left it for another name, or, with 0, was removed.
    Left(PathBuf, u32),
    /// Nobody knows what has happened: in this folder, or in all.
    Missed(Option<PathBuf>),
}

/// Folders that the system watches.
struct Folders {
    inotify: OwnedFd,
    /// By the path. There are none where the system cannot watch any.
    #[cfg(target_os = "linux")]
    numbers: BTreeMap<PathBuf, i32>,
    /// The same by the number.
    #[cfg(target_os = "linux")]
    paths: BTreeMap<i32, PathBuf>,
}

/// What may have changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files have grown or shrunk.
    pub files: bool,
    /// Names have come or gone.
    pub names: bool,
}

impl Watch {
    /// Nothing is watched yet.
    pub fn new() -> Watch {
        match Folders::new() {
            Ok(folders) => Watch { folders: Some(folders), fault: None },
            Err(kind) => Watch { folders: None, fault: Some(kind) },
        }
    }

    /// Why files must be looked at instead, since the last call.
    pub fn take_fault(&mut self) -> Option<io::ErrorKind> {
        self.fault.take()
    }

    /// Whether changes are told.
    pub fn tells(&self) -> bool {
        self.folders.is_some()
    }

    /// Watches these folders and no others.
    pub fn set(&mut self, folders: &BTreeSet<PathBuf>) {
        if self.folders.as_mut().is_some_and(|watched| watched.set(folders, What::All).is_none()) {
            self.fault = Some(io::ErrorKind::QuotaExceeded);
            self.folders = None;
        }
    }

    /// Waits for a change, a readable descriptor of `others`, or the end of the time.
    pub fn wait(&mut self, others: &[BorrowedFd<'_>], timeout: Duration, tell: bool) -> Changes {
        let mut list: Vec<PollFd<'_>> = others.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        list.extend(self.folders.iter().filter(|_| tell).map(|watched| PollFd::new(&watched.inotify, PollFlags::IN)));
        let timeout = seam::wait(timeout);
        let time = Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) };
        // An interruption is a signal, which the caller looks at.
        let _ = poll(&mut list, Some(&time));
        drop(list);
        if tell { self.changes() } else { Changes::default() }
    }

    fn changes(&self) -> Changes {
        let mut changes = Changes::default();
        if let Some(folders) = &self.folders {
            folders.take(|_, is_name| {
                changes.files = true;
                changes.names |= is_name;
            });
        }
        changes
    }
}

impl Names {
    /// None yet. Where the system cannot tell them, none come.
    pub fn new() -> Names {
        Names { folders: Folders::new().ok(), missed: Vec::new() }
    }

    /// Those of these folders and no others.
    pub fn set(&mut self, folders: &BTreeSet<PathBuf>) {
        let Some(watched) = &mut self.folders else { return };
        match watched.set(folders, What::Names) {
            Some(other) => self.missed.extend(other.into_iter().map(|path| Move::Missed(Some(path)))),
            None => {
                self.folders = None;
                self.missed.push(Move::Missed(None));
            }
        }
    }

    /// What has happened to names, in that order.
    pub fn take(&mut self) -> Vec<Move> {
        let mut moves = std::mem::take(&mut self.missed);
        if let Some(folders) = &self.folders {
            folders.take(|one, _| moves.extend(one));
        }
        moves
    }
}

/// What is told of a folder.
#[derive(Clone, Copy)]
enum What {
    All,
    Names,
}

#[cfg(target_os = "linux")]
impl Folders {
    fn new() -> Result<Folders, io::ErrorKind> {
        let made = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let inotify = made.map_err(|errno| io::Error::from(errno).kind())?;
        Ok(Folders { inotify, numbers: BTreeMap::new(), paths: BTreeMap::new() })
    }

    /// Watches these folders and no others: those of them in whose places other ones stood before. None if that is not
    /// possible.
    fn set(&mut self, folders: &BTreeSet<PathBuf>, what: What) -> Option<Vec<PathBuf>> {
        let gone: Vec<PathBuf> = self.numbers.keys().filter(|path| !folders.contains(*path)).cloned().collect();
        for path in gone {
            if let Some(number) = self.numbers.remove(&path) {
                self.paths.remove(&number);
                // A folder that was removed has lost its watch already.
                let _ = inotify::remove_watch(&self.inotify, number);
            }
        }
        let names = WatchFlags::CREATE | WatchFlags::MOVE | WatchFlags::DELETE | WatchFlags::ONLYDIR;
        let flags = match what {
            What::Names => names,
            What::All => names | WatchFlags::MODIFY | WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF,
        };
        let mut other = Vec::new();
        for path in folders {
            // Again each time: the folder of this name may be another one by now.
            match inotify::add_watch(&self.inotify, path, flags) {
                Ok(number) if self.numbers.get(path) == Some(&number) => {}
                Ok(number) => {
                    self.paths.insert(number, path.clone());
                    if let Some(old) = self.numbers.insert(path.clone(), number) {
                        self.paths.remove(&old);
                        other.push(path.clone());
                    }
                }
                Err(rustix::io::Errno::NOSPC | rustix::io::Errno::NOMEM) => return None,
                // It has just gone, or may not be read.
                Err(_) => {}
            }
        }
        Some(other)
    }

    /// Takes what is told: what has happened to a name, and whether it is about a name at all.
    fn take(&self, mut told: impl FnMut(Option<Move>, bool)) {
        let mut room = [std::mem::MaybeUninit::uninit(); 16 << 10];
        let mut reader = inotify::Reader::new(&self.inotify, &mut room);
        // A writer that never rests must not keep us here.
        for _ in 0..EVENTS_MAX {
            let Ok(event) = reader.next() else { break };
            let what = event.events();
            let path = || {
                let name = std::os::unix::ffi::OsStrExt::from_bytes(event.file_name()?.to_bytes());
                Some(self.paths.get(&event.wd())?.join::<&std::ffi::OsStr>(name))
            };
            let one = if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                Some(Move::Missed(None))
            } else if what.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
                path().map(|path| Move::Came(path, event.cookie()))
            } else if what.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM) {
                path().map(|path| Move::Left(path, event.cookie()))
            } else {
                None
            };
            told(one, what != ReadFlags::MODIFY);
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Folders {
    fn new() -> Result<Folders, io::ErrorKind> {
        Err(io::ErrorKind::Unsupported)
    }

    fn set(&mut self, _folders: &BTreeSet<PathBuf>, _what: What) -> Option<Vec<PathBuf>> {
        None
    }

    fn take(&self, _told: impl FnMut(Option<Move>, bool)) {}
}

/// How many notifications are taken in one go.
#[cfg(target_os = "linux")]
const EVENTS_MAX: usize = 1 << 16;
