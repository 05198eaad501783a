//! Exit codes, and the failures that lead to them. Does not print.

use std::process::ExitCode;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The job was done.
    Done,
    /// Findings reached `--fail-on`; the code is `--exit-code`.
    Findings(u8),
    /// Wrong usage, configuration or rules.
    Usage,
    /// Input, output or the filter itself failed.
    Failed,
    /// Who reads our output has gone; what a shell shows for SIGPIPE.
    ClosedOutput,
    /// Of `run`: the command's own code, or what stands for why there is none.
    Code(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => ExitCode::SUCCESS,
            Exit::Findings(code) | Exit::Code(code) => ExitCode::from(code),
            Exit::Usage => ExitCode::from(2),
            Exit::Failed => ExitCode::from(3),
            Exit::ClosedOutput => ExitCode::from(141),
        }
    }
}

/// Why a command can't go on. It holds our own words only: there is no conversion from foreign
/// errors, because many of them print the value they choked on.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// How to end.
    pub exit: Exit,
    /// What to say; nothing for ends that are quiet.
    pub message: Option<String>,
}

impl Failure {
    /// The user has to change something: exit 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: Some(message.into()) }
    }

    /// The system failed: exit 3.
    pub fn io(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, message: Some(message.into()) }
    }

    /// An end without a word.
    pub fn quiet(exit: Exit) -> Self {
        Self { exit, message: None }
    }
}
