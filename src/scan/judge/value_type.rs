//! Turns a value into the typed thing that logs are full of, if it is one. Does not measure randomness.

use std::fmt;

/// What a value is, when its form alone says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Nothing is known about it: the only type that can be a random secret.
    Opaque,
    /// No bytes.
    Empty,
    /// Digits, with a sign, a point or separators; a size or a duration.
    Number,
    /// `true`, `null`, ...
    Constant,
    /// A date or a time.
    Date,
    /// `1.2.3-rc4`, `v2.0`.
    Version,
    /// 8-4-4-4-12 hex digits, braces or not.
    Uuid,
    /// 26 characters of Crockford's base 32 that begin with a time stamp.
    Ulid,
    /// Hex digits in a length that digests have.
    HexDigest,
    /// `sha256:...`, `sha512-...`, `h1:...`, `SHA256:...`, `hmac-sha256:...`.
    Digest,
    /// The beginning of a public key or certificate in base64.
    PublicKey,
    /// `0x7ffd...`, `Name@1f2e3d`.
    Address,
    /// IPv4 or IPv6, port or not.
    Ip,
    /// Six or eight pairs of hex digits.
    Mac,
    /// `/a/b`, `./a`, `C:\a`, `~/a`.
    Path,
    /// `scheme://...`.
    Url,
    /// Labels with dots and a port or not.
    HostName,
    /// `a@b.c`
    Email,
    /// A name with a known extension.
    FileName,
    /// `a.b.Class`, `A::B`, `Foo$Bar`.
    ClassName,
    /// Words joined by `_`, `-`, `.` or humps.
    Identifier,
    /// A single word of letters.
    Word,
    /// Several words.
    Prose,
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ValueType::Opaque => "no known type",
            ValueType::Empty => "empty",
            ValueType::Number => "a number",
            ValueType::Constant => "a constant",
            ValueType::Date => "a date or time",
            ValueType::Version => "a version",
            ValueType::Uuid => "a UUID",
            ValueType::Ulid => "a ULID",
            ValueType::HexDigest => "hex of a digest's length",
            ValueType::Digest => "a digest",
            ValueType::PublicKey => "a public key, certificate or identifier",
            ValueType::Address => "a memory address",
            ValueType::Ip => "an IP address",
            ValueType::Mac => "a MAC address",
            ValueType::Path => "a path",
            ValueType::Url => "a URL",
            ValueType::HostName => "a host name",
            ValueType::Email => "an e-mail address",
            ValueType::FileName => "a file name",
            ValueType::ClassName => "a class name",
            ValueType::Identifier => "an identifier",
            ValueType::Word => "a word",
            ValueType::Prose => "prose",
        })
    }
}

type Test = fn(&[u8]) -> bool;

/// The type of a value by its form. Never panics.
pub fn value_type(v: &[u8]) -> ValueType {
    use ValueType::*;
    let Some(&first) = v.first() else { return Empty };
    let tests: [(Test, ValueType); 15] = [
        (constant, Constant),
        (date, Date),
        (number, Number),
        (version, Version),
        (uuid, Uuid),
        (digest, Digest),
        (super::public::is_public, PublicKey),
        (address, Address),
        (ip, Ip),
        (mac, Mac),
        (url, Url),
        (path, Path),
        (file_name, FileName),
        (email, Email),
        (ulid, Ulid),
    ];
    if let Some((_, t)) = tests.iter().find(|(is, _)| is(v)) {
        return *t;
    }
    if v.contains(&b' ') {
        return if words(v) { Prose } else { Opaque };
    }
    if matches!(v.len(), 32 | 40 | 56 | 64 | 96 | 128) && v.iter().all(u8::is_ascii_hexdigit) {
        return HexDigest;
    }
    if v.iter().all(u8::is_ascii_alphabetic) && !humps(v) {
        return if super::randomness::text_odds(v) > -60 || v.len() < 8 { Word } else { Opaque };
    }
    if host_name(v) {
        return HostName;
    }
    if first.is_ascii_alphabetic() || matches!(first, b'_' | b'$' | b'<' | b'&' | b'*' | b'-' | b'.') {
        if class_name(v) {
            return ClassName;
        }
        if identifier(v) {
            return Identifier;
        }
    }
    Opaque
}

/// Whether a value is a file's name by its form: a few of its bytes tell most that are none.
pub fn is_file_name(v: &[u8]) -> bool {
    file_name(v) && value_type(v) == ValueType::FileName
}

/// `Dragon7`, `Summer2024`: a word and a number, unless this is the width or the variant of a type (`Int32`, `Sha1`).
pub fn is_counted_word(v: &[u8]) -> bool {
    let head = v.iter().rposition(|b| !b.is_ascii_digit()).map_or(0, |at| at + 1);
    let (word, number) = v.split_at(head);
    let widths = [&b"1"[..], b"5", b"8", b"16", b"32", b"64", b"128", b"256", b"384", b"509", b"512"];
    let humps = word.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase());
    let plain = word.len() >= 4 && word.iter().all(u8::is_ascii_alphabetic) && !humps;
    plain && !number.is_empty() && (word.len() > 5 || !widths.contains(&number))
}

fn constant(v: &[u8]) -> bool {
    const CONSTANTS: &[&str] = &[
        "true",
        "false",
        "null",
        "nil",
        "none",
        "undefined",
        "nan",
        "yes",
        "no",
        "on",
        "off",
        "n/a",
        "na",
        "void",
        "nullptr",
        "(null)",
        "(none)",
        "<nil>",
        "()",
        "[]",
        "{}",
    ];
    v.len() <= CONSTANT_BYTES_MAX && CONSTANTS.iter().any(|c| v.eq_ignore_ascii_case(c.as_bytes()))
}

fn number(v: &[u8]) -> bool {
    let body = v.strip_prefix(b"-").or(v.strip_prefix(b"+")).unwrap_or(v);
    let digits = body.iter().take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'_')).count();
    let unit = body.get(digits..).unwrap_or_default();
    // `148:172`: a range of lines.
    let range = |to: &[u8]| !to.is_empty() && to.len() <= 6 && to.iter().all(u8::is_ascii_digit);
    body.first().is_some_and(u8::is_ascii_digit)
        && (unit.is_empty()
            || digits <= 6 && unit.strip_prefix(b":").is_some_and(range)
            || unit.len() <= 5
                && unit.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'%' || *b == b'/')
                && UNITS.split(' ').any(|u| unit.eq_ignore_ascii_case(u.as_bytes())))
}

/// `2026-11-20`, `23:10:23.1`, and both.
fn date(v: &[u8]) -> bool {
    let of_a_date = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b':' | b'/' | b'.' | b',' | b'+' | b'T' | b'Z' | b' ');
    if v.len() > 40 || v.starts_with(b"/") || !v.iter().all(of_a_date) {
        return false;
    }
    let digits = v.iter().filter(|b| b.is_ascii_digit()).count();
    let marks = v.iter().filter(|b| matches!(b, b'-' | b':' | b'/')).count();
    marks >= 2 && digits >= 6 && marks * 5 >= digits
}

fn version(v: &[u8]) -> bool {
    // `^6.0.0`, `>=2.1`: a range that a package asks for.
    let range = v.iter().take(2).take_while(|b| matches!(b, b'^' | b'~' | b'<' | b'>' | b'=')).count();
    let v = &v[range..];
    let body = v.strip_prefix(b"v").unwrap_or(v);
    let number = body.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    let dots = body.get(..number).unwrap_or_default().iter().filter(|&&b| b == b'.').count();
    let rest = body.get(number..).unwrap_or_default();
    body.first().is_some_and(u8::is_ascii_digit)
        && dots >= 1
        && number <= 16
        && (rest.is_empty()
            || matches!(rest[0], b'-' | b'+' | b'~') && rest.len() <= 24
            || matches!(rest[0], b'a' | b'b' | b'r') && rest.len() <= 24 && !rest.iter().any(u8::is_ascii_uppercase)
            // With the digest of what it is.
            || rest[0] == b'#' && matches!(rest.len(), 9..=129) && rest[1..].iter().all(u8::is_ascii_hexdigit))
}

fn uuid(v: &[u8]) -> bool {
    let v = v.strip_prefix(b"{").and_then(|v| v.strip_suffix(b"}")).unwrap_or(v);
    // Without dashes, the version and the variant tell a random UUID from other hex of its length.
    if v.len() == 32 && v.iter().all(u8::is_ascii_hexdigit) {
        return v[12] == b'4' && matches!(v[16].to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b');
    }
    v.len() == 36
        && v.iter()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() })
}

fn ulid(v: &[u8]) -> bool {
    v.len() == 26
        && v[0] == b'0'
        && v.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() && !matches!(b, b'I' | b'L' | b'O' | b'U'))
}

/// `sha256:...`: the kind of a digest, and digits.
pub fn digest(v: &[u8]) -> bool {
    let v = v.strip_prefix(b"hmac-").unwrap_or(v);
    let Some(at) = v.iter().take(9).position(|b| matches!(b, b':' | b'-' | b'=')) else { return false };
    const KINDS: &[&str] =
        &["sha1", "sha224", "sha256", "sha384", "sha512", "md5", "h1", "blake2b", "blake3", "xxh64", "crc32", "sha3"];
    let (head, body) = (v.get(..at).unwrap_or_default(), v.get(at + 1..).unwrap_or_default());
    KINDS.iter().any(|k| head.eq_ignore_ascii_case(k.as_bytes())) && body.len() >= 8
}

fn address(v: &[u8]) -> bool {
    let hex = |h: &[u8]| !h.is_empty() && h.len() <= 16 && h.iter().all(u8::is_ascii_hexdigit);
    if let Some(h) = v.strip_prefix(b"0x").or(v.strip_prefix(b"0X")) {
        return hex(h);
    }
    // Java prints an object as its class and hash.
    match memchr::memrchr(b'@', v) {
        Some(at) if at > 0 => {
            let class = v.get(..at).unwrap_or_default();
            let names =
                class.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'$' | b'_' | b'[' | b';' | b'/'));
            // It pads nothing, but few hashes are short, and few are digits alone, as in `Welcome@2024`.
            let hash = v.get(at + 1..).unwrap_or_default();
            let lower = hash.len() >= 4 && !hash.iter().any(u8::is_ascii_uppercase);
            let path = class.iter().any(|b| matches!(b, b'.' | b'$' | b'[' | b'/'));
            let made = path || hash.len() >= 6 && hash.iter().any(u8::is_ascii_alphabetic);
            names && class.iter().any(u8::is_ascii_uppercase) && lower && made && hex(hash)
        }
        _ => false,
    }
}

fn ip(v: &[u8]) -> bool {
    let of_an_address = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':' | b'[' | b']' | b'%');
    if !v.iter().all(of_an_address) {
        return false;
    }
    let text = str::from_utf8(v).unwrap_or_default();
    text.parse::<std::net::IpAddr>().is_ok() || text.parse::<std::net::SocketAddr>().is_ok()
}

fn mac(v: &[u8]) -> bool {
    // A fingerprint of 16, 20 or 32 pairs has the same form.
    v.len() >= 17
        && v.len() % 3 == 2
        && v.iter().enumerate().all(|(i, b)| if i % 3 == 2 { matches!(b, b':' | b'-') } else { b.is_ascii_hexdigit() })
}

fn url(v: &[u8]) -> bool {
    match super::bytes::places(v, b"://").next() {
        Some(n) => n > 0 && v.iter().take(n).all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')),
        None => v.starts_with(b"www.") || v.starts_with(b"data:") || v.starts_with(b"mailto:"),
    }
}

fn path(v: &[u8]) -> bool {
    if memchr::memchr2(b'/', b'\\', v).is_none() {
        return false;
    }
    let rooted = v.starts_with(b"~/")
        || v.starts_with(b"./")
        || v.starts_with(b"../")
        || matches!(v, [b'a'..=b'z' | b'A'..=b'Z', b':', b'\\' | b'/', ..])
        || v.starts_with(b"\\\\");
    // `/home/app/.ssh/id_ed25519`, `.ssh/id_rsa`: no base64 begins like this.
    let known = v
        .strip_prefix(b"/")
        .and_then(|v| v.split(|&b| b == b'/').next())
        .is_some_and(|root| v.len() > root.len() + 2 && ROOTS.split(' ').any(|known| root == known.as_bytes()));
    let hidden = matches!(v, [b'.', b'a'..=b'z', ..]) && v.contains(&b'/');
    // Folders that read like words, and a file with an extension, whatever its name: `/target/deps/libx-1f2e3d.rmeta`.
    let file = v.strip_prefix(b"/").and_then(|v| Some(v.split_at(v.iter().rposition(|&b| b == b'/')?)));
    let filed = file.is_some_and(|(folders, name)| {
        let dot = name.iter().rposition(|&b| b == b'.');
        let extension = dot.and_then(|at| name.get(at + 1..)).unwrap_or_default();
        folders.contains(&b'/')
            && folders.split(|&b| b == b'/').all(|s| !s.is_empty() && wordy(s))
            && (2..=6).contains(&extension.len())
            && extension.iter().all(u8::is_ascii_lowercase)
    });
    if rooted || known || hidden || filed {
        return true;
    }
    // Base64 has slashes too, but no segment of it reads like a word, nor do two of them.
    // A backslash without a root is an escape, or a mark of a password.
    let slashes = v.iter().filter(|&&b| b == b'/').count();
    if slashes == 0 || v.contains(&b'=') || v.contains(&b'+') && !v.starts_with(b"/") {
        return false;
    }
    let (mut words, mut others) = (0usize, 0usize);
    for segment in v.split(|&b| b == b'/').filter(|s| !s.is_empty()) {
        if wordy(segment) { words += segment.len() } else { others += segment.len() }
    }
    // A single joint without a root is as likely a mark of a password.
    let letters = v.iter().all(|b| b.is_ascii_lowercase() || matches!(b, b'/' | b'-' | b'.' | b'_'));
    words > others && (slashes >= 2 && !v.contains(&b'"') || v.starts_with(b"/") || letters)
}

/// Whether a segment of a path or identifier reads like words rather than chance.
fn wordy(s: &[u8]) -> bool {
    let digits = s.iter().filter(|b| b.is_ascii_digit()).count();
    let (_, changes) = super::randomness::mix(s);
    if s.len() < 4 {
        digits == 0 || digits == s.len()
    } else {
        digits * 3 <= s.len() && changes * 5 <= s.len() * 2 && super::randomness::text_odds(s) > -40
    }
}

fn file_name(v: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', v).filter(|&d| d > 0) else { return false };
    let extension = v.get(dot + 1..).unwrap_or_default();
    // A single letter after a point is as likely a password's end, unless what stands before it reads like a name.
    let stem = v.get(..dot).unwrap_or_default();
    let named = extension.len() > 1
        || stem.split(|b| matches!(b, b'/' | b'.' | b'_' | b'-')).all(|s| s.len() < 4 || hump_words(s) || wordy(s));
    named
        && extension.len() <= EXTENSION_BYTES_MAX
        && EXTENSIONS.split(' ').any(|e| extension.eq_ignore_ascii_case(e.as_bytes()))
        && v.iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/' | b'\\' | b'*' | b'@' | b'~'))
}

fn email(v: &[u8]) -> bool {
    let Some(at) = memchr::memchr(b'@', v).filter(|&n| n > 0) else { return false };
    let host = v.get(at + 1..).unwrap_or_default();
    let dot = host.iter().rposition(|&b| b == b'.');
    let top = dot.and_then(|d| host.get(d + 1..)).unwrap_or_default();
    v.iter().take(at).all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+'))
        && top.len() >= 2
        && top.iter().all(u8::is_ascii_alphabetic)
        && host.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

fn host_name(v: &[u8]) -> bool {
    let host = match v.iter().rposition(|&b| b == b':') {
        Some(c)
            if v.get(c + 1..).is_some_and(|p| !p.is_empty() && p.len() <= 5 && p.iter().all(u8::is_ascii_digit)) =>
        {
            v.get(..c).unwrap_or_default()
        }
        _ => v,
    };
    let top = host.rsplit(|&b| b == b'.').next().unwrap_or_default();
    let labels = host.iter().filter(|&&b| b == b'.').count();
    labels >= 1
        && host.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        && TOPS.split(' ').any(|t| top.eq_ignore_ascii_case(t.as_bytes()))
}

/// `java.lang.String`, `Foo::Bar<T>`, `Foo$1`.
fn class_name(v: &[u8]) -> bool {
    let all = v.iter().all(|b| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'.' | b':' | b'$' | b'_' | b'<' | b'>' | b'&' | b'*' | b'[' | b']' | b'/')
    });
    if !all {
        return false;
    }
    // A sign at the end joins nothing: `Winter24$` is what people take for a password, and so is `Winter.24`.
    let joins = |w: &&[u8]| w[1] == b'.' && w[2].is_ascii_alphabetic() || w[1] == b'$' && w[2].is_ascii_alphanumeric();
    let joined = v.ends_with(b">") || super::bytes::contains(v, b"::") || v.windows(3).any(|w| joins(&w));
    joined && v.split(|b| matches!(b, b'.' | b':' | b'$' | b'<' | b'>')).all(|s| s.is_empty() || wordy(s))
}

/// Words joined by `_`, `-`, `.` or humps: `my-db-password-2`, `userName`.
fn identifier(v: &[u8]) -> bool {
    let sign = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'$' | b':');
    if !v.iter().all(sign) || v.ends_with(b"$") {
        return false;
    }
    // `AWS_XRAY_SDK_ENABLED`
    let constant =
        v.iter().all(|b| b.is_ascii_uppercase() || *b == b'_') && v.iter().filter(|b| **b == b'_').count() >= 2;
    let mut parts = v.split(|b| matches!(b, b'_' | b'-' | b'.' | b'/' | b'$' | b':')).filter(|s| !s.is_empty());
    constant
        || parts.all(|s| {
            let letters = s.iter().take_while(|b| b.is_ascii_alphabetic()).count();
            let digits = s.len() - letters;
            // A counter may follow each word; digits alone may be a number.
            let counted = s.iter().skip(letters).all(u8::is_ascii_digit) && digits <= if letters == 0 { 8 } else { 3 };
            counted && hump_words(s.get(..letters).unwrap_or_default())
        })
}

/// Whether letters are one word or humps that all read like words.
fn hump_words(s: &[u8]) -> bool {
    let upper = s.iter().filter(|b| b.is_ascii_uppercase()).count();
    let plain = upper == 0 || upper == s.len() || upper * 3 <= s.len() + 2;
    let reads = |s: &[u8]| s.len() < 4 || super::randomness::text_odds(s) > -70;
    // Where two words meet, letters do that no word has side by side.
    let humps = || s.chunk_by(|_, next| !next.is_ascii_uppercase()).all(|hump| hump.len() >= 4 && reads(hump));
    plain && (reads(s) || humps())
}

fn humps(s: &[u8]) -> bool {
    s.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase())
}

/// Several words of letters that read like a language.
fn words(v: &[u8]) -> bool {
    let (mut plain, mut odd) = (0, 0);
    for w in v.split(|b| matches!(b, b' ' | b'/')).filter(|w| !w.is_empty()) {
        // An escaped line end in a string is no part of the word before it.
        let w = trim_marks(w.strip_suffix(b"\\n").unwrap_or(w));
        let word = w.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'\'' | b'-') || *b >= 0x80)
            && (w.len() < 5 || super::randomness::text_odds(w) > -60);
        let number = w.len() <= 4 && w.iter().all(u8::is_ascii_digit);
        if word || number { plain += 1 } else { odd += 1 }
    }
    plain >= 2 && odd * 3 <= plain
}

/// A word without the punctuation around it.
pub fn trim_marks(w: &[u8]) -> &[u8] {
    let mark = |b: &u8| b.is_ascii_punctuation();
    let lead = w.iter().take_while(|b| mark(b)).count();
    let tail = w.iter().rev().take_while(|b| mark(b)).count();
    w.get(lead..w.len() - tail.min(w.len())).unwrap_or_default()
}

/// The longest extension of a file's name (bytes).
const EXTENSION_BYTES_MAX: usize = 10;
/// The longest constant (bytes).
const CONSTANT_BYTES_MAX: usize = 9;
const UNITS: &str = "s ms us ns m h d b kb mb gb tb k g t kib mib gib % x px hz min sec mb/s kb/s b/s f u ul l th st nd rd \
    /tcp /udp /sctp i8 i16 i32 i64 u8 u16 u32 u64 usize isize f32 f64";
const ROOTS: &str = "root home etc var usr tmp opt mnt run srv dev proc sys app data bin sbin lib lib64 boot media users \
    Users Library Applications private builds github workspace workspaces work secrets vault config cache node nix snap";
const EXTENSIONS: &str = "txt log json yaml yml toml xml html htm css js mjs cjs ts tsx jsx py pyc rb rs go java class jar war kt c cc \
    cpp cxx h hpp cs php pl pm sh bash ps1 bat cmd exe dll so a o obj lib dylib zip gz tgz tar xz bz2 zst 7z rpm \
    deb apk ipa dmg iso img pem crt cer key pub p12 pfx jks conf cfg ini properties env md rst csv tsv sql db \
    sqlite png jpg jpeg gif svg ico pdf lock proto tf tfvars service socket sock pid plist xcconfig bin dat tmp \
    bak map wasm vue scss less snap test spec mod sum gradle kts swift m mm cmake in ac am po mo doc docx xls \
    xlsx erb tpl tmpl j2 dart ex exs erl lua scala vb asm s y l";
const TOPS: &str = "com org net io dev local internal localdomain cloud edu gov int info co uk de fr app example test lan svc \
    cluster corp home arpa eu us ai sh me tv cn jp ru br nl pl it es ch";
