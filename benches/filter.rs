//! Measures how fast the filter is on generated logs, next to a copy of the same bytes.
//!
//! Figures of one run are to be compared with each other, never with those of another machine.

mod corpus;

use std::{hint::black_box, sync::Arc};

use blackbar::{
    filter::Filter,
    rules::RuleSet,
    scan::{Engine, Options, judge::randomness::entropy_milli},
};
use corpus::Kind;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// How long the logs are (bytes).
const LOG_BYTES: usize = 8 << 20;

/// How much arrives at once (bytes), as the command reads it.
const READ_BYTES: usize = 256 << 10;

const SEED: u64 = 1;

fn engine() -> Arc<Engine> {
    let mut rules = RuleSet::builtin().unwrap();
    rules.select(&[], &[], &[]).unwrap();
    Arc::new(Engine::new(rules, Options::default()).unwrap())
}

/// Filters a log as the command does and returns the length of the output.
fn filter(engine: &Arc<Engine>, log: &[u8]) -> usize {
    let mut filter = Filter::new(Arc::clone(engine));
    let mut length = 0;
    for block in log.chunks(READ_BYTES) {
        length += black_box(filter.push(block)).len();
        // A consumer of findings takes them as they come; without it they would pile up.
        black_box(filter.take_findings());
    }
    length + filter.finish().len()
}

fn logs(criterion: &mut Criterion) {
    let engine = engine();
    let mut group = criterion.benchmark_group("filter");
    group.sample_size(10);
    let mut measure = |name: String, log: Vec<u8>| {
        group.throughput(Throughput::Bytes(log.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), &log, |bencher, log| {
            bencher.iter(|| filter(&engine, log))
        });
    };
    for kind in Kind::ALL {
        measure(format!("{}/clean", kind.name()), corpus::log(kind, LOG_BYTES, 0, SEED));
        measure(format!("{}/secrets-1%", kind.name()), corpus::log(kind, LOG_BYTES, 10, SEED));
        measure(format!("{}/secrets-50%", kind.name()), corpus::log(kind, LOG_BYTES, 500, SEED));
    }
    measure("colours-on-every-line".to_owned(), corpus::coloured(LOG_BYTES, SEED));
    group.finish();
}

/// What no filter can beat.
fn copy(criterion: &mut Criterion) {
    let log = corpus::log(Kind::Ci, LOG_BYTES, 0, SEED);
    let mut target = vec![0; log.len()];
    let mut group = criterion.benchmark_group("copy");
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function("memcpy", |bencher| {
        bencher.iter(|| {
            target.copy_from_slice(black_box(&log));
            black_box(&target);
        });
    });
    group.finish();
}

/// The table of the judge against the crate `entropy`, on the tokens of a log.
fn entropy_of_tokens(criterion: &mut Criterion) {
    let log = corpus::log(Kind::Service, 256 << 10, 0, SEED);
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let tokens: Vec<&[u8]> = log.split(|byte| !token(byte)).filter(|run| run.len() >= 16).collect();
    let mut group = criterion.benchmark_group("entropy");
    group.throughput(Throughput::Elements(tokens.len() as u64));
    group.bench_function("table", |bencher| {
        bencher.iter(|| tokens.iter().map(|token| u64::from(entropy_milli(black_box(token)))).sum::<u64>());
    });
    group.bench_function("crate entropy", |bencher| {
        bencher.iter(|| tokens.iter().map(|token| entropy::shannon_entropy(black_box(token))).sum::<f32>());
    });
    group.finish();
}

criterion_group!(benches, logs, copy, entropy_of_tokens);
criterion_main!(benches);
