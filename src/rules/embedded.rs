//! Turns the table that the build script made of `patterns/*.toml` into rules. Does not parse: at
//! start-up there is no time for that.

use std::sync::Arc;

use super::{
    Action, Confidence, Detector, List, Rule, Severity, Strength, Text,
    checks::Check,
    condition::{ByteSet, Condition, Needle, Reach, Run, Step},
    exclusions::Exclusions,
};

/// A row of a rule file, and the condition of its pattern.
struct Embedded {
    family: Text,
    line: usize,
    id: Text,
    name: Text,
    severity: Severity,
    pattern: Text,
    detector: Detector,
    names: List,
    strength: Strength,
    check: Option<Check>,
    confidence: Confidence,
    context: List,
    entropy: f32,
    action: Action,
    secret_bytes_max: usize,
    tags: List,
    reference: Text,
    rotate: Option<Text>,
    since: Text,
    aliases: List,
    testing: bool,
    off_by_default: bool,
    examples: List,
    counterexamples: List,
    length_max: usize,
    secret_is_whole: bool,
    literals: List,
    before: (usize, usize),
    begins: List,
    /// From where to where in [`STEPS`].
    steps: (usize, usize),
    reaches: [Option<Reached>; 2],
    run: Option<(usize, Option<u8>)>,
}

/// The fields of a [`Reach`].
type Reached = (usize, [u64; 4], u8, usize);

/// Sorted by family, in the order of their files.
static TABLE: &[Embedded] = &include!(concat!(env!("OUT_DIR"), "/rules.rs"));
/// All texts of the table.
static TEXTS: &str = include_str!(concat!(env!("OUT_DIR"), "/texts.txt"));
/// The texts of all lists of the table.
static LISTS: &[Text] = &include!(concat!(env!("OUT_DIR"), "/lists.rs"));
/// What the bytes of matches are, of all rules of the table.
static STEPS: &[Step] = &include!(concat!(env!("OUT_DIR"), "/steps.rs"));

/// A text of the table.
pub(super) fn text(start: u32, end: u32) -> &'static str {
    &TEXTS[start as usize..end as usize]
}

/// Texts of the lists of the table.
pub(super) fn list(start: u32, end: u32) -> &'static [Text] {
    &LISTS[start as usize..end as usize]
}

/// The embedded rules.
pub(super) fn rules() -> Vec<Rule> {
    TABLE.iter().map(Embedded::rule).collect()
}

impl Embedded {
    fn rule(&self) -> Rule {
        Rule {
            id: self.id.clone(),
            family: self.family.clone(),
            name: self.name.clone(),
            severity: self.severity,
            detector: self.detector,
            pattern: self.pattern.clone(),
            names: self.names.clone(),
            strength: self.strength,
            check: self.check,
            confidence: self.confidence,
            context: self.context.clone(),
            entropy: self.entropy,
            not: Exclusions::default(),
            action: self.action,
            secret_bytes_max: self.secret_bytes_max,
            tags: self.tags.clone(),
            reference: self.reference.clone(),
            rotate: self.rotate.clone(),
            since: self.since.clone(),
            aliases: self.aliases.clone(),
            testing: self.testing,
            foreign: false,
            off_by_default: self.off_by_default,
            examples: self.examples.clone(),
            counterexamples: self.counterexamples.clone(),
            line: self.line,
            condition: Arc::new(self.condition()),
        }
    }

    fn condition(&self) -> Condition {
        let needle = Needle {
            literals: self.literals.iter().map(|word| word.as_bytes().to_vec()).collect(),
            before: self.before,
            begins: self.begins.iter().map(|word| word.as_bytes().to_vec()).collect(),
            steps: STEPS[self.steps.0..self.steps.1].into(),
            reaches: self
                .reaches
                .map(|reach| reach.map(|(from, set, byte, most)| Reach { from, set: ByteSet(set), byte, most })),
        };
        Condition {
            length_max: self.length_max,
            secret_is_whole: self.secret_is_whole,
            needle: (!needle.literals.is_empty()).then_some(needle),
            run: self.run.map(|(least, after)| Run { least, after }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::format;

    #[test]
    fn the_embedded_table_says_what_the_files_say() {
        let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/patterns"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .collect();
        files.sort();
        let mut parsed = Vec::new();
        for path in files {
            let family = path.file_stem().unwrap().to_str().unwrap();
            parsed.extend(format::parse(&std::fs::read_to_string(&path).unwrap(), family, family).unwrap());
        }
        assert_eq!(rules(), parsed);
    }
}
