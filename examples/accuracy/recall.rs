//! Turns generated tokens into the share of them that is masked. Does not judge which formats matter.

use std::{collections::BTreeMap, sync::Arc};

use blackbar::{
    Engine, Filter,
    rules::{
        Action, Detector, Rule,
        sample::{Rng, fill, from_pattern},
    },
};

use super::{
    Settings,
    contexts::{CONTEXTS, Context},
    formats::FORMATS,
    generic, readings,
};

/// Found and tried, by name.
#[derive(Default)]
struct Table(BTreeMap<String, (usize, usize)>);

impl Table {
    fn count(&mut self, name: &str, found: bool) {
        let entry = self.0.entry(name.to_owned()).or_default();
        entry.0 += usize::from(found);
        entry.1 += 1;
    }

    /// Prints the sum, and the rows that are below it all: where something was lost.
    fn print(&self, title: &str) {
        let (found, tried) = self.0.values().fold((0, 0), |(f, t), (found, tried)| (f + found, t + tried));
        println!("{title}: {found} of {tried} ({:.2} %)", 100.0 * found as f64 / tried.max(1) as f64);
        for (name, (found, tried)) in &self.0 {
            if found < tried {
                println!("  {:6.2} %  {name} ({found} of {tried})", 100.0 * *found as f64 / *tried as f64);
            }
        }
    }
}

/// What was lost, to be shown.
struct Lost {
    lines: Vec<String>,
    most: usize,
}

/// Draws tokens, hides them in every context, and prints what is found of them.
pub fn report(engine: &Arc<Engine>, settings: &Settings) {
    let mut rng = Rng::new(settings.seed);
    formats(engine, &mut rng, settings);
    assigned(engine, &mut rng, settings);
    families(engine, &mut rng, settings);
}

/// Tokens of the vendors' documented formats.
fn formats(engine: &Arc<Engine>, rng: &mut Rng, settings: &Settings) {
    let (mut by_format, mut by_context) = (Table::default(), Table::default());
    let mut lost = Lost { lines: Vec::new(), most: settings.samples * 6 };
    for format in FORMATS {
        for context in CONTEXTS.iter().filter(|context| format.1.is_none() || !context.bare) {
            for _ in 0..settings.tokens {
                let secret = draw(format.2, rng);
                let key = format.1.unwrap_or("value");
                // What every token of the format begins with betrays nothing.
                let fixed = format.2.find('{').unwrap_or(0);
                let found = try_one(engine, context, key, (&secret, fixed), &mut lost);
                by_format.count(format.0, found);
                by_context.count(context.name, found);
            }
        }
    }
    by_format.print(&format!("\nprovider tokens, {} documented formats, each in every context", FORMATS.len()));
    by_context.print("the same by context");
    lost.print();
}

/// Values assigned to key names.
fn assigned(engine: &Arc<Engine>, rng: &mut Rng, settings: &Settings) {
    let (mut by_value, mut by_context, mut by_key) = (Table::default(), Table::default(), Table::default());
    let mut lost = Lost { lines: Vec::new(), most: settings.samples * 6 };
    let strong = generic::STRONG.iter().map(|key| (*key, generic::is_chosen(key)));
    for (key, chosen) in strong.chain(generic::WEAK.iter().map(|key| (*key, false))) {
        for context in CONTEXTS.iter().filter(|context| !context.bare) {
            let values = generic::MADE.iter().chain(if chosen { generic::CHOSEN } else { &[] });
            for template in values {
                let secret = draw(template, rng);
                let found = try_one(engine, context, key, (&secret, 0), &mut lost);
                by_value.count(template, found);
                by_context.count(context.name, found);
                by_key.count(key, found);
            }
        }
    }
    by_value.print("\nassigned generic secrets, by value");
    by_context.print("the same by context");
    by_key.print("the same by key");
    lost.print();
}

/// Tokens drawn from the rules' own patterns: shows what is lost on the way to a pattern, not whether it is right.
fn families(engine: &Arc<Engine>, rng: &mut Rng, settings: &Settings) {
    let mut by_family = Table::default();
    let mut lost = Lost { lines: Vec::new(), most: settings.samples * 2 };
    let provider = |rule: &&Rule| {
        matches!(rule.detector, Detector::Token | Detector::Assigned)
            && !rule.pattern.is_empty()
            && rule.action == Action::Redact
            && !rule.testing
            && *rule.family != *"structures"
            && !rule.pattern.contains("(?P<secret>")
    };
    for rule in engine.rules().rules().iter().filter(provider) {
        let names: Vec<&str> = rule.names.iter().collect();
        let word = rule.context.iter().next().unwrap_or_default();
        for context in CONTEXTS.iter().filter(|context| names.is_empty() || !context.bare) {
            for _ in 0..settings.tokens {
                let secret = String::from_utf8_lossy(&from_pattern(&rule.pattern, rng)).into_owned();
                // A pattern says less than its entropy floor: a draw below it is no token of this rule.
                if rule.entropy > 0.0 && entropy(secret.as_bytes()) < f64::from(rule.entropy) {
                    continue;
                }
                let key = match names.is_empty() {
                    true => format!("{word}value"),
                    false => rng.pick(&names).replace(' ', "_"),
                };
                let fitting = word.is_empty() || !context.bare;
                if fitting {
                    let found = try_one(engine, context, &key, (&secret, secret.len() / 2), &mut lost);
                    by_family.count(&format!("{}: {}", rule.family, rule.id), found);
                }
            }
        }
    }
    by_family.print("\ntokens drawn from the rules' own patterns, by rule");
    lost.print();
}

fn draw(template: &str, rng: &mut Rng) -> String {
    fill(template, rng).expect("templates are right")
}

/// Whether nothing of a secret can be read behind its first `fixed` bytes.
fn try_one(
    engine: &Arc<Engine>,
    context: &Context,
    key: &str,
    (secret, fixed): (&str, usize),
    lost: &mut Lost,
) -> bool {
    let mut line = (context.write)(key, secret);
    if context.newline {
        line.push('\n');
    }
    let mut filter = Filter::new(Arc::clone(engine));
    let mut output = filter.push(line.as_bytes()).to_vec();
    output.extend(filter.finish().to_vec());
    let found = !readings::leaks(&output, &secret.as_bytes()[fixed..]);
    if !found {
        lost.lines.push(format!("{}: {}", context.name, line.trim_end().escape_debug()));
    }
    found
}

impl Lost {
    /// Shows some of what was lost, taken evenly. All of it was drawn here: none is anybody's secret.
    fn print(&self) {
        let step = self.lines.len().div_ceil(self.most.max(1)).max(1);
        self.lines.iter().step_by(step).take(self.most).for_each(|line| println!("    lost: {line}"));
    }
}

fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0usize; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let share = |count: usize| count as f64 / bytes.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|&count| -share(count) * share(count).log2()).sum()
}
