//! Follows files that are written, rotated and replaced while the program reads them, as a user would. Two oracles
//! hold everywhere: no planted secret comes out, and no line is lost.

#![cfg(unix)]

mod command;
mod following;

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::PermissionsExt as _,
    thread,
    time::Duration,
};

use blackbar::rules::sample::{Rng, fill};
use command::Sandbox;
use following::{Tail, append, has, line, lines, masked, masked_lines, no_leak, out, until};

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
    let log = sandbox.write("in/app.log", lines(0..100));
    for round in 1..4 {
        let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
        let last = masked(round * 100 - 1);
        until("the last line", || out(&sandbox).ends_with(&last));
        assert_eq!(tail.stop(), 0);
        append(&log, &lines(round * 100..(round + 1) * 100));
    }
    assert_eq!(out(&sandbox), masked_lines(0..300));
    let mode = |name: &str| fs::metadata(sandbox.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("state"), mode("state/checkpoints")), (0o700, 0o600));
}

#[test]
fn a_rotation_while_nobody_reads_loses_nothing() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", lines(0..10));
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the last line", || out(&sandbox).ends_with(&masked(9)));
    assert_eq!(tail.stop(), 0);
    append(&log, &lines(10..20));
    fs::rename(&log, sandbox.path("in/app.log.1")).unwrap();
    fs::write(&log, lines(20..30)).unwrap();
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the last line", || out(&sandbox).ends_with(&masked(29)));
    assert_eq!(tail.stop(), 0);
    assert_eq!(out(&sandbox), masked_lines(0..30));
}

#[test]
fn a_file_that_was_rotated_in_its_first_line_goes_on_in_it() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", "waiting for acme_0123456789");
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the beginning", || out(&sandbox) == "waiting for ");
    assert_eq!(tail.stop(), 0);
    append(&log, "abcdef0123 and then more\n");
    fs::rename(&log, sandbox.path("in/app.log.1")).unwrap();
    fs::write(&log, "next\n").unwrap();
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the next file", || out(&sandbox).ends_with("next\n"));
    assert_eq!(tail.stop(), 0);
    assert_eq!(out(&sandbox), "waiting for [REDACTED:acme-token] and then more\nnext\n");
}

#[test]
fn a_private_key_and_a_name_that_awaits_its_value_go_on_behind_a_rotation() {
    let mut rng = Rng::new(3);
    let mut rows = || fill("{base64:64}\n{base64:64}\n{base64:64}\n", &mut rng).unwrap();
    let key = [format!("-----BEGIN PRIVATE KEY-----\n{}", rows()), format!("{}-----END PRIVATE KEY-----\n", rows())];
    let value = ["db_password:\n".to_owned(), "  cX1uZjbF7zYOhPBy\n".to_owned()];
    for [before, behind] in [key, value] {
        // A file is over when it has been quiet for five seconds after its rotation.
        for (copytruncate, pause) in [(false, 0), (true, 0), (false, 7)] {
            let sandbox = Sandbox::new();
            let log = sandbox.write("in/app.log", format!("first\n{before}"));
            let tail = Tail::with_all_rules(&sandbox, &["--state", "state", "in/app.log"]);
            until("what is before", || out(&sandbox).lines().count() == 1 + before.lines().count());
            if copytruncate {
                fs::copy(&log, sandbox.path("in/app.log.1")).unwrap();
                OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap();
            } else {
                fs::rename(&log, sandbox.path("in/app.log.1")).unwrap();
            }
            thread::sleep(Duration::from_secs(pause));
            append(&log, &format!("{behind}last\n"));
            until("the last line", || out(&sandbox).ends_with("last\n"));
            assert_eq!(tail.stop(), 0);
            let all = out(&sandbox);
            let left = behind.lines().filter(|line| !line.starts_with('-') && all.contains(line.trim())).count();
            assert_eq!(left, 0, "copytruncate: {copytruncate}, after {pause} s: {all}");
        }
    }
}

#[test]
fn a_kill_behind_the_end_of_a_file_does_not_lose_what_it_said() {
    let mut rng = Rng::new(4);
    let mut row = || fill("{base64:64}\n", &mut rng).unwrap();
    let key =
        (format!("-----BEGIN PRIVATE KEY-----\n{}", row()), row(), row() + &row() + "-----END PRIVATE KEY-----\n");
    let value = ("db_password:\n".to_owned(), String::new(), "  cX1uZjbF7zYOhPBy\n".to_owned());
    let trial = |(before, first, rest): &(String, String, String), begun: bool, is_gone: bool| {
        let sandbox = Sandbox::new();
        let log = sandbox.write("in/app.log", format!("first\n{before}"));
        let start = || Tail::with_all_rules(&sandbox, &["--state", "state", "in/app.log"]);
        let tail = start();
        until("what is before", || out(&sandbox).lines().count() == 1 + before.lines().count());
        fs::rename(&log, sandbox.path("in/app.log.1")).unwrap();
        // It is over once it has been quiet for five seconds.
        until("the end of the file", || has(&sandbox, "state/checkpoints", "\"at\":"));
        if begun {
            append(&log, first);
            until("the next file", || has(&sandbox, "state/checkpoints", "\"said\":"));
        }
        tail.kill();
        if is_gone {
            fs::remove_file(sandbox.path("in/app.log.1")).unwrap();
        }
        append(&log, &format!("{}{rest}last\n", if begun { "" } else { first }));
        let tail = start();
        until("the last line", || out(&sandbox).ends_with("last\n"));
        assert_eq!(tail.stop(), 0);
        let all = out(&sandbox);
        let mut secrets = first.lines().chain(rest.lines()).filter(|line| !line.starts_with('-'));
        assert!(!secrets.any(|line| all.contains(line.trim())), "begun: {begun}, is gone: {is_gone}: {all}");
    };
    thread::scope(|scope| {
        for what in [&key, &value] {
            for (begun, is_gone) in [(false, false), (false, true), (true, false), (true, true)] {
                scope.spawn(move || trial(what, begun, is_gone));
            }
        }
    });
}

#[test]
fn an_output_beside_the_files_is_not_read_as_one_that_was_rotated() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", line(0));
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the first line", || out(&sandbox).ends_with(&masked(0)));
    assert_eq!(tail.stop(), 0);
    fs::rename(&log, sandbox.path("in/app.log.1")).unwrap();
    fs::write(&log, line(1)).unwrap();
    // The name of a rotated file, by the user's choice.
    fs::rename(sandbox.path("out"), sandbox.path("in/app.log.9")).unwrap();
    std::os::unix::fs::symlink("in/app.log.9", sandbox.path("out")).unwrap();
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the second line", || out(&sandbox).contains(&masked(1)));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(tail.stop(), 0);
    assert_eq!(out(&sandbox), masked_lines(0..2));
}

#[test]
fn what_was_not_read_before_a_cut_is_read_in_the_copy() {
    let cut = |log: &std::path::Path, from: usize| {
        append(log, &lines(from..from + 10));
        fs::copy(log, log.with_extension(format!("log.{from}"))).unwrap();
        OpenOptions::new().write(true).open(log).unwrap().set_len(0).unwrap();
        append(log, &lines(from + 10..from + 20));
    };
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", lines(0..10));
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the first lines", || out(&sandbox).ends_with(&masked(9)));
    // It sees nothing of what happens meanwhile.
    tail.signal(rustix::process::Signal::STOP);
    cut(&log, 10);
    tail.signal(rustix::process::Signal::CONT);
    until("the next file", || out(&sandbox).ends_with(&masked(29)));
    assert_eq!(tail.stop(), 0);
    cut(&log, 30);
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the last file", || out(&sandbox).ends_with(&masked(49)));
    assert_eq!(tail.stop(), 0);
    assert_eq!(out(&sandbox), masked_lines(0..50));
    assert!(has(&sandbox, "err", "app.log.30, and what was written between the copy and the cut is lost"));
    no_leak(&sandbox.path(""));
}

#[test]
fn an_output_beside_a_file_that_is_cut_is_not_its_copy() {
    let sandbox = Sandbox::new();
    let text = "all is well in this line\n".repeat(100);
    let log = sandbox.write("in/app.log", &text);
    // The name of a copy, by the user's choice, and the same text.
    std::os::unix::fs::symlink("in/app.log.9", sandbox.path("out")).unwrap();
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the first text", || out(&sandbox) == text);
    OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap();
    append(&log, &line(0));
    until("the next text", || out(&sandbox).ends_with(&masked(0)));
    assert_eq!(tail.stop(), 0);
    assert_eq!(out(&sandbox), text + &masked(0));
}

#[test]
fn files_that_come_and_are_rotated_while_nobody_reads_are_found_in_their_order() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", lines(0..10));
    // Older than our first look: nobody asked for it.
    sandbox.write("in/app.log.7", "not asked for\n");
    let run = |last: usize| {
        let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
        until("the last line", || out(&sandbox).ends_with(&masked(last)));
        assert_eq!(tail.stop(), 0);
    };
    // Times of checkpoints are whole seconds.
    std::thread::sleep(Duration::from_millis(2100));
    run(9);
    append(&log, &lines(10..20));
    for (from, to) in [(20, 30), (30, 40), (40, 50)] {
        for number in (1..4).rev() {
            let _ = fs::rename(
                sandbox.path(&format!("in/app.log.{number}")),
                sandbox.path(&format!("in/app.log.{}", number + 1)),
            );
        }
        fs::rename(&log, sandbox.path("in/app.log.1")).unwrap();
        fs::write(&log, lines(from..to)).unwrap();
        // The order in which they were written can be told.
        std::thread::sleep(Duration::from_millis(20));
    }
    sandbox.write("in/app.log.other", "not asked for\n");
    run(49);
    assert_eq!(out(&sandbox), masked_lines(0..50));
    // A copy beside a file that goes on under its name is no file between.
    fs::copy(&log, sandbox.path("in/app.log.9")).unwrap();
    append(&log, &line(50));
    run(50);
    assert_eq!(out(&sandbox), masked_lines(0..51));
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
                append(&log, &lines(next..next + 10));
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
        let number = got.split(' ').nth(1).and_then(|number| number.parse::<usize>().ok());
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
    sandbox.write("in/app.log", lines(0..10));
    let tail = Tail::start(&sandbox, &["--state", "state", "in/app.log"]);
    until("the last line", || out(&sandbox).ends_with(&masked(9)));
    assert_eq!(tail.stop(), 0);
    let whole = fs::read(sandbox.path("state/checkpoints")).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let newer = String::from_utf8_lossy(&whole).replacen("checkpoints 2 ", "checkpoints 9 ", 1).into_bytes();
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
fn a_file_that_is_not_there_is_said_and_waited_for() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("in")).unwrap();
    let tail = Tail::start(&sandbox, &["in/later.log", "in/*.other"]);
    until("the message", || has(&sandbox, "err", "in/later.log: is not there yet, and waited for"));
    append(&sandbox.path("in/later.log"), &line(1));
    until("the line", || out(&sandbox) == masked(1));
    assert_eq!(tail.stop(), 0);
    assert!(!has(&sandbox, "err", "other"));
}

#[test]
fn what_is_packed_after_its_file_was_made_is_not_written() {
    let sandbox = Sandbox::new();
    let log = sandbox.write("in/app.log", line(1));
    let tail = Tail::start(&sandbox, &["--state", "state", "--out", "clean", "in"]);
    let clean = |name: &str| fs::read(sandbox.path("clean/in").join(name)).unwrap_or_default();
    until("the first line", || clean("app.log") == masked(1).as_bytes());
    // A packer makes its file, looks at its input, and writes later.
    for (name, number) in [("app.log.1.gz", 2), ("other.gz", 3)] {
        let packed = sandbox.write(&format!("in/{name}"), "");
        append(&sandbox.path(&format!("in/seen{number}")), &line(number));
        until("the folder was looked at", || clean(&format!("seen{number}")) == masked(number).as_bytes());
        fs::write(&packed, b"\x1f\x8b\x08\0\0\0\0\0\0\x03 what no filter sees through\n").unwrap();
        append(&log, &line(10 + number));
        until("the next line", || clean("app.log").ends_with(masked(10 + number).as_bytes()));
    }
    until("the message", || has(&sandbox, "err", "in/other.gz: is compressed"));
    assert_eq!(tail.stop(), 0);
    assert_eq!(clean("app.log"), [1, 12, 13].map(masked).concat().as_bytes());
    assert!(clean("app.log.1.gz").is_empty() && clean("other.gz").is_empty());
    // What it was made of was followed.
    assert!(!has(&sandbox, "err", "app.log.1.gz"), "{}", sandbox.read("err"));
}
