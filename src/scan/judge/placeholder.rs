//! Turns a value into "this stands for a value": templates, masks, references, calls. Does not weigh key names.

use super::{
    bytes::{Texts, begins_with_one, contains, places},
    code::{is_member_expression, reads},
    is_jumbled, is_made, random,
};
use crate::rules::condition::ByteSet;

/// Whether a value is a template, a mask somebody else put there, or a reference to where the secret is kept.
pub fn is_placeholder(v: &[u8]) -> bool {
    let Some((&first, &last)) = v.first().zip(v.last()) else { return true };
    let template = match first {
        // `<set to the key ...>` is cut at its first space.
        b'<' => {
            last == b'>'
                || v.iter().skip(1).all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b'!' | b'.'))
                || is_marked_up(v)
        }
        b'$' => {
            v.get(1).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'{' | b'(' | b'_' | b'$' | b'['))
                && is_name(v.get(1..).unwrap_or_default())
        }
        b'%' => {
            matches!(
                v.get(1),
                Some(b's' | b'd' | b'v' | b'q' | b'@' | b'(' | b'{' | b'+' | b'x' | b'r' | b'#' | b'-' | b'.' | b'p')
            ) && v.len() <= 4
                || last == b'%' && is_variable(v.get(1..v.len().max(2) - 1).unwrap_or_default())
                || v.starts_with(b"%(")
                || v.starts_with(b"%{")
                || v.starts_with(b"%[") && last == b']'
        }
        b'{' => last == b'}' || v.starts_with(b"{{") || v.starts_with(b"{%"),
        b'[' => v.get(1).is_none_or(|b| matches!(b, b']' | b'[' | b'{' | b'<' | b'(' | b'.')) || last == b']',
        // `(see the manual)` is cut at its first space.
        b'(' => {
            let code = |b: &u8| matches!(b, b'.' | b',' | b'(' | b'\'' | b'"' | b'_' | b'[');
            last == b')' || !v.iter().any(u8::is_ascii_digit) || v[1..].iter().any(code)
        }
        b'@' => {
            v.get(1).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'/' | b'{' | b'@'))
                && v.iter()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'.' | b'/' | b'_' | b'-' | b'{' | b'}'))
        }
        b'!' => {
            v.len() > 1
                && v[1..].iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'!' | b':'))
                && may_read(&v[1..])
        }
        b'#' => v.starts_with(b"#{") || v.iter().skip(1).all(u8::is_ascii_digit),
        b'&' => [&b"&lt;"[..], b"&#x3C;", b"&#x3c;", b"&#60;", b"&amp;"].iter().any(|e| v.starts_with(e)),
        // A Ruby symbol, and the role of a cross-reference in documentation.
        b':' => v.iter().skip(1).take_while(|b| **b != b':').all(|b| b.is_ascii_lowercase() || *b == b'_'),
        b'_' => v.starts_with(b"__") && v.ends_with(b"__"),
        _ => false,
    };
    // Chance may put a sign before a secret, and a log puts brackets around one: `[x7Kq2mVb9]`, `@LI7jChGi4s`.
    let template = template && !(b"<[({@$%".contains(&first) && is_made_behind(v));
    // What a form needs is asked for first: few values hold any of it.
    let held = ByteSet::of(v);
    let holds = |signs: &[u8]| signs.iter().any(|&sign| held.contains(sign));
    template
        || v.ends_with(b"...")
        || v.ends_with("…".as_bytes())
        || masked(v, &held)
        || holds(b"{") && (holds_template(v) || named_hole(v))
        || holds(b"$#<%") && inner_template(v)
        || begins_with_one(v, REFERENCES)
        || super::speech::speaks(v)
        || holds(b"\\*[(") && regex(v)
        // A role of reStructuredText: `exc:`SizeError``.
        || holds(b"`") && contains(v, b":`")
        || v.starts_with(b"\\u") && v.len() == 6
}

/// Whether behind a sign, or in brackets, stands what no name is. Names of variables have one case.
fn is_made_behind(v: &[u8]) -> bool {
    let cases = || v.iter().any(u8::is_ascii_uppercase) && v.iter().any(u8::is_ascii_lowercase);
    let opens = |byte: &u8| matches!(byte, b'<' | b'[' | b'(' | b'{' | b'%');
    let one = !v.get(1).is_some_and(opens);
    is_made(v) && (opens(&v[0]) || cases()) || one && is_jumbled(v)
}

/// Whether what stands where a structure has its secret only says so: a template, a mask, or the secret's own name.
pub fn stands_in(v: &[u8]) -> bool {
    let starts = [&b"${"[..], b"$(", b"{{", b"<%"];
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let named = |inner: &[u8]| !inner.is_empty() && inner.iter().all(part);
    // `YOUR_TOKEN`
    let capitals = v.contains(&b'_') && v.iter().all(|b| b.is_ascii_uppercase() || *b == b'_') && names_a_secret(v);
    starts.iter().any(|start| v.starts_with(start))
        || capitals
        || v.starts_with(b"([^")
        || is_member_expression(v) && reads(v)
        || v.strip_prefix(b"{").and_then(|v| v.strip_suffix(b"}")).is_some_and(named)
        || v == b"%s"
        // A regular expression, a path, a variable of cmd.exe, what a program reads from its environment, and a call.
        || contains(v, b"(?:")
        || contains(v, b"(self.")
        || is_long_path(v)
        // `PASS button2.test.js`
        || super::value_type::is_file_name(v)
        || v.len() > 2 && v.strip_prefix(b"%").and_then(|v| v.strip_suffix(b"%")).is_some_and(named)
        || [&b"process.env."[..], b"os.environ", b"System.getenv"].iter().any(|start| v.starts_with(start))
        || v.strip_suffix(b"()").is_some_and(|name| name.iter().all(u8::is_ascii_alphabetic) && reads(name))
        || v.len() >= 3 && v.iter().all(|&b| b == b'*')
        || OWN_NAMES.iter().any(|name| v.strip_suffix(b"]").unwrap_or(v).eq_ignore_ascii_case(name.as_bytes()))
}

/// `ROCKET_LAUNCHER_0001`: words in capitals and a short number.
pub fn is_numbered_constant(v: &[u8]) -> bool {
    let number = |part: &[u8]| part.len() <= 4 && part.iter().all(u8::is_ascii_digit);
    let word = |part: &[u8]| {
        part.len() >= 4 && part.iter().all(u8::is_ascii_uppercase) && super::randomness::text_odds(part) > -60
    };
    let mut words = 0;
    let all = v.split(|&b| b == b'_').all(|part| {
        words += usize::from(word(part));
        word(part) || !part.is_empty() && number(part)
    });
    all && words >= 2
}

/// `/target/debug/deps/libkey-cb23aa8a16a58c4e.rmeta`
fn is_long_path(v: &[u8]) -> bool {
    let sign = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-');
    v.starts_with(b"/")
        && v.iter().filter(|b| **b == b'/').count() >= 3
        && v.iter().all(sign)
        && super::value_type(v) == super::ValueType::Path
}

/// `<i>Password`: the name of a value in a documentation's own markup.
fn is_marked_up(v: &[u8]) -> bool {
    let tag = v.iter().skip(1).take_while(|b| b.is_ascii_lowercase()).count();
    (1..=6).contains(&tag) && v.get(tag + 1) == Some(&b'>') && v.iter().skip(tag + 2).all(u8::is_ascii_alphabetic)
}

/// `x{{y}}`, and what a blank cuts of `{{ .Values.x }}`.
fn holds_template(v: &[u8]) -> bool {
    let opens = |at: usize| {
        let next = v.get(at + 2);
        next.is_none_or(|b| {
            b.is_ascii_alphabetic() || matches!(b, b' ' | b'.' | b'-' | b'$' | b'#' | b'%' | b'{' | b'_' | b'"' | b'\'')
        })
    };
    places(v, b"{{").any(opens) || contains(v, b"{{") && contains(v, b"}}")
}

/// A name in braces, to be filled in: `{registry_id}-auth`, `{self.token!r}`.
fn named_hole(v: &[u8]) -> bool {
    let Some(open) = v.iter().position(|&b| b == b'{') else { return false };
    let inner = v.get(open + 1..).unwrap_or_default();
    let close = inner.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'!')));
    let name = inner.get(..close.unwrap_or(0)).unwrap_or_default();
    close.is_some_and(|n| inner.get(n) == Some(&b'}'))
        && name.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
        && name.len() >= 2
        && reads(v)
}

/// Whether a value names a secret instead of being one: `db_password`, `my-tls-secret`, `MY_TOKEN`.
pub fn names_a_secret(v: &[u8]) -> bool {
    if !v.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) || v.len() > 64 {
        return false;
    }
    // `MYTOKEN1`: capitals with a counter; otherwise digits make it a value.
    let digits = v.iter().filter(|b| b.is_ascii_digit()).count();
    let constant = !v.iter().any(u8::is_ascii_lowercase) && digits <= 1;
    if digits > 0 && !constant {
        return false;
    }
    if is_a_notice(v) {
        return true;
    }
    let joined = v.iter().any(|b| matches!(b, b'_' | b'-' | b'.'))
        || v.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase());
    (joined || constant) && NAMES.any(v, |_, _| true) && !random(v)
}

/// `VALUE_SPECIFIED_IN_NO_LOG_PARAMETER`: four words or more in capitals, as programs write in the place of a value.
fn is_a_notice(v: &[u8]) -> bool {
    let word = |part: &[u8]| part.len() >= 2 && part.iter().all(u8::is_ascii_uppercase);
    let mut words = v.split(|&b| b == b'_');
    words.clone().count() >= 4
        && words.clone().all(word)
        && words.clone().any(|part| part.len() >= 4 && super::randomness::text_odds(part) > -60)
        && words.any(super::prose::says_nothing)
}

/// Stars, dots, x: what others put over a secret.
fn masked(v: &[u8], held: &ByteSet) -> bool {
    let fill =
        |b: &u8| matches!(b, b'*' | b'x' | b'X' | b'.' | b'-' | b'_' | b'#' | b'?' | b' ' | b'0' | b'=' | b'~' | b'+');
    let bullets = !v.is_ascii()
        && "•●∗█".chars().any(|c| {
            let mut buffer = [0; 4];
            contains(v, c.encode_utf8(&mut buffer).as_bytes())
        });
    bullets
        || v.len() >= 3 && v.iter().all(|b| *b == v[0])
        || v.iter().all(fill) && !v.iter().all(|b| *b == b'0')
        || held.contains(b'*') && contains(v, b"***")
        || (held.contains(b'x') || held.contains(b'X')) && crossed_out(v)
}

/// Six `x` in a row; or four from the value's start, to its end or beside a sign, where chance makes fewer, if what they
/// leave is no secret by itself.
fn crossed_out(v: &[u8]) -> bool {
    let (mut at, mut longest, mut crosses) = (0usize, 0, 0);
    for run in v.chunk_by(|a, b| a == b) {
        let before = at.checked_sub(1).and_then(|p| v.get(p));
        at += run.len();
        let amid = [before, v.get(at)].iter().all(|byte| byte.is_some_and(u8::is_ascii_alphanumeric));
        if matches!(run[0], b'x' | b'X') && run.len() >= if amid { 6 } else { 4 } {
            longest = run.len().max(longest);
            crosses += run.len();
        }
    }
    let left = || v.iter().filter(|byte| byte.is_ascii_alphanumeric()).count() - crosses;
    longest >= 6 || longest >= 4 && left() < LEFT_MIN
}

/// As many letters and digits beside four crosses may be a secret.
const LEFT_MIN: usize = 10;

/// A template somewhere inside: `prefix-${NAME}`, `a$(b)c`, `x{{y}}`.
fn inner_template(v: &[u8]) -> bool {
    let named = |at: usize| {
        v.get(at + 2).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'{' | b'!' | b'#' | b':' | b'.'))
    };
    (places(v, b"${").any(named) && v.contains(&b'}'))
        || (contains(v, b"$(") && v.contains(&b')'))
        || (contains(v, b"#{") && v.contains(&b'}'))
        || contains(v, b"<%")
        || percent_s(v)
        || contains(v, b"%(") && contains(v, b")s")
}

/// `%NAME%`: the name between the signs.
fn is_variable(name: &[u8]) -> bool {
    let one_case = !name.iter().any(u8::is_ascii_lowercase) || !name.iter().any(u8::is_ascii_uppercase);
    one_case && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// `%s`, `user-%s`, but not one that goes on with letters, or stands among others that chance has made.
fn percent_s(v: &[u8]) -> bool {
    let ends = |at: usize| !v.get(at + 2).is_some_and(u8::is_ascii_alphanumeric);
    places(v, b"%s").any(ends) && !is_jumbled(v)
}

/// A pattern that describes secrets.
fn regex(v: &[u8]) -> bool {
    REGEX.any(v, |_, _| true) || (contains(v, b".*") || contains(v, b"[^")) && reads(v)
}

/// What only patterns have.
static REGEX: Texts = Texts::new(&[
    "\\w+", "\\w*", "\\w{", "\\d+", "\\d*", "\\d{", "\\S+", "\\S*", "(?:", "(?P", "(?i", "(?=", "(?!", "(?<", "[a-z",
    "[A-Z", "[0-9",
]);

/// `NAME`, `{name}`, `(command)`: what may follow a dollar sign.
fn is_name(v: &[u8]) -> bool {
    matches!(v.first(), Some(b'{' | b'(' | b'[' | b'$'))
        || may_read(v)
            && v.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'.' | b'-' | b'>' | b'/'))
            && (v.iter().all(|b| !b.is_ascii_lowercase()) || v.iter().all(|b| !b.is_ascii_digit()) || v.contains(&b'_'))
}

/// Whether a name is short, joined, or more like words than like chance.
fn may_read(name: &[u8]) -> bool {
    let plain = name.iter().all(u8::is_ascii_alphanumeric);
    name.len() < NAME_BYTES_MIN || !plain || super::randomness::text_odds(name) > -110
}

/// Of a shorter name nothing is told (bytes).
const NAME_BYTES_MIN: usize = 8;

/// What people write for a password in an example of a structure.
const OWN_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "passw",
    "passwrd",
    "pass",
    "pwd",
    "pw",
    "passphrase",
    "secret",
    "token",
    "contrasena",
    "senha",
    "haslo",
    "wachtwoord",
    "mot-de-passe",
    "motdepasse",
    "your_password",
    "yourpassword",
    "supersecret",
    "topsecret",
    "mypassword",
    "my_password",
    "access_token",
    "accesstoken",
    "access-token",
    "api_key",
    "api-key",
    "apikey",
    "auth_token",
    "id_token",
    "jwt_token",
    "bearer_token",
    "refresh_token",
    "your_token",
    "your-token",
    "yourtoken",
    "your_api_key",
    "your-api-key",
    "value",
    "value1",
    "redacted",
    // Whoever gives a token as the user's name to GitHub gives this as the password.
    "x-oauth-basic",
];
static NAMES: Texts = Texts::caseless(&[
    "passw",
    "passwd",
    "pwd",
    "secret",
    "token",
    "_key",
    "-key",
    "apikey",
    "credential",
    "creds",
    "cred-",
    "cert",
    "tls",
    "auth",
    "_pass",
    "-pass",
    "config",
    "name",
    "-ref",
    "privatekey",
    "publickey",
    "passphrase",
    "getpass",
    "accesskey",
    "keyid",
]);
/// Where to find a secret: `vault:secret/x`, `op://x`, `arn:aws:...`, `env:X`.
const REFERENCES: &[&str] = &[
    "vault:",
    "op://",
    "arn:aws",
    "env:",
    "env.",
    "env(",
    "file:",
    "ssm:",
    "secretref",
    "secret://",
    "vault://",
    "keyvault",
    "projects/",
    "awssm",
    "kms:",
    "sops:",
    "ref+",
    "!vault",
    "secretsmanager:",
    "{resolve:",
    "urn:",
];
