//! Turns values assigned to secret-sounding key names into hits. Does not know provider formats, nor decodes views.
//!
//! One pass from left to right over separators (`=`, `:`, `>`, white space, `,`): the key is looked up behind the
//! separator, the value's extent found before it, and the judge asked. The law is causality: a verdict depends on no
//! byte after the value's own terminator, so what was written before a cut in the text is right whatever follows.

mod bare;
mod candidate;
mod carry;
mod column;
mod decide;
mod element;
mod extent;
mod hint;
mod insert;
mod key;
mod map;
mod mark;
pub(in crate::scan) mod name;
mod near;
mod pair;
mod quotes;
mod table;
mod told;
pub(in crate::scan) mod trigger;
mod unread;
mod words;
mod yaml;

use std::ops::Range;

use self::bare::KnownEnd;
use self::candidate::Candidate;
use self::extent::Around;
use self::key::Key;
use self::name::{KeyWords, Match, Role};
use super::judge::{self, Confidence, Separator};

pub use self::carry::{Pending, Place, Waiting};
pub use self::column::bar;
pub use self::element::is_plain as is_plain_element;
pub use self::hint::may_assign;
pub use self::mark::Mark;
pub use self::name::{Family, Listed, NamedRule, Names, Strength};
pub use self::near::{Kept, Near, near};
use self::{quotes::Quotes, table::Table, trigger::Trigger};

/// What the scan asks of the rest of the engine.
pub trait Env {
    /// Whether the rule shape `shape` matches the whole of `value`.
    fn shape_matches(&self, shape: usize, value: &[u8]) -> bool;
    /// How sure a value of this shape is, by the rule and its check.
    fn shape_confidence(&self, shape: usize, value: &[u8]) -> Confidence;
    /// The length of one of the filter's own masks at `at`, if exactly one stands there.
    fn mask_len_at(&self, text: &[u8], at: usize) -> Option<usize>;
    /// The byte with which each of those begins, if it is always the same.
    fn mask_begins(&self) -> Option<u8>;
    /// Whether somebody types and is to see the words.
    fn interactive(&self) -> bool;
}

/// An assigned secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The value, without its quotes.
    pub value: Range<usize>,
    /// The rule's place in the rule table.
    pub rule: u16,
    /// How likely this is a secret.
    pub confidence: Confidence,
    /// Why, for people.
    pub why: &'static str,
}

/// What a scan leaves besides its hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where the earliest value begins whose end or verdict more bytes could change. Never set for an ended text.
    pub live: Option<usize>,
    /// What the text says about the next. Meaningful for an ended text.
    pub pending: Pending,
    /// Where the scan stood when all that it had looked at was before its first hit: from there on the same text is
    /// scanned again when its hits are masked.
    pub again: Option<Mark>,
}

/// Buffers that a caller keeps between scans, so that a warm scan allocates nothing.
#[derive(Default)]
pub struct Scratch {
    words: KeyWords,
    values: judge::Values,
}

/// Finds the assigned secrets of `text` from a mark on and appends them to `hits`, in order.
///
/// `ended` says that the text's end is a line end or the end of input. Never panics.
pub fn scan(
    text: &[u8],
    ended: bool,
    from: Mark,
    names: &Names,
    env: &dyn Env,
    scratch: &mut Scratch,
    hits: &mut Vec<Hit>,
) -> Outcome {
    let Mark { line, at, inside, quotes, named, pending, work } = from;
    let mut scan = Scan {
        text,
        ended,
        names,
        env,
        words: &mut scratch.words,
        values: &scratch.values,
        hits,
        quotes,
        kept_to: 0,
        kept: Quotes::default(),
        from: usize::MAX,
        named,
        pending,
        line,
        at,
        work,
        poor: false,
        inserted_to: 0,
        known_end: KnownEnd::default(),
        // What an earlier line said may have a say about all of this one.
        reach: if pending == Pending::None { 0 } else { usize::MAX },
        mark: from,
        again: None,
    };
    let live = scan.run(inside);
    Outcome { live, pending: scan.pending, again: scan.again }
}

/// The state of one call.
struct Scan<'a> {
    text: &'a [u8],
    ended: bool,
    names: &'a Names,
    env: &'a dyn Env,
    words: &'a mut KeyWords,
    values: &'a judge::Values,
    hits: &'a mut Vec<Hit>,
    /// The quotes of the line.
    quotes: Quotes,
    /// They are kept as they were up to this place.
    kept_to: usize,
    kept: Quotes,
    /// Keys that begin behind this place are of no interest.
    from: usize,
    /// The rules of a `"name": "DB_PASSWORD"` that awaits its `"value"`, and for how many more lines.
    named: Option<(Match, u8)>,
    /// At a line's beginning, what earlier lines said; within it, what will be said to the next.
    pending: Pending,
    /// Where the current line begins.
    line: usize,
    /// The next byte to look at. Grows always.
    at: usize,
    /// How many bytes of values were looked at in this line; see `extent`.
    work: usize,
    /// Whether that was too much for a value to be looked at to its end.
    poor: bool,
    /// Up to where the rows of an `INSERT` were looked at.
    inserted_to: usize,
    /// Of the last unquoted value.
    known_end: KnownEnd,
    /// Up to where bytes may have been looked at.
    reach: usize,
    /// Where the scan stood last when this was behind it, and where when the first hit was found.
    mark: Mark,
    again: Option<Mark>,
}

/// The start of a value that is not decided yet: the scan stops there.
struct Live(usize);

type Step = Result<(), Live>;

impl Scan<'_> {
    fn run(&mut self, inside: bool) -> Option<usize> {
        let mut inside = inside;
        loop {
            let rest = self.text.get(self.line..).unwrap_or_default();
            let len = memchr::memchr2(b'\n', b'\r', rest);
            let end = len.map_or(self.text.len(), |n| self.line + n);
            if let Err(Live(at)) = if inside { self.rest(end) } else { self.line(end) } {
                return Some(at);
            }
            inside = false;
            len?;
            self.line = end + 1;
            // A line end closes every string; what a decoder left open was decoded into another text.
            self.quotes = Quotes { in_string: false, counted: self.line };
        }
    }

    /// Scans the line that ends at `end`, where a line end or the text's end is.
    fn line(&mut self, end: usize) -> Step {
        // An empty line says nothing: so the CR and LF of one line end need not be told from two.
        if end == self.line {
            return Ok(());
        }
        self.at = self.line;
        self.work = 0;
        self.resume(end)?;
        self.rest(end)
    }

    /// Goes on in the line that ends at `end`.
    fn rest(&mut self, end: usize) -> Step {
        while let Some(gap) =
            self.text.get(self.at..end).and_then(|rest| rest.iter().position(|&byte| SEPARATORS[usize::from(byte)]))
        {
            let i = self.at + gap;
            self.at = i + 1;
            self.separator(i, self.text[i])?;
        }
        self.close_line(end);
        if self.pending == Pending::None {
            let line = self.text.get(self.line..end).unwrap_or_default();
            self.pending = match Table::headed(line, self.names, self.words) {
                Some((rules, table)) => Pending::Table(rules, table),
                None => self.announced(end),
            };
        }
        Ok(())
    }

    #[inline]
    fn separator(&mut self, i: usize, byte: u8) -> Step {
        match byte {
            b'=' => self.equals(i),
            b':' => self.colon(i),
            b'>' => self.angle(i),
            b' ' | b'\t' => self.blank(i),
            b',' => self.comma(i),
            b'{' => self.brace(i),
            _ => Ok(()),
        }
    }

    /// `k=v`, `k = v`, `k := v`; not `==`, `!=`, `<=`, `=~`, nor the arrow `=>`, which `angle` sees.
    fn equals(&mut self, i: usize) -> Step {
        if self.text.get(i + 1) == Some(&b'>') || key::is_comparison(self.text, i) {
            self.at = i + 2 - usize::from(self.text.get(i + 1) == Some(&b'>'));
            return Ok(());
        }
        let end = match i.checked_sub(1).and_then(|p| self.text.get(p)) {
            Some(b'!' | b'<' | b'>' | b'~' | b'*' | b'/' | b'%' | b'^' | b'|' | b'=') => return Ok(()),
            Some(b':' | b'?' | b'+') => i - 1,
            _ => i,
        };
        self.assignment(end, i + 1, Separator::Equals)
    }

    /// `k: v`, `k:v`, `"k":"v"`; not `::`, nor a scheme's `://`.
    fn colon(&mut self, i: usize) -> Step {
        let rest = self.text.get(i + 1..).unwrap_or_default();
        if rest.starts_with(b":") {
            self.at = i + 2;
            return Ok(());
        }
        if rest.starts_with(b"=") || rest.starts_with(b"//") {
            return Ok(());
        }
        self.assignment(i, i + 1, Separator::Colon)
    }

    /// `--k v`, the few commands that take a name and a value (`ENV K v`, `config set k v`), and `{:k "v"}`.
    fn blank(&mut self, i: usize) -> Step {
        // Behind a blank no key ends: blanks are not walked back through at each of them.
        if !key::ends_word(self.text, i) {
            return if insert::follows(self.text, i) { self.inserted(i) } else { Ok(()) };
        }
        if !self.names.may_end_at(self.text, i) {
            return Ok(());
        }
        let start = i - self
            .text
            .get(self.line..i)
            .map_or(0, |t| t.iter().rev().take(name::KEY_BYTES_MAX).take_while(|&&b| key::is_ident(b)).count());
        if start == i {
            return Ok(());
        }
        // A dash inside a word, or an escaped one of a manual's source, begins no flag.
        let inside = start
            .checked_sub(1)
            .and_then(|p| self.text.get(p))
            .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'\\' || *b >= 0x80);
        let flag = self.text.get(start) == Some(&b'-') && !inside;
        let directive = flag || hint::directive_before(self.text, self.line, start);
        let keyword = hint::is_keyword(self.text, start) && self.text.get(i + 1) == Some(&b'"');
        let directive = directive || keyword;
        let column = if directive { None } else { column::column(self.text, self.line, start, i) };
        if !directive && column.is_none() {
            return self.sentence(start, i);
        }
        let Some(rules) = self.look_up(start..i, start) else { return Ok(()) };
        self.note();
        let around = Around { in_string: self.in_string_at(i), ..Around::default() };
        let separator = if directive { Separator::Flag } else { Separator::Column };
        let from = column.unwrap_or(i);
        self.candidate(Candidate { rules, key: start, from, separator, around })
    }

    /// A key ends at `end` and its separator at `from`.
    fn assignment(&mut self, end: usize, from: usize, separator: Separator) -> Step {
        if !self.names.may_end_at(self.text, end) {
            // What stands in an object inside is not the value beside a name.
            if self.named.is_some() && self.opens_inside(from) {
                self.named = None;
            }
            return Ok(());
        }
        let Some(key) = key::before(self.text, end).filter(|k| k.start >= self.line) else { return Ok(()) };
        let word = self.text.get(key.name.clone()).unwrap_or_default();
        // Most keys are told by their last letters to be nothing of interest.
        let role = name::role(word);
        // What stands in an object inside is not the value beside a name.
        if self.named.is_some() && role == Role::Other && self.opens_inside(from) {
            self.named = None;
        }
        if role == Role::Other && (!self.names.may_end(word) || key::is_number(self.text, &key)) {
            return Ok(());
        }
        self.note();
        let mut name = key.name.clone();
        if separator != Separator::Arrow {
            name = key::with_words_before(self.text, &key);
            name.start = name.start.max(self.line);
        }
        if name.start > self.from {
            return Ok(());
        }
        let around = self.around(&key, end, separator);
        // In a string literal, the `n` of `\ntoken=` is no letter of the key.
        if around.in_string && key.quoted.is_none() && key::escaped_blank(self.text, name.start) {
            name.start += 1;
        }
        match role {
            Role::Name => {
                // What a compiler puts into backticks has its value beside it or nowhere.
                let prose = self.text.get(key::skip_blanks(self.text, from)) == Some(&b'`');
                let lines = if prose { 0 } else { NAMED_LINES_MAX };
                self.named = self.name_assigned(from, around).map(|m| (m, lines));
                if self.named.is_some() {
                    return Ok(());
                }
            }
            // The `default` of a variable is assigned, not an object's.
            Role::Value if name::is_default(word) && separator != Separator::Equals => {}
            Role::Value => {
                if let Some((rules, _)) = self.named.take() {
                    let separator = if separator == Separator::Equals { Separator::Equals } else { Separator::Pair };
                    return self.candidate(Candidate { rules, key: key.start, from, separator, around });
                }
            }
            Role::Other => {}
        }
        let Some(rules) = self.look_up(name, key.start) else { return Ok(()) };
        let declared = key::behind_type(self.text, from).filter(|_| separator == Separator::Colon);
        let (from, separator) = declared.map_or((from, separator), |from| (from, Separator::Equals));
        self.candidate(Candidate { rules, key: key.start, from, separator, around })
    }

    fn around(&mut self, key: &Key, end: usize, separator: Separator) -> Around {
        let before = key.start.checked_sub(1).and_then(|p| self.text.get(p)).copied().unwrap_or(b' ');
        let at = key::skip_blanks_back(self.text, key.start);
        let before_blanks = at.checked_sub(1).and_then(|p| self.text.get(p)).copied().unwrap_or(b' ');
        Around {
            // A key in escaped quotes says that the text began inside the string.
            in_string: self.in_string_at(end) || key.quoted.is_some_and(|n| n > 0),
            literal: separator == Separator::Equals,
            query: separator == Separator::Equals && matches!(before, b'?' | b'&'),
            semicolons: separator == Separator::Equals && before_blanks == b';',
            ..Around::default()
        }
    }

    fn look_up(&mut self, name: Range<usize>, start: usize) -> Option<Match> {
        let rules = self.names.look_up(self.text.get(name.clone())?, self.words)?;
        // A name inside one of our own masks names nothing: `[REDACTED:generic-password]: x`.
        let from = start.saturating_sub(MASK_BYTES_MAX).max(self.line);
        let covers = |at: usize| self.env.mask_len_at(self.text, at).is_some_and(|n| at + n > name.start);
        let masked = match self.env.mask_begins() {
            Some(byte) => {
                memchr::memchr_iter(byte, self.text.get(from..=start).unwrap_or_default()).any(|at| covers(from + at))
            }
            None => (from..=start).any(covers),
        };
        (!masked).then_some(rules)
    }

    /// Whether `text[..at]`, in its line, leaves a string literal open. Asked with growing `at`.
    fn in_string_at(&mut self, at: usize) -> bool {
        if self.quotes.counted < self.kept_to {
            self.quotes.count(self.text, at.min(self.kept_to));
            self.kept = self.quotes;
        }
        self.quotes.count(self.text, at)
    }
}

/// The bytes at which [`Scan::separator`] does something.
const SEPARATORS: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b"=:> \t,{";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};
const TAG_BYTES_MAX: usize = 256;
const MASK_BYTES_MAX: usize = 96;
const NAMED_LINES_MAX: u8 = 2;
