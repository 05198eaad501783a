//! Follows the commands in a stream, and writes their lines. Does not read them: `scan` does.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::{Encoding, End, Filter};
use crate::scan::{
    Commands, Settled,
    commands::{self, Command},
};

impl Filter {
    pub(super) fn follows_commands(&self) -> bool {
        self.engine.options().commands != Commands::Ignore && self.encoding == Encoding::Bytes
    }

    /// The command of a line, if commands are followed and it has one.
    pub(super) fn command_in(&self, line: &[u8]) -> Option<Command> {
        if !self.follows_commands() {
            return None;
        }
        commands::parse(line, self.stopped.as_deref())
    }

    /// Ends the window, whose last line begins at `start` and has this command.
    pub(super) fn end_with_command(&mut self, start: usize, command: Command) {
        let line = self.window.split_off(start);
        let written = self.written.saturating_sub(start);
        if start > 0 {
            self.written = self.written.min(start);
            self.settle_window(End::Line);
            self.close_window();
        }
        self.command(&line, written, command);
        self.forget_window();
    }

    /// Follows the command of a line, and writes the line from `written` on.
    pub(super) fn command(&mut self, line: &[u8], written: usize, command: Command) {
        let mut shown = Cow::Borrowed(line);
        match command {
            Command::Stop { token } => self.stopped = Some(token),
            Command::Resume => self.stopped = None,
            Command::AddMask { data, decoded } => {
                let decoded = Zeroizing::new(decoded);
                let known = &self.engine.options().known;
                self.tally.told(known.add("add-mask", &decoded).is_err());
                self.follow();
                if self.engine.options().commands == Commands::Pass {
                    self.output.settled(Settled::command(&line[written..]));
                    return self.tally.advance(line, Encoding::Bytes);
                }
                let end = line.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                if !decoded.is_empty() {
                    shown = [&line[..data], b"***", &line[line.len() - end..]].concat().into();
                }
            }
        }
        self.settler.settle(&self.engine, &shown, Encoding::Bytes, End::Line, &mut self.carry);
        self.output.settled(self.settler.part(&self.engine, &shown, written, shown.len()));
        self.tally.report(&self.engine, &self.settler, &shown, written..shown.len(), Encoding::Bytes);
        self.tally.advance(line, Encoding::Bytes);
    }
}
