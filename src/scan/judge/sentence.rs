//! Turns a value that a sentence tells into a verdict. Does not find sentences.

use super::{
    Case, Confidence, Family, Strength, ValueType, Verdict, is_constant, keys::names_token, random, secret_charset,
    value_type,
};

/// In a sentence only what no word of it could be is a secret.
pub fn told(case: &Case) -> Option<Verdict> {
    let v = case.value;
    let weak = case.strength == Strength::Weak;
    // `the secret key=x`: another name follows.
    let assigned = v.iter().position(|&b| b == b'=').is_some_and(|at| v[at..].iter().any(|&b| b != b'='));
    if assigned {
        return None;
    }
    let tested = case.key.len() >= 4 && case.key[case.key.len() - 4..].eq_ignore_ascii_case(b"pass");
    if case.plural || tested || case.family == Family::Mnemonic || weak && !names_token(case.key) {
        return None;
    }
    let has = |kind: fn(&u8) -> bool| v.iter().any(kind);
    let lower_hex = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if !weak && !case.password() && matches!(v.len(), 32 | 64) && v.iter().all(lower_hex) {
        return Some((Confidence::Medium, "hex of a key's length, told in a sentence"));
    }
    // `DB_PASS to x7`, `and password "x7"`: a variable's name, and a literal.
    let word = case.key.split(|&b| b == b' ').next().unwrap_or_default();
    let literal = case.password() && (case.quoted || is_constant(word));
    let chosen =
        literal && v.len() >= TOLD_PASSWORD_BYTES_MIN && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    if chosen && secret_charset(v) && matches!(value_type(v), ValueType::Opaque | ValueType::Identifier) {
        return Some((Confidence::Medium, "a password that a sentence quotes"));
    }
    // `set API_KEY to "x"`: what a machine makes.
    let machine = matches!(value_type(v), ValueType::HexDigest | ValueType::Uuid);
    let assigned = case.quoted && is_constant(word) && v.len() >= TOLD_BYTES_MIN;
    if assigned && (machine || random(v) && has(u8::is_ascii_digit) && secret_charset(v)) {
        return Some((Confidence::Medium, "a value that a sentence quotes"));
    }
    let cases = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let made = match case.password() {
        true => has(u8::is_ascii_digit) && (cases || has(u8::is_ascii_punctuation)),
        false => has(u8::is_ascii_digit) && cases && v.len() >= TOLD_BYTES_MIN,
    };
    let opaque = made && secret_charset(v) && value_type(v) == ValueType::Opaque && random(v);
    opaque.then_some((Confidence::Medium, "a random value that a sentence tells"))
}

/// The shortest password in quotes, and the shortest token, of a sentence (bytes).
const TOLD_PASSWORD_BYTES_MIN: usize = 8;
const TOLD_BYTES_MIN: usize = 16;
