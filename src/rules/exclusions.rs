//! Turns a rule's own allowlists into an answer: is this match one of those that the rule's author does not mean? Does
//! not find matches, and is not what users allow.

use std::fmt;

use regex_automata::meta;

use super::foreign::in_our_syntax;
use crate::limits::{EXCLUSION_COMPILED_BYTES_MAX, PATTERN_BYTES_MAX};

/// Matches that a rule does not mean. Empty for most rules.
#[derive(Clone, Default, PartialEq)]
pub struct Exclusions(Vec<Exclusion>);

/// One allowlist of a rule.
#[derive(Clone, Default, PartialEq)]
pub struct Exclusion {
    /// Patterns, and what they are searched in.
    patterns: Vec<(Target, Pattern)>,
    /// Words in lower case that stand in the secret, whatever its case.
    words: Vec<String>,
    /// A pattern and a word must be found, not either.
    both: bool,
}

/// What a pattern of an allowlist is searched in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The secret.
    Secret,
    /// The whole match.
    Match,
    /// The line as far as the match's end: what follows may not be known yet.
    Line,
}

/// A match, with what stands around it.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// The secret.
    pub secret: &'a [u8],
    /// The whole match.
    pub whole: &'a [u8],
    /// The line up to the match's end.
    pub line: &'a [u8],
}

/// A compiled pattern and its source, by which it is compared.
#[derive(Clone)]
struct Pattern {
    source: String,
    regex: meta::Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.source == other.source
    }
}

impl Exclusions {
    /// Adds an allowlist.
    pub fn push(&mut self, exclusion: Exclusion) {
        if !exclusion.is_empty() {
            self.0.push(exclusion);
        }
    }

    /// Adds those of another list.
    pub fn extend(&mut self, others: &Exclusions) {
        self.0.extend(others.0.iter().cloned());
    }

    /// Whether a match is not meant.
    pub fn hold(&self, found: Found) -> bool {
        self.0.iter().any(|exclusion| exclusion.holds(found))
    }

    /// How many allowlists there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Exclusion {
    /// An allowlist all of whose kinds must hold, or one of them.
    pub fn new(both: bool) -> Exclusion {
        Exclusion { both, ..Exclusion::default() }
    }

    /// Adds a pattern in the syntax of RE2.
    ///
    /// # Errors
    /// In words, without the pattern.
    pub fn pattern(&mut self, target: Target, source: &str) -> Result<(), String> {
        if source.len() > PATTERN_BYTES_MAX {
            return Err(format!("a pattern is longer than {PATTERN_BYTES_MAX} bytes"));
        }
        let syntax = regex_automata::util::syntax::Config::new().unicode(false).utf8(false).nest_limit(40);
        let config = meta::Config::new().utf8_empty(false).nfa_size_limit(Some(EXCLUSION_COMPILED_BYTES_MAX));
        let regex = meta::Builder::new().configure(config).syntax(syntax).build(&in_our_syntax(source)?);
        let regex = regex.map_err(|_| "a pattern is not a regular expression, or is too large".to_owned())?;
        self.patterns.push((target, Pattern { source: source.to_owned(), regex }));
        Ok(())
    }

    /// Adds a word.
    pub fn word(&mut self, word: &str) {
        if !word.is_empty() {
            self.words.push(word.to_ascii_lowercase());
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.words.is_empty()
    }

    fn holds(&self, found: Found) -> bool {
        let text = |target: Target| match target {
            Target::Secret => found.secret,
            Target::Match => found.whole,
            Target::Line => found.line,
        };
        let pattern = || self.patterns.iter().any(|(target, pattern)| pattern.regex.is_match(text(*target)));
        let word = || {
            let lower = found.secret.to_ascii_lowercase();
            self.words.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
        };
        match (self.both, self.patterns.is_empty(), self.words.is_empty()) {
            (true, false, false) => pattern() && word(),
            _ => pattern() || word(),
        }
    }
}

impl fmt::Debug for Exclusions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

impl fmt::Debug for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<_> = self.patterns.iter().map(|(target, pattern)| (target, &pattern.source)).collect();
        f.debug_struct("Exclusion")
            .field("patterns", &sources)
            .field("words", &self.words)
            .field("both", &self.both)
            .finish()
    }
}
