//! Holds the files of `deploy/ci` to what their README says, as far as a machine without those CI
//! systems can. What a test needs and does not find it names, and skips.

#![cfg(unix)]

mod command;

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use command::{OTHER, SECRET, Sandbox};
use yaml_rust2::{Yaml, YamlLoader};

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/ci").join(name)
}

fn yaml(name: &str) -> Yaml {
    let text = fs::read_to_string(deploy(name)).expect(name);
    let mut documents = YamlLoader::load_from_str(&text).expect(name);
    assert_eq!(documents.len(), 1, "{name}");
    documents.remove(0)
}

/// A sandbox whose folder `bin` has blackbar, with the one rule, and what else the test puts there.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_blackbar"), sandbox.path("bin/blackbar")).unwrap();
    sandbox
}

fn script(sandbox: &Sandbox, name: &str, text: &str) {
    let path = sandbox.write(name, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn start(sandbox: &Sandbox, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    let path = std::env::var("PATH").unwrap_or_default();
    command.current_dir(sandbox.path("")).env_clear().env("HOME", sandbox.path("home"));
    command.env("PATH", format!("{}:{path}", sandbox.path("bin").display()));
    command.env("BLACKBAR_RULES", "acme.toml").env("BLACKBAR_NO_DEFAULT_RULES", "1").env("BLACKBAR_QUIET", "1");
    command.env("TMPDIR", sandbox.path("")).stdin(Stdio::null());
    command
}

fn there_is(program: &str) -> bool {
    let there = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    let there = there.is_ok_and(|status| status.success());
    if !there {
        println!("skipped: there is no {program} here");
    }
    there
}

fn text(output: &Output) -> (String, Option<i32>) {
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
}

fn only(yaml: &Yaml, keys: &[&str]) {
    for key in yaml.as_hash().unwrap().keys() {
        assert!(keys.contains(&key.as_str().unwrap()), "{key:?}");
    }
}

#[test]
fn all_yaml_is_yaml_and_says_what_the_systems_look_for() {
    for action in ["github/action.yml", "github/annotate/action.yml"] {
        let action = yaml(action);
        // The keys of GitHub's schema for actions that a composite one may have.
        only(&action, &["name", "author", "description", "inputs", "outputs", "runs", "branding"]);
        only(&action["runs"], &["using", "steps"]);
        for step in action["runs"]["steps"].as_vec().unwrap() {
            let keys = ["run", "shell", "name", "id", "if", "env", "continue-on-error", "working-directory"];
            only(step, &keys);
        }
        for (_, input) in action["inputs"].as_hash().unwrap() {
            only(input, &["description", "required", "default", "deprecationMessage"]);
            assert!(input["description"].as_str().is_some());
        }
        assert!(action["name"].as_str().is_some() && action["description"].as_str().is_some());
        assert_eq!(action["runs"]["using"].as_str(), Some("composite"));
        for step in action["runs"]["steps"].as_vec().unwrap() {
            assert!(step["run"].as_str().is_some() && step["shell"].as_str().is_some());
        }
    }
    let shell = yaml("github/workflow.yml")["defaults"]["run"]["shell"].as_str().unwrap().to_owned();
    assert_eq!(shell, "blackbar run -- bash -eo pipefail {0}");
    let include = yaml("gitlab/blackbar.gitlab-ci.yml");
    assert_eq!(include[".blackbar"]["before_script"][0].as_str(), Some(". /opt/blackbar/filter.sh"));
    assert_eq!(yaml("jenkins/casc.yml")["unclassified"]["shell"]["shell"].as_str(), Some("/opt/blackbar/sh"));
    assert_eq!(yaml("pre-commit/.pre-commit-hooks.yaml")[0]["language"].as_str(), Some("system"));
    let config: toml::Table = toml::from_str(&fs::read_to_string(deploy("gitlab/config.toml")).unwrap()).unwrap();
    assert!(config["runners"][0]["pre_build_script"].as_str().unwrap().contains("/opt/blackbar/filter.sh"));
}

#[test]
fn the_shell_of_github_steps_masks_and_keeps_commands_and_codes() {
    if !there_is("bash") {
        return;
    }
    let sandbox = sandbox();
    let commands = "::group::build\n::error file=a.c,line=1::bad\n::endgroup::\n";
    sandbox.write("step.sh", format!("printf '{commands}'\necho {SECRET}\nfalse | true\necho not reached\n"));
    let shell = yaml("github/workflow.yml")["defaults"]["run"]["shell"].as_str().unwrap().replace("{0}", "step.sh");
    let words: Vec<&str> = shell.split(' ').collect();
    let output = start(&sandbox, words[0]).args(&words[1..]).output().unwrap();
    assert_eq!(text(&output), (format!("{commands}[REDACTED:acme-token]\n"), Some(1)));
}

#[test]
fn the_bash_of_a_runner_filters_steps_and_nothing_else() {
    if !there_is("bash") {
        return;
    }
    let sandbox = sandbox();
    symlink(deploy("github/bash"), sandbox.path("bin/bash")).unwrap();
    sandbox.write("temp/step.sh", format!("x=$(bash -c 'echo {SECRET}'); echo ${{#x}} $x"));
    let run = |file: &str| {
        let mut command = start(&sandbox, sandbox.path("bin/bash"));
        command.arg("-e").arg(sandbox.path(file)).env("RUNNER_TEMP", sandbox.path("temp"));
        text(&command.output().unwrap()).0
    };
    assert_eq!(run("temp/step.sh"), format!("{} [REDACTED:acme-token]\n", SECRET.len()));
    sandbox.write("other.sh", format!("echo {SECRET}"));
    assert_eq!(run("other.sh"), format!("{SECRET}\n"));
}

#[test]
fn annotations_stay_within_the_limit_and_the_summary_has_all() {
    if !there_is("python3") {
        return;
    }
    let sandbox = sandbox();
    let log: String = (0..12).map(|n| format!("acme_{n:020x}\n")).collect();
    sandbox.acme(&["--findings", "found"], format!("{log}{SECRET}\n{SECRET}\n{OTHER}|<b>\n"));
    // A run that was killed leaves half a line.
    let found = sandbox.read("found");
    sandbox.write("found", format!("{found}{}", &found[..found.len() / 40]));
    let mut command = start(&sandbox, "python3");
    command.arg(deploy("github/annotate/annotate.py")).arg("found").env("GITHUB_STEP_SUMMARY", sandbox.path("summary"));
    let (annotations, code) = text(&command.output().unwrap());
    assert_eq!((annotations.lines().count(), code), (10, Some(0)), "{annotations}");
    let first =
        "::error title=blackbar::Acme token in the log, 2 times, first at stdin:13, redacted. Rotate it first: ";
    assert!(annotations.starts_with(first), "{annotations}");
    let summary = sandbox.read("summary");
    assert_eq!(summary.lines().filter(|line| line.starts_with("| high |")).count(), 14, "{summary}");
    assert!(!summary.contains(SECRET) && !annotations.contains(SECRET));
}

/// A blackbar that begins late, as on a machine that is busy.
const LATE: &str = "#!/bin/sh\nsleep 1\nexec \"$BLACKBAR\" \"$@\"\n";

#[test]
fn the_filter_of_gitlab_jobs_loses_nothing_where_the_naive_form_does() {
    let sandbox = Sandbox::new();
    script(&sandbox, "bin/blackbar", LATE);
    let job = |shell: &str, filter: &str| {
        let file = fs::File::create(sandbox.path("log")).unwrap();
        let script = format!("{filter}\necho first {SECRET}\necho last >&2\nexit 3");
        let mut command = start(&sandbox, shell);
        command.args(["-c", &script]).env("BLACKBAR", env!("CARGO_BIN_EXE_blackbar"));
        let status = command.stdout(file.try_clone().unwrap()).stderr(file).status().unwrap();
        // What is there when the shell has ended is what the runner has.
        let mut lines: Vec<String> = sandbox.read("log").lines().map(str::to_owned).collect();
        lines.sort();
        (lines, status.code())
    };
    let filter = format!(". {}", deploy("gitlab/filter.sh").display());
    let whole = (vec!["first [REDACTED:acme-token]".to_owned(), "last".to_owned()], Some(3));
    assert_eq!(job("sh", &filter), whole);
    if there_is("bash") {
        assert_eq!(job("bash", &filter), whole);
        assert_eq!(job("bash", "exec > >(blackbar) 2>&1"), (vec![], Some(3)));
    }
}

/// The script that GitLab's runner makes of a job, in bash: the job is in a subshell, at the end of a pipe.
#[test]
fn a_job_as_the_runner_of_gitlab_writes_it_is_filtered_and_ends_as_without() {
    if !there_is("bash") {
        return;
    }
    let sandbox = sandbox();
    let job = |filter: &str| {
        let script = format!(
            "trap exit 1 TERM\nset -eo pipefail\nset +o noclobber\n: | eval $'export CI=true\\n{filter}\\n\
             echo {SECRET}\\necho err {SECRET} >&2\\nbash -c \\'exit 7\\'\\necho not reached\\n'\nexit 0\n"
        );
        let output = start(&sandbox, "bash").args(["-c", &script]).output().unwrap();
        (text(&output).0, String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code())
    };
    let without = job(":");
    assert_eq!(without, (format!("{SECRET}\n"), format!("err {SECRET}\n"), without.2));
    let mask = "[REDACTED:acme-token]";
    let filter = format!("PATH=$PATH:/opt/blackbar; . {}", deploy("gitlab/filter.sh").display());
    assert_eq!(job(&filter), (format!("{mask}\n"), format!("err {mask}\n"), without.2));
    assert_ne!(without.2, Some(0));
}

#[test]
fn a_gitlab_job_is_not_green_if_its_filter_fails_and_not_held_by_what_it_leaves_behind() {
    let sandbox = sandbox();
    let filter = format!(". {}", deploy("gitlab/filter.sh").display());
    let job = |script: &str, variable: (&str, &str)| {
        let mut command = start(&sandbox, "sh");
        command.args(["-c", &format!("{filter}\n{script}")]).env(variable.0, variable.1).output().unwrap()
    };
    // 125, or the signal of a pipe without a reader, if the filter has gone before the job writes.
    let failed = job("echo x", ("BLACKBAR_MODE", "wrong")).status;
    assert!(matches!(failed.code(), Some(125) | None), "{failed}");
    // Without a filter the job does not run.
    let script = format!("PATH=/nowhere\n{filter}\necho x");
    let missing = start(&sandbox, "sh").args(["-c", &script]).output().unwrap();
    assert_eq!(text(&missing), (String::new(), Some(125)));
    let left = job("sleep 20 >&1 & echo $! >pid; echo done", ("BLACKBAR_DRAIN_TIMEOUT", "1"));
    assert_eq!(text(&left), ("done\n".to_owned(), Some(0)));
    let pid = sandbox.read("pid").trim().parse().ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL).unwrap();
}

#[test]
fn the_hook_of_buildkite_runs_the_command_masked_and_tells_the_agent_by_standard_input() {
    if !there_is("bash") {
        return;
    }
    let sandbox = sandbox();
    script(&sandbox, "bin/buildkite-agent", "#!/bin/sh\necho \"$@ $(cat)\" >>told\n");
    let mut command = start(&sandbox, deploy("buildkite/hooks/command"));
    command.env("BUILDKITE_COMMAND", format!("echo $DEPLOY_TOKEN; echo {SECRET}; exit 6"));
    command.env("DEPLOY_TOKEN", "walnut-Kestrel-4711").env("SHORT_TOKEN", "abc").env("OTHER", "not a secret");
    let output = command.output().unwrap();
    assert_eq!(text(&output), ("[REDACTED:known-value]\n[REDACTED:acme-token]\n".to_owned(), Some(6)));
    assert_eq!(sandbox.read("told"), "redactor add walnut-Kestrel-4711\n");
}

/// The hook stands in the place of the agent's own way to run a command, and of its checks.
#[test]
fn the_hook_of_buildkite_runs_what_the_agent_would_run() {
    if !there_is("bash") {
        return;
    }
    let sandbox = sandbox();
    script(&sandbox, "bin/buildkite-agent", "#!/bin/sh\n");
    sandbox.write("checkout/ci/build.sh", format!("#!/bin/sh\necho built {SECRET}\nexit 5\n"));
    sandbox.write("outside.sh", "#!/bin/sh\necho outside\n");
    let hook = |command: &str, evaluates: &str| {
        let mut hook = start(&sandbox, deploy("buildkite/hooks/command"));
        hook.current_dir(sandbox.path("checkout")).env("BUILDKITE_BUILD_CHECKOUT_PATH", sandbox.path("checkout"));
        hook.env("BLACKBAR_RULES", sandbox.path("acme.toml"));
        text(&hook.env("BUILDKITE_COMMAND", command).env("BUILDKITE_COMMAND_EVAL", evaluates).output().unwrap())
    };
    let built = ("built [REDACTED:acme-token]\n".to_owned(), Some(5));
    assert_eq!(hook("ci/build.sh", "true"), built);
    assert_eq!(hook("ci/build.sh", "false"), built);
    // A shell without pipefail, unless the agent says so.
    assert_eq!(hook("false | true\necho on", "true"), ("on\n".to_owned(), Some(0)));
    for command in ["echo on", "../outside.sh", "ci/build.sh; echo on", "/bin/true", ""] {
        assert_eq!(hook(command, "false"), (String::new(), Some(1)), "{command}");
    }
}

#[test]
fn the_shell_of_jenkins_masks_the_log_and_not_what_a_step_returns() {
    let sandbox = sandbox();
    sandbox.write("script.sh", format!("echo {SECRET}; echo err {SECRET} >&2; exit 4"));
    let run = |stdout: &str| {
        let out = fs::File::create(sandbox.path(stdout)).unwrap();
        let mut command = start(&sandbox, deploy("jenkins/sh"));
        let output = command.args(["-e", "script.sh"]).stdout(out).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(4));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "err [REDACTED:acme-token]\n");
        sandbox.read(stdout)
    };
    assert_eq!(run("jenkins-log.txt"), "[REDACTED:acme-token]\n");
    if Path::new("/proc/self/fd").exists() {
        assert_eq!(run("output.txt"), format!("{SECRET}\n"));
    }
}

#[test]
fn a_makefile_beside_ours_is_made_under_blackbar() {
    if !there_is("make") {
        return;
    }
    let sandbox = sandbox();
    sandbox.write("Makefile", format!("all: ; @echo all {SECRET}\nother: ; @echo other {SECRET}; exit 1\n"));
    fs::copy(deploy("make/GNUmakefile"), sandbox.path("GNUmakefile")).unwrap();
    let made = |goals: &[&str]| text(&start(&sandbox, "make").args(goals).output().unwrap());
    assert_eq!(made(&[]), ("all [REDACTED:acme-token]\n".to_owned(), Some(0)));
    assert_eq!(made(&["other"]), ("other [REDACTED:acme-token]\n".to_owned(), Some(2)));
}

#[test]
fn the_hook_of_pre_commit_fails_on_a_secret_and_changes_nothing() {
    let sandbox = sandbox();
    let entry = yaml("pre-commit/.pre-commit-hooks.yaml")[0]["entry"].as_str().unwrap().to_owned();
    sandbox.write("clean", "x\n");
    sandbox.write("dirty", format!("{SECRET}\n"));
    sandbox.write("--mode", "x\n");
    let code =
        |files: &str| start(&sandbox, "sh").args(["-c", &format!("{entry} {files}")]).output().unwrap().status.code();
    assert_eq!((code("clean --mode"), code("clean dirty")), (Some(0), Some(1)));
    assert_eq!(sandbox.read("dirty"), format!("{SECRET}\n"));
}
