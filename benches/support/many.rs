//! Turns a number into that many rules as vendors' formats are: own prefixes, own lengths. Does
//! not copy formats of vendors.

use blackbar::{RuleSet, rules::sample::Rng};

use super::default_rules;

/// The default rules, and generated ones until there are `times` as many, in the same mixture of
/// token rules and named rules.
pub fn rules(times: usize) -> RuleSet {
    let mut set = default_rules();
    let patterned: Vec<bool> =
        set.rules().iter().filter(|rule| !rule.pattern.is_empty()).map(|rule| !rule.names.is_empty()).collect();
    let mut rng = Rng::new(SEED);
    let mut text = String::new();
    for round in 1..times {
        for (index, named) in patterned.iter().enumerate() {
            text += &if *named { named_rule(round, index, &mut rng) } else { token_rule(round, index, &mut rng) };
        }
    }
    set.add(&text, "generated", "generated").unwrap();
    set
}

/// A prefix of its own, then a body.
fn token_rule(round: usize, index: usize, rng: &mut Rng) -> String {
    let vendor = vendor(rng);
    let prefix = match rng.below(8) {
        0 => vendor.to_uppercase(),
        1 => format!("{vendor}_live_"),
        2 => format!("{vendor}-"),
        3 => format!("{vendor}_pat_"),
        4 => format!("{}{}_", &vendor[..3], rng.below(10)),
        5 => format!("{vendor}.v1."),
        _ => format!("{vendor}_"),
    };
    let literal = prefix.replace('.', "\\.");
    let (class, length) = *rng.pick(&[
        ("[0-9A-Za-z]", 32),
        ("[0-9A-Za-z]", 40),
        ("[0-9A-Za-z_-]", 43),
        ("[0-9a-f]", 32),
        ("[0-9a-f]", 64),
        ("[0-9A-Z]", 24),
    ]);
    let open = if rng.below(3) == 0 { format!("{{{length},{}}}", 4 * length) } else { format!("{{{length}}}") };
    row(round, index, &format!("{literal}{class}{open}"), "")
}

/// A value without a shape of its own, beside the vendor's name.
fn named_rule(round: usize, index: usize, rng: &mut Rng) -> String {
    let vendor = format!("{}{}", vendor(rng), vendor(rng));
    let what = *rng.pick(&["api key", "token", "secret", "access key", "client secret"]);
    let value = *rng.pick(&["[0-9a-f]{32}", "[0-9A-Za-z]{40}", "[0-9a-f]{40}", "[0-9A-Za-z_-]{24,64}"]);
    row(round, index, value, &format!("names = [\"{vendor} {what}\"]\n"))
}

fn row(round: usize, index: usize, pattern: &str, more: &str) -> String {
    format!(
        "[[rule]]\nid = \"generated-{round}-{index}\"\nname = \"Generated token\"\nseverity = \"high\"\n\
         pattern = '''{pattern}'''\n{more}reference = \"https://example.com/\"\nexamples = []\n\
         counterexamples = []\nsince = \"0.1.0\"\n\n"
    )
}

/// Five letters that can be said and are hardly a word.
fn vendor(rng: &mut Rng) -> String {
    [CONSONANTS, VOWELS, CONSONANTS, VOWELS, CONSONANTS].map(|letters| *rng.pick::<char>(letters)).iter().collect()
}

const CONSONANTS: &[char] = &['b', 'c', 'd', 'f', 'g', 'h', 'k', 'l', 'm', 'n', 'p', 'q', 'r', 's', 't', 'v', 'x', 'z'];
const VOWELS: &[char] = &['a', 'e', 'i', 'o', 'u', 'y'];

const SEED: u64 = 10;
