//! Writes a report in SARIF 2.1.0.
//!
//! Columns of SARIF are characters; ours are bytes. So a result names its line, and the bytes of the
//! whole log, which SARIF has fields for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Context, Secret, Secrets};
use crate::{
    finding::ndjson,
    rules::{Confidence, Severity},
};

/// The whole report.
pub fn write(secrets: &Secrets, context: &Context<'_>) -> Vec<u8> {
    let secrets = secrets.sorted(Confidence::Low);
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for secret in &secrets {
        let rule = secret.rule();
        rules.entry(&rule.id).or_insert_with(|| {
            let mut entry = json!({
                "id": rule.id,
                "name": rule.name,
                "shortDescription": { "text": rule.name },
                "defaultConfiguration": { "level": level(rule.severity) },
                "properties": { "security-severity": score(rule.severity), "tags": ["security"] },
            });
            if let Some(page) = super::page(rule) {
                entry["helpUri"] = page.into();
            }
            entry
        });
    }
    let places: BTreeMap<&str, usize> = rules.keys().copied().zip(0..).collect();
    let results: Vec<Value> = secrets.iter().map(|secret| result(secret, places[secret.rule().id.as_str()])).collect();
    let rules: Vec<&Value> = rules.values().collect();
    ndjson::visible_line(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "blackbar",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
                "properties": { "rulesDigest": context.run.rules_digest },
            } },
            "invocations": [{
                "executionSuccessful": true,
                "startTimeUtc": ndjson::timestamp(context.start),
                "endTimeUtc": ndjson::timestamp(context.end),
            }],
            "results": results,
        }],
    }))
}

fn result(secret: &Secret, rule_index: usize) -> Value {
    let first = &secret.first;
    let rotate = secret.rule().rotate.as_deref().map(|page| format!(" Rotate it first: {page}")).unwrap_or_default();
    let mut result = json!({
        "ruleId": secret.rule().id,
        "ruleIndex": rule_index,
        "level": level(secret.rule().severity),
        "message": { "text": format!("{} in a log.{rotate}", first.title()) },
        "occurrenceCount": secret.count,
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(secret.place.name()) },
            "region": { "startLine": first.line, "byteOffset": first.offset, "byteLength": first.length },
        } }],
        "partialFingerprints": { "blackbar/v1": first.fingerprint.to_string() },
        "properties": { "confidence": first.confidence.as_str(), "action": first.action.as_str() },
    });
    if let Some((first, last)) = &secret.span {
        result["properties"]["firstSeen"] = ndjson::timestamp(first.time).into();
        result["properties"]["lastSeen"] = ndjson::timestamp(last.time).into();
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "note",
        Severity::Medium => "warning",
        Severity::High | Severity::Critical => "error",
    }
}

/// The scale of CVSS, which code hosts sort by.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "2.5",
        Severity::Medium => "5.0",
        Severity::High => "8.0",
        Severity::Critical => "9.5",
    }
}

/// A path as a relative or absolute URI reference: RFC 3986.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
