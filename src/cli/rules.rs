//! `blackbar rules list|show|check|test|diff`: says what rules there are and whether they are right.
//! Does not match anything itself.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt::Write as _,
    io::{self, IsTerminal as _},
    path::Path,
};

use blackbar::{
    escape,
    finding::ndjson,
    rules::{
        Action, Detector, Rule, RuleSet, Strength, Text,
        check::{self, Diagnostic, Level},
        checks::Check,
    },
};
use clap::ArgMatches;
use serde_json::{Map, Value, json};

use super::{
    exit::{Exit, Failure},
    files, output, rules_diff,
    settings::Settings,
    setup,
    summary::counted,
};

/// Runs the command `action`.
pub fn run(action: &str, matches: &ArgMatches, settings: &Settings) -> Result<Exit, Failure> {
    let given: Vec<&OsString> = match matches.try_get_many::<OsString>("file") {
        Ok(Some(files)) => files.collect(),
        _ => Vec::new(),
    };
    match action {
        "show" => {
            let id = matches.get_one::<String>("id").map(String::as_str).unwrap_or_default();
            show(id, settings)
        }
        "check" => judge(given.first(), settings, check::check),
        "test" => judge(given.first(), settings, check::test),
        "diff" => diff(&given),
        _ => list(settings, matches.get_flag("json")),
    }
}

fn list(settings: &Settings, as_json: bool) -> Result<Exit, Failure> {
    let all = setup::all_rules(settings)?;
    let in_force = setup::rules(settings)?;
    let is_on = |rule: &Rule| in_force.rules().iter().any(|on| on.id == rule.id);
    if as_json {
        let lines = all.rules().iter().flat_map(|rule| ndjson::visible_line(&fields(rule, is_on(rule))));
        return output::print(&String::from_utf8_lossy(&lines.collect::<Vec<u8>>()));
    }
    let mut families: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in all.rules() {
        families.entry(&rule.family).or_default().push(rule);
    }
    let width = all.rules().iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let columns = terminal_columns();
    let mut text = String::new();
    for (family, rules) in families {
        let _ = writeln!(text, "{} ({})", escape::visible(family), rules.len());
        for rule in rules {
            let marks: String = marks(rule, is_on(rule)).iter().map(|mark| format!(" [{mark}]")).collect();
            let Rule { id, severity, confidence, name, .. } = rule;
            let row = format!("  {id:width$}  {severity:8}  {confidence:7}  {}{marks}", escape::visible(name));
            let _ = writeln!(text, "{}", shortened(&row, columns));
        }
        text.push('\n');
    }
    let (on, of) = (in_force.rules().len(), all.rules().len());
    let _ = writeln!(text, "{on} of {of} rules in force, {}", in_force.digest());
    output::print(&text)
}

/// What is out of the ordinary about a rule.
fn marks(rule: &Rule, is_on: bool) -> Vec<&'static str> {
    let marks = [
        (!is_on, "off"),
        (rule.testing, "testing: reports, does not mask"),
        (rule.action == Action::Alert && !rule.testing, "reports, does not mask"),
    ];
    marks.into_iter().filter_map(|(holds, mark)| holds.then_some(mark)).collect()
}

/// The columns of the terminal that the list goes to, if it goes to one.
fn terminal_columns() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    #[cfg(unix)]
    return rustix::termios::tcgetwinsize(io::stdout())
        .ok()
        .map(|size| size.ws_col.into())
        .filter(|&columns| columns > 20);
    #[cfg(not(unix))]
    None
}

fn shortened(row: &str, columns: Option<usize>) -> String {
    match columns {
        Some(columns) if row.chars().count() > columns => row.chars().take(columns - 1).chain(['…']).collect(),
        _ => row.to_owned(),
    }
}

/// A rule as JSON; what it does not have is left out.
fn fields(rule: &Rule, is_on: bool) -> Map<String, Value> {
    let value = json!({
        "id": rule.id, "name": rule.name, "family": rule.family, "enabled": is_on,
        "severity": rule.severity.as_str(), "confidence": rule.confidence.as_str(),
        "action": if masks(rule) { "redact" } else { "alert" },
        "status": if rule.testing { "testing" } else { "stable" },
        "reference": rule.reference, "rotate": rule.rotate, "since": rule.since,
        "tags": rule.tags, "aliases": rule.aliases,
    });
    let Value::Object(mut fields) = value else {
        return Map::new();
    };
    fields.retain(|_, value| {
        !(value.is_null() || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty))
    });
    fields
}

fn masks(rule: &Rule) -> bool {
    rule.action == Action::Redact && !rule.testing
}

fn show(id: &str, settings: &Settings) -> Result<Exit, Failure> {
    let all = setup::all_rules(settings)?;
    let Some(rule) = all.get(id) else {
        // The id is not repeated: it could be anything that was pasted there.
        return Err(Failure::usage("no rule has this id; see 'blackbar rules list'"));
    };
    let is_on = setup::rules(settings)?.get(&rule.id).is_some();
    let mut text = String::new();
    for (name, value) in described(rule) {
        let _ = writeln!(text, "{name:17}  {}", escape::visible(&value));
    }
    let _ = writeln!(text, "{:17}  {}", "in force", if is_on { "yes" } else { "no" });
    for (title, lines) in [("examples", &rule.examples), ("counterexamples", &rule.counterexamples)] {
        if !lines.is_empty() {
            let _ = writeln!(text, "{title}, as templates");
        }
        for line in lines.iter() {
            let _ = writeln!(text, "  {}", escape::visible(line));
        }
    }
    output::print(&text)
}

/// All of a rule but its examples, as names and texts; what it does not have is left out. The names
/// are those of rule files.
pub fn described(rule: &Rule) -> Vec<(&'static str, String)> {
    let detector = match rule.detector {
        Detector::Token => "token",
        Detector::Assigned => "assigned",
        Detector::KeyBlock => "key-block",
        Detector::Manifest => "manifest",
        Detector::Entropy => "entropy",
        Detector::Ceiling => "ceiling",
        Detector::Known => "known",
    };
    let strength = match (rule.detector, rule.strength) {
        (Detector::Assigned, Strength::Strong) => "strong",
        (Detector::Assigned, Strength::Weak) => "weak",
        _ => "",
    };
    let rows = [
        ("id", rule.id.to_string()),
        ("name", rule.name.to_string()),
        ("family", rule.family.to_string()),
        ("severity", rule.severity.to_string()),
        ("confidence", rule.confidence.to_string()),
        ("action", if rule.action == Action::Redact { "redact" } else { "alert" }.to_owned()),
        ("status", if rule.testing { "testing" } else { "stable" }.to_owned()),
        ("off_by_default", if rule.off_by_default { "true" } else { "" }.to_owned()),
        ("detector", detector.to_owned()),
        ("pattern", rule.pattern.to_string()),
        ("names", rule.names.join(", ")),
        ("strength", strength.to_owned()),
        ("check", rule.check.and_then(check_name).unwrap_or_default().to_owned()),
        ("context", rule.context.join(", ")),
        ("entropy", if rule.entropy > 0.0 { rule.entropy.to_string() } else { String::new() }),
        ("secret_bytes_max", rule.secret_bytes_max.to_string()),
        ("tags", rule.tags.join(", ")),
        ("aliases", rule.aliases.join(", ")),
        ("since", rule.since.to_string()),
        ("reference", rule.reference.to_string()),
        ("rotate", rule.rotate.as_ref().map(Text::to_string).unwrap_or_default()),
    ];
    rows.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn check_name(check: Check) -> Option<&'static str> {
    Check::names().find(|name| Check::by_name(name) == Some(check))
}

/// `check` and `test`: prints what the library says of the rules in force, or of a file's.
fn judge(file: Option<&&OsString>, settings: &Settings, ask: fn(&RuleSet) -> Vec<Diagnostic>) -> Result<Exit, Failure> {
    let set = match file {
        Some(path) => file_rules(path)?,
        None => setup::rules(settings)?,
    };
    let name = file.map(|path| files::shown(Path::new(path)));
    let found = ask(&set);
    let mut text = String::new();
    for diagnostic in &found {
        let Diagnostic { rule, line, level, text: said } = diagnostic;
        // Notes are for whoever writes the rules; there is one for each that is built in.
        if *level == Level::Note && file.is_none() {
            continue;
        }
        // Without a file the line would be that of an embedded family, which the user can't open.
        let place = name.as_ref().map(|name| format!("{name}:{line}: ")).unwrap_or_default();
        let word = match level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        let about = if rule.is_empty() { String::new() } else { format!("rule {}: ", escape::visible(rule)) };
        let _ = writeln!(text, "{place}{word}: {about}{}", escape::visible(said));
    }
    let count = |wanted: Level| found.iter().filter(|diagnostic| diagnostic.level == wanted).count() as u64;
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    let rules = set.rules().len() as u64;
    let parts = [(rules, "rule"), (errors, "error"), (warnings, "warning")];
    let _ = writeln!(text, "{}", parts.map(|(number, noun)| counted(number, noun)).join(", "));
    match output::print(&text)? {
        Exit::Done if errors > 0 => Ok(Exit::Usage),
        exit => Ok(exit),
    }
}

fn file_rules(path: &OsString) -> Result<RuleSet, Failure> {
    let mut set = RuleSet::empty();
    setup::add_file(&mut set, Path::new(path)).map_err(Failure::usage)?;
    Ok(set)
}

fn diff(given: &[&OsString]) -> Result<Exit, Failure> {
    let (old, new) = match given {
        [old, new] => (file_rules(old)?, file_rules(new)?),
        [new] => (setup::builtin()?, file_rules(new)?),
        _ => return Err(Failure::usage("FILE is missing")),
    };
    output::print(&rules_diff::compare(&old, &new))
}
