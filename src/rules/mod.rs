//! Turns rule files into checked rules. Does not match anything: `scan` compiles what stands here.
//!
//! Rules are data: `patterns/*.toml`, embedded at build time, and the files of `--rules`.
//! `patterns/README.md` explains the format.

pub mod check;
pub mod checks;
pub mod condition;
mod embedded;
pub mod exclusions;
mod foreign;
mod format;
pub mod sample;
mod strength;
mod text;

use std::{fmt, sync::Arc};

pub(crate) use format::{describe, line_of};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
pub use strength::Strength;
pub use text::{List, Text};

use crate::error::{RuleError, SetupError};

/// The family of rules from a user's files.
pub const USER_FAMILY: &str = "user";

/// How bad a leak of the secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Little can be done with it.
    Low,
    /// Opens something of limited reach.
    Medium,
    /// Opens an account or a service.
    High,
    /// Opens code, infrastructure or money.
    Critical,
}

impl Severity {
    /// The name used in rule files, options and findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The number of `event.severity` in a finding (0 to 100).
    pub fn score(self) -> u8 {
        match self {
            Severity::Low => 25,
            Severity::Medium => 50,
            Severity::High => 75,
            Severity::Critical => 90,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How sure the filter is that a finding is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Masked to be on the safe side.
    Low,
    /// More likely than not.
    Medium,
    /// Has the shape of a vendor's token, or looks random beside a telling name.
    High,
    /// A checksum or a decoded payload proves it.
    Certain,
}

impl Confidence {
    /// The name used in rule files, options and findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
            Confidence::Certain => "certain",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a rule does with a secret it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Mask it.
    #[default]
    Redact,
    /// Report it and leave it.
    Alert,
}

/// Which part of the engine a rule belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// A pattern that is tried where one of its literals stands.
    #[default]
    Token,
    /// A value beside one of the rule's key names (`names`), of the rule's shape if it has one.
    Assigned,
    /// A block of lines between BEGIN and END of a private key.
    KeyBlock,
    /// A value of a Kubernetes Secret, in its manifest.
    Manifest,
    /// Any long random token, if `--entropy all` asks for it.
    Entropy,
    /// A value that is longer than any bound: the name of its mask.
    Ceiling,
    /// A known value: the name of its mask.
    Known,
}

/// One rule, as its file has it, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Stable name, kebab-case, vendor first. Users write it in options and allowlists.
    pub id: Text,
    /// The file's name without its ending; `user` for files of `--rules`.
    pub family: Text,
    /// What it finds, for people.
    pub name: Text,
    /// How bad a leak is.
    pub severity: Severity,
    /// Which part of the engine uses it.
    pub detector: Detector,
    /// A linear-time regular expression over bytes; empty where names alone decide.
    pub pattern: Text,
    /// Key names, lower-case words separated by single spaces.
    pub names: List,
    /// How telling the key names are.
    pub strength: Strength,
    /// A structural check (see [`checks`]) that moves the confidence.
    pub check: Option<checks::Check>,
    /// What a hit is worth before checks.
    pub confidence: Confidence,
    /// Words one of which must stand to the left of the match, on the same line.
    pub context: List,
    /// The least Shannon entropy of the secret (bits a byte); 0 for none.
    pub entropy: f32,
    /// Matches that the rule does not mean; only rules of other programs' files have some.
    pub not: exclusions::Exclusions,
    /// Mask, or report only.
    pub action: Action,
    /// The longest secret this rule masks (bytes).
    pub secret_bytes_max: usize,
    /// Free words for selection.
    pub tags: List,
    /// Where the format is documented.
    pub reference: Text,
    /// Where the vendor lets one revoke it.
    pub rotate: Option<Text>,
    /// The release that brought it.
    pub since: Text,
    /// Former ids.
    pub aliases: List,
    /// Reports but does not mask yet.
    pub testing: bool,
    /// From another program's rule file, which documents its rules elsewhere.
    pub foreign: bool,
    /// Off unless named by `--enable` or `--only`.
    pub off_by_default: bool,
    /// Lines (as templates) that must match.
    pub examples: List,
    /// Lines (as templates) that must not.
    pub counterexamples: List,
    /// 1-based line of the row in its file.
    pub line: usize,
    /// What is known of the pattern without compiling it.
    pub condition: Arc<condition::Condition>,
}

/// Something in another program's rule file that is not honoured as it stands there. Holds no text of the file but ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The file.
    pub origin: String,
    /// 1-based line in the file.
    pub line: usize,
    /// The rule it is about, if it is about one.
    pub rule: Option<String>,
    /// What, in words.
    pub text: String,
}

/// Rules in force, in the order that decides ties.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    notices: Vec<Notice>,
    origin: Origin,
}

/// Where the rules of a set come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Origin {
    /// All of the program, and no others.
    Builtin,
    /// Those of the program that are on by default, and no others.
    Default,
    /// Others.
    #[default]
    Other,
}

impl RuleSet {
    /// A set without rules.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The embedded rules, all of them, those off by default included.
    ///
    /// # Errors
    /// Only if the embedded files are not right, which the tests exclude.
    pub fn builtin() -> Result<Self, RuleError> {
        Ok(RuleSet { rules: embedded::rules(), notices: Vec::new(), origin: Origin::Builtin })
    }

    /// Adds the rules of one file's text. A row with the id of a rule already there replaces it.
    ///
    /// `origin` names the file in errors, `family` is what the rules are listed under. A file of gitleaks or
    /// betterleaks is taken as well; [`RuleSet::notices`] has what of it is not honoured.
    ///
    /// # Errors
    /// The first row that is not right, with its line; nothing is added then.
    pub fn add(&mut self, text: &str, origin: &str, family: &str) -> Result<(), RuleError> {
        let (rules, notices) = match foreign::is_foreign(text) {
            true => foreign::parse(text, origin, family)?,
            false => (format::parse(text, origin, family)?, Vec::new()),
        };
        self.origin = Origin::Other;
        for rule in rules {
            match self.rules.iter_mut().find(|old| old.id == rule.id) {
                Some(old) => *old = rule,
                None => self.rules.push(rule),
            }
        }
        self.notices.extend(notices);
        Ok(())
    }

    /// Keeps the rules in force: `only` restricts (empty: all that are on by default), `enable`
    /// adds what is off by default, `disable` removes. Former ids count as ids.
    ///
    /// # Errors
    /// [`SetupError::UnknownRule`] for an id no rule has.
    pub fn select(&mut self, only: &[String], enable: &[String], disable: &[String]) -> Result<(), SetupError> {
        for id in only.iter().chain(enable).chain(disable) {
            if self.get(id).is_none() {
                return Err(SetupError::UnknownRule(id.clone()));
            }
        }
        let all_defaults = only.is_empty() && enable.is_empty() && disable.is_empty();
        let is_default = self.origin != Origin::Other && all_defaults;
        self.origin = if is_default { Origin::Default } else { Origin::Other };
        let named = |list: &[String], rule: &Rule| list.iter().any(|id| rule.is_called(id));
        self.rules.retain(|rule| {
            let on = if only.is_empty() { !rule.off_by_default } else { named(only, rule) };
            (on || named(enable, rule)) && !named(disable, rule)
        });
        Ok(())
    }

    /// Adds the rule of known values if it is not there.
    pub fn add_known_value(&mut self) {
        if !self.rules.iter().any(|rule| rule.detector == Detector::Known) {
            self.origin = Origin::Other;
            self.rules.extend(embedded::rules().into_iter().filter(|rule| rule.detector == Detector::Known));
        }
    }

    /// Whether these are the rules of the program that are on by default, and no others.
    pub(crate) fn is_default(&self) -> bool {
        self.origin == Origin::Default
    }

    /// What of the files that were added is not honoured.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The rules in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule with this id or former id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.is_called(id))
    }

    /// `sha256:` and 64 hex digits over what decides matching, to name a rule set in findings.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for rule in &self.rules {
            hash.update(format!("{}\0{}\0{:?}\0{:?}", rule.id, rule.pattern, rule.names, rule.detector));
            if !rule.not.is_empty() {
                hash.update(format!("\0{:?}", rule.not));
            }
            hash.update("\n");
        }
        let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }
}

impl Rule {
    /// Whether `id` is this rule's id or one of its former ids.
    pub fn is_called(&self, id: &str) -> bool {
        self.id == *id || self.aliases.iter().any(|alias| alias == id)
    }
}
