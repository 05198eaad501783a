//! Runs the cases of `tests/cases/*.toml`, each in every way a stream can be cut.
//!
//! A case:
//!
//! ```toml
//! [[case]]
//! name = "a GitHub token after an equals sign"
//! secrets = { t = "ghp_{base62:36}" }         # drawn at random, as examples in rule files are
//! forms = { b = "base64|key={t}\n" }          # made of secrets: functions, from right to left
//! input = "token={t} {b}\n"                   # `{t[4..]}` is a slice; other braces are literal
//! output = "token=[REDACTED:github-pat] [REDACTED:github-pat]\n"
//! ```
//!
//! Without `output` the input must pass unchanged; with `masked = ["t"]` in its place the shape of
//! the output is left open, but nothing of the secret may be readable in it. Optional:
//! `input_hex`; `encoding` (`utf-16le`, `utf-16be`: input and output are text in it, BOM first;
//! `bytes behind a utf-16le mark`);
//! `rules` (TOML rows added to the built-in ones), `only`, `enable`; `style`, `replacement`,
//! `entropy`, `mode`, `mask_confidence`; `findings` (ids, in order); `idempotent = false` with a
//! `reason`. A file's `clean` list holds lines that must pass unchanged, each on its own.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::Path,
    sync::Arc,
};

use blackbar::{
    filter::Filter,
    finding::FingerprintKey,
    redact::Style,
    rules::{
        Confidence, RuleSet,
        sample::{Rng, fill},
    },
    scan::{Engine, Entropy, Mode, Options},
};
use serde::Deserialize;
use support::same;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    case: Vec<Case>,
    #[serde(default)]
    clean: Vec<String>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields, default)]
struct Case {
    name: String,
    secrets: BTreeMap<String, String>,
    forms: BTreeMap<String, String>,
    input: Option<String>,
    input_hex: Option<String>,
    output: Option<String>,
    masked: Vec<String>,
    encoding: Option<String>,
    setup: Setup,
    findings: Option<Vec<String>>,
    idempotent: Option<bool>,
    reason: Option<String>,
}

#[derive(Deserialize, Default, Clone, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields, default)]
struct Setup {
    rules: Option<String>,
    only: Vec<String>,
    enable: Vec<String>,
    style: Option<String>,
    replacement: Option<String>,
    entropy: Option<String>,
    mode: Option<String>,
    mask_confidence: Option<String>,
}

/// The topics, each a file of `tests/cases/` and a test of its own, so that they run side by side.
macro_rules! topics {
    ($($topic:ident)*) => {
        const TOPICS: &[&str] = &[$(stringify!($topic)),*];
        mod cases_of {
            $(#[test] fn $topic() { super::run_file(stringify!($topic)); })*
        }
    };
}

topics! {
    ansi assigned base64 carriage_return clean containers end_of_input headers json
    key_blocks manifests neighbours pairs percent_and_entities plain quoted_printable rules_and_options structures two_lines utf16 vendors
    yaml
}

#[test]
fn every_case_file_is_run() {
    let found: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect();
    let known: BTreeSet<String> = TOPICS.iter().map(|topic| (*topic).to_owned()).collect();
    assert_eq!(found, known);
}

#[test]
fn every_mask_in_a_case_names_a_rule() {
    let rules = RuleSet::builtin().unwrap();
    for topic in TOPICS {
        for case in load(topic) {
            let own = case.setup.rules.as_deref().unwrap_or_default();
            for label in case.output.as_deref().unwrap_or_default().split("[REDACTED:").skip(1) {
                let id = label.split([']', ':']).next().unwrap();
                let known = rules.get(id).is_some() || own.contains(&format!("id = \"{id}\"")) || id == "unscanned";
                assert!(known, "{topic}: {}: no rule is called {id}", case.name);
            }
        }
    }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn load(topic: &str) -> Vec<Case> {
    let text = fs::read_to_string(folder().join(format!("{topic}.toml"))).unwrap();
    let file: File = toml::from_str(&text).unwrap_or_else(|fault| panic!("{topic}.toml: {fault}"));
    let lines = file.clean.into_iter().map(|line| Case {
        name: line.chars().take(60).collect(),
        input: Some(line + "\n"),
        ..Case::default()
    });
    file.case.into_iter().chain(lines).collect()
}

fn run_file(topic: &str) {
    let cases = load(topic);
    let mut engines = HashMap::new();
    let mut faults = Vec::new();
    for case in &cases {
        let engine = engines.entry(case.setup.clone()).or_insert_with(|| engine(&case.setup));
        for seed in 0..SEEDS {
            if let Err(fault) = run(engine, case, seed) {
                faults.push(format!("{topic}: {}\n{fault}", case.name));
                break;
            }
        }
    }
    assert!(faults.is_empty(), "{} of {} cases:\n\n{}", faults.len(), cases.len(), faults.join("\n\n"));
}

fn engine(setup: &Setup) -> Arc<Engine> {
    if *setup == Setup::default() {
        return support::default_engine();
    }
    let mut rules = RuleSet::builtin().unwrap();
    if let Some(rows) = &setup.rules {
        rules.add(rows, "case", "case").unwrap();
    }
    rules.select(&setup.only, &setup.enable, &[]).unwrap();
    let options = Options {
        mode: match setup.mode.as_deref() {
            None | Some("redact") => Mode::Redact,
            Some("alert") => Mode::Alert,
            Some(other) => panic!("no mode {other}"),
        },
        style: match (&setup.replacement, setup.style.as_deref()) {
            (Some(text), _) => Style::Text(text.clone()),
            (None, None | Some("label")) => Style::Label,
            (None, Some("hash")) => Style::Hash,
            (None, Some("length")) => Style::Length,
            (None, Some("fixed")) => Style::Fixed,
            (None, Some(other)) => panic!("no style {other}"),
        },
        entropy: match setup.entropy.as_deref() {
            None | Some("keyed") => Entropy::Keyed,
            Some("off") => Entropy::Off,
            Some("all") => Entropy::All,
            Some(other) => panic!("no entropy {other}"),
        },
        mask_confidence: match setup.mask_confidence.as_deref() {
            None | Some("low") => Confidence::Low,
            Some("medium") => Confidence::Medium,
            Some("high") => Confidence::High,
            Some("certain") => Confidence::Certain,
            Some(other) => panic!("no confidence {other}"),
        },
        fingerprint_key: FingerprintKey::from_bytes(KEY),
        ..Options::default()
    };
    Arc::new(Engine::new(rules, options).unwrap())
}

/// Runs one case with one draw of its secrets.
fn run(engine: &Arc<Engine>, case: &Case, seed: u64) -> Result<(), String> {
    let values = values(case, seed)?;
    let input = input(case, &values)?;
    let expected = match &case.output {
        Some(template) => encode(case, expand(template, &values)?)?,
        None if case.masked.is_empty() => input.clone(),
        None => {
            let output = support::whole(engine, &input);
            unreadable(case, &values, &output)?;
            output
        }
    };
    same("in one piece", &input, &expected, &support::whole(engine, &input))?;
    cut_everywhere(engine, &input, &expected)?;
    if case.idempotent == Some(false) {
        case.reason.as_ref().ok_or("a case that is not idempotent needs a reason")?;
    } else {
        same("filtered twice", &expected, &expected, &support::whole(engine, &expected))?;
    }
    if let Some(ids) = &case.findings {
        let mut filter = Filter::new(Arc::clone(engine));
        filter.push(&input);
        filter.finish();
        let found: Vec<String> = filter.take_findings().iter().map(|finding| finding.rule.id.clone()).collect();
        if found != *ids {
            return Err(format!("  findings: {found:?}, not {ids:?}"));
        }
    }
    Ok(())
}

/// The ways of cutting: byte by byte and in two at every place, each with and without time passing.
fn cut_everywhere(engine: &Arc<Engine>, input: &[u8], expected: &[u8]) -> Result<(), String> {
    for idle in [false, true] {
        let bytes: Vec<(&[u8], bool)> = input.chunks(1).map(|byte| (byte, idle)).collect();
        same(&format!("byte by byte, idle {idle}"), input, expected, &support::in_pieces(engine, &bytes))?;
        // Long inputs are cut at every 7th place: 7 has no factor in common with line lengths of
        // key blocks and the like, so all kinds of places are met.
        let step = if input.len() > LONG_BYTES { 7 } else { 1 };
        for at in (1..input.len()).step_by(step) {
            let (left, right) = input.split_at(at);
            let output = support::in_pieces(engine, &[(left, idle), (right, false)]);
            same(&format!("cut at {at}, idle {idle}"), input, expected, &output)?;
        }
    }
    Ok(())
}

/// The secrets as drawn, and the forms made of them.
fn values(case: &Case, seed: u64) -> Result<BTreeMap<String, Vec<u8>>, String> {
    // The name takes part, so that a new case does not change the draws of the others.
    let start = case.name.bytes().fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut rng = Rng::new(start);
    let mut values = BTreeMap::new();
    for (name, template) in &case.secrets {
        values.insert(name.clone(), fill(template, &mut rng)?.into_bytes());
    }
    for (name, form) in &case.forms {
        let mut parts: Vec<&str> = form.split('|').collect();
        let text = parts.pop().unwrap_or_default();
        let mut bytes = expand(text, &values)?;
        for function in parts.iter().rev() {
            bytes = apply(function, &bytes)?;
        }
        values.insert(name.clone(), bytes);
    }
    Ok(values)
}

fn apply(function: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let all = |each: fn(&u8) -> String| bytes.iter().map(each).collect::<String>().into_bytes();
    Ok(match function {
        "json" => {
            let text = serde_json::to_string(&String::from_utf8_lossy(bytes)).unwrap();
            text.as_bytes()[1..text.len() - 1].to_vec()
        }
        "json-ascii" => all(|byte| format!("\\u{byte:04x}")),
        "base64" => base64(bytes, b'+', b'/', true),
        "base64-bare" => base64(bytes, b'+', b'/', false),
        "base64url" => base64(bytes, b'-', b'_', false),
        "hex" => all(|byte| format!("{byte:02x}")),
        "percent" => all(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' | b'~' => char::from(*byte).to_string(),
            _ => format!("%{byte:02X}"),
        }),
        "percent-all" => all(|byte| format!("%{byte:02x}")),
        "entities" => all(|byte| format!("&#{byte};")),
        "entities-hex" => all(|byte| format!("&#x{byte:X};")),
        // A colour between every two characters, as a highlighter leaves it.
        "ansi" => {
            bytes.iter().map(|byte| char::from(*byte).to_string()).collect::<Vec<_>>().join("\u{1b}[1;33m").into_bytes()
        }
        "fingerprint" => FingerprintKey::from_bytes(KEY).fingerprint(bytes).short().into_bytes(),
        "bytes" => unhex(&String::from_utf8_lossy(bytes))?,
        "repeat-100" => bytes.repeat(100),
        other => return Err(format!("no form {other}")),
    })
}

/// Replaces `{name}` and `{name[a..b]}`; braces around anything else stay.
fn expand(template: &str, values: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let known = values.iter().find_map(|(name, value)| {
            let after = rest[1..].strip_prefix(name.as_str())?;
            if let Some(after) = after.strip_prefix('}') {
                return Some((value.as_slice(), after));
            }
            let (range, after) = after.strip_prefix('[')?.split_once("]}")?;
            let (from, to) = range.split_once("..")?;
            let from = if from.is_empty() { 0 } else { from.parse().ok()? };
            let to = if to.is_empty() { value.len() } else { to.parse().ok()? };
            Some((value.get(from..to)?, after))
        });
        match known {
            Some((value, after)) => {
                bytes.extend_from_slice(value);
                rest = after;
            }
            None => {
                bytes.push(b'{');
                rest = &rest[1..];
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

fn input(case: &Case, values: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, String> {
    match (&case.input, &case.input_hex) {
        (Some(template), None) => encode(case, expand(template, values)?),
        (None, Some(digits)) => unhex(digits),
        _ => Err("a case has either input or input_hex".to_owned()),
    }
}

fn encode(case: &Case, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let unit: fn(u16) -> [u8; 2] = match case.encoding.as_deref() {
        None => return Ok(bytes),
        Some("utf-16le") => u16::to_le_bytes,
        Some("utf-16be") => u16::to_be_bytes,
        Some("bytes behind a utf-16le mark") => return Ok([&[0xff, 0xfe], bytes.as_slice()].concat()),
        Some(other) => return Err(format!("no encoding {other}")),
    };
    let text = format!("\u{feff}{}", String::from_utf8_lossy(&bytes));
    Ok(text.encode_utf16().flat_map(unit).collect())
}

/// Makes sure that no 8 bytes of a secret, nor of its common forms, stand in the output.
fn unreadable(case: &Case, values: &BTreeMap<String, Vec<u8>>, output: &[u8]) -> Result<(), String> {
    for name in &case.masked {
        let secret = values.get(name).ok_or(format!("no secret {name}"))?;
        for function in ["json", "base64", "hex", "percent"] {
            let form = apply(function, secret)?;
            for text in [secret, &form] {
                // A fixed prefix may stay; what follows it may not.
                let body = &text[text.len().min(PREFIX_BYTES)..];
                if let Some(piece) = body.windows(8).find(|piece| contains(output, piece)) {
                    return Err(format!(
                        "  {} of {name} is readable in {}",
                        support::shown(piece),
                        support::shown(output)
                    ));
                }
            }
        }
    }
    Ok(())
}

fn contains(text: &[u8], piece: &[u8]) -> bool {
    text.windows(piece.len()).any(|part| part == piece)
}

fn unhex(digits: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| {
            std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or("not hexadecimal".to_owned())
        })
        .collect()
}

fn base64(bytes: &[u8], plus: u8, slash: u8, pad: bool) -> Vec<u8> {
    let mut digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".to_vec();
    digits.extend([plus, slash]);
    let mut text = Vec::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(*group.get(at).unwrap_or(&0)));
        for at in 0..4 {
            if at <= group.len() {
                text.push(digits[(bits >> (18 - 6 * at)) as usize & 63]);
            } else if pad {
                text.push(b'=');
            }
        }
    }
    text
}

/// How many draws of its secrets each case is run with.
const SEEDS: u64 = 2;

/// From which length on (bytes) not every place is cut at.
const LONG_BYTES: usize = 1500;

/// How many bytes a fixed prefix of a token has at most.
const PREFIX_BYTES: usize = 12;

/// The key of fingerprints in the cases.
const KEY: &[u8] = b"a key for the tests, 32 bytes ...";
