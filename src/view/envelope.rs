//! Reads what a container runtime wraps around a line of output. Does not join parts.
//!
//! Sources: docker's `json-file` driver splits lines at 16 KiB, and only the last part's `log` ends
//! with a line end (<https://docs.docker.com/engine/logging/drivers/json-file/>); the CRI format is
//! `time stream tag[:tag] text`, where the tag `P` marks a part and `F` the last one
//! (<https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md>).

use std::{ops::Range, sync::LazyLock};

use memchr::memmem::Finder;

/// Which runtime wrote a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `{"log":"...","stream":"stdout","time":"..."}`
    Docker,
    /// `2026-11-20T23:10:23.1Z stdout F ...`
    Cri,
}

/// One record of a container's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which runtime wrote it.
    pub format: Format,
    /// 1 for stdout, 2 for stderr.
    pub stream: u8,
    /// Whether the line goes on in the next record of the same stream.
    pub partial: bool,
    /// The text in the record: for docker, the inside of the JSON string, still escaped.
    pub payload: Range<usize>,
}

/// Reads the record that `line` is, if it is one. `line` may hold its line end.
pub fn parse(line: &[u8]) -> Option<Record> {
    match line.first()? {
        b'{' => docker(line),
        b'0'..=b'9' => cri(line),
        _ => None,
    }
}

fn docker(line: &[u8]) -> Option<Record> {
    let start = docker_text(line)?;
    let end = string_end(line, start)?;
    // Without a stream behind it, it is some other JSON that happens to begin in the same way.
    let stream = stream(&line[end + 1..]).filter(|_| line.len() - end <= FIELDS_BYTES_MAX)?;
    let partial = start == end || !ends_with_escaped_line_end(&line[start..end]);
    Some(Record { format: Format::Docker, stream, partial: partial && start < end, payload: start..end })
}

/// The stream that the field behind a docker record's text names; the driver writes it there.
fn stream(rest: &[u8]) -> Option<u8> {
    let rest = behind_blanks(rest.strip_prefix(b",")?).strip_prefix(STREAM)?;
    Some(if behind_blanks(rest).starts_with(b"\"stderr\"") { 2 } else { 1 })
}

/// Whether such a field stands behind a text, or may.
fn may_have_stream(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b",").map(behind_blanks) else { return rest.is_empty() };
    rest.starts_with(STREAM) || STREAM.starts_with(rest)
}

fn behind_blanks(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|&&byte| byte == b' ').count()..]
}

/// Whether the record whose beginning the prefilter has seen at `at` may go on in another one. Most
/// records are whole, and are told so without reading their text.
pub fn may_be_partial(text: &[u8], at: usize) -> bool {
    let record = &text[at..];
    if record.starts_with(b" stdout P") || record.starts_with(b" stderr P") {
        return true;
    }
    if !record.starts_with(b"{\"log\":") || at > 0 && text[at - 1] != b'\n' {
        return false;
    }
    let line = &record[..memchr::memchr(b'\n', record).unwrap_or(record.len())];
    let end = TEXT_END.find(line);
    !end.is_some_and(|end| ends_with_escaped_line_end(&line[..end]))
}

/// What stands behind the text of a docker record: quotes inside the text are escaped, so this can only stand where it
/// ends.
static TEXT_END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\",\"stream\":"));

/// The text, as far as it is there, of a line without its end that is one of the CRI and goes on in another record; or of
/// what may become a docker record, if the text itself is there to its end, and its line goes on in another record.
pub fn unfinished(line: &[u8]) -> Option<(Format, Range<usize>)> {
    if line.first().is_some_and(u8::is_ascii_digit) {
        return cri(line).filter(|record| record.partial).map(|record| (Format::Cri, record.payload));
    }
    let start = docker_text(line)?;
    let end = string_end(line, start)?;
    let may_be_one = line.len() - end <= FIELDS_BYTES_MAX && may_have_stream(&line[end + 1..]);
    (may_be_one && !ends_with_escaped_line_end(&line[start..end])).then_some((Format::Docker, start..end))
}

fn docker_text(line: &[u8]) -> Option<usize> {
    let heads = [&b"{\"log\":\""[..], b"{\"log\": \""];
    heads.iter().find(|head| line.starts_with(head)).map(|head| head.len())
}

/// Where the JSON string that begins before `from` has its closing quote.
fn string_end(line: &[u8], from: usize) -> Option<usize> {
    let mut place = from;
    loop {
        let at = place + memchr::memchr2(b'"', b'\\', line.get(place..)?)?;
        if line[at] == b'"' {
            return Some(at);
        }
        place = at + 2;
    }
}

fn ends_with_escaped_line_end(text: &[u8]) -> bool {
    let Some(before) = text.strip_suffix(b"n") else { return false };
    before.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

fn cri(line: &[u8]) -> Option<Record> {
    // The shortest time is `2026-11-20T23:10:23Z`, the longest has nanoseconds and an offset.
    let time = memchr::memchr(b' ', &line[..line.len().min(40)])?;
    let dashes = line.get(4) == Some(&b'-') && line.get(7) == Some(&b'-') && line.get(10) == Some(&b'T');
    if time < 20 || !dashes {
        return None;
    }
    let rest = &line[time + 1..];
    let stream = match rest.get(..7)? {
        b"stdout " => 1,
        b"stderr " => 2,
        _ => return None,
    };
    let tags = &rest[7..];
    let length = memchr::memchr2(b' ', b'\n', tags)?;
    let partial = match tags.get(..length)?.split(|&byte| byte == b':').next()? {
        b"P" => true,
        b"F" => false,
        _ => return None,
    };
    let start = (time + 8 + length + 1).min(line.len());
    let end = line.len() - usize::from(line.last() == Some(&b'\n'));
    Some(Record { format: Format::Cri, stream, partial, payload: start.min(end)..end })
}

const STREAM: &[u8] = b"\"stream\":";
/// How long the fields of a docker record behind its text may be, with their line end: a stream, a time, labels.
const FIELDS_BYTES_MAX: usize = 64 * 1024;
