//! Turns a value into the strings that logs show in its place. Does not look for them.
//!
//! Each row of [`ENCODINGS`] is one way in which programs write a value. Where a row changes
//! nothing about a value, or two rows agree, the string is kept once, under the first row's name;
//! so the order of the rows is that of their importance. A row that cannot write a value (text
//! escapes of bytes that are no text) is left out for it.

mod digits;
mod literals;
mod quotes;
mod shell;
mod write;

use std::fmt;

use zeroize::Zeroizing;

use self::{
    digits::*,
    literals::*,
    quotes::*,
    shell::*,
    write::{LOWER, STANDARD, UPPER, URL_SAFE},
};

/// A way to write a value: an index into the list of all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Encoding(pub(super) u8);

impl Encoding {
    /// The value as it is.
    pub const RAW: Encoding = Encoding(0);

    /// Whether a value can be looked for without it.
    pub(super) fn can_be_missed(self) -> bool {
        [HEX_ESCAPES, OCTAL_ESCAPES, NUMBERS].contains(&self.name())
    }

    /// The name in findings, as `base64`. Several rows may share one, where they differ in nothing
    /// that a reader would want to know.
    pub fn name(self) -> &'static str {
        ENCODINGS[usize::from(self.0)].0
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Calls `each` with every way to write `value`, the value itself first. The buffer it is given is
/// wiped in the end.
pub(super) fn each<E>(value: &[u8], mut each: impl FnMut(Encoding, &[u8]) -> Result<(), E>) -> Result<(), E> {
    // With this room the buffer never moves, which would leave a copy behind that is not wiped.
    let mut out = Zeroizing::new(Vec::with_capacity(GROWTH_MAX * value.len() + 16));
    for (index, (_, write)) in (0..).zip(ENCODINGS) {
        out.clear();
        // Most rows change nothing about most values.
        if write(value, &mut out).is_some() && (index == 0 || *out != value) {
            each(Encoding(index), &out)?;
        }
    }
    Ok(())
}

/// How many bytes of a string stand for one byte of the value, at most: those of a control character in
/// JSON inside JSON inside JSON, and `'$'\001''` of one that stands alone in coreutils' quotes.
const GROWTH_MAX: usize = 9;

/// Writes a value into an empty buffer; `None` if this encoding has no form for it.
type Write = fn(&[u8], &mut Vec<u8>) -> Option<()>;

/// All encodings. Base64 comes in three alignments: the digits that depend on the value alone when
/// 0, 1 or 2 bytes (modulo 3) stand before it. The digits shared with its neighbours are left out.
const ENCODINGS: &[(&str, Write)] = &[
    ("raw", |value, out| raw(value, out)),
    // RFC 4648, sections 4 and 5: <https://www.rfc-editor.org/rfc/rfc4648>
    ("base64", |value, out| base64_whole(value, STANDARD, true, out)),
    ("base64", |value, out| base64_whole(value, STANDARD, false, out)),
    ("base64", |value, out| base64_part(value, 0, STANDARD, out)),
    ("base64", |value, out| base64_part(value, 1, STANDARD, out)),
    ("base64", |value, out| base64_part(value, 2, STANDARD, out)),
    ("base64-url", |value, out| base64_whole(value, URL_SAFE, true, out)),
    ("base64-url", |value, out| base64_whole(value, URL_SAFE, false, out)),
    ("base64-url", |value, out| base64_part(value, 0, URL_SAFE, out)),
    ("base64-url", |value, out| base64_part(value, 1, URL_SAFE, out)),
    ("base64-url", |value, out| base64_part(value, 2, URL_SAFE, out)),
    // A value that is base64 of something: without padding, and with the other two digits.
    ("base64-url", |value, out| own_digits(value, STANDARD, out)),
    ("base64-url", |value, out| own_digits(value, URL_SAFE, out)),
    ("hex", |value, out| hex(value, LOWER, out)),
    ("hex", |value, out| hex(value, UPPER, out)),
    // Pairs of digits apart: Go's `% x` and od, OpenSSL, .NET's BitConverter, strings of C.
    ("hex", |value, out| hex_apart(value, b" ", LOWER, out)),
    ("hex", |value, out| hex_apart(value, b":", LOWER, out)),
    ("hex", |value, out| hex_apart(value, b":", UPPER, out)),
    ("hex", |value, out| hex_apart(value, b"-", LOWER, out)),
    ("hex", |value, out| hex_apart(value, b"-", UPPER, out)),
    // Lists of numbers: Python and Rust, JSON and Erlang, Go's %v; Go's %#v and tables of C, Rust's {:02x?}; Java, whose
    // bytes have a sign.
    (NUMBERS, |value, out| numbers(value, b", ", out)),
    (NUMBERS, |value, out| numbers(value, b",", out)),
    (NUMBERS, |value, out| numbers(value, b" ", out)),
    (NUMBERS, |value, out| signed_numbers(value, b", ", out)),
    (NUMBERS, |value, out| hex_apart(value, b", 0x", LOWER, out)),
    (NUMBERS, |value, out| hex_apart(value, b", ", LOWER, out)),
    (HEX_ESCAPES, |value, out| hex_escapes(value, out)),
    (OCTAL_ESCAPES, |value, out| octal_escapes(value, out)),
    // What an encoder of URLs leaves as it is differs: RFC 3986 names the unreserved characters,
    // JavaScript's encodeURIComponent and Python's quote leave some more.
    ("percent", |value, out| percent(value, b"-._~", UPPER, out)),
    ("percent", |value, out| percent(value, b"-._~", LOWER, out)),
    ("percent", |value, out| percent(value, b"-._~!'()*", UPPER, out)),
    ("percent", |value, out| percent(value, b"-._~/", UPPER, out)),
    // Twice: what stands before it may make something else of the first sign when it is decoded once.
    ("percent", |value, out| percent_twice(value, UPPER, out)),
    ("percent", |value, out| percent_twice(value, LOWER, out)),
    // <https://url.spec.whatwg.org/#urlencoded-serializing>
    ("form", |value, out| percent(value, b"-._* ", UPPER, out)),
    ("form", |value, out| percent(value, b"-._* ", LOWER, out)),
    // Go and Python escape the star, and PHP all but letters, digits and three signs.
    ("form", |value, out| percent(value, b"-._~ ", UPPER, out)),
    ("form", |value, out| percent(value, b"-._~ ", LOWER, out)),
    ("form", |value, out| percent(value, b"-._ ", UPPER, out)),
    ("form", |value, out| percent(value, b"-._ ", LOWER, out)),
    // RFC 8259, section 7, and what encoders escape beyond need: PHP the slash, Python what is not
    // ASCII, Go and PHP what HTML would read, .NET all of that and the plus sign.
    ("json", |value, out| json(value, Json::default(), out)),
    ("json", |value, out| json(value, Json { slash: true, ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { ascii: true, ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { ascii: true, digits: UPPER, ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { ascii: true, slash: true, ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { coded: b"<>&", ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { coded: b"<>&'\"", digits: UPPER, ..Json::default() }, out)),
    ("json", |value, out| json(value, Json { coded: b"<>&'\"+`", ascii: true, digits: UPPER, ..Json::default() }, out)),
    ("json-unicode", |value, out| json_unicode(value, LOWER, out)),
    ("json-unicode", |value, out| json_unicode(value, UPPER, out)),
    ("json-json", |value, out| json_in_json(value, 2, out)),
    ("json-json", |value, out| json_in_json(value, 3, out)),
    // XML's five entities, then the forms of PHP, Python and Go for the two quotes.
    ("xml", |value, out| xml(value, "&quot;", "&apos;", out)),
    ("xml", |value, out| xml(value, "\"", "'", out)),
    ("xml", |value, out| xml(value, "&quot;", "'", out)),
    ("xml", |value, out| xml(value, "&quot;", "&#39;", out)),
    ("xml", |value, out| xml(value, "&quot;", "&#039;", out)),
    ("xml", |value, out| xml(value, "&quot;", "&#x27;", out)),
    ("xml", |value, out| xml(value, "&#34;", "&#39;", out)),
    // Go's %q and %+q: <https://pkg.go.dev/strconv#Quote>
    ("go", |value, out| go(value, false, out)),
    ("go", |value, out| go(value, true, out)),
    // Python's ascii and repr, of text and of bytes, with either quote; its codec unicode_escape.
    ("python", |value, out| python(value, b"\\'", out)),
    ("python", |value, out| python(value, b"\\", out)),
    ("python", |value, out| python(value, b"", out)),
    ("python", |value, out| python_bytes(value, b"\\'", out)),
    ("python", |value, out| python_bytes(value, b"\\", out)),
    ("quoted", |value, out| escaped(value, b"\\'", out)),
    ("quoted", |value, out| escaped(value, b"\\\"", out)),
    ("quoted", |value, out| escaped(value, b"\\", out)),
    ("quoted", |value, out| escaped(value, b"\\\"$@", out)),
    ("quoted", |value, out| prefixed(value, b"\\'\"", b'\\', out)),
    ("quoted", quoted_twice),
    ("quoted", quoted_in_quotes),
    ("quoted", arguments_of_windows),
    // As text for a regular expression: Perl's quotemeta, Python's, Go's, PHP's and Ruby's.
    ("pattern", |value, out| quoted_words(value, b"_", out)),
    ("pattern", |value, out| quoted_words(value, b"_!\"%',/:;<=>@`", out)),
    ("pattern", |value, out| prefixed(value, b"\\.+*?()|[]{}^$", b'\\', out)),
    ("pattern", |value, out| prefixed(value, b".\\+*?[^]$(){}=!<>|:-#", b'\\', out)),
    ("pattern", |value, out| prefixed(value, b".\\+*?[^]$(){}=!<>|:-#/", b'\\', out)),
    // .NET's, Rust's, and what scripts do to a word for sed.
    ("pattern", |value, out| prefixed(value, b"\\*+?|{[()^$.# ", b'\\', out)),
    ("pattern", |value, out| prefixed(value, b"\\.+*?()|[]{}^$#&-~", b'\\', out)),
    ("pattern", |value, out| prefixed(value, b"&/\\", b'\\', out)),
    ("pattern", |value, out| prefixed(value, b"/\\.*[]^$&", b'\\', out)),
    ("pattern", |value, out| prefixed(value, b"/\\.*[]^$", b'\\', out)),
    ("pattern", |value, out| prefixed(value, b"\\.+*?()|[]{}^$/", b'\\', out)),
    ("pattern", ruby_pattern),
    ("rust", rust),
    ("perl", |value, out| perl(value, false, out)),
    ("perl", |value, out| perl(value, true, out)),
    ("node", node),
    ("php", php_argument),
    ("php", php_command),
    ("ruby", |value, out| ruby(value, Ruby::Shown, out)),
    ("ruby", |value, out| ruby(value, Ruby::Numbers, out)),
    ("ruby", |value, out| ruby(value, Ruby::Bytes, out)),
    ("ruby", ruby_key),
    ("ruby", ruby_words),
    ("java", java_properties),
    // Bytes of UTF-8 that were read as Latin-1 and written as UTF-8 again.
    ("utf8-utf8", |value, out| latin(value, out)),
    ("utf8-utf8", |value, out| {
        let mut once = Zeroizing::new(Vec::with_capacity(GROWTH_MAX * value.len()));
        latin(value, &mut once)?;
        json(&once, Json { ascii: true, ..Json::default() }, out)
    }),
    // RFC 2045, section 6.7: <https://www.rfc-editor.org/rfc/rfc2045>
    ("quoted-printable", |value, out| quoted_printable(value, b" \t", out)),
    ("quoted-printable", |value, out| quoted_printable(value, b"", out)),
    // JavaScript's escape.
    ("percent", percent_units),
    ("escaped-line-ends", line_ends),
    // What stands between the quotes of a POSIX shell, and what bash writes for `printf %q`.
    ("shell", |value, out| shell_quoted(value, "'\\''", out)),
    ("shell", |value, out| shell_quoted(value, "'\"'\"'", out)),
    ("shell", |value, out| shell_runs(value, true, out)),
    ("shell", |value, out| shell_runs(value, false, out)),
    ("shell", |value, out| prefixed(value, b"\\\"$`", b'\\', out)),
    ("shell", |value, out| prefixed(value, b" \t!\"#$&'()*,;<>?[\\]^`{|}~", b'\\', out)),
    ("shell", backslashed_by_bash),
    ("shell", |value, out| shell_ansi(value, false, out)),
    ("shell", |value, out| shell_ansi(value, true, out)),
    ("shell", shell_words),
    // What ls and the other coreutils write between the quotes around a name.
    ("shell", |value, out| shell_parts(value, false, out)),
    ("shell", |value, out| shell_parts(value, true, out)),
    ("powershell", |value, out| prefixed(value, b"`\"$", b'`', out)),
    ("powershell", |value, out| replaced(value, b"'", "''", out)),
    ("powershell", |value, out| replaced(value, b"\"", "\"\"", out)),
    // PowerShell colours a command line that it cannot read from its ampersands on, and each part
    // may come by itself. After `&+` one character is lost.
    ("powershell", before_ampersand),
    ("powershell", after_ampersand),
    ("cmd", |value, out| prefixed(value, b"&|<>^()\"!", b'^', out)),
    ("cmd", |value, out| prefixed(value, b"&|<>^", b'^', out)),
    ("cmd", |value, out| prefixed(value, b"&|<>^()%!\"", b'^', out)),
    ("cmd", |value, out| prefixed(value, SIGNS_OF_CMD, b'^', out)),
    ("cmd", carets_twice),
    ("cmd", |value, out| replaced(value, b"%", "%%", out)),
    // Commands in the log of Azure Pipelines: <https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>
    ("azure", |value, out| azure(value, true, out)),
    ("azure", |value, out| azure(value, false, out)),
    // <https://www.jetbrains.com/help/teamcity/service-messages.html#Escaped+Values>
    ("teamcity", teamcity),
    // Make, Compose and systemd.
    ("doubled", |value, out| doubled(value, b"$", out)),
    ("doubled", |value, out| doubled(value, b"$%", out)),
    // <https://man7.org/linux/man-pages/man5/fstab.5.html>
    ("octal", |value, out| octal_blanks(value, out)),
    // `sed -n l`, PHP's addcslashes, literals of C: <https://www.gnu.org/software/sed/manual/sed.html#Other-Commands>
    ("octal", c_literal),
    ("utf16", utf16),
    // The argument of PowerShell's -EncodedCommand.
    ("base64-utf16", |value, out| base64_whole(&utf16_of(value)?, STANDARD, true, out)),
    ("base64-utf16", |value, out| base64_part(&utf16_of(value)?, 0, STANDARD, out)),
    ("base64-utf16", |value, out| base64_part(&utf16_of(value)?, 1, STANDARD, out)),
    ("base64-utf16", |value, out| base64_part(&utf16_of(value)?, 2, STANDARD, out)),
    ("base64-utf16", |value, out| base64_part(&doubled_utf16(value)?, 0, STANDARD, out)),
    ("base64-utf16", |value, out| base64_part(&doubled_utf16(value)?, 1, STANDARD, out)),
    ("base64-utf16", |value, out| base64_part(&doubled_utf16(value)?, 2, STANDARD, out)),
    // A value that was encoded, as in a Kubernetes Secret, inside a text that was encoded again.
    ("base64-base64", |value, out| base64_twice(value, None, out)),
    ("base64-base64", |value, out| base64_twice(value, Some(0), out)),
    ("base64-base64", |value, out| base64_twice(value, Some(1), out)),
    ("base64-base64", |value, out| base64_twice(value, Some(2), out)),
];

/// Names of forms that take four bytes or more for each byte. A value for which they are too long is looked for
/// without them.
const HEX_ESCAPES: &str = "hex-escapes";
const NUMBERS: &str = "numbers";
const OCTAL_ESCAPES: &str = "octal-escapes";

fn raw(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(value);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_written(value: &str, form: &str) -> bool {
        let mut found = false;
        let Ok(()) = each(value.as_bytes(), |_, string| {
            found |= string == form.as_bytes();
            Ok::<(), std::convert::Infallible>(())
        });
        found
    }

    #[test]
    fn each_program_writes_a_value_in_its_own_way() {
        for (value, form) in [
            // bash's printf %q: the tilde and the number sign count only where a word begins.
            ("&a!b>}c~$#", r"\&a\!b\>\}c~\$#"),
            ("~a:~b#", r"\~a:\~b#"),
            // dash and zsh leave out an empty part at the end, and zsh at the start.
            ("'it's'", r"\''it'\''s'\'"),
            ("'it's'", r#""'"'it'"'"'s'"'""#),
            ("''it''s''", r#""''"'it'"''"'s'"''""#),
            ("''it''s''", r"\'\''it'\'\''s'\'\'"),
            // bash's trace of unquoted words, and coreutils' quotes.
            ("it's  a b", r"'it'\''s' a b"),
            ("a\tb'c", r"a'$'\t''b'\''c"),
            // Python's ascii, repr of bytes and error handler.
            ("a'ä\u{4e2d}\u{1f511}\n", r"a\'\xe4\u4e2d\U0001f511\n"),
            ("a'ä", r"a\'\xc3\xa4"),
            ("a'ä\t", "a'\\xe4\t"),
            // Three times JSON, UTF-8 twice, quoted-printable, JavaScript's escape.
            ("a\"b", r#"a\\\\\\\"b"#),
            ("ä", "Ã¤"),
            ("ä", r"\u00c3\u00a4"),
            ("a=ä", "a=3D=C3=A4"),
            ("ä→", "%E4%u2192"),
            // Perl's Dumper, PHP's traces and escapeshellcmd, Ruby's inspect, dump, KeyError and Shellwords, Java's Properties.
            ("a$\u{1}1\u{1}b\u{1b}", r"a\$\0011\1b\e"),
            ("ä→", r"\x{e4}\x{2192}"),
            ("0123456789abcde\\f", "0123456789abcde..."),
            ("a\"b'c\"", "a\"b\\'c\""),
            ("ä\u{1f511}#{\u{1}", r"ä🔑\#{\u0001"),
            ("ä\u{1f511}", r"\u00E4\u{1F511}"),
            ("ä\u{7f}", r"\xC3\xA4\x7F"),
            ("it's ä", r"it\'s\ \ä"),
            ("it's\u{9f}", r"it\'s\x9F"),
            ("a=b: ä", r"a\=b\: \u00E4"),
            // What Node's cross-spawn does for a script of `cmd`, which reads its arguments twice.
            ("a&b^", "a^^^&b^^^^"),
            // Digits apart, and as escapes.
            ("ab\u{7f}", "61:62:7f"),
            ("ab", r"\x61\x62"),
            ("ab", r"\141\142"),
            // Lists of bytes: Python, JSON, Go, Java, tables of C.
            ("hi\t\u{e4}", "104, 105, 9, 195, 164"),
            ("hi\t\u{e4}", "104,105,9,195,164"),
            ("hi\t\u{e4}", "104 105 9 195 164"),
            ("hi\t\u{e4}", "104, 105, 9, -61, -92"),
            ("hi\t\u{e4}", "68, 0x69, 0x09, 0xc3, 0xa4"),
            ("hi\t\u{e4}", "68, 69, 09, c3, a4"),
            // Regular expressions of Perl and Python; a command line of Windows.
            ("a_b.c/", r"a_b\.c\/"),
            ("a-b.c/", r"a\-b\.c/"),
            (r#"a\"b\c"#, r#"a\\\"b\c"#),
            (r"a'b\c", r"a\'b\\\\c"),
            // .NET's patterns, sed's, Rust's literals, TeamCity's messages, fstab, Node on Windows.
            ("a b.c#d]", r"a\ b\.c\#d]"),
            ("a/b&c.d", r"a\/b\&c.d"),
            ("a/b&c.d", r"a\/b&c\.d"),
            ("it's\n\u{e4}\u{1f511}", r"it\'s\n\u{e4}\u{1f511}"),
            ("it's [\u{e4}]|x\n", "it|'s |[|0x00E4|]||x|n"),
            ("a%b;c]d\n", "a%AZP25b%3Bc%5Dd%0A"),
            ("a%b;c]d\n", "a%AZP25b;c]d%0A"),
            ("a b\\c", r"a\040b\134c"),
            ("a\u{7}\u{1b}\\\u{e4}", r"a\a\033\\\303\244"),
            ("a,b(c)", "a^,b^(c^)"),
            // Base64 that a value is.
            ("ab+/cdEFghIJklMN==", "ab+/cdEFghIJklMN"),
            ("ab+/cdEFghIJklMN==", "ab-_cdEFghIJklMN"),
        ] {
            assert!(is_written(value, form), "{form}");
        }
    }
}
