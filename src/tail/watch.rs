//! Waits until something may have changed in a set of folders. Does not say what: who is told looks at all
//! files, which costs less than to keep names of notifications right across rotation.

#[cfg(target_os = "linux")]
use std::collections::BTreeMap;
use std::{
    collections::BTreeSet,
    io,
    os::fd::BorrowedFd,
    path::{Path, PathBuf},
    time::Duration,
};

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

/// Folders of which it is told which names come into them.
pub struct Names(Option<Folders>);

/// Folders that the system watches.
struct Folders {
    inotify: OwnedFd,
    /// By the path. There are none where the system cannot watch any.
    #[cfg(target_os = "linux")]
    numbers: BTreeMap<PathBuf, i32>,
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
        if self.folders.as_mut().is_some_and(|watched| !watched.set(folders, What::All)) {
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
        Names(Folders::new().ok())
    }

    /// Those of these folders and no others.
    pub fn set(&mut self, folders: &BTreeSet<PathBuf>) {
        if self.0.as_mut().is_some_and(|watched| !watched.set(folders, What::Arrivals)) {
            self.0 = None;
        }
    }

    /// Gives the paths of files that have come, in their order.
    pub fn take(&self, mut came: impl FnMut(&Path)) {
        if let Some(folders) = &self.0 {
            folders.take(|path, _| path.into_iter().for_each(|path| came(&path)));
        }
    }
}

/// What is told of a folder.
#[derive(Clone, Copy)]
enum What {
    All,
    Arrivals,
}

#[cfg(target_os = "linux")]
impl Folders {
    fn new() -> Result<Folders, io::ErrorKind> {
        let made = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let inotify = made.map_err(|errno| io::Error::from(errno).kind())?;
        Ok(Folders { inotify, numbers: BTreeMap::new() })
    }

    /// Watches these folders and no others. Whether that is possible.
    fn set(&mut self, folders: &BTreeSet<PathBuf>, what: What) -> bool {
        let gone: Vec<PathBuf> = self.numbers.keys().filter(|path| !folders.contains(*path)).cloned().collect();
        for path in gone {
            if let Some(number) = self.numbers.remove(&path) {
                // A folder that was removed has lost its watch already.
                let _ = inotify::remove_watch(&self.inotify, number);
            }
        }
        let arrivals = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        let flags = match what {
            What::Arrivals => arrivals,
            What::All => {
                arrivals
                    | WatchFlags::MODIFY
                    | WatchFlags::DELETE
                    | WatchFlags::MOVE
                    | WatchFlags::DELETE_SELF
                    | WatchFlags::MOVE_SELF
            }
        };
        for path in folders {
            // Again each time: the folder of this name may be another one by now.
            match inotify::add_watch(&self.inotify, path, flags) {
                Ok(number) => _ = self.numbers.insert(path.clone(), number),
                Err(rustix::io::Errno::NOSPC | rustix::io::Errno::NOMEM) => return false,
                // It has just gone, or may not be read.
                Err(_) => _ = self.numbers.remove(path),
            }
        }
        true
    }

    /// Takes what is told: the path of a file that has come, and whether it is about a name at all.
    fn take(&self, mut told: impl FnMut(Option<PathBuf>, bool)) {
        let mut room = [std::mem::MaybeUninit::uninit(); 16 << 10];
        let mut reader = inotify::Reader::new(&self.inotify, &mut room);
        // A writer that never rests must not keep us here.
        for _ in 0..EVENTS_MAX {
            let Ok(event) = reader.next() else { break };
            let has_come = event.events().intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
            let folder = || self.numbers.iter().find(|(_, number)| **number == event.wd()).map(|(path, _)| path);
            let path = event.file_name().filter(|_| has_come).and_then(|name| {
                Some(folder()?.join(std::os::unix::ffi::OsStrExt::from_bytes(name.to_bytes()) as &std::ffi::OsStr))
            });
            told(path, event.events() != ReadFlags::MODIFY);
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Folders {
    fn new() -> Result<Folders, io::ErrorKind> {
        Err(io::ErrorKind::Unsupported)
    }

    fn set(&mut self, _folders: &BTreeSet<PathBuf>, _what: What) -> bool {
        false
    }

    fn take(&self, _told: impl FnMut(Option<PathBuf>, bool)) {}
}

/// How many notifications are taken in one go.
#[cfg(target_os = "linux")]
const EVENTS_MAX: usize = 1 << 16;
