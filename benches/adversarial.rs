//! Measures the filter on logs that were made to be slow, each in short lines and in one line.
//! Does not show whether it is linear: `ratios` does.

mod corpus;
mod support;

use std::time::Duration;

use blackbar::limits::LINE_BYTES_MAX;
use corpus::{
    Kind,
    adversarial::{self, Shape},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// How long the logs are (bytes). One line is over the bound from which on it is taken in pieces.
const LINES_BYTES: usize = 128 << 10;
const LINE_BYTES: usize = LINE_BYTES_MAX + (64 << 10);

const SEED: u64 = 1;

fn attacks(criterion: &mut Criterion) {
    let engine = support::engine(support::default_rules());
    let mut group = criterion.benchmark_group("adversarial");
    let mut measure = |name: String, log: Vec<u8>| {
        group.throughput(Throughput::BytesDecimal(log.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), &log, |bencher, log| {
            bencher.iter(|| support::filter(&engine, log));
        });
    };
    // What the others are to be compared with.
    measure("clean".to_owned(), corpus::log(Kind::Ci, LINES_BYTES, 0, SEED));
    for attack in adversarial::all() {
        let bytes = if attack.shape() == Shape::Lines { LINES_BYTES } else { LINE_BYTES };
        measure(attack.name(), attack.log(bytes, SEED));
    }
    group.finish();
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(30))
        .measurement_time(Duration::from_millis(100))
        .nresamples(1_000)
}

criterion_group!(name = benches; config = short(); targets = attacks);
criterion_main!(benches);
