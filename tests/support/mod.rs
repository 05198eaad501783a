//! Turns inputs into outputs in every way a stream can be cut. Does not judge them.
//!
//! Shared by the integration tests, each of which uses a part of it.
#![allow(dead_code, reason = "each test file uses another part")]

pub mod faults;
pub mod known;
pub mod reference;
pub mod streams;
pub mod unpack;
pub mod worlds;

use std::sync::{Arc, OnceLock};

use blackbar::{
    filter::Filter,
    rules::RuleSet,
    scan::{Engine, Entropy, Options},
};

/// The engine with the rules that are on by default, as the command uses it.
pub fn default_engine() -> Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    Arc::clone(ENGINE.get_or_init(|| Arc::new(Engine::new(default_rules(), Options::default()).unwrap())))
}

/// The rules that are on by default.
pub fn default_rules() -> RuleSet {
    let mut rules = RuleSet::builtin().unwrap();
    rules.select(&[], &[], &[]).unwrap();
    rules
}

/// An engine that masks nothing.
pub fn idle_engine() -> Arc<Engine> {
    let options = Options { entropy: Entropy::Off, ..Options::default() };
    Arc::new(Engine::new(RuleSet::empty(), options).unwrap())
}

/// The output for an input that arrives in one piece.
pub fn whole(engine: &Arc<Engine>, input: &[u8]) -> Vec<u8> {
    in_pieces(engine, &[(input, false)])
}

/// The output for an input that arrives in pieces; where the flag is set, time passes after the
/// piece, and the filter emits what it can of an unfinished line.
pub fn in_pieces(engine: &Arc<Engine>, pieces: &[(&[u8], bool)]) -> Vec<u8> {
    let mut filter = Filter::new(Arc::clone(engine));
    let mut output = Vec::new();
    for (piece, idle) in pieces {
        output.extend(filter.push(piece).to_vec());
        if *idle {
            output.extend(filter.idle().to_vec());
        }
    }
    output.extend(filter.finish().to_vec());
    output
}

/// Compares two outputs; the message shows where they part, not all of both.
///
/// # Errors
/// If they differ.
pub fn same(how: &str, input: &[u8], expected: &[u8], output: &[u8]) -> Result<(), String> {
    if expected == output {
        return Ok(());
    }
    let at = expected.iter().zip(output).take_while(|(a, b)| a == b).count();
    let part = |bytes: &[u8]| shown(&bytes[at.saturating_sub(SHOWN_BYTES)..bytes.len().min(at + SHOWN_BYTES)]);
    Err(format!(
        "{how}, byte {at}\n  expected: {}\n  output:   {}\n  input:    {}",
        part(expected),
        part(output),
        shown(input)
    ))
}

/// How much of an output is shown on either side of a difference (bytes).
const SHOWN_BYTES: usize = 60;

/// Bytes as a message can show them.
pub fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
