//! Looks at a text, a stretch of blocks at a time, and stops where something says that its line
//! matters. Does not know lines.

use std::ops::Range;

use super::{
    Prefilter,
    follow::{Ahead, is_sign, may_assign, may_match, stands_for_another},
    line_end, line_start,
    masks::{BLOCK, LOOKAHEAD, Masks, STRETCH, Stretch},
    survey::{Kind, Place, Survey},
    words::Wanted,
};
use crate::{
    rules::condition::is_word,
    scan::{
        Engine,
        assigned::{self, Names, Near},
        keyblock,
        known::wrap,
        manifest,
        tokens::Tried,
        verify::Reading,
    },
    view::{self, envelope},
};

/// What was found, what says more behind what says less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A key may be assigned a value in another text that can be read in the line.
    Assigns,
    /// Another text can be read in it.
    Reads,
    /// The same, and a run of base64 or hexadecimal digits decodes to one.
    Decodes,
    /// The line matters.
    Matters,
}

/// What need not be looked at any more, up to which place of the text.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// There are no other texts that can be read in it, or they were looked at.
    pub read: usize,
    /// Nothing in it decodes to a text, or that was looked at.
    pub decoded: usize,
    /// Its words were looked at.
    pub words: usize,
}

/// Looks at a text, a stretch of blocks at a time.
pub struct Look<'a, 'b> {
    pub prefilter: &'a Prefilter,
    pub engine: &'a Engine,
    pub text: &'a [u8],
    buffers: &'b mut Buffers,
    /// Where the stretch begins that the buffers speak of, and where it ends.
    stretch: Range<usize>,
    /// The next one of its words' places, and of the others.
    next: [usize; 2],
    /// The line that was last asked for keys.
    line: Line,
    /// Whether the text was read in another one; then it is no container's record, and this part of it
    /// is what the line's record says to the next one.
    derived: Option<Range<usize>>,
    /// The view that it is then.
    view: Option<Reading<'a>>,
    /// The line in which a token was last tried, all of the text if it was read in another one, and whether it holds a
    /// backslash.
    tried: (Range<usize>, bool),
}

/// What is known of a line.
#[derive(Debug, Default)]
struct Line {
    /// With its line end, an LF or a CR.
    range: Range<usize>,
    /// Whether it holds a backslash.
    escaped: bool,
    /// The part of it that says something to the next line, if it is a container's record.
    record: Range<usize>,
    /// Whether all of the line, and all of the record, was scanned and assigns nothing.
    clear: [bool; 2],
    /// What is kept of the line and of the record.
    kept: [assigned::Kept; 2],
}

/// What is reused from text to text.
#[derive(Default)]
pub struct Buffers {
    masks: Stretch,
    survey: Survey,
    scratch: assigned::Scratch,
    hits: Vec<assigned::Hit>,
    /// Where tokens were tried in the line.
    pub tried: Tried,
    /// Words of key names, each with its number among them, in the texts that were looked up.
    pub keys: Vec<(Range<usize>, u16)>,
    /// What was seen of the text.
    pub ahead: Ahead,
    /// Places of the text where something was taken out.
    pub gaps: Vec<usize>,
}

/// How far behind a literal a mask is looked for, and before a word one that it may stand in (bytes).
const MASK_NEAR_BYTES: usize = 128;

/// Whether the run of base64 digits at `at` may go on in the next line.
fn goes_on(text: &[u8], at: usize) -> bool {
    let run = text[at..].iter().take_while(|&&byte| view::is_base64(byte)).count();
    wrap::breaks_at_a_width(run) && matches!(text[at + run..], [b'\n', ..] | [b'\r', b'\n', ..])
}

impl<'a, 'b> Look<'a, 'b> {
    pub fn new(prefilter: &'a Prefilter, engine: &'a Engine, text: &'a [u8], buffers: &'b mut Buffers) -> Look<'a, 'b> {
        buffers.ahead.clear();
        Look {
            prefilter,
            engine,
            text,
            buffers,
            stretch: 0..0,
            next: [0; 2],
            line: Line::default(),
            derived: None,
            view: None,
            tried: (0..0, false),
        }
    }

    /// The same, of a view.
    pub fn of_view(mut self, view: Reading<'a>) -> Look<'a, 'b> {
        self.view = Some(view);
        self
    }

    /// The same, of a text which was read in another one; `record` is the part of it that says something to the next line, if
    /// the line is a container's record.
    pub fn derived(mut self, record: Range<usize>) -> Look<'a, 'b> {
        self.derived = Some(record);
        self
    }

    /// What the first place of a derived text says that says that it matters or, unless it `is_decoded`, that something in it decodes to
    /// text. `escaped` says whether it holds a backslash.
    pub fn says(mut self, escaped: bool, is_decoded: bool) -> Option<Why> {
        self.tried = (0..self.text.len(), escaped);
        let decoded = if is_decoded { self.text.len() } else { 0 };
        self.first(0, Done { read: self.text.len(), decoded, words: 0 }).map(|(_, why)| why)
    }

    /// Whether the key of a derived text that has a trigger at `place` says that the text matters.
    pub fn key_matters(mut self, place: Range<usize>, trigger: u16) -> bool {
        self.key_says(place, trigger, self.text.len()).is_some()
    }

    /// The next place at or after `from`, and what stands there. Asked with growing `from`.
    pub fn next_place(&mut self, from: usize) -> Option<(usize, Kind)> {
        loop {
            while self.stretch.end > from {
                let [words, others] = self.buffers.survey.places();
                let (word, other) = (words[self.next[0]], others[self.next[1]]);
                let place = word.min(other);
                if place == Place::NONE {
                    break;
                }
                self.next[usize::from(other < word)] += 1;
                let at = self.stretch.start + place.at();
                if at >= from {
                    return Some((at, place.kind()));
                }
            }
            let start = if self.stretch.end > from { self.stretch.end } else { from - from % BLOCK };
            if start >= self.text.len() {
                return None;
            }
            self.fill(start);
        }
    }

    /// The first place at or after `from` that says that its line matters, or that another text can be
    /// read in it, but for what is done.
    pub fn first(&mut self, from: usize, Done { read, decoded, words }: Done) -> Option<(usize, Why)> {
        let mut from = from;
        loop {
            let (at, kind) = self.next_place(from)?;
            let (text, more) = (self.text, at >= read);
            let why = match kind {
                Kind::Word if at < words => None,
                Kind::Word => self.word_says(at, read),
                Kind::Run => self.run_matters(at).then_some(Why::Matters),
                // Behind the end runs go on, and one may begin there.
                Kind::Base64 if at >= decoded && at < text.len() && view::decodes_to_text(text, at) => {
                    Some(if self.derived.is_none() && goes_on(text, at) { Why::Matters } else { Why::Decodes })
                }
                Kind::Base64 => None,
                Kind::Sign if text[at] == b'=' => {
                    (self.derived.is_none() && wrap::is_soft_break(text, at)).then_some(Why::Matters)
                }
                Kind::Sign => (more && is_sign(text, at)).then_some(Why::Reads),
                Kind::Escape => (more && stands_for_another(text, at)).then_some(Why::Reads),
            };
            if let Some(why) = why {
                return Some((at, why));
            }
            // Other kinds may stand at the same place.
            from = at;
        }
    }

    fn word_says(&mut self, at: usize, read: usize) -> Option<Why> {
        let Look { prefilter, engine, text, .. } = *self;
        let mut says = None;
        prefilter.words.look_up(text, at, |start, length, wanted| {
            if says == Some(Why::Matters) {
                return;
            }
            let matters = match wanted {
                Wanted::Token(token) => {
                    let Buffers { gaps, ahead, .. } = &mut *self.buffers;
                    may_match(engine, text, start, token, gaps, ahead) && self.may_hit(start, token)
                }
                Wanted::KeyName(index) => {
                    says = says.max(self.key_says(start..start + length, index, read));
                    false
                }
                Wanted::KeyBlock => keyblock::may_begin(text, start),
                Wanted::Manifest => manifest::may_begin(text, start),
                Wanted::Record => self.derived.is_none() && envelope::may_be_partial(text, start),
                Wanted::Code => {
                    says = says.max((start >= read).then_some(Why::Reads));
                    false
                }
            };
            if matters {
                says = Some(Why::Matters);
            }
        });
        says
    }

    /// Whether the token whose literal stands at `place`, and may match there, is found when the line is settled. That is
    /// asked where a mask follows, which many patterns match, and where the first bytes tell little in a line with colours,
    /// which is often a command; elsewhere, what may match nearly always does. It is not asked in a line with a backslash, which is read without it, too.
    #[inline(never)]
    fn may_hit(&mut self, place: usize, token: u16) -> bool {
        let masker = self.engine.masker();
        let is_mask = |at: usize| masker.len_at(self.text, at).is_some();
        let near = &self.text[place..self.text.len().min(place + MASK_NEAR_BYTES)];
        let masked =
            || masker.begins().is_some_and(|byte| memchr::memchr_iter(byte, near).any(|at| is_mask(place + at)));
        if (self.view.is_none() || self.engine.tokens().is_told(token)) && !masked() {
            return true;
        }
        if !self.tried.0.contains(&place) {
            let line = line_start(self.text, place)..line_end(self.text, place);
            self.buffers.tried.start();
            self.tried = (line.clone(), memchr::memchr(b'\\', &self.text[line]).is_some());
        }
        let (line, escaped) = &self.tried;
        let reading = self.view.unwrap_or(Reading::raw(self.text)).part(line.clone());
        *escaped
            || self.engine.tokens().is_hit(self.engine, reading, place - line.start, token, &mut self.buffers.tried)
    }

    /// What the key says that has a trigger at `place`: that its line assigns a secret or leaves something for the
    /// next one, or that this is to be seen in the unescaped line.
    fn key_says(&mut self, place: Range<usize>, trigger: u16, read: usize) -> Option<Why> {
        let names = self.engine.names()?;
        let named = names.triggers().get(usize::from(trigger))?;
        if !names.may_stand(named, self.text, place.start, place.end) || assigned::is_plain_element(self.text, &place) {
            return None;
        }
        // In a mask they stand in a rule's id.
        let joined = place.start.checked_sub(1).is_some_and(|at| matches!(self.text[at], b':' | b'-'));
        if joined && self.is_in_a_mask(&place) {
            return None;
        }
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

    /// Whether a rule without a literal may match in the run of word characters that begins at `at`.
    fn run_matters(&self, at: usize) -> bool {
        let length = self.text[at..].iter().take_while(|&&byte| is_word(byte)).count();
        self.prefilter.runs.iter().any(|run| {
            let after = self.text.get(at + length);
            length >= run.least && run.after.is_none_or(|byte| after.is_none_or(|&next| next == byte || next == b'\\'))
        })
    }

    /// Lists the places of the stretch that begins at `start`, a multiple of [`BLOCK`].
    fn fill(&mut self, start: usize) {
        let Prefilter { backend, words, windows, runs, .. } = self.prefilter;
        let rest = &self.text[start..];
        let count = rest.len().div_ceil(BLOCK).min(STRETCH);
        let Buffers { masks, survey, .. } = &mut *self.buffers;
        masks.set(0, Masks::default());
        let first = start.saturating_sub(BLOCK);
        let wanted = if start == 0 { 1..count + 2 } else { 0..count + 2 };
        let there = &self.text[first..];
        let whole = (there.len().saturating_sub(LOOKAHEAD) / BLOCK).min(wanted.len());
        let cut = wanted.start + whole;
        if whole > 0 {
            backend.fill(there, windows, masks, wanted.start..cut);
        }
        for block in cut..wanted.end {
            let rest = there.get((block - wanted.start) * BLOCK..);
            self.prefilter.at_end(rest.unwrap_or_default(), masks, block);
        }
        survey.runs = !runs.is_empty();
        backend.survey(rest, masks, count, words.keys(), survey);
        self.next = [0; 2];
        self.stretch = start..start + count * BLOCK;
    }
}

impl Prefilter {
    /// Sets the masks of a block that the text's end cuts, or of one behind it: there, runs go on.
    fn at_end(&self, rest: &[u8], masks: &mut Stretch, block: usize) {
        if rest.is_empty() {
            masks.set(block, Masks { token: !0, base64: !0, ..Masks::default() });
            return;
        }
        let mut bytes = [0; BLOCK + LOOKAHEAD];
        let there = rest.len().min(bytes.len());
        bytes[..there].copy_from_slice(&rest[..there]);
        self.backend.fill(&bytes, &self.windows, masks, block..block + 1);
        if there < BLOCK {
            let beyond = !0 << there;
            masks.token[block] |= beyond;
            masks.base64[block] |= beyond;
            masks.window[block] &= !beyond;
            masks.word_window[block] &= !beyond;
        }
    }
}
