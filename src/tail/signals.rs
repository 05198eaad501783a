//! Turns the signals of a service into a state that the loop asks for. Does not end anything itself, but for
//! a second signal to stop, and the end of the time to drain where the output takes nothing.

use std::{
    io,
    os::{
        fd::{AsFd as _, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use signal_hook::{
    SigId,
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag, low_level,
};

/// The signals of a run. Dropping it gives them their usual meaning back.
pub struct Signals {
    stop: Arc<AtomicBool>,
    reload: Arc<AtomicBool>,
    wake: UnixStream,
    ids: Vec<SigId>,
    /// How many bytes have arrived and are not written, as far as the loop knows.
    left: Arc<AtomicU64>,
}

/// Says, in a thread of its own, that the time to drain is over and the output takes nothing: so many bytes are left.
pub type Stuck = Box<dyn FnOnce(u64) + Send>;

/// What a shell shows for SIGINT and SIGTERM.
const SECOND: [(i32, i32); 2] = [(SIGINT, 130), (SIGTERM, 143)];

impl Signals {
    /// Catches SIGHUP, SIGINT and SIGTERM. When the time to drain is over after one to stop, the process ends, even if
    /// the output takes no bytes and the loop waits for it: whatever is on disk then is right, because checkpoints are
    /// replaced as a whole. The output has failed then, which the exit code says.
    pub fn catch(drain: Duration, stuck: Stuck) -> io::Result<Signals> {
        let (wake, write) = UnixStream::pair()?;
        let (watch, stopped) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let stop = Arc::new(AtomicBool::new(false));
        let reload = Arc::new(AtomicBool::new(false));
        let mut ids = Vec::new();
        for (signal, code) in SECOND {
            // The flag is looked at before it is set: only a second signal finds it set.
            ids.push(flag::register_conditional_shutdown(signal, code, Arc::clone(&stop))?);
            ids.push(flag::register(signal, Arc::clone(&stop))?);
            ids.push(low_level::pipe::register(signal, write.try_clone()?)?);
            ids.push(low_level::pipe::register(signal, stopped.try_clone()?)?);
        }
        // The handlers alone hold the other end, so that the thread ends with them.
        drop(stopped);
        let left = Arc::new(AtomicU64::new(0));
        let left_then = Arc::clone(&left);
        let end = move || {
            if wait_out(&watch, drain + GRACE) {
                say(stuck, left_then.load(Ordering::Relaxed));
                std::process::exit(FAILED);
            }
        };
        std::thread::Builder::new().name("drain".to_owned()).spawn(end)?;
        ids.push(flag::register(SIGHUP, Arc::clone(&reload))?);
        ids.push(low_level::pipe::register(SIGHUP, write)?);
        Ok(Signals { stop, reload, wake, ids, left })
    }

    /// Catches nothing.
    #[cfg(test)]
    pub fn none() -> io::Result<Signals> {
        let (wake, _) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        Ok(Signals { stop: Arc::default(), reload: Arc::default(), wake, ids: Vec::new(), left: Arc::default() })
    }

    /// Whether the run is to end.
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether a reload was asked for since the last call.
    pub fn reload(&self) -> bool {
        self.reload.swap(false, Ordering::Relaxed)
    }

    /// Readable when a signal has come.
    pub fn wake(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// So many bytes have arrived and are not written.
    pub fn set_left(&self, bytes: u64) {
        self.left.store(bytes, Ordering::Relaxed);
    }

    /// So many of them were written.
    pub fn took(&self, bytes: u64) {
        // One thread alone changes it.
        self.set_left(self.left.load(Ordering::Relaxed).saturating_sub(bytes));
    }

    /// Takes note that the state was looked at.
    pub fn acknowledge(&self) {
        let _ = io::Read::read(&mut &self.wake, &mut [0; 64]);
    }
}

/// Waits until so much time is over since the first byte of `watch`. Whether it was not closed before.
fn wait_out(watch: &UnixStream, time: Duration) -> bool {
    let mut until: Option<Instant> = None;
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return true;
        }
        // Without a timeout the deadline would wait for the next signal.
        if watch.set_read_timeout(left).is_err() {
            std::thread::sleep(left.unwrap_or_default());
            continue;
        }
        match io::Read::read(&mut &*watch, &mut [0; 8]) {
            Ok(0) => return false,
            Ok(_) => until = until.or(Some(Instant::now() + time)),
            Err(_) => {}
        }
    }
}

/// Has it said what is left. Whoever should hear that may take nothing, either: nobody waits for long.
fn say(stuck: Stuck, left: u64) {
    let (tell, said) = mpsc::channel();
    let speak = move || {
        stuck(left);
        let _ = tell.send(());
    };
    if std::thread::Builder::new().name("last words".to_owned()).spawn(speak).is_ok() {
        let _ = said.recv_timeout(LAST_WORDS);
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            low_level::unregister(id);
        }
    }
}

/// How much later the process is ended than the loop is to end by itself.
const GRACE: Duration = Duration::from_millis(100);

/// How long it may take to say what is left.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// The exit code where the output cannot be written.
const FAILED: i32 = 3;
