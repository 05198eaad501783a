//! Turns a value that holds others into those: what the rules find in it, as in a field of JSON, a line of settings, or
//! the password of a URL. Does not take them.
//!
//! A key file is kept in one variable, and the program that reads it writes one field of it, alone.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use crate::{Engine, Filter, Options, RuleSet, finding::Finding};

/// Calls `each` with the values that stand in a value.
pub(super) fn each<E>(value: &[u8], mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let whole = 0..value.len();
    found(value)
        .into_iter()
        .filter(|range| *range != whole && range.len() >= INNER_BYTES_MIN)
        .filter_map(|range| value.get(range))
        .try_for_each(&mut each)
}

/// Where the rules find something.
fn found(value: &[u8]) -> Vec<Range<usize>> {
    if !may_hold(value) {
        return Vec::new();
    }
    let Some(engine) = engine() else { return Vec::new() };
    let mut filter = Filter::new(engine);
    filter.push(value);
    let mut findings = filter.take_findings();
    filter.finish();
    findings.extend(filter.take_findings());
    let range = |finding: &Finding| {
        let start = usize::try_from(finding.offset).ok()?;
        Some(start..start.checked_add(usize::try_from(finding.length).ok()?)?)
    };
    findings.iter().filter_map(range).collect()
}

/// Whether there is something between names and values. Most values are one word, and need no rules.
fn may_hold(value: &[u8]) -> bool {
    // At its end the sign is the padding of base64.
    let end = value.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    value[..end].iter().any(|byte| b":=\n\" ".contains(byte))
}

/// The rules that are on by default, made ready when a value first needs them.
fn engine() -> Option<Arc<Engine>> {
    static ENGINE: OnceLock<Option<Arc<Engine>>> = OnceLock::new();
    let make = || Engine::new(RuleSet::builtin().ok()?, Options::default()).ok().map(Arc::new);
    ENGINE.get_or_init(make).clone()
}

/// The shortest value inside another one that is looked for (bytes).
const INNER_BYTES_MIN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(value: &str) -> Vec<String> {
        let mut all = Vec::new();
        let Ok(()) = each(value.as_bytes(), |text| {
            all.push(String::from_utf8_lossy(text).into_owned());
            Ok::<(), std::convert::Infallible>(())
        });
        all
    }

    #[test]
    fn what_a_value_holds_is_found_by_the_rules() {
        let cases: &[(&str, &[&str])] = &[
            ("walnut-Kestrel-4711", &[]),
            ("q7Rk2mZx9Lp4TdV8nB3sAA==", &[]),
            ("a long sentence that somebody has chosen", &[]),
            ("postgres://app:kR7-pw4q-Zx@db.internal/app", &["kR7-pw4q-Zx"]),
            ("Server=db;User Id=app;Password=kR7-pw4q-Zx;Encrypt=true", &["kR7-pw4q-Zx"]),
            ("APP_NAME=shop\nDB_PASSWORD=kR7-pw4q-Zx\nPORT=8080", &["kR7-pw4q-Zx"]),
            (
                r#"{"type":"service_account","project_id":"shop-1234","client_email":"a@shop-1234.iam.gserviceaccount.com",
                "client_secret":"kR7-pw4q-Zx9LmT2v","token_uri":"https://oauth2.googleapis.com/token"}"#,
                &["kR7-pw4q-Zx9LmT2v"],
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(inner(value), *expected, "{value}");
        }
    }
}
