//! Turns a piece of a log and the spans of its secrets into clean bytes. Does not find secrets.
//!
//! [`Clean`] is the only thing a sink takes, and only this module makes one; it does so from what
//! `scan` calls [`Passed`] or [`Settled`]. That is how no unscanned byte reaches a sink.

mod mask;

use std::ops::Range;

pub use mask::{Masker, Style};

use crate::{
    escape::visible,
    scan::{Engine, Passed, Settled, Span},
    view::{Map, utf16::Encoding},
};

/// Bytes that were scanned, and of which every secret is masked.
#[derive(Debug, Clone, Copy)]
pub struct Clean<'a> {
    bytes: &'a [u8],
}

impl<'a> Clean<'a> {
    /// The bytes.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Collects clean bytes, in order.
#[derive(Debug, Default)]
pub struct Output {
    bytes: Vec<u8>,
}

impl Output {
    /// Forgets what was collected, keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Adds bytes that hold nothing.
    pub fn pass(&mut self, passed: Passed<'_>) {
        self.bytes.extend_from_slice(passed.as_bytes());
    }

    /// Adds a piece with its secrets masked.
    pub fn settled(&mut self, settled: Settled<'_>) {
        self.bytes.extend_from_slice(settled.as_bytes());
    }

    /// Adds a mask in place of a value that is longer than any bound, and of what follows of it.
    pub fn ceiling(&mut self, engine: &Engine, value: &[u8], encoding: Encoding) {
        let fingerprint = engine.options().fingerprint_key.fingerprint(value);
        engine.masker().write(engine.ceiling_rule(), &fingerprint, value.len(), 0, encoding, &mut self.bytes);
    }

    /// Adds a mask in place of bytes that are withheld unscanned.
    pub fn withheld(&mut self, count: u64) {
        self.bytes.extend_from_slice(format!("[REDACTED:unscanned {count} bytes]\n").as_bytes());
    }

    /// Adds bytes that nobody has scanned, because the user has chosen a leak over a gap
    /// (`--on-error pass`). The one way around the scanner; the pipeline takes it after a failure.
    pub(crate) fn unscanned_by_choice(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What was collected.
    pub fn clean(&self) -> Clean<'_> {
        Clean { bytes: &self.bytes }
    }

    /// Takes what was collected, for another thread.
    pub fn take(&mut self) -> Output {
        Output { bytes: std::mem::take(&mut self.bytes) }
    }

    /// Makes sure that the memory is reused: `spent` was taken before and is written.
    pub fn recycle(&mut self, spent: Output) {
        if self.bytes.capacity() == 0 {
            self.bytes = spent.bytes;
            self.bytes.clear();
        }
    }
}

/// A piece with masks in place of its secrets, and the way back.
#[derive(Debug, Default)]
pub struct Masked {
    /// The text, encoded as the piece is.
    pub text: Vec<u8>,
    /// The way back to the piece.
    pub map: Map,
}

impl Masked {
    /// Masks `spans`, which are sorted and do not touch, in `raw`. Spans that are only reported
    /// stay as they are.
    pub fn fill(&mut self, raw: &[u8], spans: &[Span], masker: &Masker, encoding: Encoding) {
        self.text.clear();
        self.map.clear();
        let mut place = 0;
        for span in spans.iter().filter(|span| span.masked) {
            self.copy(raw, place..span.range.start);
            let at = self.text.len();
            let depth = masker.string_depth(&raw[..span.range.start]);
            let chars = if encoding == Encoding::Bytes { span.range.len() } else { span.range.len() / 2 };
            masker.write(span.rule, &span.fingerprint, chars, depth, encoding, &mut self.text);
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
        let from = start - before.iter().rev().take_while(|&&byte| byte != b'\n').count();
        let to = end + after.iter().take_while(|&&byte| byte != b'\n').count();
        let mut view = crate::view::View::default();
        let cut = &text[from..to];
        let bytes = if encoding == Encoding::Bytes {
            cut
        } else {
            encoding.decode(cut, false, &mut view);
            &view.text
        };
        let text = String::from_utf8_lossy(bytes).replace('\t', " ");
        RedactedText(visible(text.trim_end_matches(['\r', '\n'])).into_owned())
    }
}
