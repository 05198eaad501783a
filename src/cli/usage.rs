//! Turns what clap says of a wrong command line into our own words. Clap's own texts quote the
//! value they choked on, and the value may be the secret that someone pasted into the wrong place.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{
    exit::{Exit, Failure},
    keys, output,
};

/// Ends a command line that is no command: help, or an error.
pub fn end(error: &clap::Error) -> Result<Exit, Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => output::print(&error.render().to_string()),
        _ => Err(Failure::usage(format!("{}; try 'blackbar --help'", describe(error)))),
    }
}

fn describe(error: &clap::Error) -> String {
    let name = named(error);
    let option = name.as_deref().unwrap_or("an option");
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let unknown = match &name {
                Some(name) => format!("there is no option {name} here"),
                None => "there is no such option here".to_owned(),
            };
            match text(error, ContextKind::SuggestedArg).filter(|text| plausible(text)) {
                Some(similar) => format!("{unknown} (did you mean {similar}?)"),
                None => unknown,
            }
        }
        ErrorKind::InvalidSubcommand => "there is no such command".to_owned(),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            match text_list(error, ContextKind::ValidSubcommand) {
                commands if commands.is_empty() => "a command is missing".to_owned(),
                commands => format!("a command is missing: {}", commands.join(", ")),
            }
        }
        ErrorKind::MissingRequiredArgument => format!("{option} is missing"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let key = name.as_deref().and_then(|name| keys::find(name.trim_start_matches("--")));
            match (key, text_list(error, ContextKind::ValidValue)) {
                (_, _) if text(error, ContextKind::InvalidValue).is_some_and(|value| value.is_empty()) => {
                    format!("{option} needs a value")
                }
                (Some(key), _) => format!("{option} {}", key.allowed()),
                (None, words) if words.is_empty() => format!("{option} has a wrong value"),
                (None, words) => format!("{option} must be one of {}", words.join(", ")),
            }
        }
        ErrorKind::TooManyValues => format!("{option} takes no value"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals => {
            format!("{option} needs a value")
        }
        ErrorKind::ArgumentConflict => format!("{option} does not go with the others"),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        _ => "the command line is not right".to_owned(),
    }
}

/// The option or argument an error is about, if it looks like one.
fn named(error: &clap::Error) -> Option<String> {
    let full = match error.get(ContextKind::InvalidArg)? {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.first()?.clone(),
        _ => return None,
    };
    let name = full.split([' ', '=', '[']).find(|part| !part.is_empty())?.trim_end_matches("...");
    let argument = name.starts_with('<') && name.ends_with('>');
    (argument || plausible(name)).then(|| name.trim_matches(['<', '>']).to_owned())
}

/// Whether a text is like an option's name, and so unlike a secret.
fn plausible(name: &str) -> bool {
    let letters = name.strip_prefix("--").filter(|rest| rest.len() > 1 && rest.len() <= 24);
    let letter = name.strip_prefix('-').filter(|rest| rest.len() == 1);
    letters.or(letter).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

fn text_list(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
