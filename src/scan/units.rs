//! Turns a piece of a log into the texts that are scanned in it: its lines, and the lines that a
//! container's runtime has split over several records. Does not scan.

use std::ops::Range;

use super::tokens::End;
use crate::view::{
    envelope::{self, Format},
    utf16::Encoding,
};

/// A text to be scanned: some ranges of the piece, one after the other.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Which of the ranges of [`Units`] say where its text stands in the piece.
    parts: Range<usize>,
    /// The record's text, without what the runtime wrapped around it.
    pub payload: Option<Range<usize>>,
    /// Whether it is a JSON string, still escaped.
    pub docker: bool,
    /// Whether its text is all inside of that string.
    pub inside: bool,
    /// Whether its record is not there to its end, or may turn out to be none: then nothing is masked in it yet.
    pub perhaps: bool,
    /// Whether the carry goes through it.
    pub carries: bool,
    /// Whether it is a record that says that its line goes on. It may be a whole line for all that: nobody knows who wrote it.
    pub partial: bool,
    /// How it ends.
    pub end: End,
    /// Whether runs of base64 and hexadecimal digits in it are decoded.
    pub decodes: bool,
}

impl Unit {
    /// Of some ranges that are looked at by themselves.
    pub fn of_ranges(end: End) -> Unit {
        Unit { carries: false, ..Unit::of_parts(0..0, end) }
    }

    fn of_parts(parts: Range<usize>, end: End) -> Unit {
        Unit {
            parts,
            payload: None,
            docker: false,
            inside: false,
            perhaps: false,
            carries: true,
            partial: false,
            end,
            decodes: true,
        }
    }

    /// The same, in which nothing is decoded.
    pub fn undecoded(self) -> Unit {
        Unit { decodes: false, ..self }
    }
}

/// The texts that are to be scanned in a piece: its lines, and the lines that a container's
/// runtime has split over several records. Reused from piece to piece.
#[derive(Debug, Default)]
pub struct Units {
    units: Vec<Unit>,
    parts: Vec<Range<usize>>,
    /// For each stream the parts of its line that is not complete yet.
    split: [Vec<Range<usize>>; 3],
}

impl Units {
    /// Finds those of another piece.
    pub fn read(&mut self, text: &[u8], encoding: Encoding, end: End) {
        self.units.clear();
        self.parts.clear();
        if encoding != Encoding::Bytes {
            return self.add(0..text.len(), end);
        }
        let mut start = 0;
        while start < text.len() {
            let stop = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at + 1);
            self.line(text, start..stop, end);
            start = stop;
        }
        for stream in 0..self.split.len() {
            let Some(first) = self.split[stream].first() else { continue };
            let docker = text.get(first.start.saturating_sub(1)) == Some(&b'"');
            // The line goes on in a record that is not here yet, or never will be.
            self.add_split(stream, docker, if end == End::Input { End::Input } else { End::Open });
            // What it says about the next line is not known before it is whole.
            self.last().carries = false;
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// One of them, and where its text stands in the piece.
    pub fn get(&self, index: usize) -> (&Unit, &[Range<usize>]) {
        let unit = &self.units[index];
        (unit, &self.parts[unit.parts.clone()])
    }

    /// Adds the line at `line`, which is the piece's last one if it has no line end.
    fn line(&mut self, text: &[u8], line: Range<usize>, end: End) {
        let bytes = &text[line.clone()];
        let start = line.start;
        let end = if bytes.ends_with(b"\n") { End::Line } else { end };
        self.add(line, end);
        let Some(record) = envelope::parse(bytes).filter(|_| end != End::Open) else {
            if end == End::Open
                && let Some((format, payload)) = envelope::unfinished(bytes)
            {
                self.add(start + payload.start..start + payload.end, end);
                let unit = self.last();
                let docker = format == Format::Docker;
                (unit.docker, unit.inside, unit.perhaps, unit.carries) = (docker, docker, true, false);
            }
            return;
        };
        let docker = record.format == Format::Docker;
        let stream = usize::from(record.stream.min(2));
        let payload = start + record.payload.start..start + record.payload.end;
        let joined = record.partial || !self.split[stream].is_empty();
        let unit = self.last();
        unit.docker = docker;
        unit.payload = Some(payload.clone());
        unit.carries = !joined;
        unit.partial = record.partial;
        if record.partial {
            // Where records were lost, the next one is of another line: what this one cuts is masked as at the end of the input.
            self.add(payload.clone(), End::Input);
            let unit = self.last();
            (unit.docker, unit.inside, unit.carries) = (docker, docker, false);
        }
        if joined {
            self.split[stream].push(payload);
        }
        if joined && !record.partial {
            self.add_split(stream, docker, end);
        }
    }

    fn add(&mut self, part: Range<usize>, end: End) {
        let parts = self.parts.len()..self.parts.len() + 1;
        self.parts.push(part);
        self.units.push(Unit::of_parts(parts, end));
    }

    /// Adds the parts of a stream's line, which is split no more.
    fn add_split(&mut self, stream: usize, docker: bool, end: End) {
        let first = self.parts.len();
        self.parts.append(&mut self.split[stream]);
        self.units.push(Unit { docker, inside: docker, ..Unit::of_parts(first..self.parts.len(), end) });
    }

    /// The one that was added last.
    fn last(&mut self) -> &mut Unit {
        // Asked only behind `add`.
        let last = self.units.len() - 1;
        &mut self.units[last]
    }
}

/// Whether a piece that ends with `line` may be the beginning of a line split over records.
pub fn is_partial(line: &[u8]) -> Option<(u8, bool)> {
    envelope::parse(line).map(|record| (record.stream, record.partial))
}
