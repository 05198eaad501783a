//! Gives the bytes of a file or a pipe, and says when none have come for a while. Does not look at
//! them.

use std::{fs::File, io, path::Path, time::Duration};

/// Where bytes come from.
pub struct Source {
    reader: Reader,
}

enum Reader {
    /// A file, a pipe, a terminal: anything the system reads from.
    File(File),
    /// The process's standard input.
    Stdin(io::Stdin),
    /// Anything else, for tests: always ready.
    Other(Box<dyn io::Read + Send>),
}

/// What waiting for bytes came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// A read will not block (or will say that the input is at its end).
    Ready,
    /// The time is over.
    TimedOut,
    /// A signal came.
    Interrupted,
}

impl Source {
    /// The process's standard input.
    pub fn stdin() -> Source {
        Source { reader: Reader::Stdin(io::stdin()) }
    }

    /// A file, read once from its start to its end.
    ///
    /// # Errors
    /// If it cannot be opened, or is a directory.
    pub fn file(path: &Path) -> io::Result<Source> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Source { reader: Reader::File(file) })
    }

    /// Any reader. It is taken to be always ready, so nothing is ever flushed early.
    pub fn reader(reader: impl io::Read + Send + 'static) -> Source {
        Source { reader: Reader::Other(Box::new(reader)) }
    }

    /// Reads what is there, at most `buffer`; 0 at the end.
    ///
    /// # Errors
    /// Those of the system, but for interruptions, which it tries again.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.reader {
                Reader::File(file) => io::Read::read(file, buffer),
                Reader::Stdin(stdin) => read_stdin(stdin, buffer),
                Reader::Other(reader) => reader.read(buffer),
            };
            match read {
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }
}

/// Standard input without the buffer of the standard library, which would hide from `poll` what it
/// has read ahead.
#[cfg(unix)]
fn read_stdin(stdin: &io::Stdin, buffer: &mut [u8]) -> io::Result<usize> {
    rustix::io::read(stdin, buffer).map_err(io::Error::from)
}

#[cfg(not(unix))]
fn read_stdin(stdin: &io::Stdin, buffer: &mut [u8]) -> io::Result<usize> {
    io::Read::read(&mut stdin.lock(), buffer)
}

#[cfg(unix)]
impl Source {
    /// Waits until bytes are there, at most `timeout` (`None`: for ever), or until `wake` can be
    /// read.
    pub fn wait(&self, timeout: Option<Duration>, wake: Option<std::os::fd::BorrowedFd<'_>>) -> io::Result<Readiness> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use std::os::fd::AsFd as _;
        let input = match &self.reader {
            Reader::File(file) => file.as_fd(),
            Reader::Stdin(stdin) => stdin.as_fd(),
            Reader::Other(_) => return Ok(Readiness::Ready),
        };
        let entry = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        let mut list = [entry(input), entry(wake.unwrap_or(input))];
        let list = &mut list[..1 + usize::from(wake.is_some())];
        let timeout =
            timeout.map(|time| Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) });
        match poll(list, timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => Ok(Readiness::Interrupted),
            Err(fault) => Err(fault.into()),
            Ok(0) => Ok(Readiness::TimedOut),
            Ok(_) if list.get(1).is_some_and(|fd| !fd.revents().is_empty()) => Ok(Readiness::Interrupted),
            Ok(_) => Ok(Readiness::Ready),
        }
    }

    /// Asks the system for a larger pipe, which is worth a factor in throughput; without effect on
    /// anything else.
    pub fn enlarge(&self) {
        #[cfg(target_os = "linux")]
        match &self.reader {
            Reader::File(file) => crate::sink::enlarge_pipe(file),
            Reader::Stdin(stdin) => crate::sink::enlarge_pipe(stdin),
            Reader::Other(_) => {}
        }
    }
}

#[cfg(not(unix))]
impl Source {
    /// Without a way to wait, a read blocks: lines are written when they are whole.
    pub fn wait(&self, _timeout: Option<Duration>, _wake: Option<()>) -> io::Result<Readiness> {
        Ok(Readiness::Ready)
    }

    /// Pipes have the size they have.
    pub fn enlarge(&self) {}
}
