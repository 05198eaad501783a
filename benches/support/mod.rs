//! Turns logs into what the filter makes of them, and rules into larger rule sets. Does not
//! measure; this is the one place where benches touch what the filter returns.
#![allow(dead_code, reason = "each bench and example uses another part")]

pub mod field;
pub mod known;
pub mod many;

use std::{hint::black_box, sync::Arc};

use blackbar::{Engine, Filter, Options, RuleSet, redact::Clean};

/// The rules that are on by default.
pub fn default_rules() -> RuleSet {
    let mut rules = RuleSet::builtin().unwrap();
    rules.select(&[], &[], &[]).unwrap();
    rules
}

/// An engine with these rules, otherwise as the command has it.
pub fn engine(rules: RuleSet) -> Arc<Engine> {
    Arc::new(Engine::new(rules, Options::default()).unwrap())
}

/// Filters a log as the command does, and returns how long the output is.
pub fn filter(engine: &Arc<Engine>, log: &[u8]) -> usize {
    let mut filter = Filter::new(Arc::clone(engine));
    let mut length = 0;
    for block in log.chunks(READ_BYTES) {
        length += consume(filter.push(block));
        // A consumer of findings takes them as they come; without it they would pile up.
        black_box(filter.take_findings());
    }
    length + consume(filter.finish())
}

/// Takes clean bytes as a sink would, without a copy.
fn consume(clean: Clean<'_>) -> usize {
    clean.stretches().map(|stretch| black_box(stretch).len()).sum()
}

/// How much arrives at once (bytes), as the command reads it.
const READ_BYTES: usize = 256 << 10;
