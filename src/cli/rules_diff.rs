//! Says in what two sets of rules differ. Does not read files.

use std::fmt::Write as _;

use blackbar::{
    escape,
    rules::{Rule, RuleSet},
};

use super::rules::described;

/// One line a rule that was added (`+`), removed (`-`) or changed (`~`), each change below it.
pub fn compare(old: &RuleSet, new: &RuleSet) -> String {
    let mut text = String::new();
    let (mut added, mut removed, mut changed) = (0, 0, 0);
    for rule in old.rules() {
        if new.get(&rule.id).is_none() {
            removed += 1;
            line(&mut text, '-', rule);
        }
    }
    for rule in new.rules() {
        let before = old.get(&rule.id).or_else(|| rule.aliases.iter().find_map(|alias| old.get(alias)));
        let Some(before) = before else {
            added += 1;
            line(&mut text, '+', rule);
            continue;
        };
        let changes = changes(before, rule);
        if !changes.is_empty() {
            changed += 1;
            line(&mut text, '~', rule);
            for change in changes {
                let _ = writeln!(text, "    {}", escape::visible(&change));
            }
        }
    }
    let _ = writeln!(text, "{added} added, {removed} removed, {changed} changed");
    text
}

fn line(text: &mut String, sign: char, rule: &Rule) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{sign} {}  {}", escape::visible(&rule.id), escape::visible(&rule.name));
}

/// What is different, in the words of rule files. The family is where a rule stands, not what it
/// is, so it does not count.
fn changes(old: &Rule, new: &Rule) -> Vec<String> {
    let (before, after) = (described(old), described(new));
    let find =
        |rows: &[(&str, String)], name: &str| rows.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    let mut names: Vec<&str> = before.iter().chain(&after).map(|(name, _)| *name).collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        let first = !seen.contains(name);
        seen.push(*name);
        first && *name != "family"
    });
    let mut changes: Vec<String> = names
        .into_iter()
        .filter_map(|name| match (find(&before, name), find(&after, name)) {
            (old, new) if old == new => None,
            (Some(old), Some(new)) => Some(format!("{name}: {old} -> {new}")),
            (Some(old), None) => Some(format!("{name}: {old} -> none")),
            (None, new) => Some(format!("{name}: none -> {}", new.unwrap_or_default())),
        })
        .collect();
    for (name, old, new) in
        [("examples", &old.examples, &new.examples), ("counterexamples", &old.counterexamples, &new.counterexamples)]
    {
        if old != new {
            changes.push(format!("{name}: {} -> {} lines", old.len(), new.len()));
        }
    }
    changes
}
