//! Turns the place where a value may begin into the value's span. Does not judge it.
//!
//! Everything here looks to the right no further than the value's own terminator. What more bytes could change is
//! [`Extent::Open`], so that a caller with half a line knows to wait.

use std::ops::Range;

use super::bare::KnownEnd;
use super::key::{ENTITIES, backslashes_before};

/// What the surroundings of a value say about where it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// It stands inside a string literal, whose escapes end it.
    pub in_string: bool,
    /// It is a field of a query string or form: `&` ends it.
    pub query: bool,
    /// It is a field of a connection string or cookie: `;` ends it.
    pub semicolons: bool,
    /// It is the text of an XML element: `<` ends it, spaces do not.
    pub element: bool,
    /// It follows an equals sign: punctuation may begin it.
    pub literal: bool,
    /// Only a quoted value will do.
    pub quoted_only: bool,
    /// It reaches to the end of its line, spaces included (block scalars).
    pub whole_line: bool,
    /// A bracket, and no mask, stands right behind the separator.
    pub bracketed: bool,
}

/// How a value begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The text ends before the value begins.
    Nothing,
    /// The line ends before the value begins.
    LineEnd(usize),
    /// Something has begun, and more bytes decide what.
    Open(usize),
    /// No value can begin here.
    None,
    /// A quoted value's first byte, and what closes it.
    Quoted(usize, Close),
    /// An unquoted value's first byte.
    Bare(usize),
}

impl Opening {
    /// The value's first byte, or 0 if there is none.
    pub fn start(self) -> usize {
        match self {
            Opening::Quoted(start, _) | Opening::Bare(start) => start,
            _ => 0,
        }
    }
}

/// What closes a quoted value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// This quote, preceded by this many backslashes.
    Quote(u8, usize),
    /// This entity of [`ENTITIES`].
    Entity(usize),
}

/// Where a value ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// It could still grow.
    Open,
    /// It is over the bound: a blob, not a value.
    Blob,
    /// It stands here, and `End` stopped it.
    Done(Range<usize>, End),
}

/// What stopped a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its closing quote.
    Quote,
    /// A space or tab: more may follow in the line.
    Blank,
    /// A line end, or the end of input.
    Line,
    /// Punctuation of the text around it.
    Mark,
}

/// Finds how the value behind a separator begins.
pub fn opening(text: &[u8], from: usize, ended: bool, around: Around) -> Opening {
    let mut at = from + usize::from(around.bracketed);
    // A wrapper is stepped into once or twice: `Some("x")`, `[x]`, `Some(Secret("x"))`.
    for _ in 0..3 {
        while let Some(&byte) = text.get(at)
            && is_nothing(byte)
        {
            match text.get(at + 2) {
                // Two of them around one byte are UTF-16.
                Some(0) if byte == 0 => break,
                None if byte == 0 && !ended => return Opening::Open(at),
                _ => at += 1,
            }
        }
        let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) else {
            return if ended { Opening::LineEnd(text.len()) } else { Opening::Nothing };
        };
        match wrapper(rest) {
            Wrapper::Not => break,
            Wrapper::Open if !ended => return Opening::Open(at),
            Wrapper::Open => break,
            Wrapper::Skip(n) => at += n,
        }
    }
    let Some(&first) = text.get(at) else {
        return if ended { Opening::LineEnd(text.len()) } else { Opening::Nothing };
    };
    match first {
        b'\n' | b'\r' => Opening::LineEnd(at),
        b'"' | b'\'' | b'`' => Opening::Quoted(at + 1, Close::Quote(first, 0)),
        b'\\' => escaped_opening(text, at, ended, around),
        b'&' => entity_opening(text, at, ended, around),
        // A letter before a quote marks the kind of string: b'x', r"x", @"x", $"x".
        b'b' | b'B' | b'r' | b'R' | b'u' | b'U' | b'f' | b'@' | b'$' | b'L' => match text.get(at + 1) {
            None if !ended => Opening::Open(at),
            Some(&q @ (b'"' | b'\'')) => Opening::Quoted(at + 2, Close::Quote(q, 0)),
            Some(b'\\') if !ended && at + 2 + run(text, at + 1) >= text.len() => Opening::Open(at),
            Some(b'\\') => match escaped_opening(text, at + 1, true, around) {
                quoted @ Opening::Quoted(..) => quoted,
                _ => bare(at, around),
            },
            _ => bare(at, around),
        },
        b')' | b']' | b'}' | b'=' | b',' | b';' if !around.whole_line && !around.element => match text.get(at + 1) {
            None if !ended => Opening::Open(at),
            Some(b) if b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'`' | b'>') => bare(at, around),
            _ => Opening::None,
        },
        b'{' if !around.whole_line && !around.element => Opening::None,
        b'<' if around.element => Opening::None,
        _ => bare(at, around),
    }
}

/// Finds where the value that `opening` found ends, if within `bytes_max`. `Opening`s without a value have no extent.
/// `known` is what the values before have left, in the same text.
pub fn extent(
    text: &[u8],
    opening: Opening,
    ended: bool,
    around: Around,
    bytes_max: usize,
    known: &mut KnownEnd,
) -> Extent {
    // Only so much of the text is looked at, however long it is, so that the verdict on a blob is causal as well.
    let bound = opening.start().saturating_add(bytes_max);
    let (seen, over) = (text.get(..bound).unwrap_or(text), text.len() > bound);
    let ended = ended && !over;
    let found = match opening {
        Opening::Quoted(start, Close::Quote(quote, depth)) => quoted_end(seen, start, quote, depth, ended, around),
        Opening::Quoted(start, Close::Entity(i)) => entity_end(seen, start, i, ended),
        Opening::Bare(start) if around.element || around.whole_line => long_end(seen, start, ended, around),
        Opening::Bare(start) => known.extent(seen, start, ended, around, bound),
        _ => Extent::Blob,
    };
    if over && found == Extent::Open { Extent::Blob } else { found }
}

/// Whether the escape of an ESC byte begins at `at` (a backslash), or could.
pub fn escaped_esc(text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    let rest = &rest[rest.iter().take_while(|&&b| b == b'\\').count().min(rest.len())..];
    [&b"u001b"[..], b"u001B", b"u{1b}", b"x1b", b"x1B", b"033", b"e["].iter().any(|e| rest.starts_with(e))
}

fn bare(at: usize, around: Around) -> Opening {
    if around.quoted_only { Opening::None } else { Opening::Bare(at) }
}

enum Wrapper {
    Not,
    Open,
    Skip(usize),
}

/// Whether `rest` begins with something that stands around a value without being of it.
fn wrapper(rest: &[u8]) -> Wrapper {
    for w in WRAPPERS {
        if rest.starts_with(w) {
            return Wrapper::Skip(w.len());
        }
        if w.starts_with(rest) && w.len() > 1 {
            return Wrapper::Open;
        }
    }
    if let Some(counted) = rest.strip_prefix(b"string(") {
        return php_string(counted);
    }
    if b"string(".starts_with(rest) && rest.len() > 1 {
        return Wrapper::Open;
    }
    match rest {
        // A single bracket around a value, as servlets and Go print lists. Capitals after it may begin a mask.
        [b'['] => Wrapper::Open,
        // Erlang's binaries.
        [b'<'] | [b'<', b'<'] => Wrapper::Open,
        [b'<', b'<', b'"', ..] => Wrapper::Skip(2),
        [b'[', b] if !b.is_ascii_uppercase() && !matches!(b, b'[' | b']' | b'{') => Wrapper::Skip(1),
        [b'[', b, ..] if !b.is_ascii_uppercase() && !matches!(b, b'[' | b']' | b'{') => Wrapper::Skip(1),
        _ => Wrapper::Not,
    }
}

/// `string(7) "hunter2"`, as PHP's `var_dump` has it: `rest` follows the opening bracket.
fn php_string(rest: &[u8]) -> Wrapper {
    let digits = rest.iter().take(LENGTH_DIGITS_MAX).take_while(|b| b.is_ascii_digit()).count();
    let behind = rest.get(digits..).unwrap_or_default();
    let whole = b") \"";
    if digits > 0 && behind.starts_with(whole) {
        Wrapper::Skip(b"string(".len() + digits + whole.len() - 1)
    } else if whole.starts_with(behind) {
        Wrapper::Open
    } else {
        Wrapper::Not
    }
}

/// Backslashes at the beginning: an escaped quote, an escaped white space, or a value of its own.
fn escaped_opening(text: &[u8], at: usize, ended: bool, around: Around) -> Opening {
    let n = run(text, at);
    match text.get(at + n) {
        None if !ended => Opening::Open(at),
        Some(&q @ (b'"' | b'\'')) => Opening::Quoted(at + n + 1, Close::Quote(q, n)),
        Some(b'n' | b'r' | b't') if around.in_string => Opening::None,
        _ => bare(at, around),
    }
}

fn entity_opening(text: &[u8], at: usize, ended: bool, around: Around) -> Opening {
    let rest = text.get(at..).unwrap_or_default();
    for (i, entity) in ENTITIES.iter().enumerate() {
        if rest.starts_with(entity) {
            return Opening::Quoted(at + entity.len(), Close::Entity(i));
        }
        if entity.starts_with(rest) && !ended {
            return Opening::Open(at);
        }
    }
    // `password=&user=x`: an empty field.
    if around.query { Opening::None } else { bare(at, around) }
}

/// Whether a byte in front of a value says nothing: a blank, or a control character that shows nothing.
pub fn is_nothing(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0..=8 | 11 | 12 | 14..=26 | 28..=31 | 127)
}

/// How many backslashes begin at `at`.
pub fn run(text: &[u8], at: usize) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|&&b| b == b'\\').count()
}

fn quoted_end(text: &[u8], start: usize, quote: u8, depth: usize, ended: bool, around: Around) -> Extent {
    let mut at = start;
    while let Some(&b) = text.get(at) {
        match b {
            b'\n' | b'\r' => return Extent::Done(trimmed(text, start, at), End::Line),
            b'"' | b'\'' | b'`' if b == quote => {
                let n = backslashes_before(text, at).min(at - start);
                // n backslashes open at this depth; the next depth escapes each of them and the quote.
                if n < depth || n % (2 * (depth + 1)) == depth {
                    return Extent::Done(start..at - n, End::Quote);
                }
            }
            // The string around a value in single quotes ends it as well.
            b'"' if around.in_string && depth == 0 && backslashes_before(text, at).is_multiple_of(2) => {
                return Extent::Done(start..at, End::Quote);
            }
            _ => {}
        }
        at += 1;
    }
    if ended { Extent::Done(trimmed(text, start, at), End::Line) } else { Extent::Open }
}

fn entity_end(text: &[u8], start: usize, entity: usize, ended: bool) -> Extent {
    let entity = ENTITIES.get(entity).copied().unwrap_or_default();
    let rest = text.get(start..).unwrap_or_default();
    let line = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    match memchr::memmem::find(&rest[..line], entity) {
        Some(n) => Extent::Done(start..start + n, End::Quote),
        None if line < rest.len() || ended => Extent::Done(trimmed(text, start, start + line), End::Line),
        None => Extent::Open,
    }
}

/// The text of an element, or the rest of a line.
fn long_end(text: &[u8], start: usize, ended: bool, around: Around) -> Extent {
    let mut at = start;
    while let Some(&b) = text.get(at) {
        match b {
            b'\n' | b'\r' => return Extent::Done(trimmed(text, start, at), End::Line),
            // Only the element's own end tag; `<user> <password> <host>` are placeholders.
            b'<' if around.element => {
                return match text.get(at + 1) {
                    Some(b'/') => Extent::Done(trimmed(text, start, at), End::Quote),
                    None if !ended => Extent::Open,
                    _ => Extent::Blob,
                };
            }
            b']' if around.element && text.get(at + 1..).is_some_and(|r| r.starts_with(b"]>")) => {
                return Extent::Done(trimmed(text, start, at), End::Quote);
            }
            b']' if around.element && !ended && text.get(at + 1..).is_some_and(|r| b"]>".starts_with(r)) => {
                return Extent::Open;
            }
            b'"' if around.in_string && backslashes_before(text, at).is_multiple_of(2) => {
                return Extent::Done(trimmed(text, start, at), End::Mark);
            }
            b'\\' if around.in_string => match text.get(at + run(text, at)) {
                None if !ended => return Extent::Open,
                Some(b'n' | b'r' | b't') => return Extent::Done(trimmed(text, start, at), End::Line),
                _ => {}
            },
            _ => {}
        }
        at += 1;
    }
    if ended { Extent::Done(trimmed(text, start, at), End::Line) } else { Extent::Open }
}

/// The span without white space and CR at its end.
fn trimmed(text: &[u8], start: usize, end: usize) -> Range<usize> {
    let inside = text.get(start..end).unwrap_or_default();
    let blanks = inside.iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
    start..end - blanks
}

const LENGTH_DIGITS_MAX: usize = 9;
const WRAPPERS: &[&[u8]] = &[
    b"Some(",
    b"Optional[",
    b"Optional(",
    b"Sensitive(",
    b"SecretString(",
    b"SecretStr(",
    b"Secret(",
    b"<![CDATA[",
    b"** ",
    b"</b> ",
    b"</strong> ",
];
