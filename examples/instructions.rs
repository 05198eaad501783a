//! Filters one generated log, for a counter of instructions: `instructions LOG BYTES`, with known values
//! `instructions LOG+VALUES BYTES`. Prints the length of the log. Only what happens in [`measured`] is to
//! be counted (`benches/instructions.py`).

#[path = "../benches/corpus/mod.rs"]
mod corpus;
#[path = "../benches/support/mod.rs"]
mod support;

use std::{env, hint::black_box, process::ExitCode, sync::Arc};

use blackbar::Engine;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((log, engine)) = given(&arguments) else {
        eprintln!("usage: instructions LOG[+VALUES] BYTES");
        return ExitCode::from(2);
    };
    // What is compiled at its first use is no part of the work on a byte.
    black_box(support::filter(&engine, &log));
    black_box(measured(&engine, &log));
    println!("{}", log.len());
    ExitCode::SUCCESS
}

fn given(arguments: &[String]) -> Option<(Vec<u8>, Arc<Engine>)> {
    let [name, bytes] = arguments else { return None };
    let (name, values) = name.split_once('+').unwrap_or((name, "0"));
    let engine = support::known::engine(values.parse().ok()?);
    Some((corpus::by_name(name, bytes.parse().ok()?, SEED)?, engine))
}

/// The name that the counter looks for.
#[inline(never)]
fn measured(engine: &Arc<Engine>, log: &[u8]) -> usize {
    support::filter(engine, log)
}

const SEED: u64 = 1;
