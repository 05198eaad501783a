//! Measures parts of the filter on their own: the judge's table of entropy, and what masking adds
//! to finding.

mod corpus;
mod support;

use std::{hint::black_box, sync::Arc, time::Duration};

use blackbar::{
    Engine, Options,
    redact::Style,
    scan::{Mode, judge::randomness::entropy_milli},
};
use corpus::Kind;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const SEED: u64 = 1;

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

/// A secret in every line: masked in each style, or only reported.
fn redact(criterion: &mut Criterion) {
    let log = corpus::log(Kind::Service, 256 << 10, 1000, SEED);
    let mut group = criterion.benchmark_group("redact");
    group.throughput(Throughput::BytesDecimal(log.len() as u64));
    let redact = Options::default;
    for (name, options) in [
        ("label", redact()),
        ("hash", Options { style: Style::Hash, ..redact() }),
        ("length", Options { style: Style::Length, ..redact() }),
        ("reported only", Options { mode: Mode::Alert, ..redact() }),
    ] {
        let engine = Arc::new(Engine::new(support::default_rules(), options).unwrap());
        group.bench_function(name, |bencher| bencher.iter(|| support::filter(&engine, &log)));
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

criterion_group!(name = benches; config = short(); targets = entropy_of_tokens, redact);
criterion_main!(benches);
