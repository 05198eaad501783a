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
    #[cfg(target_os = "linux")]
    inotify: Option<OwnedFd>,
    #[cfg(not(target_os = "linux"))]
    inotify: Option<OwnedFd>,
    #[cfg(target_os = "linux")]
    folders: BTreeMap<PathBuf, i32>,
    fault: Option<io::ErrorKind>,
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
        #[cfg(target_os = "linux")]
        {
            let made = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
            let fault = made.as_ref().err().map(|errno| io::Error::from(*errno).kind());
            Watch { inotify: made.ok(), folders: BTreeMap::new(), fault }
        }
        #[cfg(not(target_os = "linux"))]
        Watch { inotify: None, fault: Some(io::ErrorKind::Unsupported) }
    }

    /// Why files must be looked at instead, since the last call.
    pub fn take_fault(&mut self) -> Option<io::ErrorKind> {
        self.fault.take()
    }

    /// Whether changes are told.
    pub fn tells(&self) -> bool {
        self.inotify.is_some()
    }

    /// Watches these folders and no others.
    #[cfg(target_os = "linux")]
    pub fn set(&mut self, folders: &BTreeSet<PathBuf>) {
        let Some(inotify) = &self.inotify else { return };
        let gone: Vec<PathBuf> = self.folders.keys().filter(|path| !folders.contains(*path)).cloned().collect();
        for path in gone {
            if let Some(number) = self.folders.remove(&path) {
                // A folder that was removed has lost its watch already.
                let _ = inotify::remove_watch(inotify, number);
            }
        }
        let flags = WatchFlags::MODIFY
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        for path in folders {
            // Again each time: the folder of this name may be another one by now.
            match inotify::add_watch(inotify, path, flags) {
                Ok(number) => _ = self.folders.insert(path.clone(), number),
                Err(rustix::io::Errno::NOSPC | rustix::io::Errno::NOMEM) => {
                    self.fault = Some(io::ErrorKind::QuotaExceeded);
                    self.folders.clear();
                    self.inotify = None;
                    return;
                }
                // It has just gone, or may not be read.
                Err(_) => _ = self.folders.remove(path),
            }
        }
    }

    /// Nothing can be watched.
    #[cfg(not(target_os = "linux"))]
    pub fn set(&mut self, _folders: &BTreeSet<PathBuf>) {}

    /// Waits for a change, a readable descriptor of `others`, or the end of the time.
    pub fn wait(&mut self, others: &[BorrowedFd<'_>], timeout: Duration, tell: bool) -> Changes {
        let mut list: Vec<PollFd<'_>> = others.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        list.extend(self.inotify.iter().filter(|_| tell).map(|fd| PollFd::new(fd, PollFlags::IN)));
        let timeout = seam::wait(timeout);
        let time = Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) };
        // An interruption is a signal, which the caller looks at.
        let _ = poll(&mut list, Some(&time));
        drop(list);
        if tell { self.changes() } else { Changes::default() }
    }

    #[cfg(target_os = "linux")]
    fn changes(&self) -> Changes {
        let mut changes = Changes::default();
        let Some(inotify) = &self.inotify else { return changes };
        let mut room = [std::mem::MaybeUninit::uninit(); 16 << 10];
        let mut reader = inotify::Reader::new(inotify, &mut room);
        // A writer that never rests must not keep us here.
        for _ in 0..EVENTS_MAX {
            let Ok(event) = reader.next() else { break };
            changes.files = true;
            changes.names |= event.events() != ReadFlags::MODIFY;
        }
        changes
    }

    #[cfg(not(target_os = "linux"))]
    fn changes(&self) -> Changes {
        Changes::default()
    }
}

/// How many notifications are taken in one go.
#[cfg(target_os = "linux")]
const EVENTS_MAX: usize = 1 << 16;
