//! Turns a value into words of shells, and of what quotes like them. Does not know other languages.

use memchr::memmem;
use zeroize::Zeroizing;

use super::{super::value::is_guessable, raw, write::*};

pub fn prefixed(value: &[u8], special: &[u8], prefix: u8, out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        if special.contains(&byte) {
            out.push(prefix);
        }
        out.push(byte);
    }
    Some(())
}

/// Carets before all that `cmd` takes for a sign, twice.
pub fn carets_twice(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut once = Zeroizing::new(Vec::with_capacity(2 * value.len()));
    prefixed(value, SIGNS_OF_CMD, b'^', &mut once)?;
    prefixed(&once, SIGNS_OF_CMD, b'^', out)
}

/// What Node's cross-spawn writes a caret before, in all that it starts. <https://www.npmjs.com/package/cross-spawn>
pub const SIGNS_OF_CMD: &[u8] = b"()[]%!^\"`<>&|;, *?";

/// What bash's `printf %q` writes where nothing needs `$'..'`: some characters count only at the start of a word.
pub fn backslashed_by_bash(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for (at, &byte) in value.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| value[at]);
        let special = match byte {
            b'#' => before.is_none(),
            b'~' => matches!(before, None | Some(b':' | b'=')),
            _ => b" \t!\"$&'()*,;<>?[\\]^`{|}".contains(&byte),
        };
        out.extend_from_slice(if special { b"\\" } else { b"" });
        out.push(byte);
    }
    Some(())
}

pub fn replaced(value: &[u8], special: &[u8], replacement: &str, out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        if special.contains(&byte) {
            out.extend(replacement.as_bytes());
        } else {
            out.push(byte);
        }
    }
    Some(())
}

/// Some signs twice.
pub fn doubled(value: &[u8], special: &[u8], out: &mut Vec<u8>) -> Option<()> {
    for &byte in value {
        out.resize(out.len() + 1 + usize::from(special.contains(&byte)), byte);
    }
    Some(())
}

/// As dash writes it when it traces: quotes in a row stand together between double quotes; and as zsh does: each has a
/// backslash, if there is no double quote to put them between.
pub fn shell_runs(value: &[u8], double_quotes: bool, out: &mut Vec<u8>) -> Option<()> {
    for run in value.chunk_by(|a, b| (*a == b'\'') == (*b == b'\'')) {
        if !run.starts_with(b"'") {
            out.extend_from_slice(run);
        } else if double_quotes {
            out.extend_from_slice(b"'\"");
            out.extend_from_slice(run);
            out.extend_from_slice(b"\"'");
        } else {
            out.push(b'\'');
            run.iter().for_each(|_| out.extend_from_slice(b"\\'"));
            out.push(b'\'');
        }
    }
    without_outer_quotes(value, out)
}

/// What stands between single quotes, with something for each quote in it.
pub fn shell_quoted(value: &[u8], quote: &str, out: &mut Vec<u8>) -> Option<()> {
    replaced(value, b"'", quote, out)?;
    without_outer_quotes(value, out)
}

/// Where a value begins or ends with a quote, the empty part before or behind that is not always written.
fn without_outer_quotes(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if value.ends_with(b"'") {
        out.pop();
    }
    if value.starts_with(b"'") && !out.is_empty() {
        // Nothing of the value is left behind: its own bytes move to the front.
        out.remove(0);
    }
    Some(())
}

/// The part that PowerShell leaves before an ampersand.
pub fn before_ampersand(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let end = match memmem::find(value, b"&+") {
        Some(at) => at + 2,
        None => memchr::memrchr(b'&', value)? + 1,
    };
    part(&value[..end], out)
}

/// The part that PowerShell leaves after an ampersand.
pub fn after_ampersand(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let start = match memmem::find(value, b"&+") {
        Some(at) => at + 3,
        None => memchr::memrchr(b'&', value)? + 1,
    };
    part(value.get(start..)?, out)
}

/// A part of a value, if it would not be found in text that has nothing to do with it.
fn part(part: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if part.len() < PART_BYTES_MIN || is_guessable(part) { None } else { raw(part, out) }
}

/// How long a part of a value must be to be looked for by itself: a shorter one tells little (bytes).
const PART_BYTES_MIN: usize = 8;

/// What bash writes between `$'` and `'`; octal for all that is not ASCII if `ascii`.
pub fn shell_ansi(value: &[u8], ascii: bool, out: &mut Vec<u8>) -> Option<()> {
    each_shown(value, ascii, |byte, shown| match byte {
        b'\'' | b'\\' => out.extend([b'\\', byte]),
        _ if shown => out.push(byte),
        _ => push_ansi(byte, b"\\E", out),
    });
    Some(())
}

/// A character that is not shown, as in `$'..'`.
pub fn push_ansi(byte: u8, escape: &[u8], out: &mut Vec<u8>) {
    match byte {
        7 => out.extend(b"\\a"),
        8 => out.extend(b"\\b"),
        9 => out.extend(b"\\t"),
        10 => out.extend(b"\\n"),
        11 => out.extend(b"\\v"),
        12 => out.extend(b"\\f"),
        13 => out.extend(b"\\r"),
        27 => out.extend(escape),
        _ => push_octal(byte, out),
    }
}

/// Tells of each byte whether a terminal would show it; of what is not ASCII nothing if `ascii`.
pub fn each_shown(value: &[u8], ascii: bool, mut each: impl FnMut(u8, bool)) {
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            let shown = !is_unseen(character) && (!ascii || character.is_ascii());
            character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| each(byte, shown));
        }
        chunk.invalid().iter().for_each(|&byte| each(byte, false));
    }
}

/// Whether the C library says of a character that it cannot be printed.
pub fn is_unseen(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// As coreutils write it: what is not shown stands in `$'..'`, the rest in quotes of its own.
pub fn shell_parts(value: &[u8], ascii: bool, out: &mut Vec<u8>) -> Option<()> {
    let mut inside = false;
    each_shown(value, ascii, |byte, shown| {
        match (inside, shown) {
            (false, false) => out.extend(b"'$'"),
            (true, true) => out.extend(b"''"),
            _ => {}
        }
        inside = !shown;
        match byte {
            b'\'' => out.extend(b"'\\''"),
            _ if shown => out.push(byte),
            _ => push_ansi(byte, b"\\033", out),
        }
    });
    Some(())
}

/// The words of a value one by one, as bash writes them when it traces `echo $VALUE`.
pub fn shell_words(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let words = value.split(|byte| b" \t\n".contains(byte)).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        out.extend_from_slice(if index > 0 { b" " } else { b"" });
        let mut all_shown = true;
        each_shown(word, false, |_, shown| all_shown &= shown);
        if !all_shown {
            out.extend(b"$'");
            shell_ansi(word, false, out)?;
            out.push(b'\'');
        } else if word.iter().any(|byte| b"!\"#$&'()*;<>?[\\]^`{|}~".contains(byte)) {
            out.push(b'\'');
            replaced(word, b"'", "'\\''", out)?;
            out.push(b'\'');
        } else {
            out.extend_from_slice(word);
        }
    }
    Some(())
}
