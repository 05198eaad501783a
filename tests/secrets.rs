//! What a user sees of known values: the doors by which they come, masks, findings and messages.

mod command;

use command::{Ended, Sandbox};

/// A value that no rule would find.
const VALUE: &str = "Canary-hunt7er";

/// No value, nor a piece of it, in anything that was printed.
fn silent(ended: &Ended) -> bool {
    let printed = ended.printed();
    (0..=VALUE.len() - 6).all(|at| !printed.contains(&VALUE[at..at + 6]))
}

#[test]
fn values_of_variables_are_masked_where_that_is_asked_for() {
    let mut sandbox = Sandbox::new();
    sandbox.set("MY_PASSWORD", VALUE).set("MY_NAME", "Different-one");
    let input = format!("a {VALUE} b Different-one\n");
    let ended = sandbox.run(&["--secret-env"], &input);
    assert_eq!(ended.stdout, "a [REDACTED:known-value] b Different-one\n");
    assert!(silent(&ended), "{ended:?}");
    assert_eq!(sandbox.run(&["--secret-env=MY_N*"], &input).stdout, format!("a {VALUE} b [REDACTED:known-value]\n"));
    let both = sandbox.run(&["--secret-env=default,MY_N*"], &input).stdout;
    assert_eq!(both, "a [REDACTED:known-value] b [REDACTED:known-value]\n");
    assert_eq!(sandbox.run(&[] as &[&str], &input).stdout, input);
    assert_eq!(sandbox.run(&["--secret-env", "--no-secret-env"], &input).stdout, input);
    sandbox.set("BLACKBAR_SECRET_ENV", "my_pass*");
    assert_eq!(sandbox.run(&[] as &[&str], &input).stdout, "a [REDACTED:known-value] b Different-one\n");
}

#[test]
fn values_of_files_are_masked_and_the_file_is_not_named_if_it_is_missing() {
    let sandbox = Sandbox::new();
    sandbox.write("values.json", format!(r#"{{"db": {{"password": "{VALUE}"}}}}"#));
    sandbox.write("lines", format!("other-value\n{VALUE}\n"));
    sandbox.write("mounted/password", format!("{VALUE}\n"));
    for file in ["values.json", "lines", "mounted"] {
        let ended = sandbox.run(&["--secret-file", file], format!("{VALUE}\n"));
        assert_eq!((ended.stdout.as_str(), ended.code), ("[REDACTED:known-value]\n", 0), "{file}");
    }
    let ended = sandbox.run(&["--secret-file", VALUE], "x\n");
    assert_eq!((ended.code, ended.stderr.as_str()), (2, "blackbar: --secret-file: no such file\n"));
}

#[cfg(unix)]
#[test]
fn values_are_read_from_a_descriptor() {
    let sandbox = Sandbox::new();
    sandbox.write("lines", VALUE);
    let input = sandbox.write("input", format!("{VALUE}\n"));
    let binary = env!("CARGO_BIN_EXE_blackbar");
    let script = format!("cat lines | '{binary}' --secret-fd 3 '{}' 3<&0", input.display());
    let mut shell = std::process::Command::new("sh");
    let ended = shell.args(["-c", &script]).current_dir(sandbox.path("")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "[REDACTED:known-value]\n");
}

#[test]
fn weak_values_are_refused_by_their_names_unless_they_are_wanted() {
    let mut sandbox = Sandbox::new();
    sandbox.set("A_TOKEN", "xq7").set("B_TOKEN", "docker").set("C_TOKEN", VALUE);
    let ended = sandbox.run(&["--secret-env"], "xq7 docker\n");
    assert_eq!(ended.stdout, "xq7 docker\n");
    let told = "blackbar: not masked: A_TOKEN is shorter than 6 bytes; B_TOKEN is too easy to guess; \
                --secret-weak masks weak values, too\n";
    assert_eq!(ended.stderr, told);
    let ended = sandbox.run(&["--secret-env", "--secret-weak"], "xq7 docker\n");
    assert_eq!(ended.stdout, "[REDACTED:known-value] [REDACTED:known-value]\n");
    let ended = sandbox.run(&["--secret-env", "--secret-min-length", "3"], "xq7 docker\n");
    assert_eq!(ended.stdout, "[REDACTED:known-value] docker\n");
}

#[test]
fn a_finding_tells_the_name_and_the_encoding_and_one_fingerprint() {
    let mut sandbox = Sandbox::new();
    sandbox.set("MY_PASSWORD", VALUE);
    let hex: String = VALUE.bytes().map(|byte| format!("{byte:02x}")).collect();
    let ended = sandbox.run(&["--secret-env", "--findings", "f"], format!("x {VALUE}\n{hex}\n"));
    assert_eq!(ended.stdout, "x [REDACTED:known-value]\n[REDACTED:known-value]\n");
    let findings: Vec<serde_json::Value> =
        sandbox.read("f").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let facts: Vec<_> = findings.iter().map(|finding| finding["blackbar"]["facts"].to_string()).collect();
    assert_eq!(facts, [r#"{"value":"MY_PASSWORD"}"#, r#"{"encoding":"hex","value":"MY_PASSWORD"}"#]);
    assert_eq!(findings[0]["blackbar"]["fingerprint"], findings[1]["blackbar"]["fingerprint"]);
    assert!(!sandbox.read("f").contains("Canary") && !sandbox.read("f").contains(&hex[..8]));
}

#[test]
fn known_values_are_masked_in_every_style_and_without_any_rule() {
    let mut sandbox = Sandbox::new();
    sandbox.set("MY_PASSWORD", VALUE);
    let run = |options: &[&str]| {
        let all = [&["--secret-env", "--no-default-rules"], options].concat();
        sandbox.run(&all, format!("x {VALUE}\n")).stdout
    };
    assert_eq!(run(&["--style", "fixed"]), "x ***\n");
    assert_eq!(run(&["--style", "length"]), "x **************\n");
    assert_eq!(run(&["--replacement", "<{rule}>"]), "x <known-value>\n");
    assert_eq!(run(&["--style", "hash"]).len(), "x [REDACTED:known-value:00000000]\n".len());
    assert_eq!(run(&["--mode", "alert"]), format!("x {VALUE}\n"));
}

#[test]
fn explain_knows_the_values_too() {
    let mut sandbox = Sandbox::new();
    sandbox.set("MY_PASSWORD", VALUE);
    let ended = sandbox.run(&["explain", "--secret-env"], format!("x {VALUE}\n"));
    assert!(ended.stdout.contains("facts        value MY_PASSWORD"), "{}", ended.stdout);
    assert!(silent(&ended), "{ended:?}");
}

#[test]
fn commands_in_the_stream_pass_only_where_githubs_runner_swallows_them() {
    let mut sandbox = Sandbox::new();
    let input = format!("::add-mask::{VALUE}\n{VALUE}\n::add-mask::docker\n");
    assert_eq!(sandbox.run(&[] as &[&str], &input).stdout, input);
    let ended = sandbox.run(&["--commands", "github"], &input);
    assert_eq!(ended.stdout, "::add-mask::***\n[REDACTED:known-value]\n::add-mask::***\n");
    assert!(silent(&ended), "{ended:?}");
    assert!(ended.stderr.contains("not masked: 1 value of ::add-mask::, too short or too easy to guess\n"));
    sandbox.set("GITHUB_ACTIONS", "true");
    let passed = format!("::add-mask::{VALUE}\n[REDACTED:known-value]\n::add-mask::docker\n");
    assert_eq!(sandbox.run(&[] as &[&str], &input).stdout, passed);
    assert_eq!(sandbox.run(&["--commands", "none"], &input).stdout, input);
}

#[test]
fn a_command_deep_in_a_large_input_is_followed_on_every_thread() {
    let sandbox = Sandbox::new();
    let line = format!("nothing to see here, {VALUE} or so\n");
    let before = line.repeat(60_000);
    let input = format!("{before}::add-mask::{VALUE}\n{before}");
    let ended = sandbox.run(&["--commands", "github", "--jobs", "3", "--no-default-rules"], &input);
    let after = "nothing to see here, [REDACTED:known-value] or so\n".repeat(60_000);
    assert!(ended.stdout == format!("{before}::add-mask::***\n{after}"));
}

#[cfg(target_os = "linux")]
#[test]
fn the_figures_of_a_run_say_what_guards_its_memory() {
    let sandbox = Sandbox::new();
    let said = |words: &[&str]| {
        let ended = sandbox.run(words, b"x\n");
        assert_eq!(ended.code, 0);
        let row = |name: &str| {
            let line = ended.stderr.lines().find(|line| line.contains(name)).unwrap_or_default();
            line.split_once(name).unwrap_or_default().1.trim().to_owned()
        };
        (row("memory dumps"), row("sandbox"))
    };
    let none = || "none".to_owned();
    assert_eq!(said(&["--stats"]), ("off".to_owned(), none()));
    // A process that is to open its own descriptors by their names must stay open to itself.
    assert_eq!(said(&["--stats", "/dev/stdin"]), ("no core files".to_owned(), none()));
    assert_eq!(said(&["run", "--stats", "--", "true"]), ("off".to_owned(), none()));
}

#[cfg(target_os = "linux")]
#[test]
fn no_core_file_is_written() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&[] as &[&str]);
    let mut child = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    input.write_all(b"x\n").unwrap();
    // Once a line has come out, all is set up.
    BufReader::new(output).read_line(&mut String::new()).unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    drop(input);
    assert!(child.wait().unwrap().success());
}
