//! Turns signals into a state that the pipeline asks for. Handlers only set flags and wake it up;
//! there is no thread for them.
//!
//! SIGINT in a pipe reaches every process of it: the first one is for whoever writes to us, and we
//! drain what comes until the end; a second one ends the process, even one that waits for its reader.
//! SIGTERM drains what has arrived; a second one ends the process, too.

use std::sync::atomic::{AtomicBool, Ordering};

static TERMINATED: AtomicBool = AtomicBool::new(false);

/// Whether the stream is to end with what has arrived.
pub fn draining() -> bool {
    TERMINATED.load(Ordering::Relaxed)
}

#[cfg(unix)]
mod unix {
    use std::{
        io,
        os::{
            fd::{AsFd as _, BorrowedFd},
            unix::net::UnixStream,
        },
        sync::{OnceLock, atomic::AtomicBool},
    };

    use signal_hook::{
        consts::{SIGINT, SIGTERM},
        flag, low_level,
    };

    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    static WAKE: OnceLock<UnixStream> = OnceLock::new();

    /// What a shell shows for SIGINT.
    const INTERRUPTED_CODE: i32 = 130;
    /// And for SIGTERM.
    const TERMINATED_CODE: i32 = 143;

    /// Catches SIGINT and SIGTERM for the rest of the process. A signal for which that fails keeps
    /// its usual meaning, which is to end the process: nothing unscanned leaves then, either.
    pub fn install() {
        let _ = catch();
    }

    fn catch() -> io::Result<()> {
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        // The flag is looked at before it is set: only a second signal finds it set.
        flag::register_conditional_shutdown(SIGINT, INTERRUPTED_CODE, &INTERRUPTED)?;
        flag::register(SIGINT, &INTERRUPTED)?;
        flag::register_conditional_shutdown(SIGTERM, TERMINATED_CODE, &super::TERMINATED)?;
        flag::register(SIGTERM, &super::TERMINATED)?;
        // Makes its end non-blocking. A wait that began just before the signal came ends, too.
        low_level::pipe::register(SIGTERM, write)?;
        let _ = WAKE.set(read);
        Ok(())
    }

    /// Readable when SIGTERM has come.
    pub fn wake() -> Option<BorrowedFd<'static>> {
        WAKE.get().map(|stream| stream.as_fd())
    }

    /// Takes note that the state was looked at.
    pub fn acknowledge() {
        if let Some(stream) = WAKE.get() {
            let _ = io::Read::read(&mut &*stream, &mut [0; 64]);
        }
    }
}

#[cfg(unix)]
pub use unix::{acknowledge, install, wake};

/// Signals keep their usual meaning.
#[cfg(not(unix))]
pub fn install() {}

/// Nothing wakes a read.
#[cfg(not(unix))]
pub fn wake() -> Option<()> {
    None
}

/// Nothing to take note of.
#[cfg(not(unix))]
pub fn acknowledge() {}
