//! Runs a command in a terminal of its own, and passes on what is between it and ours: output
//! through the filter, keys, the window's size, signals, stop and continue.

use std::{
    io::{self, Write as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    process::Child,
    time::{Duration, Instant},
};

use pty_process::blocking::{Pty, open};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Signal, getpid, kill_current_process_group, kill_process},
    termios::{OptionalActions, tcsetattr, tcsetwinsize},
};

use crate::KnownValues;

use super::{
    Command, Ended, Filters, RunError, Stream,
    ending::{Ending, wait},
    monitor::{self, Event},
    outputs::Outputs,
    signals::Signals,
    terminal::{Terminal, can_stop},
};

/// Runs it to its end.
pub fn run(command: &Command, filters: &Filters, signals: &Signals) -> Result<Ended, RunError> {
    let terminal = Terminal::ours().map_err(RunError::system("asking the terminal"))?;
    let fault = |fault: pty_process::Error| match fault {
        pty_process::Error::Io(fault) => RunError::system("opening a terminal")(fault),
        pty_process::Error::Rustix(fault) => RunError::system("opening a terminal")(fault.into()),
    };
    let (near, far) = open().map_err(fault)?;
    let set = tcsetattr(&far, OptionalActions::Now, terminal.found());
    set.map_err(io::Error::from).map_err(RunError::system("setting a terminal"))?;
    filters.outlets.add(far.as_fd());
    let (socket, theirs) = UnixStream::pair().map_err(RunError::system("making a socket"))?;
    let mut process = monitor::monitor().map_err(RunError::system("finding this program"))?;
    process.arg(&command.program).args(&command.arguments);
    command.prepare(&mut process)?;
    let process = pty_process::blocking::Command::from(process).stdin(OwnedFd::from(theirs));
    let output = near.as_fd().try_clone_to_owned().map_err(RunError::system("copying a descriptor"))?;
    // Nobody may wait for the terminal's other side to take a key.
    rustix::io::ioctl_fionbio(&near, true).map_err(io::Error::from).map_err(RunError::system("a terminal"))?;
    let mut session = Session {
        near: Some(near),
        keys: Vec::new(),
        terminal,
        outputs: Outputs::default(),
        socket,
        ending: Ending::new(Duration::ZERO),
        keys_end: false,
        known: filters.engine.options().known.clone(),
    };
    session.resize();
    session.outputs.add(Stream::Both, output, filters)?;
    // Before the command can write: its line ends are those of its own terminal already.
    session.terminal.enter();
    let mut monitor = process.spawn(far).map_err(fault)?;
    let code = session.watch(signals);
    Ok(session.end(code, signals, &mut monitor))
}

/// The most that is read of the keyboard before the command takes it (bytes).
const KEYS_BYTES_MAX: usize = 4096;

/// How long output of a command that has stopped is waited for, at most, before we stop, too.
const SETTLE: Duration = Duration::from_millis(50);

/// How long it takes to write what was read.
const WRITE: Duration = Duration::from_millis(2);

/// How often a run in the background looks whether it was put into the foreground.
const FOREGROUND_CHECK: Duration = Duration::from_millis(200);

struct Session {
    /// The near side of the command's terminal. Gone when nobody filters any more what it writes: that hangs up.
    near: Option<Pty>,
    /// Keys that the command has not taken yet.
    keys: Vec<u8>,
    keys_end: bool,
    terminal: Terminal,
    outputs: Outputs,
    /// To the monitor.
    socket: UnixStream,
    ending: Ending,
    /// Told how wide the terminal is: where programs break lines, values are broken, too.
    known: KnownValues,
}

impl Session {
    /// Waits until the command has ended. Gives its code.
    fn watch(&mut self, signals: &Signals) -> u8 {
        loop {
            // Its filter has failed, and is not to withhold the rest. As with a closed pipe, the command learns of it when
            // it writes, and must not wait for ever.
            if self.outputs.look() {
                self.near = None;
            }
            if self.wait(signals) {
                match Event::read(&self.socket) {
                    Event::Ended(code) => return code,
                    Event::Stopped => self.stop(signals),
                }
            }
            for signal in signals.take() {
                match signal {
                    Signal::CHILD => {}
                    Signal::WINCH => self.resize(),
                    Signal::CONT => self.go_on(),
                    _ => {
                        self.ending.note(signal);
                        self.tell(signal.as_raw() as u8);
                    }
                }
            }
        }
    }

    /// Waits for something to happen, and passes keys on. Says whether the monitor has something to
    /// tell.
    fn wait(&mut self, signals: &Signals) -> bool {
        let input = io::stdin();
        if !self.terminal.is_entered() {
            self.terminal.enter();
        }
        let listens = self.terminal.is_entered() && !self.keys_end;
        let mut list = vec![PollFd::new(signals, PollFlags::IN), PollFd::new(&self.socket, PollFlags::IN)];
        match &self.near {
            Some(near) if !self.keys.is_empty() => list.push(PollFd::new(near, PollFlags::OUT)),
            Some(_) if listens => list.push(PollFd::new(&input, PollFlags::IN)),
            _ => {}
        }
        let passes = list.len() > 2;
        list.extend(self.outputs.pending().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(FOREGROUND_CHECK.subsec_nanos()) };
        let wait = (!self.terminal.is_entered()).then_some(wait);
        if poll(&mut list, wait.as_ref()).is_err() {
            return false;
        }
        let told = |at: usize| list.get(at).is_some_and(|fd: &PollFd<'_>| !fd.revents().is_empty());
        let (monitor, ready) = (told(1), passes && told(2));
        if ready {
            self.pass_keys();
        }
        monitor
    }

    fn pass_keys(&mut self) {
        let Some(near) = &self.near else { return };
        if self.keys.is_empty() {
            let mut keys = [0; KEYS_BYTES_MAX];
            match rustix::io::read(io::stdin(), &mut keys) {
                Ok(0) => self.keys_end = true,
                Ok(count) => self.keys.extend_from_slice(&keys[..count]),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(_) => self.keys_end = true,
            }
        }
        match rustix::io::write(near, &self.keys) {
            Ok(count) => {
                self.keys.drain(..count);
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => self.keys.clear(),
        }
    }

    /// Stops with the command, and goes on with it.
    fn stop(&mut self, signals: &Signals) {
        if can_stop() {
            let unread = |near: &Pty| {
                let time = Timespec::default();
                poll(&mut [PollFd::new(near, PollFlags::IN)], Some(&time)).is_ok_and(|count| count > 0)
            };
            let until = Instant::now() + SETTLE;
            while self.near.as_ref().is_some_and(unread) && Instant::now() < until {
                std::thread::sleep(WRITE);
            }
            std::thread::sleep(WRITE);
            self.terminal.leave();
            let _ = kill_current_process_group(Signal::TSTP);
            let _ = kill_process(getpid(), Signal::STOP);
            // The one was for the others, and to the other we see here.
            signals.forget(Signal::TSTP);
            signals.forget(Signal::CONT);
            self.go_on();
        } else {
            self.tell(monitor::CONTINUE);
        }
    }

    fn go_on(&mut self) {
        self.terminal.enter();
        self.resize();
        self.tell(monitor::CONTINUE);
    }

    fn resize(&self) {
        if let Some(size) = self.terminal.size() {
            let _ = self.near.as_ref().map(|near| tcsetwinsize(near, size));
            self.known.set_width(usize::from(size.ws_col));
        }
    }

    fn tell(&self, what: u8) {
        let _ = (&self.socket).write_all(&[what]);
    }

    /// Reads what is left of the output, then lets the terminal go.
    fn end(mut self, code: u8, signals: &Signals, monitor: &mut Child) -> Ended {
        self.ending.begin();
        while !self.outputs.look() && !self.ending.is_over(&mut self.outputs) {
            wait([signals.as_fd()].into_iter().chain(self.outputs.pending()), self.ending.timeout());
            for signal in signals.take() {
                self.ending.hasten(signal);
            }
        }
        self.tell(monitor::QUIT);
        let _ = monitor.wait();
        self.terminal.leave();
        // A process that the command left behind has lost its terminal, as when a window is closed.
        let mut streams = self.outputs.end();
        streams.iter_mut().for_each(|stream| stream.cut = false);
        Ended { code, streams }
    }
}
