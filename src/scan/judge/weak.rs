//! Turns a value beside a weak name into a verdict. Does not judge those of strong ones.

use super::{
    Case, Confidence, Family, Question, ValueType, Verdict, around, keys, mix, random, secret_charset, text_odds,
    things,
};

/// The name alone proves little: only a long value that is random and of no known type will do.
pub fn weak(case: &Case) -> Option<Verdict> {
    let v = case.value;
    if case.quoted && case.asks(Question::IsCode) {
        return None;
    }
    if case.is_typed_field() && text_odds(v) > -90 || things::is_thing(case) {
        return None;
    }
    match case.value_type() {
        ValueType::HexDigest if case.family == Family::Key && !keys::names_session(case.key) => None,
        ValueType::HexDigest if around::is_namespaced(case) => None,
        ValueType::HexDigest => Some((Confidence::Medium, "hex of a token's length")),
        // Tokens are made of UUIDs without their dashes, too, and those of variables of whole ones.
        ValueType::Uuid if keys::is_a_tokens_uuid(case) => Some((Confidence::Medium, "hex of a token's length")),
        ValueType::Opaque => {
            // Of parts that dots and colons join, the longest is measured: a JWT's, not a host's and a port.
            let part = v.split(|b| matches!(b, b'.' | b':' | b'@' | b'|')).max_by_key(|p| p.len())?;
            let (kinds, changes) = mix(part);
            let mixed = kinds >= 2 && (changes * 5 >= part.len() || text_odds(part) < -120);
            let long = part.len() >= weak_bytes_min(case);
            // Keys of caches and maps end in a digest, and join words and digests.
            let tail = v.rsplit(|b| matches!(b, b'.' | b':' | b'-' | b'_' | b'/')).next().unwrap_or_default();
            let hex = |part: &[u8]| part.iter().all(u8::is_ascii_hexdigit);
            // An account's address, and a place in its storage.
            let address = part.strip_prefix(b"0x").is_some_and(hex);
            let hex_key =
                case.family == Family::Key && (address || (tail.len() >= 16 || v.len() == tail.len()) && hex(tail));
            (mixed && long && !hex_key && random(part))
                .then_some((Confidence::Medium, "a random value of a token's key"))
        }
        _ => None,
    }
}

/// Whether a value beside a weak name is long enough, and of the bytes that tokens are made of.
pub fn may_be_weak(case: &Case) -> bool {
    case.value.len() >= weak_bytes_min(case) && secret_charset(case.value)
}

fn weak_bytes_min(case: &Case) -> usize {
    if case.family == Family::Key { WEAK_KEY_BYTES_MIN } else { WEAK_BYTES_MIN }
}

const WEAK_BYTES_MIN: usize = 12;
const WEAK_KEY_BYTES_MIN: usize = 20;
