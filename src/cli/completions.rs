//! `blackbar completions SHELL`: prints a shell's completion script.

use clap::ArgMatches;
use clap_complete::Shell;

use super::{
    args,
    exit::{Exit, Failure},
    output,
};

/// Runs the command.
pub fn run(matches: &ArgMatches) -> Result<Exit, Failure> {
    let Some(shell) = matches.get_one::<Shell>("shell") else {
        return Err(Failure::usage("SHELL is missing"));
    };
    let mut script = Vec::new();
    clap_complete::generate(*shell, &mut args::command(), "blackbar", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
