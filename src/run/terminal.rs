//! Sets the terminal that we run in to pass every key on, and back. Does not read keys.

use std::io::{self, Stdin};

use rustix::{
    process::{Pid, getpgrp, getpid, getsid},
    termios::{OptionalActions, Termios, Winsize, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr},
};

/// The terminal on our standard input. It is as we found it when this is dropped.
pub struct Terminal {
    input: Stdin,
    found: Termios,
    raw: bool,
}

impl Terminal {
    /// Takes note of how the terminal is set.
    pub fn ours() -> io::Result<Terminal> {
        let input = io::stdin();
        let found = tcgetattr(&input)?;
        Ok(Terminal { input, found, raw: false })
    }

    /// How it was set.
    pub fn found(&self) -> &Termios {
        &self.found
    }

    /// How large it is.
    pub fn size(&self) -> Option<Winsize> {
        tcgetwinsize(&self.input).ok()
    }

    /// Whether it is ours to read and to set: our shell has not put us into the background.
    pub fn is_in_foreground(&self) -> bool {
        tcgetpgrp(&self.input).is_ok_and(|group| group == getpgrp())
    }

    /// Lets every key pass as it is. Does nothing in the background.
    pub fn enter(&mut self) {
        if self.raw || !self.is_in_foreground() {
            return;
        }
        // Whoever had it meanwhile may have set it anew.
        if let Ok(now) = tcgetattr(&self.input) {
            self.found = now;
        }
        let mut raw = self.found.clone();
        raw.make_raw();
        self.raw = tcsetattr(&self.input, OptionalActions::Drain, &raw).is_ok();
    }

    /// Sets it as it was.
    pub fn leave(&mut self) {
        if self.raw {
            let _ = tcsetattr(&self.input, OptionalActions::Drain, &self.found);
            self.raw = false;
        }
    }

    /// Whether keys pass.
    pub fn is_entered(&self) -> bool {
        self.raw
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Whether somebody would continue us if we stopped: a process of our session, outside of our
/// process group, above us. Without one a stop would be for ever, and the system lets none happen.
pub fn can_stop() -> bool {
    let session = getsid(None).ok();
    let mut process = getpid();
    while let Some(parent) = parent(process) {
        match (getsid(Some(parent)).ok() == session, rustix::process::getpgid(Some(parent)).ok()) {
            (false, _) | (_, None) => return false,
            (true, Some(group)) if group != getpgrp() => return true,
            (true, Some(_)) => process = parent,
        }
    }
    false
}

fn parent(process: Pid) -> Option<Pid> {
    if process == getpid() { rustix::process::getppid() } else { super::nested::parent_of(process) }
}
