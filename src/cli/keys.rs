//! The table of settings: one row makes the option, its environment variable, its key in
//! `blackbar.toml`, its place in the help, and the errors about it. Does not hold any setting's
//! value.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// One setting.
pub struct Key {
    /// The long option without dashes, and the key in the file.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What stands for the value in the help.
    pub value: &'static str,
    /// One line for the help.
    pub help: &'static str,
    /// The heading it stands under.
    pub heading: &'static str,
}

/// What values a setting takes.
#[derive(Clone, Copy)]
pub enum Kind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// On or off; as an option it has no value.
    Switch,
    /// A whole number between these two.
    Number(u64, u64),
    /// Words, separated by commas or given in several options.
    Words,
    /// As [`Kind::Words`]; an option without them means [`DEFAULT`].
    Patterns,
    /// A file.
    Path,
    /// Files, one an option.
    Paths,
    /// Any text.
    Text,
    /// A name and a value, one an option.
    Pairs,
}

/// A setting's value, checked to be of its kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of [`Kind::Choice`].
    Word(&'static str),
    /// Of [`Kind::Switch`].
    Switch(bool),
    /// Of [`Kind::Number`].
    Number(u64),
    /// Of [`Kind::Words`] and [`Kind::Patterns`].
    Words(Vec<String>),
    /// Of [`Kind::Path`] and [`Kind::Paths`].
    Paths(Vec<PathBuf>),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Pairs`].
    Pairs(BTreeMap<String, String>),
}

const MASKING: &str = "Masking";
const KNOWN: &str = "Known values";
const RULES: &str = "Rules";
const FINDINGS: &str = "Findings";
const FILES: &str = "Files";
const RUNNING: &str = "Running";

const CONFIDENCES: Kind = Kind::Choice(&["low", "medium", "high", "certain"]);
const SEVERITIES: Kind = Kind::Choice(&["low", "medium", "high", "critical"]);

/// The name of the option that says which file to read. It is not a key of the file itself, but
/// can be locked.
pub const CONFIG: &str = "config";

/// What [`Kind::Patterns`] are if none are named.
pub const DEFAULT: &str = "default";

/// The variable that holds the key of fingerprints. It is a secret, so it has no option.
pub const FINGERPRINT_KEY_VARIABLE: &str = "BLACKBAR_FINGERPRINT_KEY";

/// Every setting, in the order of the help.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    row("mode", Kind::Choice(&["redact", "alert"]), "MODE", MASKING, "redact (default), or alert: pass all bytes, report only"),
    row("style", Kind::Choice(&["label", "hash", "length", "fixed"]), "STYLE", MASKING, "What masks look like: label (default), hash, length, fixed"),
    row("replacement", Kind::Text, "TEXT", MASKING, "Write TEXT as the mask; {rule} and {hash} are filled in"),
    row("mask-confidence", CONFIDENCES, "LEVEL", MASKING, "Mask from here on: low (default), medium, high, certain"),
    row("on-error", Kind::Choice(&["withhold", "stop", "pass"]), "WHAT", MASKING, "stop (default), withhold (default in run, tail), pass"),
    row("secret-env", Kind::Patterns, "GLOB,...", KNOWN, "Mask values of variables [GLOB: what sounds secret]"),
    row("no-secret-env", Kind::Switch, "", KNOWN, "Mask no values of variables"),
    row("secret-file", Kind::Paths, "FILE", KNOWN, "Mask the values in FILE: JSON, lines, or a folder"),
    row("secret-fd", Kind::Number(0, 65535), "N", KNOWN, "Mask the values that can be read from descriptor N"),
    row("secret-min-length", Kind::Number(1, 4096), "N", KNOWN, "The shortest value to mask [default: 6]"),
    row("secret-weak", Kind::Switch, "", KNOWN, "Mask short and common values, too"),
    row("commands", Kind::Choice(&["auto", "github", "none"]), "WHICH", KNOWN, "Follow ::add-mask::VALUE: auto (default), github, none"),
    row("rules", Kind::Paths, "FILE", RULES, "Add the rules of FILE (repeatable)"),
    row("no-default-rules", Kind::Switch, "", RULES, "Leave out all rules that are built in"),
    row("only", Kind::Words, "ID,...", RULES, "Use these rules and no others"),
    row("enable", Kind::Words, "ID,...", RULES, "Add rules that are off by default"),
    row("disable", Kind::Words, "ID,...", RULES, "Leave out these rules"),
    row("allow", Kind::Paths, "FILE", FINDINGS, "Allow what FILE lists: masked, but told to nobody"),
    row("baseline", Kind::Paths, "FILE", FINDINGS, "The findings in FILE are known: told to nobody"),
    row("entropy", Kind::Choice(&["off", "keyed", "all"]), "WHERE", RULES, "Look for random values: off, keyed (default), all"),
    row("findings", Kind::Path, "FILE", FINDINGS, "Append findings to FILE, a JSON object a line"),
    row("report", Kind::Pairs, "FORMAT=FILE", FINDINGS, "At the end, a report: json, sarif, gitlab or csv"),
    row("fail-on", SEVERITIES, "SEVERITY", FINDINGS, "Fail if a finding is this bad: low, medium, high, critical"),
    row("exit-code", Kind::Number(0, 255), "N", FINDINGS, "Exit with N if --fail-on is reached [default: 1]"),
    row("alert-confidence", CONFIDENCES, "LEVEL", FINDINGS, "How sure a finding must be for --fail-on [default: high]"),
    row("fingerprint-key-file", Kind::Path, "FILE", FINDINGS, "The key of fingerprints, 16 bytes or more"),
    row("source", Kind::Text, "NAME", FINDINGS, "What this stream is called in findings"),
    row("label", Kind::Pairs, "NAME=VALUE", FINDINGS, "Add a label to findings (repeatable)"),
    row("exclude", Kind::Words, "GLOB", FILES, "Leave out files and folders: a name, or a path"),
    row("max-size", Kind::Text, "SIZE", FILES, "Leave out larger files: 500K, 20M, 1G"),
    row("since", Kind::Text, "TIME", FILES, "Only lines from then on: 2h, 7d, a date, RFC 3339"),
    row("until", Kind::Text, "TIME", FILES, "Only lines up to then"),
    row("binary", Kind::Switch, "", FILES, "Read files that are no text, too"),
    row("out", Kind::Path, "DIR", FILES, "Write masked files of the same names below DIR"),
    row("in-place", Kind::Switch, "", FILES, "Write masked files in the place of those with secrets"),
    row("force", Kind::Switch, "", FILES, "Write even what others may be writing, or have written"),
    row("files-with-findings", Kind::Switch, "", FILES, "Print only the paths of files with findings"),
    row("null", Kind::Switch, "", FILES, "With -l: a NUL behind each path, for xargs -0"),
    row("out-file-size", Kind::Number(1, 1 << 20), "MIB", FILES, "Rotate a file of --out at this size [default: 64]"),
    row("out-total-size", Kind::Number(1, 1 << 30), "MIB", FILES, "All files of --out; the oldest go [default: 1024]"),
    row("state", Kind::Path, "DIR", FILES, "Keep in DIR how far files were written, for a restart"),
    row("from", Kind::Choice(&["start", "end", "checkpoint"]), "WHERE", FILES, "Read from: checkpoint (default), start, end"),
    row("root", Kind::Paths, "DIR", FILES, "Symbolic links may lead below DIR (repeatable)"),
    row("format", Kind::Choice(&["auto", "plain", "cri", "docker"]), "FORMAT", FILES, "How lines are wrapped: auto (default), plain, cri, docker"),
    row("output", Kind::Choice(&["text", "ndjson"]), "FORMAT", FILES, "What is written: text (default), ndjson"),
    row("flush-after", Kind::Number(0, 3_600_000), "MS", RUNNING, "Show an unfinished line after MS [default: 50]"),
    row("jobs", Kind::Number(0, 256), "N", RUNNING, "Threads that scan; 0 chooses by itself [default: 0]"),
    row("no-pty", Kind::Switch, "", RUNNING, "Pipes, even where there is a terminal"),
    row("drain-timeout", Kind::Number(0, 86_400), "S", RUNNING, "How long the end may take, or late output [default: 5]"),
    row("confirm", Kind::Path, "FILE", RUNNING, "Append to FILE, and say OK to each line, as rsyslog wants"),
    row("metrics", Kind::Text, "ADDR", RUNNING, "Serve metrics and health at IP:PORT, or PORT of 127.0.0.1"),
    row("stats", Kind::Switch, "", RUNNING, "Print figures of the run at the end"),
    row("quiet", Kind::Switch, "", RUNNING, "Print no summary"),
    row("color", Kind::Choice(&["auto", "always", "never"]), "WHEN", RUNNING, "auto (default), always, never"),
    row("progress", Kind::Choice(&["auto", "always", "never"]), "WHEN", RUNNING, "auto (default), always, never"),
    row("log-format", Kind::Choice(&["text", "json"]), "FORMAT", RUNNING, "blackbar's own messages: text (default), json"),
];

/// What only `run` takes.
pub const RUN_KEYS: &[&str] = &["no-pty"];

/// What only `scan` takes.
pub const SCAN_KEYS: &[&str] = &[
    "exclude",
    "max-size",
    "since",
    "until",
    "binary",
    "in-place",
    "force",
    "files-with-findings",
    "null",
    "progress",
];

/// What `scan` and `tail` take.
const OUT_KEYS: &[&str] = &["out"];

/// What only `tail` takes.
pub const TAIL_KEYS: &[&str] = &["out-file-size", "out-total-size", "state", "from", "root", "format", "output"];

/// What speaks of a stream that goes on to somebody, which a scan has not.
const STREAM_KEYS: &[&str] = &["mode", "on-error", "commands", "flush-after", "drain-timeout", "metrics"];

/// What only filters of standard input take.
const INPUT_KEYS: &[&str] = &["confirm"];

/// What speaks of an end with a verdict, and of several threads, which a `tail` has not.
const END_KEYS: &[&str] = &["no-pty", "jobs", "fail-on", "exit-code"];

/// What filters of files and standard input take.
pub fn redact_keys() -> Vec<&'static str> {
    all_but(&[RUN_KEYS, SCAN_KEYS, OUT_KEYS, TAIL_KEYS])
}

/// What `run` takes.
pub fn run_keys() -> Vec<&'static str> {
    all_but(&[SCAN_KEYS, INPUT_KEYS, OUT_KEYS, TAIL_KEYS])
}

/// What `scan` takes.
pub fn scan_keys() -> Vec<&'static str> {
    all_but(&[RUN_KEYS, STREAM_KEYS, INPUT_KEYS, TAIL_KEYS])
}

/// What `tail` takes.
pub fn tail_keys() -> Vec<&'static str> {
    all_but(&[SCAN_KEYS, INPUT_KEYS, END_KEYS])
}

fn all_but(left_out: &[&[&str]]) -> Vec<&'static str> {
    KEYS.iter().map(|key| key.name).filter(|name| !left_out.iter().any(|list| list.contains(name))).collect()
}

/// The variables that hold secrets of our own. A command that we run does not get them.
pub const SECRET_VARIABLES: &[&str] = &[FINGERPRINT_KEY_VARIABLE];

/// What `explain` and the like need to build the same engine.
pub const ENGINE_KEYS: &[&str] = &[
    "style",
    "replacement",
    "mask-confidence",
    "rules",
    "no-default-rules",
    "only",
    "enable",
    "disable",
    "entropy",
    "allow",
    "baseline",
    "fingerprint-key-file",
    "secret-env",
    "no-secret-env",
    "secret-file",
    "secret-fd",
    "secret-min-length",
    "secret-weak",
    "color",
    "log-format",
];

/// What the `rules` commands need to know which rules are meant.
pub const RULE_KEYS: &[&str] = &["rules", "no-default-rules", "only", "enable", "disable", "color", "log-format"];

/// What every command takes that has something to say.
pub const MESSAGE_KEYS: &[&str] = &["color", "log-format"];

const fn row(name: &'static str, kind: Kind, value: &'static str, heading: &'static str, help: &'static str) -> Key {
    Key { name, kind, value, help, heading }
}

/// The row of this name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

impl Key {
    /// The environment variable: `BLACKBAR_FAIL_ON` for `fail-on`.
    pub fn variable(&self) -> String {
        variable(self.name)
    }

    /// What is allowed, in words, to be put after the name.
    pub fn allowed(&self) -> String {
        match self.kind {
            Kind::Choice(words) => format!("must be one of {}", words.join(", ")),
            Kind::Switch => "must be true or false".to_owned(),
            Kind::Number(least, most) => format!("must be a whole number from {least} to {most}"),
            Kind::Words | Kind::Patterns => "must be words, separated by commas".to_owned(),
            Kind::Path => "must be a file".to_owned(),
            Kind::Paths => "must be files".to_owned(),
            Kind::Text => "must be text".to_owned(),
            Kind::Pairs => "must be NAME=VALUE".to_owned(),
        }
    }

    /// Reads the values given by options or by the variable. `None` if one is not allowed.
    pub fn read(&self, given: &[OsString]) -> Option<Value> {
        let last = given.last()?;
        match self.kind {
            Kind::Choice(_) | Kind::Number(..) => self.read_text(last.to_str()?),
            Kind::Switch => switch(last).map(Value::Switch),
            Kind::Words | Kind::Patterns => {
                let texts: Option<Vec<&str>> = given.iter().map(|text| text.to_str()).collect();
                Some(Value::Words(texts?.into_iter().flat_map(words).collect()))
            }
            Kind::Path => Some(Value::Paths(vec![last.into()])),
            Kind::Paths => Some(Value::Paths(given.iter().map(PathBuf::from).collect())),
            Kind::Text => Some(Value::Text(last.to_str()?.to_owned())),
            Kind::Pairs => {
                let pair = |text: &OsString| pair(text.to_str()?);
                given.iter().map(pair).collect::<Option<_>>().map(Value::Pairs)
            }
        }
    }

    /// Reads the variable's text: several files stand in it as in `PATH`, several labels with
    /// commas between.
    pub fn read_variable(&self, text: &OsStr) -> Option<Value> {
        let given: Vec<OsString> = match self.kind {
            Kind::Paths => std::env::split_paths(text).map(OsString::from).collect(),
            Kind::Pairs => words(text.to_str()?).map(OsString::from).collect(),
            _ => vec![text.to_owned()],
        };
        self.read(&given)
    }

    /// Reads a single word or number.
    pub fn read_text(&self, text: &str) -> Option<Value> {
        match self.kind {
            Kind::Choice(words) => words.iter().find(|word| **word == text).map(|word| Value::Word(word)),
            Kind::Number(least, most) => {
                let number = text.parse().ok().filter(|number| (least..=most).contains(number));
                number.map(Value::Number)
            }
            _ => None,
        }
    }
}

/// The environment variable of the option `name`.
pub fn variable(name: &str) -> String {
    format!("BLACKBAR_{}", name.to_uppercase().replace('-', "_"))
}

fn switch(text: &OsStr) -> Option<bool> {
    match text.to_str()?.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// The words of a list with commas, without the empty ones.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned)
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_keys_name_rows_of_the_table() {
        let lists =
            [ENGINE_KEYS, RULE_KEYS, RUN_KEYS, SCAN_KEYS, STREAM_KEYS, INPUT_KEYS, OUT_KEYS, TAIL_KEYS, END_KEYS];
        for name in lists.into_iter().flatten() {
            assert!(find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn every_help_is_one_short_line() {
        for key in KEYS {
            assert!(key.help.len() <= 58 && !key.help.ends_with('.'), "{}: {}", key.name, key.help.len());
        }
    }

    #[test]
    fn variables_are_read_like_options() {
        let read = |name: &str, text: &str| find(name).and_then(|key| key.read_variable(text.as_ref()));
        assert_eq!(read("mode", "alert"), Some(Value::Word("alert")));
        assert_eq!(read("mode", "Alert"), None);
        assert_eq!(read("quiet", "1"), Some(Value::Switch(true)));
        assert_eq!(read("quiet", "FALSE"), Some(Value::Switch(false)));
        assert_eq!(read("quiet", "perhaps"), None);
        assert_eq!(read("exit-code", "256"), None);
        assert_eq!(read("only", "a, b,,c"), Some(Value::Words(["a", "b", "c"].map(str::to_owned).into())));
        assert_eq!(read("label", "team"), None);
        #[cfg(unix)]
        assert_eq!(read("rules", "a.toml:b.toml"), Some(Value::Paths(vec!["a.toml".into(), "b.toml".into()])));
    }
}
