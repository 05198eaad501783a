//! Turns a number into that many values as a CI job knows them. Does not copy real ones.

use std::sync::Arc;

use blackbar::{
    Engine, KnownValues, Options,
    rules::sample::{Rng, fill},
};

use super::default_rules;

/// An engine with the default rules that knows so many values.
pub fn engine(count: usize) -> Arc<Engine> {
    let known = KnownValues::default();
    let mut rng = Rng::new(SEED);
    for index in 0..count {
        // Nothing here is too short or too common.
        known.add(&format!("VALUE_{index}"), value(index, &mut rng).as_bytes()).unwrap();
    }
    Arc::new(Engine::new(default_rules(), Options { known, ..Options::default() }).unwrap())
}

/// Tokens, passwords that people choose or machines make, URLs with a password, and every fiftieth a
/// private key of 26 lines.
fn value(index: usize, rng: &mut Rng) -> String {
    if index % 50 == 49 {
        let lines: Vec<String> = (0..24).map(|_| draw("{base64:64}", rng)).collect();
        let kind = "PRIVATE KEY";
        return format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"));
    }
    let password = |least: usize, most: usize, rng: &mut Rng| -> String {
        let length = least + rng.below(most - least + 1);
        (0..length).map(|_| char::from(*rng.pick(PASSWORD))).collect()
    };
    match rng.below(16) {
        kind @ 0..3 => password([8, 12, 16][kind], [12, 24, 32][kind], rng),
        3 => {
            let (name, word) = (draw("{lower:5}", rng), password(12, 20, rng).replace(['@', '/', ':'], "_"));
            draw(&format!("postgres://{name}:"), rng) + &word + &draw("@{lower:6}.internal:5432/{lower:5}", rng)
        }
        _ => {
            let template = *rng.pick(TEMPLATES);
            draw(template, rng)
        }
    }
}

fn draw(template: &str, rng: &mut Rng) -> String {
    // The templates are constants.
    fill(template, rng).unwrap()
}

const TEMPLATES: &[&str] = &[
    "ghp_{base62:36}",
    "glpat-{base64url:20}",
    "{hex:32}",
    "{hex:40}",
    "{hex:64}",
    "{base64:40}",
    "{base64:43}=",
    "{base62:16}",
    "{base62:24-48}",
    "{lower:8}{digits:2}!",
    "{lower:4}-{lower:6}-{lower:5}-{digits:2}",
    "https://{lower:5}:{base62:24}@{lower:8}.example.net/{lower:6}",
];

const PASSWORD: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-./:;<=>?@[]^_{|}~";

const SEED: u64 = 1;
