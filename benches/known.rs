//! Measures how fast known values are looked for: on clean logs by their number, and on texts that
//! were made to be slow.
//!
//! Figures of one run are to be compared with each other, never with those of another machine.

mod corpus;

use std::{hint::black_box, sync::Arc};

use blackbar::{
    KnownValues,
    rules::sample::{Rng, fill},
    scan::known::{Known, Policy},
};
use corpus::Kind;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// How long the logs are (bytes).
const LOG_BYTES: usize = 8 << 20;

/// How long the texts are that were made to be slow (bytes).
const HOSTILE_BYTES: usize = 1 << 20;

/// How much is looked at in one call (bytes), as the command reads it.
const BLOCK_BYTES: usize = 256 << 10;

const SEED: u64 = 1;

/// Values of 16 to 40 random characters, as tokens and generated passwords have them.
fn values(count: usize) -> Vec<String> {
    let mut rng = Rng::new(SEED);
    // The template is a constant.
    (0..count).map(|_| fill("{base64url:16-40}", &mut rng).unwrap()).collect()
}

fn registry<V: AsRef<[u8]>>(values: &[V]) -> KnownValues {
    // Some of what is slow to look for is easily guessed.
    let registry = KnownValues::new(Policy { weak: true, ..Policy::default() });
    for value in values {
        // Nothing here is too short or too common.
        registry.add("VALUE", value.as_ref()).unwrap();
    }
    registry
}

fn known<V: AsRef<[u8]>>(values: &[V]) -> Arc<Known> {
    registry(values).current()
}

/// Looks for the first hit of each block.
fn gate(known: &Known, log: &[u8]) -> usize {
    log.chunks(BLOCK_BYTES).filter(|block| known.first_in(block, 0).is_some()).count()
}

/// Looks for all hits.
fn find(known: &Known, log: &[u8]) -> usize {
    let mut hits = Vec::new();
    log.chunks(BLOCK_BYTES)
        .map(|block| {
            known.find(block, &mut hits);
            hits.len()
        })
        .sum()
}

/// The time should not depend on the number of values.
fn clean_logs(criterion: &mut Criterion) {
    let mut logs: Vec<(&str, Vec<u8>)> =
        Kind::ALL.map(|kind| (kind.name(), corpus::log(kind, LOG_BYTES, 0, SEED))).into();
    logs.push(("colours", corpus::coloured(LOG_BYTES, SEED)));
    let mut group = criterion.benchmark_group("known");
    group.sample_size(10);
    for (name, log) in &logs {
        group.throughput(Throughput::Bytes(log.len() as u64));
        for count in [0, 1, 100, 1_000, 10_000] {
            let known = known(&values(count));
            group.bench_with_input(BenchmarkId::new(format!("{name}/first_in"), count), log, |bencher, log| {
                bencher.iter(|| gate(&known, black_box(log)))
            });
            if *name == "ci" {
                group.bench_with_input(BenchmarkId::new(format!("{name}/find"), count), log, |bencher, log| {
                    bencher.iter(|| find(&known, black_box(log)))
                });
            }
        }
    }
    // One short value among them makes the samples more frequent.
    let (name, log) = &logs[0];
    let mut mixed = values(1_000);
    mixed.push("Tr0ub4d&".to_owned());
    let known = known(&mixed);
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function(BenchmarkId::new(format!("{name}/first_in"), "1000 and a short one"), |bencher| {
        bencher.iter(|| gate(&known, black_box(log)))
    });
    group.finish();
}

fn repeated(unit: &[u8], bytes: usize) -> Vec<u8> {
    unit.iter().copied().cycle().take(bytes).collect()
}

/// Values and texts that make matchers slow that compare at every candidate.
fn hostile(criterion: &mut Criterion) {
    let shared = "a-prefix-that-all-values-share-".repeat(3);
    let shared: Vec<String> = (0..1_000).map(|index| format!("{shared}{index:04}")).collect();
    let nested: Vec<Vec<u8>> = (8..=512).map(|length| repeated(b"ab", length)).collect();
    let almost = [repeated(b"a", 4095), b"b".to_vec()].concat();
    let cases: Vec<(&str, Arc<Known>, Vec<u8>)> = vec![
        ("a..ab in a..a", known(&[&almost]), repeated(b"a", HOSTILE_BYTES)),
        (
            "a..ab in aab..aab",
            known(&[&almost]),
            repeated(&[repeated(b"a", 2000), b"b".to_vec()].concat(), HOSTILE_BYTES),
        ),
        ("abab..ab in itself", known(&[repeated(b"ab", 4096)]), repeated(b"ab", HOSTILE_BYTES)),
        ("505 nested values in the longest", known(&nested), repeated(b"ab", HOSTILE_BYTES)),
        ("1000 of a prefix in the prefix", known(&shared), repeated(b"a-prefix-that-all-values-share-", HOSTILE_BYTES)),
        ("1000 of a prefix in themselves", known(&shared), repeated(shared.concat().as_bytes(), HOSTILE_BYTES)),
    ];
    let mut group = criterion.benchmark_group("known-hostile");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(HOSTILE_BYTES as u64));
    for (name, known, text) in &cases {
        group.bench_function(*name, |bencher| bencher.iter(|| find(known, black_box(text))));
    }
    group.finish();
}

/// What a start costs, and the end of a read.
fn building(criterion: &mut Criterion) {
    let values = values(1_000);
    let known = known(&values);
    println!("1000 values: {} strings, {} KiB", known.strings(), known.memory_bytes() >> 10);
    let log = corpus::log(Kind::Ci, BLOCK_BYTES, 0, SEED);
    let mut group = criterion.benchmark_group("known-build");
    group.sample_size(10);
    group.bench_function("encode 1000 values", |bencher| bencher.iter(|| registry(black_box(&values)).len()));
    group.bench_function("encode and build 1000 values", |bencher| {
        bencher.iter(|| self::known(black_box(&values)).strings())
    });
    group.bench_function("1000 values one by one", |bencher| {
        bencher.iter(|| {
            let registry = KnownValues::default();
            for value in &values {
                registry.add("VALUE", value.as_bytes()).unwrap();
                black_box(registry.current());
            }
        })
    });
    group.bench_function("tail of a block", |bencher| bencher.iter(|| known.tail(black_box(&log), 8)));
    group.finish();
}

criterion_group!(benches, clean_logs, hostile, building);
criterion_main!(benches);
