//! Turns `blackbar.toml` into settings, or into an error that names file, line and key. Does not
//! decide which setting wins (see `settings`).
//!
//! The parser's own errors quote the values they choked on, so only their positions are used. The
//! working directory is not on the search path of the filter: in CI it is the checkout of the very
//! change that is tested, which must not be able to disarm it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    exit::Failure,
    files::{self, SmallFileError},
    keys::{self, CONFIG, KEYS, Key, Kind, Value},
};

/// The administrator's file, the only one whose `[policy]` counts.
pub const SYSTEM_FILE: &str = "/etc/blackbar/blackbar.toml";

const FILE_NAME: &str = "blackbar.toml";

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// On the command line.
    Option,
    /// In the environment.
    Variable,
    /// In a file, at this line.
    File(PathBuf, usize),
}

impl Origin {
    /// How to call the setting `name`, given here, in a message.
    pub fn call(&self, name: &str) -> String {
        match self {
            Origin::Option => format!("--{name}"),
            Origin::Variable => keys::variable(name),
            Origin::File(path, line) => format!("{}:{line}: {name}", files::shown(path)),
        }
    }
}

/// A value and where it was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The value.
    pub value: Value,
    /// Where it was given.
    pub origin: Origin,
}

/// The settings given in one place, by name.
pub type Layer = BTreeMap<&'static str, Given>;

/// What a configuration file says.
#[derive(Debug, Default, PartialEq)]
pub struct Config {
    /// Its settings.
    pub layer: Layer,
    /// The settings that `[policy]` locks.
    pub locked: Vec<&'static str>,
}

/// Where configuration files are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The folder of the working directory's file; for commands that look there.
    pub local: Option<PathBuf>,
    /// The user's file.
    pub user: Option<PathBuf>,
    /// The administrator's file: always [`SYSTEM_FILE`], except in tests. Nothing in the
    /// environment moves it, or the policy in it could be moved out of the way.
    pub system: PathBuf,
}

impl Search {
    /// The places of this user. `local` adds `./blackbar.toml`.
    pub fn new(local: bool, env: &dyn Fn(&str) -> Option<OsString>) -> Self {
        Self {
            local: local.then(|| FILE_NAME.into()),
            user: user_dir("XDG_CONFIG_HOME", ".config", env).map(|dir| dir.join("blackbar").join(FILE_NAME)),
            system: SYSTEM_FILE.into(),
        }
    }
}

/// A directory of the user as the XDG specification has it. A relative path is not taken: it would
/// lead to the working directory.
pub fn user_dir(variable: &str, below_home: &str, env: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)))
}

/// Reads the file at `path`. `may_lock` says whether it may have a `[policy]`.
///
/// # Errors
/// `None` inside of `Ok` is a missing file; everything else that is wrong is an error.
pub fn load(path: &Path, may_lock: bool) -> Result<Option<Config>, Failure> {
    match files::read_small(path) {
        Ok(text) => parse(&text, path, may_lock).map(Some),
        Err(SmallFileError::Missing) => Ok(None),
        Err(SmallFileError::Because(reason)) => Err(Failure::usage(format!("{}: {reason}", files::shown(path)))),
    }
}

/// Reads the text of a configuration file. Relative paths in it start at the file's own folder.
fn parse(text: &str, path: &Path, may_lock: bool) -> Result<Config, Failure> {
    let reader = Reader { text, path };
    let table = DeTable::parse(text).map_err(|fault| {
        let twice = fault.message().starts_with("duplicate key");
        reader.failure(fault.span(), if twice { "a key stands twice" } else { "not valid TOML" })
    })?;
    let mut config = Config::default();
    for (name, value) in table.get_ref() {
        if name.get_ref() == "policy" {
            config.locked = reader.policy(name, value, may_lock)?;
            continue;
        }
        let Some(key) = keys::find(name.get_ref()) else {
            return Err(reader.failure(Some(name.span()), &unknown_key(name.get_ref())));
        };
        let Some(read) = reader.value(key, value.get_ref()) else {
            let allowed = match key.kind {
                Kind::Pairs => "must be a table of texts".to_owned(),
                _ => key.allowed(),
            };
            return Err(reader.failure(Some(value.span()), &format!("{} {allowed}", key.name)));
        };
        let origin = Origin::File(path.to_owned(), reader.line(value.span()));
        config.layer.insert(key.name, Given { value: read, origin });
    }
    Ok(config)
}

/// A key that does not exist is named, unless it looks like something else than a key.
fn unknown_key(name: &str) -> String {
    let like_a_key = name.len() <= 32 && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'-' | b'_'));
    if !like_a_key {
        return "there is no such key".to_owned();
    }
    let dashed = name.replace('_', "-");
    match KEYS.iter().find(|key| key.name == dashed) {
        Some(key) => format!("there is no key {name}; it is written {}", key.name),
        None => format!("there is no key {name}"),
    }
}

/// A file that is being read.
struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Reader<'_> {
    fn line(&self, span: Range<usize>) -> usize {
        let before = self.text.as_bytes().get(..span.start).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }

    fn failure(&self, span: Option<Range<usize>>, what: &str) -> Failure {
        let line = span.map_or(1, |span| self.line(span));
        Failure::usage(format!("{}:{line}: {what}", files::shown(self.path)))
    }

    /// The names in `[policy] locked`.
    fn policy(
        &self,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        may_lock: bool,
    ) -> Result<Vec<&'static str>, Failure> {
        if !may_lock {
            let what = format!("[policy] counts only in {SYSTEM_FILE}");
            return Err(self.failure(Some(name.span()), &what));
        }
        let mut locked = Vec::new();
        let no_table = || self.failure(Some(name.span()), "policy must be a table");
        for (name, value) in value.get_ref().as_table().ok_or_else(no_table)? {
            if name.get_ref() != "locked" {
                return Err(self.failure(Some(name.span()), "[policy] has no key but locked"));
            }
            let no_names = || self.failure(Some(value.span()), "locked must be a list of keys");
            for entry in value.get_ref().as_array().ok_or_else(no_names)? {
                let text = entry.get_ref().as_str().ok_or_else(no_names)?;
                let found = keys::find(text).map(|key| key.name);
                let known = found
                    .or_else(|| (text == CONFIG).then_some(CONFIG))
                    .ok_or_else(|| self.failure(Some(entry.span()), &format!("locked: {}", unknown_key(text))))?;
                locked.push(known);
            }
        }
        Ok(locked)
    }

    /// A value of the key's kind, or `None`.
    fn value(&self, key: &Key, value: &DeValue<'_>) -> Option<Value> {
        match (key.kind, value) {
            (Kind::Choice(_), DeValue::String(text)) => key.read_text(text),
            (Kind::Switch, DeValue::Boolean(on)) => Some(Value::Switch(*on)),
            (Kind::Number(..), DeValue::Integer(number)) if number.radix() == 10 => {
                key.read_text(&number.as_str().replace('_', ""))
            }
            (Kind::Words | Kind::Patterns, DeValue::String(text)) => Some(Value::Words(keys::words(text).collect())),
            (Kind::Words | Kind::Patterns, DeValue::Array(_)) => texts(value).map(Value::Words),
            (Kind::Path, DeValue::String(text)) => Some(Value::Paths(vec![self.beside(text)?])),
            (Kind::Paths, DeValue::String(text)) => Some(Value::Paths(vec![self.beside(text)?])),
            (Kind::Paths, DeValue::Array(_)) => {
                texts(value)?.iter().map(|text| self.beside(text)).collect::<Option<_>>().map(Value::Paths)
            }
            (Kind::Text, DeValue::String(text)) => Some(Value::Text(text.clone().into_owned())),
            (Kind::Pairs, DeValue::Table(table)) => {
                let pair = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                    let name: &std::borrow::Cow<'_, str> = name.get_ref();
                    Some((name.clone().into_owned(), value.get_ref().as_str()?.to_owned()))
                };
                table.iter().map(pair).collect::<Option<_>>().map(Value::Pairs)
            }
            _ => None,
        }
    }

    /// A path as seen from the folder of the file that names it.
    fn beside(&self, text: &str) -> Option<PathBuf> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        (!text.is_empty()).then(|| folder.join(text))
    }
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|entry| entry.get_ref().as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "blackbarCanary7f3e";

    fn read(text: &str) -> Result<Config, String> {
        parse(text, Path::new("/etc/x/blackbar.toml"), true).map_err(|failure| failure.message.unwrap_or_default())
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let config = read(
            "mode = 'alert'\nquiet = true\njobs = 1_6\nonly = ['a', 'b']\ndisable = 'c, d'\n\
             rules = ['mine.toml', '/r.toml']\nsource = 's'\nfindings = 'f'\n[label]\nteam = 'pay'\n",
        )
        .unwrap();
        let value = |name: &str| config.layer.get(name).map(|given| given.value.clone());
        let list = |words: [&str; 2]| words.map(str::to_owned).to_vec();
        assert_eq!(value("mode"), Some(Value::Word("alert")));
        assert_eq!(value("quiet"), Some(Value::Switch(true)));
        assert_eq!(value("jobs"), Some(Value::Number(16)));
        assert_eq!(value("only"), Some(Value::Words(list(["a", "b"]))));
        assert_eq!(value("disable"), Some(Value::Words(list(["c", "d"]))));
        assert_eq!(value("rules"), Some(Value::Paths(vec!["/etc/x/mine.toml".into(), "/r.toml".into()])));
        assert_eq!(value("source"), Some(Value::Text("s".to_owned())));
        assert_eq!(value("label"), Some(Value::Pairs([("team".to_owned(), "pay".to_owned())].into())));
        let origin = &config.layer.get("jobs").unwrap().origin;
        assert_eq!(origin.call("jobs"), "/etc/x/blackbar.toml:3: jobs");
    }

    #[test]
    fn errors_name_line_and_key_and_never_the_value() {
        for key in KEYS {
            for value in [
                format!("'{CANARY}'"),
                format!("['{CANARY}', 7]"),
                format!("{{ x = ['{CANARY}'] }}"),
                "-0.5".to_owned(),
            ] {
                let Err(message) = read(&format!("# a comment\n\n{} = {value}\n", key.name)) else {
                    continue;
                };
                assert!(message.starts_with(&format!("/etc/x/blackbar.toml:3: {} must be ", key.name)), "{message}");
                assert!(!message.contains(CANARY), "{message}");
            }
        }
    }

    #[test]
    fn what_is_no_toml_is_not_quoted() {
        for text in [
            format!("source = {CANARY}"),
            format!("source = '{CANARY}"),
            CANARY.to_string(),
            format!("source = '{CANARY}'\nsource = '{CANARY}'"),
            format!("[{CANARY}"),
            format!("jobs = 0x{CANARY}"),
            format!("{CANARY} = 1"),
            format!("'{CANARY}\\' = 1"),
            format!("[policy]\nlocked = ['{CANARY}']"),
            format!("[policy]\n{CANARY} = 1"),
        ] {
            let message = read(&text).unwrap_err();
            assert!(message.starts_with("/etc/x/blackbar.toml:") && !message.contains(CANARY), "{message}");
        }
    }

    #[test]
    fn unknown_keys_are_errors_with_their_line() {
        assert_eq!(read("\nmoed = 'alert'").unwrap_err(), "/etc/x/blackbar.toml:2: there is no key moed");
        assert_eq!(
            read("fail_on = 'low'").unwrap_err(),
            "/etc/x/blackbar.toml:1: there is no key fail_on; it is written fail-on"
        );
    }

    #[test]
    fn a_policy_counts_only_where_the_administrator_writes() {
        assert_eq!(read("[policy]\nlocked = ['mode', 'config']").unwrap().locked, ["mode", "config"]);
        let refused = parse("[policy]\nlocked = ['mode']", Path::new("mine.toml"), false).unwrap_err();
        assert!(refused.message.unwrap_or_default().starts_with("mine.toml:1: [policy] counts only in /etc"));
    }

    #[test]
    fn relative_places_in_the_environment_are_not_taken() {
        let env = |name: &str| match name {
            "XDG_CONFIG_HOME" => Some(OsString::from("evil")),
            "HOME" => Some(OsString::from("/home/u")),
            _ => None,
        };
        let search = Search::new(false, &env);
        assert_eq!(search.user, Some("/home/u/.config/blackbar/blackbar.toml".into()));
        assert_eq!((search.local, search.system), (None, SYSTEM_FILE.into()));
    }
}
