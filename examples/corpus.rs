//! Writes the logs of the benches, for programs outside: `corpus KIND BYTES SEED > log`,
//! `corpus names`, or `corpus statistics [BYTES]` for what makes them hard.

#[path = "../benches/corpus/mod.rs"]
mod corpus;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use corpus::{Kind, real, statistics::Statistics};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let bytes = match arguments[..] {
        ["names"] => Some((corpus::names().join("\n") + "\n").into_bytes()),
        ["statistics"] => Some(table(STATISTICS_BYTES).into_bytes()),
        ["statistics", bytes] => bytes.parse().ok().map(|bytes| table(bytes).into_bytes()),
        [name, bytes, seed] => match (bytes.parse(), seed.parse()) {
            (Ok(bytes), Ok(seed)) => corpus::by_name(name, bytes, seed),
            _ => None,
        },
        _ => None,
    };
    let Some(bytes) = bytes else {
        eprintln!("usage: corpus KIND BYTES SEED | corpus names | corpus statistics [BYTES]");
        return ExitCode::from(2);
    };
    // A reader that has gone is not worth a word.
    let _ = io::stdout().write_all(&bytes);
    ExitCode::SUCCESS
}

/// Generated logs, and real ones where there are some, as a table in Markdown.
fn table(bytes: usize) -> String {
    let mut logs: Vec<(String, Vec<u8>)> =
        Kind::ALL.iter().map(|kind| (kind.name().to_owned(), corpus::log(*kind, bytes, 0, 1))).collect();
    logs.push(("ansi".to_owned(), corpus::coloured(bytes, 1)));
    logs.push(("nested".to_owned(), corpus::nested(bytes, 1)));
    for source in real::sources() {
        logs.push((format!("real-{}", source.name), source.original().to_vec()));
        logs.push((format!("real-{}, redrawn", source.name), source.reshuffled(bytes, 1)));
    }
    let mut text = String::from("| log |");
    Statistics::COLUMNS.iter().for_each(|(name, _)| text += &format!(" {name} |"));
    text += &format!("\n|---|{}\n", "---|".repeat(Statistics::COLUMNS.len()));
    for (name, log) in logs {
        text += &format!("| {name} | {} |\n", Statistics::of(&log).row().join(" | "));
    }
    text += "\n";
    Statistics::COLUMNS.iter().for_each(|(name, meaning)| text += &format!("- {name}: {meaning}\n"));
    text
}

/// How long the logs are that are counted, unless said (bytes).
const STATISTICS_BYTES: usize = 8 << 20;
