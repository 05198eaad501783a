//! Measures how fast the whole filter is on logs of several kinds, beside a copy of the same bytes
//! and beside the field's method; and how it takes ten times the rules.
//!
//! Figures of one run are to be compared with each other, never with those of another machine.
//! `ratios` does so.

mod corpus;
mod support;

use std::{hint::black_box, time::Duration};

use corpus::Kind;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use support::field::Field;

/// How long the logs are, and those half of whose lines hold a secret (bytes).
const LOG_BYTES: usize = 8 << 20;
const DENSE_BYTES: usize = 1 << 20;

const SEED: u64 = 1;

/// (Name, log) of all that is measured.
fn logs() -> impl Iterator<Item = (String, Vec<u8>)> {
    corpus::log_names().into_iter().map(|name| {
        let bytes = if name.ends_with("-50%") { DENSE_BYTES } else { LOG_BYTES };
        let log = corpus::by_name(&name, bytes, SEED).unwrap();
        (name, log)
    })
}

fn filter(criterion: &mut Criterion) {
    let engine = support::engine(support::default_rules());
    let mut group = criterion.benchmark_group("filter");
    for (name, log) in logs() {
        group.throughput(Throughput::BytesDecimal(log.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), &log, |bencher, log| {
            bencher.iter(|| support::filter(&engine, log));
        });
    }
    group.finish();
}

/// What no filter can beat.
fn memcpy(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("memcpy");
    for (name, log) in logs() {
        let mut target = vec![0; log.len()];
        group.throughput(Throughput::BytesDecimal(log.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), &log, |bencher, log| {
            bencher.iter(|| black_box(&mut target).copy_from_slice(black_box(log)));
        });
    }
    group.finish();
}

/// A keyword automaton and regular expressions line by line.
fn field(criterion: &mut Criterion) {
    let field = Field::new(&support::default_rules());
    let mut group = criterion.benchmark_group("field");
    let mut output = Vec::new();
    for (name, log) in logs() {
        group.throughput(Throughput::BytesDecimal(log.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), &log, |bencher, log| {
            bencher.iter(|| {
                field.filter(black_box(log), &mut output);
                black_box(output.len())
            });
        });
    }
    group.finish();
}

fn rules_in_number(criterion: &mut Criterion) {
    let log = corpus::log(Kind::Ci, LOG_BYTES, 0, SEED);
    let mut group = criterion.benchmark_group("rules");
    group.throughput(Throughput::BytesDecimal(log.len() as u64));
    for times in [1, 10] {
        let engine = support::engine(support::many::rules(times));
        group.bench_with_input(BenchmarkId::from_parameter(format!("{times}x")), &log, |bencher, log| {
            bencher.iter(|| support::filter(&engine, log));
        });
    }
    group.finish();
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .nresamples(10_000)
}

criterion_group!(name = benches; config = short(); targets = filter, memcpy, field, rules_in_number);
criterion_main!(benches);
