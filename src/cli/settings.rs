//! Decides which value of a setting counts: option over environment over file over default, except
//! for what the administrator locked. Does not read files (see `config`) and knows no defaults:
//! who asks for a value says what holds without one.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    config::{self, Config, Given, Layer, Origin, Search},
    exit::Failure,
    files,
    keys::{self, CONFIG, FINGERPRINT_KEY_VARIABLE, Value},
};

/// Both say what stands in place of a secret. The one given nearer to the user wins, and a lock on
/// one locks the other.
const MASKS: [&str; 2] = ["style", "replacement"];

const KEY_FILE: &str = "fingerprint-key-file";

/// The settings in force.
#[derive(Debug, Default)]
pub struct Settings {
    given: Layer,
}

/// Gathers the settings of a command that has the options `names`.
///
/// # Errors
/// Values that are not allowed, unreadable files, and attempts to change what is locked (exit 2).
pub fn gather(
    names: &[&'static str],
    options: Layer,
    config_option: Option<PathBuf>,
    env: &dyn Fn(&str) -> Option<OsString>,
    search: &Search,
) -> Result<Settings, Failure> {
    let variables = variables(names, env)?;
    let system = config::load(&search.system, true)?.unwrap_or_default();
    let Chosen { config: file, own } = choose_file(config_option, env, search, &system)?;
    // The key itself is no setting, but would take the place of one.
    if is_locked(KEY_FILE, &system.locked) && env(FINGERPRINT_KEY_VARIABLE).is_some_and(|key| !key.is_empty()) {
        let what = format!("{FINGERPRINT_KEY_VARIABLE}: {KEY_FILE} is locked by {}", files::shown(&search.system));
        return Err(Failure::usage(what));
    }
    let mut given = Layer::new();
    if own {
        refuse_locked(&file.layer, &system, &search.system)?;
        // Of a file that is not read otherwise, what it locks counts all the same.
        given.extend(system.layer.into_iter().filter(|(name, _)| is_locked(name, &system.locked)));
    } else {
        given.extend(system.layer);
    }
    let locks = Config { layer: Layer::new(), locked: system.locked };
    // From far to near; each layer covers those before it.
    put(&mut given, file.layer)?;
    for layer in [variables, options] {
        refuse_locked(&layer, &locks, &search.system)?;
        put(&mut given, layer)?;
    }
    Ok(Settings { given })
}

/// Lays one layer over what is there.
fn put(given: &mut Layer, layer: Layer) -> Result<(), Failure> {
    if let [Some(style), Some(replacement)] = MASKS.map(|name| layer.get(name)) {
        let [style, replacement] = [style.origin.call(MASKS[0]), replacement.origin.call(MASKS[1])];
        return Err(Failure::usage(format!("{style} and {replacement} exclude each other")));
    }
    if MASKS.iter().any(|name| layer.contains_key(name)) {
        given.retain(|name, _| !MASKS.contains(name));
    }
    given.extend(layer);
    Ok(())
}

fn variables(names: &[&'static str], env: &dyn Fn(&str) -> Option<OsString>) -> Result<Layer, Failure> {
    let mut layer = Layer::new();
    for key in names.iter().filter_map(|name| keys::find(name)) {
        // CI systems set what is not there to nothing.
        let Some(text) = env(&key.variable()).filter(|text| !text.is_empty()) else {
            continue;
        };
        let Some(value) = key.read_variable(&text) else {
            return Err(Failure::usage(format!("{} {}", key.variable(), key.allowed())));
        };
        layer.insert(key.name, Given { value, origin: Origin::Variable });
    }
    Ok(layer)
}

/// The file that counts beside the administrator's.
#[derive(Default)]
struct Chosen {
    config: Config,
    /// Whether there is such a file.
    own: bool,
}

fn choose_file(
    option: Option<PathBuf>,
    env: &dyn Fn(&str) -> Option<OsString>,
    search: &Search,
    system: &Config,
) -> Result<Chosen, Failure> {
    let variable = || env(&keys::variable(CONFIG)).filter(|text| !text.is_empty()).map(PathBuf::from);
    let named = match option {
        Some(path) => Some((path, Origin::Option)),
        None => variable().map(|path| (path, Origin::Variable)),
    };
    if let Some((path, origin)) = named {
        if path == search.system {
            return Ok(Chosen::default());
        }
        if is_locked(CONFIG, &system.locked) {
            return Err(locked(&origin, CONFIG, &search.system));
        }
        let missing = || Failure::usage(format!("{}: {}: no such file", origin.call(CONFIG), files::shown(&path)));
        return Ok(Chosen { config: config::load(&path, false)?.ok_or_else(missing)?, own: true });
    }
    if !is_locked(CONFIG, &system.locked) {
        for path in [&search.local, &search.user].into_iter().flatten() {
            if let Some(config) = config::load(path, false)? {
                return Ok(Chosen { config, own: true });
            }
        }
    }
    Ok(Chosen::default())
}

fn is_locked(name: &str, locked: &[&str]) -> bool {
    locked.contains(&name) || (MASKS.contains(&name) && MASKS.iter().any(|mask| locked.contains(mask)))
}

fn refuse_locked(layer: &Layer, system: &Config, path: &Path) -> Result<(), Failure> {
    match layer.iter().find(|(name, _)| is_locked(name, &system.locked)) {
        Some((name, given)) => Err(locked(&given.origin, name, path)),
        None => Ok(()),
    }
}

fn locked(origin: &Origin, name: &str, path: &Path) -> Failure {
    Failure::usage(format!("{}: {name} is locked by {}", origin.call(name), files::shown(path)))
}

impl Settings {
    fn get(&self, name: &str) -> Option<&Value> {
        debug_assert!(keys::find(name).is_some(), "{name} is no row of the table");
        self.given.get(name).map(|given| &given.value)
    }

    /// How the user gave `name`, for messages: `--rules`, `BLACKBAR_RULES`, `file:3: rules`.
    pub fn call(&self, name: &str) -> String {
        self.given.get(name).map_or_else(|| format!("--{name}"), |given| given.origin.call(name))
    }

    /// Whether the user gave `name` as an option of this very call.
    pub fn is_option(&self, name: &str) -> bool {
        self.given.get(name).is_some_and(|given| matches!(given.origin, Origin::Option))
    }

    /// A choice.
    pub fn word(&self, name: &str, default: &'static str) -> &'static str {
        if let Some(Value::Word(word)) = self.get(name) { word } else { default }
    }

    /// A switch; off without a value.
    pub fn switch(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Switch(true)))
    }

    /// A number.
    pub fn number(&self, name: &str, default: u64) -> u64 {
        self.given_number(name).unwrap_or(default)
    }

    /// How long the end may take (`drain-timeout`).
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.number("drain-timeout", 5))
    }

    /// A number that has no default.
    pub fn given_number(&self, name: &str) -> Option<u64> {
        if let Some(Value::Number(number)) = self.get(name) { Some(*number) } else { None }
    }

    /// A list of words.
    pub fn words(&self, name: &str) -> &[String] {
        if let Some(Value::Words(words)) = self.get(name) { words } else { &[] }
    }

    /// Files.
    pub fn paths(&self, name: &str) -> &[PathBuf] {
        if let Some(Value::Paths(paths)) = self.get(name) { paths } else { &[] }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Value::Text(text)) = self.get(name) { Some(text) } else { None }
    }

    /// Names and values.
    pub fn pairs(&self, name: &str) -> BTreeMap<String, String> {
        if let Some(Value::Pairs(pairs)) = self.get(name) { pairs.clone() } else { BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A machine with an administrator's file, a user's file, one in the working directory and one
    /// that is named by an option.
    struct Machine {
        dir: tempfile::TempDir,
        env: Vec<(&'static str, String)>,
    }

    impl Machine {
        fn new(files: &[(&str, &str)]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            for (name, text) in files {
                fs::write(dir.path().join(name), text).unwrap();
            }
            Self { dir, env: Vec::new() }
        }

        fn gather(&self, options: &[(&'static str, &str)], config: Option<&str>) -> Result<Settings, String> {
            let at = |name: &str| self.dir.path().join(name);
            let search = Search { local: None, user: Some(at("user")), system: at("system") };
            let env =
                |name: &str| self.env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            let layer = options.iter().map(|(name, text)| {
                let value = keys::find(name).and_then(|key| key.read(&[OsString::from(text)])).unwrap();
                (*name, Given { value, origin: Origin::Option })
            });
            let names: Vec<&str> = keys::KEYS.iter().map(|key| key.name).collect();
            gather(&names, layer.collect(), config.map(at), &env, &search)
                .map_err(|failure| failure.message.unwrap_or_default())
        }
    }

    #[test]
    fn options_win_over_environment_over_file_over_default() {
        let mut machine = Machine::new(&[("system", "jobs = 1"), ("user", "jobs = 2"), ("own", "jobs = 3")]);
        let jobs = |settings: Result<Settings, String>| settings.unwrap().number("jobs", 0);
        assert_eq!(jobs(Machine::new(&[]).gather(&[], None)), 0);
        assert_eq!(jobs(Machine::new(&[("system", "jobs = 1")]).gather(&[], None)), 1);
        assert_eq!(jobs(machine.gather(&[], None)), 2);
        assert_eq!(jobs(machine.gather(&[], Some("own"))), 3);
        machine.env.push(("BLACKBAR_JOBS", "4".to_owned()));
        assert_eq!(jobs(machine.gather(&[], Some("own"))), 4);
        assert_eq!(jobs(machine.gather(&[("jobs", "5")], Some("own"))), 5);
    }

    #[test]
    fn the_first_file_found_is_the_only_one() {
        let machine = Machine::new(&[("system", "quiet = true"), ("user", "jobs = 2")]);
        assert!(!machine.gather(&[], None).unwrap().switch("quiet"));
    }

    #[test]
    fn what_is_locked_holds_against_file_environment_and_option() {
        let system = "mode = 'redact'\njobs = 7\n[policy]\nlocked = ['mode', 'only']\n";
        let mut machine = Machine::new(&[("system", system), ("user", "stats = true"), ("evil", "mode = 'alert'")]);
        let settings = machine.gather(&[], None).unwrap();
        assert_eq!(settings.word("mode", "?"), "redact");
        assert_eq!(settings.number("jobs", 0), 0, "what is not locked is the user's file's");
        let refused = |result: Result<Settings, String>, name: &str| {
            let message = result.unwrap_err();
            assert!(message.contains(&format!("{name} is locked by ")), "{message}");
        };
        refused(machine.gather(&[("mode", "alert")], None), "--mode: mode");
        refused(machine.gather(&[("only", "x")], None), "only");
        refused(machine.gather(&[], Some("evil")), "mode");
        machine.env.push(("BLACKBAR_MODE", "alert".to_owned()));
        refused(machine.gather(&[], None), "BLACKBAR_MODE: mode");
    }

    #[test]
    fn a_locked_key_file_holds_against_a_key_in_the_environment() {
        let system = "fingerprint-key-file = '/key'\n[policy]\nlocked = ['fingerprint-key-file']\n";
        let mut machine = Machine::new(&[("system", system)]);
        assert_eq!(machine.gather(&[], None).unwrap().paths("fingerprint-key-file"), [PathBuf::from("/key")]);
        machine.env.push(("BLACKBAR_FINGERPRINT_KEY", "x".repeat(16)));
        assert!(machine.gather(&[], None).unwrap_err().contains("fingerprint-key-file is locked"));
    }

    #[test]
    fn a_locked_config_is_the_only_file_that_is_read() {
        let mut machine =
            Machine::new(&[("system", "jobs = 1\n[policy]\nlocked = ['config']"), ("user", "jobs = 2"), ("own", "")]);
        assert_eq!(machine.gather(&[], None).unwrap().number("jobs", 0), 1);
        assert!(machine.gather(&[], Some("own")).unwrap_err().contains("config is locked"));
        machine.env.push(("BLACKBAR_CONFIG", "/nowhere".to_owned()));
        assert!(machine.gather(&[], None).unwrap_err().contains("BLACKBAR_CONFIG: config is locked"));
    }

    #[test]
    fn an_administrators_file_that_is_wrong_stops_everything() {
        let machine = Machine::new(&[("system", "mode = 'off'"), ("own", "")]);
        assert!(machine.gather(&[], Some("own")).unwrap_err().contains("mode must be one of redact, alert"));
    }

    #[test]
    fn of_style_and_replacement_the_nearer_wins_and_a_lock_holds_both() {
        let machine = Machine::new(&[("user", "replacement = 'X'")]);
        let settings = machine.gather(&[("style", "fixed")], None).unwrap();
        assert_eq!((settings.text("replacement"), settings.word("style", "?")), (None, "fixed"));
        assert!(machine.gather(&[("style", "fixed"), ("replacement", "Y")], None).unwrap_err().contains("exclude"));
        let machine = Machine::new(&[("system", "style = 'fixed'\n[policy]\nlocked = ['style']")]);
        assert!(machine.gather(&[("replacement", "{rule}")], None).unwrap_err().contains("is locked"));
        let machine = Machine::new(&[("user", ""), ("system", "style = 'fixed'\n[policy]\nlocked = ['replacement']")]);
        assert_eq!(machine.gather(&[], None).unwrap().word("style", "?"), "fixed");
    }

    #[test]
    fn an_empty_variable_is_no_value() {
        let mut machine = Machine::new(&[]);
        machine.env.push(("BLACKBAR_MODE", String::new()));
        assert_eq!(machine.gather(&[], None).unwrap().word("mode", "default"), "default");
    }
}
