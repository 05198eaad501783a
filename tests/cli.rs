//! What the command does, as a user sees it: outputs, exit codes, messages.

mod command;

use std::process::Stdio;

use command::{CANARY, Ended, OTHER, SECRET, Sandbox, misleads};

/// Names of all options that take a value, with a value that each must refuse.
const WRONG: &[(&str, &str)] = &[
    ("mode", CANARY),
    ("style", CANARY),
    ("mask-confidence", CANARY),
    ("alert-confidence", CANARY),
    ("entropy", CANARY),
    ("fail-on", CANARY),
    ("exit-code", CANARY),
    ("label", CANARY),
    ("report", CANARY),
    ("on-error", CANARY),
    ("flush-after", CANARY),
    ("jobs", CANARY),
    ("color", CANARY),
    ("log-format", CANARY),
    ("only", CANARY),
    ("enable", CANARY),
    ("disable", CANARY),
    ("fingerprint-key-file", CANARY),
];

#[test]
fn standard_input_is_masked() {
    let ended = Sandbox::new().acme(&[] as &[&str], format!("a {SECRET} b\nno\r\n"));
    assert_eq!(ended.stdout, "a [REDACTED:acme-token] b\nno\r\n");
    assert_eq!(ended.code, 0);
}

#[test]
fn the_name_of_the_command_may_be_left_out() {
    let sandbox = Sandbox::new();
    let arguments = ["redact", "--no-default-rules", "--rules", "acme.toml"];
    let input = format!("{SECRET}\n");
    assert_eq!(sandbox.run(&arguments, &input).stdout, sandbox.run(&arguments[1..], &input).stdout);
}

#[test]
fn files_are_written_one_after_the_other() {
    let sandbox = Sandbox::new();
    sandbox.write("one.log", format!("1 {SECRET}\n"));
    sandbox.write("two.log", "2 no newline");
    let ended = sandbox.acme(&["one.log", "-", "two.log"], "stdin\n");
    assert_eq!(ended.stdout, "1 [REDACTED:acme-token]\nstdin\n2 no newline");
    assert_eq!(ended.stderr.lines().next(), Some("blackbar: masked 1 secret (1 acme-token) in 3 lines"));
}

#[test]
fn a_file_that_is_missing_is_reported_and_the_others_are_read() {
    let sandbox = Sandbox::new();
    sandbox.write("there.log", "x\n");
    let ended = sandbox.acme(&["missing.log", "there.log", "."], "");
    assert_eq!((ended.code, ended.stdout.as_str()), (3, "x\n"));
    assert_eq!(ended.stderr, "blackbar: missing.log: no such file\nblackbar: .: is a directory\n");
}

#[test]
fn a_file_with_the_name_of_a_command_is_reached_by_its_path() {
    let sandbox = Sandbox::new();
    sandbox.write("rules", "x\n");
    assert_eq!(sandbox.acme(&["./rules"], "").stdout, "x\n");
}

#[test]
fn the_summary_counts_by_rule_and_says_what_to_rotate_once_a_secret() {
    let ended = Sandbox::new().acme(&[] as &[&str], format!("{SECRET}\n{SECRET} {SECRET}\n{OTHER}\n"));
    assert_eq!(
        ended.stderr,
        "blackbar: masked 4 secrets (4 acme-token) in 3 lines\n\
         blackbar: rotate first: acme-token https://acme.example/tokens (3 times, first line 1)\n\
         blackbar: rotate first: acme-token https://acme.example/tokens (line 3)\n"
    );
}

#[test]
fn the_next_step_is_said_for_a_few_secrets_only() {
    let lines: String = (0..400).map(|n| format!("acme_{n:020x}\n")).collect();
    let ended = Sandbox::new().acme(&[] as &[&str], lines);
    assert_eq!(ended.stderr.lines().count(), 1 + 5 + 1, "{}", ended.stderr);
    assert!(ended.stderr.ends_with("and 395 more, with --findings FILE all of them\n"), "{}", ended.stderr);
}

#[test]
fn nothing_is_said_where_there_was_nothing_or_quiet_is_wanted() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.acme(&[] as &[&str], "clean\n").stderr, "");
    assert_eq!(sandbox.acme(&["--quiet"], format!("{SECRET}\n")).stderr, "");
}

#[test]
fn in_alert_mode_the_bytes_pass_and_the_secrets_are_found() {
    let input = format!("a {SECRET}\n");
    let ended = Sandbox::new().acme(&["--mode", "alert"], &input);
    assert_eq!((ended.code, ended.stdout), (0, input));
    assert!(ended.stderr.starts_with("blackbar: found 1 secret (1 acme-token) in 1 line\n"));
}

#[test]
fn masks_have_the_style_that_is_asked_for() {
    let sandbox = Sandbox::new();
    let with = |arguments: &[&str]| sandbox.acme(arguments, format!("a {SECRET} b")).stdout;
    assert_eq!(with(&["--style", "fixed"]), "a *** b");
    assert_eq!(with(&["--style", "length"]), format!("a {} b", "*".repeat(SECRET.len())));
    assert_eq!(with(&["--replacement", "<{rule}>"]), "a <acme-token> b");
    let hashed = with(&["--style", "hash"]);
    assert!(
        hashed.starts_with("a [REDACTED:acme-token:") && hashed.len() == "a [REDACTED:acme-token:01234567] b".len()
    );
    assert_eq!(hashed, with(&["--style", "hash"]), "the key is kept from run to run");
    let both = sandbox.acme(&["--style", "fixed", "--replacement", "x"], "");
    assert_eq!((both.code, both.stderr.as_str()), (2, "blackbar: --style and --replacement exclude each other\n"));
}

#[test]
fn a_replacement_that_is_itself_masked_is_refused_and_not_shown() {
    let ended = Sandbox::new().acme(&["--replacement", SECRET], "");
    assert_eq!(ended.code, 2);
    assert!(!ended.printed().contains(SECRET) && ended.stderr.contains("--replacement"), "{ended:?}");
}

#[test]
fn findings_fail_a_build_from_the_wanted_severity_and_confidence_on() {
    let sandbox = Sandbox::new();
    let code = |arguments: &[&str]| sandbox.acme(arguments, format!("{SECRET}\n")).code;
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--fail-on", "low"]), 1);
    assert_eq!(code(&["--fail-on", "high"]), 1);
    assert_eq!(code(&["--fail-on", "critical"]), 0);
    assert_eq!(code(&["--fail-on", "high", "--exit-code", "9"]), 9);
    assert_eq!(code(&["--fail-on", "high", "--alert-confidence", "certain"]), 0);
    assert_eq!(code(&["--fail-on", "high", "missing.log"]), 3);
}

#[test]
fn the_canary_is_masked_and_alerts_nobody() {
    let sandbox = Sandbox::new();
    let token = format!("blackbar_canary_{}", "aB3dE6gH9jK2mN5pQ8sT1vW4");
    let arguments = ["--fail-on", "low", "--alert-confidence", "low", "--findings", "found"];
    let ended = sandbox.run(&arguments, format!("{token}\n"));
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "[REDACTED:blackbar-canary]\n"));
    assert_eq!(sandbox.read("found"), "");
}

#[test]
fn figures_are_printed_on_demand() {
    let ended = Sandbox::new().acme(&["--stats", "--quiet"], format!("{SECRET}\nx\n"));
    let row = |name: &str| ended.stderr.lines().find_map(|line| line.trim_start().strip_prefix(name)).map(str::trim);
    assert_eq!(row("bytes in"), Some("28"), "{}", ended.stderr);
    assert_eq!(row("lines"), Some("2"));
    assert_eq!(row("acme-token"), Some("1"));
}

#[test]
fn messages_can_be_json_one_object_a_line() {
    let sandbox = Sandbox::new();
    let ended = sandbox.acme(&["--log-format", "json", "--stats", "missing"], format!("{SECRET}\n"));
    let wrong = sandbox.run(&["--log-format=json", "--mode", CANARY], "");
    for line in ended.stderr.lines().chain(wrong.stderr.lines()) {
        let object: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(object["message"].is_string() && object["level"].is_string(), "{line}");
    }
    assert!(wrong.stderr.contains("--mode must be one of redact, alert"));
}

#[test]
fn colour_is_for_terminals_unless_it_is_wanted() {
    let sandbox = Sandbox::new();
    let colours = |arguments: &[&str]| sandbox.acme(arguments, format!("{SECRET}\n")).stderr.contains('\u{1b}');
    assert!(!colours(&[]) && !colours(&["--color", "never"]) && colours(&["--color", "always"]));
}

#[test]
fn a_value_that_is_not_allowed_is_never_shown() {
    let sandbox = Sandbox::new();
    let refused = |ended: Ended, name: &str| {
        assert_eq!(ended.code, 2, "{name}: {ended:?}");
        assert!(!ended.printed().contains(CANARY), "{name}: {ended:?}");
        assert!(ended.stderr.contains(name), "{name}: {ended:?}");
    };
    for (name, value) in WRONG {
        refused(sandbox.run(&[format!("--{name}"), (*value).to_owned()], ""), &format!("--{name}"));
        refused(sandbox.run(&[format!("--{name}={value}")], ""), &format!("--{name}"));
        let variable = format!("BLACKBAR_{}", name.to_uppercase().replace('-', "_"));
        let mut sandbox = Sandbox::new();
        refused(sandbox.set(&variable, value).run(&[] as &[&str], ""), &variable);
    }
    for name in ["quiet", "stats", "no-default-rules"] {
        refused(sandbox.run(&[format!("--{name}={CANARY}")], ""), &format!("--{name}"));
        let variable = format!("BLACKBAR_{}", name.to_uppercase().replace('-', "_"));
        let mut sandbox = Sandbox::new();
        refused(sandbox.set(&variable, CANARY).run(&[] as &[&str], ""), &variable);
    }
}

#[test]
fn what_is_no_option_or_command_is_not_shown_either() {
    let sandbox = Sandbox::new();
    for arguments in [
        &[&*format!("--{CANARY}")][..],
        &[&*format!("--{CANARY}=x")],
        &[&*format!("--mdoe={CANARY}")],
        &[&*format!("-p{CANARY}")],
        &["rules", CANARY],
        &["rules", "show", CANARY],
        &["rules", "list", CANARY],
        &["completions", CANARY],
        &["explain", CANARY],
        &["man", CANARY],
        &["help", CANARY],
    ] {
        let ended = sandbox.run(arguments, "");
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(!ended.printed().contains(CANARY), "{ended:?}");
        assert!(ended.stderr.starts_with("blackbar: ") && ended.stderr.lines().count() == 1, "{ended:?}");
    }
    assert!(sandbox.run(&["--mdoe=x"], "").stderr.contains("did you mean --mode?"));
}

#[test]
fn names_of_files_can_do_nothing_to_a_terminal() {
    let sandbox = Sandbox::new();
    for name in ["\u{1b}]52;c;x\u{7}", "\u{9b}31m", "a\u{202e}b", "a\u{200b}b", "a\rb", "\u{1b}[2J"] {
        for arguments in [&[name][..], &["--config", name], &["--rules", name], &["rules", "check", name]] {
            let ended = sandbox.run(arguments, "");
            assert!(ended.code > 1 && !misleads(&ended.printed()), "{name:?}: {ended:?}");
        }
        sandbox.write(name, format!("{SECRET}\n"));
        assert!(!misleads(&sandbox.acme(&[name], "").stderr), "{name:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_closed_output_is_a_quiet_end() {
    use std::{io::Write as _, os::unix::process::ExitStatusExt as _};
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["--no-default-rules"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    // It ends while we write; that our own pipe breaks then is what is expected.
    let _ = stdin.write_all(&b"line\n".repeat(1 << 18));
    drop(stdin);
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.code() == Some(141) || ended.status.signal() == Some(13), "{:?}", ended.status);
    assert_eq!(ended.stderr, b"");
}

#[test]
fn help_and_version_go_to_standard_output() {
    let sandbox = Sandbox::new();
    let help = sandbox.run(&["--help"], "");
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    assert!(help.stdout.contains("make test 2>&1 | blackbar"));
    let version = sandbox.run(&["--version"], "");
    assert_eq!(version.code, 0);
    assert_eq!(version.stdout.lines().next(), Some(concat!("blackbar ", env!("CARGO_PKG_VERSION"))));
    assert!(version.stdout.contains(" rules, sha256:"));
}

#[test]
fn the_help_names_only_what_is_there() {
    let help = Sandbox::new().run(&["--help"], "").stdout;
    assert!(!help.contains("--progress"));
    for command in ["journal", "report"] {
        assert!(!help.lines().any(|line| line.starts_with(&format!("  {command} "))), "{command}");
    }
}

#[test]
fn completions_exist_for_the_shells() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = sandbox.run(&["completions", shell], "");
        assert_eq!(ended.code, 0);
        assert!(ended.stdout.contains("mask-confidence"), "{shell}");
    }
}

#[test]
fn the_manual_page_is_complete() {
    let ended = Sandbox::new().run(&["man"], "");
    assert_eq!(ended.code, 0);
    for part in [".TH blackbar 1", ".SH COMMANDS", "rules diff", ".SH FILES", ".SH \"EXIT STATUS\"", ".SH EXAMPLES"] {
        assert!(ended.stdout.contains(part), "{part}");
    }
}

#[cfg(unix)]
mod signals {
    use std::{
        io::{BufRead as _, BufReader, Read as _, Write as _},
        process::{Child, ChildStdin, ChildStdout, Stdio},
    };

    use rustix::process::{Pid, Signal, kill_process};

    use super::{SECRET, Sandbox};

    /// A run that has read and written its first line, so that signals are caught.
    struct Running {
        child: Child,
        stdin: ChildStdin,
        stdout: BufReader<ChildStdout>,
    }

    impl Running {
        fn start(sandbox: &Sandbox) -> Running {
            let mut command = sandbox.command(&["--no-default-rules", "--rules", "acme.toml", "--quiet"]);
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
            let mut running = Running { child, stdin, stdout };
            running.line("first\n");
            running
        }

        /// Sends a line and waits until it is there. What was sent before has been seen then, too.
        fn line(&mut self, line: &str) {
            self.stdin.write_all(line.as_bytes()).unwrap();
            let mut read = String::new();
            self.stdout.read_line(&mut read).unwrap();
            assert_eq!(read, line);
        }

        fn signal(&self, signal: Signal) {
            kill_process(Pid::from_child(&self.child), signal).unwrap();
        }

        /// The rest of the output, and the exit code. The input stays open until then.
        fn end(mut self) -> (String, Option<i32>) {
            let mut rest = String::new();
            self.stdout.read_to_string(&mut rest).unwrap();
            (rest, self.child.wait().unwrap().code())
        }
    }

    #[test]
    fn sigterm_ends_the_run_when_what_has_come_is_scanned_and_written() {
        let sandbox = Sandbox::new();
        let mut running = Running::start(&sandbox);
        running.stdin.write_all(format!("held {SECRET}").as_bytes()).unwrap();
        running.signal(Signal::TERM);
        assert_eq!(running.end(), ("held [REDACTED:acme-token]".to_owned(), Some(0)));
    }

    #[test]
    fn the_first_sigint_is_for_the_writer_and_the_second_one_ends_the_run() {
        let sandbox = Sandbox::new();
        let mut running = Running::start(&sandbox);
        running.signal(Signal::INT);
        running.line("still here\n");
        running.signal(Signal::INT);
        assert_eq!(running.end(), (String::new(), Some(130)));
    }
}
