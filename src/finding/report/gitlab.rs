//! Writes a report in GitLab's format for secret detection (schema 15).

use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset, format_description::BorrowedFormatItem, macros::format_description};

use super::{Context, Secret, Secrets};
use crate::{
    finding::ndjson,
    rules::{Confidence, Severity},
};

/// The times of the schema have no zone; they are meant to be UTC.
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// The whole report.
pub fn write(secrets: &Secrets, context: &Context<'_>) -> Vec<u8> {
    let sha = context.run.ci.as_ref().and_then(|ci| ci.commit.as_deref()).unwrap_or(NO_COMMIT);
    let secrets = secrets.sorted(Confidence::Low);
    let vulnerabilities: Vec<Value> = secrets.iter().map(|secret| vulnerability(secret, sha)).collect();
    let tool = json!({
        "id": "blackbar",
        "name": "blackbar",
        "vendor": { "name": "blackbar" },
        "version": env!("CARGO_PKG_VERSION"),
    });
    ndjson::visible_line(&json!({
        "version": "15.0.7",
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": "secret_detection",
            "start_time": time(context.start),
            "end_time": time(context.end),
            "status": "success",
        },
        "vulnerabilities": vulnerabilities,
    }))
}

fn vulnerability(secret: &Secret, sha: &str) -> Value {
    let (rule, first) = (secret.rule(), &secret.first);
    let title = first.title();
    let times = if secret.count == 1 { String::new() } else { format!(" {} times", secret.count) };
    // The schema has no field for them.
    let span = secret.span.as_ref().map(|(first, last)| {
        format!(" Lines with it are from {} to {}.", ndjson::timestamp(first.time), ndjson::timestamp(last.time))
    });
    let mut value = json!({
        "id": format!("{}:{}", rule.id, first.fingerprint),
        "name": cut(&title, NAME_CHARACTERS_MAX),
        "description": format!("{title} was found in a log{times}.{}", span.unwrap_or_default()),
        "severity": severity(rule.severity),
        "location": {
            "file": secret.place.name(),
            "commit": { "sha": sha },
            "start_line": first.line,
            "end_line": first.line,
        },
        "identifiers": [{ "type": "blackbar_rule_id", "name": format!("blackbar rule {}", rule.id), "value": rule.id }],
    });
    if let Some(page) = &rule.rotate {
        value["solution"] = cut(&format!("Rotate it: {page}"), SOLUTION_CHARACTERS_MAX).into();
    }
    if let Some(page) = super::page(rule) {
        value["links"] = json!([{ "url": page }]);
    }
    value
}

/// The beginning of a text that is no longer than the schema allows: GitLab takes no report with a longer one.
fn cut(text: &str, characters_max: usize) -> &str {
    text.char_indices().nth(characters_max).map_or(text, |(end, _)| &text[..end])
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

fn time(at: OffsetDateTime) -> String {
    // The format has no part that a date could lack.
    at.to_offset(UtcOffset::UTC).format(&TIME).unwrap_or_default()
}

/// How long texts of the schema may be (characters).
const NAME_CHARACTERS_MAX: usize = 255;
const SOLUTION_CHARACTERS_MAX: usize = 7000;

/// What stands for the commit where there is none: the schema asks for one.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";
