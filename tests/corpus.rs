//! Puts clean logs through the filter: nothing may change. Some are written by hand
//! (`tests/data/clean`), some are generated as for the benches.

#[path = "../benches/corpus/mod.rs"]
mod generated;
mod support;

use std::{fs, path::Path};

use generated::Kind;

/// How much of each generated log is tried (bytes).
const GENERATED_BYTES: usize = 512 << 10;

#[test]
fn clean_logs_pass_unchanged() {
    let engine = support::default_engine();
    let mut faults = Vec::new();
    let mut lines = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/clean")).unwrap() {
        let path = entry.unwrap().path();
        let input = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        lines += input.iter().filter(|&&byte| byte == b'\n').count();
        changed(&name, &input, &support::whole(&engine, &input), &mut faults);
    }
    assert!(faults.is_empty(), "{} lines changed:\n{}", faults.len(), faults.join("\n"));
    assert!(lines >= 400, "the logs are there: {lines} lines");
}

#[test]
fn generated_clean_logs_pass_unchanged() {
    let engine = support::default_engine();
    let mut faults = Vec::new();
    for kind in Kind::ALL {
        let input = generated::log(kind, GENERATED_BYTES, 0, 2);
        changed(kind.name(), &input, &support::whole(&engine, &input), &mut faults);
    }
    for (name, input) in
        [("coloured", generated::coloured(GENERATED_BYTES, 2)), ("nested", generated::nested(GENERATED_BYTES, 2))]
    {
        changed(name, &input, &support::whole(&engine, &input), &mut faults);
    }
    faults.truncate(20);
    assert!(faults.is_empty(), "lines changed:\n{}", faults.join("\n"));
}

#[test]
fn generated_logs_are_as_hard_as_real_ones() {
    for kind in Kind::ALL {
        let log = generated::log(kind, GENERATED_BYTES, 0, 2);
        let token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let mixed = |run: &&[u8]| {
            run.len() >= 16 && run.iter().any(u8::is_ascii_digit) && run.iter().any(u8::is_ascii_alphabetic)
        };
        let runs = log.split(|byte| !token(byte)).filter(mixed).count();
        let of_ten = 10 * runs * 1024 / log.len();
        assert!(of_ten >= 25, "{}: {of_ten} mixed runs in 10 KiB", kind.name());
    }
}

#[test]
fn generated_secrets_are_masked() {
    let engine = support::default_engine();
    for kind in Kind::ALL {
        let input = generated::log(kind, 64 << 10, 500, 3);
        let output = support::whole(&engine, &input);
        let masks = output.windows(10).filter(|part| *part == b"[REDACTED:").count();
        let lines = input.iter().filter(|&&byte| byte == b'\n').count();
        assert!(masks * 10 >= lines * 4, "{}: {masks} masks in {lines} lines", kind.name());
    }
}

#[test]
fn every_secret_of_the_example_is_masked_and_nothing_else() {
    // Every planted secret has this word in it, and nothing else has.
    const MARK: &[u8] = b"EXAMPLE";
    let input = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci-job.log")).unwrap();
    let output = support::whole(&support::default_engine(), &input);
    let holds = |line: &[u8]| line.windows(MARK.len()).any(|part| part == MARK) || line.ends_with(b"==");
    for (before, after) in input.split(|&byte| byte == b'\n').zip(output.split(|&byte| byte == b'\n')) {
        let (shown, given) = (support::shown(after), support::shown(before));
        if before.windows(8).any(|part| part == b"(base64)") {
            assert!(shown.ends_with("]"), "{shown}");
        } else if holds(before) {
            assert!(!holds(after), "{shown}");
        } else {
            assert_eq!(shown, given);
        }
    }
}

/// Names each line that differs.
fn changed(name: &str, input: &[u8], output: &[u8], faults: &mut Vec<String>) {
    let pairs = input.split(|&byte| byte == b'\n').zip(output.split(|&byte| byte == b'\n'));
    for (line, (before, after)) in (1..).zip(pairs) {
        if before != after {
            faults.push(format!("{name}:{line}\n  {}\n  {}", support::shown(before), support::shown(after)));
        }
    }
    if faults.is_empty() && input != output {
        faults.push(format!("{name}: the number of lines changed"));
    }
}
