//! Turns the text of a rule file into rules, or into an error that names the line. Does not
//! compile patterns for matching; it only makes sure that they are of the allowed kind.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    Action, Confidence, Detector, Rule, Severity, Strength, Text,
    checks::Check,
    condition::{self, Condition},
    exclusions::Exclusions,
};
use crate::{error::RuleError, limits};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "rule")]
    rules: Vec<toml::Spanned<Row>>,
}

/// A row as written. Fields that are checked against a closed list are strings here, so that the
/// error can name the key without quoting the value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    name: String,
    severity: String,
    #[serde(default)]
    pattern: String,
    #[serde(default)]
    detector: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    strength: Option<String>,
    #[serde(default)]
    check: Option<String>,
    #[serde(default)]
    confidence: Option<String>,
    #[serde(default)]
    context: Vec<String>,
    #[serde(default)]
    entropy: f32,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    secret_bytes_max: Option<usize>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    reference: String,
    #[serde(default)]
    rotate: Option<String>,
    #[serde(default)]
    since: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    off_by_default: bool,
    #[serde(default)]
    examples: Vec<String>,
    #[serde(default)]
    counterexamples: Vec<String>,
}

/// Parses and checks a rule file.
pub(super) fn parse(text: &str, origin: &str, family: &str) -> Result<Vec<Rule>, RuleError> {
    let error = |line, rule: Option<&str>, reason: String| RuleError {
        origin: origin.to_owned(),
        line,
        rule: rule.map(str::to_owned),
        reason,
    };
    let file: File = toml::from_str(text).map_err(|fault| {
        let at = fault.span().map_or(0, |span| span.start);
        error(line_of(text, at), None, describe(&fault))
    })?;
    let mut rules: Vec<Rule> = Vec::with_capacity(file.rules.len());
    for row in file.rules {
        let line = line_of(text, row.span().start);
        let row = row.into_inner();
        // An id that is not of the allowed form is not repeated: it could be anything.
        let id = valid_id(&row.id).then(|| row.id.clone());
        let rule = check(row, family, line).map_err(|reason| error(line, id.as_deref(), reason))?;
        if rules.iter().any(|other| other.id == rule.id) {
            return Err(error(line, id.as_deref(), "the id stands twice in this file".to_owned()));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// Says what is wrong with a TOML text without quoting it: the parser's own message may hold a
/// value, so only its kind is kept.
pub(crate) fn describe(fault: &toml::de::Error) -> String {
    let message = fault.message();
    for (start, said) in [
        ("unknown field", "a key that does not exist here"),
        ("missing field", "a required key is missing"),
        ("duplicate key", "a key stands twice"),
        ("invalid type", "a value of the wrong type"),
    ] {
        if message.starts_with(start) {
            // The names of missing fields come from this program, not from the file.
            let field = message.strip_prefix("missing field ").unwrap_or_default();
            return if field.is_empty() { said.to_owned() } else { format!("{said}: {field}") };
        }
    }
    "not valid TOML".to_owned()
}

pub(crate) fn line_of(text: &str, at: usize) -> usize {
    let end = at.min(text.len());
    1 + text.as_bytes()[..end].iter().filter(|&&byte| byte == b'\n').count()
}

pub(super) fn valid_id(id: &str) -> bool {
    let shape = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (2..=64).contains(&id.len()) && id.chars().all(shape) && !id.starts_with('-')
}

/// Looks a word up in a closed list; the error names the key and the list, not the word.
fn choose<T: Copy>(key: &str, word: Option<&str>, default: T, list: &[(&str, T)]) -> Result<T, String> {
    let Some(word) = word else { return Ok(default) };
    list.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = list.iter().map(|(name, _)| *name).collect();
        format!("{key} must be one of {}", names.join(", "))
    })
}

const CONFIDENCES: &[(&str, Confidence)] = &[
    ("low", Confidence::Low),
    ("medium", Confidence::Medium),
    ("high", Confidence::High),
    ("certain", Confidence::Certain),
];

const SEVERITIES: &[(&str, Severity)] =
    &[("low", Severity::Low), ("medium", Severity::Medium), ("high", Severity::High), ("critical", Severity::Critical)];

/// Checks what a row says.
fn check(row: Row, family: &str, line: usize) -> Result<Rule, String> {
    let condition = if row.pattern.is_empty() { Condition::default() } else { condition::parse(&row.pattern)?.2 };
    if !valid_id(&row.id) {
        return Err("id must be 2 to 64 of a-z, 0-9 and -, beginning with a letter".to_owned());
    }
    let default = if row.names.is_empty() { Detector::Token } else { Detector::Assigned };
    let kinds = &[
        ("token", Detector::Token),
        ("assigned", Detector::Assigned),
        ("key-block", Detector::KeyBlock),
        ("manifest", Detector::Manifest),
        ("entropy", Detector::Entropy),
        ("ceiling", Detector::Ceiling),
        ("known", Detector::Known),
    ];
    let detector = choose("detector", row.detector.as_deref(), default, kinds)?;
    match detector {
        Detector::Token if row.pattern.is_empty() => return Err("a pattern is missing".to_owned()),
        Detector::Assigned if row.names.is_empty() => return Err("names are missing".to_owned()),
        _ => {}
    }
    let secret_bytes_max = row.secret_bytes_max.unwrap_or(limits::RULE_SECRET_BYTES_DEFAULT);
    if !(1..=limits::SECRET_BYTES_MAX).contains(&secret_bytes_max) {
        return Err(format!("secret_bytes_max must be 1 to {}", limits::SECRET_BYTES_MAX));
    }
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let words = |name: &String| name.split(' ').all(word);
    if !row.names.iter().all(words) {
        return Err("names must be lower-case words separated by single spaces".to_owned());
    }
    let weight = choose("severity", Some(&row.severity), Severity::Low, SEVERITIES)?;
    let check = match row.check.as_deref() {
        None => None,
        Some(name) => Some(
            Check::by_name(name)
                .ok_or_else(|| format!("check must be one of {}", Check::names().collect::<Vec<_>>().join(", ")))?,
        ),
    };
    Ok(Rule {
        family: family.into(),
        severity: weight,
        detector,
        strength: choose(
            "strength",
            row.strength.as_deref(),
            Strength::Strong,
            &[("strong", Strength::Strong), ("weak", Strength::Weak)],
        )?,
        check,
        confidence: choose("confidence", row.confidence.as_deref(), Confidence::High, CONFIDENCES)?,
        action: choose(
            "action",
            row.action.as_deref(),
            Action::Redact,
            &[("redact", Action::Redact), ("alert", Action::Alert)],
        )?,
        testing: choose("status", row.status.as_deref(), false, &[("stable", false), ("testing", true)])?,
        secret_bytes_max,
        id: row.id.into(),
        name: row.name.into(),
        pattern: row.pattern.into(),
        names: row.names.into(),
        context: row.context.into(),
        entropy: row.entropy,
        not: Exclusions::default(),
        tags: row.tags.into(),
        reference: row.reference.into(),
        rotate: row.rotate.map(Text::from),
        since: row.since.into(),
        aliases: row.aliases.into(),
        foreign: false,
        off_by_default: row.off_by_default,
        examples: row.examples.into(),
        counterexamples: row.counterexamples.into(),
        line,
        condition: Arc::new(condition),
    })
}
