//! Turns allow files and baselines into an answer: does the user know of this secret? Does not find secrets, reads no
//! file and no clock.
//!
//! What is allowed is still masked, and told to nobody; only an entry with `action = "pass"` leaves the bytes. Nothing
//! in a stream makes an entry.

mod baseline;
pub(crate) mod glob;

use std::{collections::HashMap, fmt};

use regex_automata::meta;
use serde::Deserialize;

use crate::{
    finding::{Fingerprint, FingerprintKey},
    limits::{EXCLUSION_COMPILED_BYTES_MAX, PATTERN_BYTES_MAX},
    rules::{Rule, describe, line_of},
};

/// What the user allows. Empty by default.
#[derive(Debug, Default)]
pub struct Allow {
    entries: Vec<Entry>,
    /// The fingerprints of baselines, each with the number of its baseline's entry.
    known: HashMap<Fingerprint, u16>,
    expired: Vec<(usize, String)>,
}

/// One entry of an allow file, or one baseline.
pub struct Entry {
    origin: String,
    line: usize,
    rule: Option<String>,
    fingerprint: Option<Fingerprint>,
    value: Option<meta::Regex>,
    path: Option<meta::Regex>,
    source: Option<String>,
    /// The last day on which it holds, `2027-01-31`.
    expires: Option<String>,
    pass: bool,
    baseline: bool,
    /// It does not hold in this run: expired, or meant for another source.
    off: bool,
}

/// What is wrong with an allow file or a baseline. Holds no text of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}:{line}: {reason}")]
pub struct AllowError {
    /// The file.
    pub origin: String,
    /// 1-based line.
    pub line: usize,
    /// What is wrong, in words.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    allow: Vec<toml::Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    rule: Option<String>,
    fingerprint: Option<String>,
    key_id: Option<String>,
    value: Option<String>,
    path: Option<String>,
    source: Option<String>,
    expires: Option<Day>,
    reason: String,
    action: Option<String>,
}

/// A date as TOML has it, or as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Day {
    Date(toml::value::Datetime),
    Text(String),
}

impl Allow {
    /// Adds the entries of an allow file. `key` is the one that this run's fingerprints are made with.
    ///
    /// # Errors
    /// The first entry that is not right. So is one by a fingerprint of another key: it could never match.
    pub fn add(&mut self, text: &str, origin: &str, key: &FingerprintKey) -> Result<(), AllowError> {
        let error = |at: usize, reason| AllowError { origin: origin.to_owned(), line: line_of(text, at), reason };
        let file: File =
            toml::from_str(text).map_err(|fault| error(fault.span().map_or(0, |span| span.start), describe(&fault)))?;
        for row in file.allow {
            let at = row.span().start;
            let line = line_of(text, at);
            let entry = row.into_inner().entry(origin, line, key).map_err(|reason| error(at, reason))?;
            self.push(entry);
        }
        Ok(())
    }

    /// Adds a report of an earlier run: what is in it is known.
    ///
    /// # Errors
    /// The first line that is no finding, or one whose fingerprint was made with another key.
    pub fn add_baseline(&mut self, text: &str, origin: &str, key: &FingerprintKey) -> Result<(), AllowError> {
        let fingerprints = baseline::read(text, key).map_err(|(line, reason)| AllowError {
            origin: origin.to_owned(),
            line,
            reason: reason.to_owned(),
        })?;
        let number = self.push(Entry { baseline: true, ..Entry::new(origin, 0) });
        for fingerprint in fingerprints {
            self.known.entry(fingerprint).or_insert(number);
        }
        Ok(())
    }

    /// Turns off what does not hold on the day `today` (`2026-11-20`) or for the stream called `source`.
    pub fn start(&mut self, today: &str, source: Option<&str>) {
        self.expired.clear();
        for (number, entry) in self.entries.iter_mut().enumerate() {
            let late = entry.expires.as_deref().filter(|day| *day < today);
            if let Some(day) = late {
                self.expired.push((number, day.to_owned()));
            }
            let foreign = entry.source.as_deref().is_some_and(|wanted| Some(wanted) != source);
            entry.off = late.is_some() || foreign;
        }
    }

    /// What has expired, with its last day.
    pub fn expired(&self) -> impl Iterator<Item = (&Entry, &str)> {
        self.expired.iter().filter_map(|(number, day)| Some((self.entries.get(*number)?, day.as_str())))
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries, in the order in which they were added. Findings name them by their place here.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The numbers of the entries that speak of this secret. Paths are not known here: see [`Allow::silences`].
    pub fn about(&self, rule: &Rule, secret: &[u8], fingerprint: &Fingerprint) -> Vec<u16> {
        let numbered = (0u16..).zip(&self.entries);
        let entries = numbered.filter(|(_, entry)| entry.is_about(rule, secret, fingerprint)).map(|(number, _)| number);
        entries.chain(self.known.get(fingerprint).copied()).collect()
    }

    /// Whether one of these entries leaves the bytes of the secret.
    pub fn passes(&self, about: &[u16]) -> bool {
        about.iter().any(|&number| self.entries.get(usize::from(number)).is_some_and(|entry| entry.pass))
    }

    /// The first of these entries that holds for the file `path`: the finding is told to nobody.
    pub fn silences(&self, about: &[u16], path: Option<&str>) -> Option<u16> {
        let holds = |entry: &Entry| match &entry.path {
            Some(glob) => path.is_some_and(|path| glob.is_match(path)),
            None => true,
        };
        about.iter().copied().find(|&number| self.entries.get(usize::from(number)).is_some_and(holds))
    }

    fn push(&mut self, entry: Entry) -> u16 {
        // More entries than a number holds would share the last one.
        let number = u16::try_from(self.entries.len()).unwrap_or(u16::MAX);
        self.entries.push(entry);
        number
    }
}

impl Row {
    fn entry(self, origin: &str, line: usize, key: &FingerprintKey) -> Result<Entry, String> {
        let mut entry = Entry::new(origin, line);
        if self.reason.trim().is_empty() {
            return Err("reason must say why this is allowed".to_owned());
        }
        entry.fingerprint = match self.fingerprint {
            None => None,
            Some(text) => Some(fingerprint(&text, self.key_id.as_deref(), key)?),
        };
        entry.value = self.value.as_deref().map(pattern).transpose()?;
        entry.path = self.path.as_deref().map(glob).transpose()?;
        entry.expires = match self.expires {
            None => None,
            Some(Day::Date(date)) => Some(day(&date.to_string())?),
            Some(Day::Text(text)) => Some(day(&text)?),
        };
        entry.pass = match self.action.as_deref() {
            None | Some("silence") => false,
            Some("pass") => true,
            Some(_) => return Err("action must be silence or pass".to_owned()),
        };
        let narrow = self.rule.is_some() || entry.fingerprint.is_some() || entry.value.is_some();
        if !narrow && entry.path.is_none() && self.source.is_none() {
            return Err("an entry names a rule, a fingerprint, a value, a path or a source".to_owned());
        }
        if entry.pass && !narrow {
            return Err("action pass needs a rule, a fingerprint or a value".to_owned());
        }
        if entry.pass && entry.path.is_some() {
            return Err("action pass cannot be limited to a path; limit it to a source".to_owned());
        }
        (entry.rule, entry.source) = (self.rule, self.source);
        Ok(entry)
    }
}

impl Entry {
    fn new(origin: &str, line: usize) -> Entry {
        Entry {
            origin: origin.to_owned(),
            line,
            rule: None,
            fingerprint: None,
            value: None,
            path: None,
            source: None,
            expires: None,
            pass: false,
            baseline: false,
            off: false,
        }
    }

    /// The file it stands in.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its 1-based line; 0 for a baseline.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The rule it names.
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// Whether it could hold in this run.
    pub fn is_on(&self) -> bool {
        !self.off
    }

    fn is_about(&self, rule: &Rule, secret: &[u8], fingerprint: &Fingerprint) -> bool {
        // A fingerprint names the secret, whichever rule finds it.
        let named = self.fingerprint.is_some() || self.rule.as_deref().is_none_or(|id| rule.is_called(id));
        !self.off
            && !self.baseline
            && named
            && self.fingerprint.is_none_or(|own| own == *fingerprint)
            && self.value.as_ref().is_none_or(|value| value.is_match(secret))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value's pattern may be the secret itself.
        f.debug_struct("Entry").field("origin", &self.origin).field("line", &self.line).finish_non_exhaustive()
    }
}

/// Reads a fingerprint that must have been made with `key`.
fn fingerprint(text: &str, key_id: Option<&str>, key: &FingerprintKey) -> Result<Fingerprint, String> {
    let fingerprint = Fingerprint::parse(text).ok_or("fingerprint must be hmac-sha256: and 64 hexadecimal digits")?;
    let key_id = key_id.ok_or("an entry by fingerprint needs the key_id that stands beside it in the finding")?;
    same_key(key_id, key)?;
    Ok(fingerprint)
}

/// Whether fingerprints of the key called `key_id` can be compared with those of this run.
fn same_key(key_id: &str, key: &FingerprintKey) -> Result<(), &'static str> {
    if key.is_ephemeral() {
        return Err("fingerprints need a key that is kept: BLACKBAR_FINGERPRINT_KEY or --fingerprint-key-file");
    }
    if key.id() != key_id {
        return Err("the fingerprint was made with another key");
    }
    Ok(())
}

/// A date, checked to be one by its form: one that no calendar has would never come, or never pass.
fn day(text: &str) -> Result<String, String> {
    let form = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    let within = |from: usize, most: &str| text.get(from..from + 2).is_some_and(|part| "00" < part && part <= most);
    if form && within(5, "12") && within(8, "31") {
        Ok(text.to_owned())
    } else {
        Err("expires must be a date: 2027-01-31".to_owned())
    }
}

/// Compiles a glob over paths: `*` and `?` stay within a name, `**` crosses folders.
pub(crate) fn glob(glob: &str) -> Result<meta::Regex, String> {
    pattern(&glob::pattern(glob))
}

fn pattern(source: &str) -> Result<meta::Regex, String> {
    let syntax = regex_automata::util::syntax::Config::new().unicode(false).utf8(false).nest_limit(40);
    let config = meta::Config::new().utf8_empty(false).nfa_size_limit(Some(EXCLUSION_COMPILED_BYTES_MAX));
    if source.len() > PATTERN_BYTES_MAX {
        return Err(format!("a pattern is longer than {PATTERN_BYTES_MAX} bytes"));
    }
    let regex = meta::Builder::new().configure(config).syntax(syntax).build(source);
    regex.map_err(|_| "a pattern is not a regular expression, or is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;

    fn key() -> FingerprintKey {
        FingerprintKey::from_bytes(b"a key that is kept")
    }

    fn allow(text: &str) -> Result<Allow, String> {
        let mut allow = Allow::default();
        allow.add(text, "allow.toml", &key()).map_err(|fault| fault.to_string())?;
        Ok(allow)
    }

    fn about(allow: &Allow, rule: &str, secret: &str) -> Vec<u16> {
        let rules = RuleSet::builtin().unwrap();
        allow.about(rules.get(rule).unwrap(), secret.as_bytes(), &key().fingerprint(secret.as_bytes()))
    }

    #[test]
    fn entries_speak_of_rules_values_and_fingerprints() {
        let text = format!(
            "[[allow]]\nrule = 'github-pat'\nreason = 'a'\n[[allow]]\nvalue = '^test-'\nreason = 'b'\naction = 'pass'\n\
             [[allow]]\nfingerprint = '{}'\nkey_id = '{}'\nreason = 'c'\n",
            key().fingerprint(b"s3cret"),
            key().id()
        );
        let allow = allow(&text).unwrap();
        assert_eq!(about(&allow, "github-pat", "x"), [0]);
        assert_eq!(about(&allow, "generic-password", "test-x"), [1]);
        assert_eq!(about(&allow, "generic-password", "s3cret"), [2]);
        assert_eq!(about(&allow, "generic-password", "x"), Vec::<u16>::new());
        assert!(allow.passes(&[1]) && !allow.passes(&[0, 2]));
    }

    #[test]
    fn a_day_that_no_calendar_has_is_no_last_day() {
        for day in ["2027-13-01", "2027-00-10", "2027-02-00", "2027-02-32", "2027-2-1", "9999-99-99"] {
            let fault =
                allow(&format!("[[allow]]\nrule = 'github-pat'\nexpires = '{day}'\nreason = 'a'\n")).unwrap_err();
            assert_eq!(fault, "allow.toml:1: expires must be a date: 2027-01-31", "{day}");
        }
    }

    #[test]
    fn an_entry_ends_with_its_last_day_and_holds_for_its_source() {
        let text = "[[allow]]\nrule = 'github-pat'\nexpires = 2026-11-20\nreason = 'a'\n\
                    [[allow]]\nrule = 'npm-token'\nsource = 'nightly'\nreason = 'b'\n";
        let mut allow = allow(text).unwrap();
        allow.start("2026-11-20", Some("nightly"));
        assert_eq!(allow.expired().count(), 0);
        assert_eq!(about(&allow, "github-pat", "x"), [0]);
        assert_eq!(about(&allow, "npm-token", "x"), [1]);
        allow.start("2026-11-21", None);
        let expired: Vec<_> = allow.expired().map(|(entry, day)| (entry.line(), day)).collect();
        assert_eq!(expired, [(1, "2026-11-20")]);
        assert_eq!(about(&allow, "github-pat", "x"), Vec::<u16>::new());
        assert_eq!(about(&allow, "npm-token", "x"), Vec::<u16>::new());
    }

    #[test]
    fn paths_are_globs_and_only_silence() {
        let allow = allow("[[allow]]\npath = 'tests/**/*.log'\nreason = 'fixtures'\n").unwrap();
        let found = about(&allow, "github-pat", "x");
        assert_eq!(allow.silences(&found, Some("tests/a/b/c.log")), Some(0));
        assert_eq!(allow.silences(&found, Some("tests/c.log")), Some(0));
        assert_eq!(allow.silences(&found, Some("src/c.log")), None);
        assert_eq!(allow.silences(&found, None), None);
    }

    #[test]
    fn entries_that_could_never_hold_or_hold_too_much_are_refused() {
        let print = key().fingerprint(b"x").to_string();
        for (text, said) in [
            ("reason = 'a'", "names a rule"),
            ("rule = 'x'", "missing"),
            ("rule = 'x'\nreason = ' '", "reason must say why"),
            ("source = 'x'\naction = 'pass'\nreason = 'a'", "action pass needs"),
            ("rule = 'x'\npath = 'y'\naction = 'pass'\nreason = 'a'", "limited to a path"),
            ("rule = 'x'\naction = 'ignore'\nreason = 'a'", "silence or pass"),
            ("rule = 'x'\nexpires = 'soon'\nreason = 'a'", "must be a date"),
            ("value = '('\nreason = 'a'", "not a regular expression"),
            ("colour = 'x'\nreason = 'a'", "does not exist"),
            (&format!("fingerprint = '{print}'\nkey_id = '0000'\nreason = 'a'"), "another key"),
            (&format!("fingerprint = '{print}'\nreason = 'a'"), "needs the key_id"),
            ("fingerprint = 'hmac-sha256:12'\nkey_id = '0000'\nreason = 'a'", "64 hexadecimal"),
        ] {
            let fault = allow(&format!("\n[[allow]]\n{text}\n")).unwrap_err();
            assert!(fault.contains(said) && fault.starts_with("allow.toml:"), "{text}: {fault}");
        }
    }

    #[test]
    fn a_fingerprint_without_a_kept_key_is_refused() {
        let ephemeral = FingerprintKey::ephemeral();
        let text = format!(
            "[[allow]]\nfingerprint = '{}'\nkey_id = '{}'\nreason = 'a'\n",
            ephemeral.fingerprint(b"x"),
            ephemeral.id()
        );
        let fault = Allow::default().add(&text, "allow.toml", &ephemeral).unwrap_err();
        assert!(fault.to_string().contains("need a key that is kept"), "{fault}");
    }
}
