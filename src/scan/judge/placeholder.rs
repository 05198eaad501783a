//! Turns a value into "this stands for a value": templates, masks, references, calls. Does not weigh key names.

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
        b'(' => true,
        b'@' => {
            v.get(1).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'/' | b'{' | b'@'))
                && v.iter()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'.' | b'/' | b'_' | b'-' | b'{' | b'}'))
        }
        b'!' => v.len() > 1 && v.iter().skip(1).all(|b| b.is_ascii_alphabetic() || matches!(b, b'!' | b':')),
        b'#' => v.starts_with(b"#{") || v.iter().skip(1).all(u8::is_ascii_digit),
        b'&' => [&b"&lt;"[..], b"&#x3C;", b"&#x3c;", b"&#60;", b"&amp;"].iter().any(|e| v.starts_with(e)),
        // A Ruby symbol, and the role of a cross-reference in documentation.
        b':' => v.iter().skip(1).take_while(|b| **b != b':').all(|b| b.is_ascii_lowercase() || *b == b'_'),
        b'_' => v.starts_with(b"__") && v.ends_with(b"__"),
        _ => false,
    };
    template
        || v.ends_with(b"...")
        || v.ends_with("…".as_bytes())
        || masked(v)
        || contains(v, b"${{")
        || contains(v, b"{{")
        || inner_template(v)
        || reference(v)
        || super::speech::speaks(v)
        || regex(v)
        || named_hole(v)
        // A role of reStructuredText: `exc:`SizeError``.
        || contains(v, b":`")
        || v.starts_with(b"\\u") && v.len() == 6
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
        || is_long_path(v)
        || v.len() > 2 && v.strip_prefix(b"%").and_then(|v| v.strip_suffix(b"%")).is_some_and(named)
        || [&b"process.env."[..], b"os.environ", b"System.getenv"].iter().any(|start| v.starts_with(start))
        || v.strip_suffix(b"()").is_some_and(|name| name.iter().all(u8::is_ascii_alphabetic) && reads(name))
        || v.len() >= 3 && v.iter().all(|&b| b == b'*')
        || OWN_NAMES.iter().any(|name| v.eq_ignore_ascii_case(name.as_bytes()))
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

/// Whether an unquoted value is program text: a call, a member, a type, an operator.
pub fn is_code(v: &[u8]) -> bool {
    let sign = v == b"//" || v == b"/*" || v == b"\\" || v.starts_with(b"&mut");
    // In a source that stands in a string, the code goes on behind an escaped line end.
    let line = memchr::memchr_iter(b'\\', v).find(|&at| matches!(v.get(at + 1), Some(b'n' | b'r' | b't')));
    let v = line.filter(|&at| at > 0).and_then(|at| v.get(..at)).unwrap_or(v);
    sign || is_call_of_path(v)
        || v.strip_prefix(b"&").is_some_and(is_variable_named)
        || (v.starts_with(b"--") || is_member_expression(v) || is_cut_expression(v) || is_expression(v)) && reads(v)
}

/// `emptyPass`, behind the `&` that takes its address.
fn is_variable_named(v: &[u8]) -> bool {
    v.len() >= 4 && v.iter().all(u8::is_ascii_alphabetic) && super::randomness::text_odds(v) > -60
}

/// `CPAN::anycwd()`, `auth::token();`
fn is_call_of_path(v: &[u8]) -> bool {
    let v = v.strip_suffix(b";").unwrap_or(v);
    let Some(path) = v.strip_suffix(b"()") else { return false };
    contains(path, b"::") && path.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'))
}

/// `this.key+1`, `e.lifetime||1`: a member that an operator follows.
fn is_member_expression(v: &[u8]) -> bool {
    let sign = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'.' | b'#');
    let head = v.iter().take_while(|b| sign(b)).count();
    let (name, rest) = v.split_at(head);
    let digits = name.iter().filter(|b| b.is_ascii_digit()).count();
    let operator =
        matches!(rest, [b'?' | b'+' | b'|' | b'&' | b'-' | b'*' | b'=' | b'(' | b'[' | b';' | b',' | b')' | b'}', ..]);
    operator && head >= 8 && digits * 10 <= head && member(name)
}

/// `t,await`, `n}),void`, `i=this.x`: code without blanks, as bundlers write it. The short name of a variable behind
/// which brackets close, or that more of a list follows, and words.
fn is_cut_expression(v: &[u8]) -> bool {
    let head = v.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$')).count();
    let (name, rest) = v.split_at(head);
    let (Some(&first), Some((&next, behind))) = (name.first(), rest.split_first()) else { return false };
    let variable = head <= 2 && (first.is_ascii_alphabetic() || matches!(first, b'_' | b'$'));
    if !variable && !matches!(name, b"null" | b"true" | b"false" | b"this") {
        return false;
    }
    let word = |w: &[u8]| w.len() >= 4 && w.iter().all(u8::is_ascii_lowercase) && super::randomness::text_odds(w) > -60;
    let words = v.split(|b| !b.is_ascii_alphabetic()).any(|w| word(w) || w == b"void");
    match next {
        b'=' => member(behind) && behind.len() >= 8,
        b'}' | b')' | b',' | b']' => {
            let keyword =
                behind.get(..behind.iter().take_while(|b| b.is_ascii_lowercase()).count()).unwrap_or_default();
            let keywords =
                [&b"async"[..], b"await", b"void", b"return", b"this", b"function", b"new", b"typeof", b"get"];
            words && matches!(behind, [b'}' | b')' | b',' | b';' | b'(' | b']' | b'=' | b'.', _, ..])
                || keywords.contains(&keyword)
        }
        _ => false,
    }
}

/// Whether at least half of the letters of a text stand in what may be words: names in code do, those of a random
/// password with brackets and operators in it do not.
fn reads(v: &[u8]) -> bool {
    let odds = super::randomness::text_odds;
    let (mut words, mut letters) = (0, 0);
    // Of one or two letters nothing can be told.
    for run in v.split(|b| !b.is_ascii_alphabetic()).filter(|run| run.len() > 2) {
        letters += run.len();
        let humps = || run.chunk_by(|a, b| !(a.is_ascii_lowercase() && b.is_ascii_uppercase()));
        words += match humps().count() {
            // Short names and abbreviations are as odd as chance is, but all of one case.
            1 if run.len() < 4 || odds(run) > -100 => run.len(),
            1 => 0,
            _ => humps().filter(|w| w.len() == 3 || w.len() > 3 && odds(w) > -60).map(<[u8]>::len).sum(),
        };
    }
    let head = v.iter().take_while(|b| b.is_ascii_lowercase()).count();
    let called = head >= 5 && v.get(head) == Some(&b'(') && odds(v.get(..head).unwrap_or_default()) > -60;
    called || if letters == 0 { v.len() < 10 } else { words * 2 >= letters }
}

fn is_expression(v: &[u8]) -> bool {
    let word = |s: &[u8]| {
        let joint = |b: &u8| matches!(b, b'_' | b'.' | b'$' | b':' | b'&' | b'*' | b'@' | b'!' | b'-' | b'>');
        s.iter().all(|b| b.is_ascii_alphanumeric() || joint(b)) && (!s.contains(&b'-') || contains(s, b"->")) && {
            // Most of it reads like words: names of algorithms and short forms do not.
            let wordy = |part: &&[u8]| part.len() < 5 || super::randomness::text_odds(part) > -60;
            s.split(joint).filter(|part| wordy(part) || humps_read(part)).map(<[u8]>::len).sum::<usize>() * 2 >= s.len()
        }
    };
    // A call or an index: letters, then a bracket.
    if let Some(at) = v.iter().position(|b| matches!(b, b'(' | b'[' | b'{') || *b == b'<' && v.ends_with(b">")) {
        let head = v.get(..at).unwrap_or_default();
        let first = head
            .first()
            .is_none_or(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$' | b'!' | b'&' | b'*' | b'@'));
        // `_mm_loadu_si128(secret.add(i));`
        let snake =
            head.contains(&b'_') && head.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_');
        if first && (word(head) || snake && (v.ends_with(b")") || v.ends_with(b");"))) {
            return true;
        }
    }
    // `KeyExportResult<T[`, `Buffer|Uint8Array`, `e.sessionToken),this.x`: a type, a union, a member in an expression.
    if v.iter().position(|b| *b == b'<').is_some_and(|at| {
        let head = v.get(..at).unwrap_or_default();
        head.len() >= 4
            && head[0].is_ascii_uppercase()
            && word(head)
            && v.get(at + 1).is_some_and(|b| b.is_ascii_uppercase() || matches!(b, b'[' | b'&' | b'*' | b'\''))
            || v.get(at + 1..).is_some_and(|rest| !rest.is_empty() && rest.iter().all(u8::is_ascii_lowercase))
    }) {
        return true;
    }
    if v.contains(&b'|')
        && v.split(|b| *b == b'|').all(|part| part.first().is_some_and(u8::is_ascii_alphabetic) && word(part))
    {
        return true;
    }
    if let Some(at) = v.iter().position(|b| matches!(b, b')' | b'}' | b','))
        && member(v.get(..at).unwrap_or_default())
    {
        return true;
    }
    // Base64 ends in `==`, which is no comparison there.
    let unpadded = v.get(..v.len() - v.iter().rev().take_while(|&&b| b == b'=').count()).unwrap_or_default();
    let marks = |b: &u8| matches!(b, b'|' | b'&' | b'=' | b'(' | b')' | b'?' | b'}' | b'<' | b':');
    if unpadded.iter().any(marks) && OPERATORS.iter().any(|o| contains(unpadded, o)) {
        return true;
    }
    let body = v.strip_prefix(b"&").or(v.strip_prefix(b"*")).or(v.strip_prefix(b"!")).unwrap_or(v);
    let body = body.strip_suffix(b"?").or(body.strip_suffix(b";")).unwrap_or(body);
    member(body) || type_name(body)
}

/// `CString`, `ed25519.Ed25519PrivateKey`: a capital, and an ending that types have.
fn type_name(v: &[u8]) -> bool {
    let last = v.rsplit(|b| matches!(b, b'.' | b':')).next().unwrap_or_default();
    v.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'_'))
        && last.first().is_some_and(u8::is_ascii_uppercase)
        && last.iter().any(u8::is_ascii_lowercase)
        && TYPE_ENDS.iter().any(|end| last.len() > end.len() && last.ends_with(end.as_bytes()))
}

/// `cfg.password`, `process.env.X`, `self.token`, `A::b`, `p->pass`.
fn member(v: &[u8]) -> bool {
    // JavaScript's private members: `this.#key`.
    let parts = v.split(|b| matches!(b, b'.' | b':' | b'>' | b'-')).map(|s| s.strip_prefix(b"#").unwrap_or(s));
    let parts = parts.filter(|s| !s.is_empty());
    let joined = v.contains(&b'.') || contains(v, b"::") || contains(v, b"->");
    joined
        && v.iter().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'$' | b'>' | b'-' | b'!' | b'?' | b'#')
        })
        && (!v.contains(&b'-') || contains(v, b"->"))
        && parts.clone().count() >= 2
        && parts.clone().all(|s| s[0].is_ascii_alphabetic() || s[0] == b'_' || s[0] == b'$')
        && parts.clone().all(|s| s.len() < 4 || super::randomness::text_odds(s) > -90 || humps_read(s))
}

/// Whether the words of `apiKey`, taken one by one, read like words.
fn humps_read(s: &[u8]) -> bool {
    s.chunk_by(|a, b| !(a.is_ascii_lowercase() && b.is_ascii_uppercase()))
        .all(|word| word.len() == 3 || word.len() > 3 && super::randomness::text_odds(word) > -60)
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
    let mut lower = [0u8; 64];
    let Some(lower) = lower.get_mut(..v.len()) else { return false };
    lower.copy_from_slice(v);
    lower.make_ascii_lowercase();
    let joined = v.iter().any(|b| matches!(b, b'_' | b'-' | b'.'))
        || v.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase());
    (joined || constant) && NAMES.iter().any(|n| contains(lower, n.as_bytes()))
}

/// Stars, dots, x: what others put over a secret.
fn masked(v: &[u8]) -> bool {
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
        || contains(v, b"***")
        || crossed_out(v)
}

/// Four `x` in a row, from the value's start, to its end or beside a sign; amid letters, where chance makes four, six.
fn crossed_out(v: &[u8]) -> bool {
    let mut at = 0usize;
    v.chunk_by(|a, b| a == b).any(|run| {
        let before = at.checked_sub(1).and_then(|p| v.get(p));
        at += run.len();
        let amid = [before, v.get(at)].iter().all(|byte| byte.is_some_and(u8::is_ascii_alphanumeric));
        matches!(run[0], b'x' | b'X') && run.len() >= if amid { 6 } else { 4 }
    })
}

/// A template somewhere inside: `prefix-${NAME}`, `a$(b)c`, `x{{y}}`.
fn inner_template(v: &[u8]) -> bool {
    if !v.iter().any(|b| matches!(b, b'$' | b'#' | b'<' | b'%')) {
        return false;
    }
    (contains(v, b"${") && v.contains(&b'}'))
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

/// `%s`, `user-%s`, but not one amid letters, as passwords have it.
fn percent_s(v: &[u8]) -> bool {
    let amid = |at: usize| {
        let before = at.checked_sub(1).and_then(|p| v.get(p));
        before.is_some_and(u8::is_ascii_alphanumeric) && v.get(at + 2).is_some_and(u8::is_ascii_alphanumeric)
    };
    v.windows(2).enumerate().any(|(at, pair)| pair == b"%s" && !amid(at))
}

/// A pattern that describes secrets.
fn regex(v: &[u8]) -> bool {
    if !v.iter().any(|b| matches!(b, b'\\' | b'*' | b'[' | b'(')) {
        return false;
    }
    [&b"\\w+"[..], b"\\w*", b"\\w{", b"\\d+", b"\\d*", b"\\d{", b"\\S+", b"\\S*", b"(?", b"[a-z", b"[A-Z", b"[0-9"]
        .iter()
        .any(|p| contains(v, p))
        || (contains(v, b".*") || contains(v, b"[^")) && reads(v)
}

/// Where to find it: `vault:secret/x`, `op://x`, `arn:aws:...`, `env:X`.
fn reference(v: &[u8]) -> bool {
    REFERENCES.iter().any(|r| v.len() >= r.len() && v[..r.len()].eq_ignore_ascii_case(r.as_bytes()))
}

/// `NAME`, `{name}`, `(command)`: what may follow a dollar sign.
fn is_name(v: &[u8]) -> bool {
    matches!(v.first(), Some(b'{' | b'(' | b'[' | b'$'))
        || v.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'.' | b'-' | b'>' | b'/'))
            && (v.iter().all(|b| !b.is_ascii_lowercase()) || v.iter().all(|b| !b.is_ascii_digit()) || v.contains(&b'_'))
}

fn contains(v: &[u8], needle: &[u8]) -> bool {
    places(v, needle).next().is_some()
}

/// Where a text stands in a value. Values are short: preparing a search would take longer than this.
pub(super) fn places<'a>(v: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let last = (v.len() + 1).saturating_sub(needle.len());
    let first = needle.first().copied().unwrap_or_default();
    memchr::memchr_iter(first, &v[..last]).filter(move |&at| v[at..].starts_with(needle))
}

const OPERATORS: &[&[u8]] =
    &[b"||", b"&&", b"==", b"!=", b"=>", b"()", b"?.", b"??", b"+=", b"){", b");", b"};", b"</", b"::", b"<<", b">>"];
const TYPE_ENDS: &[&str] = &[
    "String",
    "Str",
    "Bytes",
    "Buf",
    "Buffer",
    "Type",
    "Types",
    "Key",
    "Keys",
    "Secret",
    "Password",
    "Token",
    "Data",
    "Field",
    "Value",
    "Provider",
    "Config",
    "Options",
    "Factory",
    "Array",
    "Credential",
    "Credentials",
];
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
];
const NAMES: &[&str] = &[
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
];
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
