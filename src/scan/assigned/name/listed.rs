//! Turns the names of rules into what is made of them before keys are looked up. Does not look them up.

use super::{
    super::{
        trigger::{PAIRS, Singles, Trigger, Triggers, triggers_of},
        words::STAGES,
    },
    Family, KeyWords, NAME_ROLES, NamedRule, Strength, VALUE_ROLES,
    endings::Endings,
    tail,
};
use crate::{rules::Text, scan::array::Array};

/// What is made of the names.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub(in crate::scan) entries: Array<Entry>,
    /// The entries by the letters at the ends of their names.
    pub(in crate::scan) endings: Endings,
    /// The tails of keys that may end in a name, or in what may follow one.
    pub(in crate::scan) ends: Array<bool>,
    /// The same, and those of the keys that name what a `value` is, and of `value`.
    pub(in crate::scan) likely: Array<bool>,
    pub(in crate::scan) triggers: Array<Trigger>,
    /// How names go on behind triggers.
    pub(in crate::scan) rests: Array<u8>,
}

/// One compiled name.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The words without separators.
    pub joined: Text,
    /// Where in `joined` words begin (bit 0: first byte, always set).
    pub(in crate::scan) starts: u128,
    pub(in crate::scan) rule: u16,
    pub(in crate::scan) strength: Strength,
    pub(in crate::scan) shape: Option<usize>,
    pub(in crate::scan) family: Family,
    /// May follow other letters without a separator (`dbpassword`, but not `monkey`).
    pub glue: bool,
    /// Must stand at the key's beginning or behind a separator: the prefilter only looks for it there.
    pub begins: bool,
}

impl Listed {
    /// What is made of the names of rules. Names longer than 64 letters, or without any, are left out.
    pub fn of(rules: &[NamedRule]) -> Listed {
        let singles = Singles::of(rules);
        let told: Vec<bool> = rules.iter().map(|rule| singles.tell(rule.name)).collect();
        let entries = rules.iter().zip(&told).filter_map(|(rule, told)| Entry::new(rule, !told));
        let mut entries: Vec<Entry> = entries.take(usize::from(u16::MAX)).collect();
        // The order within a bucket is the order of preference: a shape decides best, then the longest name.
        entries.sort_by_key(|e| (e.shape.is_none(), usize::MAX - e.joined.len(), e.strength == Strength::Weak));
        let mut ends = vec![false; PAIRS];
        let suffixes = STAGES.iter().chain(&["hash", "hashed"]).map(|word| word.as_bytes());
        for word in entries.iter().map(|e| e.joined.as_bytes()).chain(suffixes) {
            ends[tail(word)] = true;
            ends[tail(&[word[word.len() - 1], b's'])] = true;
        }
        let mut likely = ends.clone();
        NAME_ROLES.iter().chain(VALUE_ROLES).for_each(|word| likely[tail(word.as_bytes())] = true);
        let Triggers { list: triggers, rests } = triggers_of(rules, &told, &singles, &entries);
        let endings = Endings::of(&entries);
        let (ends, likely, triggers, rests) = (ends.into(), likely.into(), triggers.into(), rests.into());
        Listed { entries: entries.into(), endings, ends, likely, triggers, rests }
    }
}

impl Entry {
    pub(super) fn new(rule: &NamedRule, begins: bool) -> Option<Entry> {
        let spaces = rule.name.bytes().filter(|&b| b == b' ').count();
        let mut joined = Vec::with_capacity(rule.name.len() - spaces);
        let mut starts = 0u128;
        for word in rule.name.as_bytes().split(|&b| b == b' ') {
            starts |= 1 << joined.len().min(127);
            joined.extend_from_slice(word);
        }
        if !(2..=64).contains(&joined.len()) {
            return None;
        }
        let joined = String::from_utf8_lossy(&joined).into_owned();
        let name = joined.as_str();
        let holds = |part: &str| name.contains(part);
        let family = if MNEMONICS.iter().any(|end| name.ends_with(end)) {
            Family::Mnemonic
        } else if name.ends_with("passphrase") {
            Family::Passphrase
        } else if holds("pass") || holds("pwd") || PASSWORDS.iter().any(|end| name.ends_with(end)) {
            Family::Password
        } else if name.ends_with("key") {
            Family::Key
        } else {
            Family::Other
        };
        let glue = joined.len() >= 5 && !NO_GLUE.contains(&name) || name == "pwd";
        Some(Entry {
            joined: joined.into(),
            starts,
            rule: rule.rule,
            strength: rule.strength,
            shape: rule.shape,
            family,
            glue,
            begins,
        })
    }

    pub(super) fn ends(&self, letters: &[u8], words: &KeyWords) -> bool {
        if !letters.ends_with(self.joined.as_bytes()) {
            return false;
        }
        let from = letters.len() - self.joined.len();
        let begins = if self.begins { words.parted } else { words.starts };
        if (self.begins || !self.glue) && from > 0 && begins >> from & 1 == 0 {
            return false;
        }
        // Inside the name a separator may stand only between the name's own words, and must be one of JOINERS:
        // otherwise no trigger literal would have told that this key is here.
        let inside = ((1u128 << self.joined.len()) - 1) & !1;
        let parted = (words.parted >> from) & inside;
        parted & !self.starts == 0 && (words.wide >> from) & inside == 0
    }
}

/// Names that are the ends of common words: they must begin where a word does.
const NO_GLUE: &[&str] = &["cookie", "session", "signature", "credential", "creds", "bearer", "clave"];

/// The ends of names of many words that a machine chose.
const MNEMONICS: &[&str] = &["mnemonic", "mnemonicphrase", "seedphrase", "seedwords", "recoveryphrase", "paperkey"];
/// The ends of names of passwords, besides those with `pass` or `pwd` in them.
const PASSWORDS: &[&str] = &[
    "pw",
    "psk",
    "kennwort",
    "contrasena",
    "contrasenya",
    "clave",
    "senha",
    "wachtwoord",
    "mdp",
    "haslo",
    "heslo",
    "geslo",
    "lozinka",
    "salasana",
    "losenord",
    "adgangskode",
    "kodeord",
    "parola",
    "sifre",
    "jelszo",
    "katasandi",
];
