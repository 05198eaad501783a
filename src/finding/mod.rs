//! Turns a hit into what is told about it. Holds no byte of a secret, and has no place for one:
//! a finding says which rule, where, how long and how sure, and names the secret by a keyed hash.

pub mod ci;
pub mod container;
mod fingerprint;
mod key;
pub mod ndjson;
pub mod report;

use std::sync::Arc;

pub use self::{
    container::Container,
    fingerprint::{Fingerprint, FingerprintKey},
    key::{KeyError, KeySource},
};
use crate::{
    redact::RedactedText,
    rules::{Confidence, Severity, checks::Facts},
};

/// The rule of the inert token by which anyone can test a deployment. It masks and never alerts.
pub const CANARY_RULE: &str = "blackbar-canary";

/// What a finding says about its rule; made once a rule and shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFacts {
    /// The rule's stable name.
    pub id: String,
    /// What the rule finds, for people.
    pub name: String,
    /// How bad a leak is.
    pub severity: Severity,
    /// The vendor's page for revoking such a secret.
    pub rotate: Option<String>,
}

/// What was done about a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Taken {
    /// It was masked.
    Redacted,
    /// It was reported and its bytes passed.
    Alerted,
}

impl Taken {
    /// The word of `blackbar.action`.
    pub fn as_str(self) -> &'static str {
        match self {
            Taken::Redacted => "redacted",
            Taken::Alerted => "alerted",
        }
    }
}

/// Which stream a finding belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// Standard input.
    Input,
    /// A file, by its path.
    File(&'a str),
    /// A file that a container writes.
    Container(&'a str, &'a Container),
    /// An output of a command: `stdout` or `stderr`, or `output` where both are one.
    Output(&'a str),
}

/// A secret that was found. Offsets and lengths are those of the raw input, in bytes.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule that found it.
    pub rule: Arc<RuleFacts>,
    /// How sure the filter is.
    pub confidence: Confidence,
    /// What was done about it.
    pub action: Taken,
    /// The keyed hash that names the secret.
    pub fingerprint: Fingerprint,
    /// Where it begins in the stream, from 0.
    pub offset: u64,
    /// Its line, from 1.
    pub line: u64,
    /// Its first byte in the line, from 1.
    pub column: u64,
    /// How many bytes of the input it takes.
    pub length: u64,
    /// What was derived from it: a valid checksum, an account number. Never a part of it.
    pub facts: Facts,
    /// The numbers of the user's allow entries that speak of it (see [`crate::allow`]).
    pub allowed: Vec<u16>,
    /// The redacted line around it.
    pub context: RedactedText,
}

impl Finding {
    /// What was found, for people: the rule, and of a known value its name.
    pub fn title(&self) -> String {
        let name = self.value_name().map(|name| format!(": {name}")).unwrap_or_default();
        format!("{}{name}", self.rule.name)
    }

    /// The name of a known value, under which it was told.
    pub fn value_name(&self) -> Option<&str> {
        self.facts.get("value")
    }

    /// Whether it is sure enough to be alerted about, or to fail a build. The canary never is.
    pub fn alerts(&self, confidence_min: Confidence) -> bool {
        self.confidence >= confidence_min && !self.is_canary()
    }

    /// Whether it is the test token, which is counted but told to no one.
    pub fn is_canary(&self) -> bool {
        self.rule.id == CANARY_RULE
    }
}
