//! Confirms lines to whoever sends them, when they are done with. Does not know what becomes of them.
//!
//! This is what rsyslog's `omprog` wants with `confirmMessages`: a line `OK` when the program is ready, and
//! one for each line that it was given. The sender keeps a line until it is confirmed, and sends it again
//! to the next program if this one ends before that.

use std::io::{self, Read, Write};

/// An input whose lines are confirmed. Whoever asks for more bytes says with it that he has done with
/// those before: a pipeline without threads has written them.
pub struct Confirmed<R, W> {
    input: R,
    answers: W,
    /// How many answers are due. The first one says that we are ready.
    due: usize,
}

impl<R: Read, W: Write> Confirmed<R, W> {
    /// Reads from `input` and answers on `answers`.
    pub fn new(input: R, answers: W) -> Self {
        Confirmed { input, answers, due: 1 }
    }
}

impl<R: Read, W: Write> Read for Confirmed<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.due > 0 {
            self.answers.write_all("OK\n".repeat(self.due).as_bytes())?;
            self.answers.flush()?;
            self.due = 0;
        }
        let length = self.input.read(buffer)?;
        self.due = memchr::memchr_iter(b'\n', &buffer[..length]).count();
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_confirmed_when_the_next_bytes_are_asked_for() {
        let mut answers = Vec::new();
        let mut confirmed = Confirmed::new(io::Cursor::new(b"one\ntwo\nthr".to_vec()), &mut answers);
        let mut steps = Vec::new();
        loop {
            let length = confirmed.read(&mut [0; 6]).unwrap();
            steps.push((length, confirmed.answers.len() / 3));
            if length == 0 {
                break;
            }
        }
        assert_eq!(steps, [(6, 1), (5, 2), (0, 3)]);
        assert_eq!(answers, b"OK\nOK\nOK\n");
    }
}
