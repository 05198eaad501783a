//! Kills the filter and `run` at random moments, and looks at what has left them: clean bytes, the beginning of what would
//! have come. Does not look at what a restart does.
//!
//! `BLACKBAR_KILLS` sets how often; `cargo test --release --test killed -- --ignored` does so a thousand times.

#![cfg(unix)]

mod command;

use std::{
    collections::HashMap,
    io::{Read, Write as _},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use blackbar::rules::sample::{Rng, fill};
use command::{Ended, Sandbox};
use rustix::process::{Pid, Signal, kill_process};

/// How a process is ended.
#[derive(Clone, Copy, Debug)]
enum End {
    Killed,
    Terminated,
    ReaderGone,
}

/// Lines as logs have them, many of them with a secret, some in pieces of which the next line has the rest.
struct Log {
    bytes: Vec<u8>,
    secrets: Vec<String>,
}

/// The filter, and a command whose output is all that it reads.
const COMMANDS: [&[&str]; 2] = [
    &["--quiet", "--flush-after", "1", "--findings", "findings", "--secret-file", "values"],
    &["run", "--quiet", "--flush-after", "1", "--findings", "findings", "--secret-file", "values", "--", "cat"],
];
const VALUE: &str = "Known7Value+of/this=Test";
const LINES: usize = 400;
/// The shortest piece of a secret that counts as a leak (bytes).
const PIECE_BYTES: usize = 8;

impl Log {
    fn new(rng: &mut Rng) -> Log {
        let mut secrets = vec![VALUE.to_owned()];
        let mut bytes = Vec::new();
        for _ in 0..LINES {
            let token = fill("{github-crc:ghp_}", rng).unwrap();
            let password = fill("{base62:16}", rng).unwrap();
            let line = match rng.below(9) {
                0 => format!("token={token} used\n"),
                1 => format!("{{\"log\":\"db_password={password}\\n\",\"stream\":\"stdout\"}}\n"),
                2 => format!("- name: DB_PASSWORD\n  value: {password}\n"),
                3 => format!("\u{1b}[31m{}\u{1b}[0m{}\n", &token[..9], &token[9..]),
                4 => format!("deploy with {VALUE}, twice {VALUE}{VALUE}\n"),
                5 => format!(
                    "2026-11-20T23:10:23.1Z stdout P key {}\n2026-11-20T23:10:23.1Z stdout F {}\n",
                    &token[..20],
                    &token[20..]
                ),
                6 => format!("<password>\n  {password}\n</password>\n"),
                _ => format!("INFO worker {} done in {} ms\n", rng.below(100), rng.below(1000)),
            };
            bytes.extend_from_slice(line.as_bytes());
            // Its first letters are in every token and tell nothing.
            secrets.extend([token["ghp_".len()..].to_owned(), password]);
        }
        Log { bytes, secrets }
    }

    /// The secret of which a piece stands in a text, and where.
    fn leaks(&self, text: &[u8]) -> Option<String> {
        let stand: HashMap<&[u8], usize> = text.windows(PIECE_BYTES).zip(0..).collect();
        self.secrets.iter().find_map(|secret| {
            let at = *secret.as_bytes().windows(PIECE_BYTES).find_map(|piece| stand.get(piece))?;
            let around = &text[at.saturating_sub(80)..(at + 80).min(text.len())];
            Some(format!("{secret} at {at} of {}: {}", text.len(), String::from_utf8_lossy(around)))
        })
    }
}

/// Starts a process that gets the log in pieces, and ends it when it has written about so much.
fn ended_early(mut command: Command, log: &Log, end: End, rng: &mut Rng) -> (Vec<u8>, Vec<u8>) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut errors = child.stderr.take().unwrap();
    let (bytes, mut pace) = (log.bytes.clone(), Rng::new(rng.next()));
    let feeder = thread::spawn(move || {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let piece = &rest[..(1 + pace.below(200)).min(rest.len())];
            // It may be gone.
            if stdin.write_all(piece).is_err() {
                return;
            }
            rest = &rest[piece.len()..];
            // Not to wait for something, but so that what is held is written early now and then.
            if pace.below(8) == 0 {
                thread::sleep(Duration::from_micros(1500));
            }
        }
    });
    let mut stdout = child.stdout.take().unwrap();
    let mut output = vec![0; rng.below(log.bytes.len() / 2)];
    let read = read_up_to(&mut stdout, &mut output);
    output.truncate(read);
    match end {
        End::Killed => signal(&child, Signal::KILL),
        End::Terminated => signal(&child, Signal::TERM),
        End::ReaderGone => {}
    }
    match end {
        End::ReaderGone => drop(stdout),
        _ => drop(stdout.read_to_end(&mut output).unwrap()),
    }
    child.wait().unwrap();
    let mut said = Vec::new();
    errors.read_to_end(&mut said).unwrap();
    feeder.join().unwrap();
    (output, said)
}

fn read_up_to(from: &mut impl Read, buffer: &mut [u8]) -> usize {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]).unwrap() {
            0 => break,
            read => filled += read,
        }
    }
    filled
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.write("values", format!("{VALUE}\n"));
    if let Ok(path) = std::env::var("PATH") {
        sandbox.set("PATH", path);
    }
    sandbox
}

/// Ends each command so often, at other moments each time.
fn end_at_random(times: usize, seed: u64) {
    let mut rng = Rng::new(seed);
    let sandbox = sandbox();
    let mut written = 0;
    for time in 0..times {
        let log = Log::new(&mut rng);
        let words = COMMANDS[time % COMMANDS.len()];
        let end = [End::Killed, End::Killed, End::Terminated, End::ReaderGone][time / COMMANDS.len() % 4];
        let what = format!("number {time} with seed {seed}, {end:?}: {}", words[0]);
        let Ended { code: 0, stdout: expected, .. } = sandbox.run(words, &log.bytes) else { panic!("{what}: whole") };
        assert_eq!(log.leaks(expected.as_bytes()), None, "{what}: whole");
        std::fs::remove_file(sandbox.path("findings")).unwrap();
        let (output, said) = ended_early(sandbox.command(words), &log, end, &mut rng);
        written += output.len();
        assert_eq!(log.leaks(&output), None, "{what}: in the output");
        assert_eq!(log.leaks(&said), None, "{what}: in what it says");
        assert_eq!(
            log.leaks(&std::fs::read(sandbox.path("findings")).unwrap_or_default()),
            None,
            "{what}: in findings"
        );
        // A signal that lets it finish makes an end of the input, at which a token that is cut is masked.
        let whole = match end {
            End::Terminated => output.iter().rposition(|&byte| byte == b'\n').map_or(0, |line_end| line_end + 1),
            End::Killed | End::ReaderGone => output.len(),
        };
        let beginning = expected.as_bytes().starts_with(&output[..whole]);
        assert!(beginning, "{what}: {} is not the beginning of the output", String::from_utf8_lossy(&output));
    }
    assert!(written > times * 1000, "{written} bytes in all: they were ended before they wrote");
}

#[test]
fn what_has_left_a_process_that_is_ended_at_any_moment_is_clean_and_the_beginning_of_its_output() {
    let times = std::env::var("BLACKBAR_KILLS").map_or(24, |times| times.parse().unwrap());
    end_at_random(times, 2026);
}

#[test]
#[ignore = "takes minutes"]
fn a_thousand_ends_leave_nothing_unmasked() {
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    end_at_random(1000, seed);
}

/// A process whose reader does not read, and that has filled all pipes.
fn stuck(sandbox: &Sandbox, words: &[&str]) -> Child {
    let mut command = sandbox.command(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let (line, full) = ("INFO worker 7 done in 12 ms\n".repeat(4096), 64 << 20);
    let (sent, arrived) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut bytes = 0;
        while bytes < full && stdin.write_all(line.as_bytes()).is_ok() {
            bytes += line.len();
            let _ = sent.send(bytes);
        }
    });
    // It takes no more once nothing has been taken for a while.
    while arrived.recv_timeout(Duration::from_millis(500)).is_ok_and(|bytes| bytes < full) {}
    child
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_does_not_read_costs_no_memory_and_holds_nobody_who_asks_twice() {
    let sandbox = sandbox();
    for words in [&["--quiet"][..], &["run", "--quiet", "--drain-timeout", "1", "--", "cat"]] {
        let mut child = stuck(&sandbox, words);
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kib < 64 << 10, "{}: {kib} KiB", words[0]);
        assert_eq!(child.try_wait().unwrap(), None, "{}", words[0]);
        // The first one waits for the reader, the second for nobody.
        let ended = (0..100).any(|_| {
            signal(&child, Signal::TERM);
            thread::sleep(Duration::from_millis(20));
            child.try_wait().unwrap().is_some()
        });
        if !ended {
            child.kill().unwrap();
        }
        assert!(ended, "{}: it waits for its reader for ever", words[0]);
    }
}

/// Takes a byte now and then, asks for the end, and gives all that is left to be read then, with the exit code.
fn slowly_read(sandbox: &Sandbox, words: &[&str], input: Vec<u8>) -> (Vec<u8>, Option<i32>) {
    let mut command = sandbox.command(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It writes for ever, or until nobody reads.
    thread::spawn(move || while stdin.write_all(&input).is_ok() {});
    let mut stdout = child.stdout.take().unwrap();
    let mut output = vec![0; 4];
    for byte in 0..output.len() {
        stdout.read_exact(&mut output[byte..=byte]).unwrap();
        thread::sleep(Duration::from_millis(200));
    }
    signal(&child, Signal::TERM);
    let ended = (0..1500).any(|_| {
        thread::sleep(Duration::from_millis(20));
        child.try_wait().unwrap().is_some()
    });
    if !ended {
        child.kill().unwrap();
    }
    assert!(ended, "{}: it waits for its reader for ever", words[0]);
    stdout.read_to_end(&mut output).unwrap();
    (output, child.wait().unwrap().code())
}

#[test]
fn an_end_that_was_asked_for_comes_while_the_reader_is_slow_and_the_writer_has_none() {
    let (sandbox, mut rng) = (sandbox(), Rng::new(7));
    let log = Log::new(&mut rng);
    let cat = ["run", "--quiet", "--drain-timeout", "1", "--secret-file", "values", "--", "cat"];
    for words in [&["--quiet", "--drain-timeout", "1", "--secret-file", "values"][..], &cat] {
        let (output, code) = slowly_read(&sandbox, words, log.bytes.clone());
        assert_eq!(code, Some(143), "{}", words[0]);
        assert_eq!(log.leaks(&output), None, "{}", words[0]);
        let expected = sandbox.run(words, log.bytes.repeat(1 + output.len() / log.bytes.len() * 2)).stdout;
        assert!(expected.as_bytes().starts_with(&output), "{}: not the beginning of the output", words[0]);
    }
}

#[test]
fn a_writer_without_an_end_does_not_keep_the_filter_that_was_asked_to_end() {
    let (sandbox, mut rng) = (sandbox(), Rng::new(8));
    let log = Log::new(&mut rng);
    let mut command = sandbox.command(&["--quiet", "--drain-timeout", "1", "--secret-file", "values"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, bytes) = (child.stdin.take().unwrap(), log.bytes.clone());
    thread::spawn(move || while stdin.write_all(&bytes).is_ok() {});
    let mut stdout = child.stdout.take().unwrap();
    let mut last = vec![0; 1 << 16];
    stdout.read_exact(&mut last).unwrap();
    signal(&child, Signal::TERM);
    let mut piece = vec![0; 1 << 16];
    loop {
        let read = stdout.read(&mut piece).unwrap();
        if read == 0 {
            break;
        }
        last.drain(..last.len().saturating_sub(1 << 16));
        last.extend_from_slice(&piece[..read]);
    }
    // All that it had read by then was written, or the time for that was over.
    assert!(matches!(child.wait().unwrap().code(), Some(0 | 143)));
    assert_eq!(log.leaks(&last), None);
}
