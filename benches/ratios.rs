//! Prints how the filter does beside a copy of the same bytes, beside the field's method, with ten
//! times the rules, with a thousand known values, and on logs that were made to be slow. Every figure is a ratio of medians of
//! one run, the sides in turn.
//!
//! ```text
//! cargo bench --bench ratios                         all of it
//! cargo bench --bench ratios -- logs/ci attacks/key  rows whose name begins so
//! cargo bench --bench ratios -- --save               writes benches/results/in-process.md, too
//! ```

mod corpus;
mod support;

use std::{
    env,
    fmt::Write as _,
    fs,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use blackbar::{Engine, limits::LINE_BYTES_MAX};
use corpus::{
    Kind,
    adversarial::{self, Attack, Shape},
};
use support::field::Field;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // `cargo test --benches` runs this, too, and wants no figures.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let wanted = Wanted(arguments.iter().filter(|argument| !argument.starts_with('-')).cloned().collect());
    let mut report = String::from(
        "<!-- written by: cargo bench --bench ratios -- --save -->\n\nThe filter in process, one thread. GB = 10^9 bytes.\n\n",
    );
    for part in [beside_copy_and_field, many_rules, known_values, attacks] {
        let start = report.len();
        part(&wanted, &mut report);
        report.push('\n');
        print!("{}", &report[start..]);
    }
    if arguments.iter().any(|argument| argument == "--save") {
        assert!(wanted.0.is_empty(), "the file holds all rows, or none");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/results/in-process.md");
        fs::write(path, report.trim_end().to_owned() + "\n").unwrap();
    }
}

/// The beginnings of names that are measured; all if there are none.
struct Wanted(Vec<String>);

impl Wanted {
    fn has(&self, part: &str, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|start| format!("{part}/{name}").starts_with(start))
    }
}

/// Logs of all kinds and densities.
fn beside_copy_and_field(wanted: &Wanted, report: &mut String) {
    let engine = support::engine(support::default_rules());
    let field = Field::new(&support::default_rules());
    *report += "| log | filter, GB/s | memcpy, GB/s | filter / memcpy | field, GB/s | filter / field | field's gate, GB/s |\n|---|---|---|---|---|---|---|\n";
    let (mut copied, mut masked) = (vec![0; LOG_BYTES + (1 << 20)], Vec::new());
    for name in corpus::log_names().into_iter().filter(|name| wanted.has("logs", name)) {
        let bytes = if name.ends_with("-50%") { DENSE_BYTES } else { LOG_BYTES };
        let log = corpus::by_name(&name, bytes, SEED).unwrap();
        let times = in_turn(
            TIME_MAX,
            &mut [
                &mut || {
                    black_box(support::filter(&engine, &log));
                },
                &mut || black_box(&mut copied[..log.len()]).copy_from_slice(black_box(&log)),
                &mut || field.filter(black_box(&log), black_box(&mut masked)),
                &mut || {
                    black_box(field.gate(black_box(&log)));
                },
            ],
        );
        let speeds: Vec<f64> = times.iter().map(|time| log.len() as f64 / time / 1e9).collect();
        let [filter, memcpy, fields, gate] = speeds[..] else { unreachable!("four sides") };
        let (of_copy, of_field) = (filter / memcpy, filter / fields);
        let _ = writeln!(
            report,
            "| {name} | {filter:.3} | {memcpy:.1} | {of_copy:.3} | {fields:.3} | {of_field:.1} | {gate:.3} |"
        );
    }
    let _ = writeln!(
        report,
        "\nThe field: one keyword automaton (the gate), then {} regular expressions on the lines it names \
         (`benches/support/field.rs`).",
        field.len()
    );
}

/// Ten times the rules on clean logs.
fn many_rules(wanted: &Wanted, report: &mut String) {
    let (one, ten) = (support::default_rules(), support::many::rules(10));
    let _ = writeln!(
        report,
        "| log | {} rules, GB/s | {} rules, GB/s | time, ten times the rules / once |\n|---|---|---|---|",
        one.rules().len(),
        ten.rules().len()
    );
    let (one, ten) = (support::engine(one), support::engine(ten));
    for kind in Kind::ALL.into_iter().filter(|kind| wanted.has("rules", kind.name())) {
        let log = corpus::log(kind, LOG_BYTES, 0, SEED);
        let [one, ten] = two_engines(&one, &ten, &log);
        let speed = |time: f64| log.len() as f64 / time / 1e9;
        let _ = writeln!(report, "| {} | {:.3} | {:.3} | {:.2} |", kind.name(), speed(one), speed(ten), ten / one);
    }
}

/// A thousand known values on clean logs, and on logs with secrets.
fn known_values(wanted: &Wanted, report: &mut String) {
    let _ = writeln!(
        report,
        "| log | no values, GB/s | {VALUES} values, GB/s | time, with values / without |\n|---|---|---|---|"
    );
    let (none, many) = (support::known::engine(0), support::known::engine(VALUES));
    for name in corpus::log_names().into_iter().filter(|name| wanted.has("known", name)) {
        let bytes = if name.ends_with("-50%") { DENSE_BYTES } else { LOG_BYTES };
        let log = corpus::by_name(&name, bytes, SEED).unwrap();
        let [none, many] = two_engines(&none, &many, &log);
        let speed = |time: f64| log.len() as f64 / time / 1e9;
        let _ = writeln!(report, "| {name} | {:.3} | {:.3} | {:.2} |", speed(none), speed(many), many / none);
    }
}

/// The times that two engines take for a log, in turn (seconds).
fn two_engines(one: &Arc<Engine>, other: &Arc<Engine>, log: &[u8]) -> [f64; 2] {
    let times = in_turn(
        TIME_MAX,
        &mut [
            &mut || {
                black_box(support::filter(one, log));
            },
            &mut || {
                black_box(support::filter(other, log));
            },
        ],
    );
    let [one, other] = times[..] else { unreachable!("two sides") };
    [one, other]
}

/// Attacks: how fast beside a clean log of the same length, and how the time grows.
fn attacks(wanted: &Wanted, report: &mut String) {
    let engine = support::engine(support::default_rules());
    let mut seconds = |log: &[u8]| {
        in_turn(
            ATTACK_TIME_MAX,
            &mut [&mut || {
                black_box(support::filter(&engine, log));
            }],
        )[0]
    };
    *report += "| attack | in lines, MB/s | of clean | exponent | in one line, MB/s | of clean | exponent |\n|---|---|---|---|---|---|---|\n";
    let clean = |sizes: [usize; 3]| sizes.map(|bytes| corpus::log(Kind::Ci, bytes, 0, SEED));
    let (clean_lines, clean_line) = (clean(LINES_BYTES), clean(LINE_BYTES));
    let (mut slowest, mut steepest) = ((f64::MAX, String::new()), (0.0, String::new()));
    let mut row = String::new();
    for attack in adversarial::all().into_iter().filter(|attack| wanted.has("attacks", attack.form())) {
        let clean = if attack.shape() == Shape::Lines { &clean_lines } else { &clean_line };
        let figures = growth(&attack, clean, &mut seconds);
        if figures.of_clean < slowest.0 {
            slowest = (figures.of_clean, attack.name());
        }
        if figures.exponent > steepest.0 {
            steepest = (figures.exponent, attack.name());
        }
        if attack.shape() == Shape::Lines {
            row = format!("| {} |", attack.form());
        }
        let _ =
            write!(row, " {:.1} | {:.1} % | {:.2} |", figures.speed / 1e6, 100.0 * figures.of_clean, figures.exponent);
        if attack.shape() == Shape::Line {
            *report += &row;
            report.push('\n');
        }
    }
    let _ = writeln!(
        report,
        "\nSpeed at the largest size, or at the last one that was not too slow; the exponent is that of the time over \
         sizes of {:?} KiB in lines and {:?} KiB in one line.\nSlowest: {} with {:.1} % of clean. Steepest: {} with an \
         exponent of {:.2}.",
        LINES_BYTES.map(|bytes| bytes >> 10),
        LINE_BYTES.map(|bytes| bytes >> 10),
        slowest.1,
        100.0 * slowest.0,
        steepest.1,
        steepest.0
    );
}

/// How an attack does.
struct Growth {
    /// Bytes a second.
    speed: f64,
    of_clean: f64,
    exponent: f64,
}

fn growth(attack: &Attack, clean: &[Vec<u8>; 3], seconds: &mut impl FnMut(&[u8]) -> f64) -> Growth {
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut of_clean = 0.0;
    let sizes = if attack.shape() == Shape::Lines { LINES_BYTES } else { LINE_BYTES };
    for (bytes, clean) in sizes.into_iter().zip(clean) {
        // Two sizes make an exponent; the third is not tried if it could take for ever.
        if points.len() > 1 && points.last().is_some_and(|(_, time)| *time > ATTACK_SECONDS_LAST) {
            break;
        }
        let log = attack.log(bytes, SEED);
        let (clean_time, time) = (seconds(clean), seconds(&log));
        of_clean = (log.len() as f64 / time) / (clean.len() as f64 / clean_time);
        points.push((log.len() as f64, time));
    }
    let ((first_bytes, first_time), (bytes, time)) = (points[0], points[points.len() - 1]);
    let exponent = (time / first_time).ln() / (bytes / first_bytes).ln();
    Growth { speed: bytes / time, of_clean, exponent }
}

/// Runs each side once for warmth, then all in turn, and returns each one's median (seconds).
/// What is so slow that warmth does not matter is run once.
fn in_turn(time_max: Duration, sides: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let start = Instant::now();
    let mut times: Vec<Vec<f64>> = sides.iter_mut().map(|side| vec![timed(side)]).collect();
    if start.elapsed() < TIME_ONCE {
        times.iter_mut().for_each(Vec::clear);
        while times[0].len() < ROUNDS_MIN || times[0].len() < ROUNDS_MAX && start.elapsed() < time_max {
            sides.iter_mut().zip(&mut times).for_each(|(side, times)| times.push(timed(side)));
        }
    }
    times
        .into_iter()
        .map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        })
        .collect()
}

fn timed(side: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    side();
    start.elapsed().as_secs_f64()
}

/// How long the logs are, and those half of whose lines hold a secret (bytes).
const LOG_BYTES: usize = 8 << 20;
const DENSE_BYTES: usize = 1 << 20;

/// How long the attacks are (bytes): each four times the one before. One line is to be over the
/// bound from which on the filter takes it in pieces, at every size.
const LINES_BYTES: [usize; 3] = [128 << 10, 512 << 10, 2 << 20];
const LINE_BYTES: [usize; 3] = [LINE_BYTES_MAX, 4 * LINE_BYTES_MAX, 16 * LINE_BYTES_MAX];

/// From which time on an attack is not tried at the next size (seconds).
const ATTACK_SECONDS_LAST: f64 = 0.5;

/// How many known values there are.
const VALUES: usize = 1_000;

/// How long one comparison may take, if the least number of rounds has been run.
const TIME_MAX: Duration = Duration::from_millis(1500);
const ATTACK_TIME_MAX: Duration = Duration::from_millis(25);

/// From which time on one round is enough.
const TIME_ONCE: Duration = Duration::from_secs(2);

const ROUNDS_MIN: usize = 3;
const ROUNDS_MAX: usize = 31;

const SEED: u64 = 1;
