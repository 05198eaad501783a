//! Turns the findings of a run into one report. Does not write files.
//!
//! Findings are grouped by secret: a token that leaked 400 times is one entry with its count, its
//! first and its last place. How many secrets are told apart is bounded, so that memory does not
//! grow with the log; all findings are counted.

mod csv;
mod gitlab;
mod json;
mod sarif;

use std::{collections::HashMap, sync::Arc};

use time::OffsetDateTime;

use super::{Finding, Fingerprint, Place, RuleFacts, ndjson};
use crate::rules::Confidence;

/// A secret, and where it was found.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Where it was found first.
    pub first: Finding,
    /// The stream of that.
    pub place: Where,
    /// Where it was found last.
    pub last: Spot,
    /// How often it was found.
    pub count: u64,
}

impl Secret {
    /// The rule that found it.
    pub fn rule(&self) -> &Arc<RuleFacts> {
        &self.first.rule
    }
}

/// A [`Place`] that is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Where {
    /// Standard input.
    Input,
    /// A file, by its path.
    File(String),
    /// An output of a command.
    Output(String),
}

impl Where {
    /// As a place.
    pub fn place(&self) -> Place<'_> {
        match self {
            Where::Input => Place::Input,
            Where::File(path) => Place::File(path),
            Where::Output(name) => Place::Output(name),
        }
    }

    /// What to call it where a file is expected.
    pub fn name(&self) -> &str {
        match self {
            Where::Input => "stdin",
            Where::File(name) | Where::Output(name) => name,
        }
    }
}

impl From<Place<'_>> for Where {
    fn from(place: Place<'_>) -> Where {
        match place {
            Place::Input => Where::Input,
            Place::File(path) => Where::File(path.to_owned()),
            Place::Output(name) => Where::Output(name.to_owned()),
        }
    }
}

/// A place in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The stream.
    pub place: Where,
    /// The line, from 1.
    pub line: u64,
    /// The first byte in the line, from 1.
    pub column: u64,
}

/// The secrets of a run.
#[derive(Debug, Default)]
pub struct Secrets {
    list: Vec<Secret>,
    index: HashMap<(Fingerprint, String), usize>,
    findings: u64,
    left_out: u64,
}

impl Secrets {
    /// Counts a finding.
    pub fn add(&mut self, finding: &Finding, place: Place<'_>) {
        self.findings += 1;
        let key = (finding.fingerprint, finding.rule.id.clone());
        if let Some(&at) = self.index.get(&key) {
            let secret = &mut self.list[at];
            secret.count += 1;
            secret.first.confidence = secret.first.confidence.max(finding.confidence);
            (secret.last.line, secret.last.column) = (finding.line, finding.column);
            if secret.last.place.place() != place {
                secret.last.place = place.into();
            }
        } else if self.list.len() < SECRETS_MAX {
            self.index.insert(key, self.list.len());
            let last = Spot { place: place.into(), line: finding.line, column: finding.column };
            self.list.push(Secret { first: finding.clone(), place: place.into(), last, count: 1 });
        } else {
            self.left_out += 1;
        }
    }

    /// The secrets of this confidence or more, the worst first, then the most frequent.
    pub fn sorted(&self, confidence_min: Confidence) -> Vec<&Secret> {
        let mut secrets: Vec<&Secret> = self.list.iter().filter(|secret| secret.first.alerts(confidence_min)).collect();
        secrets.sort_by(|a, b| {
            let worse = b.rule().severity.cmp(&a.rule().severity).then(b.count.cmp(&a.count));
            worse.then_with(|| (&a.rule().id, &a.place, a.first.line).cmp(&(&b.rule().id, &b.place, b.first.line)))
        });
        secrets
    }

    /// How many findings belong to secrets that are not told apart any more.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Our own: the findings of `--findings`, grouped.
    Json,
    /// What code hosts show: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
    Sarif,
    /// What GitLab shows: <https://gitlab.com/gitlab-org/security-products/security-report-schemas>.
    Gitlab,
    /// For spreadsheets.
    Csv,
}

impl Format {
    /// The format of this name.
    pub fn named(name: &str) -> Option<Format> {
        match name {
            "json" => Some(Format::Json),
            "sarif" => Some(Format::Sarif),
            "gitlab" => Some(Format::Gitlab),
            "csv" => Some(Format::Csv),
            _ => None,
        }
    }
}

/// What a report says of its run.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// What all findings have in common.
    pub run: &'a ndjson::Run,
    /// When it began.
    pub start: OffsetDateTime,
    /// When it ended.
    pub end: OffsetDateTime,
}

/// Writes a report. The inert test token is not in it.
pub fn write(format: Format, secrets: &Secrets, context: &Context<'_>) -> Vec<u8> {
    match format {
        Format::Json => json::write(secrets, context),
        Format::Sarif => sarif::write(secrets, context),
        Format::Gitlab => gitlab::write(secrets, context),
        Format::Csv => csv::write(secrets),
    }
}

/// How many secrets are told apart.
const SECRETS_MAX: usize = 10_000;
