//! Turns a seed into logs as continuous integration, services and containers write them, and into
//! logs that were made to be slow. Does not copy real ones; `real` takes those from a folder.
//!
//! The logs must not be easier than real ones. `statistics` counts what makes a log hard, and
//! `benches/results/NOTES.md` has its table of generated and real logs side by side.
#![allow(dead_code, reason = "each bench, example and test uses another part")]

pub mod adversarial;
pub mod real;
pub mod statistics;
mod templates;

use blackbar::rules::sample::{Rng, fill};

use templates::{CI, FRAGMENTS, JSON, LONG, NESTED, SECRET, SERVICE};

/// What kind of log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Builds and tests, with timestamps and colours.
    Ci,
    /// Requests and events of services.
    Service,
    /// Docker's json-file around JSON and plain lines.
    Json,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 3] = [Kind::Ci, Kind::Service, Kind::Json];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Ci => "ci",
            Kind::Service => "service",
            Kind::Json => "json",
        }
    }
}

/// How many of 1000 lines hold a secret, and what this is called.
pub const DENSITIES: [(usize, &str); 3] = [(0, "clean"), (10, "1%"), (500, "50%")];

/// The log with a name, of at least `bytes` bytes: `ci`, `ci-1%`, `ci-50%`, the same for the other
/// kinds, `ansi`, `nested`, `NAME-lines` and `NAME-line` for each attack, `real-NAME` for each
/// real log. `None` if nothing is called so.
pub fn by_name(name: &str, bytes: usize, seed: u64) -> Option<Vec<u8>> {
    for kind in Kind::ALL {
        for (secrets, density) in DENSITIES {
            if name == kind.name() && secrets == 0 || name == format!("{}-{density}", kind.name()) {
                return Some(log(kind, bytes, secrets, seed));
            }
        }
    }
    match name {
        "ansi" => return Some(coloured(bytes, seed)),
        "nested" => return Some(nested(bytes, seed)),
        _ => {}
    }
    if let Some(real) = name.strip_prefix("real-") {
        let found = real::sources().into_iter().find(|source| source.name == real)?;
        return Some(found.reshuffled(bytes, seed));
    }
    adversarial::all().into_iter().find(|attack| attack.name() == name).map(|attack| attack.log(bytes, seed))
}

/// The names that [`by_name`] knows.
pub fn names() -> Vec<String> {
    let mut names = log_names();
    names.extend(adversarial::all().iter().map(adversarial::Attack::name));
    names
}

/// The same without attacks.
pub fn log_names() -> Vec<String> {
    let mut names = Vec::new();
    for kind in Kind::ALL {
        names.push(kind.name().to_owned());
        names.extend(DENSITIES[1..].iter().map(|(_, density)| format!("{}-{density}", kind.name())));
    }
    names.extend(["ansi".to_owned(), "nested".to_owned()]);
    names.extend(real::sources().iter().map(|source| format!("real-{}", source.name)));
    names
}

/// A log of at least `bytes` bytes, cut after the line that reaches them. `secrets` of 1000 lines
/// hold a secret. The same arguments give the same log.
pub fn log(kind: Kind, bytes: usize, secrets: usize, seed: u64) -> Vec<u8> {
    lines(bytes, seed, |rng| {
        let secret = rng.below(1000) < secrets;
        line(kind, secret, rng)
    })
}

/// A clean log in which every line has colours.
pub fn coloured(bytes: usize, seed: u64) -> Vec<u8> {
    lines(bytes, seed, |rng| {
        let time = time(rng);
        let text = ci(rng);
        let (head, tail) = text.split_at(text.find(' ').unwrap_or(0));
        format!("\u{1b}[90m{time}\u{1b}[0m \u{1b}[36;1m{head}\u{1b}[0m{tail}\u{1b}[K\n")
    })
}

/// A clean log of Docker's json-file in which every line is JSON that holds JSON, one in three
/// once more.
pub fn nested(bytes: usize, seed: u64) -> Vec<u8> {
    lines(bytes, seed, |rng| {
        let text = if rng.below(3) == 0 { draw(NESTED, rng) } else { draw(JSON, rng) };
        docker(&text, rng)
    })
}

fn lines(bytes: usize, seed: u64, mut line: impl FnMut(&mut Rng) -> String) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut log = Vec::with_capacity(bytes + LONG_BYTES);
    while log.len() < bytes {
        log.extend_from_slice(line(&mut rng).as_bytes());
    }
    log
}

fn line(kind: Kind, secret: bool, rng: &mut Rng) -> String {
    let text = match (kind, secret) {
        (_, true) => draw(SECRET, rng),
        (Kind::Ci, _) => ci(rng),
        (Kind::Service, _) => draw(SERVICE, rng),
        (Kind::Json, _) => match rng.below(16) {
            0 => ci(rng),
            1 | 2 => draw(SERVICE, rng),
            3 => draw(NESTED, rng),
            _ => draw(JSON, rng),
        },
    };
    match kind {
        Kind::Json => docker(&text, rng),
        Kind::Ci | Kind::Service => format!("{} {text}\n", time(rng)),
    }
}

/// A line of a build, which is a long one now and then.
fn ci(rng: &mut Rng) -> String {
    if rng.below(LONG_LINE_IN) > 0 {
        return draw(CI, rng);
    }
    let mut text = draw(LONG, rng);
    let length = LONG_BYTES / 4 + rng.below(LONG_BYTES / 2);
    while text.len() < length {
        text.push_str(&draw(FRAGMENTS, rng));
    }
    text
}

fn docker(text: &str, rng: &mut Rng) -> String {
    let log = serde_json::to_string(&format!("{text}\n")).unwrap();
    let stream = rng.pick(&["stdout", "stdout", "stderr"]);
    format!("{{\"log\":{log},\"stream\":\"{stream}\",\"time\":\"{}\"}}\n", time(rng))
}

fn draw(templates: &[&str], rng: &mut Rng) -> String {
    let template: &str = rng.pick::<&str>(templates);
    // Each list is a constant of this folder; a broken template shows at the first run.
    fill(template, rng).unwrap()
}

fn time(rng: &mut Rng) -> String {
    let mut two = |below| format!("{:02}", rng.below(below));
    format!("2026-11-{}T{}:{}:{}.{}{}{}0Z", two(28), two(24), two(60), two(60), two(100), two(100), two(100))
}

/// How long a long line may be (bytes).
const LONG_BYTES: usize = 12 << 10;

/// One line of a build in so many is a long one.
const LONG_LINE_IN: usize = 800;
