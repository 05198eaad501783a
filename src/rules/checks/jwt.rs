//! Turns a JSON web token into whether its header decodes, and who issued it until when. Does not
//! verify signatures, and reports nothing else of the payload.

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Facts, Outcome, base64url};

/// The most characters of `iss` that are reported.
const ISSUER_CHARACTERS_MAX: usize = 100;

/// Checks the header: a JSON object with `alg` (RFC 7515) or `enc` (RFC 7516).
pub(super) fn check(token: &[u8]) -> Outcome {
    let mut parts = token.split(|&byte| byte == b'.');
    // Splitting yields at least one part.
    let header = parts.next().and_then(object);
    let valid = header.is_some_and(|header| header.contains_key("alg") || header.contains_key("enc"));
    // Of an encrypted token (5 parts) the second part is a key, which does not decode to JSON.
    let payload = if valid { parts.next().and_then(object) } else { None };
    Outcome { valid: Some(valid), facts: payload.map_or_else(Facts::default, |payload| facts(&payload)) }
}

fn object(part: &[u8]) -> Option<serde_json::Map<String, Value>> {
    serde_json::from_slice(&base64url::decode(part)?).ok()
}

fn facts(payload: &serde_json::Map<String, Value>) -> Facts {
    let mut facts = Facts::default();
    if let Some(issuer) = payload.get("iss").and_then(Value::as_str) {
        facts = facts.with("jwt_iss", shown(issuer));
    }
    let expiry = payload.get("exp").and_then(|exp| exp.as_i64().or_else(|| whole(exp.as_f64()?)));
    let expiry = expiry.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    if let Some(expiry) = expiry.and_then(|time| time.format(&Rfc3339).ok()) {
        facts = facts.with("jwt_exp", expiry);
    }
    facts
}

/// The seconds of a fractional time; `None` outside of what a year of four digits can hold.
fn whole(seconds: f64) -> Option<i64> {
    (seconds.is_finite() && seconds.abs() < 1e12).then_some(seconds as i64)
}

/// The issuer as it may be shown: printable ASCII, bounded, and of a URL neither the user
/// information nor the query, where credentials stand.
fn shown(issuer: &str) -> String {
    let public = match issuer.split_once("://") {
        None => issuer.to_owned(),
        Some((scheme, rest)) => {
            let rest = rest.split(['?', '#']).next().unwrap_or_default();
            let host = rest.find('/').unwrap_or(rest.len());
            let start = rest[..host].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[start..])
        }
    };
    let printable = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
    public.chars().take(ISSUER_CHARACTERS_MAX).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::sample::{Rng, base64url as encode, fill};

    fn token(header: &str, payload: &str) -> Vec<u8> {
        format!("{}.{}.c2lnbmF0dXJl", encode(header.as_bytes()), encode(payload.as_bytes())).into_bytes()
    }

    #[test]
    fn a_header_with_alg_or_enc_is_valid_and_others_are_not() {
        assert_eq!(check(&token(r#"{"alg":"HS256"}"#, "{}")).valid, Some(true));
        assert_eq!(check(&token(r#"{"enc":"A256GCM"}"#, "no json")).valid, Some(true));
        assert_eq!(check(&token(r#"{"typ":"JWT"}"#, "{}")).valid, Some(false));
        assert_eq!(check(&token(r#"["alg"]"#, "{}")).valid, Some(false));
        assert_eq!(check(b"eyJhbGciOi.x.y").valid, Some(false));
    }

    #[test]
    fn drawn_tokens_are_valid() {
        for seed in 0..20 {
            let token = fill("{jwt}", &mut Rng::new(seed)).unwrap();
            assert_eq!(check(token.as_bytes()).valid, Some(true));
        }
    }

    #[test]
    fn issuer_and_expiry_are_reported_and_nothing_else() {
        let payload = r#"{"iss":"https://id.example/","exp":1790000000,"sub":"someone","email":"a@b.example"}"#;
        let facts = check(&token(r#"{"alg":"none"}"#, payload)).facts;
        let all: Vec<_> = facts.iter().collect();
        assert_eq!(all, [("jwt_iss", "https://id.example/"), ("jwt_exp", "2026-09-21T14:13:20Z")]);
    }

    #[test]
    fn an_issuer_is_cut_to_what_may_be_shown() {
        assert_eq!(shown("https://user:pass@id.example/a?token=x#y"), "https://id.example/a");
        assert_eq!(shown("https://id.example/a@b"), "https://id.example/a@b");
        assert_eq!(shown("robot@project.iam.example"), "robot@project.iam.example");
        assert_eq!(shown("a\u{1b}[31mb\u{202e}\n"), "a?[31mb??");
        assert_eq!(shown(&"x".repeat(500)).len(), ISSUER_CHARACTERS_MAX);
    }

    #[test]
    fn impossible_times_are_left_out() {
        for exp in ["1e300", "-1e300", "99999999999999999", "\"soon\"", "null"] {
            let facts = check(&token(r#"{"alg":"none"}"#, &format!(r#"{{"exp":{exp}}}"#))).facts;
            assert!(facts.is_empty(), "{exp}");
        }
    }
}
