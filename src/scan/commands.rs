//! Reads the workflow commands in a stream that tell a value to mask. Does not act on them.
//!
//! Source: `ActionCommand.cs` and `ActionCommandManager.cs` of <https://github.com/actions/runner>:
//! `::add-mask::VALUE` at the start of a line, `##[add-mask]VALUE` anywhere in it;
//! `::stop-commands::TOKEN` makes the runner ignore commands up to `::TOKEN::`. Case does not count.

use memchr::memmem;

/// Whether commands in the stream are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Commands {
    /// They are text like any other.
    #[default]
    Ignore,
    /// They are followed, and what they say is masked.
    Hide,
    /// They are followed and pass as they are: whoever reads the output must see them, and shows them
    /// to nobody. This is an exception to the rule that no secret passes.
    Pass,
}

/// What a line says.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Command {
    /// To mask what begins at this place of the line.
    AddMask { data: usize, decoded: Vec<u8> },
    /// To ignore what follows, up to a line with this token.
    Stop { token: Vec<u8> },
    /// The token of the last stop.
    Resume,
}

/// Reads a line, with its end or not. `stopped` is the token of a stop that is in force.
pub(crate) fn parse(line: &[u8], stopped: Option<&[u8]>) -> Option<Command> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (name, data) = colons(line)?;
    if let Some(token) = stopped {
        return name.eq_ignore_ascii_case(token).then_some(Command::Resume);
    }
    let old = line[..data].ends_with(b"]");
    if name.eq_ignore_ascii_case(ADD_MASK) {
        let decoded = decode(&line[data..], old);
        return Some(Command::AddMask { data, decoded });
    }
    let token = line[data..].trim_ascii();
    (name.eq_ignore_ascii_case(STOP) && !token.is_empty()).then(|| Command::Stop { token: token.to_vec() })
}

/// Whether a line has the form of some command.
pub(crate) fn is_some(line: &[u8]) -> bool {
    colons(line).is_some()
}

/// Where the first line at or after `from`, a line start, begins that has the form of a command.
pub(crate) fn next(block: &[u8], from: usize) -> Option<usize> {
    let mut place = from;
    loop {
        let at = place + memchr::memchr2(b':', b'#', block.get(place..)?)?;
        let rest = &block[at..];
        place = at + 1;
        if rest.starts_with(OLD) || rest.starts_with(COLONS) {
            let start = memchr::memrchr(b'\n', &block[from..at]).map_or(from, |end| from + end + 1);
            let end = memchr::memchr(b'\n', rest).map_or(block.len(), |end| at + end);
            if is_some(&block[start..end]) {
                return Some(start);
            }
            if rest.starts_with(COLONS) && !block[start..at].trim_ascii().is_empty() {
                // The colons that count are the first thing of a line.
                place = memmem::find(&block[at..end], OLD).map_or(end, |old| at + old);
            }
        }
    }
}

/// Whether a line that is not whole may still become a command that tells a value, or is one.
pub(crate) fn may_tell(line: &[u8]) -> bool {
    let start = line.trim_ascii_start();
    let like = |text: &[u8], form: &[u8]| {
        let length = text.len().min(form.len());
        text[..length].eq_ignore_ascii_case(&form[..length])
    };
    // Properties may stand behind the name: `::add-mask x=y::`.
    let new = !start.is_empty() && like(start, b"::add-mask");
    new || (0..line.len()).rev().take(line.len()).any(|at| line[at] == b'#' && like(&line[at..], b"##[add-mask"))
}

/// The name of a line's command, and where its data begins.
fn colons(line: &[u8]) -> Option<(&[u8], usize)> {
    let word = |info: &'_ [u8]| info.iter().position(|&byte| byte == b' ').unwrap_or(info.len());
    let blanks = line.len() - line.trim_ascii_start().len();
    if line[blanks..].starts_with(COLONS) {
        let info = &line[blanks + COLONS.len()..];
        let length = memmem::find(info, COLONS)?;
        let data = blanks + COLONS.len() + length + COLONS.len();
        return Some((&info[..word(&info[..length])], data));
    }
    let start = memmem::find(line, OLD)? + OLD.len();
    let length = memchr::memchr(b']', &line[start..])?;
    Some((&line[start..start + word(&line[start..start + length])], start + length + 1))
}

/// The data of a command without its percent codes.
fn decode(data: &[u8], old: bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((&first, others)) = rest.split_first() {
        let code =
            others.first_chunk::<2>().filter(|_| first == b'%').map(|code| code.map(|byte| byte.to_ascii_uppercase()));
        let byte = match code.as_ref().map(|code| &code[..]) {
            Some(b"0D") => Some(b'\r'),
            Some(b"0A") => Some(b'\n'),
            Some(b"25") => Some(b'%'),
            Some(b"3B") if old => Some(b';'),
            Some(b"5D") if old => Some(b']'),
            _ => None,
        };
        decoded.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &others[2..] } else { others };
    }
    decoded
}

const COLONS: &[u8] = b"::";
const OLD: &[u8] = b"##[";
const ADD_MASK: &[u8] = b"add-mask";
const STOP: &[u8] = b"stop-commands";

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Option<String> {
        match parse(line.as_bytes(), None)? {
            Command::AddMask { decoded, .. } => Some(String::from_utf8(decoded).unwrap()),
            _ => None,
        }
    }

    #[test]
    fn both_forms_of_a_command_are_read() {
        assert_eq!(told("::add-mask::some value\r\n").as_deref(), Some("some value"));
        assert_eq!(told("  ::ADD-mask x=y::a%0Ab%25c%3B\n").as_deref(), Some("a\nb%c%3B"));
        assert_eq!(told("text ##[add-mask]a%3Bb%5D\n").as_deref(), Some("a;b]"));
        for line in ["x ::add-mask::y", "::add-mask:y", ": ::add-mask::y", "::add-masks::y", "##[add-mask y"] {
            assert_eq!(told(line), None, "{line}");
        }
    }

    #[test]
    fn a_stop_is_read_and_only_its_own_token_ends_it() {
        let stop = Command::Stop { token: b"T-1".to_vec() };
        assert_eq!(parse(b"::stop-commands::T-1\n", None), Some(stop));
        assert_eq!(parse(b"::add-mask::value\n", Some(b"T-1")), None);
        assert_eq!(parse(b"::t-1::\n", Some(b"T-1")), Some(Command::Resume));
        assert_eq!(parse(b"::T-2::\n", Some(b"T-1")), None);
    }

    #[test]
    fn lines_like_commands_are_found_among_others() {
        let block = b"a::b c::d\nx: y # z\n ::add-mask::v\nf ##[group]g\nstd::x ##[add-mask]z\nend";
        let starts: Vec<usize> = std::iter::successors(next(block, 0), |&at| {
            let end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |end| at + end + 1);
            next(block, end)
        })
        .collect();
        assert_eq!(starts, [19, 34, 47]);
    }

    #[test]
    fn what_may_become_a_command_is_known_from_its_first_byte() {
        for line in [":", " ::", "::add-ma", "::add-mask::v", "::ADD-MASK x", "a #", "a ##[add-mask]v"] {
            assert!(may_tell(line.as_bytes()), "{line}");
        }
        for line in ["", "a", "a :", "::group::x", "# x", "##[group]"] {
            assert!(!may_tell(line.as_bytes()), "{line}");
        }
    }
}
