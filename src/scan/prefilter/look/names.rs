//! What the key names of a line say. They are asked when nothing else in it says anything: to ask whether a token
//! stands in a line costs a fraction of it.

use std::ops::Range;

use super::{
    super::{follow::may_assign, line_end, line_start},
    Buffers, Look, MASK_NEAR_BYTES, Why,
};
use crate::{
    scan::assigned::{self, Names, Near},
    view::envelope,
};

/// How many keys of a line wait.
const WAITING_MAX: usize = 64;

/// What is known of a line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// With its line end, an LF or a CR.
    pub(super) range: Range<usize>,
    /// Whether it holds a backslash.
    escaped: bool,
    /// The part of it that says something to the next line, if it is a container's record.
    record: Range<usize>,
    /// Whether all of the line, and all of the record, was scanned and assigns nothing.
    clear: [bool; 2],
    /// What is kept of the line and of the record.
    kept: [assigned::Kept; 2],
}

/// A trigger of a key.
pub(super) struct Key {
    /// Where its window begins.
    pub(super) at: usize,
    /// Its bytes.
    pub(super) place: Range<usize>,
    /// Its number.
    pub(super) trigger: u16,
}

impl Look<'_, '_> {
    /// Whether the key of a derived text that has a trigger at `place` says that the text matters.
    pub fn key_matters(mut self, place: Range<usize>, trigger: u16) -> bool {
        self.may_be_key(&place, trigger) && self.key_says(place, trigger, self.text.len()).is_some()
    }

    /// Lets a key wait, if it may be one, until the rest of its line was looked at.
    pub(super) fn wait(&mut self, key: Key) {
        if !self.may_be_key(&key.place, key.trigger) {
            return;
        }
        if self.waiting_to == 0 {
            self.enter_line(key.place.start);
            self.waiting_to = self.line.range.end;
        }
        self.buffers.waiting.push(key);
    }

    /// Whether the keys that wait are to be asked before what stands at `next` is looked at.
    pub(super) fn is_due(&self, next: Option<usize>) -> bool {
        next.is_none_or(|at| at >= self.waiting_to) || self.buffers.waiting.len() >= WAITING_MAX
    }

    /// What the first of the keys that wait says; those before `words` are not asked.
    #[inline(never)]
    pub(super) fn waiting_say(&mut self, words: usize, read: usize) -> Option<(usize, Why)> {
        while let Some(Key { at, place, trigger }) = self.buffers.waiting.get(self.asked) {
            let (at, place, trigger) = (*at, place.clone(), *trigger);
            self.asked += 1;
            if at >= words
                && let Some(why) = self.key_says(place, trigger, read)
            {
                return Some((at, why));
            }
        }
        self.wait_no_more();
        None
    }

    /// Forgets the keys that wait.
    pub(super) fn wait_no_more(&mut self) {
        self.buffers.waiting.clear();
        (self.waiting_to, self.asked) = (0, 0);
    }

    /// Whether the trigger at `place` may be one of a key that is assigned a value.
    fn may_be_key(&self, place: &Range<usize>, trigger: u16) -> bool {
        let Some(names) = self.engine.names() else { return false };
        let named = names.triggers().get(usize::from(trigger));
        // In a mask they stand in a rule's id.
        let joined = || place.start.checked_sub(1).is_some_and(|at| matches!(self.text[at], b':' | b'-'));
        named.is_some_and(|named| names.may_stand(named, self.text, place.start, place.end))
            && !assigned::is_plain_element(self.text, place)
            && !(joined() && self.is_in_a_mask(place))
    }

    /// What the key says that has a trigger at `place`: that its line assigns a secret or leaves something for the
    /// next one, or that this is to be seen in the unescaped line.
    fn key_says(&mut self, place: Range<usize>, trigger: u16, read: usize) -> Option<Why> {
        let names = self.engine.names()?;
        self.enter_line(place.start);
        let Line { range, escaped, record, .. } = &self.line;
        let (line, escaped) = (range.clone(), *escaped);
        let parts = [line.clone(), record.clone()];
        for part in parts.into_iter().filter(|part| part.start <= place.start && place.end <= part.end) {
            if self.part_assigns(names, part, &place) {
                return Some(Why::Matters);
            }
        }
        let unescaped = escaped && self.derived.is_none() && place.start >= read;
        let scratch = &mut self.buffers.scratch;
        (unescaped && may_assign(self.engine, self.text, place, trigger, false, scratch)).then_some(Why::Assigns)
    }

    /// Whether a word stands in a mask that no key goes on in: what masks say names nothing.
    #[inline(never)]
    fn is_in_a_mask(&self, place: &Range<usize>) -> bool {
        let masker = self.engine.masker();
        let Some(begins) = masker.begins() else { return false };
        let from = place.start.saturating_sub(MASK_NEAR_BYTES);
        let Some(at) = memchr::memrchr(begins, &self.text[from..place.start]) else { return false };
        let begins = from + at;
        let Some(end) = masker.len_at(self.text, begins).map(|length| begins + length) else { return false };
        // A mask in quotes may be a key, with any operator behind it, an arrow of UTF-8 included.
        let behind =
            self.text[end..].iter().find(|byte| !matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b']' | b' ' | b'\t'));
        let covers = end >= place.end && !matches!(behind, Some(b':' | b'=' | b'>' | b'-' | 0x80..));
        let before = self.text[..begins].iter().rev().find(|byte| !matches!(byte, b'"' | b'\'' | b'\\'));
        covers
            && before.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'=' | b':' | b'>' | b',' | b'/' | b'@'))
    }

    /// Whether the line, or the text of the record that it is, assigns a secret to the key with a trigger at `place`.
    fn part_assigns(&mut self, names: &Names, part: Range<usize>, place: &Range<usize>) -> bool {
        let number = usize::from(part != self.line.range);
        if self.line.clear[number] {
            return false;
        }
        let Buffers { scratch, hits, .. } = &mut *self.buffers;
        let text = &self.text[part.clone()];
        let place = place.start - part.start..place.end - part.start;
        let near = assigned::near(text, place.clone(), names, self.engine, &mut self.line.kept[number], scratch, hits);
        if near != Near::Unknown {
            return near == Near::Something;
        }
        // The whole line is scanned once.
        hits.clear();
        let none = assigned::Pending::default();
        let start = assigned::Mark::start(false, none);
        let outcome = assigned::scan(text, true, start, names, self.engine, scratch, hits);
        let clear = hits.is_empty() && outcome.pending == none;
        self.line.clear[number] = clear;
        !clear
    }

    /// Learns of the line around `at`, unless it is the last one that was learned of.
    fn enter_line(&mut self, at: usize) {
        if self.line.range.contains(&at) {
            return;
        }
        let (start, end) = (line_start(self.text, at), line_end(self.text, at));
        let line = &self.text[start..end];
        // The text of a container's record is read by itself, too: it says something to the next one. Docker's is a
        // JSON string, and only read unescaped.
        let record = match &self.derived {
            Some(record) => record.clone(),
            None => match envelope::parse(line) {
                Some(record) if record.format == envelope::Format::Cri => {
                    start + record.payload.start..start + record.payload.end
                }
                _ => 0..0,
            },
        };
        let escaped = memchr::memchr(b'\\', line).is_some();
        // Whoever reads key names takes a CR for a line end, too.
        let from = memchr::memrchr(b'\r', &self.text[start..at]).map_or(start, |cr| start + cr + 1);
        let to = memchr::memchr(b'\r', &self.text[at..end]).map_or(end, |cr| at + cr + 1);
        let record = record.start.max(from)..record.end.min(to);
        self.line = Line { range: from..to, escaped, record, ..Line::default() };
    }
}
