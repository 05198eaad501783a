//! Runs a command with a pipe for each of its outputs. Its input is ours, and it stays in our
//! process group: whoever stops or kills the group means both.

use std::{
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::ExitStatusExt as _,
    },
    process::{Child, ExitStatus, Stdio},
};

use rustix::{
    fs::{Mode, OFlags},
    process::{Pid, Signal, getpgrp, getpid, kill_process},
};

use super::{
    Command, Ended, Filters, RunError, Stream, code_of_signal,
    ending::{Ending, wait},
    outputs::Outputs,
    signals::Signals,
};

/// Runs it to its end.
pub fn run(command: &Command, filters: &Filters, signals: &Signals) -> Result<Ended, RunError> {
    let pipe = || io::pipe().map_err(RunError::system("making a pipe"));
    let mut process = std::process::Command::new(&command.program);
    process.args(&command.arguments);
    command.prepare(&mut process)?;
    let mut outputs: Vec<(Stream, OwnedFd)> = Vec::new();
    let (output, input) = pipe()?;
    filters.outlets.add(input.as_fd());
    if one_file() {
        let copy = input.try_clone().map_err(RunError::system("copying a descriptor"))?;
        process.stdout(input).stderr(copy);
        outputs.push((Stream::Both, output.into()));
    } else {
        let (error, error_input) = pipe()?;
        filters.outlets.add(error_input.as_fd());
        process.stdout(input).stderr(error_input);
        outputs.extend([(Stream::Output, output.into()), (Stream::Error, error.into())]);
    }
    process.stdin(Stdio::inherit());
    let child = process.spawn().map_err(|fault| RunError::starting(&fault))?;
    // Our own copies of the ends that are written to go, or the pipes would never end.
    drop(process);
    let mut supervised = Supervised { child, outputs: Outputs::default(), ending: Ending::new(command.drain) };
    for (stream, from) in outputs {
        if let Err(fault) = supervised.outputs.add(stream, from, filters) {
            let _ = supervised.child.kill();
            return Err(fault);
        }
    }
    Ok(supervised.watch(signals))
}

/// Whether our output and error are the same pipe or file. Then the command gets one pipe for both,
/// so that what it writes keeps its order.
fn one_file() -> bool {
    let of = |fd: BorrowedFd<'_>| rustix::fs::fstat(fd).ok().map(|stat| (stat.st_dev, stat.st_ino));
    let output = of(io::stdout().as_fd());
    output.is_some() && output == of(io::stderr().as_fd())
}

/// A command that runs, and its outputs.
struct Supervised {
    child: Child,
    outputs: Outputs,
    ending: Ending,
}

impl Supervised {
    fn watch(mut self, signals: &Signals) -> Ended {
        let mut ended: Option<ExitStatus> = None;
        loop {
            let done = self.outputs.look();
            if ended.is_none() {
                // A fault would say that there is no such child.
                ended = self.child.try_wait().unwrap_or(Some(ExitStatus::from_raw(0)));
                if ended.is_some() {
                    self.ending.begin();
                }
            }
            if let Some(status) = ended
                && (done || self.ending.is_over(&mut self.outputs))
            {
                return Ended { code: code(status), streams: self.outputs.end() };
            }
            wait([signals.as_fd()].into_iter().chain(self.outputs.pending()), self.ending.timeout());
            for signal in signals.take() {
                match signal {
                    Signal::CHILD | Signal::WINCH => {}
                    _ if ended.is_some() => self.ending.hasten(signal),
                    _ => self.forward(signal),
                }
            }
        }
    }

    /// Passes a signal on, unless the terminal has sent it to the command, too.
    fn forward(&mut self, signal: Signal) {
        let from_terminal = matches!(signal, Signal::INT | Signal::QUIT | Signal::TSTP) && is_in_foreground();
        if !from_terminal {
            let _ = kill_process(Pid::from_child(&self.child), signal);
        }
        self.ending.note(signal);
        if signal == Signal::TSTP {
            let _ = kill_process(getpid(), Signal::STOP);
        }
    }
}

/// Whether a terminal sends the signals of its keys to our process group, and so to the command.
fn is_in_foreground() -> bool {
    let terminal = rustix::fs::open("/dev/tty", OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
    terminal.and_then(rustix::termios::tcgetpgrp).is_ok_and(|group| group == getpgrp())
}

fn code(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(u8::MAX),
        (None, signal) => code_of_signal(signal.unwrap_or(0)),
    }
}
