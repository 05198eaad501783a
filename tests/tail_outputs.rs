//! What `blackbar tail` writes, refuses, reads again and ends with, as a user would see it.

#![cfg(unix)]

mod command;
mod following;

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::Stdio,
    time::{Duration, Instant},
};

use command::{OTHER, RULES, SECRET, Sandbox};
use following::{Tail, append, has, line, masked, masked_lines, no_leak, out, until};
use serde_json::Value;

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
fn secrets_in_the_names_of_files_are_masked_wherever_names_are_told() {
    for (options, mode) in [(vec!["--out", "clean"], "redact"), (vec!["--output", "ndjson"], "alert")] {
        let sandbox = Sandbox::new();
        let name = format!("in/run-{SECRET}.log");
        sandbox.write(&name, line(1).replace(SECRET, OTHER));
        symlink("/dev/zero", sandbox.path(&format!("in/{SECRET}.zero"))).unwrap();
        let all = [&options[..], &["--mode", mode, "--findings", "findings", "in"]].concat();
        let tail = Tail::start(&sandbox, &all);
        until("the finding", || has(&sandbox, "findings", "acme-token"));
        until("the refusal", || has(&sandbox, "err", "in/[REDACTED:acme-token].zero: "));
        assert_eq!(tail.stop(), 0);
        let told = sandbox.read("findings");
        assert!(told.contains("in/run-[REDACTED:acme-token].log"), "{told}");
        if mode == "redact" {
            let copy = "clean/in/run-[REDACTED:acme-token].log";
            assert_eq!(sandbox.read(copy), masked(1));
        } else {
            assert!(out(&sandbox).contains("\"path\":\"in/run-[REDACTED:acme-token].log\""), "{}", out(&sandbox));
        }
        no_leak(&sandbox.path(""));
    }
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
    assert_eq!(tail.stop(), 3, "what has arrived cannot be written");
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
    // It waits for the output by now.
    std::thread::sleep(Duration::from_millis(300));
    let started = Instant::now();
    assert_eq!(tail.stop(), 3);
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

#[test]
fn metrics_tell_what_was_read_found_and_how_long_it_took() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.log", masked_lines(0..9) + &line(9));
    let tail = Tail::start(&sandbox, &["--metrics", "127.0.0.1:0", "in"]);
    until("the last line", || has(&sandbox, "out", &masked(9)));
    let said = sandbox.read("err");
    let port = said.split("127.0.0.1:").nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap();
    let page = || {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut page = String::new();
        std::io::Read::read_to_string(&mut stream, &mut page).unwrap();
        page
    };
    until("the figures", || page().contains("\nblackbar_lines_total 10\n"));
    let page = page();
    assert!(page.contains("blackbar_secrets_total{rule=\"acme-token\",source=\"file\"} 1\n"), "{page}");
    let calls = page.split("\nblackbar_scan_duration_seconds_count ").nth(1).unwrap();
    assert!(!calls.starts_with('0'), "{page}");
    assert!(!page.contains(&SECRET[5..13]));
    assert_eq!(tail.stop(), 0);
}

#[test]
fn a_line_that_a_killed_process_left_open_is_ended_before_anything_else() {
    for (output, end) in [("text", "end\n"), ("ndjson", "}\n")] {
        let sandbox = Sandbox::new();
        sandbox.write("in/app.log", line(1));
        sandbox.write("out", "line 00");
        let tail = Tail::start(&sandbox, &["--output", output, "in/app.log"]);
        until("the line", || out(&sandbox).ends_with(end));
        assert_eq!(tail.stop(), 0);
        let objects =
            out(&sandbox).lines().skip(1).all(|line| line.contains("\"@timestamp\":\"20") || output == "text");
        assert!(
            objects && out(&sandbox).starts_with("line 00\n") && out(&sandbox).lines().count() == 2,
            "{}",
            out(&sandbox)
        );
    }
}
