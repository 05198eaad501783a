//! Follows lines that a container's runtime has split over records, and whose beginnings are not there: lost, withheld,
//! or in a file that has gone. What is left of such a line cannot be scanned, and is masked whole. Does not mask it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::tokens::End;
use crate::{
    limits::PARTIAL_RECORDS_MAX,
    view::envelope::{self, Format, Record},
};

/// For how many more lines the rest of a line is waited for whose beginning is not there, by stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen([u16; 3]);

/// As long as a filter waits for the rest of a line whose beginning it has.
const LINES_MAX: u16 = PARTIAL_RECORDS_MAX as u16;

impl Unseen {
    /// Behind text that nobody has seen: any stream may have a line open.
    pub const BEHIND_UNREAD: Unseen = Unseen([LINES_MAX; 3]);

    /// Whether there is no such line.
    pub fn is_empty(&self) -> bool {
        *self == Unseen::default()
    }

    /// Whether some text leaves lines like that.
    pub fn is_sound(&self) -> bool {
        self.0.iter().all(|left| *left <= LINES_MAX)
    }

    /// Behind text that was lost: a line that its records leave open has no beginning any more.
    #[must_use]
    pub fn behind(mut self, lost: &[u8]) -> Unseen {
        for line in lost.split_inclusive(|&byte| byte == b'\n') {
            if let Some(record) = envelope::parse(line) {
                self.0[stream(&record)] = if record.partial { LINES_MAX } else { 0 };
            }
        }
        self
    }

    /// Goes over the lines of a piece. What is to be masked of them, and the beginning of a line of which nobody can say
    /// yet whether it is such a one.
    pub fn read(&mut self, text: &[u8], end: End) -> (Vec<Range<usize>>, Option<usize>) {
        let (mut masked, mut start) = (Vec::new(), 0);
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            if self.is_empty() {
                break;
            }
            if end == End::Open && !line.ends_with(b"\n") {
                return (masked, Some(start));
            }
            masked.extend(self.line(line).map(|rest| rest.start + start..rest.end + start));
            start += line.len();
        }
        (masked, None)
    }

    /// What is to be masked of a line.
    fn line(&mut self, line: &[u8]) -> Option<Range<usize>> {
        let record = envelope::parse(line);
        let rest = record.filter(|record| self.0[stream(record)] > 0);
        self.0.iter_mut().for_each(|left| *left = left.saturating_sub(1));
        let record = rest?;
        self.0[stream(&record)] = if record.partial { LINES_MAX } else { 0 };
        let mut text = record.payload;
        // The line end that tells that the line is whole stays.
        let is_last = record.format == Format::Docker && !record.partial && line[text.clone()].ends_with(b"\\n");
        text.end -= if is_last { 2 } else { 0 };
        (!text.is_empty()).then_some(text)
    }
}

fn stream(record: &Record) -> usize {
    usize::from(record.stream.min(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "2026-11-20T23:10:23.1Z stdout P begun\n";

    /// What is masked of lines that follow on such text.
    fn masked<'a>(lost: &str, text: &'a str) -> Vec<&'a str> {
        let mut unseen = Unseen::default().behind(lost.as_bytes());
        unseen.read(text.as_bytes(), End::Line).0.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn the_rest_of_a_line_is_all_records_of_its_stream_up_to_the_last() {
        let text = "2026-11-20T23:10:23.1Z stdout P one\n2026-11-20T23:10:23.1Z stderr F other\n\
            2026-11-20T23:10:23.1Z stdout F two\n2026-11-20T23:10:23.1Z stdout F three\n";
        assert_eq!(masked(OPEN, text), ["one", "two"]);
        assert_eq!(masked(&format!("{OPEN}2026-11-20T23:10:23.1Z stdout F end\n"), text), [""; 0]);
        let docker = |text: &str| format!("{{\"log\":\"{text}\",\"stream\":\"stdout\",\"time\":\"t\"}}\n");
        let text = docker("one") + &docker("two\\n") + &docker("three\\n");
        assert_eq!(masked(&docker("begun"), &text), ["one", "two"]);
    }

    #[test]
    fn a_line_whose_rest_never_comes_is_not_waited_for_forever() {
        let mut unseen = Unseen::default().behind(OPEN.as_bytes());
        unseen.read("a line\n".repeat(PARTIAL_RECORDS_MAX - 1).as_bytes(), End::Line);
        assert!(!unseen.is_empty() && unseen.is_sound());
        unseen.read(b"a line\n", End::Line);
        assert!(unseen.is_empty());
        let (masked, open) = Unseen::default().behind(OPEN.as_bytes()).read(b"2026-11-20T23:10", End::Open);
        assert_eq!((masked.len(), open), (0, Some(0)));
    }
}
