//! Turns arguments into a command and its end into an exit code. Everything else is in `cli`, and
//! all that has to do with bytes is in the library.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::start(std::env::args_os()).into()
}
