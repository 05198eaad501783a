//! Looks at a text, a stretch of blocks at a time, and stops where something says that its line
//! matters. Does not know lines.

mod names;

use std::ops::Range;

use self::names::{Key, Line};
use super::{
    Prefilter,
    follow::{Ahead, is_sign, may_match, stands_for_another},
    line_end, line_start,
    masks::{BLOCK, LOOKAHEAD, Masks, STRETCH, Stretch},
    survey::{Kind, Place, Survey},
    words::Wanted,
};
use crate::{
    rules::condition::is_word,
    scan::{Engine, assigned, keyblock, known::wrap, manifest, tokens::Tried, verify::Reading},
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
    /// The next place, if it is known; while keys wait.
    ahead: Option<(usize, Kind)>,
    /// Where the line ends whose keys wait; 0 if none does. How many of these were asked.
    waiting_to: usize,
    asked: usize,
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
    /// Keys of a line that are asked when nothing else in it says anything.
    waiting: Vec<Key>,
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
        buffers.waiting.clear();
        Look {
            prefilter,
            engine,
            text,
            buffers,
            stretch: 0..0,
            next: [0; 2],
            ahead: None,
            waiting_to: 0,
            asked: 0,
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
    /// read in it, but for what is done. Keys of a line come last.
    pub fn first(&mut self, from: usize, Done { read, decoded, words }: Done) -> Option<(usize, Why)> {
        let mut from = from;
        loop {
            let next = match self.waiting_to {
                0 => self.next_place(from),
                _ => {
                    let ahead = self.ahead.take().filter(|(at, _)| *at >= from);
                    let next = ahead.or_else(|| self.next_place(from));
                    if from >= self.waiting_to {
                        self.wait_no_more();
                    } else if self.is_due(next.map(|(at, _)| at))
                        && let Some(said) = self.waiting_say(words, read)
                    {
                        self.ahead = next;
                        return Some(said);
                    }
                    next
                }
            };
            let (at, kind) = next?;
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
                Wanted::KeyName(trigger) => {
                    self.wait(Key { at, place: start..start + length, trigger });
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
