//! Knows lines that may go on in the next one, because some program breaks its output at a width:
//! base64, terminals (80 columns, where there is none) and quoted-printable. Joins them. Does not look for values, nor for what the joined text says.

use std::ops::Range;

use super::{
    super::prefilter::breaks::{self, Breaks},
    Known,
};
use crate::{
    limits,
    redact::Masker,
    view::{self, Views, utf16::Encoding},
};

/// How lines are broken, other than base64: at a width, and by the soft breaks of quoted-printable. `None` for base64
/// alone.
pub(crate) type Width<'a> = Option<Broken<'a>>;

/// The widths at which lines are broken.
#[derive(Clone, Copy)]
pub(crate) struct Broken<'a> {
    /// That of the terminal (columns; 0 for none).
    pub(crate) terminal: usize,
    /// Without a terminal, those that programs take for one's (columns; 0 for none).
    pub(crate) columns: [usize; 2],
    /// How wide a line was in which a mask stands, nobody knows.
    pub(crate) masker: &'a Masker,
}

impl Broken<'_> {
    /// Whether a line without its end is no wider than lines are that are broken.
    fn may_grow(self, line: &[u8]) -> bool {
        let most = if self.terminal > 0 { self.terminal } else { self.columns[0].max(self.columns[1]) };
        columns(line) <= most
    }
}

/// Whether a line, with its end, may go on in the next one: it ends in a long run of base64 digits, in a soft break, or
/// is as wide as a terminal.
pub(crate) fn wraps(line: &[u8], width: Width) -> bool {
    Line::read(line, 0..line.len(), width).goes_on
}

/// Whether a known string may begin in a line, with its end, and go on in the next one.
pub(crate) fn may_begin(known: &Known, line: &[u8], width: Width) -> bool {
    let read = Line::read(line, 0..line.len(), width);
    read.goes_on && read.may_begin(known, line)
}

/// Whether another text may be read over the ends of the parts of one.
fn reads_otherwise(text: &[u8], parts: &[Range<usize>]) -> bool {
    let mut ends = parts.iter().scan(0, |end, part| {
        *end += part.len();
        Some(*end)
    });
    // Up to where a run of digits was looked at.
    let mut seen = 0;
    let mut decodes = |place: usize| {
        if place < seen {
            return false;
        }
        let start = place - text[..place].iter().rev().take_while(|&&byte| is_digit(byte)).count();
        seen = place + text[place..].iter().take_while(|&&byte| is_digit(byte)).count();
        seen - start >= limits::BASE64_RUN_MIN && view::decodes_to_text(text, start)
    };
    memchr::memchr3(0x1b, b'\\', b'%', text).is_some()
        || memchr::memchr(b'&', text).is_some()
        || ends.any(|end| end < text.len() && decodes(end))
}

/// Where a soft break stands at the end of a text whose last line has no end yet.
pub(crate) fn before_soft_break(text: &[u8]) -> Option<usize> {
    let bare = text.strip_suffix(b"\r").unwrap_or(text);
    let start = memchr::memrchr(b'\n', bare).map_or(0, |end| end + 1);
    breaks_softly(&bare[start..]).then(|| bare.len() - 1)
}

/// Where the CR of a line end may stand at the end of a text, behind a line as wide as a terminal.
pub(crate) fn before_line_end(text: &[u8], width: Width) -> Option<usize> {
    let end = breaks::content(text).len();
    let start = || memchr::memrchr(b'\n', &text[..end]).map_or(0, |end| end + 1);
    (end < text.len() && is_as_wide(&text[start()..end], width)).then_some(end)
}

/// Where the frame of a line, or what begins one, may stand at the end of a text whose last line has no end yet.
pub(crate) fn before_frame(text: &[u8], width: Width) -> Option<usize> {
    let start = memchr::memrchr(b'\n', text).map_or(0, |end| end + 1);
    let line = breaks::content(&text[start..]);
    let cut = |sign: &&[u8]| (1..sign.len()).rev().find_map(|shown| line.strip_suffix(&sign[..shown]));
    let said = FRAMES.iter().find_map(cut).unwrap_or(line).trim_ascii_end();
    let end = start + within_frame(said).end;
    (end < text.len() && width.is_some_and(|width| width.may_grow(line))).then_some(end)
}

/// Where a margin may have begun at the end of a text.
pub(crate) fn before_margin(text: &[u8], width: Width) -> Option<usize> {
    let begun = has_terminal(width) && text.ends_with(b" ");
    begun.then(|| text.len() - 1)
}

/// Where a run of at least so many digits begins at the end of a text that goes on in the next line: with more digits it may
/// be a text, or be none any more, and what is found in a text masks it whole.
pub(crate) fn before_more_digits(text: &[u8], least: usize) -> Option<usize> {
    let bare = text.strip_suffix(b"=").unwrap_or(text);
    let start = bare.iter().rposition(|&byte| !is_digit(byte)).map_or(0, |at| at + 1);
    let may_decode = |first| view::may_decode(first, usize::MAX);
    (bare.len() - start >= least && bare[start..].first_chunk().is_none_or(may_decode)).then_some(start)
}

/// Whether a line of quoted-printable, without its end, goes on in the next one.
fn breaks_softly(bare: &[u8]) -> bool {
    bare.len() <= SOFT_WIDTH_MAX
        && bare.ends_with(b"=")
        && !bare.ends_with(b"==")
        && (bare.len() >= SOFT_WIDTH_MIN || is_coded(&bare[..bare.len() - 1]))
}

/// Whether a line says that it is quoted-printable: a code that texts have, and no equals sign but in codes.
fn is_coded(said: &[u8]) -> bool {
    const CODES: [&[u8]; 8] = [b"3D", b"20", b"09", b"0D", b"0A", b"C2", b"C3", b"E2"];
    let mut coded = false;
    memchr::memchr_iter(b'=', said).all(|at| {
        let code = said.get(at + 1..at + 3).unwrap_or_default();
        coded |= CODES.contains(&code);
        code.len() == 2 && code.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
    }) && coded
}

/// Whether a line of quoted-printable ends with the equals sign at `at` and goes on in the next one.
pub(crate) fn is_soft_break(text: &[u8], at: usize) -> bool {
    let ends = matches!(text.get(at + 1..), Some([b'\n', ..] | [b'\r', b'\n', ..]));
    let from = at.saturating_sub(SOFT_WIDTH_MAX);
    let start = memchr::memrchr(b'\n', &text[from..at]).map_or(from, |end| from + end + 1);
    ends && is_broken_softly(&text[start..=at])
}

/// Whether a line of quoted-printable, without its end, goes on in the next one, and the equals sign is no padding of a
/// run of base64 that stands behind something else on the line. A line with codes has no such run.
fn is_broken_softly(bare: &[u8]) -> bool {
    let run = || bare.iter().rev().skip(1).take_while(|&&byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
    breaks_softly(bare) && {
        let digits = run().count();
        digits % 4 != 3
            || digits < limits::BASE64_RUN_MIN
            || digits + 1 == bare.len()
            || is_coded(&bare[..bare.len() - 1])
    }
}

/// A line without its end and without the sign of a soft break, if one stands there; that of a line without an end is one
/// if the end comes next. How long a line with a mask was, nobody knows: it goes on nowhere.
fn before_sign<'a>(line: &'a [u8], masker: &Masker) -> Option<&'a [u8]> {
    let bare = line.strip_suffix(b"\n").unwrap_or(line);
    let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
    bare.strip_suffix(b"=").filter(|said| is_broken_softly(bare) && !masker.stands_in(said))
}

/// Whether the last of some lines ends in a soft break.
pub(crate) fn goes_on_softly(lines: &[u8], masker: &Masker) -> bool {
    let last = lines.strip_suffix(b"\n").map(|rest| memchr::memrchr(b'\n', rest).map_or(0, |end| end + 1));
    last.is_some_and(|last| before_sign(&lines[last..], masker).is_some())
        && memchr::memchr_iter(b'\n', lines).take(JOINED_LINES_MAX).count() < JOINED_LINES_MAX
}

/// The next lines at or after `from`, a line start, that soft breaks join: what they say, and where they end. Where the
/// text may go on, the last of them may be cut.
pub(crate) fn next_soft(text: &[u8], from: usize, masker: &Masker) -> Option<(Vec<Range<usize>>, usize)> {
    let mut parts = Vec::new();
    let mut start = from;
    while start < text.len() {
        if parts.is_empty() {
            // The lines before the next sign that may be one go on nowhere.
            let sign =
                start + memchr::memchr_iter(b'=', &text[start..]).find(|&at| ends_a_line(&text[start + at + 1..]))?;
            start = memchr::memrchr(b'\n', &text[start..sign]).map_or(start, |end| start + end + 1);
        }
        let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |end| start + end + 1);
        let said = before_sign(&text[start..end], masker);
        match said {
            Some(said) => parts.push(start..start + said.len()),
            None if !parts.is_empty() => {
                parts.push(start..end);
                return Some((parts, end));
            }
            None => {}
        }
        start = end;
    }
    (!parts.is_empty()).then_some((parts, text.len()))
}

/// Whether a text begins with a line end, or with its end.
fn ends_a_line(text: &[u8]) -> bool {
    matches!(text, [] | [b'\n', ..] | [b'\r'] | [b'\r', b'\n', ..])
}

fn has_terminal(width: Width) -> bool {
    width.is_some_and(|width| width.terminal > 0)
}

fn is_as_wide(line: &[u8], width: Width) -> bool {
    width.is_some_and(|Broken { terminal, columns: widths, masker }| {
        if terminal > 0 {
            return columns(without_margin(line)) == terminal;
        }
        let text = content(line);
        breaks::is_as_wide(text, widths) && !masker.stands_in(text)
    })
}

/// A line without its end, with the blanks before that.
fn content(line: &[u8]) -> &[u8] {
    breaks::content(without_margin(line))
}

/// A line without its end and the blanks before that.
fn bare(line: &[u8]) -> &[u8] {
    without_margin(line).trim_ascii_end()
}

fn without_margin(line: &[u8]) -> &[u8] {
    MARGINS.iter().find_map(|margin| line.strip_suffix(*margin)).unwrap_or(line)
}

/// Whether the first of some lines ends in a run of base64 digits that decodes to text and may go on in the next
/// line, and the last of them goes on, too.
pub(crate) fn reads_on(lines: &[u8]) -> bool {
    let last = lines.strip_suffix(b"\n").and_then(|rest| memchr::memrchr(b'\n', rest)).map_or(0, |end| end + 1);
    wraps(&lines[last..], None)
        && begins_text(lines)
        && memchr::memchr_iter(b'\n', lines).take(JOINED_LINES_MAX).count() < JOINED_LINES_MAX
}

/// Whether the first of some lines ends in a run of base64 digits, as wide as programs break it, that decodes to text.
pub(crate) fn begins_text(lines: &[u8]) -> bool {
    let bare = lines.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let run = bare.iter().rev().take_while(|&&byte| is_digit(byte)).count();
    breaks_at_a_width(run) && view::decodes_to_text(bare, bare.len() - run)
}

/// Whether a run of so many base64 digits, at a line's end, may go on in the next line.
pub(crate) fn breaks_at_a_width(digits: usize) -> bool {
    (breaks::RUN_MIN..=BASE64_WIDTH_MAX).contains(&digits) && digits.is_multiple_of(4)
}

/// Whether a part of a line, without its end, may be the last one of a run.
pub(crate) fn ends_run(part: &[u8]) -> bool {
    let padding = part.iter().rev().take(2).take_while(|&&byte| byte == b'=').count();
    part.len() > padding && part[..part.len() - padding].iter().all(|&byte| is_digit(byte))
}

/// Lines of a text of which all but the last one may go on in the next. Where the text ends, the last one is missing.
#[derive(Debug, Default)]
pub(crate) struct Run {
    lines: Vec<Line>,
}

/// Where a line goes on that was broken at a width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoesOn {
    /// At the start of the next one.
    AtStart,
    /// Within a frame, as tables and reports have them, or behind an indentation.
    InFrame,
    /// Below its last word, where lines begin with timestamps, if that is a run of base64.
    BehindTimestamp,
}

impl GoesOn {
    /// All of them.
    pub(crate) const ALL: [GoesOn; 3] = [GoesOn::AtStart, GoesOn::InFrame, GoesOn::BehindTimestamp];
}

/// A run, and room for what its lines say.
#[derive(Default)]
pub(crate) struct Joined {
    pub(crate) breaks: Breaks,
    pub(crate) run: Run,
    pub(crate) parts: Vec<Range<usize>>,
    pub(crate) text: Vec<u8>,
}

/// A line that is read.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Where it begins, where what it says ends, and where its end does.
    start: usize,
    said: usize,
    end: usize,
    /// Whether it may go on in the next one.
    goes_on: bool,
    /// Whether it was broken at a width, by a soft break, or ends in a run of base64 digits.
    wide: bool,
    soft: bool,
    digits: bool,
}

impl Line {
    fn read(text: &[u8], range: Range<usize>, width: Width) -> Line {
        let line = &text[range.clone()];
        let bare = bare(line);
        let wide = is_as_wide(line, width);
        let breaks = width.is_some() && breaks_softly(bare);
        let soft = breaks && !wide;
        let digits = breaks::ends_in_run(bare);
        // Where a line was broken at a width, a blank may stand in front of the break.
        let said = if wide { content(line).len() } else { bare.len() - usize::from(soft) };
        // A line without an end goes on nowhere yet.
        let goes_on = bare.len() < line.len() && (wide || breaks || digits);
        Line { start: range.start, said: range.start + said, end: range.end, goes_on, wide, soft, digits }
    }

    fn said(self, text: &[u8]) -> &[u8] {
        &text[self.start..self.said]
    }

    /// Where its last word begins, if that is a run of base64.
    fn column(self, text: &[u8]) -> Option<usize> {
        let blank = || self.said(text).iter().rposition(u8::is_ascii_whitespace);
        self.digits.then(|| blank().map_or(0, |at| at + 1))
    }

    /// Whether a known string may begin in it.
    fn may_begin(self, known: &Known, text: &[u8]) -> bool {
        let said = self.said(text);
        // Behind the last byte of a wide one, or between two, a colour may end.
        let framed = || &said[within_frame(said)];
        known.has_tail(said) || self.wide && (said.contains(&0x1b) || known.has_tail(framed()))
    }
}

impl Run {
    /// Finds the next run at or after `from`, a line start: of a text that is new, of which nothing is known yet, the next in
    /// whose first line a known string may begin.
    pub(crate) fn next(
        &mut self,
        text: &[u8],
        from: usize,
        width: Width,
        ahead: Option<(&Known, &mut Breaks)>,
    ) -> bool {
        self.lines.clear();
        // A terminal's line may also go on within itself.
        let mut ahead = ahead.filter(|_| !has_terminal(width));
        let mut start = from;
        loop {
            if let Some((_, breaks)) = &mut ahead {
                let Some(next) = breaks.next(text, start, width.map_or([0; 2], |width| width.columns)) else {
                    return false;
                };
                start = next;
            }
            let Some(mut end) = line_end(text, start, width) else { return false };
            let mut line = Line::read(text, start..end, width);
            start = end;
            if !line.goes_on || ahead.as_ref().is_some_and(|(known, _)| !line.may_begin(known, text)) {
                continue;
            }
            self.lines.push(line);
            while line.goes_on
                && let Some(next) = line_end(text, end, width)
            {
                line = Line::read(text, end..next, width);
                self.lines.push(line);
                end = next;
            }
            return true;
        }
    }

    /// Leaves out the lines before the first one that goes on and whose digits decode to text. Whether there is one.
    pub(crate) fn begin_at_text(&mut self, text: &[u8]) -> bool {
        let begins = |line: &Line| line.goes_on && begins_text(&text[line.start..line.end]);
        let first = self.lines.iter().position(begins);
        self.lines.drain(..first.unwrap_or(0));
        first.is_some()
    }

    /// Where the lines stand.
    pub(crate) fn range(&self) -> Range<usize> {
        let start = self.lines.first().map_or(0, |line| line.start);
        start..self.lines.last().map_or(start, |line| line.end)
    }

    /// Whether the last line may go on, too.
    pub(crate) fn is_open(&self) -> bool {
        self.lines.last().is_some_and(|line| line.goes_on)
    }

    /// Puts the parts of the lines that are one text into `parts`, if a line that was broken at a width goes on there, and
    /// says whether that is a text of its own: at the start of lines it always is. Base64 that ends a narrower line goes on
    /// behind a timestamp where the line before has one, or else behind the indentation.
    pub(crate) fn parts(&self, text: &[u8], goes_on: GoesOn, parts: &mut Vec<Range<usize>>) -> bool {
        parts.clear();
        let mut is_own = goes_on == GoesOn::AtStart;
        let mut before: Option<Line> = None;
        for line in &self.lines {
            let said = line.said(text);
            let mut part = line.start..line.said;
            if let Some(before) = before.filter(|before| !before.soft) {
                let column = before.column(text).filter(|&at| at < said.len() && said[..at].ends_with(b" "));
                part.start += match (before.wide, goes_on) {
                    (false, _) => column.unwrap_or(said.len() - said.trim_ascii_start().len()),
                    (true, GoesOn::AtStart) => 0,
                    (true, GoesOn::BehindTimestamp) => column.unwrap_or(0),
                    (true, GoesOn::InFrame) => within_frame(said).start,
                };
                is_own |= before.wide && part.start > line.start;
            }
            if line.wide && goes_on == GoesOn::InFrame {
                part.end = part.end.min(line.start + within_frame(said).end).max(part.start);
                is_own |= part.end < line.said;
            }
            parts.push(part);
            before = Some(*line);
        }
        is_own
    }

    /// Whether these parts of the lines may hold a known string over their ends. `joined` is room for their text.
    pub(crate) fn may_hold(
        &self,
        known: &Known,
        text: &[u8],
        parts: &[Range<usize>],
        width: Width,
        joined: &mut Vec<u8>,
    ) -> bool {
        joined.clear();
        parts.iter().for_each(|part| joined.extend_from_slice(&text[part.clone()]));
        let is_broken = || self.lines.iter().any(|line| line.wide);
        known.first_in(joined, 0).is_some() || !has_terminal(width) && is_broken() && reads_otherwise(joined, parts)
    }
}

/// What a text says between the signs of a frame, if it has some, and the blanks and colours beside them.
fn within_frame(text: &[u8]) -> Range<usize> {
    let mut said = text.trim_ascii_start();
    while let Some(rest) = FRAMES.iter().find_map(|sign| without_colour_before(said).strip_prefix(*sign)) {
        said = without_colour_before(rest).trim_ascii_start();
    }
    let start = text.len() - said.len();
    // A colour that no frame follows is of the text.
    while let Some(rest) = FRAMES.iter().find_map(|sign| without_colour_behind(said).strip_suffix(*sign)) {
        said = without_colour_behind(rest).trim_ascii_end();
    }
    start..start + said.len()
}

/// A text without a sequence that chooses colours at its beginning, and at its end.
fn without_colour_before(text: &[u8]) -> &[u8] {
    let Some(rest) = text.strip_prefix(b"\x1b[") else { return text };
    let digits = rest.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b';')).count();
    rest[digits..].strip_prefix(b"m").unwrap_or(text)
}

fn without_colour_behind(text: &[u8]) -> &[u8] {
    let Some(rest) = text.strip_suffix(b"m") else { return text };
    let digits = rest.iter().rev().take_while(|byte| matches!(byte, b'0'..=b'9' | b';')).count();
    rest[..rest.len() - digits].strip_suffix(b"\x1b[").unwrap_or(text)
}

/// How wide a line is at last, without escape sequences (characters).
fn columns(line: &[u8]) -> usize {
    let (mut views, whole) = (Views::default(), 0..line.len());
    views.start(line, std::slice::from_ref(&whole), Encoding::Bytes, false, true);
    let mut parts = views.text(views.primary(false)).split(|&byte| matches!(byte, b'\r' | b'\n'));
    let text = parts.rfind(|part| !part.is_empty()).unwrap_or_default();
    text.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

fn line_end(text: &[u8], start: usize, width: Width) -> Option<usize> {
    let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
    let margin = |at: usize| rest.get(at + 1) != Some(&b'\n') && without_margin(&rest[..=at]).len() <= at;
    let end = if has_terminal(width) {
        memchr::memchr3_iter(b'\n', b'\r', 8, rest).find(|&at| rest[at] == b'\n' || margin(at))
    } else {
        memchr::memchr(b'\n', rest)
    };
    Some(end.map_or(text.len(), |end| start + end + 1))
}

fn is_digit(byte: u8) -> bool {
    view::is_base64(byte)
}

/// What stands at the left and right of a line in a frame.
const FRAMES: &[&[u8]] = &[b"|", "\u{2502}".as_bytes(), "\u{2503}".as_bytes(), "\u{2551}".as_bytes()];
/// What shells write where somebody types beyond the last column, and pagers where a line goes on: the blank takes the
/// cursor to the next line of the terminal.
const MARGINS: &[&[u8]] = &[b" \r", b" \x08"];
/// The greatest: what is longer was not broken for anybody to read.
const BASE64_WIDTH_MAX: usize = 160;
/// The widths at which programs break quoted-printable (characters): 76 is the most, and they do not cut codes, some not
/// the four codes of one character; some go over it.
const SOFT_WIDTH_MIN: usize = 62;
const SOFT_WIDTH_MAX: usize = 80;
/// How many lines of base64 are read as one text.
const JOINED_LINES_MAX: usize = 64;
