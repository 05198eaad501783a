//! Turns a value as it was given into the values that are looked for: itself, with either kind of
//! line end, and its lines. Judges which of them would be found in text that is no secret.

use zeroize::Zeroizing;

/// Calls `each` with the forms of a value of several lines that are looked for, the whole value
/// first. A value of one line has one form.
///
/// A line of a value stands alone where a program writes line by line, or where another writer
/// came between; so each line that says something is a value, too.
pub(super) fn forms<E>(value: &[u8], mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    each(value)?;
    if !value.contains(&b'\n') {
        return Ok(());
    }
    let mut other = Zeroizing::new(Vec::with_capacity(2 * value.len()));
    for end in [b"\n".as_slice(), b"\r\n"] {
        other.clear();
        for (index, line) in lines(value).enumerate() {
            if index > 0 {
                other.extend_from_slice(end);
            }
            other.extend_from_slice(line);
        }
        each(&other)?;
    }
    lines(value).map(<[u8]>::trim_ascii).filter(|line| !is_junk(line)).try_for_each(each)
}

fn lines(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Whether a line of a value is found in many texts: a bracket, a key that opens a block, a tag,
/// the frame of a PEM block.
fn is_junk(line: &[u8]) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphabetic() || b"-_.\"' ".contains(byte);
    let opener = |line: &[u8]| match line.trim_ascii_end() {
        [name @ .., b':' | b'{' | b'[' | b'(' | b'='] => name.iter().all(|byte| word(byte) || b":={[(".contains(byte)),
        _ => false,
    };
    let tag = |line: &[u8]| match line {
        [b'<', name @ .., b'>'] => !name.contains(&b'<') && !name.contains(&b'='),
        _ => false,
    };
    line.len() < LINE_BYTES_MIN
        || !line.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
        || line.starts_with(b"-----")
        || opener(line)
        || tag(line)
        || is_guessable(line)
}

/// Whether a value says next to nothing: one byte over and over, digits in their order, or a word
/// that stands in every other log. Masking it would ruin the log and hide little.
pub(super) fn is_guessable(value: &[u8]) -> bool {
    let bare = value.trim_ascii();
    let repeated = bare.windows(2).all(|pair| pair[0] == pair[1]);
    repeated || is_digits_in_order(bare) || WORDS.iter().any(|word| bare.eq_ignore_ascii_case(word.as_bytes()))
}

/// `12345678`, `9876543210`, `1234567890123`.
fn is_digits_in_order(value: &[u8]) -> bool {
    let step = |by: u8| value.windows(2).all(|pair| (pair[0] - b'0' + by) % 10 == pair[1] - b'0');
    value.iter().all(u8::is_ascii_digit) && (step(1) || step(9))
}

/// The shortest line of a value that is looked for by itself (bytes).
const LINE_BYTES_MIN: usize = 8;

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
        for value in ["docker", "Password", " localhost\n", "00000000", "aaaaaaaaaaaa", "12345678", "87654321"] {
            assert!(is_guessable(value.as_bytes()), "{value}");
        }
        for value in ["1234567", "7890123456", "x", ""] {
            assert!(is_guessable(value.as_bytes()), "{value}");
        }
        for value in ["hunter2", "13579246", "abababab", "dockerhub-pw", "12345679"] {
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
            assert!(is_junk(line.as_bytes()), "{line}");
        }
        for line in ["password: x1y2", "MIIEpAIBAAKCAQEA", "<add key=\"a\" />", "correct horse battery staple"] {
            assert!(!is_junk(line.as_bytes()), "{line}");
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
        assert_eq!(forms_of(value), [value, lf, crlf, "first-line-1", "second-line-2"]);
    }
}
