//! Runs a command and filters what it writes. Does not say anything: how it ended, and what was
//! found, goes to the caller.
//!
//! Where our standard input, output and error are a terminal, the command gets one of its own for
//! all three (`pty`), else a pipe for each output (`pipes`). Either way each output has a filter and
//! a thread of its own (`outputs`), and the calling thread waits for the command, signals and time.

mod ending;
mod monitor;
mod nested;
mod outputs;
mod pipes;
mod pty;
mod signals;
pub mod socket;
mod terminal;

use std::{
    ffi::OsString,
    fs::File,
    io::{self, IsTerminal as _},
    sync::Arc,
    time::Duration,
};

use command_fds::{CommandFdExt as _, FdMapping};

pub use self::{
    monitor::helper,
    nested::{is_nested, replace},
};
use crate::{
    filter::Stats,
    finding::Finding,
    pipeline::{PipelineError, Settings},
    scan::Engine,
    service::SourceKind,
};

/// What to run, and how.
pub struct Command {
    /// The program: a path, or a name that is looked for in `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables that it does not get.
    pub without: Vec<OsString>,
    /// Variables that it gets besides our own.
    pub with: Vec<(OsString, OsString)>,
    /// A descriptor that it does not get: our own secrets came through it.
    pub without_descriptor: Option<i32>,
    /// Pipes even where there is a terminal.
    pub no_pty: bool,
    /// How long its outputs are read after its end, if somebody else holds them open.
    pub drain: Duration,
}

/// Where the filters get their rules, and where their findings go.
#[derive(Clone)]
pub struct Filters {
    /// Rules and options.
    pub engine: Arc<Engine>,
    /// How each output is filtered.
    pub settings: Settings,
    /// Takes what is found, from any thread.
    pub on_finding: Arc<dyn Fn(Stream, Finding) + Send + Sync>,
    /// What the command's output can be known by, so that a `run` inside it finds out.
    pub outlets: Arc<nested::Outlets>,
}

/// An output of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Its standard output.
    Output,
    /// Its standard error.
    Error,
    /// One terminal, pipe or file for both.
    Both,
}

impl Stream {
    /// What it is called in messages and findings.
    pub fn name(self) -> &'static str {
        match self {
            Stream::Output => "stdout",
            Stream::Error => "stderr",
            Stream::Both => "output",
        }
    }

    /// What it is called in metrics.
    pub fn kind(self) -> SourceKind {
        match self {
            Stream::Output => SourceKind::Stdout,
            Stream::Error => SourceKind::Stderr,
            Stream::Both => SourceKind::Both,
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The command's exit code, or 128 and the number of the signal that ended it.
    pub code: u8,
    /// What became of each output.
    pub streams: Vec<Filtered>,
}

/// What became of an output.
#[derive(Debug)]
pub struct Filtered {
    /// Which one.
    pub stream: Stream,
    /// The counts of its filter, or why that ended early. `None` if a signal ended the run while
    /// clean bytes still waited for their reader.
    pub result: Option<Result<Stats, PipelineError>>,
    /// Whether a process that the command has left behind could have written more.
    pub cut: bool,
}

/// Why a command could not be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// There is no such program.
    #[error("no such program")]
    NotFound,
    /// It is there and cannot be executed.
    #[error("cannot be executed: {0}")]
    NotExecutable(io::ErrorKind),
    /// The system refused something that we need ourselves.
    #[error("{what}: {kind}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the system said.
        kind: io::ErrorKind,
    },
}

impl RunError {
    fn system(what: &'static str) -> impl FnOnce(io::Error) -> RunError {
        move |fault| RunError::System { what, kind: fault.kind() }
    }

    /// What a failed start of a program means.
    fn starting(fault: &io::Error) -> RunError {
        match fault.kind() {
            io::ErrorKind::NotFound => RunError::NotFound,
            kind @ (io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory) => {
                RunError::System { what: "starting a process", kind }
            }
            kind => RunError::NotExecutable(kind),
        }
    }

    /// The exit code, as `env`, `timeout` and `docker run` have it.
    pub fn code(self) -> u8 {
        match self {
            RunError::NotFound => 127,
            RunError::NotExecutable(_) => 126,
            RunError::System { .. } => 125,
        }
    }
}

/// Whether the command would get a terminal of its own.
pub fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Runs a command to its end.
///
/// # Errors
/// If it could not be started.
pub fn run(command: &Command, filters: &Filters) -> Result<Ended, RunError> {
    let signals = signals::Signals::catch().map_err(RunError::system("catching signals"))?;
    if has_terminal() && !command.no_pty {
        pty::run(command, filters, &signals)
    } else {
        pipes::run(command, filters, &signals)
    }
}

impl Command {
    /// Gives a process that is to be started its variables, and takes what it is not to have.
    fn prepare(&self, process: &mut std::process::Command) -> Result<(), RunError> {
        self.without.iter().for_each(|name| {
            process.env_remove(name);
        });
        process.envs(self.with.iter().map(|(name, value)| (name, value)));
        // The first three are its own. Another one cannot be closed, but there is nothing to read in it.
        if let Some(child_fd) = self.without_descriptor.filter(|&number| number > 2) {
            let nothing = File::open("/dev/null").map_err(RunError::system("opening /dev/null"))?;
            let mapping = FdMapping { parent_fd: nothing.into(), child_fd };
            // One alone cannot collide.
            let _ = process.fd_mappings(vec![mapping]);
        }
        Ok(())
    }
}

/// 128 and the signal, as shells have it.
fn code_of_signal(signal: i32) -> u8 {
    u8::try_from(signal).unwrap_or(0).saturating_add(128)
}
