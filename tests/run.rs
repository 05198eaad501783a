//! What `blackbar run` does where there is no terminal: outputs, exit codes, signals, ends.

#![cfg(unix)]

mod command;

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
};

use command::{Ended, SECRET, Sandbox, names};
use rustix::process::{Pid, Signal, kill_process};

const OWN: [&str; 4] = ["run", "--no-default-rules", "--rules", "acme.toml"];

/// `blackbar run` with the one rule, `options`, and a shell that runs `script`.
fn command(sandbox: &Sandbox, options: &[&str], script: &str) -> Command {
    let mut command = sandbox.command(&OWN);
    command.args(options).args(["--", "sh", "-c", script]);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.env("TMPDIR", sandbox.path(""));
    command
}

fn run(sandbox: &Sandbox, options: &[&str], script: &str) -> Ended {
    let output = command(sandbox, options, script).stdin(Stdio::null()).output().expect("it runs");
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

fn sh(script: &str) -> Ended {
    run(&Sandbox::new(), &[], script)
}

/// One that has written its first line.
struct Running {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(mut command: Command, first: &str) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut running = Self { child, stdout };
        assert_eq!(running.line(), first);
        running
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("UTF-8");
        line
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is there");
    }

    fn end(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("UTF-8");
        (rest, self.child.wait().expect("a child").code())
    }
}

#[test]
fn both_outputs_are_masked_and_stay_apart() {
    let ended = sh(&format!("echo out {SECRET}; echo err {SECRET} >&2"));
    assert_eq!(ended.stdout, "out [REDACTED:acme-token]\n");
    assert_eq!(
        ended.stderr,
        "err [REDACTED:acme-token]\n\
         blackbar: masked 2 secrets (2 acme-token) in 2 lines\n\
         blackbar: rotate first: acme-token https://acme.example/tokens (2 times, first stdout line 1)\n"
            .replace(
                "first stdout",
                if ended.stderr.contains("first stdout") { "first stdout" } else { "first stderr" }
            )
    );
    assert_eq!(ended.code, 0);
}

#[test]
fn outputs_that_are_one_file_keep_their_order() {
    let sandbox = Sandbox::new();
    let file = File::create(sandbox.path("both")).unwrap();
    let script = "for n in 1 2 3 4 5 6 7 8 9; do echo out $n; echo err $n >&2; done";
    let mut command = command(&sandbox, &[], script);
    command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
    assert!(command.status().unwrap().success());
    let expected: String = (1..10).map(|n| format!("out {n}\nerr {n}\n")).collect();
    assert_eq!(sandbox.read("both"), expected);
}

#[test]
fn the_exit_code_is_the_commands_own() {
    for code in [0, 1, 7, 125, 126, 127, 255] {
        assert_eq!(sh(&format!("exit {code}")).code, code);
    }
}

#[test]
fn a_command_that_a_signal_ends_gives_its_number_and_128() {
    for (signal, code) in [("TERM", 143), ("KILL", 137), ("INT", 130), ("SEGV", 139)] {
        let ended = sh(&format!("echo before; kill -{signal} $$"));
        assert_eq!((ended.code, ended.stdout.as_str()), (code, "before\n"));
    }
}

#[test]
fn what_cannot_run_is_told_from_what_is_not_there_and_from_our_own_faults() {
    let sandbox = Sandbox::new();
    sandbox.write("text", "no program\n");
    let ended = |arguments: &[&str]| sandbox.run(arguments, "");
    let missing = ended(&["run", "--", "./missing"]);
    assert_eq!((missing.code, missing.stderr.as_str()), (127, "blackbar: ./missing: no such program\n"));
    let text = ended(&["run", "--", "./text"]);
    assert_eq!((text.code, text.stderr.as_str()), (126, "blackbar: ./text: cannot be executed: permission denied\n"));
    for arguments in [&["run"][..], &["run", "--"], &["run", "--mode", "x", "--", "true"], &["run", "--stile", "x"]] {
        assert_eq!(ended(arguments).code, 125, "{arguments:?}");
    }
}

#[test]
fn a_secret_in_the_place_of_a_command_is_not_shown() {
    let sandbox = Sandbox::new();
    let said = |command: &mut Command| String::from_utf8(command.output().unwrap().stderr).unwrap();
    let token = said(sandbox.command(&OWN).args(["--", SECRET]));
    assert_eq!(token, "blackbar: [REDACTED:acme-token]: no such program\n");
    let known =
        said(sandbox.command(&OWN).args(["--", "correct-horse-battery"]).env("A_TOKEN", "correct-horse-battery"));
    assert_eq!(known, "blackbar: [REDACTED:known-value]: no such program\n");
}

#[test]
fn findings_change_the_code_only_of_a_command_that_was_fine() {
    let sandbox = Sandbox::new();
    let code = |options: &[&str], code: u8| run(&sandbox, options, &format!("echo {SECRET}; exit {code}")).code;
    assert_eq!(code(&[], 0), 0);
    assert_eq!(code(&["--fail-on", "high"], 0), 1);
    assert_eq!(code(&["--fail-on", "high", "--exit-code", "9"], 0), 9);
    assert_eq!(code(&["--fail-on", "high"], 7), 7);
    assert_eq!(code(&["--fail-on", "critical"], 0), 0);
}

#[test]
fn findings_say_which_output() {
    let sandbox = Sandbox::new();
    run(&sandbox, &["--findings", "found"], &format!("echo {SECRET} >&2"));
    let finding: serde_json::Value = serde_json::from_str(&sandbox.read("found")).unwrap();
    assert_eq!(finding["log"], serde_json::json!({ "iostream": "stderr", "offset": 0 }));
}

#[test]
fn standard_input_is_passed_on() {
    let sandbox = Sandbox::new();
    let mut command = command(&sandbox, &[], "read line; echo got $line; cat");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"one\ntwo\n").unwrap();
    assert_eq!(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(), "got one\ntwo\n");
}

#[test]
fn a_prompt_is_shown_before_its_line_ends() {
    let sandbox = Sandbox::new();
    let mut child = command(&sandbox, &[], "printf 'Password: '; read line; echo; echo done")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut prompt = [0; 10];
    child.stdout.as_mut().unwrap().read_exact(&mut prompt).unwrap();
    assert_eq!(&prompt, b"Password: ");
    child.stdin.take().unwrap().write_all(b"x\n").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"\ndone\n");
}

#[test]
fn large_outputs_on_both_at_once_arrive_whole() {
    let script = "i=0; while [ $i -lt 40 ]; do cat big; cat big >&2; i=$((i+1)); done";
    let sandbox = Sandbox::new();
    let line = "a line of a log that says nothing in particular\n";
    sandbox.write("big", line.repeat(4000));
    let ended = run(&sandbox, &["--quiet"], script);
    assert_eq!(ended.code, 0);
    assert!(ended.stdout == line.repeat(160_000) && ended.stderr == line.repeat(160_000));
}

/// Whether this process was started with a signal ignored, as its children are then, too.
fn is_ignored(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal.as_raw() - 1) & 1 == 1)
}

#[test]
fn signals_reach_the_command() {
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::USR1, "USR1"), (Signal::INT, "INT")] {
        if is_ignored(signal) {
            println!("skipped: SIG{name}, which whoever started these tests ignores, as nohup does");
            continue;
        }
        let sandbox = Sandbox::new();
        let script = format!("trap 'echo {name} came; exit 3' {name}; echo ready; while :; do sleep 0.05; done");
        let running = Running::start(command(&sandbox, &[], &script), "ready\n");
        // A terminal that the tests run in would have told the command of SIGINT itself.
        if signal == Signal::INT && fs::File::open("/dev/tty").is_ok() {
            println!("skipped: SIGINT from outside, because these tests have a terminal");
            kill_process(Pid::from_child(&running.child), Signal::TERM).unwrap();
            continue;
        }
        running.signal(signal);
        assert_eq!(running.end(), (format!("{name} came\n"), Some(3)));
    }
}

#[test]
fn a_command_stops_and_goes_on_with_the_run() {
    let sandbox = Sandbox::new();
    let script = "trap 'echo continued; exit 0' CONT; echo ready; while :; do sleep 0.05; done";
    let running = Running::start(command(&sandbox, &[], script), "ready\n");
    running.signal(Signal::TSTP);
    let pid = Pid::from_child(&running.child);
    let options = rustix::process::WaitOptions::UNTRACED;
    let (_, status) = rustix::process::waitpid(Some(pid), options).unwrap().unwrap();
    assert_eq!(status.stopping_signal(), Some(Signal::STOP.as_raw()));
    running.signal(Signal::CONT);
    assert_eq!(running.end(), ("continued\n".to_owned(), Some(0)));
}

#[test]
fn a_process_left_behind_does_not_hold_the_run_and_is_told_of() {
    let sandbox = Sandbox::new();
    let ended =
        run(&sandbox, &["--drain-timeout", "0"], "(trap '' PIPE; echo early; exec sleep 5) & echo $! >pid; exit 4");
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains("blackbar: stdout: a process that the command left behind"), "{}", ended.stderr);
    let pid = sandbox.read("pid").trim().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn what_a_process_left_behind_writes_in_time_is_shown() {
    let ended = sh("(sleep 0.3; echo late) & exit 0");
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str(), ended.code), ("late\n", "", 0));
}

#[test]
fn a_reader_that_has_gone_ends_the_command_as_it_would_without_us() {
    let sandbox = Sandbox::new();
    let mut child = command(&sandbox, &[], "exec yes").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(141), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_does_not_stop_the_command_and_is_no_success() {
    let sandbox = Sandbox::new();
    let script = format!("cat big; echo {SECRET}; echo finished > done");
    sandbox.write("big", "x\n".repeat(1 << 20));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ended = command(&sandbox, &[], &script).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(ended.status.code(), Some(125));
    assert_eq!(sandbox.read("done"), "finished\n");
    assert_eq!(
        String::from_utf8_lossy(&ended.stderr),
        "blackbar: stdout: no space left; the rest of it is not shown\n"
    );
}

#[test]
fn a_run_that_is_killed_has_written_nothing_unmasked() {
    let sandbox = Sandbox::new();
    let script = format!("echo ready; printf 'half a {}'; trap '' PIPE; sleep 5", &SECRET[..20]);
    let mut running = Running::start(command(&sandbox, &[], &script), "ready\n");
    let mut prompt = [0; 7];
    running.stdout.read_exact(&mut prompt).unwrap();
    running.signal(Signal::KILL);
    let mut rest = String::new();
    running.stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((&prompt[..], rest.as_str()), (&b"half a "[..], ""));
    assert_eq!(running.child.wait().unwrap().signal(), Some(9));
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_dies_leaves_no_core_and_its_command_may() {
    let sandbox = Sandbox::new();
    let limit = "ulimit -c $(ulimit -H -c)";
    let inner = "test \"$(ulimit -c)\" = \"$(ulimit -H -c)\" && echo kept; exec cat";
    let script = format!("{limit}; exec '{}' run --quiet -- sh -c '{inner}'", env!("CARGO_BIN_EXE_blackbar"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(sandbox.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "kept\n");
    kill_process(Pid::from_child(&child), Signal::ABORT).unwrap();
    drop(child.stdin.take());
    assert!(!child.wait().unwrap().core_dumped());
}

#[test]
fn a_command_that_is_killed_leaves_no_half_secret() {
    let ended = sh(&format!("printf 'a {SECRET} b {SECRET}'; kill -9 $$"));
    assert_eq!((ended.stdout.as_str(), ended.code), ("a [REDACTED:acme-token] b [REDACTED:acme-token]", 137));
}

#[test]
fn a_run_inside_a_run_adds_no_filter_where_its_output_is_filtered_already() {
    let sandbox = Sandbox::new();
    let inner = format!("{} run --", env!("CARGO_BIN_EXE_blackbar"));
    // The inner one has no filter of its own if it has become the command: `sh` has its number.
    let nested = run(&sandbox, &["--quiet"], &format!("{inner} sh -c 'echo $$ {SECRET}' & echo $!; wait $!"));
    let numbers: Vec<&str> = nested.stdout.split_whitespace().collect();
    assert!(matches!(numbers[..], [a, b, "[REDACTED:acme-token]"] if a == b), "{nested:?}");
    // Into a file it is the only one.
    let inner = inner.replace(" --", " --no-default-rules --rules acme.toml --");
    run(&sandbox, &["--quiet"], &format!("{inner} sh -c 'echo {SECRET}' >log 2>&1"));
    assert!(sandbox.read("log").starts_with("[REDACTED:acme-token]\n"), "{}", sandbox.read("log"));
}

#[test]
fn a_socket_that_is_not_an_ancestors_does_not_disarm_the_filter() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("evil");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"+");
        }
    });
    // The tests' own process is an ancestor. So a shell, whose parent goes, starts the run.
    let script = format!("BLACKBAR_SOCKET={} {}", path.display(), env!("CARGO_BIN_EXE_blackbar"));
    let script =
        format!("({script} run --no-default-rules --rules acme.toml -- echo {SECRET} >log 2>err; echo end >end) &");
    let orphan = Command::new("setsid").args(["sh", "-c", &script]).current_dir(sandbox.path("")).status();
    if !orphan.is_ok_and(|status| status.success()) {
        println!("skipped: there is no setsid here");
        return;
    }
    while !fs::read(sandbox.path("end")).is_ok_and(|end| !end.is_empty()) {
        std::thread::yield_now();
    }
    assert_eq!(sandbox.read("log"), "[REDACTED:acme-token]\n");
}

#[test]
fn our_own_secret_variables_do_not_reach_the_command() {
    let mut sandbox = Sandbox::new();
    sandbox.set("BLACKBAR_FINGERPRINT_KEY", "a key of sixteen bytes or more");
    let ended = run(&sandbox, &[], "echo ${BLACKBAR_FINGERPRINT_KEY-unset} ${BLACKBAR_SOCKET:+socket}");
    assert_eq!(ended.stdout, "unset socket\n");
}

#[test]
fn nothing_is_left_of_the_socket() {
    let sandbox = Sandbox::new();
    let ended = run(&sandbox, &[], "ls -ld \"$(dirname \"$BLACKBAR_SOCKET\")\"");
    assert!(ended.stdout.starts_with("drwx------"), "{ended:?}");
    assert!(names(&sandbox.path("")).iter().all(|name| !name.starts_with("blackbar-")));
}

#[test]
fn what_a_killed_run_has_left_of_its_socket_is_removed_by_a_later_one() {
    let sandbox = Sandbox::new();
    let sockets = || names(&sandbox.path("")).into_iter().filter(|name| name.starts_with("blackbar-"));
    let running = || Running::start(command(&sandbox, &[], "echo ready; trap '' PIPE; sleep 3"), "ready\n");
    let killed = || {
        let mut running = running();
        running.signal(Signal::KILL);
        running.child.wait().unwrap();
    };
    killed();
    let left: Vec<String> = sockets().collect();
    assert_eq!(left.len(), 1);
    // It could be that of a run that has just begun.
    assert_eq!(run(&sandbox, &[], "true").code, 0);
    assert_eq!(sockets().collect::<Vec<_>>(), left);
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    let age = |name: &String| File::open(sandbox.path(name)).unwrap().set_modified(long_ago).unwrap();
    age(&left[0]);
    let alive = running();
    let others: Vec<String> = sockets().collect();
    assert!(others.len() == 1 && others != left, "{others:?}");
    others.iter().for_each(age);
    assert_eq!(run(&sandbox, &[], "true").code, 0);
    assert_eq!(sockets().collect::<Vec<_>>(), others);
    drop(alive.end());
    assert_eq!(sockets().count(), 0);
}

#[test]
fn options_of_the_command_are_the_commands() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["run", "--", "printf", "%s|", "--mode", "--", "-x"], "");
    assert_eq!(ended.stdout, "--mode|--|-x|");
}

#[test]
fn values_of_variables_are_masked_by_default_and_in_both_outputs() {
    let mut sandbox = Sandbox::new();
    sandbox.set("DEPLOY_TOKEN", "walnut-Kestrel-4711");
    let script = "echo $DEPLOY_TOKEN; echo $DEPLOY_TOKEN | base64 >&2";
    let ended = run(&sandbox, &["--quiet"], script);
    assert_eq!(ended.stdout, "[REDACTED:known-value]\n");
    assert_eq!(ended.stderr, "[REDACTED:known-value]\n");
    assert_eq!(run(&sandbox, &["--no-secret-env"], script).stdout, "walnut-Kestrel-4711\n");
}

#[test]
fn the_descriptor_with_values_does_not_reach_the_command() {
    let sandbox = Sandbox::new();
    sandbox.write("values", "Known7Value4Test\n");
    // A file, unlike a pipe, could be read once more.
    let mut shell = Command::new("sh");
    let run = format!("'{}' run --secret-fd 3", env!("CARGO_BIN_EXE_blackbar"));
    let inner = "tr a-zA-Z b-zaB-ZA </dev/fd/3; echo Known7Value4Test; cat <&4";
    shell.args(["-c", &format!("{run} -- sh -c '{inner}' 3<values 4<acme.toml")]);
    let output = shell.current_dir(sandbox.path("")).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let rest = stdout.strip_prefix("[REDACTED:known-value]\n").unwrap_or_else(|| panic!("{stdout}"));
    assert!(rest.starts_with("[[rule]]"), "{stdout}");
}

#[test]
fn our_own_secrets_are_masked_whatever_the_command_does_to_get_them() {
    let mut sandbox = Sandbox::new();
    sandbox.set("BLACKBAR_FINGERPRINT_KEY", "walnut-Kestrel-4711-own");
    let ended = run(&sandbox, &["--no-secret-env"], "echo walnut-Kestrel-4711-own");
    assert_eq!(ended.stdout, "[REDACTED:known-value]\n");
}

#[test]
fn a_value_that_is_added_while_the_command_runs_is_masked_in_what_was_not_written_yet() {
    let sandbox = Sandbox::new();
    let add = format!("{} secret add", env!("CARGO_BIN_EXE_blackbar"));
    let script = format!(
        "v=walnut-Kestrel-4711; printf \"first $v \"; printf %s $v | {add}; echo code $?; echo $v; echo $v >&2;
         NAMED=otter.Quartz.0815; export NAMED; {add} NAMED; unset NAMED; echo otter.Quartz.0815;
         echo heron/Violet/2718 | {add} -; echo heron/Violet/2718"
    );
    let ended = run(&sandbox, &["--quiet"], &script);
    let mask = "[REDACTED:known-value]";
    // Whether the first one was written before the value was known is a matter of time.
    let (first, rest) = ended.stdout.split_once("code ").expect(&ended.stdout);
    assert!(["first walnut-Kestrel-4711 ".to_owned(), format!("first {mask} ")].contains(&first.to_owned()), "{first}");
    assert_eq!(rest, format!("0\n{mask}\n{mask}\n{mask}\n"), "{ended:?}");
    assert_eq!(ended.stderr, format!("{mask}\n"));
}

#[test]
fn what_cannot_be_added_is_said_by_its_name_alone() {
    let sandbox = Sandbox::new();
    let add = format!("{} secret add", env!("CARGO_BIN_EXE_blackbar"));
    let refused = |script: &str| {
        let ended = run(&sandbox, &["--quiet"], script);
        (ended.code, ended.stderr)
    };
    let weak = "the value of standard input is too";
    assert_eq!(refused(&format!("printf ab | {add}")), (2, format!("blackbar: {weak} short to be masked\n")));
    assert_eq!(refused(&format!("printf password | {add} -")), (2, format!("blackbar: {weak} common to be masked\n")));
    assert_eq!(
        refused(&format!("head -c 40000 /dev/zero | {add}")),
        (2, format!("blackbar: {weak} long to be masked\n"))
    );
    // A value where a name is meant is not shown.
    let (code, said) = refused(&format!("{add} walnut-Kestrel-4711"));
    assert!(code == 2 && !said.contains("walnut"), "{said}");
    let alone = sandbox.run(&["secret", "add"], "walnut-Kestrel-4711");
    assert_eq!(alone.stderr, "blackbar: there is no blackbar run around this process\n");
    assert_eq!(alone.code, 2);
}

#[test]
fn a_run_inside_a_run_hands_over_the_values_that_it_knows() {
    let sandbox = Sandbox::new();
    let inner = format!("{} run --", env!("CARGO_BIN_EXE_blackbar"));
    let script = format!("LATE_TOKEN=walnut-Kestrel-4711 {inner} sh -c 'echo $LATE_TOKEN'");
    assert_eq!(run(&sandbox, &["--quiet"], &script).stdout, "[REDACTED:known-value]\n");
}
