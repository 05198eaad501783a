//! Tells whether our own output already goes to a filter of ours, and lets the command take our
//! place then. Does not trust the environment: it asks a process above us about the very files.
//!
//! The variable names a socket. It counts only if the process behind it is one of our ancestors and
//! says that our standard output and error are what it reads from. Who can make an ancestor of ours
//! could as well not have started us.

use std::{
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{net::UnixStream, process::CommandExt as _},
    },
    sync::Mutex,
};

use super::{Command, RunError, socket};

/// The files that the command's outputs go to.
#[derive(Default)]
pub struct Outlets {
    files: Mutex<Vec<(u64, u64)>>,
}

impl Outlets {
    /// Takes note of one more.
    pub fn add(&self, fd: BorrowedFd<'_>) {
        if let (Some(file), Ok(mut files)) = (identity(fd), self.files.lock()) {
            files.push(file);
        }
    }

    /// Whether this is one of them.
    pub fn have(&self, file: (u64, u64)) -> bool {
        self.files.lock().is_ok_and(|files| files.contains(&file))
    }
}

/// What tells an open file from all others: both ends of a pipe have the same.
fn identity(fd: BorrowedFd<'_>) -> Option<(u64, u64)> {
    let stat = rustix::fs::fstat(fd).ok()?;
    // The types differ from system to system; these two are only compared.
    #[allow(clippy::unnecessary_cast)]
    Some((stat.st_dev as u64, stat.st_ino as u64))
}

/// Whether a `run` above us filters all that we write.
pub fn is_nested() -> bool {
    let Some(stream) = socket::connect() else { return false };
    let ours = [identity(std::io::stdout().as_fd()), identity(std::io::stderr().as_fd())];
    let [Some(output), Some(error)] = ours else { return false };
    is_below(&stream) && socket::ask_about(stream, output, error)
}

/// Lets the command take the place of this process. Returns only if that fails.
pub fn replace(command: &Command) -> RunError {
    let mut process = std::process::Command::new(&command.program);
    process.args(&command.arguments);
    match command.prepare(&mut process) {
        Ok(()) => RunError::starting(&process.exec()),
        Err(fault) => fault,
    }
}

/// Whether the process at the other end is an ancestor of ours.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_below(stream: &UnixStream) -> bool {
    let Ok(peer) = rustix::net::sockopt::socket_peercred(stream) else { return false };
    let mut process = rustix::process::getppid();
    for _ in 0..ANCESTORS_MAX {
        match process {
            Some(pid) if pid == peer.pid => return true,
            Some(pid) => process = parent_of(pid),
            None => return false,
        }
    }
    false
}

/// Elsewhere the system does not tell; a second filter does no harm.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_below(_stream: &UnixStream) -> bool {
    false
}

/// The parent of a process, where the system tells.
pub fn parent_of(pid: rustix::process::Pid) -> Option<rustix::process::Pid> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    rustix::process::Pid::from_raw(parent.trim().parse().ok()?)
}

/// How far up is looked.
const ANCESTORS_MAX: usize = 1000;
