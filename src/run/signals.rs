//! Turns signals into a list that is asked for. Does not act on them.

use std::{
    io::{self, Read as _},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::process::Signal;
use signal_hook::{flag, low_level};

/// The signals that are caught. All others keep their usual meaning.
const CAUGHT: [Signal; 10] = [
    Signal::CHILD,
    Signal::WINCH,
    Signal::TSTP,
    Signal::CONT,
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::TERM,
    Signal::USR1,
    Signal::USR2,
];

static CAME: [AtomicBool; CAUGHT.len()] = [const { AtomicBool::new(false) }; CAUGHT.len()];

/// The signals of this process, from now on.
pub struct Signals {
    wake: UnixStream,
}

impl Signals {
    /// Catches signals for the rest of the process; but not one that whoever started us has set to
    /// be ignored (`nohup`), so that the command ignores it, too.
    pub fn catch() -> io::Result<Signals> {
        let (wake, write) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let ignored = ignored();
        for (signal, came) in CAUGHT.iter().zip(&CAME) {
            let number = signal.as_raw();
            let is_ignored = ignored >> (number - 1) & 1 == 1;
            // Without SIGCHLD nobody would tell of the command's end.
            if !is_ignored || *signal == Signal::CHILD {
                flag::register(number, came)?;
                low_level::pipe::register(number, write.try_clone()?)?;
            }
        }
        Ok(Signals { wake })
    }

    /// The signals that came since the last call.
    pub fn take(&self) -> impl Iterator<Item = Signal> {
        while matches!((&self.wake).read(&mut [0; 64]), Ok(1..)) {}
        CAUGHT.iter().zip(&CAME).filter(|(_, came)| came.swap(false, Ordering::Relaxed)).map(|(signal, _)| *signal)
    }

    /// Forgets that a signal came.
    pub fn forget(&self, signal: Signal) {
        CAUGHT.iter().zip(&CAME).filter(|(caught, _)| **caught == signal).for_each(|(_, came)| {
            came.store(false, Ordering::Relaxed);
        });
    }
}

/// Readable when a signal has come.
impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

/// The signals that this process ignores, as a bit mask: of the first signal in the lowest bit.
/// Where the system does not tell, none.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
