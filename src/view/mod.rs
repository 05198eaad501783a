//! Turns a piece of a log into the texts a person could read in it, each with a map back to the
//! bytes it came from. Knows encodings. Does not know what a secret is.
//!
//! The order is: escapes of terminals off, JSON strings unescaped (again and again, to
//! [`limits::JSON_DEPTH_MAX`]), percent codes and character references decoded, base64 and
//! hexadecimal decoded (to [`limits::DECODE_DEPTH_MAX`]). Each step is *causal*: what it makes of
//! a piece's beginning does not depend on what follows, so that the beginning of a line can be
//! written before its end is there.
//!
//! A text in which a step finds nothing has no view of that step: most lines have one view, the
//! line itself.

pub(crate) mod ansi;
mod decode;
pub mod envelope;
mod json;
mod map;
mod percent;
pub mod utf16;

use std::ops::Range;

pub use decode::{RUN_SEEN_MAX, TEXT_HIGH, TEXT_LOW, base64_bytes, decodes_to_text, is_base64, may_decode, next_run};
pub use map::Map;
use utf16::Encoding;

use crate::limits;

/// How often percent codes inside percent codes are decoded.
const PERCENT_DEPTH_MAX: u8 = 2;

/// One text that can be read in a piece of a log.
#[derive(Default)]
pub struct View {
    /// The text, bytes of any kind.
    pub text: Vec<u8>,
    /// The way back to the parent's text, or for the root to the piece itself.
    pub map: Map,
    parent: Option<usize>,
    steps: Steps,
    /// The views made from this one by taking escapes off and by unescaping.
    stripped: Option<usize>,
    unescaped: Option<usize>,
}

/// What was done to a piece to get a view.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    json: u8,
    ansi: bool,
    payload: bool,
    percent: u8,
    decode: u8,
}

impl std::fmt::Display for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == Steps::default() {
            return f.write_str("raw");
        }
        let words = [
            (self.json > 0, "unescaped"),
            (self.ansi, "without escapes"),
            (self.payload, "terminal string"),
            (self.percent > 0, "percent-decoded"),
            (self.decode > 0, "decoded"),
        ];
        let list: Vec<&str> = words.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
        f.write_str(&list.join(", "))
    }
}

/// The text stays unsaid.
impl std::fmt::Debug for View {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "View({} bytes)", self.text.len())
    }
}

impl View {
    /// Appends the parent's bytes `from..to` as they are.
    #[inline(always)]
    fn copy(&mut self, parent: &[u8], from: usize, to: usize) {
        self.map.copied(self.text.len(), from, to);
        self.text.extend_from_slice(&parent[from..to]);
    }
}

/// Whether a character reference that is understood begins at the start of `text`.
pub fn is_reference(text: &[u8]) -> bool {
    percent::is_code(text)
}

/// Whether an escape sequence of a terminal is open at the end of a text.
pub fn escape_is_open(text: &[u8]) -> bool {
    ansi::unfinished(text).is_some()
}

/// How many characters a text in UTF-8 has.
fn characters(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

/// Appends a character as UTF-8.
fn push_char(text: &mut Vec<u8>, char: char) {
    text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

/// All views of one piece. Reused from piece to piece: once warm, nothing is allocated.
#[derive(Debug, Default)]
pub struct Views {
    views: Vec<View>,
    used: usize,
    open: bool,
    /// Whether the piece is UTF-16.
    wide: bool,
    /// Whether runs of base64 and hexadecimal digits are decoded.
    decode: bool,
}

impl Views {
    /// Starts a new piece made of `parts` of `text`, one after the other.
    ///
    /// Several parts are the records of one line that a container runtime has split. Where the
    /// piece is `open`, more bytes may follow, and an escape that its end cuts is in no view. With `decode`, runs of base64
    /// and hexadecimal digits are decoded.
    pub fn start(&mut self, text: &[u8], parts: &[Range<usize>], encoding: Encoding, open: bool, decode: bool) {
        self.decode = decode;
        self.open = open;
        self.wide = encoding != Encoding::Bytes;
        self.used = 0;
        let root = self.add(None, Steps::default());
        let view = &mut self.views[root];
        match encoding {
            Encoding::Bytes => parts.iter().for_each(|part| view.copy(text, part.start, part.end)),
            // A container's records are never UTF-16: there is one part, the line.
            _ => encoding.decode(text, open, view),
        }
        let mut next = 0;
        while next < self.used {
            self.expand(next);
            next += 1;
        }
    }

    /// Starts a piece that is made of lines without their escapes.
    pub fn start_stripped(&mut self) {
        (self.decode, self.open, self.wide, self.used) = (false, false, false, 0);
        let root = self.add(None, Steps::default());
        self.add(Some(root), Steps { payload: true, ..Steps::default() });
        self.views[root].stripped = Some(self.add(Some(root), Steps { ansi: true, ..Steps::default() }));
    }

    /// Adds a line, which ends before the next one begins. Returns whether no string stood in its escapes, in which there may be something.
    pub fn add_stripped(&mut self, text: &[u8], line: Range<usize>) -> bool {
        let [_, payloads, view, ..] = &mut self.views[..] else { return false };
        let before = payloads.text.len();
        ansi::strip(text, line.start, line.end, false, view, payloads);
        payloads.text.len() == before
    }

    /// The lines that were added, the index of their view and its text.
    pub fn stripped(&self) -> (usize, &[u8]) {
        let index = self.views.first().and_then(|root| root.stripped).unwrap_or_default();
        (index, self.views.get(index).map_or(&[], |view| &view.text))
    }

    /// The indices of the views that are to be searched.
    pub fn searched(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.used).filter(|&index| self.views[index].stripped.is_none())
    }

    /// The indices of all views, those included that are searched without their escapes.
    pub fn all(&self) -> Range<usize> {
        0..self.used
    }

    /// A view's text.
    pub fn text(&self, index: usize) -> &[u8] {
        &self.views[index].text
    }

    /// What was done to get a view.
    pub fn steps(&self, index: usize) -> Steps {
        self.views[index].steps
    }

    /// Whether the piece is searched without its escapes alone.
    pub fn is_stripped(&self) -> bool {
        self.views.first().is_some_and(|root| root.stripped.is_some())
    }

    /// Whether a view has the escapes still that the piece has.
    pub fn is_escaped(&self, index: usize) -> bool {
        self.views[index].steps.json == 0
    }

    /// The view that a person sees first: without escapes, and where `docker` is set with the
    /// record's string unescaped.
    pub fn primary(&self, docker: bool) -> usize {
        let strip = |index: usize| self.views[index].stripped.unwrap_or(index);
        let mut index = strip(0);
        if docker && let Some(child) = self.views[index].unescaped {
            index = strip(child);
        }
        index
    }

    /// Where the piece's place `place` stands in a view.
    pub fn place_in(&self, index: usize, place: usize) -> usize {
        let view = &self.views[index];
        let above = view.parent.map_or(place, |parent| self.place_in(parent, place));
        view.map.first_from(above, view.text.len())
    }

    /// The piece's bytes that a view's bytes `span` (not empty) stand for. An escape's beginning right before
    /// them, which they have ended, is among them: a mask would go on with it.
    pub fn range(&self, index: usize, span: &Range<usize>) -> Range<usize> {
        let range = self.range_above(index, span);
        self.unit_begun(index, range.start)..range.end
    }

    fn range_above(&self, index: usize, span: &Range<usize>) -> Range<usize> {
        let view = &self.views[index];
        let mut above = view.map.range(span);
        above.start = self.begun(index, above.start);
        match view.parent {
            Some(parent) if !above.is_empty() => self.range_above(parent, &above),
            Some(parent) => {
                let start = self.start_above(parent, above.start);
                start..start
            }
            None => above,
        }
    }

    /// The piece's place where a view's byte at `place` comes from, or where the escape's beginning stands right before it.
    pub fn start_of(&self, index: usize, place: usize) -> usize {
        self.unit_begun(index, self.start_above(index, place))
    }

    fn start_above(&self, index: usize, place: usize) -> usize {
        let view = &self.views[index];
        let above = self.begun(index, view.map.start(place));
        view.parent.map_or(above, |parent| self.start_above(parent, above))
    }

    /// In UTF-16, where two characters may share a place with the end of an escape: where that escape begins; else `start`.
    fn unit_begun(&self, index: usize, start: usize) -> usize {
        let (mut start, mut child) = (start, index);
        while let Some(parent) = self.views[child].parent.filter(|_| self.wide) {
            let place = self.place_in(parent, start);
            let begun = self.begun(child, place);
            if begun < place {
                start = start.min(self.start_above(parent, begun));
            }
            child = parent;
        }
        start
    }

    /// For a view without escapes: where in its parent one begins that the byte at `above` has ended; else `above`.
    fn begun(&self, index: usize, above: usize) -> usize {
        let parent = self.views[index].parent.map(|parent| &self.views[parent]);
        let parent = parent.filter(|parent| parent.stripped == Some(index));
        parent.map_or(above, |parent| ansi::begun(&parent.text, above))
    }

    /// Appends the places of a view at which [`Views::gap_at`] holds.
    pub fn gap_places(&self, index: usize, out: &mut Vec<usize>) {
        let view = &self.views[index];
        if let Some(parent) = view.parent
            && view.steps.decode == self.views[parent].steps.decode
        {
            self.gap_places(parent, out);
            out.iter_mut().for_each(|place| *place = view.map.first_from(*place, view.text.len()));
        }
        out.extend(view.map.gap_places());
    }

    /// Whether escapes of a terminal were taken out just before a view's byte at `place`.
    pub fn gap_at(&self, index: usize, place: usize) -> bool {
        self.has_gaps(index) && self.is_gap(index, place)
    }

    /// Whether there are any such places. Most views have none.
    fn has_gaps(&self, index: usize) -> bool {
        let view = &self.views[index];
        let above = view.parent.filter(|&parent| view.steps.decode == self.views[parent].steps.decode);
        view.map.has_gaps() || above.is_some_and(|parent| self.has_gaps(parent))
    }

    fn is_gap(&self, index: usize, place: usize) -> bool {
        let view = &self.views[index];
        if view.map.gap_at(place) {
            return true;
        }
        match view.parent {
            // A decoding begins anew: what stands around the run is not beside its text.
            Some(parent) if view.steps.decode == self.views[parent].steps.decode && place > 0 => {
                let above = view.map.range(&(place - 1..place)).end;
                self.is_gap(parent, above)
            }
            _ => false,
        }
    }

    /// The piece's ranges of terminal escapes inside a view's range `span`, appended to `out`; but not
    /// of those that carry text, in which a secret may stand.
    pub fn escapes(&self, index: usize, span: &Range<usize>, out: &mut Vec<Range<usize>>) {
        let view = &self.views[index];
        let Some(parent) = view.parent else { return };
        if view.steps.decode > 0 {
            return;
        }
        if self.views[parent].stripped == Some(index) {
            let text = &self.views[parent].text;
            let kept = view.map.gaps(span).filter(|gap| ansi::is_harmless(&text[gap.clone()]));
            out.extend(kept.filter_map(|gap| {
                let range = self.range_above(parent, &gap);
                // Bytes behind a mark of UTF-16 would be another text behind a mask in UTF-16. Two of them are one place.
                let ends = [range.start, range.end].map(|place| self.place_in(parent, place));
                let units = range.len() == 2 * characters(&text[gap.clone()]) && ends == [gap.start, gap.end];
                (!self.wide || units).then_some(range)
            }));
        }
        self.escapes(parent, &view.map.range(span), out);
    }

    /// Where an escape or a code begins, in the piece, that the end of the piece cuts.
    pub fn unfinished(&self) -> Option<usize> {
        let places = (0..self.used).filter_map(|index| {
            let view = &self.views[index];
            let found = [ansi::unfinished(&view.text), json::unfinished(&view.text), percent::unfinished(&view.text)];
            let first = found.into_iter().flatten().min()?;
            Some(self.start_of(index, first))
        });
        places.min()
    }

    /// Makes the views that follow from one view.
    fn expand(&mut self, index: usize) {
        let steps = self.views[index].steps;
        if ansi::present(&self.views[index].text) {
            self.strip(index, steps);
            return;
        }
        let text = &self.views[index].text;
        let length = text.len();
        // What is cut at the end will be something else when the rest has come.
        let whole = |cut: fn(&[u8]) -> Option<usize>| if self.open { cut(text).unwrap_or(length) } else { length };
        let json_end = whole(json::unfinished);
        let percent_end = whole(percent::unfinished);
        let escaped = memchr::memchr(b'\\', text).is_some();
        if escaped && usize::from(steps.json) < limits::JSON_DEPTH_MAX && steps.percent == 0 {
            let more = Steps { json: steps.json + 1, ..steps };
            let child = self.derive(index, more, |text, view, _| json::unescape(text, 0, json_end, view));
            if self.views[child].text.len() == length {
                self.used -= 1;
            } else {
                self.views[index].unescaped = Some(child);
            }
        }
        let coded = percent_end < length || percent::present(&self.views[index].text);
        if coded && steps.percent < PERCENT_DEPTH_MAX {
            let more = Steps { percent: steps.percent + 1, ..steps };
            self.derive(index, more, |text, view, _| percent::decode(text, 0, percent_end, view));
        }
        if self.decode && usize::from(steps.decode) < limits::DECODE_DEPTH_MAX {
            // A decoded text may be unescaped once more; that bounds the number of views.
            let json = steps.json.max(limits::JSON_DEPTH_MAX as u8 - 1);
            let more = Steps { decode: steps.decode + 1, json, percent: 0, ..steps };
            let open = self.open;
            let child = self.derive(index, more, |text, view, _| decode::texts(text, open, view));
            if self.views[child].text.is_empty() {
                self.used -= 1;
            }
        }
    }

    /// Makes the view without terminal escapes, which is searched in place of its parent, and the
    /// one of the strings that stood in them.
    fn strip(&mut self, index: usize, steps: Steps) {
        let open = self.open;
        let payloads = self.add(Some(index), Steps { payload: true, ..steps });
        let child = self.derive(index, Steps { ansi: true, ..steps }, |text, view, payloads| {
            ansi::strip(text, 0, text.len(), open, view, payloads);
        });
        debug_assert_eq!(child, payloads + 1);
        self.views[index].stripped = Some(child);
    }

    /// Adds a child of `index` and fills it. The third argument of `fill` is the view before it.
    fn derive(&mut self, index: usize, steps: Steps, fill: impl FnOnce(&[u8], &mut View, &mut View)) -> usize {
        let child = self.add(Some(index), steps);
        // The views are taken out while they are filled: a parent is read, the child is written.
        let mut view = std::mem::take(&mut self.views[child]);
        let parent = std::mem::take(&mut self.views[index].text);
        let before = if child - 1 == index { &mut View::default() } else { &mut self.views[child - 1] };
        fill(&parent, &mut view, before);
        self.views[index].text = parent;
        self.views[child] = view;
        child
    }

    fn add(&mut self, parent: Option<usize>, steps: Steps) -> usize {
        if self.used == self.views.len() {
            self.views.push(View::default());
        }
        let view = &mut self.views[self.used];
        view.text.clear();
        view.map.clear();
        view.parent = parent;
        view.steps = steps;
        view.stripped = None;
        view.unescaped = None;
        self.used += 1;
        self.used - 1
    }
}
