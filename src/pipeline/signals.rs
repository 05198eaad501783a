//! Turns signals into a state that the pipeline asks for. Handlers only set flags and wake it up.
//!
//! SIGINT in a pipe reaches every process of it: the first one is for whoever writes to us, and we
//! drain what comes until the end; a second one ends the process, even one that waits for its reader.
//! SIGTERM drains what has arrived, and ends the process when the time for that is over: a thread
//! sees to it where the pipeline itself waits for a reader who does not read. A second one ends the
//! process at once.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

static TERMINATED: AtomicBool = AtomicBool::new(false);
/// How long draining may take, and from when on it has taken that long.
static DRAIN: OnceLock<Duration> = OnceLock::new();
static DEADLINE: OnceLock<Instant> = OnceLock::new();

/// Whether the stream is to end with what has arrived.
pub fn draining() -> bool {
    TERMINATED.load(Ordering::Relaxed)
}

/// Until when what has arrived is read, if the stream is to end with that. A writer that writes on and
/// on would have no end otherwise.
pub fn deadline() -> Option<Instant> {
    let drain = DRAIN.get().copied().unwrap_or_default();
    draining().then(|| *DEADLINE.get_or_init(|| Instant::now() + drain))
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
        time::{Duration, Instant},
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

    /// How long what was read may take to be filtered and written once the time for draining is over.
    const LAST_WORDS: Duration = Duration::from_millis(150);

    /// Catches SIGINT and SIGTERM for the rest of the process; SIGTERM ends it `drain` later at the
    /// latest. A signal for which that fails keeps its usual meaning, which is to end the process:
    /// nothing unscanned leaves then, either.
    pub fn install(drain: Duration) {
        let _ = super::DRAIN.set(drain);
        let _ = catch();
    }

    fn catch() -> io::Result<()> {
        let (mut told, tell) = UnixStream::pair()?;
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
        low_level::pipe::register(SIGTERM, tell)?;
        let watch = move || {
            let _ = io::Read::read(&mut told, &mut [0; 1]);
            let last = super::deadline().map(|deadline| deadline + LAST_WORDS);
            std::thread::sleep(last.map_or(LAST_WORDS, |last| last.saturating_duration_since(Instant::now())));
            low_level::exit(TERMINATED_CODE);
        };
        std::thread::Builder::new().name("deadline".to_owned()).stack_size(WATCH_STACK_BYTES).spawn(watch)?;
        Ok(())
    }

    /// For a thread that does nothing but wait.
    const WATCH_STACK_BYTES: usize = 64 << 10;

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
pub fn install(_: Duration) {}

/// Nothing wakes a read.
#[cfg(not(unix))]
pub fn wake() -> Option<()> {
    None
}

/// Nothing to take note of.
#[cfg(not(unix))]
pub fn acknowledge() {}
