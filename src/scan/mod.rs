//! Turns the views of a piece of a log into the spans of its secrets, in three steps, each rare
//! enough to pay for the next: [`prefilter`] -> verify (`tokens`, `keyblock`, [`assigned`]) ->
//! [`judge`]. Knows compiled rules. Does not know files, clocks or threads.

mod array;
pub mod assigned;
mod authority;
mod beginnings;
mod candidates;
mod carry;
pub(crate) mod commands;
mod embedded;
pub mod judge;
mod keyblock;
pub mod known;
mod lines;
mod manifest;
pub(crate) mod pattern;
pub mod prefilter;
mod program;
mod settle;
mod stretches;
mod tables;
mod tokens;
mod units;
mod unseen;
mod verify;

use std::{collections::HashMap, fmt, sync::Arc};

pub use carry::{Carry, Said};
pub use commands::Commands;
use known::KnownValues;
pub use prefilter::LineBuffers;
pub use settle::{Settler, Span};
pub use stretches::{Ahead, Stretch, Stretches};
pub use tokens::End;
pub use units::is_partial;

use self::{
    assigned::{NamedRule, Names},
    pattern::Pattern,
    prefilter::Prefilter,
    tables::{Others, Tables},
    tokens::Tokens,
};
use crate::{
    allow::Allow,
    error::{RuleError, SetupError},
    finding::{Fingerprint, FingerprintKey},
    limits,
    redact::{Masked, Masker, Style},
    rules::{Confidence, Detector, Rule, RuleSet, Strength, checks::Facts},
    view::utf16::Encoding,
};

/// When randomness makes a token a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Entropy {
    /// Never: values of key names are not judged at all.
    Off,
    /// On values of secret-sounding key names.
    #[default]
    Keyed,
    /// On every token.
    All,
}

/// What is done with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Masked and reported.
    #[default]
    Redact,
    /// Reported; the bytes pass as they are.
    Alert,
}

/// What a user may set about detection and masking.
pub struct Options {
    /// Mask, or report only.
    pub mode: Mode,
    /// What stands in place of a secret.
    pub style: Style,
    /// When randomness counts.
    pub entropy: Entropy,
    /// From which confidence on a secret is masked.
    pub mask_confidence: Confidence,
    /// The key of the fingerprints in findings and hashed masks.
    pub fingerprint_key: FingerprintKey,
    /// What the user allows.
    pub allow: Arc<Allow>,
    /// Values that are masked wherever they appear. Whoever keeps a clone can add to them while
    /// filters run.
    pub known: KnownValues,
    /// Whether somebody types what is filtered and waits for its echo: then neither words are held
    /// back, which could become a token without a prefix, nor the first bytes of known values.
    pub interactive: bool,
    /// Whether commands in the stream can add known values.
    pub commands: Commands,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            mode: Mode::Redact,
            style: Style::Label,
            entropy: Entropy::Keyed,
            mask_confidence: Confidence::Low,
            fingerprint_key: FingerprintKey::ephemeral(),
            allow: Arc::default(),
            known: KnownValues::default(),
            interactive: false,
            commands: Commands::Ignore,
        }
    }
}

/// Compiled rules and options: all that a filter shares with its twins on other threads.
pub struct Engine {
    rules: RuleSet,
    options: Options,
    prefilter: Prefilter,
    tokens: Tokens,
    names: Option<Names>,
    /// The patterns of rules with key names, by the rule's index.
    shapes: HashMap<usize, Pattern>,
    key_block: Option<u16>,
    manifest: Option<u16>,
    entropy: Option<u16>,
    ceiling: u16,
    known: u16,
    masker: Masker,
}

/// A hit of [`Engine::explain`].
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The rule's id.
    pub rule: String,
    /// What it finds, for people.
    pub name: String,
    /// What was done to the line to see it.
    pub view: String,
    /// 1-based byte column in the raw line.
    pub column: usize,
    /// Bytes in the raw line.
    pub length: usize,
    /// How sure it is.
    pub confidence: Option<Confidence>,
    /// Whether it is masked.
    pub masked: bool,
    /// Why, in words.
    pub why: String,
    /// What the rule's check could tell.
    pub facts: Facts,
    /// Of the secret as decoded in its innermost view.
    pub fingerprint: Fingerprint,
}

impl Engine {
    /// Compiles the rules in force. Regular expressions wait until they are first needed.
    ///
    /// # Errors
    /// If a pattern is not right, or the replacement text would itself be masked.
    pub fn new(mut rules: RuleSet, options: Options) -> Result<Engine, SetupError> {
        // Whatever rules were chosen: values were given to be masked, and a mask needs a name.
        rules.add_known_value();
        let at_fault = |rule: &Rule, reason: String| RuleError {
            origin: rule.family.to_string(),
            line: rule.line,
            rule: Some(rule.id.to_string()),
            reason,
        };
        let list = rules.rules();
        let tokens = Tokens::new(list).map_err(|(index, reason)| at_fault(&list[index], reason))?;
        let of = |detector| list.iter().position(|rule| rule.detector == detector).map(|index| index as u16);
        let (key_block, manifest) = (of(Detector::KeyBlock), of(Detector::Manifest));
        let entropy = of(Detector::Entropy).filter(|_| options.entropy == Entropy::All);
        let ceiling = of(Detector::Ceiling).unwrap_or(0);
        let known = of(Detector::Known).unwrap_or(0);
        let detectors = Others { key_block: key_block.is_some(), manifest: manifest.is_some() };
        let tables = match rules.is_default() && options.entropy != Entropy::Off {
            true => embedded::tables(),
            false => tables_of(list, options.entropy, detectors),
        };
        let shapes =
            list.iter().enumerate().filter(|(_, rule)| is_named(rule, options.entropy) && !rule.pattern.is_empty());
        let shapes = shapes.map(|(index, rule)| (index, Pattern::of(rule))).collect();
        let names = (!tables.names.entries.is_empty()).then(|| Names::new(tables.names));
        let prefilter = Prefilter::new(tables.prefilter, tokens.tokens(), entropy.is_some());
        let masker = Masker::new(&options.style, list);
        let engine = Engine {
            prefilter,
            tokens,
            names,
            shapes,
            key_block,
            manifest,
            entropy,
            ceiling,
            known,
            masker,
            rules,
            options,
        };
        engine.check_replacement()?;
        Ok(engine)
    }

    /// The rules in force.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The options in force.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Every hit in one line, masked or not, in every view, for people who ask why.
    pub fn explain(&self, line: &[u8]) -> Vec<Candidate> {
        let mut settler = Settler::default().traced();
        settler.know(self.options.known.current());
        settler.settle(self, line, Encoding::Bytes, End::Line, &mut Carry::default());
        let mut seen = Vec::new();
        let mut list = Vec::new();
        for span in settler.trace() {
            let same = (span.rule, span.range.clone());
            if seen.contains(&same) {
                continue;
            }
            seen.push(same);
            let rule = &self.rules.rules()[usize::from(span.rule)];
            list.push(Candidate {
                rule: rule.id.to_string(),
                name: rule.name.to_string(),
                view: span.steps.to_string(),
                column: span.range.start + 1,
                length: span.range.len(),
                confidence: Some(span.confidence),
                masked: span.masked,
                why: self.why(span),
                facts: span.facts.clone(),
                fingerprint: span.fingerprint,
            });
        }
        list
    }

    fn why(&self, span: &Span) -> String {
        let entry = span.allowed.first().and_then(|&number| self.options.allow.entries().get(usize::from(number)));
        match entry {
            Some(entry) if entry.line() == 0 => format!("{}; known to {}", span.why, entry.origin()),
            Some(entry) => format!("{}; allowed by {}:{}", span.why, entry.origin(), entry.line()),
            None => span.why.to_owned(),
        }
    }

    pub(crate) fn prefilter(&self) -> &Prefilter {
        &self.prefilter
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(crate) fn names(&self) -> Option<&Names> {
        self.names.as_ref()
    }

    pub(crate) fn masker(&self) -> &Masker {
        &self.masker
    }

    pub(crate) fn key_block_rule(&self) -> Option<u16> {
        self.key_block
    }

    pub(crate) fn manifest_rule(&self) -> Option<u16> {
        self.manifest
    }

    pub(crate) fn entropy_rule(&self) -> Option<u16> {
        self.entropy
    }

    pub(crate) fn known_rule(&self) -> u16 {
        self.known
    }

    pub(crate) fn ceiling_rule(&self) -> u16 {
        self.ceiling
    }

    /// A mask that a rule would mask again would make filtering twice change something.
    fn check_replacement(&self) -> Result<(), SetupError> {
        let Style::Text(text) = &self.options.style else { return Ok(()) };
        if text.is_empty() {
            return Err(SetupError::Replacement("is empty"));
        }
        if text.bytes().any(|byte| matches!(byte, b'\n' | b'\r')) {
            return Err(SetupError::Replacement("has a line end"));
        }
        // Another style's engine does not take the text for a mask.
        let fingerprint_key = FingerprintKey::ephemeral();
        let judge = Engine::new(self.rules.clone(), Options { fingerprint_key, ..Options::default() })?;
        let mut settler = Settler::default();
        for index in 0..self.rules.rules().len() {
            let mut mask = Vec::new();
            let sample = self.options.fingerprint_key.fingerprint(b"");
            self.masker.write(index as u16, &sample, 1, 0, Encoding::Bytes, &mut mask);
            settler.settle(&judge, &mask, Encoding::Bytes, End::Line, &mut Carry::default());
            if let Some(span) = settler.spans().first() {
                let id = &self.rules.rules()[usize::from(span.rule)].id;
                return Err(SetupError::ReplacementMatches(id.to_string()));
            }
            // Without the rule's id in it, one mask stands for all.
            if !text.contains("{rule}") {
                break;
            }
        }
        Ok(())
    }
}

impl assigned::Env for Engine {
    fn shape_matches(&self, shape: usize, value: &[u8]) -> bool {
        self.shapes.get(&shape).is_some_and(|pattern| pattern.matches_whole(value))
    }

    fn shape_confidence(&self, shape: usize, value: &[u8]) -> Confidence {
        let Some(rule) = self.rules.rules().get(shape) else { return Confidence::Low };
        match rule.check.and_then(|check| check.run(value).valid) {
            Some(true) => Confidence::Certain,
            Some(false) => rule.confidence.min(Confidence::Medium),
            None => rule.confidence,
        }
    }

    fn mask_len_at(&self, text: &[u8], at: usize) -> Option<usize> {
        self.masker.len_at(text, at)
    }

    fn mask_begins(&self) -> Option<u8> {
        self.masker.begins()
    }

    fn interactive(&self) -> bool {
        self.options.interactive
    }
}

/// Whether values are assigned to the names of a rule.
fn is_named(rule: &Rule, entropy: Entropy) -> bool {
    let generic = rule.pattern.is_empty();
    rule.detector == Detector::Assigned && !(generic && rule.strength == Strength::Weak && entropy == Entropy::Off)
}

/// The tables of these rules.
fn tables_of(rules: &[Rule], entropy: Entropy, detectors: Others) -> Tables {
    let tokens = rules.iter().filter(|rule| rule.detector == Detector::Token);
    let named = rules.iter().enumerate().filter(|(_, rule)| is_named(rule, entropy));
    let named = named.flat_map(|(index, rule)| {
        let shape = (!rule.pattern.is_empty()).then_some(index);
        rule.names.iter().map(move |name| NamedRule { rule: index as u16, name, strength: rule.strength, shape })
    });
    Tables::of(tokens.map(|rule| rule.condition.needle.as_ref()), &named.collect::<Vec<_>>(), detectors)
}

/// Bytes in which the prefilter has shown that there is nothing.
#[derive(Clone, Copy)]
pub struct Passed<'a> {
    bytes: &'a [u8],
}

impl<'a> Passed<'a> {
    /// The bytes.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// The bytes stay unsaid.
impl fmt::Debug for Passed<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Passed({} bytes)", self.bytes.len())
    }
}

/// A part of a piece that was scanned until nothing more was found, masked.
#[derive(Clone, Copy)]
pub struct Settled<'a> {
    bytes: &'a [u8],
}

/// The bytes stay unsaid: where nothing is masked, they are those of the log.
impl fmt::Debug for Settled<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Settled({} bytes)", self.bytes.len())
    }
}

impl<'a> Settled<'a> {
    /// A line with a command that passes as it is, though it tells a value: see [`Commands::Pass`].
    pub(crate) fn command(line: &'a [u8]) -> Settled<'a> {
        Settled { bytes: line }
    }

    /// The bytes, masked.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl Settler {
    /// The clean form of the piece's bytes `from..to`, as the mode wants it. `raw` is the piece
    /// that was settled.
    pub fn part<'a>(&'a self, engine: &Engine, raw: &'a [u8], from: usize, to: usize) -> Settled<'a> {
        // Without a mask the text is the piece, and the piece need not be copied.
        if engine.options.mode == Mode::Alert || !self.spans().iter().any(|span| span.masked) {
            return Settled { bytes: &raw[from..to] };
        }
        let Masked { text, map } = self.masked();
        let start = map.first_from(from, text.len());
        let end = if to == raw.len() { text.len() } else { map.first_from(to, text.len()) };
        Settled { bytes: &text[start..end.max(start)] }
    }
}

const _: () = assert!(limits::SECRET_BYTES_MAX < limits::LINE_BYTES_MAX);
