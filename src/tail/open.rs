//! Opens files that others may put something else in the place of. Follows no symbolic link and opens no
//! device; who wants to follow a link resolves it first and asks whether its target is allowed.

use std::{
    fs::File,
    io,
    os::fd::OwnedFd,
    path::{Component, Path},
};

use rustix::fs::{CWD, Mode, OFlags, openat};

/// What a file is, as far as it can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file with a size, of which every byte can be read again.
    Regular,
    /// A pipe with a name.
    Fifo,
}

/// Opens an absolute path without links in it for reading, and says what it is. A pipe without a writer
/// does not block.
///
/// # Errors
/// Those of the system; a link in the path is [`io::ErrorKind::FilesystemLoop`] or `NotADirectory`, what is
/// neither file nor pipe is `InvalidInput`.
pub fn read(path: &Path) -> io::Result<(File, Kind)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = folder(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    // A device is not even opened, for that alone may do something.
    let about = rustix::fs::statat(&folder, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
    kind_of(rustix::fs::FileType::from_raw_mode(about.st_mode))?;
    let file = File::from(openat(&folder, name, flags, Mode::empty())?);
    let kind = kind_of(rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode))?;
    Ok((file, kind))
}

fn kind_of(kind: rustix::fs::FileType) -> io::Result<Kind> {
    match kind {
        rustix::fs::FileType::RegularFile => Ok(Kind::Regular),
        rustix::fs::FileType::Fifo => Ok(Kind::Fifo),
        rustix::fs::FileType::Symlink => Err(rustix::io::Errno::LOOP.into()),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Opens an absolute folder, name by name, so that no part of it is a link.
pub fn folder(path: &Path) -> io::Result<OwnedFd> {
    let flags = FOLDER | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut open = openat(CWD, "/", flags, Mode::empty())?;
    for part in path.components() {
        match part {
            Component::RootDir => {}
            Component::Normal(name) => open = openat(&open, name, flags, Mode::empty())?,
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    Ok(open)
}

/// A folder that is only passed through need not be readable.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::RDONLY;

/// How many files may be open at once.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// Of those that are followed.
    pub followed: usize,
    /// Of those that are written.
    pub written: usize,
}

/// Lets the process have as many files open as it may.
pub fn raise_limit(writes: bool) -> Most {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX).min(DESCRIPTORS_MAX);
    let now = limit.current.unwrap_or(u64::MAX);
    let raised = most > now && setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit }).is_ok();
    let now = if raised { most } else { now.min(DESCRIPTORS_MAX) };
    let now = usize::try_from(now).unwrap_or(usize::MAX);
    let own = OWN.min(now / 2);
    let left = now - own;
    let written = if writes { (left / 8).clamp(1, WRITTEN_MAX) } else { 0 };
    // As many again are closed, but for that they have not reached the disk; and as many of both are just being synced.
    Most { followed: left.saturating_sub(4 * written).max(1), written }
}

/// Those that are open for all else: metrics alone may have 32 clients.
const OWN: usize = 88;

/// The most files that are written at once.
const WRITTEN_MAX: usize = 4 << 10;

/// The most descriptors that are asked for.
const DESCRIPTORS_MAX: u64 = 16 << 10;
