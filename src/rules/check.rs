//! Turns a rule set into advice for whoever writes its rules. Does not decide what is in force.
//!
//! [`check`] looks at the rules themselves, [`test()`] puts their examples through the whole filter.
//! Nothing here repeats an example or a pattern: a rule file may hold what must not be printed.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Action, Detector, Rule, RuleSet,
    sample::{Rng, fill, from_pattern},
};
use crate::{
    filter::Filter,
    scan::{
        Engine, Entropy, Options,
        pattern::{Pattern, Runs},
        prefilter,
    },
};

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Note,
    /// Works, but not as well as it could.
    Warning,
    /// Does not do what the rule says.
    Error,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        })
    }
}

/// One thing to say about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule's id.
    pub rule: String,
    /// 1-based line of the rule in its file.
    pub line: usize,
    /// How much it matters.
    pub level: Level,
    /// What there is to say.
    pub text: String,
}

/// Examines the rules: what is missing, how each is found in a log, which ones are slow, and which
/// match the same. In the order of the rules.
pub fn check(set: &RuleSet) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let patterns: Vec<Option<Pattern>> =
        set.rules().iter().map(|rule| (!rule.pattern.is_empty()).then(|| Pattern::of(rule))).collect();
    for (index, rule) in set.rules().iter().enumerate() {
        documentation(rule, &mut found);
        if let (Detector::Token, Some(pattern)) = (rule.detector, &patterns[index]) {
            cost(rule, pattern, &mut found);
        }
        overlaps(set.rules(), &patterns, index, &mut found);
    }
    found.extend(set.notices().iter().map(|notice| Diagnostic {
        rule: notice.rule.clone().unwrap_or_default(),
        line: notice.line,
        level: Level::Warning,
        text: notice.text.clone(),
    }));
    found
}

/// Puts every example and counterexample through the whole filter, several bodies each: an example
/// must be found by its own rule, and masked unless the rule only reports; a counterexample must
/// not be found by it.
pub fn test(set: &RuleSet) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let engine = |entropy| Engine::new(set.clone(), Options { entropy, ..Options::default() }).map(Arc::new);
    let (keyed, all) = match (engine(Entropy::Keyed), engine(Entropy::All)) {
        (Ok(keyed), Ok(all)) => (keyed, all),
        (Err(fault), _) | (_, Err(fault)) => {
            let text = fault.to_string();
            return vec![Diagnostic { rule: String::new(), line: 0, level: Level::Error, text }];
        }
    };
    for rule in set.rules() {
        let engine = if rule.detector == Detector::Entropy { &all } else { &keyed };
        for (number, template) in (1..).zip(rule.examples.iter()) {
            say(rule, &mut found, example(engine, rule, template), &format!("example {number}"));
        }
        for (number, template) in (1..).zip(rule.counterexamples.iter()) {
            say(rule, &mut found, counterexample(engine, rule, template), &format!("counterexample {number}"));
        }
    }
    found
}

/// What is wrong with an example, if anything.
fn example(engine: &Arc<Engine>, rule: &Rule, template: &str) -> Result<(), (Level, String)> {
    for seed in 0..BODIES {
        let line = fill(template, &mut Rng::new(seed)).map_err(|fault| (Level::Error, fault))?;
        let seen = through(engine, &line);
        if !seen.changed && rule.action == Action::Redact && !rule.testing {
            return Err((Level::Error, "is not masked".to_owned()));
        }
        if !seen.ids.contains(rule.id.as_str()) {
            let others: Vec<&str> = seen.ids.iter().map(String::as_str).collect();
            return Err(match others.as_slice() {
                [] => (Level::Error, "is not found".to_owned()),
                others => (Level::Warning, format!("is found by {} instead", others.join(", "))),
            });
        }
    }
    Ok(())
}

/// What is wrong with a counterexample, if anything.
fn counterexample(engine: &Arc<Engine>, rule: &Rule, template: &str) -> Result<(), (Level, String)> {
    for seed in 0..BODIES {
        let line = fill(template, &mut Rng::new(seed)).map_err(|fault| (Level::Error, fault))?;
        if through(engine, &line).ids.contains(rule.id.as_str()) {
            return Err((Level::Error, "is found, but must not be".to_owned()));
        }
    }
    Ok(())
}

fn say(rule: &Rule, found: &mut Vec<Diagnostic>, outcome: Result<(), (Level, String)>, what: &str) {
    if let Err((level, text)) = outcome {
        push(rule, found, level, format!("{what} {text}"));
    }
}

struct Seen {
    /// The rules that found something.
    ids: BTreeSet<String>,
    /// Whether anything was masked.
    changed: bool,
}

fn through(engine: &Arc<Engine>, line: &str) -> Seen {
    let mut filter = Filter::new(Arc::clone(engine));
    let mut output = filter.push(line.as_bytes()).to_vec();
    output.extend(filter.push(b"\n").to_vec());
    output.extend(filter.finish().to_vec());
    let ids = filter.take_findings().iter().map(|finding| finding.rule.id.clone()).collect();
    Seen { ids, changed: output.strip_suffix(b"\n") != Some(line.as_bytes()) }
}

/// What a reader of the rule would miss.
fn documentation(rule: &Rule, found: &mut Vec<Diagnostic>) {
    // The name of a mask has nothing to match.
    if rule.foreign || matches!(rule.detector, Detector::Ceiling | Detector::Known) {
        return;
    }
    for (list, name) in [(&rule.examples, "examples"), (&rule.counterexamples, "counterexamples")] {
        if list.len() < EXAMPLES_MIN {
            push(rule, found, Level::Warning, format!("fewer than {EXAMPLES_MIN} {name}"));
        }
    }
    if rule.reference.is_empty() {
        push(rule, found, Level::Warning, "no reference says where the format is documented".to_owned());
    }
}

/// How the rule is found in a log, and what that costs.
fn cost(rule: &Rule, pattern: &Pattern, found: &mut Vec<Diagnostic>) {
    if let Err(fault) = pattern.compile() {
        push(rule, found, Level::Error, fault);
    }
    match pattern.needle() {
        None => push(
            rule,
            found,
            Level::Warning,
            "slow: no literal of 3 characters must stand in a match, so the pattern runs on every line".to_owned(),
        ),
        Some(needle) if needle.before.1 - needle.before.0 > DISTANCE_MAX => push(
            rule,
            found,
            Level::Warning,
            format!(
                "slow: its literal stands {} to {} bytes behind the start of a match, each of which is tried",
                needle.before.0, needle.before.1
            ),
        ),
        Some(_) => {}
    }
    push(rule, found, Level::Note, format!("is looked for where: {}", prefilter::condition(rule)));
}

/// Other token rules that match all that this one matches, as far as samples can tell.
fn overlaps(rules: &[Rule], patterns: &[Option<Pattern>], index: usize, found: &mut Vec<Diagnostic>) {
    let rule = &rules[index];
    if rule.detector != Detector::Token {
        return;
    }
    let mut rng = Rng::new(index as u64);
    let samples: Vec<Vec<u8>> = (0..SAMPLES).map(|_| from_pattern(&rule.pattern, &mut rng)).collect();
    for (other, pattern) in rules.iter().zip(patterns) {
        let Some(pattern) = pattern else { continue };
        if other.id == rule.id || other.detector != Detector::Token {
            continue;
        }
        if samples.iter().all(|sample| covers(pattern, sample)) {
            push(rule, found, Level::Note, format!("rule {} matches the same strings", other.id));
        }
    }
}

/// Whether `pattern` matches the whole of `sample`.
fn covers(pattern: &Pattern, sample: &[u8]) -> bool {
    // Most pairs of rules differ in their literals, and then neither needs to be compiled.
    let lower = sample.to_ascii_lowercase();
    let possible = pattern.needle().is_none_or(|needle| {
        needle.literals.iter().any(|literal| lower.windows(literal.len()).any(|part| part == literal.as_slice()))
    });
    possible && pattern.match_at(sample, 0, &mut Runs::default()).is_some_and(|(found, _)| found.len() == sample.len())
}

fn push(rule: &Rule, found: &mut Vec<Diagnostic>, level: Level, text: String) {
    found.push(Diagnostic { rule: rule.id.to_string(), line: rule.line, level, text });
}

/// How many bodies are drawn for each example.
const BODIES: u64 = 3;

/// How many strings are sampled from a pattern to compare it with others.
const SAMPLES: usize = 4;

/// How many examples and counterexamples a rule should have at least.
const EXAMPLES_MIN: usize = 2;

/// By how much the place of a literal in a match may vary before a rule counts as slow (bytes).
const DISTANCE_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rows: &str) -> RuleSet {
        let mut set = RuleSet::empty();
        set.add(rows, "test.toml", "test").unwrap();
        set
    }

    fn row(id: &str, pattern: &str, rest: &str) -> String {
        format!("[[rule]]\nid = \"{id}\"\nname = \"x\"\nseverity = \"high\"\npattern = '''{pattern}'''\n{rest}\n")
    }

    const DOCUMENTED: &str =
        "reference = \"https://example.com\"\nexamples = [\"a={{\", \"b\"]\ncounterexamples = [\"c\", \"d\"]";

    fn said(list: &[Diagnostic], rule: &str, level: Level) -> Vec<String> {
        list.iter().filter(|one| one.rule == rule && one.level == level).map(|one| one.text.clone()).collect()
    }

    #[test]
    fn missing_documentation_is_said() {
        let list = check(&set(&row("bare-rule", "bare_[a-z]{20}", "")));
        assert_eq!(said(&list, "bare-rule", Level::Warning).len(), 3);
        let list = check(&set(&row("full-rule", "full_[a-z]{20}", DOCUMENTED)));
        assert!(said(&list, "full-rule", Level::Warning).is_empty());
    }

    #[test]
    fn a_rule_without_a_literal_is_slow() {
        let list = check(&set(&row("hex-run", "[0-9a-f]{40}", DOCUMENTED)));
        assert!(said(&list, "hex-run", Level::Warning)[0].starts_with("slow"));
    }

    #[test]
    fn rules_that_match_the_same_are_named() {
        let rows = row("narrow", "same_[a-z]{20}", DOCUMENTED) + &row("wide", "same_[0-9a-z]{10,40}", DOCUMENTED);
        let list = check(&set(&rows));
        assert!(said(&list, "narrow", Level::Note).iter().any(|text| text.contains("rule wide")));
        assert!(!said(&list, "wide", Level::Note).iter().any(|text| text.contains("rule narrow")));
    }

    #[test]
    fn examples_that_do_not_hold_are_errors() {
        let rest = "examples = [\"x testtok_{base62:20} y\", \"testtok_{base62:3}\", \"{broken\"]\ncounterexamples = [\"testtok_{base62:20}\", \"testtok_{base62:4}\"]";
        let list = test(&set(&row("test-token", "testtok_[0-9A-Za-z]{20}", rest)));
        let errors = said(&list, "test-token", Level::Error);
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert!(errors[0].starts_with("example 2 is not"));
        assert!(errors[1].starts_with("example 3"));
        assert!(errors[2].starts_with("counterexample 1 is found"));
    }
}
