//! What `blackbar run` does in a terminal: the command has one of its own, and does not notice us.

#![cfg(unix)]

mod command;
mod terminal;

use std::process::Command;

use command::{SECRET, Sandbox};
use terminal::Terminal;

const OWN: [&str; 5] = ["run", "--no-default-rules", "--rules", "acme.toml", "--quiet"];

/// `blackbar run` with the one rule and `words` as the command.
fn command(sandbox: &Sandbox, words: &[&str]) -> Command {
    let mut command = sandbox.command(&OWN);
    command.arg("--").args(words);
    in_terminal(&mut command);
    command
}

fn in_terminal(command: &mut Command) {
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.env("TERM", "xterm").env("PS1", "$ ");
}

fn sh(sandbox: &Sandbox, script: &str) -> Terminal {
    Terminal::start(command(sandbox, &["sh", "-c", script]))
}

#[test]
fn the_command_has_a_terminal_for_all_three_and_its_output_is_masked() {
    let script = format!("test -t 0 && test -t 1 && test -t 2 && echo terminal; echo {SECRET}; exit 5");
    let sandbox = Sandbox::new();
    let (shown, code) = sh(&sandbox, &script).end();
    assert_eq!((shown.as_str(), code), ("terminal\r\n[REDACTED:acme-token]\r\n", 5));
}

#[test]
fn without_a_pty_the_command_has_pipes() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["run", "--no-pty", "--", "sh", "-c", "test -t 0 && test ! -t 1 && echo pipe"]);
    in_terminal(&mut command);
    assert_eq!(Terminal::start(command).end(), ("pipe\r\n".to_owned(), 0));
}

#[test]
fn a_prompt_is_shown_and_the_answer_is_echoed_as_it_is_typed() {
    let sandbox = Sandbox::new();
    let mut terminal = sh(&sandbox, "printf 'name: '; read name; echo \"hello $name\"");
    terminal.expect("name: ");
    for key in ["b", "o", "b"] {
        terminal.send(key);
        terminal.expect(key);
    }
    terminal.send("\n");
    assert_eq!(terminal.end(), ("\r\nhello bob\r\n".to_owned(), 0));
}

#[test]
fn with_all_rules_words_are_echoed_key_by_key_and_what_becomes_a_token_is_not() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["run", "--quiet", "--", "sh", "-c", "echo ready; exec cat"]);
    in_terminal(&mut command);
    let mut terminal = Terminal::start(command);
    // Keys before that are echoed by the outer terminal, too.
    terminal.expect("ready\r\n");
    for key in "npm install internationalization --prefix src/main.rs/42".chars() {
        terminal.send(key.encode_utf8(&mut [0; 4]));
        terminal.expect(key.encode_utf8(&mut [0; 4]));
    }
    terminal.send("\n");
    // Once from the terminal, once from `cat`: what that says late would part what is typed next.
    terminal.expect("\r\n");
    terminal.expect("/42\r\n");
    let (start, rest) = ("gl", ["pat-", "x7Kq2mZp9", "Rt4vWbNc8Ys"]);
    terminal.send(start);
    terminal.expect(start);
    for part in rest {
        terminal.send(part);
        // Longer than it takes until what may be shown is shown.
        std::thread::sleep(std::time::Duration::from_millis(120));
    }
    terminal.send(" \n");
    terminal.expect("[REDACTED:gitlab");
    let shown = terminal.shown();
    assert!(!shown.contains("x7Kq") && !shown.contains("Ys"), "{shown:?}");
    terminal.send("\u{4}");
    assert_eq!(terminal.end().1, 0);
}

#[test]
fn a_password_that_is_typed_without_echo_is_not_shown() {
    let script = "stty -echo; printf 'Password: '; read word; stty echo; echo; test \"$word\" = hunter2 && echo right";
    let sandbox = Sandbox::new();
    let mut terminal = sh(&sandbox, script);
    terminal.expect("Password: ");
    terminal.send("hunter2\n");
    assert_eq!(terminal.end(), ("\r\nright\r\n".to_owned(), 0));
}

#[test]
fn exit_codes_are_those_of_the_command() {
    let sandbox = Sandbox::new();
    assert_eq!(Terminal::start(command(&sandbox, &["./missing"])).end().1, 127);
    assert_eq!(Terminal::start(command(&sandbox, &["./acme.toml"])).end().1, 126);
    assert_eq!(sh(&sandbox, "kill -9 $$").end().1, 137);
    let missing = Terminal::start(command(&sandbox, &["./missing"])).end().0;
    assert_eq!(missing, "blackbar: ./missing: no such program\r\n");
}

#[test]
fn keys_that_signal_reach_the_command_alone() {
    let sandbox = Sandbox::new();
    let mut terminal = sh(&sandbox, "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done");
    terminal.expect("ready\r\n");
    terminal.send("\u{3}");
    let (shown, code) = terminal.end();
    assert!(shown.ends_with("caught\r\n") && code == 9, "{shown:?} {code}");
}

#[test]
fn signals_from_outside_reach_the_command() {
    let sandbox = Sandbox::new();
    let mut terminal = sh(&sandbox, "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.05; done");
    terminal.expect("ready\r\n");
    let pid = rustix::process::Pid::from_child(&terminal.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(terminal.end(), ("caught\r\n".to_owned(), 9));
}

#[test]
fn the_size_of_the_window_is_passed_on_and_so_are_changes() {
    let script = "trap 'stty size; exit 0' WINCH; stty size; echo ready; while :; do sleep 0.05; done";
    let sandbox = Sandbox::new();
    let mut terminal = sh(&sandbox, script);
    assert_eq!(terminal.expect("ready\r\n"), "33 77\r\nready\r\n");
    terminal.resize(40, 100);
    assert_eq!(terminal.end(), ("40 100\r\n".to_owned(), 0));
}

#[test]
fn the_command_stops_and_goes_on_under_a_shell() {
    let sandbox = Sandbox::new();
    let mut shell = Command::new("sh");
    shell.args(["-i"]).current_dir(sandbox.path("")).env_clear().env("HOME", sandbox.path("home"));
    in_terminal(&mut shell);
    let mut terminal = Terminal::start(shell);
    terminal.expect("$ ");
    // `sed` answers in words of its own: only then it has gone on, and a key that stops it is not lost. A shell with a
    // loop could be stopped within `vfork`.
    terminal.send(&format!(
        "{} run --quiet -- sh -c 'echo begun; exec sed s/line/said/'\n",
        env!("CARGO_BIN_EXE_blackbar")
    ));
    terminal.expect("begun\r\n");
    for round in ["42", "43"] {
        terminal.send(&format!("line{round}\n"));
        terminal.expect(&format!("said{round}\r\n"));
        terminal.send("\u{1a}");
        terminal.expect("topped");
        terminal.expect("$ ");
        // The shell has its terminal back, set as it was.
        terminal.send(&format!("stty -a | tr ' ;' '\\n\\n' | grep -x icanon && echo shell$(({round}))\n"));
        terminal.expect(&format!("shell{round}\r\n"));
        terminal.send("fg; echo code $?\n");
    }
    terminal.send("last line\n");
    terminal.expect("last said\r\n");
    terminal.send("\u{4}");
    terminal.expect("code 0\r\n");
    terminal.send("exit 6\n");
    assert_eq!(terminal.end().1, 6);
}

#[test]
fn a_shell_in_it_has_job_control() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::start(command(&sandbox, &["sh", "-i"]));
    terminal.expect("$ ");
    terminal.send("sh -c 'echo begun; exec sed s/line/said/'\n");
    terminal.expect("begun\r\n");
    terminal.send("first line\n");
    terminal.expect("first said\r\n");
    terminal.send("\u{1a}");
    terminal.expect("topped");
    terminal.send("fg\n");
    terminal.send("second line\n");
    terminal.expect("second said\r\n");
    terminal.send("\u{4}");
    terminal.send("exit 8\n");
    assert_eq!(terminal.end().1, 8);
}

#[test]
fn bytes_of_full_screen_programs_pass_as_they_are() {
    let sandbox = Sandbox::new();
    let screen = "\u{1b}[?1049h\u{1b}[2J\u{1b}[1;1Hrow one\u{1b}[5;10H\u{1b}[7mstatus\u{1b}[0m\u{1b}[?25l\u{1b}[?1049l";
    sandbox.write("screen", screen);
    let (shown, code) = sh(&sandbox, "printf 'progress 1%%\\rprogress 99%%\\r'; cat screen").end();
    assert_eq!((shown, code), (format!("progress 1%\rprogress 99%\r{screen}"), 0));
}

#[test]
fn much_output_at_the_end_is_shown_to_the_last_byte() {
    let sandbox = Sandbox::new();
    sandbox.write("big", "0123456789012345678901234567890123456789\n".repeat(20_000));
    let (shown, code) = sh(&sandbox, "cat big; printf last").end();
    assert_eq!((shown.len(), shown.ends_with("\r\nlast"), code), (20_000 * 42 + 4, true, 0));
}

#[test]
fn a_run_inside_a_run_becomes_the_command() {
    let inner = format!("{} run -- sh -c 'echo $$' & echo $!; wait $!", env!("CARGO_BIN_EXE_blackbar"));
    let sandbox = Sandbox::new();
    let (shown, _) = sh(&sandbox, &inner).end();
    let numbers: Vec<&str> = shown.split_whitespace().collect();
    assert!(numbers.len() == 2 && numbers[0] == numbers[1], "{shown:?}");
}

#[test]
fn the_terminal_is_set_as_it_was_however_the_run_ends() {
    let sandbox = Sandbox::new();
    let run = format!("{} run --quiet -- sh -c 'stty raw -echo; kill -9 $$'", env!("CARGO_BIN_EXE_blackbar"));
    let mut outer = Command::new("sh");
    outer.args(["-c", &format!("stty -g >before; {run}; stty -g >after")]).current_dir(sandbox.path(""));
    outer.env("HOME", sandbox.path("home"));
    Terminal::start(outer).end();
    assert_eq!(sandbox.read("before"), sandbox.read("after"));
    assert!(!sandbox.read("before").is_empty());
}
