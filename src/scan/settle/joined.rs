//! Turns lines that some program broke at a width into the one text that they stand for, and scans it. Does not hold lines
//! until the next ones are there.

use super::Settler;
use crate::{
    scan::{
        Engine,
        carry::Carry,
        known::wrap::{self, GoesOn},
        tokens::End,
        units::Unit,
    },
    view::utf16::Encoding,
};

impl Settler {
    /// Reads base64 that was broken over lines as the one text that it stands for.
    pub(super) fn joined_base64(&mut self, engine: &Engine, end: End) {
        let (mut run, mut parts, mut from) = (wrap::Run::default(), Vec::new(), 0);
        while run.next(&self.masked.text, from, None, None) {
            from = run.range().end;
            if !run.begin_at_text(&self.masked.text) {
                continue;
            }
            let open = end == End::Open && from == self.masked.text.len();
            run.parts(&self.masked.text, GoesOn::AtStart, &mut parts);
            if open && let Some(first) = parts.first() {
                let place = self.masked.map.start(first.start);
                self.earlier(place);
            }
            // What stands on the line behind may be of the text or not.
            let last = parts.last().is_some_and(|part| wrap::ends_run(&self.masked.text[part.clone()]));
            for count in
                [parts.len() - 1, parts.len()].into_iter().take(1 + usize::from(last)).filter(|count| *count > 1)
            {
                let joined = Unit::of_ranges(if open { End::Open } else { End::Line });
                self.unit(engine, (&joined, &parts[..count]), Encoding::Bytes, &mut Carry::default(), None);
            }
        }
    }

    /// Reads lines that soft breaks of quoted-printable join as one: the lines of the piece as it came, since masks have
    /// lengths of their own.
    pub(super) fn joined_softly(&mut self, engine: &Engine, raw: &[u8], end: End) {
        let mut from = 0;
        while let Some((mut parts, stop)) = wrap::next_soft(raw, from, engine.masker()) {
            from = stop;
            // What a soft break at the end of the input cuts is cut.
            let whole = raw[..stop].ends_with(b"\n") && !wrap::goes_on_softly(&raw[..stop], engine.masker());
            let length = self.masked.text.len();
            for part in &mut parts {
                *part = self.masked.map.first_from(part.start, length)..self.masked.map.first_from(part.end, length);
            }
            parts.retain(|part| !part.is_empty());
            // A run that a break cuts is no longer than a line, as a token is: what follows it is of another text.
            let joined = Unit::of_ranges(if whole { End::Line } else { end }).undecoded();
            self.unit(engine, (&joined, &parts), Encoding::Bytes, &mut Carry::default(), None);
        }
    }
}
