//! The command line: one file a command, and what they share. Handles no bytes of logs: those go
//! from the library's sources to its sinks.

mod args;
mod completions;
mod config;
mod console;
mod exit;
mod explain;
mod files;
mod guard;
mod job;
mod keys;
mod man;
mod output;
mod progress;
mod redact;
mod rules;
mod rules_diff;
#[cfg(unix)]
mod run;
mod scan;
#[cfg(unix)]
mod secret;
mod secrets;
#[cfg(unix)]
mod service;
mod settings;
mod setup;
mod summary;
#[cfg(unix)]
mod tail;
mod usage;

use std::{
    env,
    ffi::OsString,
    panic::{self, AssertUnwindSafe},
};

use clap::ArgMatches;

use self::{config::Search, console::Console, exit::Failure, settings::Settings};

pub use self::exit::Exit;

/// Runs the command that the arguments name, and says what went wrong if something did.
pub fn start(arguments: impl Iterator<Item = OsString>) -> Exit {
    hide_panics();
    let arguments: Vec<OsString> = arguments.collect();
    #[cfg(unix)]
    if let Some(code) = blackbar::run::helper(&arguments[1.min(arguments.len())..]) {
        return Exit::Code(code);
    }
    let mut console = Console::early(&arguments);
    let ended = panic::catch_unwind(AssertUnwindSafe(|| command(&arguments, &mut console)));
    // The panic itself has been told where it happened.
    let ended = ended.unwrap_or_else(|_| Err(Failure::quiet(Exit::Failed)));
    let is_run = arguments.get(1).is_some_and(|name| name == "run");
    ended.unwrap_or_else(|failure| {
        if let Some(message) = &failure.message {
            console.error(message);
        }
        match failure.exit {
            Exit::Usage | Exit::Failed if is_run => Exit::Code(RUN_FAILED),
            exit => exit,
        }
    })
}

/// What `run` exits with where blackbar itself failed: no code that a command is likely to use, as
/// `env`, `timeout` and `docker run` have it.
const RUN_FAILED: u8 = 125;

/// Makes a panic, in any thread, say where it happened and not what it says: the message of a
/// slice out of bounds, for one, quotes the text it could not cut.
fn hide_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        Console::plain().error(&format!("internal error{place}"));
    }));
}

fn command(arguments: &[OsString], console: &mut Console) -> Result<Exit, Failure> {
    let matches = match args::command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return usage::end(&error),
    };
    if matches.get_flag("version") {
        return output::print(&setup::version()?);
    }
    let (name, own) = matches.subcommand().unwrap_or(("redact", &matches));
    match name {
        "explain" => {
            let settings = gather(keys::ENGINE_KEYS, own, false, console)?;
            explain::run(&settings, console)
        }
        "rules" => {
            let (action, own) = own.subcommand().unwrap_or(("list", own));
            let names = if action == "diff" { keys::MESSAGE_KEYS } else { keys::RULE_KEYS };
            let settings = gather(names, own, true, console)?;
            rules::run(action, own, &settings)
        }
        "completions" => completions::run(own),
        "man" => man::run(),
        #[cfg(unix)]
        "run" => {
            let settings = gather(&keys::run_keys(), own, false, console)?;
            let command = own.get_many::<OsString>("command").unwrap_or_default().cloned().collect();
            run::run(&settings, command, console)
        }
        "scan" => {
            let settings = gather(&keys::scan_keys(), own, true, console)?;
            let paths = own.get_many::<OsString>("path").unwrap_or_default().cloned().collect();
            scan::run(&settings, paths, console)
        }
        #[cfg(unix)]
        "tail" => {
            let settings = gather(&keys::tail_keys(), own, false, console)?;
            let paths = own.get_many::<OsString>("path").unwrap_or_default().cloned().collect();
            tail::run(&settings, paths, console)
        }
        #[cfg(unix)]
        "secret" => {
            let (_, own) = own.subcommand().unwrap_or(("add", own));
            gather(keys::MESSAGE_KEYS, own, false, console)?;
            secret::add(own.get_one::<OsString>("name"), console)
        }
        _ => {
            let settings = gather(&keys::redact_keys(), own, false, console)?;
            let files: Vec<_> = own.get_many::<OsString>("file").unwrap_or_default().cloned().collect();
            redact::run(&settings, &files, console)
        }
    }
}

/// The settings of a command, from its options, the environment and the files.
fn gather(
    names: &[&'static str],
    matches: &ArgMatches,
    local: bool,
    console: &mut Console,
) -> Result<Settings, Failure> {
    let env = |name: &str| env::var_os(name);
    let options = args::options(names, matches)?;
    let config = args::config_option(matches);
    let settings = settings::gather(names, options, config, &env, &Search::new(local, &env))?;
    console.follow(&settings);
    Ok(settings)
}
