//! Writes a report in our own format: each secret is a finding as `--findings` has it, with its
//! count and its last place; where lines have times, with those, and where there are several streams,
//! with their names.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Context, Secrets};
use crate::{finding::ndjson, rules::Confidence};

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    version: &'static str,
    #[serde(rename = "@timestamp")]
    timestamp: String,
    rules_digest: &'a str,
    key_id: &'a str,
    findings: u64,
    left_out: u64,
    secrets: Vec<Value>,
}

/// The whole report.
pub fn write(secrets: &Secrets, context: &Context<'_>) -> Vec<u8> {
    let run = context.run;
    let entries = secrets.sorted(Confidence::Low).into_iter().map(|secret| {
        let line = run.line(&secret.first, secret.place.place(), context.end, None);
        let mut value: Value = serde_json::from_slice(&line).unwrap_or_default();
        value["blackbar"]["count"] = secret.count.into();
        value["blackbar"]["last"] =
            json!({ "in": secret.last.place.name(), "line": secret.last.line, "column": secret.last.column });
        if let Some((first, last)) = &secret.span {
            value["blackbar"]["first_seen"] = ndjson::timestamp(first.time).into();
            value["blackbar"]["last_seen"] = ndjson::timestamp(last.time).into();
        }
        if secret.places.len() > 1 {
            value["blackbar"]["places"] = secret.places.iter().map(|place| place.name()).collect();
            value["blackbar"]["more_places"] = secret.more_places.into();
        }
        value
    });
    ndjson::visible_line(&Report {
        schema: ndjson::SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        timestamp: ndjson::timestamp(context.end),
        rules_digest: &run.rules_digest,
        key_id: &run.key_id,
        findings: secrets.findings,
        left_out: secrets.left_out,
        secrets: entries.collect(),
    })
}
