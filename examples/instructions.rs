//! Filters one generated log, for a counter of instructions: `instructions LOG BYTES`. Prints the
//! length of the log. Only what happens in [`measured`] is to be counted (`benches/instructions.py`).

#[path = "../benches/corpus/mod.rs"]
mod corpus;
#[path = "../benches/support/mod.rs"]
mod support;

use std::{env, hint::black_box, process::ExitCode, sync::Arc};

use blackbar::Engine;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let log = match &arguments[..] {
        [name, bytes] => bytes.parse().ok().and_then(|bytes| corpus::by_name(name, bytes, SEED)),
        _ => None,
    };
    let Some(log) = log else {
        eprintln!("usage: instructions LOG BYTES");
        return ExitCode::from(2);
    };
    let engine = support::engine(support::default_rules());
    // What is compiled at its first use is no part of the work on a byte.
    black_box(support::filter(&engine, &log));
    black_box(measured(&engine, &log));
    println!("{}", log.len());
    ExitCode::SUCCESS
}

/// The name that the counter looks for.
#[inline(never)]
fn measured(engine: &Arc<Engine>, log: &[u8]) -> usize {
    support::filter(engine, log)
}

const SEED: u64 = 1;
