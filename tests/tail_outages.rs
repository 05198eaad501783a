//! What `blackbar tail` does when its output fails or is slow, when it is to end meanwhile, and when files are rotated
//! behind links while it is down. Does not look into the library.

#![cfg(unix)]

mod command;
mod following;

use std::{
    fs::{self, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::symlink,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use command::Sandbox;
use following::{Tail, append, has, line, lines, masked, masked_lines, no_leak, out, until};

#[test]
fn what_has_left_a_pipe_is_written_when_a_failed_output_works_again() {
    let sandbox = Sandbox::new();
    let pipe = sandbox.path("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    // No file can be made where a folder is.
    fs::create_dir_all(sandbox.path("clean/pipe")).unwrap();
    let tail = Tail::start(&sandbox, &["--out", "clean", "pipe"]);
    let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    writer.write_all(lines(0..50).as_bytes()).unwrap();
    until("the failure", || has(&sandbox, "err", "the output cannot be written"));
    writer.write_all(lines(50..100).as_bytes()).unwrap();
    fs::remove_dir(sandbox.path("clean/pipe")).unwrap();
    until("the last line", || has(&sandbox, "clean/pipe", &masked(99)));
    assert_eq!(tail.stop(), 0);
    assert_eq!(sandbox.read("clean/pipe"), masked_lines(0..100));
    no_leak(&sandbox.path(""));
}

#[test]
fn a_process_that_is_to_end_does_so_within_its_time_whatever_its_output_does() {
    let ends = |fails: bool| {
        let sandbox = Sandbox::new();
        let log = sandbox.write("in/app.log", "");
        if fails {
            fs::create_dir_all(sandbox.path("clean/in/app.log")).unwrap();
        }
        let target: &[&str] = if fails { &["--out", "clean"] } else { &[] };
        let options = ["tail", "--no-default-rules", "--drain-timeout", "1", "--state", "state"];
        let all = [&options[..], target, &["in/app.log"]].concat();
        let mut command = sandbox.command(&all);
        let errors = fs::File::create(sandbox.path("err")).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        append(&log, &"all is well, and this line is long enough\n".repeat(200_000));
        // Nobody reads what comes behind the first bytes.
        let mut output = child.stdout.take().unwrap();
        if fails {
            until("the failure", || has(&sandbox, "err", "cannot be written"));
        } else {
            output.read_exact(&mut [0; 10]).unwrap();
        }
        let tail = Tail { child };
        thread::sleep(Duration::from_millis(300));
        let started = Instant::now();
        assert_eq!(tail.stop(), 3, "the output takes nothing");
        let took = started.elapsed();
        let said = sandbox.read("err");
        let left: u64 = said
            .split_once("the drain timeout is over, and the output takes nothing: ")
            .and_then(|(_, rest)| rest.trim_start_matches("at least ").split(' ').next()?.parse().ok())
            .unwrap_or_else(|| panic!("{said}"));
        // As far as it has seen that they have arrived.
        assert!(left > 0 && left <= 8_400_000, "{said}");
        took
    };
    for fails in [false, true] {
        // A machine that is busy may be late; not each time.
        let fastest = (0..5).map(|_| ends(fails)).find(|took| *took <= Duration::from_millis(1200));
        assert!(fastest.is_some(), "an output that fails: {fails}");
    }
}

#[test]
fn a_slow_reader_gets_all_and_memory_does_not_grow() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", lines(0..100));
    let all = ["tail", "--no-default-rules", "--rules", "acme.toml", "--state", "state", "in/app.log"];
    let mut child =
        sandbox.command(&all).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let tail = Tail { child };
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", tail.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default().to_owned();
        line.split_whitespace().nth(1).and_then(|size| size.parse::<u64>().ok()).unwrap_or_default()
    };
    let mut first = [0; 5];
    output.read_exact(&mut first).unwrap();
    // It reads as far as the pipe has room, and waits.
    append(&log, &lines(100..60_000));
    thread::sleep(Duration::from_secs(1));
    let before = memory();
    let mut all = first.to_vec();
    for round in 0..5 {
        append(&log, &lines(60_000 + round * 60_000..120_000 + round * 60_000));
        let mut byte = [0];
        output.read_exact(&mut byte).unwrap();
        all.extend(byte);
        thread::sleep(Duration::from_secs(1));
    }
    let after = memory();
    assert!(after <= before + 2048, "{before} kB, and then {after} kB");
    let reader = thread::spawn(move || {
        while !all.ends_with(masked(359_999).as_bytes()) {
            let mut some = [0; 1 << 16];
            let length = output.read(&mut some).unwrap();
            assert!(length > 0);
            all.extend_from_slice(&some[..length]);
        }
        all
    });
    let all = String::from_utf8(reader.join().unwrap()).unwrap();
    assert!(all == masked_lines(0..360_000), "not all lines came in their order");
    assert_eq!(tail.stop(), 0);
}

#[test]
fn a_log_that_is_rotated_behind_its_link_while_nobody_reads_loses_nothing() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/pods/shop_web-1_11/app/0.log", lines(0..10));
    fs::create_dir_all(sandbox.path("in/containers")).unwrap();
    symlink("../pods/shop_web-1_11/app/0.log", sandbox.path("in/containers/web-1_shop_app-ab12.log")).unwrap();
    let start = || Tail::start(&sandbox, &["--state", "state", "--root", "in/pods", "in/containers"]);
    let tail = start();
    until("the last line", || out(&sandbox).ends_with(&masked(9)));
    assert_eq!(tail.stop(), 0);
    // As the kubelet does it, twice.
    append(&log, &lines(10..20));
    fs::rename(&log, log.with_file_name("0.log.20261127-101010")).unwrap();
    fs::write(&log, lines(20..30)).unwrap();
    thread::sleep(Duration::from_millis(1100));
    fs::rename(&log, log.with_file_name("0.log.20261127-101020")).unwrap();
    fs::write(&log, lines(30..40)).unwrap();
    let tail = start();
    until("the last line", || out(&sandbox).ends_with(&masked(39)));
    // And while it reads.
    fs::rename(&log, log.with_file_name("0.log.20261127-101030")).unwrap();
    fs::write(&log, line(40)).unwrap();
    until("the last line", || out(&sandbox).ends_with(&masked(40)));
    assert_eq!(tail.stop(), 0);
    assert_eq!(out(&sandbox), masked_lines(0..41));
    assert!(!has(&sandbox, "err", "never read"), "{}", sandbox.read("err"));
    no_leak(&sandbox.path(""));
}

#[test]
fn many_files_are_followed_with_few_descriptors() {
    for target in [&[][..], &["--out", "clean"]] {
        let sandbox = Sandbox::new();
        let log = |file: usize| sandbox.path(&format!("in/{file}.log"));
        let text = |file: usize, turn: usize| line(4 * file + turn);
        fs::create_dir(sandbox.path("in")).unwrap();
        let append_all = |turn: usize| (0..FILES).for_each(|file| append(&log(file), &text(file, turn)));
        let written = || {
            let paths = (0..FILES).map(|file| sandbox.path("clean").join(log(file).strip_prefix("/").unwrap()));
            let files = paths.map(|path| fs::read_to_string(path).unwrap_or_default());
            if target.is_empty() { out(&sandbox) } else { files.collect() }
        };
        let all = |turns: usize| until("the last lines", || written().lines().count() == turns * FILES);
        append_all(0);
        let options = [&["tail", "--no-default-rules", "--rules", "acme.toml", "--state", "state"], target];
        let pattern = sandbox.path("in/*.log").to_str().unwrap().to_owned();
        let arguments = [options.concat(), vec![pattern.as_str()]].concat();
        let tail = Tail::with_descriptors(&sandbox, 40, &arguments);
        all(1);
        append_all(1);
        all(2);
        // What was written just before a file lost its name is there, too, under a name that is not followed.
        for file in 0..FILES {
            append(&log(file), &text(file, 2));
            fs::rename(log(file), log(file).with_extension("log.1")).unwrap();
            append(&log(file), &text(file, 3));
        }
        all(4);
        assert_eq!(tail.stop(), 0);
        let text = written();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        let expected = masked_lines(0..4 * FILES);
        let mut expected: Vec<&str> = expected.lines().collect();
        expected.sort_unstable();
        assert_eq!(lines, expected);
        assert!(!has(&sandbox, "err", "cannot be read"), "{}", sandbox.read("err"));
        no_leak(&sandbox.path(""));
    }
}

/// Several times as many as may be open.
const FILES: usize = 150;
