//! Writes clean bytes. Takes nothing else: [`Clean`] is made by `redact` alone.

use std::io::{self, IoSlice};

#[cfg(target_os = "linux")]
use crate::limits::PIPE_BYTES;
use crate::redact::Clean;

/// Where clean bytes go.
pub trait Sink {
    /// Writes all of the bytes, in order, and returns when the system has taken them.
    ///
    /// # Errors
    /// Those of the system; a reader that has gone is [`io::ErrorKind::BrokenPipe`].
    fn write(&mut self, clean: Clean<'_>) -> io::Result<()>;
}

/// The process's standard output or error, without a buffer: the filter hands over large pieces.
#[derive(Debug)]
pub struct Standard {
    #[cfg(unix)]
    output: std::fs::File,
    #[cfg(not(unix))]
    output: io::Stdout,
}

impl Standard {
    /// The standard output; a pipe is made larger where the system lets one.
    #[cfg(unix)]
    pub fn output() -> Standard {
        Standard::of(&io::stdout())
    }

    /// The standard error; a pipe is made larger where the system lets one.
    #[cfg(unix)]
    pub fn error() -> Standard {
        Standard::of(&io::stderr())
    }

    #[cfg(unix)]
    fn of(stream: &impl std::os::fd::AsFd) -> Standard {
        #[cfg(target_os = "linux")]
        enlarge_pipe(stream);
        // A descriptor of its own, so that the standard library's line buffer is not in the way.
        let output = match stream.as_fd().try_clone_to_owned() {
            Ok(descriptor) => std::fs::File::from(descriptor),
            Err(_) => std::fs::File::from(closed_pipe()),
        };
        Standard { output }
    }

    /// The standard output.
    #[cfg(not(unix))]
    pub fn output() -> Standard {
        Standard { output: io::stdout() }
    }
}

#[cfg(unix)]
impl Standard {
    /// Writes bytes that were made of clean ones, as a record around them is.
    pub(crate) fn write_made(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut output = &self.output;
        write_stretches(&mut output, std::iter::once(bytes), || wait_for_room(&self.output))
    }

    /// What is written to, to be told from what is read.
    pub(crate) fn about(&self) -> io::Result<std::fs::Metadata> {
        self.output.metadata()
    }
}

impl Sink for Standard {
    #[cfg(unix)]
    fn write(&mut self, clean: Clean<'_>) -> io::Result<()> {
        let mut output = &self.output;
        write_stretches(&mut output, clean.stretches(), || wait_for_room(&self.output))
    }

    #[cfg(not(unix))]
    fn write(&mut self, clean: Clean<'_>) -> io::Result<()> {
        use std::io::Write as _;
        let mut output = self.output.lock();
        write_stretches(&mut output, clean.stretches(), || Ok(()))?;
        output.flush()
    }
}

/// Writes stretches from where they lie, many with one call. `wait` returns when an output that
/// does not block has room again.
pub(crate) fn write_stretches<'a>(
    output: &mut impl io::Write,
    mut stretches: impl Iterator<Item = &'a [u8]>,
    wait: impl Fn() -> io::Result<()>,
) -> io::Result<()> {
    loop {
        let mut slices = [IoSlice::new(&[]); STRETCHES_A_WRITE];
        let filled = slices.iter_mut().zip(&mut stretches).map(|(slice, stretch)| *slice = IoSlice::new(stretch));
        let count = filled.count();
        if count == 0 {
            return Ok(());
        }
        let mut rest = &mut slices[..count];
        while !rest.is_empty() {
            match output.write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => wait()?,
                Err(fault) => return Err(fault),
            }
        }
    }
}

/// Waits until a descriptor that was set not to block, by whoever shares it, can be written again.
#[cfg(unix)]
fn wait_for_room(output: &std::fs::File) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};
    match poll(&mut [PollFd::new(output, PollFlags::OUT)], None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(fault) => Err(fault.into()),
    }
}

/// A descriptor on which every write says that nobody reads.
#[cfg(unix)]
fn closed_pipe() -> std::os::fd::OwnedFd {
    match rustix::pipe::pipe() {
        Ok((_, write)) => write,
        // Without descriptors nothing at all can be written; the process cannot go on.
        Err(_) => std::process::exit(3),
    }
}

/// Makes a pipe at least [`PIPE_BYTES`] large; other files, larger pipes, and systems
/// that refuse are left as they are.
#[cfg(target_os = "linux")]
pub(crate) fn enlarge_pipe(file: &impl std::os::fd::AsFd) {
    if rustix::pipe::fcntl_getpipe_size(file).is_ok_and(|size| size < PIPE_BYTES) {
        let _ = rustix::pipe::fcntl_setpipe_size(file, PIPE_BYTES);
    }
}

/// Writes to a file, as it was opened.
impl Sink for std::fs::File {
    fn write(&mut self, clean: Clean<'_>) -> io::Result<()> {
        write_stretches(self, clean.stretches(), || Ok(()))
    }
}

/// Collects what is written, for tests and callers with a use of their own.
impl Sink for Vec<u8> {
    fn write(&mut self, clean: Clean<'_>) -> io::Result<()> {
        clean.stretches().for_each(|stretch| self.extend_from_slice(stretch));
        Ok(())
    }
}

/// How many stretches are written with one call, at most: there are seldom more in what one read
/// brings. POSIX systems take 1024.
const STRETCHES_A_WRITE: usize = 64;

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, sync::Arc};

    use super::*;
    use crate::{Engine, Filter, Options, RuleSet, limits::STRETCH_BYTES_MIN};

    /// A log of long clean stretches with a secret between each two of them.
    fn log(stretches: usize) -> Vec<u8> {
        let clean = b"nothing is to be seen here\n".repeat(STRETCH_BYTES_MIN / 20);
        (0..stretches).flat_map(|_| [&clean[..], b"password = hunter2\n"].concat()).collect()
    }

    /// Filters a log in one piece and hands over what comes of it.
    fn filtered<T>(log: &[u8], use_it: impl FnOnce(Clean<'_>) -> T) -> T {
        let engine = Arc::new(Engine::new(RuleSet::builtin().unwrap(), Options::default()).unwrap());
        let mut filter = Filter::new(engine);
        use_it(filter.push(log))
    }

    /// Takes a few bytes at a time, in the turn of `steps`; 0 stands for a fault.
    struct Narrow {
        steps: VecDeque<(usize, io::ErrorKind)>,
        taken: Vec<u8>,
    }

    impl io::Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let (room, fault) = self.steps.pop_front().unwrap_or((0, io::ErrorKind::StorageFull));
            self.steps.push_back((room, fault));
            if room == 0 {
                return Err(fault.into());
            }
            let before = self.taken.len();
            for slice in slices {
                let left = room - (self.taken.len() - before);
                self.taken.extend_from_slice(&slice[..slice.len().min(left)]);
            }
            Ok(self.taken.len() - before)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_output_that_takes_little_at_a_time_gets_all_of_it_in_order() {
        let faults = [io::ErrorKind::Interrupted, io::ErrorKind::WouldBlock];
        for room in [1, 7, STRETCH_BYTES_MIN, STRETCH_BYTES_MIN + 300, 1 << 20] {
            let steps = faults.iter().flat_map(|&fault| [(room, fault), (0, fault)]).collect();
            let mut narrow = Narrow { steps, taken: Vec::new() };
            filtered(&log(3), |clean| {
                write_stretches(&mut narrow, clean.stretches(), || Ok(())).unwrap();
                assert!(narrow.taken == clean.to_vec(), "{room} bytes at a time");
            });
        }
    }

    #[test]
    fn more_stretches_than_one_call_takes_are_all_written() {
        let log = log(2 * STRETCHES_A_WRITE);
        let mut narrow = Narrow { steps: [(usize::MAX, io::ErrorKind::Other)].into(), taken: Vec::new() };
        filtered(&log, |clean| {
            assert!(clean.stretches().count() > 3 * STRETCHES_A_WRITE);
            write_stretches(&mut narrow, clean.stretches(), || Ok(())).unwrap();
            assert!(narrow.taken == clean.to_vec());
        });
    }

    #[test]
    fn a_fault_ends_the_writing() {
        for fault in [io::ErrorKind::StorageFull, io::ErrorKind::BrokenPipe] {
            let mut narrow = Narrow { steps: [(0, fault)].into(), taken: Vec::new() };
            let ended = filtered(&log(1), |clean| write_stretches(&mut narrow, clean.stretches(), || Ok(())));
            assert_eq!(ended.unwrap_err().kind(), fault);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_full_pipe_that_does_not_block_is_waited_for() {
        use std::io::Read as _;
        let (read, write) = rustix::pipe::pipe().unwrap();
        rustix::io::ioctl_fionbio(&write, true).unwrap();
        let mut sink = Standard { output: write.into() };
        let log = log(100);
        let mut taken = vec![0; 100];
        let mut read = std::fs::File::from(read);
        filtered(&log, |clean| {
            std::thread::scope(|scope| {
                let reader = scope.spawn(|| {
                    read.read_exact(&mut taken).unwrap();
                    read.read_to_end(&mut taken).unwrap();
                });
                sink.write(clean).unwrap();
                drop(sink);
                reader.join().unwrap();
            });
            assert!(taken == clean.to_vec());
        });
    }
}
