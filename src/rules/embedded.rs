//! Turns the table that the build script made of `patterns/*.toml` into rules. Does not parse: at
//! start-up there is no time for that.

use super::{
    Rule,
    condition::{ByteSet, Condition, Needle, Reach, Run, Step},
    format::{self, Row},
};
use crate::error::RuleError;

/// A row of a rule file, and the condition of its pattern.
struct Embedded {
    family: &'static str,
    line: usize,
    id: &'static str,
    name: &'static str,
    severity: &'static str,
    pattern: &'static str,
    detector: Option<&'static str>,
    names: &'static [&'static str],
    strength: Option<&'static str>,
    check: Option<&'static str>,
    confidence: Option<&'static str>,
    context: &'static [&'static str],
    entropy: f32,
    action: Option<&'static str>,
    secret_bytes_max: Option<usize>,
    tags: &'static [&'static str],
    reference: &'static str,
    rotate: Option<&'static str>,
    since: &'static str,
    aliases: &'static [&'static str],
    status: Option<&'static str>,
    off_by_default: bool,
    examples: &'static [&'static str],
    counterexamples: &'static [&'static str],
    length_max: usize,
    secret_is_whole: bool,
    literals: &'static [&'static [u8]],
    before: (usize, usize),
    steps: &'static [([u64; 4], u8)],
    reach: Option<([u64; 4], u8, usize)>,
    run: Option<(usize, Option<u8>)>,
}

/// Sorted by family, in the order of their files.
static TABLE: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The embedded rules.
pub(super) fn rules() -> Result<Vec<Rule>, RuleError> {
    TABLE.iter().map(Embedded::rule).collect()
}

impl Embedded {
    fn rule(&self) -> Result<Rule, RuleError> {
        let owned = |text: &Option<&str>| text.map(str::to_owned);
        let all = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let row = Row {
            id: self.id.to_owned(),
            name: self.name.to_owned(),
            severity: self.severity.to_owned(),
            pattern: self.pattern.to_owned(),
            detector: owned(&self.detector),
            names: all(self.names),
            strength: owned(&self.strength),
            check: owned(&self.check),
            confidence: owned(&self.confidence),
            context: all(self.context),
            entropy: self.entropy,
            action: owned(&self.action),
            secret_bytes_max: self.secret_bytes_max,
            tags: all(self.tags),
            reference: self.reference.to_owned(),
            rotate: owned(&self.rotate),
            since: self.since.to_owned(),
            aliases: all(self.aliases),
            status: owned(&self.status),
            off_by_default: self.off_by_default,
            examples: all(self.examples),
            counterexamples: all(self.counterexamples),
        };
        let needle = Needle {
            literals: self.literals.iter().map(|word| word.to_vec()).collect(),
            before: self.before,
            steps: self.steps.iter().map(|&(set, count)| Step { set: ByteSet(set), count }).collect(),
            reach: self.reach.map(|(set, byte, most)| Reach { set: ByteSet(set), byte, most }),
        };
        let condition = Condition {
            length_max: self.length_max,
            secret_is_whole: self.secret_is_whole,
            needle: (!needle.literals.is_empty()).then_some(needle),
            run: self.run.map(|(least, after)| Run { least, after }),
        };
        format::finish(row, condition, self.family, self.line).map_err(|reason| RuleError {
            origin: self.family.to_owned(),
            line: self.line,
            rule: Some(self.id.to_owned()),
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(rules().unwrap(), parsed);
    }
}
