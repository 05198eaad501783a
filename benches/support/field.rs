//! Masks secrets the way most scanners look for them: a keyword automaton names the rules, and
//! their regular expressions run over the line. Not a reference: it knows no encodings, no
//! checks, nothing that spans lines.
//!
//! It has blackbar's own patterns, wrapped as the field wraps them, so that both sides look for
//! the same tokens. It is spared what makes such scanners slow: rules without good keywords are left
//! out, and the automaton goes over a block once, not line by line.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use blackbar::{
    RuleSet,
    rules::{List, Rule},
};
use regex::bytes::{Regex, RegexBuilder};

/// Keyword automaton and regular expressions.
pub struct Field {
    gate: AhoCorasick,
    /// The rules of each keyword, by their index in `patterns`.
    rules: Vec<Vec<usize>>,
    patterns: Vec<Regex>,
}

impl Field {
    /// Compiles the rules that have a pattern and a keyword, and one for assigned secrets.
    pub fn new(set: &RuleSet) -> Field {
        let mut patterns = Vec::new();
        let mut keywords: Vec<String> = Vec::new();
        let mut rules: Vec<Vec<usize>> = Vec::new();
        let mut add = |pattern: String, words: Vec<String>| {
            let regex = RegexBuilder::new(&pattern).unicode(false).size_limit(SIZE_MAX).build().unwrap();
            patterns.push(regex);
            for word in words {
                let known = keywords.iter().position(|keyword| *keyword == word);
                let place = known.unwrap_or_else(|| {
                    keywords.push(word);
                    rules.push(Vec::new());
                    rules.len() - 1
                });
                rules[place].push(patterns.len() - 1);
            }
        };
        for rule in set.rules().iter().filter(|rule| !rule.pattern.is_empty()) {
            match (rule.names.is_empty(), keywords_of(rule)) {
                (true, Some(words)) => add(format!(r"\b(?:{})(?:[\x60'\x22\s;]|\\[nr]|$)", rule.pattern), words),
                (true, None) => {}
                (false, _) => add(assigned(&rule.names, &rule.pattern), telling_words(&rule.names)),
            }
        }
        add(GENERIC.to_owned(), GENERIC_WORDS.map(str::to_owned).to_vec());
        let gate = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&keywords)
            .unwrap();
        Field { gate, rules, patterns }
    }

    /// The keyword automaton alone: the most that any scanner behind it can do.
    pub fn gate(&self, log: &[u8]) -> usize {
        self.gate.find_overlapping_iter(log).count()
    }

    /// How many regular expressions there are.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Copies a log to `output` with its matches masked.
    pub fn filter(&self, log: &[u8], output: &mut Vec<u8>) {
        output.clear();
        let mut wanted: Vec<usize> = Vec::new();
        let mut line = 0..0;
        for hit in self.gate.find_overlapping_iter(log) {
            if hit.end() > line.end {
                self.line(&log[line.clone()], &mut wanted, output);
                let start = memchr::memrchr(b'\n', &log[line.end..hit.end()]).map_or(line.end, |at| line.end + at + 1);
                output.extend_from_slice(&log[line.end..start]);
                let end = memchr::memchr(b'\n', &log[hit.end()..]).map_or(log.len(), |at| hit.end() + at + 1);
                line = start..end;
            }
            wanted.extend_from_slice(&self.rules[hit.pattern().as_usize()]);
        }
        self.line(&log[line.clone()], &mut wanted, output);
        output.extend_from_slice(&log[line.end..]);
    }

    fn line(&self, line: &[u8], wanted: &mut Vec<usize>, output: &mut Vec<u8>) {
        wanted.sort_unstable();
        wanted.dedup();
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for index in wanted.drain(..) {
            spans.extend(self.patterns[index].find_iter(line).map(|hit| (hit.start(), hit.end())));
        }
        spans.sort_unstable();
        let mut place = 0;
        for (start, end) in spans {
            if start >= place {
                output.extend_from_slice(&line[place..start]);
                output.extend_from_slice(b"[REDACTED]");
            }
            place = place.max(end);
        }
        output.extend_from_slice(&line[place..]);
    }
}

/// The literals of a rule that has few, each of 3 bytes or more.
fn keywords_of(rule: &Rule) -> Option<Vec<String>> {
    let literals = &rule.condition.needle.as_ref()?.literals;
    let few = literals.len() <= KEYWORDS_MAX && literals.iter().all(|literal| literal.len() >= KEYWORD_BYTES_MIN);
    few.then(|| literals.iter().map(|literal| String::from_utf8_lossy(literal).into_owned()).collect())
}

/// The longest word of each name that says more than what kind of secret it is.
fn telling_words(names: &List) -> Vec<String> {
    let longest = |name: &str| {
        let telling = name.split(' ').filter(|word| !COMMON_WORDS.contains(word)).max_by_key(|word| word.len());
        telling.filter(|word| word.len() >= KEYWORD_BYTES_MIN).map(str::to_owned)
    };
    let mut words: Vec<String> = names.iter().filter_map(longest).collect();
    words.sort();
    words.dedup();
    words
}

/// Name, operator and value.
fn assigned(names: &List, value: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| name.replace(' ', "[ _.-]?")).collect();
    format!(
        r"(?i:[\w.-]{{0,50}}?(?:{})(?:[ \t\w.-]{{0,20}})[\s'\x22]{{0,3}}(?:=|>|:{{1,3}}=|:|=>)[\x60'\x22\s=]{{0,5}})(?:{value})(?:[\x60'\x22\s;]|\\[nr]|$)",
        names.join("|")
    )
}

/// Values of 10 or more characters beside a telling word.
const GENERIC: &str = r"(?i)[\w.-]{0,50}?(?:access|auth|api|credential|creds|key|passw(?:or)?d|secret|token)(?:[ \t\w.-]{0,20})[\s'\x22]{0,3}(?:=|>|:{1,3}=|:|=>)[\x60'\x22\s=]{0,5}([\w.=-]{10,150})(?:[\x60'\x22\s;]|\\[nr]|$)";

const GENERIC_WORDS: [&str; 9] = ["access", "api", "auth", "key", "credential", "creds", "passw", "secret", "token"];

/// Words of key names that are no vendor's, or that every other line holds.
const COMMON_WORDS: [&str; 24] = [
    "access", "account", "actions", "admin", "api", "app", "auth", "checkout", "client", "cloud", "devops", "event",
    "key", "pass", "password", "private", "runtime", "secret", "server", "service", "shared", "test", "token", "value",
];

/// Which rules have good keywords.
const KEYWORDS_MAX: usize = 8;
const KEYWORD_BYTES_MIN: usize = 3;

/// The most a compiled pattern may take (bytes).
const SIZE_MAX: usize = 64 << 20;
