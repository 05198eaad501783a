//! Gives the bytes of a file or a pipe, and says when none have come for a while. Does not look at
//! them.

mod confirmed;

use std::{fs::File, io, path::Path, time::Duration};

/// Where bytes come from.
pub struct Source {
    reader: Reader,
    #[cfg(unix)]
    stop: Option<Stop>,
}

enum Reader {
    /// A file, a pipe, a terminal: anything the system reads from.
    File(File),
    /// The near side of a terminal that a process writes to.
    #[cfg(unix)]
    Terminal(File),
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
        Source::of(Reader::Stdin(io::stdin()))
    }

    fn of(reader: Reader) -> Source {
        Source {
            reader,
            #[cfg(unix)]
            stop: None,
        }
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
        Ok(Source::of(Reader::File(file)))
    }

    /// Standard input, whose lines are confirmed on standard output: for a pipeline without threads,
    /// which has written what came before when it reads on.
    pub fn confirmed() -> Source {
        Source::reader(confirmed::Confirmed::new(io::stdin(), io::stdout()))
    }

    /// Any reader. It is taken to be always ready, so nothing is ever flushed early.
    pub fn reader(reader: impl io::Read + Send + 'static) -> Source {
        Source::of(Reader::Other(Box::new(reader)))
    }

    /// Reads what is there, at most `buffer`; 0 at the end.
    ///
    /// # Errors
    /// Those of the system, but for interruptions, which it tries again.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let buffer = match &self.stop {
            Some(Stop { left: Some(left), .. }) => {
                let most = buffer.len().min(*left);
                &mut buffer[..most]
            }
            _ => buffer,
        };
        let read = self.read_some(buffer)?;
        #[cfg(unix)]
        if let Some(stop) = &mut self.stop
            && let Some(left) = stop.left
        {
            stop.left = Some(left - read);
            if read > 0 && left == read {
                stop.cut();
            }
        }
        Ok(read)
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let read = match &mut self.reader {
                Reader::File(file) => io::Read::read(file, buffer),
                #[cfg(unix)]
                Reader::Terminal(file) => match io::Read::read(file, buffer) {
                    // What Linux says of a terminal whose far side nobody has open any more.
                    Err(fault) if fault.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => Ok(0),
                    read => read,
                },
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

/// Ends a source before its writers have closed it.
#[cfg(unix)]
struct Stop {
    /// Readable, or closed at its other end, when no more is to be waited for.
    signal: std::os::fd::OwnedFd,
    /// How much may still be read, once that is so: what can have arrived until then. Without this
    /// bound a writer that never rests would be read for ever.
    left: Option<usize>,
    /// Set when the source ended although somebody could still have written.
    cut: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

#[cfg(unix)]
impl Stop {
    fn cut(&mut self) {
        self.left = Some(0);
        self.cut.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

#[cfg(unix)]
impl Source {
    /// The reading end of what a process writes to. When `stop` can be read or its other end is
    /// closed, what has arrived is still given, and then the source is at its end; `cut` is set if
    /// somebody could have written more.
    pub fn process(
        output: std::os::fd::OwnedFd,
        stop: std::os::fd::OwnedFd,
        cut: std::sync::Arc<std::sync::atomic::AtomicBool>,
    ) -> Source {
        let reader = if rustix::termios::isatty(&output) { Reader::Terminal } else { Reader::File };
        Source { reader: reader(output.into()), stop: Some(Stop { signal: stop, left: None, cut }) }
    }

    /// Waits until bytes are there, at most `timeout` (`None`: for ever), or until `wake` can be
    /// read.
    pub fn wait(
        &mut self,
        timeout: Option<Duration>,
        wake: Option<std::os::fd::BorrowedFd<'_>>,
    ) -> io::Result<Readiness> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use std::os::fd::AsFd as _;
        let input = match &self.reader {
            Reader::File(file) | Reader::Terminal(file) => file.as_fd(),
            Reader::Stdin(stdin) => stdin.as_fd(),
            Reader::Other(_) => return Ok(Readiness::Ready),
        };
        let entry = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        let stopping = self.stop.as_ref().is_some_and(|stop| stop.left.is_some());
        if stopping {
            // What has arrived is there at once.
            if poll(&mut [entry(input)], Some(&Timespec::default())) == Ok(0) {
                self.stop.iter_mut().for_each(Stop::cut);
            }
            return Ok(Readiness::Ready);
        }
        let stop = self.stop.as_ref().map(|stop| stop.signal.as_fd());
        let mut list = [entry(input), entry(input), entry(input)];
        let mut count = 1;
        for fd in [wake, stop].into_iter().flatten() {
            list[count] = entry(fd);
            count += 1;
        }
        let timeout =
            timeout.map(|time| Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) });
        let polled = poll(&mut list[..count], timeout.as_ref());
        let told = |at: usize| at < count && !list[at].revents().is_empty();
        let (woken, stopped) = (wake.is_some() && told(1), stop.is_some() && told(count - 1));
        match polled {
            Err(rustix::io::Errno::INTR) => return Ok(Readiness::Interrupted),
            Err(fault) => return Err(fault.into()),
            Ok(0) => return Ok(Readiness::TimedOut),
            Ok(_) => {}
        }
        if stopped {
            self.stop.iter_mut().for_each(|stop| stop.left = Some(crate::limits::PIPE_BYTES));
            return Ok(Readiness::Interrupted);
        }
        Ok(if woken { Readiness::Interrupted } else { Readiness::Ready })
    }

    /// Asks the system for a larger pipe, which is worth a factor in throughput; without effect on
    /// anything else.
    pub fn enlarge(&self) {
        #[cfg(target_os = "linux")]
        match &self.reader {
            Reader::File(file) | Reader::Terminal(file) => crate::sink::enlarge_pipe(file),
            Reader::Stdin(stdin) => crate::sink::enlarge_pipe(stdin),
            Reader::Other(_) => {}
        }
    }
}

#[cfg(not(unix))]
impl Source {
    /// Without a way to wait, a read blocks: lines are written when they are whole.
    pub fn wait(&mut self, _timeout: Option<Duration>, _wake: Option<()>) -> io::Result<Readiness> {
        Ok(Readiness::Ready)
    }

    /// Pipes have the size they have.
    pub fn enlarge(&self) {}
}
