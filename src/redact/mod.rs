//! Turns a piece of a log and the spans of its secrets into clean bytes. Does not find secrets.
//!
//! [`Clean`] is the only thing a sink takes, and only this module makes one; it does so from what
//! `scan` calls [`Passed`] or [`Settled`]. That is how no unscanned byte reaches a sink.

mod mask;

use std::{fmt, ops::Range};

pub use mask::{Masker, Style};

use crate::{
    escape::visible,
    limits::STRETCH_BYTES_MIN,
    scan::{Engine, Passed, Settled, Span},
    view::{
        Map,
        utf16::{Encoding, Reading},
    },
};

/// Bytes that were scanned, and of which every secret is masked: a sequence of stretches, each a
/// part of the input or of what the filter made.
#[derive(Clone, Copy)]
pub struct Clean<'a> {
    /// The input as it came: only what the parts name of it was scanned.
    input: &'a [u8],
    made: &'a [u8],
    parts: &'a [Part],
    length: usize,
    /// How many bytes at the start are left out.
    left_out: usize,
}

impl<'a> Clean<'a> {
    /// The bytes, in order. No stretch is empty.
    pub fn stretches(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let Clean { input, made, parts, mut left_out, .. } = *self;
        parts.iter().filter_map(move |part| {
            let stretch = match part.source {
                Origin::Input => &input[part.start..part.end],
                Origin::Made => &made[part.start..part.end],
            };
            let cut = left_out.min(stretch.len());
            left_out -= cut;
            (cut < stretch.len()).then(|| &stretch[cut..])
        })
    }

    /// The same without the first `count` bytes, for whoever has written these already.
    #[must_use]
    pub fn after(self, count: usize) -> Clean<'a> {
        let count = count.min(self.length);
        Clean { length: self.length - count, left_out: self.left_out + count, ..self }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The bytes in one piece, for those who do not write them.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length);
        self.stretches().for_each(|stretch| bytes.extend_from_slice(stretch));
        bytes
    }
}

/// The bytes themselves stay unsaid: the input is among them.
impl fmt::Debug for Clean<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Clean").field("length", &self.length).field("stretches", &self.parts.len()).finish()
    }
}

/// A stretch of clean bytes, by its place.
#[derive(Clone, Copy)]
struct Part {
    source: Origin,
    start: usize,
    end: usize,
}

/// Where a stretch lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// In the input.
    Input,
    /// In what the filter made: masked lines, what was held, small stretches between these.
    Made,
}

/// Collects clean bytes, in order. What lies in the input is not copied, unless it is small.
#[derive(Default)]
pub struct Output {
    /// Where the input lies in memory. Only compared: bytes handed over that lie in it, too, need
    /// not be copied.
    input: Range<usize>,
    made: Vec<u8>,
    parts: Vec<Part>,
}

impl Output {
    /// Forgets what was collected, keeps the memory. What is collected next comes of `input`.
    pub fn start(&mut self, input: &[u8]) {
        self.input = place(input);
        self.made.clear();
        self.parts.clear();
    }

    /// Adds bytes that hold nothing.
    pub fn pass(&mut self, passed: Passed<'_>) {
        self.add(passed.as_bytes());
    }

    /// Adds a piece with its secrets masked.
    pub fn settled(&mut self, settled: Settled<'_>) {
        self.add(settled.as_bytes());
    }

    /// Adds a mask in place of a value that is longer than any bound, and of what follows of it.
    pub fn ceiling(&mut self, engine: &Engine, value: &[u8], encoding: Encoding) {
        let fingerprint = engine.options().fingerprint_key.fingerprint(value);
        let start = self.made.len();
        engine.masker().write(engine.ceiling_rule(), &fingerprint, value.len(), 0, encoding, &mut self.made);
        self.made_from(start);
    }

    /// Adds a mask in place of bytes that are withheld unscanned.
    pub fn withheld(&mut self, count: u64) {
        self.add(format!("[REDACTED:unscanned {count} bytes]\n").as_bytes());
    }

    /// Adds bytes that nobody has scanned, because the user has chosen a leak over a gap
    /// (`--on-error pass`). The one way around the scanner; the pipeline takes it after a failure.
    pub(crate) fn unscanned_by_choice(&mut self, bytes: &[u8]) {
        self.add(bytes);
    }

    /// What was collected of `input`.
    ///
    /// # Panics
    /// If that is not the input that [`Output::start`] was called with.
    pub fn clean<'a>(&'a self, input: &'a [u8]) -> Clean<'a> {
        assert!(place(input) == self.input || input.is_empty() && self.input.is_empty(), "the input of the parts");
        let length = self.parts.iter().map(|part| part.end - part.start).sum();
        Clean { input, made: &self.made, parts: &self.parts, length, left_out: 0 }
    }

    fn add(&mut self, bytes: &[u8]) {
        let Range { start, end } = place(bytes);
        if bytes.is_empty() {
            return;
        }
        if self.input.start <= start && end <= self.input.end {
            let (start, end) = (start - self.input.start, end - self.input.start);
            match self.parts.last_mut() {
                Some(last) if last.source == Origin::Input && last.end == start => return last.end = end,
                _ if bytes.len() >= STRETCH_BYTES_MIN => {
                    return self.parts.push(Part { source: Origin::Input, start, end });
                }
                _ => {}
            }
        }
        let start = self.made.len();
        self.made.extend_from_slice(bytes);
        self.made_from(start);
    }

    /// What was made from `start` on is the next stretch, or goes on with the last one.
    fn made_from(&mut self, start: usize) {
        let end = self.made.len();
        match self.parts.last_mut() {
            Some(last) if last.source == Origin::Made => last.end = end,
            _ => self.parts.push(Part { source: Origin::Made, start, end }),
        }
    }
}

/// Where bytes lie in memory.
fn place(bytes: &[u8]) -> Range<usize> {
    let Range { start, end } = bytes.as_ptr_range();
    start.addr()..end.addr()
}

/// A piece with masks in place of its secrets, and the way back.
#[derive(Default)]
pub struct Masked {
    /// The text, encoded as the piece is.
    pub text: Vec<u8>,
    /// The way back to the piece.
    pub map: Map,
}

/// The text stays unsaid: what is only reported stands in it.
impl fmt::Debug for Masked {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Masked({} bytes)", self.text.len())
    }
}

impl Masked {
    /// Masks `spans`, which are sorted and do not touch, in `raw`. Spans that are only reported
    /// stay as they are.
    pub fn fill(&mut self, raw: &[u8], spans: &[Span], masker: &Masker, encoding: Encoding) {
        self.text.clear();
        self.map.clear();
        let mut place = 0;
        let mut reading = Reading::default();
        for span in spans.iter().filter(|span| span.masked) {
            self.copy(raw, place..span.range.start);
            let at = self.text.len();
            let depth = masker.string_depth(&raw[..span.range.start]);
            let own = reading.before(encoding, raw, span.range.end);
            let chars = if own == Encoding::Bytes { span.range.len() } else { span.range.len() / 2 };
            // Blanks keep the code units whole that stand behind a mask in ASCII, or in the mask behind ASCII.
            if own != Encoding::Bytes && span.range.start % 2 == 1 {
                self.text.push(b' ');
            }
            masker.write(span.rule, &span.fingerprint, chars, depth, own, &mut self.text);
            if own != encoding && (self.text.len() - at + span.range.len()) % 2 == 1 {
                self.text.push(b' ');
            }
            self.map.atom(at, span.range.start, span.range.end);
            // Colours that stood inside the secret go on after it.
            for escape in &span.escapes {
                let at = self.text.len();
                self.text.extend_from_slice(&raw[escape.clone()]);
                self.map.atom(at, span.range.end, span.range.end);
            }
            place = span.range.end;
        }
        self.copy(raw, place..raw.len());
    }

    fn copy(&mut self, raw: &[u8], range: Range<usize>) {
        self.map.copied(self.text.len(), range.start, range.end);
        self.text.extend_from_slice(&raw[range]);
    }
}

/// Text cut from a redacted line for a finding; no control character of the log is left in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedactedText(String);

impl RedactedText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands around the mask of one span in a masked piece, at most `around` bytes on either
    /// side and only of its own line.
    pub(crate) fn around(masked: &Masked, span: &Range<usize>, encoding: Encoding, around: usize) -> RedactedText {
        let text = &masked.text;
        let start = masked.map.first_from(span.start, text.len());
        let end = masked.map.first_from(span.end, text.len()).max(start);
        let before = &text[start.saturating_sub(around)..start];
        let after = &text[end..text.len().min(end + around)];
        let from = start - memchr::memrchr(b'\n', before).map_or(before.len(), |end| before.len() - end - 1);
        let to = end + memchr::memchr(b'\n', after).unwrap_or(after.len());
        let mut view = crate::view::View::default();
        let cut = &text[from..to];
        let bytes = if encoding == Encoding::Bytes {
            cut
        } else {
            encoding.decode(cut, false, &mut view);
            &view.text
        };
        let ends = bytes.iter().rev().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let bytes = &bytes[..bytes.len() - ends];
        // Nearly always there is nothing to be replaced.
        if let Ok(text) = str::from_utf8(bytes)
            && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
        {
            return RedactedText(text.to_owned());
        }
        let text = String::from_utf8_lossy(bytes).replace('\t', " ");
        RedactedText(visible(text.trim_end_matches(['\r', '\n'])).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Filter, Options, RuleSet};

    const SECRET_LINE: &[u8] = b"password = hunter2\n";

    fn filter() -> Filter {
        Filter::new(Arc::new(Engine::new(RuleSet::builtin().unwrap(), Options::default()).unwrap()))
    }

    fn clean_lines(bytes: usize) -> Vec<u8> {
        b"all is well\n".iter().copied().cycle().take(bytes / 12 * 12).collect()
    }

    /// The stretches of an output: how many bytes each has, and whether it lies in the input.
    fn shape(filter: &mut Filter, input: &[u8]) -> Vec<(usize, bool)> {
        let inside = |stretch: &[u8]| input.as_ptr_range().contains(&stretch.as_ptr());
        filter.push(input).stretches().map(|stretch| (stretch.len(), inside(stretch))).collect()
    }

    #[test]
    fn large_clean_stretches_are_not_copied() {
        let clean = clean_lines(3 * STRETCH_BYTES_MIN);
        let input = [&clean[..], SECRET_LINE, &clean].concat();
        let mask = "password = [REDACTED:generic-password]\n".len();
        let expected = [(clean.len(), true), (mask, false), (clean.len(), true)];
        assert_eq!(shape(&mut filter(), &input), expected);
    }

    #[test]
    fn small_clean_stretches_join_the_masked_lines_beside_them() {
        let input = [&clean_lines(100)[..], SECRET_LINE].concat().repeat(20);
        let shape = shape(&mut filter(), &input);
        assert!(matches!(shape[..], [(_, false)]), "{shape:?}");
    }

    #[test]
    fn a_line_that_comes_in_two_pieces_is_kept_by_the_filter() {
        let mut filter = filter();
        assert!(filter.push(b"all is ").is_empty());
        let rest = [b"well\n", &clean_lines(2 * STRETCH_BYTES_MIN)[..]].concat();
        let expected = [(b"all is well\n".len(), false), (rest.len() - b"well\n".len(), true)];
        assert_eq!(shape(&mut filter, &rest), expected);
    }

    #[test]
    fn a_beginning_of_clean_bytes_can_be_left_out() {
        let clean = clean_lines(2 * STRETCH_BYTES_MIN);
        let input = [&clean[..], SECRET_LINE, &clean].concat();
        let mut filter = filter();
        let whole = filter.push(&input);
        let bytes = whole.to_vec();
        for count in [0, 1, clean.len() - 1, clean.len(), clean.len() + 20, bytes.len(), bytes.len() + 1] {
            let after = whole.after(count);
            let expected = bytes.get(count..).unwrap_or_default();
            assert!(after.to_vec() == expected && after.len() == expected.len(), "{count}");
            assert!(after.stretches().all(|stretch| !stretch.is_empty()));
            assert!(after.after(3).to_vec() == expected.get(3..).unwrap_or_default());
        }
    }

    #[test]
    fn what_is_printed_of_clean_bytes_are_no_bytes() {
        let mut filter = filter();
        let printed = format!("{:?}", filter.push(b"password = hunter2\nall is well\n"));
        assert_eq!(printed, "Clean { length: 51, stretches: 1 }");
    }

    #[test]
    #[should_panic(expected = "the input of the parts")]
    fn places_in_one_input_are_not_taken_for_places_in_another() {
        let mut output = Output::default();
        output.start(b"some bytes");
        let _ = output.clean(b"some other bytes");
    }
}
