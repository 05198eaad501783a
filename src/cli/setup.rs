//! Turns settings into rules, a fingerprint key and an engine. Does not run it.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use blackbar::{
    KnownValues,
    allow::{Allow, Entry},
    error::SetupError,
    finding::{FingerprintKey, KeyError, KeySource, ndjson},
    redact::Style,
    rules::{Confidence, RuleSet},
    scan::{Commands, Engine, Entropy, Mode, Options},
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{config, console::Console, exit::Failure, files, keys::FINGERPRINT_KEY_VARIABLE, settings::Settings};

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

/// What the user allows, as far as it holds today. An entry that names no rule, or a fingerprint of another key, is an
/// error: it could never hold, and nobody would know.
fn allow(settings: &Settings, key: &FingerprintKey) -> Result<Allow, Failure> {
    let mut allow = Allow::default();
    for name in ["allow", "baseline"] {
        for path in settings.paths(name) {
            let call = settings.call(name);
            let shown = files::shown(path);
            let text = files::read_small(path).map_err(|fault| format!("{shown}: {}", fault.reason()));
            let added = text.and_then(|text| {
                let added = if name == "allow" { Allow::add } else { Allow::add_baseline };
                added(&mut allow, &text, &shown, key).map_err(|fault| fault.to_string())
            });
            added.map_err(|reason| Failure::usage(format!("{call}: {reason}")))?;
        }
    }
    if allow.is_empty() {
        return Ok(allow);
    }
    let all = all_rules(settings)?;
    let stray = |entry: &&Entry| entry.rule().is_some_and(|id| all.get(id).is_none());
    if let Some(entry) = allow.entries().iter().find(stray) {
        let what = format!("{}:{}: no rule has this id; see 'blackbar rules list'", entry.origin(), entry.line());
        return Err(Failure::usage(format!("{}: {what}", settings.call("allow"))));
    }
    let today = ndjson::timestamp(OffsetDateTime::now_utc());
    allow.start(today.get(..10).unwrap_or_default(), settings.text("source"));
    Ok(allow)
}

/// Says what of the user's rule files and allow files does not hold.
pub fn say_what_does_not_hold(engine: &Engine, console: &Console) {
    let notices = engine.rules().notices();
    let say = |place: String, text: String| {
        let fields = [("event", "notice".to_owned()), ("place", place.clone())];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        console.note(&format!("{place}: {text}"), fields);
    };
    for notice in notices.iter().take(NOTICES_MAX) {
        let rule = notice.rule.as_ref().map(|id| format!("rule {id}: ")).unwrap_or_default();
        say(format!("{}:{}", notice.origin, notice.line), format!("{rule}{}", notice.text));
    }
    if let Some(notice) = notices.get(NOTICES_MAX) {
        let more = notices.len() - NOTICES_MAX;
        say(notice.origin.clone(), format!("{more} more such places; 'blackbar rules check FILE' lists them all"));
    }
    for (entry, day) in engine.options().allow.expired() {
        say(format!("{}:{}", entry.origin(), entry.line()), format!("this entry expired on {day} and allows nothing"));
    }
}

/// The engine of the filter commands.
pub fn engine(
    settings: &Settings,
    key: FingerprintKey,
    known: KnownValues,
    interactive: bool,
) -> Result<Engine, Failure> {
    let mode = if settings.word("mode", "redact") == "alert" { Mode::Alert } else { Mode::Redact };
    let on_github = env::var("GITHUB_ACTIONS").is_ok_and(|on| on == "true");
    let commands = commands(settings.word("commands", "auto"), on_github);
    build(settings, Options { mode, commands, interactive, ..options(settings, key, known)? })
}

/// An engine with the rules that the settings name.
pub fn build(settings: &Settings, options: Options) -> Result<Engine, Failure> {
    Engine::new(rules(settings)?, options).map_err(|fault| failure(&fault, settings))
}

/// What of an engine's options the settings say, whatever the command.
pub fn options(settings: &Settings, key: FingerprintKey, known: KnownValues) -> Result<Options, Failure> {
    let style = match (settings.text("replacement"), settings.word("style", "label")) {
        (Some(text), _) => Style::Text(text.to_owned()),
        (None, "hash") => Style::Hash,
        (None, "length") => Style::Length,
        (None, "fixed") => Style::Fixed,
        (None, _) => Style::Label,
    };
    Ok(Options {
        allow: Arc::new(allow(settings, &key)?),
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
    })
}

/// Whether commands in the stream are followed. Where GitHub's runner reads the output, it must see
/// them, and hides them itself.
fn commands(word: &str, on_github: bool) -> Commands {
    match (word, on_github) {
        ("none", _) | ("auto", false) => Commands::Ignore,
        (_, true) => Commands::Pass,
        (_, false) => Commands::Hide,
    }
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

/// How many places of rule files that do not hold are said one by one.
const NOTICES_MAX: usize = 5;

/// What `--version` prints.
pub fn version() -> Result<String, Failure> {
    let set = builtin()?;
    Ok(format!("blackbar {}\n{} rules, {}\n", env!("CARGO_PKG_VERSION"), set.rules().len(), set.digest()))
}
