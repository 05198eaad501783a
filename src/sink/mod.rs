//! Writes clean bytes. Takes nothing else: [`Clean`] is made by `redact` alone.

use std::io::{self, Write as _};

use crate::redact::Clean;

/// Where clean bytes go.
pub trait Sink {
    /// Writes all of the bytes, in order, and returns when the system has taken them.
    ///
    /// # Errors
    /// Those of the system; a reader that has gone is [`io::ErrorKind::BrokenPipe`].
    fn write(&mut self, clean: Clean<'_>) -> io::Result<()>;
}

/// The process's standard output, without a buffer: the filter hands over large pieces.
#[derive(Debug)]
pub struct Stdout {
    #[cfg(unix)]
    output: std::fs::File,
    #[cfg(not(unix))]
    output: io::Stdout,
}

impl Stdout {
    /// The standard output; a pipe is made larger where the system lets one.
    #[cfg(unix)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Stdout {
        use std::os::fd::AsFd as _;
        #[cfg(target_os = "linux")]
        enlarge_pipe(&io::stdout());
        // A descriptor of its own, so that the standard library's line buffer is not in the way.
        let output = match io::stdout().as_fd().try_clone_to_owned() {
            Ok(descriptor) => std::fs::File::from(descriptor),
            Err(_) => std::fs::File::from(closed_pipe()),
        };
        Stdout { output }
    }

    /// The standard output.
    #[cfg(not(unix))]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Stdout {
        Stdout { output: io::stdout() }
    }
}

impl Sink for Stdout {
    fn write(&mut self, clean: Clean<'_>) -> io::Result<()> {
        self.output.write_all(clean.as_bytes())?;
        self.output.flush()
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

/// Asks for a pipe of [`crate::limits::PIPE_BYTES`]; other files, and systems that refuse, are left as they are.
#[cfg(target_os = "linux")]
pub(crate) fn enlarge_pipe(file: &impl std::os::fd::AsFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(file, crate::limits::PIPE_BYTES);
}

/// Collects what is written, for tests and callers with a use of their own.
impl Sink for Vec<u8> {
    fn write(&mut self, clean: Clean<'_>) -> io::Result<()> {
        self.extend_from_slice(clean.as_bytes());
        Ok(())
    }
}
