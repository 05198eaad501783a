//! The two helpers between us and a command that has a terminal of its own. They do not touch what
//! it reads or writes.
//!
//! A key such as ^Z stops a process only if somebody of its session, outside of its process group,
//! could continue it. So the leader of the new session is not the command but a *monitor*, its
//! parent: this program once more. It puts the command into the foreground, tells us over a socket
//! when it stops or ends, and passes on what we say. The *launcher* is the process that becomes the
//! command. It stops itself first, so that the command does not begin before the terminal is its
//! own.

use std::{
    ffi::{OsStr, OsString},
    io::{self, Read as _, Write as _},
    os::{
        fd::AsFd as _,
        unix::{net::UnixStream, process::CommandExt as _},
    },
    process::{Child, Stdio},
};

use rustix::{
    process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group, waitpid},
    termios::{tcgetpgrp, tcsetpgrp},
};

use super::{RunError, code_of_signal, ending::wait, signals::Signals};

/// The first argument of a monitor, and of a launcher.
const MONITOR: &str = "--blackbar-run-monitor";
const LAUNCHER: &str = "--blackbar-run-launcher";

/// What we tell the monitor; every other byte is a signal for the command.
pub const CONTINUE: u8 = 0xfe;
/// All of the output was read: the terminal may go.
pub const QUIT: u8 = 0xff;

/// What the monitor tells us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The command has stopped.
    Stopped,
    /// The command has ended, with this code.
    Ended(u8),
}

const STOPPED: u8 = b's';
const ENDED: u8 = b'e';

impl Event {
    /// Reads what the monitor told. A monitor that has gone took the command with it.
    pub fn read(mut stream: &UnixStream) -> Event {
        let mut message = [0; 2];
        match stream.read_exact(&mut message) {
            Ok(()) if message[0] == STOPPED => Event::Stopped,
            Ok(()) => Event::Ended(message[1]),
            Err(_) => Event::Ended(code_of_signal(Signal::KILL.as_raw())),
        }
    }
}

/// This program as a monitor of a command. Its standard input is to be the socket.
pub fn monitor() -> io::Result<std::process::Command> {
    let mut process = std::process::Command::new(this_program()?);
    process.arg(MONITOR);
    Ok(process)
}

/// Acts as a helper if the arguments, without the program's name, say so. Gives the exit code then.
pub fn helper(arguments: &[OsString]) -> Option<u8> {
    let (role, command) = arguments.split_first()?;
    let (program, arguments) = command.split_first()?;
    if role == MONITOR {
        Some(be_monitor(program, arguments).unwrap_or_else(RunError::code))
    } else if role == LAUNCHER {
        Some(launch(program, arguments))
    } else {
        None
    }
}

fn this_program() -> io::Result<OsString> {
    // Also when the file was replaced meanwhile.
    if cfg!(any(target_os = "linux", target_os = "android")) {
        return Ok("/proc/self/exe".into());
    }
    std::env::current_exe().map(Into::into)
}

/// Becomes the command, when the monitor says so. What is said here goes through the filter, as
/// all that the command says.
fn launch(program: &OsStr, arguments: &[OsString]) -> u8 {
    let _ = kill_process(getpid(), Signal::STOP);
    let fault = RunError::starting(&std::process::Command::new(program).args(arguments).exec());
    let name = program.to_string_lossy();
    let _ = writeln!(io::stderr(), "blackbar: {}: {fault}", crate::escape::visible(&name));
    fault.code()
}

fn be_monitor(program: &OsStr, arguments: &[OsString]) -> Result<u8, RunError> {
    let signals = Signals::catch().map_err(RunError::system("catching signals"))?;
    let socket = io::stdin().as_fd().try_clone_to_owned().map_err(RunError::system("copying a descriptor"))?;
    let mut monitor = Monitor { socket: socket.into(), signals, command: start(program, arguments)? };
    let code = monitor.watch();
    let _ = monitor.socket.write_all(&[ENDED, code]);
    // The session ends with us, and the system throws away then what nobody has read of its output.
    let mut said = [0];
    while matches!(monitor.socket.read(&mut said), Ok(1)) && said[0] != QUIT {}
    Ok(code)
}

/// Starts the launcher, gives it the terminal, and lets it go on.
fn start(program: &OsStr, arguments: &[OsString]) -> Result<Child, RunError> {
    let terminal = io::stdout();
    let input = terminal.as_fd().try_clone_to_owned().map_err(RunError::system("copying a descriptor"))?;
    let this = this_program().map_err(RunError::system("finding this program"))?;
    let mut process = std::process::Command::new(this);
    process.arg(LAUNCHER).arg(program).args(arguments).stdin(Stdio::from(input)).process_group(0);
    let child = process.spawn().map_err(RunError::system("starting a process"))?;
    let pid = Pid::from_child(&child);
    let _ = waitpid(Some(pid), WaitOptions::UNTRACED);
    tcsetpgrp(&terminal, pid).map_err(io::Error::from).map_err(RunError::system("giving the terminal away"))?;
    let _ = kill_process(pid, Signal::CONT);
    Ok(child)
}

struct Monitor {
    socket: UnixStream,
    signals: Signals,
    command: Child,
}

impl Monitor {
    /// Waits until the command has ended.
    fn watch(&mut self) -> u8 {
        loop {
            if let Some(code) = self.look() {
                return code;
            }
            wait([self.socket.as_fd(), self.signals.as_fd()].into_iter(), None);
            // SIGCHLD is what counts, and `look` sees to it.
            for signal in self.signals.take() {
                match signal {
                    // The terminal has gone, or somebody says so. The command's end is waited for.
                    Signal::HUP => self.hang_up(),
                    // A key that was typed before the terminal was the command's.
                    Signal::INT | Signal::QUIT | Signal::TSTP => {
                        let _ = kill_process_group(Pid::from_child(&self.command), signal);
                    }
                    _ => {}
                }
            }
            self.listen();
        }
    }

    /// What became of the command since the last look: its code, if it has ended.
    fn look(&mut self) -> Option<u8> {
        let pid = Pid::from_child(&self.command);
        let options = WaitOptions::UNTRACED | WaitOptions::NOHANG;
        let status = match waitpid(Some(pid), options) {
            Ok(Some((_, status))) => status,
            Ok(None) => return None,
            Err(_) => return Some(code_of_signal(Signal::KILL.as_raw())),
        };
        if !status.stopped() {
            return Some(code(status));
        }
        let wants_terminal = [Signal::TTIN, Signal::TTOU].map(|signal| Some(signal.as_raw()));
        let has_terminal = tcgetpgrp(io::stdout()).is_ok_and(|group| group == pid);
        if has_terminal && wants_terminal.contains(&status.stopping_signal()) {
            let _ = kill_process_group(pid, Signal::CONT);
        } else {
            let _ = self.socket.write_all(&[STOPPED, 0]);
        }
        None
    }

    /// Takes what we are told, if anything.
    fn listen(&mut self) {
        let _ = self.socket.set_nonblocking(true);
        let mut said = [0; 16];
        let count = self.socket.read(&mut said);
        let _ = self.socket.set_nonblocking(false);
        let pid = Pid::from_child(&self.command);
        match count {
            // Whoever started us has gone.
            Ok(0) => {
                self.hang_up();
                std::process::exit(i32::from(code_of_signal(Signal::HUP.as_raw())));
            }
            Ok(count) => {
                for &byte in &said[..count] {
                    let _ = match (byte, Signal::from_named_raw(i32::from(byte))) {
                        (CONTINUE, _) => kill_process_group(pid, Signal::CONT),
                        (_, Some(signal @ (Signal::HUP | Signal::TSTP))) => kill_process_group(pid, signal),
                        (_, Some(signal)) => kill_process(pid, signal),
                        (_, None) => Ok(()),
                    };
                }
            }
            Err(_) => {}
        }
    }

    fn hang_up(&self) {
        let pid = Pid::from_child(&self.command);
        let _ = kill_process_group(pid, Signal::HUP);
        let _ = kill_process_group(pid, Signal::CONT);
    }
}

fn code(status: WaitStatus) -> u8 {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(u8::MAX),
        (None, signal) => code_of_signal(signal.unwrap_or(0)),
    }
}
