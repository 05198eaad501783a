//! Puts whole inputs through the pipeline and through the filter, and compares. Does not look for
//! single secrets: `cases.rs` does.

mod support;

use std::{
    io::{self, ErrorKind},
    panic,
    sync::Arc,
};

use blackbar::{
    Engine, Filter, Options, RuleSet,
    finding::Finding,
    limits::{LINE_BYTES_MAX, OVERLAP_BYTES},
    pipeline::{self, OnError, PipelineError, Settings},
    redact::Clean,
    rules::sample::{Rng, fill},
    sink::Sink,
    source::Source,
};

use support::faults::{Fault, Plan, Stage, fails_well};

fn engine() -> Arc<Engine> {
    Arc::new(Engine::new(RuleSet::builtin().unwrap(), Options::default()).unwrap())
}

fn settings(jobs: usize) -> Settings {
    Settings { jobs, ..Settings::default() }
}

/// Lines of all kinds, a few of them long, with a secret in one of ten.
fn log(bytes: usize, seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut log = Vec::with_capacity(bytes + 1000);
    while log.len() < bytes {
        let template = match rng.below(30) {
            0 => "token: ghp_{base62:36} used",
            1 => "{{\"log\":\"db_password={base62:14}\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:10:23.1Z\"}}",
            2 => "-----BEGIN PRIVATE KEY-----\n{base64:64}\n{base64:64}\n{base64:24}\n-----END PRIVATE KEY-----",
            3 => "- name: API_TOKEN\n  value: {base62:32}",
            4 => "2026-11-20T23:10:23.1Z stdout P key=AKIA\n2026-11-20T23:10:23.1Z stdout F {base32:16} end",
            _ => "2026-11-20T23:10:23.123Z INFO worker {digits:4} done with {hex:12} in {digits:3} ms",
        };
        log.extend_from_slice(fill(template, &mut rng).unwrap().as_bytes());
        if rng.below(4000) == 0 {
            log.extend(std::iter::repeat_n(b"wide ", 200_000).flatten());
        }
        log.push(b'\n');
    }
    log
}

struct Run {
    output: Vec<u8>,
    findings: Vec<Finding>,
}

fn piped(input: &[u8], jobs: usize) -> Run {
    let source = Source::reader(io::Cursor::new(input.to_vec()));
    let (mut output, mut findings) = (Vec::new(), Vec::new());
    pipeline::run(&engine(), source, &mut output, &mut |finding| findings.push(finding), &settings(jobs)).unwrap();
    Run { output, findings }
}

fn places(findings: &[Finding]) -> Vec<(String, u64, u64, u64, u64)> {
    findings.iter().map(|one| (one.rule.id.clone(), one.offset, one.line, one.column, one.length)).collect()
}

#[test]
fn one_thread_and_many_write_the_same_and_find_the_same() {
    let input = log(12 << 20, 7);
    let one = piped(&input, 1);
    assert_ne!(one.output, input);
    for jobs in [2, 3, 8] {
        let many = piped(&input, jobs);
        assert!(one.output == many.output, "{jobs} jobs write something else");
        assert_eq!(places(&one.findings), places(&many.findings), "{jobs} jobs");
    }
}

#[test]
fn findings_have_the_place_of_the_raw_bytes() {
    let input = log(300_000, 3);
    for finding in piped(&input, 1).findings {
        let before = &input[..finding.offset as usize];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
        let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() as u64 + 1;
        assert_eq!((finding.line, finding.column), (line, column), "{}", finding.rule.id);
    }
}

#[test]
fn a_secret_is_masked_wherever_an_over_long_line_is_cut() {
    let token = fill("ghp_{base62:36}", &mut Rng::new(1)).unwrap();
    let cut = LINE_BYTES_MAX - OVERLAP_BYTES;
    let places = (LINE_BYTES_MAX - 60..LINE_BYTES_MAX + 60).step_by(7).chain((cut - 60..cut + 60).step_by(7));
    for (number, place) in places.enumerate() {
        // Words, and one run without any place that is good for a cut.
        let filler: &[u8] = if number % 2 == 0 { b"word, " } else { b"{}[]" };
        let mut input: Vec<u8> = filler.iter().copied().cycle().take(place - 1).collect();
        input.push(b' ');
        input.extend_from_slice(token.as_bytes());
        input.extend(b" and on ".iter().cycle().take(LINE_BYTES_MAX));
        input.push(b'\n');
        let mask = b"[REDACTED:github-pat]";
        let expected = [&input[..place], mask, &input[place + token.len()..]].concat();
        let whole = support::whole(&engine(), &input);
        assert!(whole == expected, "in one piece, at {place}");
        assert!(in_pieces(&input, 50_021) == expected, "in pieces, at {place}");
    }
}

#[test]
fn a_long_line_without_a_secret_passes_however_it_is_cut() {
    for filler in [&b"a"[..], b"AAAA", b"word ", b"\\n", b"%41", b"\x1b[0m", b"\"", b"0123456789abcdef"] {
        let input: Vec<u8> = filler.iter().copied().cycle().take(3 * LINE_BYTES_MAX + 17).collect();
        assert!(in_pieces(&input, 65_537) == input, "{:?}", String::from_utf8_lossy(filler));
    }
}

#[test]
fn a_value_without_an_end_is_masked_to_its_end_and_counted() {
    let mut filter = Filter::new(engine());
    let mut output = filter.push(b"-----BEGIN PRIVATE KEY-----\n").to_vec();
    for _ in 0..3 * LINE_BYTES_MAX / 64 {
        let line = fill("{base64:64}", &mut Rng::new(5)).unwrap();
        output.extend(filter.push(line.as_bytes()).to_vec());
    }
    output.extend(filter.push(b"\n-----END PRIVATE KEY-----\nafter\n").to_vec());
    output.extend(filter.finish().to_vec());
    assert!(output.len() < 200, "{} bytes", output.len());
    assert!(output.ends_with(b"after\n"));
    assert_eq!(filter.stats().ceilings, 1);
}

/// A sink that fails after some bytes.
struct Full(usize);

impl Sink for Full {
    fn write(&mut self, clean: Clean<'_>) -> io::Result<()> {
        self.0 = self.0.checked_sub(clean.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }
}

#[test]
fn a_full_disk_ends_the_run_with_one_thread_and_with_many() {
    let input = log(6 << 20, 9);
    for jobs in [1, 4] {
        let source = Source::reader(io::Cursor::new(input.clone()));
        let ended = pipeline::run(&engine(), source, &mut Full(3 << 20), &mut |_| {}, &settings(jobs));
        assert_eq!(ended.unwrap_err(), PipelineError::Write(io::ErrorKind::StorageFull));
    }
}

/// Lets each call of a stage fail in turn, until none is left, and gives how many there were.
fn each_call_fails(engine: &Arc<Engine>, input: &[u8], plan: Plan, step: usize) -> usize {
    for call in (plan.call..).step_by(step) {
        let ended = fails_well(engine, input, Plan { call, ..plan }).unwrap_or_else(|wrong| panic!("{wrong}"));
        if !ended.reached {
            return call;
        }
    }
    unreachable!("the calls have an end")
}

#[test]
fn whichever_call_fails_what_has_left_is_the_beginning_of_the_output() {
    let (engine, input) = (engine(), log(6000, 11));
    let kinds = [ErrorKind::Interrupted, ErrorKind::WouldBlock, ErrorKind::StorageFull, ErrorKind::Other];
    let faults = kinds.into_iter().flat_map(|kind| [Fault::Fails(kind), Fault::ShortAndFails(kind)]);
    for fault in faults.chain([Fault::Short]) {
        for on_error in [OnError::Stop, OnError::Withhold] {
            for (stage, read) in [(Stage::Reader, 50), (Stage::Writer, 50), (Stage::Writer, 3000)] {
                let plan = Plan { stage, call: 0, fault, on_error, jobs: 1, read };
                let calls = each_call_fails(&engine, &input, plan, 1);
                assert!(calls > 1, "{plan:?}: {calls} calls");
            }
        }
    }
}

#[test]
fn a_panic_in_any_stage_ends_the_output_before_the_window() {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let (engine, small, large) = (engine(), log(3000, 12), log(4 << 20, 13));
    for (stage, on_error) in [Stage::Reader, Stage::Writer, Stage::Findings]
        .into_iter()
        .flat_map(|stage| [OnError::Stop, OnError::Withhold].map(|on_error| (stage, on_error)))
    {
        let plan = Plan { stage, call: 0, fault: Fault::Panics, on_error, jobs: 1, read: 100 };
        assert!(each_call_fails(&engine, &small, plan, 1) > 1, "{plan:?}");
        // Threads begin behind a megabyte.
        let plan = Plan { call: 2, jobs: 3, read: 64 << 10, ..plan };
        let step = if stage == Stage::Findings { 5000 } else { 13 };
        assert!(each_call_fails(&engine, &large, plan, step) > step, "{plan:?}");
    }
    panic::set_hook(hook);
}

fn in_pieces(input: &[u8], size: usize) -> Vec<u8> {
    let mut filter = Filter::new(engine());
    let mut output = Vec::new();
    for piece in input.chunks(size) {
        output.extend(filter.push(piece).to_vec());
    }
    output.extend(filter.finish().to_vec());
    output
}
