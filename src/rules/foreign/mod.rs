//! Turns rule files of gitleaks and betterleaks into rules, and says what of them is not honoured. Does not read files,
//! and asks no server whether a secret is valid.
//!
//! A match is the same text, but two things differ by design: what is looked at is a line of a stream, which has no
//! path and no commit, and nothing that follows a secret decides, but its terminator.

mod filter;
mod re2;

pub(super) use re2::in_our_syntax;

use std::{ops::Range, sync::Arc};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Action, Confidence, Detector, Notice, Rule, Severity, Strength, Text,
    exclusions::{Exclusion, Exclusions, Target},
    format::{describe, line_of, valid_id},
};
use crate::{error::RuleError, limits::SECRET_BYTES_MAX};

/// Whether a text is such a file: it has `[[rules]]`, `[extend]` or `[allowlist]`, which ours do not have.
pub fn is_foreign(text: &str) -> bool {
    let Ok(table) = DeTable::parse(text) else { return false };
    table.get_ref().keys().any(|key| matches!(key.get_ref().as_ref(), "rules" | "extend" | "allowlist" | "allowlists"))
}

/// Reads such a file.
///
/// # Errors
/// The first rule that is not right, with its line.
pub fn parse(text: &str, origin: &str, family: &str) -> Result<(Vec<Rule>, Vec<Notice>), RuleError> {
    let mut reader = Reader { text, origin, family, notices: Vec::new(), global: Vec::new() };
    let table = DeTable::parse(text).map_err(|fault| {
        let at = fault.span().map_or(0, |span| span.start);
        reader.error(at, None, describe(&fault))
    })?;
    let rules = reader.file(table.get_ref())?;
    Ok((rules, reader.notices))
}

type Table<'a> = DeTable<'a>;
type Value<'a> = Spanned<DeValue<'a>>;

struct Reader<'a> {
    text: &'a str,
    origin: &'a str,
    family: &'a str,
    notices: Vec<Notice>,
    /// Allowlists of the whole file, and the rules that they are for (none: all).
    global: Vec<(Exclusions, Vec<String>)>,
}

impl Reader<'_> {
    fn error(&self, at: usize, rule: Option<&str>, reason: String) -> RuleError {
        let rule = rule.map(str::to_owned);
        RuleError { origin: self.origin.to_owned(), line: line_of(self.text, at), rule, reason }
    }

    fn notice(&mut self, at: usize, rule: Option<&str>, text: impl Into<String>) {
        let line = line_of(self.text, at);
        let origin = self.origin.to_owned();
        self.notices.push(Notice { origin, line, rule: rule.map(str::to_owned), text: text.into() });
    }

    fn file(&mut self, table: &Table) -> Result<Vec<Rule>, RuleError> {
        let mut entropy_floor = 0.0;
        let mut disabled = Vec::new();
        for (key, value) in table.iter() {
            let at = key.span().start;
            match key.get_ref().as_ref() {
                // What it is called, and which program it wants.
                "title" | "description" | "minVersion" | "betterleaksMinVersion" | "rules" => {}
                "allowlist" | "allowlists" => {
                    for list in tables(value) {
                        let targets = strings(list.get("targetRules")).into_iter().map(|(text, _)| text).collect();
                        let exclusions = self.allowlist(at, list, None)?;
                        self.global.push((exclusions, targets));
                    }
                }
                "extend" => disabled = self.extend(at, value),
                "filter" => {
                    let filter = self.filter(value, None)?;
                    entropy_floor = filter.entropy;
                    self.global.push((filter.exclusions, Vec::new()));
                }
                "prefilter" => self.notice(at, None, "prefilter: a stream has no path, so nothing is left out by it"),
                name => self.notice(at, None, not_known(name)),
            }
        }
        let mut rules: Vec<Rule> = Vec::new();
        for row in table.get("rules").map(tables_with_spans).unwrap_or_default() {
            for mut rule in self.rule(row.1.start, row.0)? {
                rule.entropy = rule.entropy.max(entropy_floor);
                if rules.iter().any(|other| other.id == rule.id) {
                    return Err(self.error(row.1.start, Some(&rule.id), "the id stands twice in this file".to_owned()));
                }
                rules.push(rule);
            }
        }
        rules.retain(|rule| !disabled.iter().any(|id| rule.id == **id));
        for rule in &mut rules {
            for (exclusions, targets) in &self.global {
                if targets.is_empty() || targets.iter().any(|id| rule.id == **id) {
                    rule.not.extend(exclusions);
                }
            }
        }
        Ok(rules)
    }

    /// The rules that one row becomes: one for each alternative with a group of its own.
    fn rule(&mut self, at: usize, row: &Table) -> Result<Vec<Rule>, RuleError> {
        let Some(given) = row.get("id").and_then(string) else {
            return Err(self.error(at, None, "a required key is missing: `id`".to_owned()));
        };
        let id = given.to_ascii_lowercase().replace(['_', '.', ' ', '/'], "-");
        if !valid_id(&id) {
            return Err(self.error(at, None, "id must be 2 to 64 letters, digits and -".to_owned()));
        }
        if id != given {
            self.notice(at, Some(&id), "the id is written so here");
        }
        let Some((regex, regex_at)) = row.get("regex").and_then(|value| Some((string(value)?, value.span()))) else {
            self.notice(at, Some(&id), "left out: it has no regex, and a stream has no path");
            return Ok(Vec::new());
        };
        let (mut not, mut entropy, mut group, mut skipped) = (Exclusions::default(), 0.0, 0, false);
        let mut confidence = Confidence::High;
        for (key, value) in row.iter() {
            let place = key.span().start;
            match key.get_ref().as_ref() {
                "id" | "description" | "regex" | "keywords" | "tags" => {}
                "entropy" => entropy = number(value).unwrap_or(0.0) as f32,
                "secretGroup" | "valueGroup" => {
                    let index = number(value).filter(|index| (0.0..1000.0).contains(index));
                    group = index.ok_or_else(|| self.error(place, Some(&id), "no such group".to_owned()))? as u32;
                }
                "path" => self.notice(place, Some(&id), "path: a stream has none, so the rule holds everywhere"),
                "allowlist" | "allowlists" => {
                    for list in tables(value) {
                        not.extend(&self.allowlist(place, list, Some(&id))?);
                    }
                }
                "filter" => {
                    let filter = self.filter(value, Some(&id))?;
                    entropy = filter.entropy.max(entropy);
                    not.extend(&filter.exclusions);
                }
                "validate" => self.notice(place, Some(&id), "validate: no server is asked"),
                "required" => self.notice(place, Some(&id), "required: the rule holds by itself"),
                "skipReport" => skipped = matches!(value.get_ref(), DeValue::Boolean(true)),
                "confidence" => match string(value).and_then(|level| confidence_of(&level)) {
                    Some(level) => confidence = level,
                    None => self.notice(place, Some(&id), "confidence: not a level that is known, so it is high"),
                },
                "components" => self.notice(place, Some(&id), "components: the rule holds without them"),
                "specificity" => self.notice(place, Some(&id), "specificity: of two rules, the longer match is taken"),
                "analyze" | "revoke" => self.notice(place, Some(&id), format!("{}: no server is asked", key.get_ref())),
                "tokenEfficiency" => self.notice(place, Some(&id), "tokenEfficiency is not measured"),
                name => self.notice(place, Some(&id), not_known(name)),
            }
        }
        if skipped {
            self.notice(at, Some(&id), "left out: skipReport says that it is a part of other rules");
            return Ok(Vec::new());
        }
        let base = Rule { confidence, ..self.base(&id, line_of(self.text, at), row, entropy, not) };
        if regex.contains("-----BEGIN") && regex.contains("PRIVATE KEY") {
            self.notice(at, Some(&id), "private keys are found line by line, not by this regex");
            return Ok(vec![Rule { detector: Detector::KeyBlock, secret_bytes_max: SECRET_BYTES_MAX, ..base }]);
        }
        let translated = re2::translate(&regex, group).map_err(|why| self.error(regex_at.start, Some(&id), why))?;
        for what in translated.dropped {
            self.notice(regex_at.start, Some(&id), what);
        }
        let keywords: Vec<String> =
            strings(row.get("keywords")).into_iter().map(|(word, _)| word.to_ascii_lowercase()).collect();
        let rules = translated.patterns.into_iter().enumerate().map(|(number, (pattern, condition))| {
            let mut rule = base.clone();
            if number > 0 {
                rule.id = format!("{id}-{}", number + 1).into();
            }
            rule.secret_bytes_max = condition.length_max.min(SECRET_BYTES_MAX);
            if !implied(&keywords, &condition) {
                rule.context = keywords.clone().into();
            }
            rule.pattern = pattern.into();
            rule.condition = Arc::new(condition);
            rule
        });
        Ok(rules.collect())
    }

    /// What all rules of a row have in common.
    fn base(&self, id: &str, line: usize, row: &Table, entropy: f32, not: Exclusions) -> Rule {
        Rule {
            id: id.into(),
            family: self.family.into(),
            name: row
                .get("description")
                .and_then(string)
                .filter(|name| !name.is_empty())
                .unwrap_or(id.to_owned())
                .into(),
            severity: Severity::High,
            detector: Detector::Token,
            pattern: Text::from(""),
            names: Vec::new().into(),
            strength: Strength::Strong,
            check: None,
            confidence: Confidence::High,
            context: Vec::new().into(),
            entropy,
            not,
            action: Action::Redact,
            secret_bytes_max: SECRET_BYTES_MAX,
            tags: strings(row.get("tags")).into_iter().map(|(tag, _)| tag).collect::<Vec<_>>().into(),
            reference: Text::from(""),
            rotate: None,
            since: Text::from(""),
            aliases: Vec::new().into(),
            testing: false,
            foreign: true,
            off_by_default: false,
            examples: Vec::new().into(),
            counterexamples: Vec::new().into(),
            line,
            condition: Arc::default(),
        }
    }

    /// One `allowlist` table.
    fn allowlist(&mut self, at: usize, list: &Table, rule: Option<&str>) -> Result<Exclusions, RuleError> {
        let condition = list.get("condition").and_then(string).unwrap_or_default();
        let both = condition.eq_ignore_ascii_case("and") || condition == "&&";
        let target = match list.get("regexTarget").and_then(string).as_deref() {
            None | Some("" | "secret") => Target::Secret,
            Some("match") => Target::Match,
            Some("line") => {
                self.notice(at, rule, "regexTarget line: the line is looked at as far as the match's end");
                Target::Line
            }
            Some(_) => return Err(self.error(at, rule, "regexTarget must be secret, match or line".to_owned())),
        };
        let mut exclusion = Exclusion::new(both);
        let mut nameless = false;
        for (key, value) in list.iter() {
            let place = key.span().start;
            match key.get_ref().as_ref() {
                "description" | "condition" | "regexTarget" | "targetRules" | "id" => {}
                "regexes" => {
                    for (pattern, span) in strings(Some(value)) {
                        let added = exclusion.pattern(target, &pattern);
                        added.map_err(|why| self.error(span.start, rule, format!("allowlist: {why}")))?;
                    }
                }
                "stopwords" => strings(Some(value)).iter().for_each(|(word, _)| exclusion.word(word)),
                "paths" => {
                    nameless = true;
                    self.notice(place, rule, "allowlist paths: a stream has no path, so nothing is allowed by it");
                }
                "commits" => {
                    nameless = true;
                    self.notice(place, rule, "allowlist commits: a stream has none, so nothing is allowed by them");
                }
                name => self.notice(place, rule, not_known(name)),
            }
        }
        let mut exclusions = Exclusions::default();
        // Where a path must match as well, nothing is allowed.
        if !(both && nameless) {
            exclusions.push(exclusion);
        }
        Ok(exclusions)
    }

    fn filter(&mut self, value: &Value, rule: Option<&str>) -> Result<filter::Filter, RuleError> {
        let at = value.span().start;
        let text = string(value).unwrap_or_default();
        let filter = filter::read(&text).map_err(|why| self.error(at, rule, format!("filter: {why}")))?;
        if filter.unknown {
            self.notice(at, rule, "filter: a part of it is not known, and allows nothing");
        }
        Ok(filter)
    }

    /// `[extend]`: the ids that it takes away.
    fn extend(&mut self, at: usize, value: &Value) -> Vec<String> {
        let mut disabled = Vec::new();
        for list in tables(value) {
            for (key, value) in list.iter() {
                let place = key.span().start;
                match key.get_ref().as_ref() {
                    "useDefault" if matches!(value.get_ref(), DeValue::Boolean(true)) => {
                        self.notice(place, None, "extend useDefault: blackbar's own rules stand for those of gitleaks");
                    }
                    "useDefault" => {}
                    "path" | "url" => self.notice(place, None, "extend: give that file with --rules as well"),
                    "disabledRules" => disabled.extend(strings(Some(value)).into_iter().map(|(id, _)| id)),
                    name => self.notice(place, None, not_known(name)),
                }
            }
        }
        if !disabled.is_empty() {
            self.notice(at, None, "extend disabledRules: holds for the rules of this file; use --disable for others");
        }
        disabled
    }
}

/// Whether every match holds a keyword, as far as its literal tells.
fn implied(keywords: &[String], condition: &super::condition::Condition) -> bool {
    let holds = |literal: &Vec<u8>| {
        keywords.iter().any(|word| {
            let word = word.as_bytes();
            memchr::memmem::find(literal, word).is_some() || memchr::memmem::find(word, literal).is_some()
        })
    };
    keywords.is_empty() || condition.needle.as_ref().is_some_and(|needle| needle.literals.iter().all(holds))
}

/// What is said of a key that nothing is done with.
fn not_known(key: &str) -> String {
    format!("{key}: not known, and not honoured")
}

fn confidence_of(level: &str) -> Option<Confidence> {
    [Confidence::Low, Confidence::Medium, Confidence::High, Confidence::Certain]
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(level))
}

fn string(value: &Value) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value.get_ref() {
        DeValue::Integer(number) => number.as_str().parse().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

/// The strings of a list, or the one string, with their places.
fn strings(value: Option<&Value>) -> Vec<(String, Range<usize>)> {
    match value.map(|value| (value.get_ref(), value.span())) {
        Some((DeValue::String(text), span)) => vec![(text.to_string(), span)],
        Some((DeValue::Array(list), _)) => {
            list.iter().filter_map(|value| Some((string(value)?, value.span()))).collect()
        }
        _ => Vec::new(),
    }
}

/// The tables of a list, or the one table.
fn tables<'a, 'b>(value: &'a Value<'b>) -> Vec<&'a Table<'b>> {
    tables_with_spans(value).into_iter().map(|(table, _)| table).collect()
}

fn tables_with_spans<'a, 'b>(value: &'a Value<'b>) -> Vec<(&'a Table<'b>, Range<usize>)> {
    match value.get_ref() {
        DeValue::Table(table) => vec![(table, value.span())],
        DeValue::Array(list) => list.iter().flat_map(tables_with_spans).collect(),
        _ => Vec::new(),
    }
}
