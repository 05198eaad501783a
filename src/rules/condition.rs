//! Turns a pattern into the condition without which it cannot match, and into its parts. Does not
//! match.
//!
//! The build script includes this file to derive the conditions of the embedded rules once; those
//! of a user's rules are derived when the rules are read.

#[path = "steps.rs"]
mod steps;

use std::borrow::Cow;

use regex_syntax::hir::{Class, Hir, HirKind};

pub use self::steps::{ByteSet, Reach, Step, has_an_escape, may_be_escaped};
use self::steps::{escaped_quote, reaches, steps};

use crate::limits::{JSON_DEPTH_MAX, PATTERN_BYTES_MAX, SECRET_BYTES_MAX};

/// What is known of a pattern without compiling it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// The longest match (bytes).
    pub length_max: usize,
    /// Whether the secret is the whole match.
    pub secret_is_whole: bool,
    /// Literals one of which stands in every match.
    pub needle: Option<Needle>,
    /// The run every match begins with, where it holds no literal. Without either, a rule is on the slow path.
    pub run: Option<Run>,
}

/// Literals one of which stands in every match, lower-case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needle {
    /// The spellings.
    pub literals: Vec<Vec<u8>>,
    /// How far behind the start of a match they stand (bytes, least and most).
    pub before: (usize, usize),
    /// What every match begins with, where names stand before the literal; none where that is unknown. Lower-case.
    pub begins: Vec<Vec<u8>>,
    /// What the bytes of every match are from its literal on.
    pub steps: Cow<'static, [Step]>,
    /// What stands in every match further on: what comes first, and what comes last.
    pub reaches: [Option<Reach>; 2],
}

impl Needle {
    /// Whether a match may begin at `text[start..]`, as far as the names tell, which stand before the literal.
    pub fn may_begin(&self, text: &[u8], start: usize) -> bool {
        let there =
            |name: &Vec<u8>| text.get(start..start + name.len()).is_some_and(|part| part.eq_ignore_ascii_case(name));
        self.begins.is_empty() || self.begins.iter().any(there)
    }

    /// What a match may have `place` bytes behind the start of its literal. An escape may stand there,
    /// too.
    pub fn set_at(&self, place: usize) -> ByteSet {
        let mut end = 0;
        let step = self.steps.iter().find(|step| {
            end += usize::from(step.count);
            place < end
        });
        let mut set = step.map_or(ByteSet::ALL, |step| step.set);
        set.add(b'\\', b'\\');
        set
    }

    /// Whether `text[at..]` may be the rest of a match whose literal begins at `at`, told by the first bytes alone; `None`
    /// where they do not say. The text may still be escaped: a backslash stands for itself, or for a blank or quote
    /// behind it.
    pub fn steps_allow(&self, text: &[u8], at: usize) -> Option<bool> {
        let mut rest = text.get(at..).unwrap_or_default();
        for (number, step) in self.steps.iter().enumerate() {
            let count = usize::from(step.count);
            let there = &rest[..count.min(rest.len())];
            if let Some(other) = there.iter().position(|&byte| byte == b'\\' || !step.set.contains(byte)) {
                return if there[other] == b'\\' { self.escaped_allow(number, rest) } else { Some(false) };
            }
            if there.len() < count {
                return Some(true);
            }
            rest = &rest[count..];
        }
        None
    }

    /// The same, of a text that has a backslash where a step stands.
    #[cold]
    fn escaped_allow(&self, number: usize, mut rest: &[u8]) -> Option<bool> {
        for step in &self.steps[number..] {
            let mut left = usize::from(step.count);
            while left > 0 {
                let there = &rest[..left.min(rest.len())];
                let Some(other) = there.iter().position(|&byte| byte == b'\\' || !step.set.contains(byte)) else {
                    if rest.len() < left {
                        return Some(true);
                    }
                    rest = &rest[left..];
                    break;
                };
                if rest[other] != b'\\' || !may_be_escaped(rest, other, &step.set) {
                    return Some(false);
                }
                // Where no backslash can stand, one and the quote behind it can only be that quote.
                let Some(length) = escaped_quote(&rest[other..]).filter(|_| !step.set.contains(b'\\')) else {
                    return Some(true);
                };
                rest = &rest[other + length..];
                left -= other + 1;
            }
        }
        None
    }
}

/// A run of letters, digits, `-` and `_` with which every match begins, where there is no literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its least length.
    pub least: usize,
    /// The byte that follows it, if it is always the same.
    pub after: Option<u8>,
}

/// Whether a byte is a letter, a digit, `-` or `_`.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Parses and checks a pattern: the whole, what stands before the secret (if the secret has a group
/// of its own), and the condition.
///
/// # Errors
/// In words, without the pattern: too long, not a regular expression, with look-around, able
/// to match nothing, with something unbounded, with more than a terminator after the secret.
pub fn parse(pattern: &str) -> Result<(Hir, Option<Hir>, Condition), String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(format!("the pattern is longer than {PATTERN_BYTES_MAX} bytes"));
    }
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).nest_limit(40).build();
    let whole = parser
        .parse(pattern)
        .map_err(|fault| format!("the pattern is not a regular expression ({})", kind_of(&fault)))?;
    let properties = whole.properties();
    if !properties.look_set().is_empty() {
        return Err("the pattern has an anchor or a boundary; token boundaries are implied".to_owned());
    }
    if properties.minimum_len().unwrap_or(0) == 0 {
        return Err("the pattern matches the empty text".to_owned());
    }
    let Some(length_max) = properties.maximum_len() else {
        return Err("the pattern has a repetition without an upper bound".to_owned());
    };
    if length_max > 2 * SECRET_BYTES_MAX {
        return Err(format!("the pattern matches more than {} bytes", 2 * SECRET_BYTES_MAX));
    }
    let before = split_at_secret(&whole)?;
    let needle = needle(&whole);
    let run = if needle.is_none() { run(&whole) } else { None };
    let condition = Condition { length_max, secret_is_whole: before.is_none(), needle, run };
    Ok((whole, before, condition))
}

/// The kind of a syntax error, without the text it is about.
fn kind_of(fault: &regex_syntax::Error) -> &'static str {
    use regex_syntax::ast::ErrorKind;
    match fault {
        regex_syntax::Error::Parse(fault) => match fault.kind() {
            ErrorKind::GroupUnclosed | ErrorKind::GroupUnopened => "a parenthesis has no partner",
            ErrorKind::ClassUnclosed => "a bracket has no partner",
            ErrorKind::UnsupportedLookAround => "look-around is not supported",
            ErrorKind::UnsupportedBackreference => "back-references are not supported",
            ErrorKind::NestLimitExceeded(_) => "it is nested too deep",
            ErrorKind::RepetitionMissing => "a repetition of nothing",
            _ => "syntax",
        },
        regex_syntax::Error::Translate(_) => "a Unicode class, which byte patterns do not have",
        _ => "syntax",
    }
}

/// What stands before the secret; `None` where the secret is the whole match.
fn split_at_secret(hir: &Hir) -> Result<Option<Hir>, String> {
    let is_secret =
        |part: &Hir| matches!(part.kind(), HirKind::Capture(capture) if capture.name.as_deref() == Some(SECRET));
    let parts: &[Hir] = match hir.kind() {
        HirKind::Concat(parts) => parts,
        _ => std::slice::from_ref(hir),
    };
    let Some(at) = parts.iter().position(is_secret) else {
        if hir.properties().explicit_captures_len() > 0 && holds_secret(hir) {
            return Err("the group `secret` must not stand inside another group".to_owned());
        }
        return Ok(None);
    };
    let after = Hir::concat(parts[at + 1..].to_vec());
    if after.properties().maximum_len().is_none_or(|length| length > AFTER_BYTES_MAX) {
        return Err("more than a short terminator follows the secret".to_owned());
    }
    Ok(Some(Hir::concat(parts[..at].to_vec())))
}

fn holds_secret(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => capture.name.as_deref() == Some(SECRET) || holds_secret(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(holds_secret),
        HirKind::Repetition(repetition) => holds_secret(&repetition.sub),
        _ => false,
    }
}

/// The best literals of a pattern: those at its start if they are long enough, else the longest
/// ones that stand at a bounded distance from it. But where several names begin a pattern and one
/// word follows them all (`docker login`, `mysql://`), that word is looked for.
fn needle(hir: &Hir) -> Option<Needle> {
    let parts: &[Hir] = match hir.kind() {
        HirKind::Concat(parts) => parts,
        _ => std::slice::from_ref(hir),
    };
    let mut first: Option<Needle> = None;
    let mut best: Option<Needle> = None;
    let (mut least, mut most) = (0, 0);
    for at in 0..parts.len() {
        if let Some(literals) = literals_at(&parts[at..]) {
            let before = (least, most);
            let (steps, reaches) = (steps(&parts[at..]).into(), reaches(&parts[at..]));
            let found = Needle { literals, before, begins: Vec::new(), steps, reaches };
            let size = |needle: &Needle| needle.literals.iter().map(Vec::len).min().unwrap_or(0);
            let long = size(&found) >= LITERAL_BYTES_MIN;
            if let Some(names) = &first {
                let common = long && found.literals.len() == 1 && most <= NAMES_BYTES_MAX;
                if common && names.literals.len() >= NAMES_MIN && !names.literals.iter().all(|name| is_long_word(name))
                {
                    return Some(Needle { begins: names.literals.clone(), ..found });
                }
            } else if most == 0 && long {
                first = Some(found);
            } else if long && best.as_ref().is_none_or(|old| size(old) < size(&found)) {
                best = Some(found);
            }
        }
        least += parts[at].properties().minimum_len().unwrap_or(0);
        most += parts[at].properties().maximum_len()?;
        if most > if first.is_some() { NAMES_BYTES_MAX } else { BEFORE_BYTES_MAX } {
            break;
        }
    }
    first.or(best)
}

/// Whether a literal by itself is rare.
fn is_long_word(literal: &[u8]) -> bool {
    literal.len() > 2 * LITERAL_BYTES_MIN && literal.iter().all(|&byte| is_word(byte))
}

/// The run of word characters at the start of every match, if it is long enough.
fn run(hir: &Hir) -> Option<Run> {
    let HirKind::Concat(parts) = hir.kind() else { return None };
    let words = parts.iter().take_while(|part| is_words(part)).count();
    let least = parts[..words].iter().map(|part| part.properties().minimum_len().unwrap_or(0)).sum();
    let after = match parts.get(words).map(Hir::kind) {
        Some(HirKind::Literal(literal)) => literal.0.first().copied(),
        _ => None,
    };
    (least >= RUN_MIN).then_some(Run { least, after })
}

/// Whether all that `hir` matches is made of word characters.
fn is_words(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Literal(literal) => literal.0.iter().all(|&byte| is_word(byte)),
        HirKind::Class(Class::Bytes(class)) => class.iter().all(|range| (range.start()..=range.end()).all(is_word)),
        HirKind::Class(Class::Unicode(_)) | HirKind::Look(_) => false,
        HirKind::Repetition(repetition) => is_words(&repetition.sub),
        HirKind::Capture(capture) => is_words(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().all(is_words),
    }
}

/// The spellings of what stands at the start of `parts`.
fn literals_at(parts: &[Hir]) -> Option<Vec<Vec<u8>>> {
    let mut literals = vec![Vec::new()];
    for part in parts {
        let Some((more, whole)) = spellings(part) else { break };
        if literals.len() * more.len() > SPELLINGS_MAX {
            break;
        }
        literals = literals
            .iter()
            .flat_map(|start: &Vec<u8>| more.iter().map(move |end| [start.as_slice(), end].concat()))
            .collect();
        if !whole || literals.iter().any(|literal| literal.len() >= LITERAL_BYTES_MAX) {
            break;
        }
    }
    for literal in &mut literals {
        // What stands behind a scheme is of all kinds.
        let scheme = literal.starts_with(b"://");
        literal.truncate(if scheme { 3 } else { LITERAL_BYTES_MAX });
        // No letter is cut.
        if let Err(fault) = str::from_utf8(literal)
            && fault.error_len().is_none()
        {
            literal.truncate(fault.valid_up_to());
        }
    }
    literals.sort();
    literals.dedup();
    (!literals.iter().any(Vec::is_empty)).then_some(literals)
}

/// All lower-case spellings of what `hir` matches, or of how each match of it begins (then the
/// second value is false).
fn spellings(hir: &Hir) -> Option<(Vec<Vec<u8>>, bool)> {
    match hir.kind() {
        HirKind::Empty => Some((vec![Vec::new()], true)),
        HirKind::Literal(literal) => Some((vec![literal.0.to_ascii_lowercase()], true)),
        HirKind::Class(Class::Bytes(class)) => {
            let count: usize = class.iter().map(|range| usize::from(range.end() - range.start()) + 1).sum();
            if count > 16 {
                return None;
            }
            let bytes = class.iter().flat_map(|range| range.start()..=range.end());
            let mut list: Vec<Vec<u8>> = bytes.map(|byte| vec![byte.to_ascii_lowercase()]).collect();
            list.sort();
            list.dedup();
            Some((list, true))
        }
        HirKind::Class(Class::Unicode(_)) | HirKind::Look(_) => None,
        HirKind::Capture(capture) => spellings(&capture.sub),
        HirKind::Repetition(repetition) => {
            let (list, whole) = spellings(&repetition.sub)?;
            match (repetition.min, repetition.max) {
                (1, Some(1)) => Some((list, whole)),
                (0, Some(1)) if whole => Some(([list, vec![Vec::new()]].concat(), true)),
                (1.., _) => Some((list, false)),
                _ => None,
            }
        }
        HirKind::Concat(parts) => {
            let literals = literals_at(parts)?;
            let exact = parts.iter().all(|part| spellings(part).is_some_and(|(_, whole)| whole));
            let cut = literals.iter().any(|literal| literal.len() >= LITERAL_BYTES_MAX);
            let listed = parts.iter().map(|part| spellings(part).map_or(1, |(list, _)| list.len())).product::<usize>();
            Some((literals, exact && !cut && listed <= SPELLINGS_MAX))
        }
        HirKind::Alternation(options) => {
            let mut all = Vec::new();
            let mut whole = true;
            for option in options {
                let (list, complete) = spellings(option)?;
                all.extend(list);
                whole &= complete;
            }
            (all.len() <= SPELLINGS_MAX).then_some((all, whole))
        }
    }
}

/// How many bytes a quote has that was escaped as often as escapes are understood.
pub const ESCAPED_BYTES_MAX: usize = 1 << JSON_DEPTH_MAX;
/// So many literals at the start of a pattern are names, in place of which a common one is looked for.
const NAMES_MIN: usize = 4;
/// How far behind the start of a match such a literal may stand (bytes).
const NAMES_BYTES_MAX: usize = 24;
/// The shortest literal that is worth looking for (bytes).
const LITERAL_BYTES_MIN: usize = 3;
/// The longest literal that is taken; more would not make it rarer (bytes).
const LITERAL_BYTES_MAX: usize = 10;
/// How many spellings of a literal are listed; beyond, the literal is cut short.
const SPELLINGS_MAX: usize = 96;
/// The shortest run of word characters that is worth looking for in place of a literal.
const RUN_MIN: usize = 20;
/// How far a literal may stand behind the start of a match (bytes).
const BEFORE_BYTES_MAX: usize = 96;
/// How much may follow the secret in a match (bytes): its terminator, `@` or `@tcp(`, or the command it is piped to.
const AFTER_BYTES_MAX: usize = 24;
/// The name of the capture that is masked.
const SECRET: &str = "secret";

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(pattern: &str) -> Option<(Vec<String>, (usize, usize))> {
        let needle = parse(pattern).unwrap().2.needle?;
        let texts = needle.literals.iter().map(|literal| String::from_utf8_lossy(literal).into_owned());
        Some((texts.collect(), needle.before))
    }

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| word.to_string()).collect()
    }

    #[test]
    fn a_prefix_is_the_needle() {
        assert_eq!(literals("ghp_[0-9A-Za-z]{36}"), Some((list(&["ghp_"]), (0, 0))));
        assert_eq!(literals("gh[pous]_[0-9A-Za-z]{36}"), Some((list(&["gho_", "ghp_", "ghs_", "ghu_"]), (0, 0))));
        assert_eq!(literals("(?:AKIA|ASIA)[A-Z2-7]{16}"), Some((list(&["akia", "asia"]), (0, 0))));
        assert_eq!(literals("(?i:bearer) {1,4}[a-z]{20}"), Some((list(&["bearer "]), (0, 0))));
    }

    #[test]
    fn a_literal_inside_is_the_needle_if_its_distance_is_bounded() {
        assert_eq!(literals(r"[A-Za-z0-9]{14}\.atlasv1\.[a-z]{60}"), Some((list(&[".atlasv1."]), (14, 14))));
        assert_eq!(literals("[a-f0-9]{32}"), None);
    }

    #[test]
    fn without_a_literal_a_run_is_looked_for() {
        let run = |pattern: &str| parse(pattern).unwrap().2.run;
        assert_eq!(run(r"[MN][A-Za-z0-9_-]{23,25}\.[a-z]{6}"), Some(Run { least: 24, after: Some(b'.') }));
        assert_eq!(run("[a-z]{4}:[a-z]{8}"), None);
    }

    #[test]
    fn an_optional_part_gives_both_spellings() {
        assert_eq!(literals("api_?key=[a-z]{4}"), Some((list(&["api_key=", "apikey="]), (0, 0))));
    }

    #[test]
    fn what_could_see_beyond_the_secret_or_never_end_is_refused() {
        for pattern in [
            "(?P<secret>[a-z]{8}) is not what stands before this",
            "abc.*",
            r"\bghp_[a-z]{36}",
            "(?:){294967295}",
            "(?:a{1000}){1000}",
            "[a-z",
        ] {
            assert!(parse(pattern).is_err(), "{pattern}");
        }
    }
}
