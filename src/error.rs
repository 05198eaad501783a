//! The kinds of errors of the library. They hold positions, ids and paths, never input bytes.
//!
//! Errors of parsers (`toml`, `serde_json`, `regex`) are not wrapped: their texts quote what they
//! choked on. Their positions are taken over, and a reason in our own words is given.

/// What can be wrong with a rule or a rule file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}:{line}: {}{reason}", .rule.as_ref().map(|id| format!("rule {id}: ")).unwrap_or_default())]
pub struct RuleError {
    /// The file, or the name of the embedded family.
    pub origin: String,
    /// 1-based line in the file; 0 where it is not known.
    pub line: usize,
    /// The rule's id where one could be read.
    pub rule: Option<String>,
    /// What is wrong, in words, without the offending text.
    pub reason: String,
}

/// What can go wrong while a filter is set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A rule or a rule file is not right.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// An id that no rule has was named in a selection.
    #[error("no rule is called {0:?}")]
    UnknownRule(String),
    /// The replacement would itself be masked by a rule.
    #[error("the replacement text is itself matched by rule {0}")]
    ReplacementMatches(String),
    /// The replacement is not usable.
    #[error("the replacement text {0}")]
    Replacement(&'static str),
}
