//! Turns a piece of a log into the texts that are scanned in it: its lines, and the lines that a
//! container's runtime has split over several records. Does not scan.

// A unit usually has one part; clippy takes a list of one range for a slip.
#![allow(clippy::single_range_in_vec_init)]

use std::ops::Range;

use super::tokens::End;
use crate::view::{
    envelope::{self, Format},
    utf16::Encoding,
};

/// A text to be scanned: some ranges of the piece, one after the other.
pub struct Unit {
    /// Where its text stands in the piece.
    pub parts: Vec<Range<usize>>,
    /// The record's text, without what the runtime wrapped around it.
    pub payload: Option<Range<usize>>,
    /// Whether it is a JSON string, still escaped.
    pub docker: bool,
    /// Whether the carry goes through it.
    pub carries: bool,
    /// How it ends.
    pub end: End,
}

/// The texts that are to be scanned in a piece: its lines, and the lines that a container's
/// runtime has split over several records.
pub fn units(text: &[u8], encoding: Encoding, end: End) -> Vec<Unit> {
    let whole = |end| Unit { parts: vec![0..text.len()], payload: None, docker: false, carries: true, end };
    if encoding != Encoding::Bytes {
        return vec![whole(end)];
    }
    let mut units: Vec<Unit> = Vec::new();
    // For each stream the parts of its line that is not complete yet.
    let mut split: [Vec<Range<usize>>; 3] = Default::default();
    let mut start = 0;
    while start < text.len() {
        let stop = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at + 1);
        let end = if text[..stop].ends_with(b"\n") { End::Line } else { end };
        let record = envelope::parse(&text[start..stop]).filter(|_| end != End::Open);
        let mut unit = Unit { parts: vec![start..stop], payload: None, docker: false, carries: true, end };
        if let Some(record) = record {
            let docker = record.format == Format::Docker;
            let open = &mut split[usize::from(record.stream.min(2))];
            let payload = start + record.payload.start..start + record.payload.end;
            let joined = record.partial || !open.is_empty();
            if joined {
                open.push(payload.clone());
            }
            unit.docker = docker;
            unit.payload = Some(payload);
            unit.carries = !joined;
            units.push(unit);
            if joined && !record.partial {
                let parts = std::mem::take(open);
                units.push(Unit { parts, payload: None, docker, carries: true, end: End::Line });
            }
        } else {
            units.push(unit);
            if end == End::Open
                && let Some(payload) = envelope::unfinished(&text[start..])
            {
                let parts = vec![start + payload.start..start + payload.end];
                units.push(Unit { parts, payload: None, docker: true, carries: false, end });
            }
        }
        start = stop;
    }
    for parts in split.into_iter().filter(|parts| !parts.is_empty()) {
        // The line goes on in a record that is not here yet, or never will be.
        let end = if end == End::Input { End::Input } else { End::Open };
        let docker = text.get(parts[0].start.saturating_sub(1)) == Some(&b'"');
        // What it says about the next line is not known before it is whole.
        units.push(Unit { parts, payload: None, docker, carries: false, end });
    }
    units
}

/// Whether a piece that ends with `line` may be the beginning of a line split over records.
pub fn is_partial(line: &[u8]) -> Option<(u8, bool)> {
    envelope::parse(line).map(|record| (record.stream, record.partial))
}
