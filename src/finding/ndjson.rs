//! Turns findings into NDJSON, one object a line, in the schema of `schema/finding.schema.json`.
//! Does not open files.
//!
//! Names are those of ECS where ECS has one. Every character that could mislead a terminal is
//! escaped, so that `cat findings.ndjson` is safe.

use std::{collections::BTreeMap, io};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use super::{
    Container, Finding, Place,
    ci::Ci,
    container::{Contained, Orchestrator},
};
use crate::escape;

/// Counts up when a field changes its meaning.
pub const SCHEMA: u32 = 1;

/// RFC 3339 in UTC, to the millisecond.
const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// What all findings of a run have in common.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The machine's name.
    pub host: Option<String>,
    /// `sha256:` and 64 hex digits of the rules in force.
    pub rules_digest: String,
    /// Which key the fingerprints were made with.
    pub key_id: String,
    /// Whether that key ends with this run.
    pub key_is_ephemeral: bool,
    /// What the user calls the stream.
    pub source: Option<String>,
    /// The user's own names and values.
    pub labels: BTreeMap<String, String>,
    /// The CI system's.
    pub ci: Option<Ci>,
}

impl Run {
    /// The finding as one line of JSON, newline included. `place` is where it was found, `at` the
    /// time to put on it, `logged` that which its line states, if that is known.
    pub fn line(
        &self,
        finding: &Finding,
        place: Place<'_>,
        at: OffsetDateTime,
        logged: Option<OffsetDateTime>,
    ) -> Vec<u8> {
        let mut record = self.record(finding, place, at);
        record.blackbar.logged = logged.map(timestamp);
        visible_line(&record)
    }

    fn record<'a>(&'a self, finding: &'a Finding, place: Place<'a>, at: OffsetDateTime) -> Record<'a> {
        let (path, iostream) = match place {
            Place::Input => (None, None),
            Place::File(path) | Place::Container(path, _) => (Some(path), None),
            Place::Output(name) => (None, Some(name)),
        };
        let container = if let Place::Container(_, container) = place { Some(container) } else { None };
        Record {
            timestamp: timestamp(at),
            event: Event { kind: "alert", severity: finding.rule.severity.score() },
            rule: RuleName { id: &finding.rule.id, name: &finding.rule.name },
            log: Log { file: path.map(|path| File { path }), iostream, offset: finding.offset },
            host: self.host.as_deref().map(|name| Host { name }),
            orchestrator: container.map(Container::orchestrator),
            container: container.map(Container::contained),
            blackbar: Own {
                schema: SCHEMA,
                version: env!("CARGO_PKG_VERSION"),
                rules_digest: &self.rules_digest,
                severity: finding.rule.severity.as_str(),
                confidence: finding.confidence.as_str(),
                action: finding.action.as_str(),
                fingerprint: finding.fingerprint.to_string(),
                key_id: &self.key_id,
                ephemeral_key: self.key_is_ephemeral,
                line: finding.line,
                column: finding.column,
                length: finding.length,
                logged: None,
                facts: finding.facts.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
                context: finding.context.as_str(),
                rotate: finding.rule.rotate.as_deref(),
                source: self.source.as_deref(),
                labels: &self.labels,
                ci: self.ci.as_ref(),
            },
        }
    }
}

/// A time as findings have it: RFC 3339, UTC, milliseconds.
pub fn timestamp(at: OffsetDateTime) -> String {
    // The format has no part that a date could lack.
    at.to_offset(time::UtcOffset::UTC).format(&TIMESTAMP).unwrap_or_default()
}

/// Serializes anything as one line of JSON that is safe to show. Ends with a newline.
pub fn visible_line(value: &impl Serialize) -> Vec<u8> {
    let mut line = Vec::with_capacity(1024);
    add_visible_line(value, &mut line);
    line
}

/// The same behind what is there.
pub fn add_visible_line(value: &impl Serialize, to: &mut Vec<u8>) {
    // Only a map with keys that are no strings could fail, and no caller has one.
    let written = value.serialize(&mut Serializer::with_formatter(&mut *to, Visible));
    debug_assert!(written.is_ok());
    to.push(b'\n');
}

#[derive(Serialize)]
struct Record<'a> {
    #[serde(rename = "@timestamp")]
    timestamp: String,
    event: Event,
    rule: RuleName<'a>,
    log: Log<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<Host<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orchestrator: Option<Orchestrator<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Contained<'a>>,
    blackbar: Own<'a>,
}

#[derive(Serialize)]
struct Event {
    kind: &'static str,
    severity: u8,
}

#[derive(Serialize)]
struct RuleName<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iostream: Option<&'a str>,
    offset: u64,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
}

#[derive(Serialize)]
struct Host<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Own<'a> {
    schema: u32,
    version: &'static str,
    rules_digest: &'a str,
    severity: &'static str,
    confidence: &'static str,
    action: &'static str,
    fingerprint: String,
    key_id: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ephemeral_key: bool,
    line: u64,
    column: u64,
    length: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    logged: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    facts: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    context: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ci: Option<&'a Ci>,
}

/// Compact JSON in which every misleading character is written as `\u....`.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly always there is nothing to be escaped.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(at) = rest.find(escape::misleads) {
            let (plain, tail) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut characters = tail.chars();
            let misleading = characters.next().unwrap_or_default();
            for unit in misleading.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_and_read_back_as_they_were() {
        for trick in ["\u{1b}]52;c;x\u{7}", "\u{9b}31m", "a\u{202e}b", "\u{e0041}", "\u{200b}", "\u{7f}", "\"\\/"] {
            let line = visible_line(&trick);
            assert!(line.trim_ascii_end().iter().all(|byte| (0x20..0x7f).contains(byte)), "{trick:?}");
            assert_eq!(serde_json::from_slice::<String>(&line).unwrap(), trick);
        }
    }

    #[test]
    fn times_are_utc_with_milliseconds() {
        let at = time::macros::datetime!(2026-11-21 00:10:23.123456 +01:00);
        assert_eq!(timestamp(at), "2026-11-20T23:10:23.123Z");
    }
}
