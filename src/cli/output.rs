//! Prints what a command was asked for. Does not carry logs: those go through a sink.

use std::io::{self, Write as _};

use super::{
    exit::{Exit, Failure},
    files,
};

/// Writes a text to standard output. A reader that has gone (`blackbar rules list | head`) is a
/// quiet end.
pub fn print(text: &str) -> Result<Exit, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Exit::Done),
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::ClosedOutput),
        Err(fault) => Err(Failure::io(format!("standard output: {}", files::reason(fault.kind())))),
    }
}
