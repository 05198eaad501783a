//! Shows that no rule is lost on the way to its pattern: strings sampled from every pattern, in
//! the contexts that logs have, are masked by the whole filter, all of them where nothing but the pattern counts, nearly
//! all by the rules as they are: a template such as `${x}` has the shape of a password, and is none.
//!
//! `BLACKBAR_SAMPLES` sets how many strings a rule are tried (200; a release is tried with 10000).

mod support;

use std::{env, sync::Arc};

use blackbar::{
    redact::Style,
    rules::{
        Action, Detector, Rule, RuleSet, USER_FAMILY,
        check::{self, Level},
        sample::{Rng, from_pattern},
    },
    scan::{Engine, Entropy, Options},
};
use regex::bytes::{Regex, RegexBuilder};

/// What may stand around a match. In the last two the match is escaped as JSON has it.
const CONTEXTS: &[(&str, &str, bool)] = &[
    ("", "", false),
    ("", " used", false),
    ("using ", "", false),
    ("value=", " next=1", false),
    ("'", "'", false),
    ("(", "), ok", false),
    ("\u{1b}[31m", "\u{1b}[0m", false),
    ("{\"msg\":\"a ", " b\"}", true),
    ("{\"msg\":\"line\\n", "\\nend\"}", true),
];

#[test]
fn strings_sampled_from_every_token_rule_are_masked() {
    let engines = [bare_engine(), support::default_engine()];
    let samples = env::var("BLACKBAR_SAMPLES").ok().and_then(|text| text.parse().ok()).unwrap_or(SAMPLES);
    let rules = support::default_rules();
    let mut faults = Vec::new();
    for rule in rules.rules().iter().filter(|rule| rule.detector == Detector::Token) {
        if rule.testing || rule.action == Action::Alert {
            continue;
        }
        if let Err(fault) = try_rule(&engines, rule, samples) {
            faults.push(format!("{}: {fault}", rule.id));
        }
    }
    assert!(faults.is_empty(), "{} rules:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_example_is_found_and_no_counterexample_is() {
    let said = check::test(&support::default_rules());
    let errors: Vec<String> = said
        .iter()
        .filter(|one| one.level == Level::Error)
        .map(|one| format!("{} (line {}): {}", one.rule, one.line, one.text))
        .collect();
    assert!(errors.is_empty(), "{} errors:\n{}", errors.len(), errors.join("\n"));
}

#[test]
fn no_rule_is_wrong_in_itself() {
    let said = check::check(&support::default_rules());
    let errors: Vec<_> = said.iter().filter(|one| one.level >= Level::Warning).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// An engine with the patterns of all rules, as those of a user, of which nothing is asked but that they match. What a
/// rule derives from its pattern, and so what the prefilter looks for, is the same.
fn bare_engine() -> Arc<Engine> {
    let mut rules = RuleSet::empty();
    let all = support::default_rules();
    for rule in all.rules().iter().filter(|rule| rule.detector == Detector::Token) {
        let row = format!(
            "[[rule]]\nid = \"{}\"\nname = \"x\"\nseverity = \"high\"\nsecret_bytes_max = {}\npattern = {}\n",
            rule.id,
            rule.secret_bytes_max,
            toml::Value::from(rule.pattern.to_string())
        );
        rules.add(&row, "bare", USER_FAMILY).unwrap();
    }
    let options = Options { style: Style::Fixed, entropy: Entropy::Off, ..Options::default() };
    Arc::new(Engine::new(rules, options).unwrap())
}

fn try_rule([bare, engine]: &[Arc<Engine>; 2], rule: &Rule, samples: usize) -> Result<(), String> {
    let regex = RegexBuilder::new(&format!("^(?:{})", rule.pattern))
        .unicode(false)
        .build()
        .map_err(|_| "the pattern does not compile")?;
    let mut rng = Rng::new(1);
    let (mut judged, mut tried) = (0, 0);
    for number in 0..samples {
        let sample = from_pattern(&rule.pattern, &mut rng);
        let secret = secret_of(&regex, &sample).ok_or("a sampled string does not match")?;
        if entropy(secret) < f64::from(rule.entropy) || secret.len() > rule.secret_bytes_max {
            continue;
        }
        tried += 1;
        let line = line(rule, &sample, number);
        let is_readable = |engine| {
            let output = support::whole(engine, &line);
            match secret.len() {
                0..4 => output == line,
                _ => output.windows(secret.len()).any(|part| part == secret),
            }
        };
        if is_readable(bare) {
            return Err(format!("lost in {}", support::shown(&line)));
        }
        if !is_readable(engine) {
            continue;
        }
        judged += 1;
        if judged * JUDGED_SHARE > samples {
            return Err(format!("{judged} of {tried} are let pass, the last one {}", support::shown(&line)));
        }
    }
    Ok(())
}

/// The sample in a context, with one of the words that the rule wants to its left.
fn line(rule: &Rule, sample: &[u8], number: usize) -> Vec<u8> {
    let (before, behind, escaped) = CONTEXTS[number % CONTEXTS.len()];
    let word = rule.context.iter().next().map(|word| format!("{word} ")).unwrap_or_default();
    let body = match std::str::from_utf8(sample) {
        Ok(text) if escaped => {
            let quoted = serde_json::to_string(text).unwrap();
            quoted.as_bytes()[1..quoted.len() - 1].to_vec()
        }
        _ => sample.to_vec(),
    };
    [before.as_bytes(), word.as_bytes(), &body, behind.as_bytes(), b"\n"].concat()
}

/// The part that is masked, without what a JSON string would escape in it.
fn secret_of<'a>(regex: &Regex, sample: &'a [u8]) -> Option<&'a [u8]> {
    let found = regex.captures(sample)?;
    found.name("secret").or(found.get(0)).map(|group| group.as_bytes())
}

/// Shannon entropy in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0usize; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let total = bytes.len() as f64;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| -(count as f64 / total) * (count as f64 / total).log2())
        .sum()
}

const SAMPLES: usize = 200;

/// At most one in so many samples may be let pass by the judge.
const JUDGED_SHARE: usize = 20;

/// Names and values in layouts: see the file.
#[derive(serde::Deserialize)]
struct Layouts {
    heads: Vec<String>,
    names: Vec<String>,
    values: Vec<String>,
    layouts: Vec<String>,
}

impl Layouts {
    /// Each layout with each of its names, beside each value and behind each head at least once; and with some of the rules' names.
    fn lines(&self, rules: &RuleSet) -> Vec<String> {
        let of_rules: Vec<&str> = rules.rules().iter().flat_map(|rule| rule.names.iter()).collect();
        let mut of_rules = of_rules.iter().cycle();
        let mut lines = Vec::new();
        for layout in &self.layouts {
            let names =
                self.names.iter().map(|name| &**name).chain(of_rules.by_ref().step_by(7).take(NAMES_OF_RULES).copied());
            for name in names {
                let line = |head: usize, value: usize| {
                    let value = &self.values[value % self.values.len()];
                    self.heads[head].clone() + &layout.replace("<N>", name).replace("<V>", value)
                };
                let turns = (0..self.heads.len()).flat_map(|head| [(head, head), (head, head + lines.len())]);
                let all: Vec<String> = turns.map(|(head, value)| line(head, value)).collect();
                lines.extend(all);
            }
        }
        lines
    }
}

#[test]
fn a_line_is_masked_alike_whether_its_key_names_it_or_every_line_is_scanned() {
    let layouts: Layouts = toml::from_str(include_str!("data/layouts.toml")).unwrap();
    let rules = support::default_rules();
    let engine = support::default_engine();
    let forced = Options { entropy: Entropy::All, ..Options::default() };
    let forced = Arc::new(Engine::new(rules, forced).unwrap());
    let (mut faults, mut masked) = (Vec::new(), 0);
    let lines = layouts.lines(&support::default_rules());
    for line in &lines {
        let line = format!("{line}\n").into_bytes();
        let output = support::whole(&engine, &line);
        masked += usize::from(output != line);
        for (how, other) in
            [("every line scanned", support::whole(&forced, &line)), ("twice", support::whole(&engine, &output))]
        {
            if !other.windows(RANDOM.len()).any(|part| part == RANDOM) {
                faults.extend(support::same(how, &line, &other, &output).err());
            }
        }
    }
    assert!(masked * 5 > lines.len(), "{masked} of {} lines are masked", lines.len());
    let count = faults.len();
    faults.truncate(20);
    assert!(faults.is_empty(), "{count} of {} lines:\n{}", lines.len(), faults.join("\n"));
}

/// How many of the names of rules stand in a layout.
const NAMES_OF_RULES: usize = 6;

/// The mask of what only `--entropy all` finds.
const RANDOM: &[u8] = b"[REDACTED:random-token]";

#[test]
fn a_line_with_colours_is_masked_alike_whether_it_is_read_by_itself_or_with_others() {
    let layouts: Layouts = toml::from_str(include_str!("data/layouts.toml")).unwrap();
    let engine = support::default_engine();
    let (lines, tokens) = (layouts.lines(&support::default_rules()), lines_with_tokens());
    let mut secrets = lines.iter().map(String::as_bytes).zip(tokens.iter().cycle());
    let mut masked = 0;
    let blocks = lines.len() * CLEAN_LINES / LINES_OF_A_BLOCK;
    for number in 0..blocks {
        // One line in so many holds something, so that the others are still read together.
        let mut block = Vec::new();
        for clean in 0..LINES_OF_A_BLOCK {
            block.extend_from_slice(
                format!("\x1b[2m{clean}\x1b[0m \x1b[32mCompiling\x1b[0m step {number}\n").as_bytes(),
            );
            if clean % CLEAN_LINES == CLEAN_LINES / 2
                && let Some((line, token)) = secrets.next()
            {
                block.extend_from_slice(&coloured(if number % 2 == 0 { line } else { token }, number + clean));
            }
        }
        let lines: Vec<(&[u8], bool)> =
            block.split_inclusive(|&byte| byte == b'\n').map(|line| (line, false)).collect();
        let output = support::whole(&engine, &block);
        support::same("together", &block, &support::in_pieces(&engine, &lines), &output).unwrap();
        masked += usize::from(output != block);
    }
    assert!(masked * MASKED_SHARE > blocks, "{masked} of {blocks} blocks hold masks");
}

/// Lines with a token of each rule.
fn lines_with_tokens() -> Vec<Vec<u8>> {
    let (rules, mut rng) = (support::default_rules(), Rng::new(1));
    let tokens = rules.rules().iter().filter(|rule| rule.detector == Detector::Token).enumerate();
    tokens.map(|(number, rule)| line(rule, &from_pattern(&rule.pattern, &mut rng), number)).collect()
}

/// A line with escapes at some of its words, or within them, by number, and a line end.
fn coloured(line: &[u8], number: usize) -> Vec<u8> {
    const ESCAPES: [&str; 6] =
        ["\x1b[31m", "\x1b[0m", "\x1b[1;36m", "\x1b[K", "\x1b]8;;https://a.example/\x1b\\", "\x1b(B"];
    let mut coloured = Vec::new();
    for (place, &byte) in line.iter().filter(|&&byte| byte != b'\n').enumerate() {
        if (place + number).is_multiple_of(3 + number % 11) {
            coloured.extend_from_slice(ESCAPES[(place + number) % ESCAPES.len()].as_bytes());
        }
        coloured.push(byte);
    }
    coloured.push(b'\n');
    coloured
}

/// How many clean lines a block has, and how many of them stand before one that may hold a secret and behind the one before.
const LINES_OF_A_BLOCK: usize = 96;
const CLEAN_LINES: usize = 8;
/// At least one in so many blocks is masked somewhere.
const MASKED_SHARE: usize = 2;
