//! Follows files that are written, rotated and replaced while the program reads them, as a user would. Two oracles
//! hold everywhere: no planted secret comes out, and no line is lost.

#![cfg(unix)]

mod command;

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use command::{RULES, SECRET, Sandbox};
use serde_json::Value;

/// A `tail` that runs. It is killed when the test ends, however that ends.
struct Tail {
    child: Child,
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tail {
    /// Starts it with the rule of [`RULES`]; its outputs go to the files `out` and `err`, behind what is
    /// there.
    fn start(sandbox: &Sandbox, arguments: &[&str]) -> Tail {
        let first = ["tail", "--no-default-rules", "--rules", "acme.toml"];
        let all: Vec<&str> = first.iter().chain(arguments).copied().collect();
        let open = |name: &str| OpenOptions::new().create(true).append(true).open(sandbox.path(name)).unwrap();
        let mut command = sandbox.command(&all);
        command.stdin(Stdio::null()).stdout(open("out")).stderr(open("err"));
        Tail { child: command.spawn().unwrap() }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it by SIGTERM. Its exit code.
    fn stop(mut self) -> i32 {
        self.signal(rustix::process::Signal::TERM);
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Waits until something holds; a test that waits for too long fails.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn out(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path("out")).unwrap_or_default()
}

fn has(sandbox: &Sandbox, file: &str, text: &str) -> bool {
    fs::read_to_string(sandbox.path(file)).is_ok_and(|all| all.contains(text))
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// A numbered line with a secret.
fn line(number: usize) -> String {
    format!("line {number:06} token {SECRET} end\n")
}

/// What becomes of it.
fn masked(number: usize) -> String {
    line(number).replace(SECRET, "[REDACTED:acme-token]")
}

fn masked_lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(masked).collect()
}

/// No planted secret, whole or in a piece, in anything that was written.
fn no_leak(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "in" {
            no_leak(&path);
        } else if path.is_file() && name != "acme.toml" {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains(&SECRET[5..13]), "{} holds a secret", path.display());
        }
    }
}

#[test]
fn a_file_is_followed_across_rename_copytruncate_delete_and_compression() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", line(0));
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    let mut next = 1;
    let mut write = |sandbox: &Sandbox, count: usize| {
        for _ in 0..count {
            append(&log, &line(next));
            next += 1;
        }
        let last = masked(next - 1);
        until("the last line", || out(sandbox).ends_with(&last));
    };
    write(&sandbox, 10);
    fs::rename(&log, sandbox.path("in/app.log.1")).unwrap();
    write(&sandbox, 10);
    // Copied and cut: nothing is written in between, so nothing is lost.
    fs::copy(&log, sandbox.path("in/app.log.2")).unwrap();
    OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap();
    write(&sandbox, 3);
    fs::remove_file(&log).unwrap();
    write(&sandbox, 10);
    fs::rename(&log, sandbox.path("in/app.log.3")).unwrap();
    fs::write(sandbox.path("in/app.log.3.gz"), b"\x1f\x8b\x08").unwrap();
    fs::remove_file(sandbox.path("in/app.log.3")).unwrap();
    write(&sandbox, 10);
    assert_eq!(tail.stop(), 0);
    assert_eq!(out(&sandbox), masked_lines(0..44));
    assert!(has(&sandbox, "err", "in/app.log: was cut"), "{}", sandbox.read("err"));
    no_leak(&sandbox.path(""));
}

#[test]
fn a_restart_goes_on_where_the_output_ends() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", masked_free_lines(0..100));
    for round in 1..4 {
        let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
        let last = masked(round * 100 - 1);
        until("the last line", || out(&sandbox).ends_with(&last));
        assert_eq!(tail.stop(), 0);
        append(&log, &masked_free_lines(round * 100..(round + 1) * 100));
    }
    assert_eq!(out(&sandbox), masked_lines(0..300));
    let mode = |name: &str| fs::metadata(sandbox.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("state"), mode("state/checkpoints")), (0o700, 0o600));
}

/// Lines as they are written.
fn masked_free_lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(line).collect()
}

#[test]
fn a_rotation_while_nobody_reads_loses_nothing() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", masked_free_lines(0..10));
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the last line", || out(&sandbox).ends_with(&masked(9)));
    assert_eq!(tail.stop(), 0);
    append(&log, &masked_free_lines(10..20));
    fs::rename(&log, sandbox.path("in/app.log.1")).unwrap();
    fs::write(&log, masked_free_lines(20..30)).unwrap();
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the last line", || out(&sandbox).ends_with(&masked(29)));
    assert_eq!(tail.stop(), 0);
    assert_eq!(out(&sandbox), masked_lines(0..30));
}

#[test]
fn the_beginning_of_a_line_that_was_written_is_not_written_again() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", "first\nwaiting for acme_0123456789");
    for (more, seen) in [("", "waiting for "), ("abcdef0123 and then ", "then "), ("more\nlast\n", "last\n")] {
        append(&log, more);
        let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
        until(seen, || out(&sandbox).ends_with(seen));
        assert_eq!(tail.stop(), 0);
    }
    assert_eq!(out(&sandbox), "first\nwaiting for [REDACTED:acme-token] and then more\nlast\n");
}

#[test]
fn a_process_that_is_killed_at_any_time_loses_nothing() {
    kills(20);
}

/// `cargo test --release --test tail -- --ignored a_thousand` takes some minutes.
#[test]
#[ignore = "takes minutes"]
fn a_thousand_kills_lose_nothing() {
    kills(1000);
}

/// Kills `tail` at random while a file is written and rotated by name. What comes out are all lines in
/// order, some of them again after a kill.
fn kills(count: usize) {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", "");
    let done = std::sync::atomic::AtomicBool::new(false);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    let mut draw = move |most: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % most
    };
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let (mut next, mut turn) = (0, 0);
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                append(&log, &masked_free_lines(next..next + 10));
                next += 10;
                if next % 700 == 0 {
                    // Only the newest ones are kept, as logrotate does, so that the folder stays small.
                    turn += 1;
                    fs::rename(&log, sandbox.path(&format!("in/app.log.{turn}"))).unwrap();
                    let _ = fs::remove_file(sandbox.path(&format!("in/app.log.{}", turn - 40)));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            next
        });
        for _ in 0..count {
            let tail = Tail::start(&sandbox, &["--quiet", "--state", "state", "in/app.log*"]);
            std::thread::sleep(Duration::from_millis(20 + draw(150)));
            tail.kill();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        writer.join().unwrap()
    });
    let tail = Tail::start(&sandbox, &["--quiet", "--state", "state", "in/app.log*"]);
    let last = masked(written - 1);
    until("the last line", || has(&sandbox, "out", &last));
    assert_eq!(tail.stop(), 0);
    let mut seen = vec![false; written];
    let text = out(&sandbox);
    for got in text.lines() {
        // A kill may cut what standard output takes; the whole line comes again then.
        let number = got.get(5..11).and_then(|number| number.parse::<usize>().ok());
        if let Some(number) = number.filter(|number| masked(*number).trim_end() == got) {
            seen[number] = true;
        }
    }
    let lost: Vec<usize> = (0..written).filter(|number| !seen[*number]).collect();
    assert!(lost.is_empty(), "{} of {written} lines are lost, the first is {}", lost.len(), lost[0]);
    no_leak(&sandbox.path(""));
}

#[test]
fn bytes_that_a_cut_or_new_text_takes_away_are_counted() {
    for (what, text, told) in [
        ("shorter", "x\n".to_owned(), "was cut"),
        ("the same size", format!("{}\n", "y".repeat(99)), "was written anew"),
        ("longer", format!("{}\n", "z".repeat(299)), "was written anew"),
    ] {
        let sandbox = Sandbox::new();
        let log = sandbox.write("in/app.log", format!("{}\n", "a".repeat(99)));
        let tail = Tail::start(&sandbox, &["in/app.log"]);
        until("the first line", || out(&sandbox).len() == 100);
        // In place, as copytruncate does, in one write.
        let file = OpenOptions::new().write(true).open(&log).unwrap();
        if text.len() < 100 {
            file.set_len(text.len() as u64).unwrap();
        }
        std::os::unix::fs::FileExt::write_all_at(&file, text.as_bytes(), 0).unwrap();
        until(what, || out(&sandbox).ends_with(&text));
        assert_eq!(tail.stop(), 0);
        assert!(has(&sandbox, "err", told), "{what}: {}", sandbox.read("err"));
    }
}

#[test]
fn checkpoints_that_are_damaged_never_skip_anything() {
    let sandbox = Sandbox::new();
    sandbox.write("in/app.log", masked_free_lines(0..10));
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the last line", || out(&sandbox).ends_with(&masked(9)));
    assert_eq!(tail.stop(), 0);
    let whole = fs::read(sandbox.path("state/checkpoints")).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let newer = String::from_utf8_lossy(&whole).replacen("checkpoints 1 ", "checkpoints 9 ", 1).into_bytes();
    for bad in [&b""[..], &whole[..whole.len() / 3], &flipped, &newer, b"\0\xff\n"] {
        fs::write(sandbox.path("state/checkpoints"), bad).unwrap();
        fs::remove_file(sandbox.path("out")).unwrap();
        let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
        until("the last line", || out(&sandbox).ends_with(&masked(9)));
        assert_eq!(tail.stop(), 0);
        assert_eq!(out(&sandbox), masked_lines(0..10));
        assert!(has(&sandbox, "err", "files are read from their start"));
    }
}

#[test]
fn a_second_reader_of_the_same_state_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("in/app.log", line(0));
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the first line", || !out(&sandbox).is_empty());
    let second = sandbox.run(&["tail", "--state", "state", "in/app.log"], "");
    assert_eq!((second.code, second.stdout.as_str()), (2, ""));
    assert!(second.stderr.contains("another process"), "{}", second.stderr);
    assert_eq!(tail.stop(), 0);
}

#[test]
fn a_tree_gets_files_of_the_same_names_for_their_owner_only() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.log", line(1));
    sandbox.write("in/deep/b.log", line(2));
    let tail = Tail::start(&sandbox, &["--out", "clean", "in"]);
    until("both files", || has(&sandbox, "clean/in/a.log", "end") && has(&sandbox, "clean/in/deep/b.log", "end"));
    append(&sandbox.path("in/deep/c.log"), "new\n");
    until("a new file", || has(&sandbox, "clean/in/deep/c.log", "new\n"));
    assert_eq!(tail.stop(), 0);
    assert_eq!(sandbox.read("clean/in/a.log"), masked(1));
    assert_eq!(sandbox.read("clean/in/deep/b.log"), masked(2));
    let mode = |name: &str| fs::metadata(sandbox.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("clean"), mode("clean/in/deep"), mode("clean/in/a.log")), (0o700, 0o700, 0o600));
    no_leak(&sandbox.path(""));
}

#[test]
fn a_tree_keeps_its_bound() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/a.log", "");
    let tail = Tail::start(&sandbox, &["--out", "clean", "--out-file-size", "1", "--out-total-size", "3", "in"]);
    for number in 0..10 {
        append(&log, &format!("{}\n", "all is well ".repeat(80_000)));
        append(&log, &line(number));
        until("a line", || has(&sandbox, "clean/in/a.log", &masked(number)));
    }
    assert_eq!(tail.stop(), 0);
    let sizes: Vec<u64> =
        fs::read_dir(sandbox.path("clean/in")).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).collect();
    assert!(sizes.len() > 1 && sizes.iter().sum::<u64>() <= 3 << 20, "{sizes:?}");
    assert!(has(&sandbox, "err", "removed"), "{}", sandbox.read("err"));
}

#[test]
fn links_that_lead_out_and_what_is_no_file_are_refused() {
    let sandbox = Sandbox::new();
    let outside = sandbox.write("outside.log", line(7));
    sandbox.write("in/a.log", line(1));
    symlink("a.log", sandbox.path("in/inside.log")).unwrap();
    symlink(&outside, sandbox.path("in/out.log")).unwrap();
    symlink("/dev/zero", sandbox.path("in/zero.log")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, sandbox.path("in/pipe.log"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    let tail = Tail::start(&sandbox, &["in/*.log"]);
    until("the file", || !out(&sandbox).is_empty());
    // Swapped in under a name that is followed.
    fs::rename(sandbox.path("in/a.log"), sandbox.path("in/a.old")).unwrap();
    symlink(&outside, sandbox.path("in/a.log")).unwrap();
    until("the refusal", || has(&sandbox, "err", "in/a.log: is a symbolic link"));
    assert_eq!(tail.stop(), 0);
    assert_eq!(out(&sandbox), masked(1));
    for name in ["out.log", "zero.log", "pipe.log"] {
        assert!(has(&sandbox, "err", name), "{name}: {}", sandbox.read("err"));
    }
}

#[test]
fn links_and_pipes_in_the_place_of_an_output_are_refused() {
    let sandbox = Sandbox::new();
    let foreign = sandbox.write("foreign", "untouched\n");
    sandbox.write("in/a.log", line(1));
    sandbox.write("in/b.log", line(2));
    sandbox.write("in/c/c.log", line(3));
    sandbox.write("in/d.log", line(4));
    fs::create_dir_all(sandbox.path("clean/in")).unwrap();
    fs::create_dir_all(sandbox.path("elsewhere")).unwrap();
    symlink(&foreign, sandbox.path("clean/in/a.log")).unwrap();
    fs::hard_link(&foreign, sandbox.path("clean/in/b.log")).unwrap();
    symlink(sandbox.path("elsewhere"), sandbox.path("clean/in/c")).unwrap();
    let tail = Tail::start(&sandbox, &["--out", "clean", "--drain-timeout", "1", "in"]);
    until("the other file", || has(&sandbox, "clean/in/d.log", "end"));
    assert_eq!(tail.stop(), 0);
    assert_eq!(sandbox.read("foreign"), "untouched\n");
    assert_eq!(fs::read_dir(sandbox.path("elsewhere")).unwrap().count(), 0);
    assert!(has(&sandbox, "err", "cannot be written"));
}

#[test]
fn a_pipe_with_a_name_is_read_from_writer_to_writer() {
    let sandbox = Sandbox::new();
    let pipe = sandbox.path("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let tail = Tail::start(&sandbox, &["pipe"]);
    for number in 0..3 {
        let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
        writer.write_all(line(number).as_bytes()).unwrap();
        until("a line", || out(&sandbox).ends_with(&masked(number)));
    }
    assert_eq!(tail.stop(), 0);
    assert_eq!(out(&sandbox), masked_lines(0..3));
}

#[test]
fn a_secret_in_two_parts_of_a_line_is_masked_and_told_with_its_pod() {
    let sandbox = Sandbox::new();
    let (start, end) = SECRET.split_at(12);
    let cri = format!("2026-11-20T23:10:23.1Z stdout P token {start}\n2026-11-20T23:10:23.2Z stdout F {end} end\n");
    sandbox.write("pods/shop_web-5d4f_9f2c-11/app/0.log", cri);
    let docker = format!(
        "{{\"log\":\"token {start}\",\"stream\":\"stderr\",\"time\":\"2026-11-20T23:10:23.1Z\"}}\n\
         {{\"log\":\"{end} end\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-20T23:10:23.2Z\"}}\n"
    );
    sandbox.write("docker.log", docker);
    let tail = Tail::start(&sandbox, &["--output", "ndjson", "--findings", "findings", "pods", "docker.log"]);
    until("both lines", || out(&sandbox).lines().count() == 2);
    assert_eq!(tail.stop(), 0);
    let lines: Vec<Value> = out(&sandbox).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for object in &lines {
        let message = object["message"].as_str().unwrap();
        assert!(message.starts_with("token [REDACTED:acme-token]") && message.ends_with(" end"), "{message}");
        assert_eq!(object["@timestamp"], "2026-11-20T23:10:23.1Z");
    }
    let findings: Vec<Value> =
        sandbox.read("findings").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let pod = findings.iter().find(|finding| !finding["container"].is_null()).unwrap();
    assert_eq!(pod["container"]["name"], "app");
    assert_eq!(pod["orchestrator"]["namespace"], "shop");
    assert_eq!(pod["orchestrator"]["resource"]["name"], "web-5d4f");
    no_leak(&sandbox.path(""));
}

#[test]
fn records_of_docker_stay_json_in_a_tree() {
    let sandbox = Sandbox::new();
    let (start, end) = SECRET.split_at(12);
    let docker = format!(
        "{{\"log\":\"a \\\"token\\\" {start}\",\"stream\":\"stdout\",\"time\":\"t\"}}\n\
         {{\"log\":\"{end} end\\n\",\"stream\":\"stdout\",\"time\":\"t\"}}\n"
    );
    sandbox.write("in/x-json.log", docker);
    let tail = Tail::start(&sandbox, &["--out", "clean", "in"]);
    until("both records", || has(&sandbox, "clean/in/x-json.log", "end"));
    assert_eq!(tail.stop(), 0);
    for line in sandbox.read("clean/in/x-json.log").lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    no_leak(&sandbox.path(""));
}

#[test]
fn rules_are_read_again_when_they_change_and_bad_ones_are_not_taken() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", "other_0123 stays\n");
    let tail = Tail::start(&sandbox, &["in/app.log"]);
    until("the first line", || out(&sandbox).ends_with("stays\n"));
    sandbox.write("acme.toml", "this is no rule file: acme_0123456789abcdef0123");
    tail.signal(rustix::process::Signal::HUP);
    until("the refusal", || has(&sandbox, "err", "the old rules and values stay in force"));
    append(&log, &line(1));
    until("a line under the old rules", || out(&sandbox).ends_with(&masked(1)));
    let other =
        RULES.replace("acme-token", "other-token").replace("acme_", "other_").replace("[0-9a-f]{20}", "[0-9]{4}");
    let other = other.replace("{hex:20}", "{digits:4}").replace("{hex:8}", "x");
    sandbox.write("acme.toml", other);
    until("the reload", || has(&sandbox, "err", "were read again"));
    append(&log, "other_0123 goes\n");
    until("a line under the new rules", || out(&sandbox).ends_with("[REDACTED:other-token] goes\n"));
    assert_eq!(tail.stop(), 0);
    no_leak(&sandbox.path(""));
}

#[test]
fn mounted_secrets_are_followed_when_they_are_swapped() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", "start\n");
    // As the kubelet mounts a secret.
    let mount = |version: &str, value: &str| {
        sandbox.write(&format!("secret/..{version}/password"), value);
        symlink(format!("..{version}"), sandbox.path("secret/..data_tmp")).unwrap();
        fs::rename(sandbox.path("secret/..data_tmp"), sandbox.path("secret/..data")).unwrap();
    };
    mount("1", "correct-horse-battery");
    symlink("..data/password", sandbox.path("secret/password")).unwrap();
    let tail = Tail::start(&sandbox, &["--secret-file", "secret", "in/app.log"]);
    until("the first line", || out(&sandbox).ends_with("start\n"));
    mount("2", "staple-orbit-kettle");
    until("the reload", || has(&sandbox, "err", "were read again"));
    append(&log, "old correct-horse-battery new staple-orbit-kettle\n");
    let known = "[REDACTED:known-value]";
    until("both masked", || out(&sandbox).ends_with(&format!("old {known} new {known}\n")));
    assert_eq!(tail.stop(), 0);
}

#[test]
fn an_output_that_takes_nothing_ends_with_the_drain_timeout() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", "");
    let all = ["tail", "--no-default-rules", "--drain-timeout", "1", "--state", "state", "in/app.log"];
    let mut command = sandbox.command(&all);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    append(&log, &"all is well, and this line is long enough\n".repeat(200_000));
    // The first bytes have come, and nobody reads the others.
    let mut output = child.stdout.take().unwrap();
    std::io::Read::read_exact(&mut output, &mut [0; 10]).unwrap();
    let tail = Tail { child };
    let started = Instant::now();
    assert_eq!(tail.stop(), 0);
    assert!(started.elapsed() < Duration::from_secs(30), "it does not wait for the reader");
}

#[test]
fn a_closed_output_ends_quietly() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", "first\n");
    let mut command = sandbox.command(&["tail", "--no-default-rules", "in/app.log"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(sandbox.path("err")).unwrap())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    std::io::Read::read_exact(&mut output, &mut [0; 6]).unwrap();
    drop(output);
    append(&log, "second\n");
    let code = child.wait().unwrap().code();
    assert_eq!((code, sandbox.read("err").as_str()), (Some(141), ""));
}
