//! Counts what went through a filter, and turns spans into findings with places in the stream.
//! Does not look for anything.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

use super::{Ground, Part};
use crate::{
    finding::{Finding, RuleFacts, Taken},
    limits::FINDING_CONTEXT_BYTES,
    redact::RedactedText,
    rules::Text,
    scan::{Engine, Mode, Settler},
    view::utf16::Encoding,
};

/// Counts of one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes taken.
    pub bytes_in: u64,
    /// Bytes given out.
    pub bytes_out: u64,
    /// Lines, the last one with or without its end.
    pub lines: u64,
    /// Secrets found, masked or only reported.
    pub secrets: u64,
    /// Values that were masked because they are longer than any bound.
    pub ceilings: u64,
    /// Values that commands in the stream have told, and that are too short or too common to be masked.
    pub refused: u64,
    /// Bytes that were withheld unscanned after an internal error.
    pub withheld: u64,
    /// Secrets by the id of their rule.
    pub by_rule: BTreeMap<String, u64>,
}

impl Stats {
    /// Adds the counts of another stream.
    pub fn add(&mut self, other: &Stats) {
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.lines += other.lines;
        self.secrets += other.secrets;
        self.ceilings += other.ceilings;
        self.refused += other.refused;
        self.withheld += other.withheld;
        for (rule, count) in &other.by_rule {
            *self.by_rule.entry(rule.clone()).or_default() += count;
        }
    }
}

/// Where the filter stands in its stream, and what it found.
#[derive(Debug, Default)]
pub struct Tally {
    stats: Stats,
    findings: Vec<Finding>,
    facts: HashMap<u16, Arc<RuleFacts>>,
    /// Bytes and line ends before the piece that is looked at.
    offset: u64,
    /// Bytes of the piece's first line that are before the piece.
    line_offset: u64,
    /// What the stream begins with, and is no part of what it is counted in.
    before: Before,
    /// How many of the findings begin in that.
    found_before: usize,
}

/// Lines of other streams, with which this one begins.
#[derive(Debug, Default)]
struct Before {
    bytes: u64,
    lines: u64,
    /// Where they stand there, and how many lines each part has.
    parts: Vec<(Part, u64)>,
}

impl Tally {
    /// The counts so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Takes the findings so far.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.found_before = 0;
        std::mem::take(&mut self.findings)
    }

    /// Takes those that begin in lines of another stream.
    pub fn take_findings_before(&mut self) -> Vec<Finding> {
        let count = std::mem::take(&mut self.found_before);
        self.findings.drain(..count).collect()
    }

    /// Counts bytes taken.
    pub fn bytes_in(&mut self, count: usize) {
        self.stats.bytes_in += count as u64;
    }

    /// Counts bytes given out.
    pub fn bytes_out(&mut self, count: usize) {
        self.stats.bytes_out += count as u64;
    }

    /// Counts a value that was longer than any bound.
    pub fn ceiling(&mut self) {
        self.stats.ceilings += 1;
    }

    /// Counts a value that a command has told.
    pub fn told(&mut self, refused: bool) {
        self.stats.refused += u64::from(refused);
    }

    /// The stream goes on after `bytes`.
    pub fn advance(&mut self, bytes: &[u8], encoding: Encoding) {
        self.offset += bytes.len() as u64;
        let (count, last) = lines(bytes, encoding);
        self.stats.lines += count;
        self.line_offset = match last {
            Some(end) => (bytes.len() - end) as u64,
            None => self.line_offset + bytes.len() as u64,
        };
    }

    /// The stream ends; a last line without a line end is a line, too.
    pub fn end(&mut self) {
        self.stats.lines += u64::from(self.line_offset > 0);
    }

    /// Makes findings of the spans of a piece that begin in `range`. The piece begins where the
    /// stream stands.
    pub fn report(
        &mut self,
        engine: &Engine,
        settler: &Settler,
        piece: &[u8],
        range: Range<usize>,
        encoding: Encoding,
    ) {
        // Spans are in order: what lies before the last one was counted with it.
        let (mut place, mut count, mut last) = (0, 0, None);
        for span in settler.spans().iter().filter(|span| range.contains(&span.range.start) && !span.part) {
            let (more, end) = lines(&piece[place..span.range.start], encoding);
            count += more;
            last = end.map(|end| place + end).or(last);
            // A code unit of UTF-16 is not cut in two.
            place = if encoding == Encoding::Bytes { span.range.start } else { span.range.start & !1 };
            let column = match last {
                Some(end) => (span.range.start - end) as u64,
                None => self.line_offset + span.range.start as u64,
            };
            let (offset, line) = self.place_of(self.offset + span.range.start as u64, self.stats.lines + count);
            let rule = self.facts_of(engine, span.rule);
            self.stats.secrets += 1;
            match self.stats.by_rule.get_mut(&rule.id) {
                Some(count) => *count += 1,
                None => _ = self.stats.by_rule.insert(rule.id.clone(), 1),
            }
            let redacts = engine.options().mode == Mode::Redact && span.masked;
            self.findings.push(Finding {
                rule,
                confidence: span.confidence,
                action: if redacts { Taken::Redacted } else { Taken::Alerted },
                fingerprint: span.fingerprint,
                offset,
                line: line + 1,
                column: column + 1,
                length: span.range.len() as u64,
                facts: span.facts.clone(),
                allowed: span.allowed.clone(),
                context: RedactedText::around(settler.masked(), &span.range, encoding, FINDING_CONTEXT_BYTES),
            });
        }
    }

    /// A place, and how many lines are before it, as they are told.
    fn place_of(&mut self, offset: u64, lines: u64) -> (u64, u64) {
        let (mut bytes, mut before) = (0, 0);
        for (part, count) in &self.before.parts {
            if offset < bytes + part.bytes {
                self.found_before += 1;
                return (part.from.offset + offset - bytes, part.from.lines + lines.saturating_sub(before));
            }
            (bytes, before) = (bytes + part.bytes, before + count);
        }
        (offset - bytes, lines.saturating_sub(before))
    }

    /// Starts anew, at the beginning of a stream.
    pub fn clear(&mut self) {
        self.stats = Stats::default();
        self.findings.clear();
        (self.offset, self.line_offset) = (0, 0);
    }

    /// Goes on at another place, maybe of another stream.
    pub fn move_to(&mut self, ground: Ground) {
        self.offset = ground.offset;
        self.stats.lines = ground.lines;
        self.line_offset = ground.line_offset;
        (self.before, self.found_before) = (Before::default(), 0);
    }

    /// The first lines of the stream are such of others, one part after the other.
    pub fn begin_with(&mut self, lines: &[u8], parts: &[Part]) {
        let mut rest = lines;
        for part in parts {
            let (own, others) = rest.split_at(rest.len().min(part.bytes as usize));
            let count = memchr::memchr_iter(b'\n', own).count() as u64;
            self.before.bytes += own.len() as u64;
            self.before.lines += count;
            self.before.parts.push((*part, count));
            rest = others;
        }
        debug_assert!(rest.is_empty());
    }

    /// Where the lines of a piece stand, which begins where the stream stands, and how many lines of the stream itself are
    /// before what follows it.
    pub fn parts(&self, piece: &[u8]) -> (Vec<(Option<usize>, Part)>, u64) {
        let lines_of = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u64;
        let (mut parts, mut rest, mut bytes) = (Vec::new(), piece, 0);
        let (mut offset, mut lines, mut before) = (self.offset, self.stats.lines, 0);
        for (index, (part, count)) in self.before.parts.iter().enumerate() {
            let left = (bytes + part.bytes).saturating_sub(offset);
            if left > 0 && !rest.is_empty() {
                let (own, others) = rest.split_at(rest.len().min(left as usize));
                let from = Ground {
                    offset: part.from.offset + offset - bytes,
                    lines: part.from.lines + lines.saturating_sub(before),
                    line_offset: 0,
                };
                parts.push((Some(index), Part { from, bytes: own.len() as u64 }));
                (offset, lines, rest) = (offset + own.len() as u64, lines + lines_of(own), others);
            }
            (bytes, before) = (bytes + part.bytes, before + count);
        }
        let from = Ground { offset: offset.saturating_sub(bytes), lines: lines.saturating_sub(before), line_offset: 0 };
        if !rest.is_empty() {
            parts.push((None, Part { from, bytes: rest.len() as u64 }));
        }
        (parts, from.lines + lines_of(rest))
    }

    /// Whether the piece that is looked at begins in those.
    pub fn is_before(&self) -> bool {
        self.offset < self.before.bytes
    }

    /// Where the piece that is looked at begins.
    pub fn place(&self) -> Ground {
        let Before { bytes, lines, .. } = &self.before;
        let (offset, lines) = (self.offset.saturating_sub(*bytes), self.stats.lines.saturating_sub(*lines));
        Ground { offset, lines, line_offset: self.line_offset }
    }

    /// Takes over what a twin has counted from the stream's place on.
    pub fn adopt(&mut self, twin: &mut Tally) {
        for mut finding in twin.findings.drain(..) {
            finding.offset += self.offset;
            finding.line += self.stats.lines;
            self.findings.push(finding);
        }
        self.offset += twin.offset;
        self.line_offset = twin.line_offset;
        self.stats.lines += twin.stats.lines;
        self.stats.secrets += twin.stats.secrets;
        self.stats.ceilings += twin.stats.ceilings;
        for (rule, count) in std::mem::take(&mut twin.stats.by_rule) {
            *self.stats.by_rule.entry(rule).or_default() += count;
        }
    }

    fn facts_of(&mut self, engine: &Engine, rule: u16) -> Arc<RuleFacts> {
        let facts = self.facts.entry(rule).or_insert_with(|| {
            let rule = &engine.rules().rules()[usize::from(rule)];
            Arc::new(RuleFacts {
                id: rule.id.to_string(),
                name: rule.name.to_string(),
                severity: rule.severity,
                rotate: rule.rotate.as_ref().map(Text::to_string),
            })
        });
        Arc::clone(facts)
    }
}

/// How many line ends a piece has, and where the last one ends.
fn lines(bytes: &[u8], encoding: Encoding) -> (u64, Option<usize>) {
    if encoding == Encoding::Bytes {
        let last = memchr::memrchr(b'\n', bytes).map(|end| end + 1);
        return (if last.is_some() { memchr::memchr_iter(b'\n', bytes).count() as u64 } else { 0 }, last);
    }
    let (mut count, mut last, mut from) = (0, None, 0);
    while let Some(end) = encoding.line_end(bytes, from) {
        (count, last, from) = (count + 1, Some(end), end);
    }
    (count, last)
}
