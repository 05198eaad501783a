//! Turns templates and patterns into random strings. Does not touch real tokens: what it draws
//! belongs to nobody.
//!
//! Examples in rule files are templates, so that no scanner of this repository trips on them:
//!
//! | in a template | is drawn as |
//! |---|---|
//! | `{base62:36}`, `{hex:8-12}` | that many characters of the alphabet |
//! | `{uuid}` | a random UUID (version 4) |
//! | `{github-crc:ghp_}` | the prefix, 30 characters, their checksum |
//! | `{gitlab-routable}`, `{grafana-sa}` | such a token with its checksum |
//! | `{atlassian:ATATT3}`, `{cloudflare:cfut_}` | the prefix, a body, the checksum |
//! | `{zuplo}`, `{confluent}`, `{azure-devops}` | such a key with its checksum |
//! | `{azure-key:64:+ASt:Default0}` | so many bytes in base64, signature, checksum under the seed |
//! | `{jwt}` | a signed JSON web token |
//! | `{{`, `}}` | a literal brace |
//!
//! Alphabets: `base62`, `alnum-lower`, `alnum-upper`, `hex`, `HEX`, `base64`, `base64url`,
//! `base32`, `BECH32`, `digits`, `upper`, `lower`, `letters`. A body of 8 characters or more mixes letters
//! and digits where its alphabet has both, as nearly every real one does.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::checks::marvin;

/// A small deterministic generator (splitmix64). Not for keys.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The generator that `seed` determines.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    #[expect(clippy::should_implement_trait, reason = "a generator never ends, an iterator may")]
    pub fn next(&mut self) -> u64 {
        // Constants of https://prng.di.unimi.it/splitmix64.c
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// A number below `n`; 0 if `n` is 0. The bias is below `n` in 2^64.
    pub fn below(&mut self, n: usize) -> usize {
        // The remainder is below `n`, so it fits.
        (self.next() % (n as u64).max(1)) as usize
    }

    /// One of the items.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// Fills a template with random bodies.
///
/// ```
/// use blackbar::rules::sample::{Rng, fill};
/// let line = fill("token=ghp_{base62:36}", &mut Rng::new(1)).unwrap();
/// assert_eq!(line.len(), "token=ghp_".len() + 36);
/// ```
///
/// # Errors
/// What is wrong with the template, in words.
pub fn fill(template: &str, rng: &mut Rng) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("{{") {
            filled.push('{');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("}}") {
            filled.push('}');
            rest = after;
        } else if rest.starts_with('}') {
            return Err("a closing brace that stands alone must be doubled".to_owned());
        } else {
            let end = rest.find('}').ok_or("an opening brace is not closed; a literal one must be doubled")?;
            filled.push_str(&draw(&rest[1..end], rng)?);
            rest = &rest[end + 1..];
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// A random string that the pattern matches, as far as its structure says: look-arounds are taken
/// for true. Repetitions are drawn between their least and at most 20 more.
///
/// Printable ASCII is preferred where a class leaves the choice. An invalid pattern yields nothing.
pub fn from_pattern(pattern: &str, rng: &mut Rng) -> Vec<u8> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    let mut bytes = Vec::new();
    if let Ok(hir) = parser.parse(pattern) {
        walk(&hir, rng, &mut bytes);
    }
    bytes
}

/// base64url without padding (RFC 4648, section 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 2);
    for group in bytes.chunks(3) {
        let padded = [group[0], *group.get(1).unwrap_or(&0), *group.get(2).unwrap_or(&0)];
        let bits = u32::from_be_bytes([0, padded[0], padded[1], padded[2]]);
        for i in 0..=group.len() {
            text.push(char::from(BASE64URL[(bits >> (18 - 6 * i)) as usize & 63]));
        }
    }
    text
}

fn draw(name: &str, rng: &mut Rng) -> Result<String, String> {
    let (name, argument) = match name.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (name, None),
    };
    if let Some((_, alphabet)) = ALPHABETS.iter().find(|(known, _)| *known == name) {
        let length = argument
            .and_then(|text| length(text, rng))
            .ok_or_else(|| format!("{name} needs a length: {name}:8 or {name}:8-12"))?;
        return Ok(body(alphabet, length, rng));
    }
    match (name, argument) {
        ("uuid", None) => Ok(uuid(rng)),
        ("github-crc", Some(prefix)) => Ok(github(prefix, rng)),
        ("gitlab-routable", None) => Ok(gitlab_routable(rng)),
        ("atlassian", Some(prefix)) => Ok(atlassian(prefix, rng)),
        ("grafana-sa", None) => Ok(grafana(rng)),
        ("cloudflare", Some(prefix)) => Ok(cloudflare(prefix, rng)),
        ("zuplo", None) => Ok(zuplo(rng)),
        ("confluent", None) => Ok(confluent(rng)),
        ("azure-devops", None) => Ok(azure_devops(rng)),
        ("azure-key", Some(kind)) => {
            azure_key(kind, rng).ok_or_else(|| "azure-key needs BYTES:SIGNATURE:SEED".to_owned())
        }
        ("jwt", None) => Ok(jwt(rng)),
        _ => Err("braces hold the name of an alphabet or of a token; a literal brace must be doubled".to_owned()),
    }
}

fn length(text: &str, rng: &mut Rng) -> Option<usize> {
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    let (least, most): (usize, usize) = (least.parse().ok()?, most.parse().ok()?);
    (least <= most && most <= LENGTH_MAX).then(|| least + rng.below(most - least + 1))
}

/// `length` characters that mix letters and digits from 8 on, where the alphabet has both.
fn body(alphabet: &[u8], length: usize, rng: &mut Rng) -> String {
    let mut bytes: Vec<u8> = (0..length).map(|_| *rng.pick(alphabet)).collect();
    if length >= 8 {
        // One of each kind at two places that differ, where the draw had none.
        let place = rng.below(length - 1);
        for (kind, at) in [(u8::is_ascii_digit as fn(&u8) -> bool, place), (u8::is_ascii_alphabetic, place + 1)] {
            let of_kind: Vec<u8> = alphabet.iter().copied().filter(kind).collect();
            if !of_kind.is_empty() && !bytes.iter().any(kind) {
                bytes[at] = *rng.pick(&of_kind);
            }
        }
    }
    bytes.into_iter().map(char::from).collect()
}

fn uuid(rng: &mut Rng) -> String {
    let bits = u128::from(rng.next()) << 64 | u128::from(rng.next());
    // RFC 9562: version 4, variant 10.
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn github(prefix: &str, rng: &mut Rng) -> String {
    let random = body(BASE62, 30, rng);
    let sum = digits(crc32fast::hash(random.as_bytes()), BASE62, 6);
    format!("{prefix}{random}{sum}")
}

fn gitlab_routable(rng: &mut Rng) -> String {
    let mut payload: Vec<u8> = (0..16).map(|_| rng.next().to_le_bytes()[0]).collect();
    payload.extend_from_slice(b"o:1\nu:1a\x08");
    let payload = base64url(&payload);
    // The payload has 25 bytes, 34 characters: the length fits two base36 digits.
    let covered = format!("glpat-{payload}.01.{}", digits(payload.len() as u32, BASE36, 2));
    let sum = digits(crc32fast::hash(covered.as_bytes()), BASE36, 7);
    format!("{covered}{sum}")
}

fn atlassian(prefix: &str, rng: &mut Rng) -> String {
    let covered = match prefix {
        "ATBB" => format!("{prefix}{}", body(BASE62, 24, rng)),
        _ => format!("{prefix}{}=", body(BASE64URL, 172, rng)),
    };
    format!("{covered}{:08X}", crc32fast::hash(covered.as_bytes()))
}

fn grafana(rng: &mut Rng) -> String {
    let covered = format!("glsa_{}", body(BASE62, 32, rng));
    let sum = crc32fast::hash(covered.as_bytes()).swap_bytes();
    format!("{covered}_{sum:08x}")
}

fn cloudflare(prefix: &str, rng: &mut Rng) -> String {
    let random = body(BASE62, 40, rng);
    let sum = crc32fast::hash(random.as_bytes());
    format!("{prefix}{random}{sum:08x}")
}

fn zuplo(rng: &mut Rng) -> String {
    let random = body(b"0123456789abcdef", 32, rng);
    format!("zpka_{random}_{:08x}", crc32fast::hash(random.as_bytes()))
}

fn confluent(rng: &mut Rng) -> String {
    let random = body(BASE64, 54, rng);
    let sum = base64(&crc32fast::hash(random.as_bytes()).to_le_bytes());
    format!("cflt{random}{}", &sum[..6])
}

fn azure_devops(rng: &mut Rng) -> String {
    let places = [22, 8, 7, 2];
    let mut bytes = random_bytes(32, rng);
    let others: Vec<u8> = (0..32).filter(|place| !places.contains(place)).map(|place| bytes[place]).collect();
    let sum = (crc32fast::hash(&others) ^ 0xe0b9_692d).to_be_bytes();
    places.iter().zip(sum).for_each(|(&place, byte)| bytes[place] = byte);
    // 256 bits and 4 more are 52 digits.
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let digit = |at: usize| (0..5).fold(0, |digit, i| digit << 1 | bit(5 * at + i));
    (0..52).map(|at| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[digit(at)])).collect()
}

/// `64:+ASt:Default0`: so many bytes in base64, with the signature before the last four, which are a checksum.
fn azure_key(kind: &str, rng: &mut Rng) -> Option<String> {
    let mut parts = kind.split(':');
    let (length, signature, seed) = (parts.next()?.parse::<usize>().ok()?, parts.next()?, parts.next()?);
    let seed: [u8; 8] = seed.as_bytes().try_into().ok()?;
    if !(16..=96).contains(&length) {
        return None;
    }
    let mut bytes = random_bytes(length, rng);
    let start = (length - 4) * 8 / 6 - 4;
    for (at, digit) in (start..).zip(signature.bytes()) {
        let value = BASE64.iter().position(|known| *known == digit)?;
        for i in 0..6 {
            let place = 6 * at + i;
            let mask = 1 << (7 - place % 8);
            bytes[place / 8] = bytes[place / 8] & !mask | if value >> (5 - i) & 1 == 1 { mask } else { 0 };
        }
    }
    let sum = marvin::hash(&bytes[..length - 4], u64::from_be_bytes(seed));
    bytes[length - 4..].copy_from_slice(&sum.to_le_bytes());
    Some(base64(&bytes))
}

fn random_bytes(count: usize, rng: &mut Rng) -> Vec<u8> {
    (0..count).map(|_| rng.next().to_le_bytes()[0]).collect()
}

/// Standard base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    let text = base64url(bytes).replace('-', "+").replace('_', "/");
    let padding = (4 - text.len() % 4) % 4;
    text + &"=".repeat(padding)
}

fn jwt(rng: &mut Rng) -> String {
    let header = base64url(br#"{"alg":"HS256","typ":"JWT"}"#);
    let subject = body(BASE62, 10, rng);
    let issued = 1_760_000_000 + rng.below(10_000_000);
    let payload = format!(r#"{{"sub":"{subject}","iat":{issued},"iss":"https://id.example"}}"#);
    format!("{header}.{}.{}", base64url(payload.as_bytes()), body(BASE64URL, 43, rng))
}

/// `value` in as many digits as asked for, zeros first.
fn digits(mut value: u32, alphabet: &[u8], width: usize) -> String {
    let base = alphabet.len() as u32;
    let mut text = vec![alphabet[0]; width];
    for place in text.iter_mut().rev() {
        *place = alphabet[(value % base) as usize];
        value /= base;
    }
    text.into_iter().map(char::from).collect()
}

fn walk(hir: &Hir, rng: &mut Rng, bytes: &mut Vec<u8>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => bytes.extend_from_slice(&literal.0),
        HirKind::Class(class) => bytes.extend(one_of(class, rng)),
        HirKind::Repetition(repetition) => {
            let least = repetition.min;
            let most = repetition.max.unwrap_or(u32::MAX).min(least.saturating_add(REPEATS_MORE));
            let times = least as usize + rng.below((most - least) as usize + 1);
            for _ in 0..times {
                walk(&repetition.sub, rng, bytes);
            }
        }
        HirKind::Capture(capture) => walk(&capture.sub, rng, bytes),
        HirKind::Concat(parts) => parts.iter().for_each(|part| walk(part, rng, bytes)),
        HirKind::Alternation(branches) => walk(rng.pick(branches), rng, bytes),
    }
}

/// A byte of the class: a printable one if it has any, else a blank, else what it has.
fn one_of(class: &Class, rng: &mut Rng) -> Option<u8> {
    let members: Vec<u8> = match class {
        Class::Bytes(class) => class.iter().flat_map(|range| range.start()..=range.end()).collect(),
        Class::Unicode(class) => (0..=0x7f)
            .filter(|&byte| class.iter().any(|range| (range.start()..=range.end()).contains(&char::from(byte))))
            .collect(),
    };
    let tiers: [fn(&u8) -> bool; 3] = [u8::is_ascii_graphic, |&byte| byte == b' ' || byte == b'\t', |_| true];
    tiers.iter().find_map(|tier| {
        let choice: Vec<u8> = members.iter().copied().filter(tier).collect();
        (!choice.is_empty()).then(|| *rng.pick(&choice))
    })
}

/// The longest body a template may ask for (characters).
const LENGTH_MAX: usize = 16 << 10;

/// How many repetitions more than the least a sampled pattern may have.
const REPEATS_MORE: u32 = 20;

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE36: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const ALPHABETS: &[(&str, &[u8])] = &[
    ("base62", BASE62),
    ("alnum-lower", BASE36),
    ("alnum-upper", b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("hex", b"0123456789abcdef"),
    ("HEX", b"0123456789ABCDEF"),
    ("base58", b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
    ("base64", BASE64),
    ("base64url", BASE64URL),
    ("base32", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    ("BECH32", b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
    ("digits", b"0123456789"),
    ("upper", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("lower", b"abcdefghijklmnopqrstuvwxyz"),
    ("letters", b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_string() {
        let draw = |seed| fill("{base62:40}", &mut Rng::new(seed)).unwrap();
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn bodies_have_their_alphabet_and_mix_letters_and_digits() {
        for (name, alphabet) in ALPHABETS {
            let both = alphabet.iter().any(u8::is_ascii_digit) && alphabet.iter().any(u8::is_ascii_alphabetic);
            for seed in 0..200 {
                let body = fill(&format!("{{{name}:8-9}}"), &mut Rng::new(seed)).unwrap();
                assert!((8..=9).contains(&body.len()));
                assert!(body.bytes().all(|byte| alphabet.contains(&byte)), "{name}");
                let mixed = body.bytes().any(|b| b.is_ascii_digit()) && body.bytes().any(|b| b.is_ascii_alphabetic());
                assert_eq!(mixed, both, "{name}");
            }
        }
    }

    #[test]
    fn doubled_braces_are_literal() {
        let line = fill(r#"{{"a": "{digits:3}"}}"#, &mut Rng::new(1)).unwrap();
        assert!(line.starts_with(r#"{"a": ""#) && line.ends_with(r#""}"#));
    }

    #[test]
    fn broken_templates_are_refused() {
        for template in [
            "{base62}",
            "{base62:x}",
            "{base62:9-8}",
            "{hex:99999999}",
            "{nothing:3}",
            "{base62:3",
            "}",
            "{}",
            "{uuid:4}",
            "{github-crc}",
        ] {
            assert!(fill(template, &mut Rng::new(1)).is_err(), "{template}");
        }
    }

    #[test]
    fn a_uuid_has_version_and_variant() {
        let shape = regex::Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").unwrap();
        for seed in 0..50 {
            assert!(shape.is_match(&fill("{uuid}", &mut Rng::new(seed)).unwrap()));
        }
    }

    #[test]
    fn sampled_strings_match_their_pattern() {
        let patterns = [
            "ghp_[0-9A-Za-z]{36,251}",
            r"(?:pat|sat)\.[\w-]{22}\.[0-9a-f]{24}",
            r"(?i)x-api-key\s*[:=]\s*(?P<secret>[^\s]{8,})",
            r"a?b*c+(?:de|f|)[^a-z]",
            r"\x00[\x80-\xff]{3}\s",
            "(?s-u:.){4}",
        ];
        for pattern in patterns {
            let regex = regex::bytes::RegexBuilder::new(&format!("^(?:{pattern})$")).unicode(false).build().unwrap();
            for seed in 0..200 {
                let bytes = from_pattern(pattern, &mut Rng::new(seed));
                assert!(regex.is_match(&bytes), "{pattern}");
            }
        }
    }

    #[test]
    fn an_invalid_pattern_yields_nothing() {
        assert!(from_pattern("(", &mut Rng::new(1)).is_empty());
    }
}
