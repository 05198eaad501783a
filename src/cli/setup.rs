//! Turns settings into rules, a fingerprint key and an engine. Does not run it.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use blackbar::{
    KnownValues,
    error::SetupError,
    finding::{FingerprintKey, KeyError, KeySource},
    redact::Style,
    rules::{Confidence, RuleSet},
    scan::{Engine, Entropy, Mode, Options},
};
use zeroize::Zeroizing;

use super::{config, exit::Failure, files, keys::FINGERPRINT_KEY_VARIABLE, settings::Settings};

/// All rules that the settings name, those that are off included.
pub fn all_rules(settings: &Settings) -> Result<RuleSet, Failure> {
    let mut set = if settings.switch("no-default-rules") { RuleSet::empty() } else { builtin()? };
    for path in settings.paths("rules") {
        add_file(&mut set, path).map_err(|reason| Failure::usage(format!("{}: {reason}", settings.call("rules"))))?;
    }
    Ok(set)
}

/// The rules that are built in.
pub fn builtin() -> Result<RuleSet, Failure> {
    RuleSet::builtin().map_err(|fault| Failure::io(fault.to_string()))
}

/// Adds the rules of a file. The error is the reason in words, with the file's name.
pub fn add_file(set: &mut RuleSet, path: &Path) -> Result<(), String> {
    let name = files::shown(path);
    let text = files::read_small(path).map_err(|fault| format!("{name}: {}", fault.reason()))?;
    set.add(&text, &name, blackbar::rules::USER_FAMILY).map_err(|fault| fault.to_string())
}

/// The rules in force.
pub fn rules(settings: &Settings) -> Result<RuleSet, Failure> {
    let mut set = all_rules(settings)?;
    for name in ["only", "enable", "disable"] {
        let words = settings.words(name);
        if let Some(at) = words.iter().position(|id| set.get(id).is_none()) {
            // The id is not repeated: it could be anything that was pasted there.
            let which = if words.len() == 1 { String::new() } else { format!(" (number {})", at + 1) };
            let what = format!("{}: no rule has this id{which}; see 'blackbar rules list'", settings.call(name));
            return Err(Failure::usage(what));
        }
    }
    set.select(settings.words("only"), settings.words("enable"), settings.words("disable"))
        .map_err(|fault| failure(&fault, settings))?;
    Ok(set)
}

/// The engine of the filter commands.
pub fn engine(settings: &Settings, key: FingerprintKey, known: KnownValues) -> Result<Engine, Failure> {
    let style = match (settings.text("replacement"), settings.word("style", "label")) {
        (Some(text), _) => Style::Text(text.to_owned()),
        (None, "hash") => Style::Hash,
        (None, "length") => Style::Length,
        (None, "fixed") => Style::Fixed,
        (None, _) => Style::Label,
    };
    let options = Options {
        mode: if settings.word("mode", "redact") == "alert" { Mode::Alert } else { Mode::Redact },
        style,
        entropy: match settings.word("entropy", "keyed") {
            "off" => Entropy::Off,
            "all" => Entropy::All,
            _ => Entropy::Keyed,
        },
        mask_confidence: confidence(settings.word("mask-confidence", "low")),
        fingerprint_key: key,
        known,
        ..Options::default()
    };
    Engine::new(rules(settings)?, options).map_err(|fault| failure(&fault, settings))
}

/// The confidence of this name.
pub fn confidence(word: &str) -> Confidence {
    match word {
        "medium" => Confidence::Medium,
        "high" => Confidence::High,
        "certain" => Confidence::Certain,
        _ => Confidence::Low,
    }
}

/// Whether masks hold a part of the fingerprint, so that it should be the same in every run.
pub fn masks_have_hashes(settings: &Settings) -> bool {
    settings.word("style", "label") == "hash"
        || settings.text("replacement").is_some_and(|text| text.contains("{hash}"))
}

/// The key of fingerprints. `create` makes one in the state directory if there is none yet.
pub fn key(settings: &Settings, create: bool) -> Result<FingerprintKey, Failure> {
    let env = |name: &str| env::var_os(name);
    let text = env(FINGERPRINT_KEY_VARIABLE).filter(|text| !text.is_empty());
    let from_variable = text.is_some();
    let source = KeySource {
        text: text.map(|text| Zeroizing::new(text.into_encoded_bytes())),
        file: settings.paths("fingerprint-key-file").first().cloned(),
        state_dir: state_dir(&env),
        create,
    };
    FingerprintKey::load(&source).map_err(|fault| {
        let name =
            if from_variable { FINGERPRINT_KEY_VARIABLE.to_owned() } else { settings.call("fingerprint-key-file") };
        match fault {
            // Not the file's name: it may be the key itself, given where its file is meant.
            KeyError::Unreadable(kind) => Failure::usage(format!("{name}: {}", files::reason(kind))),
            fault => Failure::usage(format!("{name}: {fault}")),
        }
    })
}

fn state_dir(env: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    config::user_dir("XDG_STATE_HOME", ".local/state", env).map(|dir| dir.join("blackbar"))
}

/// The library's errors hold ids and positions, and are shown, but for ids that the user gave.
fn failure(fault: &SetupError, settings: &Settings) -> Failure {
    match fault {
        SetupError::UnknownRule(_) => Failure::usage("a rule that is named does not exist"),
        SetupError::Rule(fault) => Failure::usage(fault.to_string()),
        SetupError::Replacement(_) | SetupError::ReplacementMatches(_) => {
            Failure::usage(format!("{}: {fault}", settings.call("replacement")))
        }
    }
}

/// What `--version` prints.
pub fn version() -> Result<String, Failure> {
    let set = builtin()?;
    Ok(format!("blackbar {}\n{} rules, {}\n", env!("CARGO_PKG_VERSION"), set.rules().len(), set.digest()))
}
