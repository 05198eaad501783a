//! Shows on a terminal how far a scan has come. Does not read files.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use super::{
    settings::Settings,
    summary::{counted, grouped},
};

/// A line at the foot of the terminal.
pub struct Progress {
    on: bool,
    after: Duration,
    start: Instant,
    drawn: Option<Instant>,
}

impl Progress {
    /// Shown by itself on a terminal, for what takes longer than a second.
    pub fn new(settings: &Settings) -> Self {
        let (on, after) = match settings.word("progress", "auto") {
            "always" => (true, Duration::ZERO),
            "never" => (false, Duration::ZERO),
            _ => (!settings.switch("quiet") && io::stderr().is_terminal(), AFTER),
        };
        Progress { on, after, start: Instant::now(), drawn: None }
    }

    /// Draws the line anew, if it is time to.
    pub fn draw(&mut self, files: u64, bytes: u64, findings: u64) {
        let now = Instant::now();
        let is_early = self.drawn.is_some_and(|drawn| now - drawn < EVERY);
        if !self.on || is_early || now - self.start < self.after {
            return;
        }
        self.drawn = Some(now);
        let rate = bytes as f64 / (now - self.start).as_secs_f64().max(0.001);
        let (files, findings) = (counted(files, "file"), counted(findings, "finding"));
        write(&format!("\r\u{1b}[K{files}, {}, {}/s, {findings}", size(bytes), size(rate as u64)));
    }

    /// Takes the line away, so that something else can be said.
    pub fn clear(&mut self) {
        if self.drawn.take().is_some() {
            write("\r\u{1b}[K");
        }
    }
}

/// A number of bytes for people: `1.5 GB`.
pub fn size(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match units.iter().find(|(_, unit)| bytes as f64 >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit),
        None => format!("{} B", grouped(bytes)),
    }
}

fn write(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// How long a scan takes before it is worth a line.
const AFTER: Duration = Duration::from_secs(1);

/// How often the line changes.
const EVERY: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1500), "1.5 kB");
        assert_eq!(size(2_000_000_000), "2.0 GB");
    }
}
