//! Turns the table of settings into the command line. Does not interpret values: they are read
//! like those of the environment, with errors in our own words.

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Arg, ArgAction, ArgMatches, Command, ValueHint,
    builder::{OsStringValueParser, PossibleValuesParser},
};
use clap_complete::Shell;

use super::{
    config::{Given, Layer, Origin},
    exit::Failure,
    keys::{self, CONFIG, DEFAULT, ENGINE_KEYS, KEYS, Key, Kind, MESSAGE_KEYS, RULE_KEYS},
};

const ABOUT: &str = "Masks secrets in logs, as they stream";

const USAGE: &str = "blackbar [OPTIONS] [FILE]...\n       blackbar COMMAND ...";

const NOTES: &str = "\
Every option has a variable (BLACKBAR_FAIL_ON for --fail-on) and, but for --config, a key in
blackbar.toml. Options win over variables, and variables over the file.

Exit codes: 0 done, 1 findings reached --fail-on, 2 wrong usage or configuration, 3 failure.";

const RUN_NOTES: &str = "\
In a terminal CMD gets a terminal of its own, else a pipe for each output.

Exit codes: CMD's own, or 128 and the number of the signal that ended it; 125 if blackbar failed,
126 if CMD cannot be executed, 127 if there is none. --fail-on changes only a 0.";

const SCAN_NOTES: &str = "\
gzip, zstd, bzip2, xz, zip and tar are opened, also inside each other. Symbolic links inside folders
are not followed.

Exit codes: 0 nothing found, 1 findings (with --fail-on: that are this bad), 2 wrong usage or
configuration, 3 something could not be read.";

const TAIL_NOTES: &str = "\
SIGTERM and SIGINT write what has arrived and end, a second one ends at once; SIGHUP reads rules,
allow files and files of values again, as a change of them does. Without --state nothing is
remembered.

Exit codes: 0 ended by a signal, 2 wrong usage or configuration, 3 failure, 141 the output was
closed.";

/// What to type first.
pub const EXAMPLES: &str = "\
make test 2>&1 | blackbar                    mask a build's output as it comes
blackbar run -- make test                    the same, with make's exit code
blackbar build.log > clean.log               mask a file
blackbar tail /var/log/app/*.log             follow files across rotation
blackbar --mode alert --fail-on high x.log   pass all bytes, fail if there are secrets
blackbar scan /var/log                       which secrets are in old logs, and since when
grep token x.log | blackbar explain          why a line is masked, or is not";

/// The whole command line.
pub fn command() -> Command {
    let version =
        Arg::new("version").short('V').long("version").action(ArgAction::SetTrue).help("Print version and rules");
    with_redact_options(Command::new("blackbar"))
        .about(ABOUT)
        .override_usage(USAGE)
        .after_help(format!("{NOTES}\n\nExamples:\n  {}", EXAMPLES.replace('\n', "\n  ")))
        .arg(version)
        .args_conflicts_with_subcommands(true)
        .subcommand_help_heading("Commands")
        .subcommand_value_name("COMMAND")
        .subcommand(
            with_redact_options(Command::new("redact"))
                .about("Mask secrets in files or standard input (what blackbar does without a command)"),
        )
        .subcommands(RUN.then(run))
        .subcommand(scan())
        .subcommands(RUN.then(tail))
        .subcommands(RUN.then(secret))
        .subcommand(
            with_options(Command::new("explain"), ENGINE_KEYS)
                .about("Say of lines on standard input what is masked in them, and why"),
        )
        .subcommand(rules())
        .subcommand(
            Command::new("completions").about("Print completions for a shell").arg(
                Arg::new("shell")
                    .value_name("SHELL")
                    .required(true)
                    .value_parser(clap::value_parser!(Shell))
                    .help("The shell"),
            ),
        )
        .subcommand(Command::new("man").about("Print the manual page"))
}

/// Whether there are commands here that need processes as Unix has them.
const RUN: bool = cfg!(unix);

fn run() -> Command {
    with_options(Command::new("run"), &keys::run_keys())
        .about("Run a command and mask what it writes; exits with its code")
        .override_usage("blackbar run [OPTIONS] -- CMD [ARG]...")
        .after_help(RUN_NOTES)
        .arg(
            Arg::new("command")
                .value_name("CMD")
                .required(true)
                .num_args(1..)
                .last(true)
                .value_parser(OsStringValueParser::new())
                .value_hint(ValueHint::CommandWithArguments)
                .help("The command and its arguments"),
        )
}

fn scan() -> Command {
    with_options(Command::new("scan"), &keys::scan_keys())
        .about("Say which secrets are in files, folders and archives, and where")
        .override_usage("blackbar scan [OPTIONS] PATH...")
        .after_help(SCAN_NOTES)
        .arg(
            Arg::new("path")
                .value_name("PATH")
                .required(true)
                .num_args(1..)
                .value_parser(OsStringValueParser::new())
                .value_hint(ValueHint::AnyPath)
                .help("Files, folders and globs; - is standard input"),
        )
}

fn tail() -> Command {
    with_options(Command::new("tail"), &keys::tail_keys())
        .about("Follow log files across rotation, and write them masked")
        .override_usage("blackbar tail [OPTIONS] PATH...")
        .after_help(TAIL_NOTES)
        .arg(
            Arg::new("path")
                .value_name("PATH")
                .required(true)
                .num_args(1..)
                .value_parser(OsStringValueParser::new())
                .value_hint(ValueHint::AnyPath)
                .help("A file, a folder with all below it, or a pattern with *, ? and **"),
        )
}

fn secret() -> Command {
    Command::new("secret")
        .about("Tell the run around this process what to mask")
        .subcommand_required(true)
        .subcommand_value_name("COMMAND")
        .disable_help_subcommand(true)
        .subcommand(
            with_options(Command::new("add"), MESSAGE_KEYS)
                .about("Mask a value from now on: that of the variable NAME, or standard input")
                .arg(
                    Arg::new("name")
                        .value_name("NAME")
                        .value_parser(OsStringValueParser::new())
                        .help("The variable that holds the value; - or nothing for standard input"),
                ),
        )
}

fn rules() -> Command {
    let file =
        || Arg::new("file").value_name("FILE").value_parser(OsStringValueParser::new()).value_hint(ValueHint::FilePath);
    let with = |name: &'static str| with_options(Command::new(name), RULE_KEYS);
    Command::new("rules")
        .about("List, show, check, test and compare rules")
        .subcommand_required(true)
        .subcommand_value_name("COMMAND")
        .disable_help_subcommand(true)
        .subcommand(
            with("list")
                .about("List the rules by family")
                .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print a JSON object a line")),
        )
        .subcommand(
            with("show")
                .about("Show all of a rule")
                .arg(Arg::new("id").value_name("ID").required(true).help("The rule's id")),
        )
        .subcommand(
            with("check")
                .about("Check rules: patterns, overlaps, speed, examples")
                .arg(file().help("A rule file; without it, the rules in force")),
        )
        .subcommand(
            with("test")
                .about("Run every example of the rules through the filter")
                .arg(file().help("A rule file; without it, the rules in force")),
        )
        .subcommand(
            with_options(Command::new("diff"), MESSAGE_KEYS)
                .about("Say which rules were added, removed and changed")
                .override_usage("blackbar rules diff FILE\n       blackbar rules diff OLD NEW")
                .arg(
                    file().required(true).num_args(1..=2).help("From blackbar's own rules to FILE, or from OLD to NEW"),
                ),
        )
}

fn with_redact_options(command: Command) -> Command {
    with_options(command, &keys::redact_keys()).arg(
        Arg::new("file")
            .value_name("FILE")
            .num_args(0..)
            .value_parser(OsStringValueParser::new())
            .value_hint(ValueHint::FilePath)
            .help("What to read, in this order; - is standard input"),
    )
}

fn with_options(command: Command, names: &[&str]) -> Command {
    let keys = KEYS.iter().filter(|key| names.contains(&key.name));
    command.args_override_self(true).args(keys.map(option)).arg(
        Arg::new(CONFIG)
            .long(CONFIG)
            .value_name("FILE")
            .value_parser(OsStringValueParser::new())
            .value_hint(ValueHint::FilePath)
            .help_heading("Running")
            .help("Read settings from FILE instead of the usual places"),
    )
}

fn option(key: &'static Key) -> Arg {
    let mut arg = Arg::new(key.name).long(key.name).help(key.help).help_heading(key.heading);
    if let Some((_, short)) = SHORT.iter().find(|(name, _)| *name == key.name) {
        arg = arg.short(*short);
    }
    match key.kind {
        Kind::Switch => arg.action(ArgAction::SetTrue),
        Kind::Choice(words) => {
            arg.value_name(key.value).value_parser(PossibleValuesParser::new(words)).hide_possible_values(true)
        }
        Kind::Words | Kind::Pairs => {
            arg.value_name(key.value).action(ArgAction::Append).value_parser(OsStringValueParser::new())
        }
        Kind::Patterns => arg
            .value_name(key.value)
            .action(ArgAction::Append)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value(DEFAULT)
            .value_parser(OsStringValueParser::new()),
        Kind::Paths => arg
            .value_name(key.value)
            .action(ArgAction::Append)
            .value_parser(OsStringValueParser::new())
            .value_hint(ValueHint::FilePath),
        Kind::Path => {
            arg.value_name(key.value).value_parser(OsStringValueParser::new()).value_hint(ValueHint::FilePath)
        }
        Kind::Number(..) | Kind::Text => arg.value_name(key.value).value_parser(OsStringValueParser::new()),
    }
}

/// Options of one letter, as `grep` has them.
const SHORT: &[(&str, char)] = &[("files-with-findings", 'l'), ("null", '0')];

/// The settings given as options.
///
/// # Errors
/// A value that is not allowed; the message names the option and what is allowed.
pub fn options(names: &[&'static str], matches: &ArgMatches) -> Result<Layer, Failure> {
    let mut layer = Layer::new();
    for key in names.iter().filter_map(|name| keys::find(name)) {
        if matches.value_source(key.name) != Some(clap::parser::ValueSource::CommandLine) {
            continue;
        }
        let given: Vec<OsString> = match key.kind {
            Kind::Switch => vec!["true".into()],
            _ => matches.get_raw(key.name).unwrap_or_default().map(OsString::from).collect(),
        };
        let Some(value) = key.read(&given) else {
            return Err(Failure::usage(format!("--{} {}", key.name, key.allowed())));
        };
        layer.insert(key.name, Given { value, origin: Origin::Option });
    }
    Ok(layer)
}

/// The file named by `--config`.
pub fn config_option(matches: &ArgMatches) -> Option<PathBuf> {
    matches.get_one::<OsString>(CONFIG).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn the_help_fits_a_page_of_one_hundred_columns() {
        let help = command().term_width(100).render_help().to_string();
        assert!(help.lines().all(|line| line.chars().count() <= 102), "{help}");
    }
}
