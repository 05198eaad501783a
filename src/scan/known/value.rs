//! Turns a value as it was given into the values that are looked for: itself, with either kind of
//! line end, and its lines. Judges which of them would be found in text that is no secret.

use std::ops::Range;

use zeroize::Zeroizing;

/// Calls `each` with the forms of a value that are looked for, the whole value first. A value of one
/// line has few.
///
/// A line of a value stands alone where a program writes line by line, or where another writer
/// came between; so each line that says something is a value, too.
pub(super) fn forms<E>(value: &[u8], mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    readings(value, &mut each)?;
    let bare = value.trim_ascii();
    if bare.len() < value.len() && bare.len() >= LINE_BYTES_MIN {
        each(bare)?;
    }
    // Quotes in which somebody has wrapped a value are seldom written.
    if let [b'"', inner @ .., b'"'] = value
        && inner.len() >= LINE_BYTES_MIN
    {
        each(inner)?;
    }
    let mut other = Zeroizing::new(Vec::with_capacity(2 * value.len()));
    if !value.contains(&b'\n') {
        // A shell that splits words leaves single blanks here, too.
        words(value, &mut other);
        return if other.len() < LINE_BYTES_MIN || other[..] == *value { Ok(()) } else { each(&other) };
    }
    for end in [b"\n".as_slice(), b"\r\n", b" "] {
        other.clear();
        // A shell that splits words, as in `echo $KEY`, leaves single blanks.
        let blanks = end == b" ";
        for (index, line) in lines(value).filter(|line| !(blanks && line.trim_ascii().is_empty())).enumerate() {
            if index > 0 {
                other.extend_from_slice(end);
            }
            if blanks {
                words(line, &mut other);
            } else {
                other.extend_from_slice(line);
            }
        }
        each(&other)?;
    }
    lines(value).map(<[u8]>::trim_ascii).filter(|line| says_something(line)).try_for_each(each)
}

/// A value, and what becomes of it where its characters are written in another way: text in Latin-1 or ASCII, with a
/// question mark for what those do not have; bytes that are no text as replacement characters, question marks, or nothing.
fn readings<E>(value: &[u8], each: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    each(value)?;
    if value.is_ascii() {
        return Ok(());
    }
    let mut other = Zeroizing::new(Vec::with_capacity(3 * value.len()));
    if std::str::from_utf8(value).is_err() {
        for sign in ["\u{fffd}", "?", ""] {
            other.clear();
            for chunk in value.utf8_chunks() {
                other.extend_from_slice(chunk.valid().as_bytes());
                other.extend_from_slice(if chunk.invalid().is_empty() { b"" } else { sign.as_bytes() });
            }
            if says_enough(&other) {
                each(&other)?;
            }
        }
        return Ok(());
    }
    for (last, replaces) in [('\u{ff}', false), ('\u{ff}', true), ('\u{7f}', true)] {
        other.clear();
        let characters = std::str::from_utf8(value).unwrap_or_default().chars();
        let written = characters.map(|character| match u8::try_from(character) {
            Ok(byte) if character <= last => Some(byte),
            _ => replaces.then_some(b'?'),
        });
        let whole = written.map(|byte| byte.map(|byte| other.push(byte))).all(|byte| byte.is_some());
        if whole && (!replaces || says_enough(&other)) {
            each(&other)?;
        }
    }
    Ok(())
}

/// Whether enough is left of a value of which some characters were replaced.
fn says_enough(value: &[u8]) -> bool {
    let left = value.iter().filter(|byte| byte.is_ascii_graphic() && **byte != b'?').count();
    left >= LINE_BYTES_MIN && !is_guessable(value)
}

/// Appends the words of a line with single blanks between them.
fn words(line: &[u8], out: &mut Vec<u8>) {
    for (index, word) in line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).enumerate() {
        out.extend_from_slice(if index > 0 { b" " } else { b"" });
        out.extend_from_slice(word);
    }
}

/// A line of a value, without the blanks around it.
#[derive(Clone)]
pub(super) struct Line {
    /// Where it stands in the value.
    pub(super) range: Range<usize>,
    /// How many blank lines stand before it.
    pub(super) blanks: u32,
}

/// The lines of a value that are not blank.
pub(super) fn parts(value: &[u8]) -> Vec<Line> {
    let (mut parts, mut start, mut blanks) = (Vec::new(), 0, 0);
    for line in value.split(|&byte| byte == b'\n') {
        let bare = line.trim_ascii();
        if bare.is_empty() {
            blanks += 1;
        } else {
            let from = start + line.len() - line.trim_ascii_start().len();
            parts.push(Line { range: from..from + bare.len(), blanks });
            blanks = 0;
        }
        start += line.len() + 1;
    }
    parts
}

/// The first line of a value of several, if it is no value of its own but may begin one.
pub(super) fn opener(value: &[u8], weak: bool) -> Option<&[u8]> {
    let parts = parts(value);
    let [first, _, ..] = &parts[..] else { return None };
    let first = &value[first.range.clone()];
    let least = if weak { 1 } else { OPENER_BYTES_MIN };
    let waits = weak || !is_frame(first) || first.starts_with(DASHES);
    (first.len() >= least && !says_something(first) && waits).then_some(first)
}

fn lines(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Whether a line of a value is a value of its own.
fn says_something(line: &[u8]) -> bool {
    line.len() >= LINE_BYTES_MIN && !is_frame(line) && !is_guessable(line)
}

/// Whether a line of a value is found in many texts: a bracket, a key that opens a block, a tag,
/// the frame of a PEM block.
fn is_frame(line: &[u8]) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphabetic() || b"-_.\"' ".contains(byte);
    let opener = |line: &[u8]| match line.trim_ascii_end() {
        [name @ .., b':' | b'{' | b'[' | b'(' | b'='] => name.iter().all(|byte| word(byte) || b":={[(".contains(byte)),
        _ => false,
    };
    let tag = |line: &[u8]| match line {
        [b'<', name @ .., b'>'] => !name.contains(&b'<') && !name.contains(&b'='),
        _ => false,
    };
    !line.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
        || line.starts_with(DASHES) && line.ends_with(DASHES)
        || opener(line)
        || tag(line)
}

/// Whether a value says next to nothing: one or two characters over and over, letters or digits in
/// their order, a number that could count anything, or a word that stands in every other log.
/// Masking it would ruin the log, and tell the value by what is missing.
pub(super) fn is_guessable(value: &[u8]) -> bool {
    let bare = value.trim_ascii();
    let Some(&first) = bare.first() else { return true };
    let other = bare.iter().find(|&&byte| byte != first);
    let two = bare.iter().all(|byte| *byte == first || Some(byte) == other);
    let number = |byte: &u8| byte.is_ascii_digit() || b"+-.,:_ ".contains(byte);
    other.is_none()
        || two && bare.len() <= TWO_BYTES_MAX
        || bare.len() < NUMBER_BYTES_MIN && bare.iter().all(number)
        || is_in_order(bare)
        || WORDS.iter().any(|word| bare.eq_ignore_ascii_case(word.as_bytes()))
}

/// `12345678`, `9876543210`, `1234567890123`, `abcdefgh`.
fn is_in_order(value: &[u8]) -> bool {
    let step = |by: u8| value.windows(2).all(|pair| (pair[0] - b'0' + by) % 10 == pair[1] - b'0');
    value.iter().all(u8::is_ascii_digit) && (step(1) || step(9))
        || value.iter().all(u8::is_ascii_alphabetic) && value.windows(2).all(|pair| pair[0] + 1 == pair[1])
}

/// The longest value of two different characters that is guessable (bytes).
const TWO_BYTES_MAX: usize = 16;

/// The shortest number that is not guessable (bytes): a shorter one could be a date or an amount.
const NUMBER_BYTES_MIN: usize = 12;

/// How the frame of a PEM block begins.
const DASHES: &[u8] = b"-----";

/// The shortest line of a value that is looked for by itself (bytes).
const LINE_BYTES_MIN: usize = 8;

/// The shortest first line that is waited behind, to see whether the second one follows (bytes).
const OPENER_BYTES_MIN: usize = 4;

/// What people and programs write where a secret could stand, and logs write everywhere: answers,
/// environments, hosts, names of common programs, and the first dozen of every list of passwords.
const WORDS: &[&str] = &[
    "abcdef",
    "abcdefgh",
    "access",
    "account",
    "actions",
    "admin",
    "administrator",
    "anonymous",
    "application",
    "bearer",
    "changeme",
    "changeit",
    "client",
    "config",
    "container",
    "credentials",
    "database",
    "debug",
    "default",
    "deploy",
    "develop",
    "development",
    "disabled",
    "docker",
    "dummy",
    "enabled",
    "enterprise",
    "error",
    "example",
    "example.com",
    "false",
    "github",
    "gitlab",
    "google",
    "guest",
    "info",
    "internal",
    "jenkins",
    "kubernetes",
    "letmein",
    "linux",
    "localhost",
    "login",
    "master",
    "mysql",
    "nobody",
    "none",
    "normal",
    "null",
    "oauth2",
    "pass",
    "passwd",
    "password",
    "password1",
    "placeholder",
    "postgres",
    "postgresql",
    "private",
    "prod",
    "production",
    "public",
    "qwerty",
    "qwertyuiop",
    "redacted",
    "redis",
    "release",
    "required",
    "root",
    "runner",
    "secret",
    "secrets",
    "server",
    "service",
    "staging",
    "standard",
    "string",
    "success",
    "system",
    "test",
    "testing",
    "token",
    "true",
    "ubuntu",
    "undefined",
    "unknown",
    "user",
    "username",
    "vagrant",
    "value",
    "warning",
    "welcome",
    "windows",
    "x-access-token",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_guesses_is_guessable() {
        for value in [
            "docker",
            "Password",
            " localhost\n",
            "00000000",
            "aaaaaaaaaaaa",
            "12345678",
            "87654321",
            "7890123456",
            "x",
            "",
            "abababab",
            "bcdefghi",
            "2026-11-26",
            "83915526",
            "123456789012345",
        ] {
            assert!(is_guessable(value.as_bytes()), "{value}");
        }
        for value in ["hunter2", "135792468013", "abababababababababab", "dockerhub-pw", "8391a526"] {
            assert!(!is_guessable(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn lines_that_stand_everywhere_are_junk() {
        for line in [
            "{",
            "}",
            "",
            "-----BEGIN RSA PRIVATE KEY-----",
            "-----END CERTIFICATE-----",
            "---------------",
            "=======-",
            "clusters:",
            "\"credentials\": {",
            "- context: [",
            "<configuration>",
            "</password>",
            "localhost",
            "short",
        ] {
            assert!(!says_something(line.as_bytes()), "{line}");
        }
        for line in ["password: x1y2", "MIIEpAIBAAKCAQEA", "<add key=\"a\" />", "correct horse battery staple"] {
            assert!(says_something(line.as_bytes()), "{line}");
        }
    }

    fn forms_of(value: &str) -> Vec<String> {
        let mut all = Vec::new();
        let done: Result<(), ()> = forms(value.as_bytes(), |form| {
            all.push(String::from_utf8(form.to_vec()).unwrap());
            Ok(())
        });
        assert!(done.is_ok());
        all
    }

    #[test]
    fn a_value_of_several_lines_is_looked_for_whole_and_by_line() {
        assert_eq!(forms_of("one line only"), ["one line only"]);
        let value = "{\r\n  first-line-1\nsecond-line-2\r\n}";
        let lf = "{\n  first-line-1\nsecond-line-2\n}";
        let crlf = "{\r\n  first-line-1\r\nsecond-line-2\r\n}";
        let words = "{ first-line-1 second-line-2 }";
        assert_eq!(forms_of(value), [value, lf, crlf, words, "first-line-1", "second-line-2"]);
    }
}
