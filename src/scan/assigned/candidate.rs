//! Turns the place where a key's value may begin into the value, and asks the judge about it. Does not find keys.

use super::{
    Live, Pending, Scan, Separator, Step,
    extent::{self, Around, Extent, Opening},
    key,
    name::Match,
    yaml::{self, Property},
};

/// A value may begin here.
#[derive(Clone, Copy)]
pub struct Candidate {
    pub rules: Match,
    /// Where its key begins.
    pub key: usize,
    /// Behind the separator.
    pub from: usize,
    pub separator: Separator,
    pub around: Around,
}

impl Scan<'_> {
    /// Finds the extent of a candidate's value, asks the judge, and moves on.
    pub(super) fn candidate(&mut self, c: Candidate) -> Step {
        let open = key::skip_blanks(self.text, c.from);
        if yaml::begins(self.text.get(open)) {
            return self.behind_properties(c, yaml::PROPERTIES_MAX);
        }
        self.assigned(c, open)
    }

    /// The same, behind as many tags and anchors of YAML as there may be.
    fn behind_properties(&mut self, c: Candidate, left: usize) -> Step {
        let open = key::skip_blanks(self.text, c.from);
        let property = if left > 0 { self.property(&c, open) } else { Property::None };
        match property {
            Property::None => self.assigned(c, open),
            Property::Open => Err(Live(open)),
            Property::Reference => Ok(()),
            Property::Tag(from) => self.behind_properties(Candidate { from, ..c }, left - 1),
            Property::Anchor(from) => {
                let hits = self.hits.len();
                self.behind_properties(Candidate { from, ..c }, left - 1)?;
                let found = self.hits.len() > hits || self.pending != Pending::None;
                if found { Ok(()) } else { self.assigned(c, open) }
            }
        }
    }

    /// The same for a value that begins at `open`, with nothing in front that YAML has there.
    fn assigned(&mut self, mut c: Candidate, open: usize) -> Step {
        if self.is_map(&c) && self.text.get(open) == Some(&b'{') && self.map(&c, open)? {
            return Ok(());
        }
        if self.opens_object(&c) {
            self.named = Some((c.rules, OBJECT_LINES_MAX));
            return Ok(());
        }
        c.around.bracketed = self.is_bracketed(&c);
        let opening = extent::opening(self.text, c.from, self.ended, c.around);
        let rest = self.text.get(c.from..).unwrap_or_default();
        let blanks = rest.iter().take_while(|&&b| extent::is_nothing(b)).count();
        self.reach = self.reach.max(c.from + blanks + LOOK_BYTES_MAX);
        match opening {
            Opening::Open(at) => return Err(Live(at)),
            Opening::LineEnd(_) => {
                self.pending = self.awaiting(&c);
                return Ok(());
            }
            Opening::Nothing | Opening::None => return Ok(()),
            Opening::Quoted(start, _) if start >= self.text.len() && !self.ended => return Ok(()),
            Opening::Quoted(..) | Opening::Bare(_) => {}
        }
        let quoted = matches!(opening, Opening::Quoted(..));
        match self.extent(opening, c.around) {
            Extent::Open => Err(Live(opening.start())),
            Extent::Blob => Ok(()),
            Extent::Done(value, end) => {
                if c.separator == Separator::Colon && self.block_header(&value) {
                    self.pending = self.block(&c);
                    return Ok(());
                }
                let next = value.end + 1;
                self.decide(&c, value, end, quoted);
                if quoted && c.separator == Separator::Equals { self.changed_to(c, next) } else { Ok(()) }
            }
        }
    }

    /// `map[X-Api-Key:[V9kq] Accept:[*/*]]`: whether a list of one value begins with a capital, as our masks do.
    fn is_bracketed(&self, c: &Candidate) -> bool {
        matches!(self.text.get(c.from..c.from + 2), Some([b'[', b]) if b.is_ascii_uppercase())
            && self.env.mask_len_at(self.text, c.from).is_none_or(|length| length == 0)
    }

    /// The extent of a value. Values that are no secrets may hold further keys and values, so that a hostile line could
    /// have each of its bytes looked at over and over: past a share that no honest line needs, long values are blobs.
    /// What was spent depends on what is decided alone, so this is causal too.
    pub(super) fn extent(&mut self, opening: Opening, around: Around) -> Extent {
        let share = WORK_BYTES_FREE + WORK_PER_BYTE * (opening.start().saturating_sub(self.line));
        let poor = self.work > share;
        self.poor |= poor;
        let bytes_max = if poor { POOR_VALUE_BYTES_MAX } else { VALUE_BYTES_MAX };
        let found = extent::extent(self.text, opening, self.ended, around, bytes_max, &mut self.known_end);
        let looked = match &found {
            Extent::Done(value, _) => value.len(),
            Extent::Blob => bytes_max,
            Extent::Open => 0,
        };
        self.work += looked;
        self.reach = self.reach.max(opening.start().saturating_add(looked + LOOK_BYTES_MAX));
        found
    }
}

/// A longer value is a blob, such as an inline image: searched by other detectors.
const VALUE_BYTES_MAX: usize = 16 * 1024;
const POOR_VALUE_BYTES_MAX: usize = 256;
const WORK_BYTES_FREE: usize = 64 * 1024;
const WORK_PER_BYTE: usize = 8;
/// How far behind a value's end, or the blanks before it, bytes are looked at (bytes).
const LOOK_BYTES_MAX: usize = 80;
/// Within how many lines the `value` of an object stands that a key has.
const OBJECT_LINES_MAX: u8 = 4;
