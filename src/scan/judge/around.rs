//! Turns what stands around a value into "this is no assignment of a secret": names, calls, lists, markup, flags. Looks
//! at the value only where it repeats its surroundings.

use super::{Case, Family, MADE_BYTES_MIN, Separator, is_counted_word, is_jumbled, is_made, keys, random, text_odds};

/// Whether a key, what is before it, and the value's form say that no secret is assigned here.
pub fn tells_otherwise(case: &Case) -> bool {
    closes_a_string(case)
        || repeats_key(case)
        || is_a_name(case)
        || is_markup_in_code(case)
        || is_unpacked(case)
        || is_annotation(case)
        || is_next_flag(case)
        || keys::is_mounted(case)
        || is_variable(case)
        || is_a_method(case)
        || is_namespaced(case) && (are_ids(case.value) || is_cached(case))
        || is_a_tag(case)
        || is_a_task(case)
        || is_a_selector(case)
        || is_a_logger(case)
        || is_minified(case)
        || is_certified(case)
        || is_sized(case.value)
        || is_mapped(case)
        || is_changed(case)
        || is_chosen(case)
        || is_catalogued(case)
        || is_next_field(case)
        || is_issued_name(case)
        || is_a_digest_of(case)
        || is_a_pod(case)
}

/// `  GTMAppAuth: 99fb010047ba3973b7026e45393f51f27ab965ae`: a library in a lockfile of CocoaPods, and its checksum. Settings
/// are written the same way, so it is known by its name.
fn is_a_pod(case: &Case) -> bool {
    let bare = case.separator == Separator::Colon && case.spaced && !case.quoted && case.end_of_line;
    bare && case.before == b"  "
        && PODS.iter().any(|name| case.key.strip_suffix(b":") == Some(name.as_bytes()))
        && case.value.len() == 40
        && case.value.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `(SHA1 of given password: f638ff)`, as Dovecot tells of a wrong one. All of a digest tells the password to whoever tries
/// some.
fn is_a_digest_of(case: &Case) -> bool {
    let before = case.before.trim_ascii_end();
    let before = before.strip_suffix(b" given").unwrap_or(before);
    case.value.len() <= SHORT_DIGEST_BYTES_MAX
        && case.value.iter().all(u8::is_ascii_hexdigit)
        && ["SHA1 of", "SHA256 of", "MD5 of", "hash of", "digest of", "length of"]
            .iter()
            .any(|end| before.ends_with(end.as_bytes()))
}

/// `credentials: bob:Meadow6451`
pub fn is_login(case: &Case) -> bool {
    let letter = |b: &u8| b.is_ascii_alphabetic() || matches!(b, b'.' | b'_' | b'-');
    let password = |v: &[u8]| {
        let plain = |b: &u8| !matches!(b, b':' | b'/' | b',' | b'{' | b'(' | b'<' | b'$');
        v.len() >= LOGIN_BYTES_MIN
            && v.iter().all(plain)
            && v.iter().any(u8::is_ascii_digit)
            && v.iter().any(u8::is_ascii_alphabetic)
    };
    let credentials =
        || case.key.len() <= NAME_BYTES_MAX && case.key.windows(4).any(|w| w.eq_ignore_ascii_case(b"cred"));
    let colon = case.value.iter().take(NAME_BYTES_MAX).position(|&b| b == b':').filter(|&at| at > 0);
    colon.is_some_and(|at| case.value[..at].iter().all(letter) && password(&case.value[at + 1..])) && credentials()
}

/// `ACCESS_TOKEN: T1528`, `encryption_key: AES256`: what machines make is longer.
pub fn is_code_name(case: &Case) -> bool {
    let v = case.value;
    let short = case.loose() && v.len() < MADE_BYTES_MIN && v.iter().all(u8::is_ascii_alphanumeric);
    short && matches!(case.family, Family::Key | Family::Other) && !is_counted_word(v)
}

/// `docker.io/library/client-secret:1f2e3d4`, `oci-layout://event-session:v2@sha256:9f86d0...`: an image, with the commit
/// that it was made from, or with its digest.
fn is_a_tag(case: &Case) -> bool {
    if case.separator != Separator::Colon || case.spaced || case.quoted {
        return false;
    }
    // No part of an image's name has a capital, and few have an underscore, as the names of settings do.
    let setting = || case.key.iter().any(|b| *b == b'_' || b.is_ascii_uppercase());
    let named = || (case.before.ends_with(b"/") || case.key.contains(&b'/')) && !setting();
    let hex = |v: &[u8]| v.iter().all(u8::is_ascii_hexdigit);
    // Keys are as long as other digests.
    let commit = |v: &[u8]| matches!(v.len(), 7..=12 | 40) && hex(v);
    let pinned = || {
        let at = case.value.iter().position(|&byte| byte == b'@')?;
        let digest = case.value[at..].strip_prefix(b"@sha256:")?;
        let tag = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        Some(digest.len() == 64 && hex(digest) && case.value[..at].iter().all(tag))
    };
    commit(case.value) && named() || pinned() == Some(true)
}

/// `"session:4b1ddd9c"`: a key of a cache, whose first word says what it is for.
pub fn is_namespaced(case: &Case) -> bool {
    let begins = matches!(case.before.last(), Some(b'"' | b'\'' | b'`'));
    begins
        && case.separator == Separator::Colon
        && !case.spaced
        && !case.quoted
        && case.key.first() != case.before.last()
}

/// Numbers, UUIDs and hex that colons join.
fn are_ids(v: &[u8]) -> bool {
    let id = |part: &[u8]| !part.is_empty() && part.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    v.contains(&b':') && v.split(|&b| b == b':').all(id)
}

/// `{"key": "cache.key", "value": {"stringValue": "password:9e107d9d372bb6826bd81d3542a419d6"}}`: the text before says
/// that the digest is a key's end.
fn is_cached(case: &Case) -> bool {
    let near = &case.before[case.before.len().saturating_sub(CACHE_BYTES_MAX)..];
    let digest = matches!(case.value.len(), 32 | 40 | 64) && case.value.iter().all(u8::is_ascii_hexdigit);
    digest && ["cache", "\"key\""].iter().any(|word| memchr::memmem::find(near, word.as_bytes()).is_some())
}

/// `Loaded X.509 cert 'Build key for secret: 00b28ddf47aef9ceb2d9b3c8f0e7e5c1a1c0a9d1'`: the name of a certificate, and its key's
/// digest.
fn is_certified(case: &Case) -> bool {
    let near = &case.before[case.before.len().saturating_sub(NAME_BYTES_MAX)..];
    let hex = case.value.len() >= 16 && case.value.iter().all(u8::is_ascii_hexdigit);
    hex && case.separator == Separator::Colon && memchr::memmem::find(near, b"X.509 cert '").is_some()
}

/// `aesKey  [16]byte`: a type of Go's.
fn is_sized(v: &[u8]) -> bool {
    let rest = v.strip_prefix(b"[").unwrap_or(v);
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let name = rest.get(digits..).and_then(|rest| rest.strip_prefix(b"]")).unwrap_or_default();
    digits > 0 && !name.is_empty() && name.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// `--set-secrets=DB_URL=db-url:latest`: variables, and which secrets and versions they get.
fn is_mapped(case: &Case) -> bool {
    if !case.plural {
        return false;
    }
    let name = |part: &[u8]| !part.is_empty() && part.iter().all(|b| b.is_ascii_alphanumeric() || b"_-/".contains(b));
    let mut parts = case.value.splitn(2, |&b| b == b'=');
    let (variable, secret) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut parts = secret.splitn(2, |&b| b == b':');
    let (secret, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let versioned = version.starts_with(b"latest") || version.first().is_some_and(u8::is_ascii_digit);
    versioned && name(variable) && name(secret)
}

/// `source_code_hash = "DNcnG1o...CPsk=" -> "SCuUgry..."`: what looks like a key is base64.
fn is_changed(case: &Case) -> bool {
    case.separator == Separator::Arrow && memchr::memmem::find(case.key, b"=\"").is_some()
}

/// `grant == 'refresh_token' ? 'refresh_token' : 'code'`: what a condition chooses from.
fn is_chosen(case: &Case) -> bool {
    case.separator == Separator::Colon && case.quoted && case.before.trim_ascii_end().ends_with(b"?")
}

/// `Private Keys: T1552.004`, `credential: CWE-798`: the number of an entry in a catalogue, which no machine makes for a key.
fn is_catalogued(case: &Case) -> bool {
    let v = case.value;
    if v.len() > CATALOGUE_BYTES_MAX || !matches!(case.family, Family::Key | Family::Other) {
        return false;
    }
    let letters = v.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let rest = v.get(letters..).unwrap_or_default();
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let joined = v.iter().any(|b| matches!(b, b'.' | b'-'));
    joined && (1..=6).contains(&letters) && rest.split(|b| matches!(b, b'.' | b'-')).all(number)
}

/// `{Token: Password: TTL:15m0s}`: Go prints an empty field as nothing, and the next one is no value. A field that has
/// one has no blank before it, and no comma parts fields.
fn is_next_field(case: &Case) -> bool {
    if case.separator != Separator::Colon || !case.spaced || case.quoted {
        return false;
    }
    let name = case.value.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let field = case.value.first().is_some_and(u8::is_ascii_uppercase)
        && case.value.get(name) == Some(&b':')
        && (name < 5 || text_odds(&case.value[..name]) > -100);
    field && is_of_go(case)
}

/// Whether the fields before a key are such as Go prints; of the first one, whether another one follows.
fn is_of_go(case: &Case) -> bool {
    let Some(open) = memchr::memrchr(b'{', case.before) else { return false };
    let fields = case.before[open + 1..].trim_ascii_end();
    let named = |field: &[u8]| {
        let name = field.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        field.first().is_some_and(u8::is_ascii_uppercase) && field.get(name) == Some(&b':') && field.len() > name + 1
    };
    match fields.last() {
        None => case.more_follows,
        Some(b',') => false,
        Some(last) => *last == b':' || fields.split(|&b| b == b' ').any(named),
    }
}

/// `"secret": "app-tls-9f8c7b6d"`: a name with the end that a cluster gives it.
fn is_issued_name(case: &Case) -> bool {
    if !matches!(case.family, Family::Other) {
        return false;
    }
    let Some(at) = case.value.iter().rposition(|&b| b == b'-') else { return false };
    let (name, end) = (&case.value[..at], &case.value[at + 1..]);
    let kinds = [&b"-tls"[..], b"-cert", b"-dockercfg", b"-token", b"-ca"];
    let lower = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (5..=10).contains(&end.len())
        && end.iter().all(lower)
        && name.iter().all(|b| b.is_ascii_lowercase() || *b == b'-')
        && kinds.iter().any(|kind| name.ends_with(kind))
}

/// `Session-ID: 871E6262...`, as OpenSSL shows it: 32 bytes in capitals, which stand in each handshake for all to read.
pub fn is_of_a_handshake(case: &Case) -> bool {
    let v = case.value;
    let capitals = |b: &u8| b.is_ascii_digit() || matches!(b, b'A'..=b'F');
    case.key.starts_with(b"Session-ID") && case.end_of_line && v.len() == 64 && v.iter().all(capitals)
}

/// `task ':password:compileJava'`: a project that a task belongs to.
fn is_a_task(case: &Case) -> bool {
    let path = case.separator == Separator::Colon && !case.spaced && !case.quoted;
    let begins = matches!(case.before, [b':'] | [.., b'\'' | b'"' | b'`' | b' ', b':']);
    path && begins && case.value.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b':' | b'-'))
}

/// `com.example.cache.DataSession : ProxyVaultKeyFilter mapped with`: the class that logs, and what it says.
fn is_a_logger(case: &Case) -> bool {
    let Some(class) = case.key.strip_suffix(b" :").filter(|_| case.more_follows && !case.quoted) else { return false };
    let name = class.trim_ascii_end().rsplit(|&b| b == b'.').next().unwrap_or_default();
    class.contains(&b'.')
        && name.first().is_some_and(u8::is_ascii_uppercase)
        && case.value.iter().all(u8::is_ascii_alphabetic)
}

/// `input[type=password]:focus`: a state of an element.
fn is_a_selector(case: &Case) -> bool {
    let state = |b: &u8| b.is_ascii_lowercase() || matches!(b, b'-' | b':' | b'(' | b')' | b',');
    let selected = case.key.ends_with(b"]:") && case.key.contains(&b'=');
    selected && case.separator == Separator::Colon && !case.spaced && case.value.iter().all(state)
}

/// `{client_secret:n}),void`, `{password:t,...i}`: what is left of a variable's name where code was made small.
fn is_minified(case: &Case) -> bool {
    if case.separator != Separator::Colon || case.spaced || case.quoted {
        return false;
    }
    let name = case.value.iter().take(3).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$')).count();
    let rest = case.value.get(name..).unwrap_or_default();
    let goes_on = [&b"})"[..], b"},", b"),", b",..."].iter().any(|mark| rest.starts_with(mark));
    (1..=2).contains(&name) && case.value[0].is_ascii_alphabetic() && goes_on
}

/// `this.password = arg2`, `{"PASSWORD": mock_challenge}`: where code is written, a value without quotes is a name.
fn is_variable(case: &Case) -> bool {
    let name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$');
    let v = case.value.strip_suffix(b";").unwrap_or(case.value);
    if case.quoted || !v.iter().all(name) || v.first().is_none_or(u8::is_ascii_digit) {
        return false;
    }
    let member = [&b"this."[..], b"self.", b"_this.", b"this.#"].iter().any(|own| case.key.starts_with(own));
    let literal = matches!(case.key.first(), Some(b'"' | b'\'')) && case.separator == Separator::Colon;
    // `{'pass': sshpass, ...`: JSON and the like have strings in quotes.
    let joined = !case.end_of_line && !case.more_follows
        || v.contains(&b'_')
        || v.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase());
    // `let password = pairs`
    let declared = || {
        let word = last_word(case.before);
        [&b"let"[..], b"const", b"var", b"val", b"mut", b"final", b"my"].contains(&word)
    };
    let reads = || !v.iter().any(u8::is_ascii_digit) && text_odds(v) > -60;
    case.spaced && (member && !is_made(v) || declared() && reads()) || literal && joined && reads()
}

/// `/v1/authTokens:generate`, `/etc/secrets:/run/x`: the end of a path, and what is done with it.
fn is_a_method(case: &Case) -> bool {
    if case.separator != Separator::Colon || case.spaced || case.quoted || !case.before.ends_with(b"/") {
        return false;
    }
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'}' | b'>' | b'_' | b'-');
    let called = case.value.starts_with(b"/")
        || case.value.iter().take(4).all(u8::is_ascii_alphabetic) && text_odds(case.value) > -60;
    case.before.len().checked_sub(2).is_some_and(|at| part(&case.before[at])) && called
}

/// `--ask-password -user=foo`
fn is_next_flag(case: &Case) -> bool {
    let flag = case.separator == Separator::Flag && !case.quoted || case.separator == Separator::Argument;
    flag && case.value.first() == Some(&b'-')
        && case.value.get(1).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'-')
        && !random(case.value)
        && !is_jumbled(case.value)
}

/// Whether the quote before the value closed a string that the key stood in: `prompt("Password: ", mask)`.
fn closes_a_string(case: &Case) -> bool {
    if !case.quoted || case.key.iter().any(|b| matches!(b, b'"' | b'\'' | b'`')) {
        return false;
    }
    let goes_on: [&[u8]; 19] = [
        b", ",
        b",\"",
        b") ",
        b"),",
        b");",
        b"))",
        b" + ",
        b" % ",
        b" . ",
        b"+ ",
        b"] ",
        b"],",
        b"])",
        b"];",
        b"; ",
        b" ,",
        b" -> ",
        b".format(",
        b".join(",
    ];
    // `"passwd:" and "group:"`: the quote before the key is the one that its own quote closes.
    let opened = matches!(case.before.last(), Some(b'"' | b'\'' | b'`'))
        && case.value.first().is_some_and(|b| b.is_ascii_whitespace());
    // `"API_KEY=".len()`
    let letters = case.value.iter().skip(1).take_while(|b| b.is_ascii_lowercase() || **b == b'_').count();
    let called = case.value.first() == Some(&b'.') && letters >= 3 && case.value.get(letters + 1) == Some(&b'(');
    // `"PWD="+pwd)`, `"PWD="+dir.path()`
    let joined = case.value.strip_prefix(b"+").and_then(|v| v.strip_suffix(b")"));
    let joined = joined.is_some_and(|name| name.len() > 1 && name.iter().all(u8::is_ascii_alphabetic));
    let added = case.value.first() == Some(&b'+')
        && case.value.iter().skip(1).take_while(|b| b.is_ascii_alphabetic() || **b == b'.' || **b == b'(').count() >= 4
        && case.value.iter().any(|b| matches!(b, b'.' | b'('));
    opened || added || joined || called || goes_on.iter().any(|g| case.value.starts_with(g))
}

/// `arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-AbC123` is the name of a secret, and
/// `checksum/secret: 9f86...` its digest.
fn is_a_name(case: &Case) -> bool {
    // No name is longer, and a line without white space must not be walked through for each of its keys.
    let near = &case.before[case.before.len().saturating_sub(NAME_BYTES_MAX)..];
    let word = || near.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
    let arn =
        case.separator == Separator::Colon && near.ends_with(b":") && memchr::memmem::find(word(), b"arn:").is_some();
    // `"AWS::ApiGateway::ApiKey": "48205d4ffd7feba3"`: the key is a type's path. Those of settings are in small letters:
    // `"profile::db::password"`.
    let typed = |at: usize| case.key.get(at + 2).is_some_and(u8::is_ascii_uppercase);
    let path =
        matches!(case.key.first(), Some(b'"' | b'\'')) && memchr::memmem::rfind(case.key, b"::").is_some_and(typed);
    // `--server-password=SERVER_PASS`: what a flag's help calls its value, cut by a hyphen of the page or not.
    let called = v_trimmed(case.value);
    let flag = case.key.starts_with(b"-") || case.before.ends_with(b"-");
    // `--shared-key=[secret_version=SECRET_VERSION]`
    let metavar = || {
        let last = called.rsplit(|&b| b == b'=').next().unwrap_or_default();
        let last = last.iter().position(|&b| b == b']').map_or(last, |at| &last[..at]);
        last.len() >= 3 && last.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'-')) && !random(last)
    };
    let metavar = flag && metavar() || case.value.ends_with("\u{2010}".as_bytes());
    // `[apiKey:App\Client:private] => x`: PHP prints the class that has the property.
    let class = near.ends_with(b"[") && case.value.ends_with(b":private");
    // `did:key:z6Mk...`: an identifier that is a public key.
    let identifier = near.ends_with(b"did:") && case.value.starts_with(b"z");
    arn || path || metavar || class || identifier || near.ends_with(b"checksum/") || case.key.starts_with(b"checksum/")
}

/// `pub const PASS: OPERATION = 3`, `let password: Option<..>`: what a declaration's colon has behind it is a type.
fn is_annotation(case: &Case) -> bool {
    let declares = || [&b"const"[..], b"static", b"let", b"mut", b"val", b"var"].contains(&last_word(case.before));
    case.separator == Separator::Colon && !case.quoted && !case.key.starts_with(b"\"") && declares()
}

/// The last word of a text, if it is short.
fn last_word(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_end();
    let text = &text[text.len().saturating_sub(WORD_BYTES_MAX + 1)..];
    text.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default()
}

/// A value without the hyphen that a formatter broke it with (U+2010), and a manual's change of font behind it.
fn v_trimmed(v: &[u8]) -> &[u8] {
    let v = v.strip_suffix("\u{2010}".as_bytes()).unwrap_or(v);
    [&b"\\fP"[..], b"\\fR", b"\\fB", b"\\fI"].iter().find_map(|font| v.strip_suffix(*font)).unwrap_or(v)
}

/// `(?P<secret>[^/]+)`, `DenseMap<Pass *, X> names;`: what looks like an element's tag is a group's name or a type's
/// parameter.
fn is_markup_in_code(case: &Case) -> bool {
    if case.separator != Separator::Element {
        return false;
    }
    let Some(open) = memchr::memrchr(b'<', case.before) else { return false };
    let head = case.before.get(..open).unwrap_or_default();
    let group = head.ends_with(b"(?P") || head.ends_with(b"(?");
    // A tag whose element the line end cuts stands alone; a word before it makes it an argument.
    let joined = head.last().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'=' | b':'));
    // What a line end cuts is one value, and `Use "<password>" instead.` quotes the tag.
    let several = case.end_of_line && case.value.contains(&b' ');
    let quoted = matches!(head.last(), Some(b'"' | b'\'' | b'`')) && case.value.first() == head.last();
    group || several || quoted || case.end_of_line && joined
}

/// `user, password = split`: a list of variables is given the parts of something, unless that is a literal.
fn is_unpacked(case: &Case) -> bool {
    let list = case.separator == Separator::Equals && case.spaced && case.before.trim_ascii_end().ends_with(b",");
    let list = list && !case.before.contains(&b'=');
    // `"passwd:gecos"`: one name made of two.
    let joined = case.separator == Separator::Colon
        && !case.spaced
        && matches!(case.before.last(), Some(b'"' | b'\'' | b'`'))
        && !case.key.starts_with(b"\"")
        && case.value.iter().all(|b| b.is_ascii_lowercase());
    // `user, password = 'admin', 'x'`: the first literal is the first name's.
    let parts = case.before.trim_ascii_end().strip_suffix(b",").unwrap_or_default();
    let first = parts.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
    let first = &parts[parts.len() - first..];
    let named = || {
        USERS
            .iter()
            .any(|user| first.len() >= user.len() && first[first.len() - user.len()..].eq_ignore_ascii_case(user))
    };
    if list && case.quoted && !parts.contains(&b'(') && named() {
        return true;
    }
    !case.quoted && (list && case.value.iter().all(|b| b.is_ascii_alphabetic() || *b == b'_') || joined)
}

/// `authkey=authkey`, `TLS_DHE_PSK: DHE-PSK`: a variable handed on under its own name, a name spelt out.
fn repeats_key(case: &Case) -> bool {
    // A rename in a change list: `{readpassphrase.3 => readpassphrase.3bsd}`.
    let head = case.value.get(..6).unwrap_or(case.value);
    let renamed = case.separator == Separator::Arrow
        && !case.quoted
        && case.key.windows(head.len().max(1)).any(|w| w.eq_ignore_ascii_case(head));
    let named = case.value.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-'));
    // The key's last letters are the value, or the value's are the key's name.
    let same = || letters(case.value).zip(letters(case.key)).all(|(a, b)| a.eq_ignore_ascii_case(b));
    // `PrivateKey: testP256PrivateKey,`: a variable that says what it is for.
    let variable = !case.quoted
        && case.spaced
        && (!case.end_of_line || case.separator == Separator::Equals)
        && case.value.first().is_some_and(u8::is_ascii_lowercase)
        && case.value.iter().all(u8::is_ascii_alphanumeric)
        && {
            let noun = case.key.rsplit(|&b| b == b'.').next().unwrap_or_default();
            (NOUN_BYTES_MIN..letters(case.value).count()).contains(&letters(noun).count())
                && letters(case.value).zip(letters(noun)).all(|(a, b)| a.eq_ignore_ascii_case(b))
        };
    renamed || variable || named && same() && letters(case.value).count() <= letters(case.key).count()
}

/// The letters and digits of a text, last one first.
fn letters(text: &[u8]) -> impl Iterator<Item = &u8> {
    text.iter().rev().filter(|b| b.is_ascii_alphanumeric())
}

/// Whether a value is what stands behind one of none: `foo(password=)`, `{password: }, {x: 1}`; or the rest of an operator,
/// `password==other`, `password=~bob`; or a path in somebody's home. `~Summer2024!` is a password.
pub fn is_behind_nothing(case: &Case) -> bool {
    let Some((first, rest)) = case.value.split_first() else { return false };
    let letters = rest.iter().filter(|b| b.is_ascii_alphanumeric()).count();
    match first {
        b'=' => true,
        b'~' if case.separator == Separator::Equals => !rest.iter().any(u8::is_ascii_digit) || rest.starts_with(b"/"),
        b'~' => rest.starts_with(b"/"),
        b',' | b';' | b')' | b'}' | b']' => letters < SAID_LETTERS_MIN,
        _ => false,
    }
}

/// Last letters of names of users.
const USERS: &[&[u8]] = &[b"user", b"username", b"login", b"email", b"mail", b"name", b"usr", b"uid", b"account"];
/// Libraries with key names for names.
const PODS: &[&str] = &["AppAuth", "FirebaseAuth", "GTMAppAuth"];
/// The most of a digest that tells next to nothing (bytes).
const SHORT_DIGEST_BYTES_MAX: usize = 8;
/// The longest number of an entry: `CVE-2024-123456` (bytes).
const CATALOGUE_BYTES_MAX: usize = 16;
/// How far before a key of a cache the word may stand that says what it is (bytes).
const CACHE_BYTES_MAX: usize = 64;
/// The shortest name of a key that a variable's name may end in (bytes).
const NOUN_BYTES_MIN: usize = 5;
/// The shortest password of a pair (bytes).
const LOGIN_BYTES_MIN: usize = 7;
/// How much before a key may be of a name that the key ends (bytes).
const NAME_BYTES_MAX: usize = 256;
/// The longest word that declares something (bytes).
const WORD_BYTES_MAX: usize = 8;
/// How many letters and digits there are behind a sign that may end a value of none, if a value begins with it.
const SAID_LETTERS_MIN: usize = 6;
