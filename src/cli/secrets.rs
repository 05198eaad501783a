//! Turns the environment, files and descriptors that the settings name into known values. Does not
//! look for them, and says of a value that it refuses no more than its name.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use blackbar::{
    KnownValues, limits,
    scan::known::{Added, Policy, Refused},
};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Map;
use zeroize::Zeroizing;

use super::{
    console::Console,
    exit::Failure,
    files,
    keys::{DEFAULT, FINGERPRINT_KEY_VARIABLE},
    settings::Settings,
};

/// The values that the settings name. `env_by_default` says that those of the environment count
/// unless the user says otherwise.
///
/// # Errors
/// What cannot be read (exit 2): masking less than was asked for must not look like success.
pub fn load(settings: &Settings, env_by_default: bool, console: &Console) -> Result<KnownValues, Failure> {
    let policy = Policy {
        value_bytes_min: usize::try_from(settings.number("secret-min-length", 6)).unwrap_or(usize::MAX),
        weak: settings.switch("secret-weak"),
    };
    let known = KnownValues::new(policy);
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    known.set_columns(columns.unwrap_or_default());
    each(settings, env_by_default, &mut |name, value| known.add(name, value))?.tell(console);
    Ok(known)
}

/// Takes a value under its name.
pub type Add<'a> = dyn FnMut(&str, &[u8]) -> Result<Added, Refused> + 'a;

/// Values that are not looked for as was asked.
#[derive(Default)]
pub struct Left {
    refused: Vec<Refused>,
    /// The names of those that are only looked for in part.
    partly: Vec<String>,
}

/// Gives each value that the settings name to `add`, with its name, and what that left back.
///
/// # Errors
/// As [`load`].
pub fn each(settings: &Settings, env_by_default: bool, add: &mut Add<'_>) -> Result<Left, Failure> {
    let mut doors = Doors { add, left: Left::default() };
    let globs = settings.words("secret-env");
    if !settings.switch("no-secret-env") && (env_by_default || !globs.is_empty()) {
        doors.environment(globs);
    }
    doors.files(settings)?;
    if let Some(number) = settings.given_number("secret-fd") {
        let path = PathBuf::from(format!("/dev/fd/{number}"));
        let what = |fault: Fault| Failure::usage(format!("{}: {}", settings.call("secret-fd"), fault.reason()));
        doors.file(&path).map_err(what)?;
    }
    Ok(doors.left)
}

/// Reads files of values again: new values are added, and old ones stay, because logs still hold them.
///
/// # Errors
/// As [`load`]. What was read before the fault is looked for all the same.
pub fn again(settings: &Settings, known: &KnownValues, console: &Console) -> Result<(), Failure> {
    let add = &mut |name: &str, value: &[u8]| known.add(name, value);
    let mut doors = Doors { add, left: Left::default() };
    doors.files(settings)?;
    doors.left.tell(console);
    Ok(())
}

/// Where values come in.
struct Doors<'a> {
    add: &'a mut Add<'a>,
    left: Left,
}

/// Why values cannot be read.
enum Fault {
    Io(io::ErrorKind),
    TooLarge,
}

impl Fault {
    fn reason(&self) -> String {
        match self {
            Fault::Io(kind) => files::reason(*kind),
            Fault::TooLarge => format!("is larger than {} MiB", limits::CONFIG_BYTES_MAX >> 20),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(fault: io::Error) -> Fault {
        Fault::Io(fault.kind())
    }
}

impl Doors<'_> {
    fn add(&mut self, name: &str, value: &[u8]) {
        match (self.add)(name, value) {
            Ok(Added::New | Added::Known) | Err(Refused::Empty { .. }) => {}
            Ok(Added::Partly) => self.left.partly.push(name.to_owned()),
            Err(refused) => self.left.refused.push(refused),
        }
    }

    /// Takes the values of all files and folders that the settings name.
    fn files(&mut self, settings: &Settings) -> Result<(), Failure> {
        for path in settings.paths("secret-file") {
            let what = |fault: Fault| {
                // Not the file's name: it may be the value itself, given where its file is meant.
                Failure::usage(format!("{}: {}", settings.call("secret-file"), fault.reason()))
            };
            if path.is_dir() { self.folder(path) } else { self.file(path) }.map_err(what)?;
        }
        Ok(())
    }

    /// Takes the values of variables whose names match.
    fn environment(&mut self, globs: &[String]) {
        for (name, value) in env::vars_os() {
            let value = Zeroizing::new(value.into_encoded_bytes());
            let name = name.to_string_lossy();
            // Our own settings are no secrets, but for one.
            if name.starts_with("BLACKBAR_") && name != FINGERPRINT_KEY_VARIABLE {
                continue;
            }
            let (default, named): (Vec<&String>, Vec<&String>) = globs.iter().partition(|glob| *glob == DEFAULT);
            let by_default = globs.is_empty() || !default.is_empty();
            let asked = named.iter().any(|glob| matches(glob, &name));
            let sounds = by_default && SECRET_NAMES.iter().any(|glob| matches(glob, &name)) && !is_plain(&value);
            if asked || sounds {
                self.add(&name, &value);
            }
        }
    }

    /// Takes the values of a file: a JSON object if the whole of it parses as one, else one a line.
    fn file(&mut self, path: &Path) -> Result<(), Fault> {
        let bytes = read(path)?;
        if bytes.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(&bytes).is_ok() {
            let mut parser = serde_json::Deserializer::from_slice(&bytes);
            // It has just been read to its end without a fault.
            let _ = Member { doors: self, name: String::new() }.deserialize(&mut parser);
            return Ok(());
        }
        let file = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
        for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            self.add(&format!("{file}:{number}"), line);
        }
        Ok(())
    }

    /// Takes the values of a folder of mounted secrets: each file is one. Kubernetes keeps what is
    /// behind them in folders whose names begin with two dots.
    fn folder(&mut self, path: &Path) -> Result<(), Fault> {
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !name.starts_with("..") && path.is_file() {
                let bytes = read(&path)?;
                self.add(&name, bytes.strip_suffix(b"\n").unwrap_or(&bytes));
            }
        }
        Ok(())
    }
}

impl Left {
    /// Says which values are not looked for, or not in every form, and why.
    fn tell(&self, console: &Console) {
        if !self.partly.is_empty() {
            let (names, most) = (self.partly.join(", "), limits::SECRET_BYTES_MAX);
            console.note(&format!("masked, but not in forms that are longer than {most} bytes: {names}"), Map::new());
        }
        if self.refused.is_empty() {
            return;
        }
        let reasons: Vec<String> = self.refused.iter().map(Refused::to_string).collect();
        let weak = |refused: &Refused| matches!(refused, Refused::TooShort { .. } | Refused::Guessable { .. });
        let advice = if self.refused.iter().any(weak) { "; --secret-weak masks weak values, too" } else { "" };
        console.note(&format!("not masked: {}{advice}", reasons.join("; ")), Map::new());
    }
}

/// Reads a file of values; its bytes are wiped in the end.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let file = File::open(path)?;
    // A buffer that grows would leave copies of values behind.
    let room = file.metadata()?.len().clamp(FIRST_BYTES, limits::CONFIG_BYTES_MAX) as usize + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let mut limited = file.take(limits::CONFIG_BYTES_MAX + 1);
    loop {
        if bytes.len() == bytes.capacity() {
            let mut more = Zeroizing::new(Vec::with_capacity(2 * bytes.len()));
            more.extend_from_slice(&bytes);
            bytes = more;
        }
        let room = (bytes.capacity() - bytes.len()) as u64;
        if limited.by_ref().take(room).read_to_end(&mut bytes)? == 0 {
            break;
        }
    }
    if bytes.len() as u64 > limits::CONFIG_BYTES_MAX {
        return Err(Fault::TooLarge);
    }
    Ok(bytes)
}

/// Whether a value cannot be a secret although its name sounds like one: a path that exists, a
/// number, yes or no.
fn is_plain(value: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(value) else { return false };
    let text = text.trim();
    let digits = text.bytes().any(|byte| byte.is_ascii_digit()) && text.parse::<f64>().is_ok();
    let answer = ["true", "false", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word));
    // A bare word may be the name of some file by chance.
    digits || answer || text.contains(['/', '\\']) && Path::new(text).exists()
}

/// Whether a name matches a pattern of letters, `*` and `?`. Case does not count.
fn matches(glob: &str, name: &str) -> bool {
    let (glob, name) = (glob.as_bytes(), name.as_bytes());
    let (mut at, mut place) = (0, 0);
    // Where to go on if what follows the last star does not match: one byte later.
    let mut retry = None;
    while place < name.len() {
        match glob.get(at) {
            Some(b'*') => {
                retry = Some((at, place + 1));
                at += 1;
            }
            Some(byte) if *byte == b'?' || byte.eq_ignore_ascii_case(&name[place]) => {
                at += 1;
                place += 1;
            }
            _ => match retry {
                Some((star, next)) => {
                    (at, place) = (star + 1, next);
                    retry = Some((star, next + 1));
                }
                None => return false,
            },
        }
    }
    glob[at..].iter().all(|&byte| byte == b'*')
}

/// A part of a JSON text: each text and number in it is a value.
struct Member<'a, 'd> {
    doors: &'a mut Doors<'d>,
    name: String,
}

impl<'de> DeserializeSeed<'de> for Member<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_, '_> {
    type Value = ();

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.doors.add(&self.name, text.as_bytes());
        Ok(())
    }

    fn visit_string<E>(self, text: String) -> Result<(), E> {
        let text = Zeroizing::new(text);
        self.doors.add(&self.name, text.as_bytes());
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.visit_string(number.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.visit_string(number.to_string())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        // How it was written is lost.
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Member { doors, name } = self;
        while list.next_element_seed(Member { doors, name: name.clone() })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Member { doors, name } = self;
        while let Some(key) = map.next_key::<String>()? {
            let name = if name.is_empty() { key } else { format!("{name}.{key}") };
            map.next_value_seed(Member { doors, name })?;
        }
        Ok(())
    }
}

/// Names of variables that sound like secrets.
const SECRET_NAMES: &[&str] = &[
    "*PASSWORD*",
    "*PASSWD*",
    "*_PASS",
    "*_PWD",
    "*SECRET*",
    "*TOKEN*",
    "*_KEY",
    "*CREDENTIAL*",
    "*CONNECTION_STRING*",
];

/// How much room a file is given first whose size is not known (bytes).
const FIRST_BYTES: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_patterns_whatever_their_case() {
        for (glob, name) in [
            ("*TOKEN*", "npm_config_token_x"),
            ("*_KEY", "AWS_SECRET_ACCESS_KEY"),
            ("A?C*", "abcd"),
            ("*", ""),
            ("*A*B", "xAyBzB"),
        ] {
            assert!(matches(glob, name), "{glob} {name}");
        }
        for (glob, name) in [("*_KEY", "KEYS"), ("*_KEY", "A_KEYS"), ("A?C", "AC"), ("", "x"), ("*_PWD", "PWD")] {
            assert!(!matches(glob, name), "{glob} {name}");
        }
    }

    #[test]
    fn paths_numbers_and_answers_are_plain() {
        for value in ["/", "1234567", "-1.5", "TRUE", " no\n", "1e9"] {
            assert!(is_plain(value.as_bytes()), "{value}");
        }
        for value in ["/no/such/path/s3cr3t", "hunter2", "src", "inf", "12ab", "tr\u{fc}e"] {
            assert!(!is_plain(value.as_bytes()), "{value}");
        }
    }

    fn names_of(known: &KnownValues, text: &str) -> Vec<String> {
        let (known, mut hits) = (known.current(), Vec::new());
        known.find(text.as_bytes(), &mut hits);
        hits.iter().map(|hit| known.name(hit).to_owned()).collect()
    }

    /// Lets values in by `doors`. Gives them, and what was refused.
    fn through(doors: impl FnOnce(&mut Doors<'_>)) -> (KnownValues, Vec<Refused>) {
        let known = KnownValues::default();
        let add = &mut |name: &str, value: &[u8]| known.add(name, value);
        let mut all = Doors { add, left: Left::default() };
        doors(&mut all);
        let refused = all.left.refused;
        (known, refused)
    }

    #[test]
    fn a_json_object_is_taken_apart_and_anything_else_is_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("values");
        fs::write(&path, r#" {"db": {"password": "first\"value", "pin": 839155268391}, "list": ["second-value"]}"#)
            .unwrap();
        let (known, _) = through(|doors| assert!(doors.file(&path).is_ok()));
        let text = "first\"value second-value 839155268391";
        assert_eq!(names_of(&known, text), ["db.password", "list", "db.pin"]);
        fs::write(&path, "{\"not\": \"json\"\r\n\r\nsecond-value\r\n").unwrap();
        let (known, _) = through(|doors| assert!(doors.file(&path).is_ok()));
        assert_eq!(names_of(&known, "second-value {\"not\": \"json\""), ["values:3", "values:1"]);
    }

    #[test]
    fn a_folder_holds_a_value_in_each_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("..2026")).unwrap();
        fs::write(folder.path().join("..2026/user"), "hidden-value").unwrap();
        fs::write(folder.path().join("password"), "two-line\nvalue-here\n").unwrap();
        let (known, _) = through(|doors| assert!(doors.folder(folder.path()).is_ok()));
        assert_eq!(known.len(), 1);
        assert_eq!(names_of(&known, "two-line hidden-value"), ["password"]);
    }

    #[test]
    fn what_is_refused_is_told_by_its_name() {
        let (_, refused) = through(|doors| {
            doors.add("SHORT", b"abc");
            doors.add("IMAGE", b"docker");
            doors.add("NOTHING", b"");
        });
        let told: Vec<String> = refused.iter().map(Refused::to_string).collect();
        assert_eq!(told, ["SHORT is shorter than 6 bytes", "IMAGE is too easy to guess"]);
    }
}
