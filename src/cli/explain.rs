//! `blackbar explain`: says of each line on standard input what is masked in it and why. Never
//! prints a secret: what it shows of a line is the redacted line.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _, Read as _, Write as _},
    sync::Arc,
};

use blackbar::{
    escape,
    filter::Filter,
    limits,
    scan::{Candidate, Engine},
};

use super::{
    console::Console,
    exit::{Exit, Failure},
    files, output, secrets,
    settings::Settings,
    setup,
};

/// Runs the command.
pub fn run(settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let engine = Arc::new(setup::engine(
        settings,
        setup::key(settings, true)?,
        secrets::load(settings, false, console)?,
        false,
    )?);
    let input = read_input()?;
    if input.is_empty() {
        return Err(Failure::usage("there is nothing on standard input to explain"));
    }
    let mut text = String::new();
    let mut lines = input.split(|&byte| byte == b'\n').peekable();
    let mut number = 0;
    while let Some(line) = lines.next() {
        // What follows the last newline is a line only if there is something in it.
        if line.is_empty() && lines.peek().is_none() && number > 0 {
            break;
        }
        number += 1;
        explain(&mut text, &engine, number, line);
    }
    output::print(&text)
}

fn read_input() -> Result<Vec<u8>, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let _ = io::stderr().write_all(b"blackbar: paste a line, then end the input with Ctrl-D\n");
    }
    let mut input = Vec::new();
    let most = limits::CONFIG_BYTES_MAX;
    let read = stdin.lock().take(most + 1).read_to_end(&mut input);
    read.map_err(|fault| Failure::io(format!("standard input: {}", files::reason(fault.kind()))))?;
    if input.len() as u64 > most {
        return Err(Failure::usage(format!("explain takes at most {} MiB; give it the lines in question", most >> 20)));
    }
    Ok(input)
}

fn explain(text: &mut String, engine: &Arc<Engine>, number: usize, line: &[u8]) {
    let candidates = engine.explain(line);
    if number > 1 {
        text.push('\n');
    }
    let found = match candidates.len() {
        0 => "nothing found".to_owned(),
        1 => "1 candidate".to_owned(),
        more => format!("{more} candidates"),
    };
    // Writing to a string does not fail, here and below.
    let _ = writeln!(text, "line {number}: {found}\n  {}", redacted(engine, line));
    for candidate in &candidates {
        describe(text, engine, candidate);
    }
}

/// The line as the filter writes it. In this command the mode is always to redact.
fn redacted(engine: &Arc<Engine>, line: &[u8]) -> String {
    let mut filter = Filter::new(Arc::clone(engine));
    let mut clean = filter.push(line).to_vec();
    clean.extend(filter.finish().to_vec());
    escape::visible(&String::from_utf8_lossy(&clean)).into_owned()
}

fn describe(text: &mut String, engine: &Engine, candidate: &Candidate) {
    let Candidate { rule, name, view, column, length, masked, why, .. } = candidate;
    let verdict = match (masked, candidate.confidence) {
        (true, Some(confidence)) => format!("masked, confidence {confidence}"),
        (false, Some(confidence)) => format!("not masked, confidence {confidence}"),
        (true, None) => "masked".to_owned(),
        (false, None) => "not masked".to_owned(),
    };
    let mut rows = vec![
        ("rule", format!("{rule}, {name}")),
        ("where", format!("column {column}, {length} bytes, view {view}")),
        ("verdict", verdict),
        ("why", why.clone()),
    ];
    let facts: Vec<String> = candidate.facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if !facts.is_empty() {
        rows.push(("facts", facts.join(", ")));
    }
    let key = &engine.options().fingerprint_key;
    rows.push(("fingerprint", format!("{} (key {})", candidate.fingerprint, key.id())));
    text.push('\n');
    for (name, value) in rows {
        let _ = writeln!(text, "  {name:11}  {}", escape::visible(&value));
    }
    if !masked {
        return;
    }
    if key.is_ephemeral() {
        text.push_str("  to allow it  a kept key is needed: give --fingerprint-key-file FILE\n");
        return;
    }
    let _ = writeln!(
        text,
        "  to allow it\n\n    [[allow]]\n    rule = \"{rule}\"\n    fingerprint = \"{}\"\n    key_id = \"{}\"\n    \
         action = \"pass\"\n    reason = \"\"",
        candidate.fingerprint,
        key.id()
    );
}
