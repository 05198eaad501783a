//! Turns the beginning of an unquoted value into its end. Does not know quotes.

use super::extent::{Around, End, Extent, run};
use super::{judge::text_odds, key::ENTITIES};

/// What is known of the end of an unquoted value, for those that begin inside it: they end where it does. In
/// `a=b=c=d` all values end at one place, which is looked for once.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownEnd {
    around: Around,
    /// For values that begin from here on, and before `to`.
    from: usize,
    to: usize,
    /// What ends them at `to`; if nothing does, they go on there.
    end: Option<End>,
}

impl KnownEnd {
    /// Finds where the value ends that begins at `start`, in a text of which `bound` bytes are looked at.
    pub fn extent(&mut self, text: &[u8], start: usize, ended: bool, around: Around, bound: usize) -> Extent {
        let inside = self.around == around && self.from <= start && start < self.to;
        match self.end {
            Some(end) if inside && self.to <= bound => return Extent::Done(start..self.to, end),
            _ if inside && self.to >= bound => return Extent::Blob,
            _ => {}
        }
        let at = if inside { self.to } else { start };
        let mut search = BareEnd { text, ended, around, depth: [0; 4], marks_end: 0, at, opened: 0, closed: 0 };
        let found = search.find(start);
        let (end, from) = match &found {
            Extent::Done(_, end) => (Some(*end), start.max(search.closed)),
            // Where it goes on, brackets that are open count.
            _ => (None, start.max(search.closed).max(search.opened)),
        };
        *self = KnownEnd { around, from, to: search.at, end };
        found
    }
}

/// The search for the end of an unquoted value.
struct BareEnd<'a> {
    text: &'a [u8],
    ended: bool,
    around: Around,
    /// How many brackets of each kind the value has opened and not closed.
    depth: [usize; 4],
    /// Where the run of punctuation that is being looked at ends.
    marks_end: usize,
    /// The next byte to look at.
    at: usize,
    /// Behind the last bracket that the value has opened, and behind the last that it has closed.
    opened: usize,
    closed: usize,
}

impl BareEnd<'_> {
    fn find(&mut self, start: usize) -> Extent {
        let (text, around) = (self.text, self.around);
        while let Some(&b) = text.get(self.at) {
            let at = self.at;
            let stop = match b {
                b'\n' | b'\r' => Stop::At(End::Line),
                0..=0x1a | 0x1c..=0x20 => Stop::At(End::Blank),
                b'\\' => {
                    let n = run(text, at);
                    match escape_stop(text, at, n, self.ended, around) {
                        // The whole run is literal, and none of its backslashes is looked at again.
                        Stop::No => {
                            self.at += n;
                            continue;
                        }
                        stop => stop,
                    }
                }
                b'"' if around.in_string => Stop::At(End::Mark),
                b'&' => ampersand_stop(text, at, self.ended, around),
                b'<' => {
                    self.depth[bracket(b)] += 1;
                    self.opened = at + 1;
                    one_byte_stop(text, at, self.ended, |b| b == b'/')
                }
                b';' if around.semicolons => Stop::At(End::Mark),
                b'(' | b'[' | b'{' => {
                    self.depth[bracket(b)] += 1;
                    self.opened = at + 1;
                    Stop::No
                }
                b',' | b';' | b')' | b'}' | b']' | b'"' | b'\'' | b'`' | b'>' if at > start => self.mark(at, b),
                _ => Stop::No,
            };
            match stop {
                Stop::At(end) => return Extent::Done(start..at, end),
                Stop::Unknown => return Extent::Open,
                Stop::No => self.at += 1,
            }
        }
        if self.ended { Extent::Done(start..self.at, End::Line) } else { Extent::Open }
    }

    /// Punctuation ends a value only where more punctuation of its kind, and then white space, the end, a quote or the
    /// next key follows.
    fn mark(&mut self, at: usize, b: u8) -> Stop {
        let (text, ended) = (self.text, self.ended);
        // A bracket that the value itself opened is of the value.
        if matches!(b, b')' | b']' | b'}' | b'>') && self.depth[bracket(b)] > 0 {
            self.depth[bracket(b)] -= 1;
            self.closed = at + 1;
            return Stop::No;
        }
        let mut next = self.marks_end.max(at);
        while let Some(b',' | b';' | b')' | b'}' | b']' | b'\'' | b'`' | b'>') = text.get(next) {
            next += 1;
        }
        self.marks_end = next;
        match text.get(next) {
            None if ended => Stop::At(End::Mark),
            None => Stop::Unknown,
            Some(0..=0x20 | b'"') => Stop::At(End::Mark),
            Some(b'\\') if self.around.in_string || matches!(text.get(next + run(text, next)), Some(b'"')) => {
                Stop::At(End::Mark)
            }
            Some(b'\\') if !ended && next + run(text, next) >= text.len() => Stop::Unknown,
            Some(b'<') => one_byte_stop(text, next, ended, |b| b == b'/'),
            _ if b == b',' => next_key_stop(text, at + 1, ended, |b| matches!(b, b'=' | b':')),
            // Fields that a semicolon parts have equals signs.
            _ if b == b';' => next_key_stop(text, at + 1, ended, |b| b == b'='),
            _ => match text.get(at + 1) {
                Some(b',') => next_key_stop(text, at + 2, ended, |b| matches!(b, b'=' | b':')),
                Some(b';') => next_key_stop(text, at + 2, ended, |b| b == b'='),
                _ => Stop::No,
            },
        }
    }
}

/// The kind of a bracket, as an index below 4.
fn bracket(b: u8) -> usize {
    match b {
        b'(' | b')' => 0,
        b'[' | b']' => 1,
        b'<' | b'>' => 2,
        _ => 3,
    }
}

enum Stop {
    At(End),
    No,
    Unknown,
}

/// A run of `n` backslashes: what it escapes may be the white space or the quote that ends a value one view deeper.
fn escape_stop(text: &[u8], at: usize, n: usize, ended: bool, around: Around) -> Stop {
    let rest = text.get(at + n..).unwrap_or_default();
    if rest.is_empty() && !ended {
        return Stop::Unknown;
    }
    if !around.in_string {
        return Stop::No;
    }
    match rest {
        [b'n' | b'r' | b't', ..] => Stop::At(End::Blank),
        [b'"', ..] => Stop::At(End::Mark),
        [b'u', hex @ ..] => {
            let ends = |code: &&[u8]| hex.len() >= 4 && hex[..4].eq_ignore_ascii_case(code);
            let could = hex.len() < 4 && !ended && [&b"0026"[..], b"0022", b"003c"].iter().any(|c| c.starts_with(hex));
            if could {
                Stop::Unknown
            } else if ends(&&b"0022"[..]) || ends(&&b"003c"[..]) || around.query && ends(&&b"0026"[..]) {
                Stop::At(End::Mark)
            } else {
                Stop::No
            }
        }
        _ => Stop::No,
    }
}

/// `&` ends a field of a query; elsewhere only before the next key, or as an entity's beginning.
fn ampersand_stop(text: &[u8], at: usize, ended: bool, around: Around) -> Stop {
    if around.query {
        return Stop::At(End::Mark);
    }
    let rest = text.get(at..).unwrap_or_default();
    for entity in ENTITIES.iter().chain(&[&b"&lt;"[..], b"&gt;", b"&rdquo;", b"&rsquo;", b"&nbsp;"]) {
        if rest.starts_with(entity) {
            return Stop::At(End::Mark);
        }
        if entity.starts_with(rest) && !ended {
            return Stop::Unknown;
        }
    }
    next_key_stop(text, at + 1, ended, |b| b == b'=')
}

fn one_byte_stop(text: &[u8], at: usize, ended: bool, is: impl Fn(u8) -> bool) -> Stop {
    match text.get(at + 1) {
        Some(&b) if is(b) => Stop::At(End::Mark),
        None if !ended => Stop::Unknown,
        _ => Stop::No,
    }
}

/// Whether a key and its separator begin at `at`.
fn next_key_stop(text: &[u8], at: usize, ended: bool, separator: impl Fn(u8) -> bool) -> Stop {
    let rest = text.get(at..).unwrap_or_default();
    let n = rest
        .iter()
        .take(NEXT_KEY_BYTES_MAX)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        .count();
    match rest.get(n) {
        None if !ended => Stop::Unknown,
        Some(&b) if n > 0 && separator(b) && may_name(&rest[..n]) => Stop::At(End::Mark),
        _ => Stop::No,
    }
}

/// Whether a word before a separator may be a key's name, and is not of a value that has the separator in it by chance.
pub fn may_name(word: &[u8]) -> bool {
    let Some((first, rest)) = word.split_first() else { return false };
    let upper = rest.iter().filter(|b| b.is_ascii_uppercase()).count();
    let one_case = upper == 0 || upper == rest.len();
    first.is_ascii_alphabetic()
        && match word.len() {
            1 => first.is_ascii_lowercase(),
            2..SHORT_NAME_BYTES => one_case,
            // `uuid`, `FQDN`, `jobId`
            ..NAME_BYTES if is_plain(word) => true,
            _ => text_odds(word) > NAME_ODDS || one_case && rest.iter().any(|b| !b.is_ascii_alphabetic()),
        }
}

/// Whether letters are all small, all capitals, or humps of two and more, of which there are two.
fn is_plain(word: &[u8]) -> bool {
    let mut humps = word.chunk_by(|a, b| !(a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    let is_hump = |hump: &[u8]| hump.len() > 1 && hump[1..].iter().all(u8::is_ascii_lowercase);
    let humped = humps.clone().count() > 1 && humps.all(is_hump);
    word.iter().all(u8::is_ascii_alphabetic)
        && (word.iter().all(u8::is_ascii_lowercase) || word.iter().all(u8::is_ascii_uppercase) || humped)
}

/// How much of an unquoted value stands before what looks like the next field: a comma, semicolon or ampersand, a word,
/// and an operator.
pub fn first_field(value: &[u8]) -> Option<usize> {
    let sign = |at: &usize| matches!(value[*at], b',' | b';' | b'&');
    (1..value.len()).filter(sign).find(|at| {
        let rest = &value[at + 1..];
        let word =
            rest.iter().take(NEXT_KEY_BYTES_MAX).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        word > 0 && rest[0].is_ascii_alphabetic() && matches!(rest.get(word), Some(b'=' | b':'))
    })
}

const NEXT_KEY_BYTES_MAX: usize = 64;
/// Of a name that is shorter than this, how its letters are written tells enough (bytes).
const NAME_BYTES: usize = 9;
/// Of a shorter name only the cases of its letters tell (bytes).
const SHORT_NAME_BYTES: usize = 4;
/// Below these odds a word is no name (hundredths of a bit).
const NAME_ODDS: i32 = -110;
