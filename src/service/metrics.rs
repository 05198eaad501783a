//! Counts what happens in streams. Does not write the counts down (see `exposition`), and has no
//! place for text of a log: every label is of a closed set.
//!
//! Counting takes atomic additions and no memory. Findings, which are rare, look their rule up under a
//! lock that only a reload takes for writing.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use crate::{
    filter::Stats,
    finding::{Finding, Taken},
    limits::METRIC_RULES_MAX,
    rules::{Confidence, RuleSet},
};

use super::pulse::{Pulse, Pulses, Work};

/// What kind of stream something was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// Standard input.
    Input,
    /// A file.
    File,
    /// The log of a container: CRI or docker's records.
    Container,
    /// The standard output of a command.
    Stdout,
    /// The standard error of a command.
    Stderr,
    /// Both outputs of a command, as one stream.
    Both,
}

impl SourceKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [SourceKind; 6] = [
        SourceKind::Input,
        SourceKind::File,
        SourceKind::Container,
        SourceKind::Stdout,
        SourceKind::Stderr,
        SourceKind::Both,
    ];

    /// The value of the label `source`.
    pub fn as_str(self) -> &'static str {
        ["input", "file", "container", "stdout", "stderr", "both"][self as usize]
    }
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// An input cannot be read.
    Read,
    /// An output cannot be written.
    Write,
    /// The filter failed; nothing unscanned left.
    Internal,
    /// A checkpoint cannot be read or written.
    Checkpoint,
    /// Findings cannot be written.
    Findings,
    /// Changes cannot be watched for, and are polled for instead.
    Watch,
    /// A path was refused: a link that leads out of the allowed root, a device, a foreign file.
    Refused,
}

impl Cause {
    /// All of them, in the order of their numbers.
    pub const ALL: [Cause; 7] =
        [Cause::Read, Cause::Write, Cause::Internal, Cause::Checkpoint, Cause::Findings, Cause::Watch, Cause::Refused];

    /// The value of the label `kind`.
    pub fn as_str(self) -> &'static str {
        ["read", "write", "internal", "checkpoint", "findings", "watch", "refused"][self as usize]
    }
}

/// How a file was rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It was renamed, and another stands in its place.
    Renamed,
    /// It was cut to nothing and is written anew.
    Truncated,
    /// It was deleted.
    Deleted,
}

impl Turn {
    /// All of them, in the order of their numbers.
    pub const ALL: [Turn; 3] = [Turn::Renamed, Turn::Truncated, Turn::Deleted];

    /// The value of the label `kind`.
    pub fn as_str(self) -> &'static str {
        ["renamed", "truncated", "deleted"][self as usize]
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// What it has come to.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// Adds to it.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// Takes from it what was added before.
    pub fn sub(&self, count: u64) {
        self.0.fetch_sub(count, Relaxed);
    }

    /// What it is.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The upper bounds of the buckets of a [`Histogram`] (microseconds): a line takes some of them, a
/// full read a hundred, and a value made to be slow some hundred thousand.
pub const BUCKETS_US: [u64; 12] =
    [10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 10_000_000];

/// How often something took how long.
#[derive(Debug, Default)]
pub struct Histogram {
    /// Not cumulative; the last one is for all that took longer.
    buckets: [AtomicU64; BUCKETS_US.len() + 1],
    sum_ns: AtomicU64,
}

impl Histogram {
    /// Counts one that took so long.
    pub fn observe(&self, time: Duration) {
        let us = u64::try_from(time.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX);
        let bucket = BUCKETS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_ns.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// How many took at most as long as each bound, then how many there were, and their sum. The
    /// numbers belong together: the count is made of the buckets.
    pub fn get(&self) -> ([u64; BUCKETS_US.len() + 1], Duration) {
        let mut before = 0;
        let cumulative = std::array::from_fn(|at| {
            before += self.buckets[at].load(Relaxed);
            before
        });
        (cumulative, Duration::from_nanos(self.sum_ns.load(Relaxed)))
    }
}

/// Secrets of one rule, by [`SourceKind`].
type BySource = [AtomicU64; SourceKind::ALL.len()];

/// All that is counted. The names are those of the exposition, without prefix and unit.
#[derive(Debug)]
pub struct Metrics {
    /// Bytes that were read.
    pub input_bytes: Counter,
    /// Bytes that were written.
    pub output_bytes: Counter,
    /// Lines that were scanned.
    pub lines: Counter,
    /// Values that were masked because they are longer than any bound.
    pub over_long: Counter,
    /// Bytes that were withheld unscanned after an internal error.
    pub withheld_bytes: Counter,
    /// Bytes that were gone before they could be read: by truncation, by deletion.
    pub lost_bytes: Counter,
    /// Bytes that were read but have not left, because what follows may change them.
    pub held_bytes: Gauge,
    /// Bytes that are there to be read.
    pub lag_bytes: Gauge,
    /// For how long the oldest of them has been there (milliseconds).
    pub lag_ms: Gauge,
    /// Blocks that wait between two threads.
    pub queue: Gauge,
    /// Files that are followed, and those of them that are open.
    pub files: Gauge,
    /// Of these, how many are open.
    pub files_open: Gauge,
    /// Reloads that took effect.
    pub reloads_ok: Counter,
    /// Reloads that failed, so that the old rules and values hold.
    pub reloads_failed: Counter,
    /// How long calls of the filter took.
    pub scan: Histogram,
    /// The threads that are counted here.
    pub pulses: Arc<Pulses>,
    pub(super) errors: [Counter; Cause::ALL.len()],
    pub(super) rotations: [Counter; Turn::ALL.len()],
    pub(super) masked: [Counter; CONFIDENCES.len()],
    rules: RwLock<BTreeMap<String, BySource>>,
    /// Secrets of rules that are not among the known ones.
    others: BySource,
    /// When counting began, in seconds since 1970.
    pub(super) start: f64,
}

/// The values of the label `confidence`, in the order of their numbers.
pub(super) const CONFIDENCES: [Confidence; 4] =
    [Confidence::Low, Confidence::Medium, Confidence::High, Confidence::Certain];

impl Default for Metrics {
    fn default() -> Metrics {
        let start = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Metrics {
            input_bytes: Counter::default(),
            output_bytes: Counter::default(),
            lines: Counter::default(),
            over_long: Counter::default(),
            withheld_bytes: Counter::default(),
            lost_bytes: Counter::default(),
            held_bytes: Gauge::default(),
            lag_bytes: Gauge::default(),
            lag_ms: Gauge::default(),
            queue: Gauge::default(),
            files: Gauge::default(),
            files_open: Gauge::default(),
            reloads_ok: Counter::default(),
            reloads_failed: Counter::default(),
            scan: Histogram::default(),
            pulses: Arc::default(),
            errors: Default::default(),
            rotations: Default::default(),
            masked: Default::default(),
            rules: RwLock::default(),
            others: BySource::default(),
            start: start.as_secs_f64(),
        }
    }
}

impl Metrics {
    /// From now on these rules may find something. What rules that have gone have found stays.
    pub fn know_rules(&self, rules: &RuleSet) {
        let mut known = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        for rule in rules.rules() {
            // Reloads with ever new names must not fill the memory, here or in Prometheus.
            if known.len() < METRIC_RULES_MAX && !known.contains_key(rule.id.as_ref() as &str) {
                known.insert(rule.id.to_string(), BySource::default());
            }
        }
    }

    /// Counts a finding in a stream of this kind. The canary, by which anyone may test, counts too.
    pub fn found(&self, finding: &Finding, source: SourceKind) {
        let known = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        let by_source = known.get(finding.rule.id.as_str()).unwrap_or(&self.others);
        by_source[source as usize].fetch_add(1, Relaxed);
        if finding.action == Taken::Redacted {
            self.masked[finding.confidence as usize].add(1);
        }
    }

    /// Counts an error.
    pub fn error(&self, cause: Cause) {
        self.errors[cause as usize].add(1);
    }

    /// Counts a rotation.
    pub fn rotated(&self, turn: Turn) {
        self.rotations[turn as usize].add(1);
    }

    /// Calls `each` with rule, source and count, where something was found, in the order of the names.
    pub fn secrets(&self, mut each: impl FnMut(&str, SourceKind, u64)) {
        let known = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        let others = [(OTHER, &self.others)];
        for (rule, by_source) in known.iter().map(|(rule, counts)| (rule.as_str(), counts)).chain(others) {
            for source in SourceKind::ALL {
                match by_source[source as usize].load(Relaxed) {
                    0 => {}
                    count => each(rule, source, count),
                }
            }
        }
    }
}

/// The value of the label `rule` for rules that are not among the known ones. No rule can be called
/// so: ids are written in lower case.
const OTHER: &str = "OTHER";

/// Carries the counts of one stream over: a filter counts from the beginning of its stream, and what
/// was carried over before is not counted again.
#[derive(Debug)]
pub struct Meter {
    metrics: Arc<Metrics>,
    source: SourceKind,
    bytes_in: u64,
    bytes_out: u64,
    lines: u64,
    ceilings: u64,
    held: u64,
    pulse: Pulse,
}

impl Meter {
    /// The meter of a stream that begins.
    pub fn new(metrics: &Arc<Metrics>, source: SourceKind) -> Meter {
        let metrics = Arc::clone(metrics);
        let pulse = metrics.pulses.begin();
        Meter { metrics, source, bytes_in: 0, bytes_out: 0, lines: 0, ceilings: 0, held: 0, pulse }
    }

    /// After a call of the filter: what it has counted so far, how many bytes it holds, and how long
    /// the call took. After a filter began anew, its counts begin anew, too.
    pub fn update(&mut self, stats: &Stats, held: u64, took: Duration) {
        let metrics = &self.metrics;
        metrics.scan.observe(took);
        if stats.bytes_in < self.bytes_in {
            (self.bytes_in, self.bytes_out, self.lines, self.ceilings) = (0, 0, 0, 0);
        }
        let add = |counter: &Counter, told: &mut u64, now: u64| {
            counter.add(now.saturating_sub(*told));
            *told = now;
        };
        add(&metrics.input_bytes, &mut self.bytes_in, stats.bytes_in);
        add(&metrics.output_bytes, &mut self.bytes_out, stats.bytes_out);
        add(&metrics.lines, &mut self.lines, stats.lines);
        add(&metrics.over_long, &mut self.ceilings, stats.ceilings);
        metrics.held_bytes.add(held);
        metrics.held_bytes.sub(self.held);
        self.held = held;
    }

    /// A call of the filter, until what is given back is dropped.
    pub fn works(&self) -> Work {
        self.pulse.works()
    }

    /// Counts a finding of this stream.
    pub fn found(&self, finding: &Finding) {
        self.metrics.found(finding, self.source);
    }

    /// The registry that it adds to.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.metrics.held_bytes.sub(self.held);
    }
}
