//! Turns signals into a state that the pipeline asks for. Handlers only set flags and wake it up.
//!
//! SIGINT in a pipe reaches every process of it: the first one is for whoever writes to us, and we
//! drain what comes until the end; a second one stops. SIGTERM drains what has arrived.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What signals have asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State {
    /// End with what has arrived.
    pub drain: bool,
    /// End at once.
    pub stop: bool,
}

static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);
static TERMINATED: AtomicBool = AtomicBool::new(false);

/// What signals have asked for so far.
pub fn state() -> State {
    State { drain: TERMINATED.load(Ordering::Relaxed), stop: INTERRUPTS.load(Ordering::Relaxed) > 1 }
}

#[cfg(unix)]
mod unix {
    use std::{
        os::{
            fd::{AsFd as _, BorrowedFd},
            unix::net::UnixStream,
        },
        sync::{OnceLock, atomic::Ordering},
        thread,
    };

    use signal_hook::{
        consts::{SIGINT, SIGTERM},
        iterator::Signals,
    };

    static WAKE: OnceLock<UnixStream> = OnceLock::new();

    /// Catches SIGINT and SIGTERM for the rest of the process. Where that fails they keep their
    /// usual meaning, which is to end the process: nothing unscanned leaves then, either.
    pub fn install() {
        let Ok((read, write)) = UnixStream::pair() else { return };
        let _ = read.set_nonblocking(true);
        let _ = write.set_nonblocking(true);
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
        if WAKE.set(read).is_err() {
            return;
        }
        let listen = move || {
            for signal in signals.forever() {
                match signal {
                    SIGINT => {
                        super::INTERRUPTS.fetch_add(1, Ordering::Relaxed);
                    }
                    _ => super::TERMINATED.store(true, Ordering::Relaxed),
                }
                let _ = std::io::Write::write(&mut &write, &[1]);
            }
        };
        // The thread lives as long as the process; it sleeps in a read.
        let _ = thread::Builder::new().name("signals".to_owned()).spawn(listen);
    }

    /// Readable when a signal has come.
    pub fn wake() -> Option<BorrowedFd<'static>> {
        WAKE.get().map(|stream| stream.as_fd())
    }

    /// Takes note that the state was looked at.
    pub fn acknowledge() {
        if let Some(stream) = WAKE.get() {
            let _ = std::io::Read::read(&mut &*stream, &mut [0; 64]);
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
