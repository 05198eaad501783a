//! Turns folders of clean logs into counts of false masks, and generated tokens into recall. Does not say whether a
//! mask in a "clean" log was right: whoever gives the logs must know that they hold no secrets.
//!
//! `cargo run --release --example accuracy -- [--seed N] [--tokens N] [--samples N] [--raw] [FOLDER|FILE]...`
//!
//! Each argument is one kind of clean log. Samples are shown masked and escaped; `--raw` also shows what was masked.

mod clean;
mod contexts;
mod formats;
mod generic;
mod readings;
mod recall;

use std::{env, path::PathBuf, process::ExitCode, sync::Arc};

use blackbar::{Engine, Options, RuleSet};

/// What the command line asks for.
pub struct Settings {
    /// Determines all that is drawn.
    pub seed: u64,
    /// How many tokens are drawn for each format and context; none leaves recall out.
    pub tokens: usize,
    /// How many false masks are shown for each rule and kind of log.
    pub samples: usize,
    /// Show the bytes that were masked, too.
    pub raw: bool,
    /// The clean logs.
    pub paths: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let Some(settings) = settings() else {
        eprintln!("usage: accuracy [--seed N] [--tokens N] [--samples N] [--raw] [FOLDER|FILE]...");
        return ExitCode::from(2);
    };
    let mut rules = RuleSet::builtin().expect("the embedded rules are right");
    rules.select(&[], &[], &[]).expect("no rule is named");
    let engine = Arc::new(Engine::new(rules, Options::default()).expect("the embedded rules compile"));
    for path in &settings.paths {
        if let Err(fault) = clean::report(&engine, path, &settings) {
            eprintln!("{}: {}", path.display(), fault.kind());
            return ExitCode::from(3);
        }
    }
    if settings.tokens > 0 {
        recall::report(&engine, &settings);
    }
    ExitCode::SUCCESS
}

fn settings() -> Option<Settings> {
    let mut settings = Settings { seed: 1, tokens: 4, samples: 5, raw: false, paths: Vec::new() };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse::<u64>().ok());
        match argument.as_str() {
            "--seed" => settings.seed = number()?,
            "--tokens" => settings.tokens = number()? as usize,
            "--samples" => settings.samples = number()? as usize,
            "--raw" => settings.raw = true,
            option if option.starts_with('-') => return None,
            path => settings.paths.push(PathBuf::from(path)),
        }
    }
    Some(settings)
}
