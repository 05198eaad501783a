//! Runs the built binary in a home of its own, as a user would. Does not look into the library.

// Each test binary that shares this file uses a part of it.
#![allow(dead_code)]

pub mod schema;

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What must never be printed, written where a value goes.
pub const CANARY: &str = "Canary7f3eQ9";

/// A secret of the rule in [`RULES`].
pub const SECRET: &str = "acme_0123456789abcdef0123";

/// Another one.
pub const OTHER: &str = "acme_fedcba98765432100123";

/// A rule file whose hits depend on nothing but its pattern.
pub const RULES: &str = r#"[[rule]]
id = "acme-token"
name = "Acme token"
severity = "high"
pattern = '''acme_[0-9a-f]{20}'''
rotate = "https://acme.example/tokens"
reference = "https://acme.example/docs"
examples = ["token: acme_{hex:20}", "acme_{hex:20}"]
counterexamples = ["acme_{hex:8}", "acme_words_and_more_words"]
since = "0.1.0"
"#;

/// A folder to work in, with a home that nobody else uses.
pub struct Sandbox {
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
}

/// How a run ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; -1 for a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    /// All that was printed.
    pub fn printed(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl Sandbox {
    /// An empty folder with the file `acme.toml` of [`RULES`].
    pub fn new() -> Self {
        let sandbox = Self { dir: tempfile::tempdir().expect("a folder"), env: Vec::new() };
        sandbox.write("acme.toml", RULES);
        sandbox
    }

    /// Sets a variable for the runs to come.
    pub fn set(&mut self, name: &str, value: impl AsRef<str>) -> &mut Self {
        self.env.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("folders");
        fs::write(&path, text).expect("a file");
        path
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a readable file")
    }

    /// The command with these arguments, in the folder, without anything of our own environment.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blackbar"));
        command.args(arguments).current_dir(self.dir.path()).env_clear();
        command.env("HOME", self.dir.path().join("home"));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it on `input`.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S], input: impl AsRef<[u8]>) -> Ended {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the built binary runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A command that does not read its input closes it; that is no failure of the test.
        let input = input.as_ref().to_vec();
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("the writer ends");
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        }
    }

    /// Runs it with the rule of [`RULES`] and no other.
    pub fn acme<S: AsRef<OsStr>>(&self, arguments: &[S], input: impl AsRef<[u8]>) -> Ended {
        let first = ["--no-default-rules", "--rules", "acme.toml"].map(OsStr::new);
        let all: Vec<&OsStr> = first.into_iter().chain(arguments.iter().map(AsRef::as_ref)).collect();
        self.run(&all, input)
    }
}

/// Whether a text could do something to a terminal, newlines aside.
pub fn misleads(text: &str) -> bool {
    text.replace('\n', "").contains(blackbar::escape::misleads)
}

/// The names in a folder; empty if there is none.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}
