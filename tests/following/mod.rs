//! Runs `blackbar tail` on files that the test writes. Does not look into the library.

// Each test binary that shares this file uses a part of it.
#![allow(dead_code)]

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::command::{SECRET, Sandbox};

/// A `tail` that runs. It is killed when the test ends, however that ends.
pub struct Tail {
    /// The process.
    pub child: Child,
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
    pub fn start(sandbox: &Sandbox, arguments: &[&str]) -> Tail {
        let first = ["--no-default-rules", "--rules", "acme.toml"];
        Tail::with_all_rules(sandbox, &[&first, arguments].concat())
    }

    /// The same with the rules that everybody has.
    pub fn with_all_rules(sandbox: &Sandbox, arguments: &[&str]) -> Tail {
        let all = [&["tail"], arguments].concat();
        Tail::spawn(sandbox, sandbox.command(&all))
    }

    fn spawn(sandbox: &Sandbox, mut command: Command) -> Tail {
        let open = |name: &str| OpenOptions::new().create(true).append(true).open(sandbox.path(name)).unwrap();
        command.stdin(Stdio::null()).stdout(open("out")).stderr(open("err"));
        Tail { child: command.spawn().unwrap() }
    }

    /// Starts a command line of the program with a bound on the files that are open.
    pub fn with_descriptors(sandbox: &Sandbox, most: u32, arguments: &[&str]) -> Tail {
        let program = sandbox.command(arguments);
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(format!("ulimit -n {most} && exec \"$0\" \"$@\""));
        command.arg(program.get_program()).args(program.get_args());
        command.current_dir(sandbox.path("")).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Tail::spawn(sandbox, command)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it by SIGTERM. Its exit code.
    pub fn stop(mut self) -> i32 {
        self.signal(rustix::process::Signal::TERM);
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Waits until something holds; a test that waits for too long fails.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What it has written.
pub fn out(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path("out")).unwrap_or_default()
}

/// Whether a file holds a text.
pub fn has(sandbox: &Sandbox, file: &str, text: &str) -> bool {
    fs::read_to_string(sandbox.path(file)).is_ok_and(|all| all.contains(text))
}

/// Appends to a file, and makes it if need be.
pub fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// A numbered line with a secret.
pub fn line(number: usize) -> String {
    format!("line {number:06} token {SECRET} end\n")
}

/// What becomes of it.
pub fn masked(number: usize) -> String {
    line(number).replace(SECRET, "[REDACTED:acme-token]")
}

/// What becomes of lines.
pub fn masked_lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(masked).collect()
}

/// No planted secret, whole or in a piece, in anything that was written.
pub fn no_leak(folder: &Path) {
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

/// Lines as they are written.
pub fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(line).collect()
}
