//! Turns the findings of a run into one report. Does not write files.
//!
//! Findings are grouped by secret: a token that leaked 400 times is one entry with its count, its
//! first and its last place. How many secrets are told apart is bounded, so that memory does not
//! grow with the log; all findings are counted.

mod csv;
mod gitlab;
mod json;
mod sarif;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use time::OffsetDateTime;

use super::{Finding, Fingerprint, Place, RuleFacts, ndjson};
use crate::rules::Confidence;

/// A secret, and where it was found.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Where it was found first, in the order of the streams.
    pub first: Finding,
    /// The stream of that.
    pub place: Where,
    /// Where it was found last.
    pub last: Spot,
    /// How often it was found.
    pub count: u64,
    /// Where it was found with the earliest and with the latest time, where lines have times.
    pub span: Option<(Dated, Dated)>,
    /// The streams in which it was found, by name; at most a thousand.
    pub places: BTreeSet<Where>,
    /// Whether there are more of them.
    pub more_places: bool,
    order: (Order, Order),
    /// The stream of the finding that was counted last.
    latest: Where,
}

/// A place in the order of a run.
pub type Order = (u64, u64);

/// When a finding was met, and when its line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Findings may come in another order than this: of several files at the same time.
    pub order: Order,
    /// The time that the line states.
    pub time: Option<OffsetDateTime>,
}

/// A place in a stream, and the time of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// The time.
    pub time: OffsetDateTime,
    /// The place.
    pub spot: Spot,
    order: Order,
}

/// The page on which secrets of a rule are revoked, if it is an address: what the schemas of code hosts take.
fn page(rule: &RuleFacts) -> Option<&str> {
    let page = rule.rotate.as_deref()?;
    let rest = page.strip_prefix("https://").or_else(|| page.strip_prefix("http://"))?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    (!rest.is_empty() && rest.bytes().all(allowed)).then_some(page)
}

impl Secret {
    fn new(finding: &Finding, place: Place<'_>, seen: Seen) -> Secret {
        let last = Spot { place: place.into(), line: finding.line, column: finding.column };
        let mut secret = Secret {
            first: finding.clone(),
            place: place.into(),
            last,
            count: 0,
            span: None,
            places: BTreeSet::new(),
            more_places: false,
            order: (seen.order, seen.order),
            latest: place.into(),
        };
        secret.add(finding, place, seen);
        secret
    }

    fn add(&mut self, finding: &Finding, place: Place<'_>, seen: Seen) {
        self.count += 1;
        let confidence = self.first.confidence.max(finding.confidence);
        if seen.order < self.order.0 {
            self.order.0 = seen.order;
            self.first = finding.clone();
            self.place = place.into();
        }
        self.first.confidence = confidence;
        if seen.order > self.order.1 {
            self.order.1 = seen.order;
            (self.last.line, self.last.column) = (finding.line, finding.column);
            if self.last.place != Where::from(place) {
                self.last.place = place.into();
            }
        }
        if let Some(time) = seen.time {
            self.date(time, finding, place, seen.order);
        }
        // Findings of one stream come together: the streams are looked at when they change.
        if self.places.is_empty() || self.latest.place() != place {
            self.latest = place.into();
            if self.places.len() < PLACES_MAX || self.places.contains(&self.latest) {
                self.places.insert(self.latest.clone());
            } else {
                self.more_places = true;
            }
        }
    }

    fn date(&mut self, time: OffsetDateTime, finding: &Finding, place: Place<'_>, order: Order) {
        let dated = || {
            let spot = Spot { place: place.into(), line: finding.line, column: finding.column };
            Dated { time, spot, order }
        };
        let (earliest, latest) = self.span.get_or_insert_with(|| (dated(), dated()));
        if (time, order) < (earliest.time, earliest.order) {
            *earliest = dated();
        }
        if (time, order) > (latest.time, latest.order) {
            *latest = dated();
        }
    }

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
            Place::File(path) | Place::Container(path, _) => Where::File(path.to_owned()),
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
    /// Counts a finding of a stream that comes in its order, without times.
    pub fn add(&mut self, finding: &Finding, place: Place<'_>) {
        self.add_seen(finding, place, Seen { order: (0, self.findings), time: None });
    }

    /// Counts a finding. What comes of it does not depend on the order of these calls.
    pub fn add_seen(&mut self, finding: &Finding, place: Place<'_>, seen: Seen) {
        self.findings += 1;
        let key = (finding.fingerprint, finding.rule.id.clone());
        if let Some(&at) = self.index.get(&key) {
            self.list[at].add(finding, place, seen);
        } else if self.list.len() < SECRETS_MAX {
            self.index.insert(key, self.list.len());
            self.list.push(Secret::new(finding, place, seen));
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

    /// How many secrets are told apart.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
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

/// How many streams of a secret are told apart.
const PLACES_MAX: usize = 1_000;
