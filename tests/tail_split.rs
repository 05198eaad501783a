//! Follows containers' logs in which a rotation divides the records of one line between two files: what stands in the
//! line is read as one, or what is left of it is masked whole. Does not look into the library.

#![cfg(unix)]

mod command;
mod following;

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use command::{SECRET, Sandbox};
use following::{Tail, append, has, out, until};

/// A record as a runtime writes it; `last` says that the line ends with it.
type Record = fn(&str, bool) -> String;

fn cri(text: &str, last: bool) -> String {
    format!("2026-11-20T23:10:23.1Z stdout {} {text}\n", if last { "F" } else { "P" })
}

fn docker(text: &str, last: bool) -> String {
    let end = if last { "\\n" } else { "" };
    format!("{{\"log\":\"{text}{end}\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:10:23.1Z\"}}\n")
}

/// The first record, the other halves of the line, and one behind it.
fn line(record: Record) -> [String; 4] {
    let (first, rest) = SECRET.split_at(14);
    let parts = [format!("begun token {first}"), format!("{rest} and more")];
    [record("before", true), record(&parts[0], false), record(&parts[1], true), record("last", true)]
}

/// What becomes of them if the line is read as one.
fn joined(record: Record) -> String {
    let mask = "[REDACTED:acme-token]";
    let parts = [record(&format!("begun token {mask}"), false), record(&format!("{mask} and more"), true)];
    let [first, .., last] = line(record);
    format!("{first}{}{}{last}", parts[0], parts[1])
}

fn no_piece(sandbox: &Sandbox, what: &str) {
    fn look(folder: &Path, what: &str) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() && name != "in" {
                look(&path, what);
            } else if path.is_file() && name != "acme.toml" {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                for piece in [&SECRET[5..11], &SECRET[16..22]] {
                    assert!(!text.contains(piece), "{what}: {} holds a piece of a secret:\n{text}", path.display());
                }
            }
        }
    }
    look(&sandbox.path(""), what);
}

/// Where clean lines go.
const OUTPUTS: [&[&str]; 3] = [&[], &["--out", "clean"], &["--output", "ndjson"]];

fn written(sandbox: &Sandbox, log: &Path) -> String {
    let name = log.canonicalize().unwrap_or_else(|_| log.to_owned());
    let copy = sandbox.path("clean").join(name.strip_prefix("/").unwrap());
    let beside = sandbox.path("clean/in/app.log");
    fs::read_to_string(beside).or_else(|_| fs::read_to_string(copy)).unwrap_or_else(|_| out(sandbox))
}

fn start(sandbox: &Sandbox, output: &[&str]) -> Tail {
    Tail::start(sandbox, &[&["--state", "state"], output, &["in/app.log"]].concat())
}

fn rotate(log: &PathBuf) {
    fs::rename(log, log.with_extension("log.1")).unwrap();
}

fn check(sandbox: &Sandbox, log: &Path, record: Record, output: &[&str], what: &str) {
    let all = written(sandbox, log);
    if output.contains(&"ndjson") {
        let messages: Vec<String> = all
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["message"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(
            messages,
            ["before", "begun token [REDACTED:acme-token][REDACTED:acme-token] and more", "last"],
            "{what}"
        );
    } else {
        assert_eq!(all, joined(record), "{what}");
    }
    no_piece(sandbox, what);
}

/// Runs it for each format of records and each output.
fn for_all(trial: impl Fn(Record, &'static [&'static str], &str) + Sync) {
    thread::scope(|scope| {
        for (name, record) in [("cri", cri as Record), ("docker", docker)] {
            for output in OUTPUTS {
                let trial = &trial;
                scope.spawn(move || trial(record, output, &format!("{name} {output:?}")));
            }
        }
    });
}

#[test]
fn a_line_that_a_rotation_divides_is_read_as_one() {
    for_all(|record, output, what| {
        for pause in [0, 7] {
            let sandbox = Sandbox::new();
            let [before, first, rest, last] = line(record);
            let log = sandbox.write("in/app.log", before + &first);
            let tail = start(&sandbox, output);
            until("what is before", || written(&sandbox, &log).contains("before"));
            // So that the beginning of the line is written, where that is done.
            thread::sleep(Duration::from_millis(200));
            rotate(&log);
            thread::sleep(Duration::from_secs(pause));
            append(&log, &(rest + &last));
            until("the last line", || written(&sandbox, &log).contains("last"));
            assert_eq!(tail.stop(), 0);
            check(&sandbox, &log, record, output, &format!("{what} after {pause} s"));
        }
    });
}

#[test]
fn a_line_that_a_copy_and_a_cut_divide_is_read_as_one() {
    for_all(|record, output, what| {
        let sandbox = Sandbox::new();
        let [before, first, rest, last] = line(record);
        let log = sandbox.write("in/app.log", before + &first);
        let tail = start(&sandbox, output);
        until("what is before", || written(&sandbox, &log).contains("before"));
        fs::copy(&log, log.with_extension("log.1")).unwrap();
        OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap();
        append(&log, &(rest + &last));
        until("the last line", || written(&sandbox, &log).contains("last"));
        assert_eq!(tail.stop(), 0);
        check(&sandbox, &log, record, output, what);
    });
}

#[test]
fn a_line_that_a_rotation_divides_is_read_as_one_after_a_kill() {
    for_all(|record, output, what| {
        // Killed before the rotation, behind it, and when a part of the new file was read.
        for when in 0..3 {
            let sandbox = Sandbox::new();
            let [before, first, rest, last] = line(record);
            let log = sandbox.write("in/app.log", before + &first);
            let tail = start(&sandbox, output);
            until("what is before", || written(&sandbox, &log).contains("before"));
            until("a checkpoint", || !has(&sandbox, "state/checkpoints", "\"read\":0,"));
            let mut tail = Some(tail);
            if when == 0 {
                tail.take().unwrap().kill();
            }
            rotate(&log);
            if when == 1 {
                append(&log, "");
                thread::sleep(Duration::from_millis(1500));
                tail.take().unwrap().kill();
            }
            let mut rest = rest;
            if when == 2 {
                append(&log, &record(&SECRET[14..16], false));
                rest = record(&format!("{} and more", &SECRET[16..]), true);
                until("a checkpoint", || has(&sandbox, "state/checkpoints", "\"handed\":"));
                tail.take().unwrap().kill();
            }
            append(&log, &(rest + &last));
            let tail = tail.unwrap_or_else(|| start(&sandbox, output));
            until("the last line", || written(&sandbox, &log).contains("last"));
            assert_eq!(tail.stop(), 0);
            no_piece(&sandbox, &format!("{what}, killed at {when}"));
            let all = written(&sandbox, &log);
            let whole = all.contains("[REDACTED:acme-token]") && all.contains(" and more") && all.contains("begun");
            assert!(whole, "{what}, killed at {when}: {all}");
            assert_eq!(all.matches("last").count(), 1, "{what}, killed at {when}: {all}");
        }
    });
}

#[test]
fn what_is_left_of_a_line_whose_beginning_has_gone_is_masked_whole() {
    for_all(|record, output, what| {
        for begun in [false, true] {
            let sandbox = Sandbox::new();
            let [before, first, rest, last] = line(record);
            let log = sandbox.write("in/app.log", before + &first);
            let tail = start(&sandbox, output);
            until("what is before", || written(&sandbox, &log).contains("before"));
            until("a checkpoint", || has(&sandbox, "state/checkpoints", "\"unseen\":"));
            rotate(&log);
            if begun {
                append(&log, &record(&SECRET[14..16], false));
                until("a checkpoint", || has(&sandbox, "state/checkpoints", "\"handed\":"));
            }
            tail.kill();
            fs::remove_file(log.with_extension("log.1")).unwrap();
            let rest = if begun { record(&format!("{} and more", &SECRET[16..]), true) } else { rest };
            append(&log, &(rest + &last));
            let tail = start(&sandbox, output);
            until("the last line", || written(&sandbox, &log).contains("last"));
            assert_eq!(tail.stop(), 0);
            no_piece(&sandbox, &format!("{what}, begun: {begun}"));
            assert!(!written(&sandbox, &log).contains("and more"), "{what}, begun: {begun}");
            assert!(has(&sandbox, "err", "bytes were never read"), "{what}: {}", sandbox.read("err"));
        }
    });
}

#[test]
fn what_is_left_of_a_line_that_had_begun_before_the_end_is_masked_whole() {
    for record in [cri as Record, docker] {
        let sandbox = Sandbox::new();
        let [before, first, rest, last] = line(record);
        let log = sandbox.write("in/app.log", before + &first);
        let other = sandbox.write("in/other.log", String::new());
        let tail = Tail::start(&sandbox, &["--from", "end", "in/app.log", "in/other.log"]);
        // Both are opened before either is read.
        until("what is followed", || {
            append(&other, "here\n");
            out(&sandbox).contains("here")
        });
        append(&log, &(rest + &last));
        until("the last line", || out(&sandbox).contains("last"));
        assert_eq!(tail.stop(), 0);
        no_piece(&sandbox, "from the end");
        assert!(!out(&sandbox).contains("and more"), "{}", out(&sandbox));
    }
}

#[test]
fn a_file_that_has_gone_says_more_about_the_next_one_than_one_before_it_that_is_still_there() {
    for_all(|record, output, what| {
        let sandbox = Sandbox::new();
        let [before, first, rest, last] = line(record);
        let log = sandbox.write("in/app.log", record("oldest", true));
        let tail = start(&sandbox, output);
        until("the oldest file", || written(&sandbox, &log).contains("oldest"));
        rotate(&log);
        append(&log, &(before + &first));
        until("a checkpoint", || has(&sandbox, "state/checkpoints", "\"unseen\":"));
        tail.kill();
        fs::remove_file(&log).unwrap();
        append(&log, &(rest + &last));
        let tail = start(&sandbox, output);
        until("the last line", || written(&sandbox, &log).contains("last"));
        assert_eq!(tail.stop(), 0);
        no_piece(&sandbox, what);
        assert!(!written(&sandbox, &log).contains("and more"), "{what}");
    });
}

/// Gives each file the next number, as `logrotate` does.
fn rotate_all(log: &Path) {
    for number in (1..4).rev() {
        let _ =
            fs::rename(log.with_extension(format!("log.{number}")), log.with_extension(format!("log.{}", number + 1)));
    }
    fs::rename(log, log.with_extension("log.1")).unwrap();
}

#[test]
fn a_line_that_several_rotations_divide_is_read_as_one() {
    for_all(|record, output, what| {
        for is_killed in [false, true] {
            let sandbox = Sandbox::new();
            let [before, first, _, last] = line(record);
            let log = sandbox.write("in/app.log", before + &first);
            let mut tail = start(&sandbox, output);
            until("what is before", || written(&sandbox, &log).contains("before"));
            for (number, piece) in [&SECRET[14..16], &SECRET[16..18], &SECRET[18..20]].iter().enumerate() {
                rotate_all(&log);
                append(&log, &record(piece, false));
                let pieces = |text: &str| text.matches("\"bytes\":").count();
                let handed = || {
                    let all = fs::read_to_string(sandbox.path("state/checkpoints")).unwrap_or_default();
                    all.lines()
                        .filter_map(|line| line.split_once("\"handed\":"))
                        .any(|(_, place)| pieces(place.split("\"lost\"").next().unwrap()) > 2 * number + 1)
                };
                until("a checkpoint with the lines of all files before", handed);
            }
            if is_killed {
                tail.kill();
                tail = start(&sandbox, output);
            }
            rotate_all(&log);
            append(&log, &(record(&format!("{} and more", &SECRET[20..]), true) + &last));
            until("the last line", || written(&sandbox, &log).contains("last"));
            assert_eq!(tail.stop(), 0);
            let what = format!("{what}, killed: {is_killed}");
            no_piece(&sandbox, &what);
            let all = written(&sandbox, &log);
            let whole =
                all.contains("begun token [REDACTED:acme-token]") && all.contains("[REDACTED:acme-token] and more");
            assert!(whole || output.contains(&"ndjson") && all.contains(" and more"), "{what}: {all}");
            assert_eq!(all.matches("last").count(), 1, "{what}: {all}");
        }
    });
}

#[test]
fn files_that_came_under_another_name_that_is_followed_go_on_in_the_line_of_the_one_before() {
    for record in [cri as Record, docker] {
        let sandbox = Sandbox::new();
        let [before, first, rest, last] = line(record);
        let log = sandbox.write("in/app.log", before);
        let arguments = ["--state", "state", "in/app.log*"];
        let tail = Tail::start(&sandbox, &arguments);
        until("what is before", || out(&sandbox).contains("before"));
        until("a checkpoint", || !has(&sandbox, "state/checkpoints", "\"read\":0,"));
        tail.kill();
        rotate_all(&log);
        // Files that the system tells apart by their time come one after the other.
        thread::sleep(Duration::from_millis(20));
        append(&log, &first);
        rotate_all(&log);
        thread::sleep(Duration::from_millis(20));
        append(&log, &(rest + &last));
        let tail = Tail::start(&sandbox, &arguments);
        until("the last line", || out(&sandbox).contains("last"));
        assert_eq!(tail.stop(), 0);
        assert_eq!(out(&sandbox), joined(record));
        no_piece(&sandbox, "a pattern");
    }
}

#[test]
fn what_may_be_left_of_a_line_that_nobody_has_seen_is_masked_whole() {
    for_all(|record, output, what| {
        let sandbox = Sandbox::new();
        let [before, first, rest, last] = line(record);
        let log = sandbox.write("in/app.log", before);
        let tail = start(&sandbox, output);
        until("what is before", || written(&sandbox, &log).contains("before"));
        until("a checkpoint", || !has(&sandbox, "state/checkpoints", "\"read\":0,"));
        tail.kill();
        append(&log, &first);
        fs::remove_file(&log).unwrap();
        // Killed once more before anything of the new file is read.
        append(&log, "");
        let inode = format!("\"ino\":{},", fs::metadata(&log).unwrap().ino());
        let tail = start(&sandbox, output);
        until("a checkpoint of the new file", || has(&sandbox, "state/checkpoints", &inode));
        tail.kill();
        append(&log, &(rest + &last));
        let tail = start(&sandbox, output);
        until("the last line", || written(&sandbox, &log).contains("last"));
        assert_eq!(tail.stop(), 0);
        no_piece(&sandbox, what);
        assert!(!written(&sandbox, &log).contains("and more"), "{what}");
    });
}
