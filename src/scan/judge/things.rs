//! Tells what looks as random as a token, beside a weak name, and is an address, a file, a call or another thing that has
//! such names. Does not look at what stands around it but its key.

use super::{
    Case, Family, ValueType, around::is_of_a_handshake, keys::names_session, text_odds, value_type, value_type::digest,
};
use crate::view::base64_bytes;

/// Whether a value beside a weak name is a public thing that looks random.
pub fn is_thing(case: &Case) -> bool {
    let v = case.value;
    // `luks.key=UUID=/keyfile`: a file on a volume.
    let volume = || memchr::memmem::find(v, b"=/").is_some_and(|at| matches!(value_type(&v[..at]), ValueType::Uuid));
    // `token=0x71c7656e...`: a contract or an account.
    let account =
        || v.strip_prefix(b"0x").is_some_and(|digits| digits.len() == 40 && digits.iter().all(u8::is_ascii_hexdigit));
    // `creating token: accessor=hmac-sha256:1f2e...`
    let of_a_digest = || {
        let at = v.iter().position(|b| *b == b'=');
        at.is_some_and(|at| digest(&v[at + 1..]))
    };
    of_a_digest()
        || is_transaction(case)
        || is_of_a_handshake(case)
        || volume()
        || account()
        || is_an_object(case)
        || is_joined(case)
        || is_a_call(case)
        || is_a_text(v)
        || OTHER_SESSIONS.iter().any(|name| is_spelled(case.key, name))
}

/// Whether a key ends with a name, whatever signs part its words.
fn is_spelled(key: &[u8], name: &str) -> bool {
    let mut letters = key.iter().rev().filter(|b| b.is_ascii_alphanumeric());
    name.bytes().rev().all(|wanted| letters.next().is_some_and(|letter| letter.to_ascii_lowercase() == wanted))
}

/// `"key": "ledger:289b964c-927a-4bf6-96b2-85960258903a:order"`: words, numbers and UUIDs that colons join.
fn is_joined(case: &Case) -> bool {
    let plain = |part: &[u8]| {
        let word = |b: &u8| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-');
        part.iter().all(word) && text_odds(part) > -60
            || part.iter().all(u8::is_ascii_digit)
            || matches!(value_type(part), ValueType::Uuid)
    };
    case.family == Family::Key && case.value.contains(&b':') && case.value.split(|b| *b == b':').all(plain)
}

/// `SessionID="17a483d-eb8cc0-556164ab@192.0.2.4"`: how telephones name a call, short numbers that dashes join, and a host.
fn is_a_call(case: &Case) -> bool {
    let Some(at) = case.value.iter().position(|b| *b == b'@') else { return false };
    let id = &case.value[..at];
    let group = |part: &[u8]| (4..=12).contains(&part.len()) && part.iter().all(u8::is_ascii_hexdigit);
    names_session(case.key) && id.contains(&b'-') && id.split(|b| *b == b'-').all(group)
}

/// `Key: orders/1f2e3d4c-.../0001.parquet`: a file in a store, behind folders.
fn is_an_object(case: &Case) -> bool {
    let mut parts = case.value.rsplit(|b| *b == b'/');
    let name = parts.next().unwrap_or_default();
    let end = name.iter().rposition(|b| *b == b'.').map_or(&b""[..], |dot| &name[dot + 1..]);
    let ending = (2..=8).contains(&end.len()) && end.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let folder = |part: &[u8]| part.iter().filter(|b| b.is_ascii_alphabetic()).count() >= 2;
    case.family == Family::Key && ending && end.iter().any(u8::is_ascii_alphabetic) && parts.any(folder)
}

/// `signature: 5VERv8NMvzbJMEkV...`: one of 64 bytes in base 58 names a transaction. Private keys are as long.
fn is_transaction(case: &Case) -> bool {
    let base58 = |b: &u8| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l');
    matches!(case.value.len(), 86..=88)
        && case.value.iter().all(base58)
        && (is_spelled(case.key, "signature") || is_spelled(case.key, "sig"))
}

/// Words in base64: `dGhlIHF1aWNrIGJyb3duIGZveA==`. A user and a password, or JSON, have other signs.
fn is_a_text(v: &[u8]) -> bool {
    let v = v.strip_suffix(b"==").or(v.strip_suffix(b"=")).unwrap_or(v);
    if !v.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')) {
        return false;
    }
    // As many digits of base64 as 24 bytes take tell most.
    let head: Vec<u8> = base64_bytes(&v[..v.len().min(TEXT_DIGITS)]).collect();
    let word = |b: &u8| b.is_ascii_alphabetic() || matches!(b, b' ' | b',' | b'.' | b'\'' | b'-');
    head.len() >= TEXT_BYTES_MIN
        && head.iter().all(word)
        && value_type(head.trim_ascii()) == ValueType::Prose
        && base64_bytes(v).all(|b| word(&b) || b.is_ascii_digit() || matches!(b, b'\n' | b'\r' | b'!' | b'?'))
}

/// How a session of another system is named, and what one party of a handshake calls it.
const OTHER_SESSIONS: &[&str] = &["externalsessionid", "rootsessionid", "tlssessionid", "sslsessionid"];
/// How many digits of base64 are decoded to see whether they are of a text, and how many bytes they must be.
const TEXT_DIGITS: usize = 32;
const TEXT_BYTES_MIN: usize = 16;
