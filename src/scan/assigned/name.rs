//! Turns a key name into the rules that guard it. Does not look at the value.
//!
//! A key is cut into lower-case words (`dbPassword`, `db_password`, `DB.PASSWORD`). A rule's name matches when its
//! words are the last of the key's; counters and stages after them (`_2`, `_PROD`) and a plural do not matter. A key
//! whose last words say that it holds no secret (`public_key`, `password_file`) matches no rule but one with a shape.

pub(in crate::scan) mod endings;
mod listed;
mod memo;

use std::sync::atomic::{AtomicU32, Ordering};

pub use listed::{Entry, Listed};
use memo::Memo;

use super::{
    key,
    trigger::{Trigger, pair},
    words::{DOUBTS, FAULTS, NEGATIONS, NOT_KEYS, NOT_OTHERS, NOT_SECRETS, NOT_TOKENS, STAGES},
};
pub use crate::rules::Strength;

/// What kind of thing a key promises; the judge asks for other proofs from each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Chosen by a person: may be a word or a number.
    Password,
    /// Chosen by a person: may be several words.
    Passphrase,
    /// Many words, chosen by a machine.
    Mnemonic,
    /// Made by a machine, `..._key`.
    Key,
    /// Made by a machine, all others.
    Other,
}

/// One name of one rule, as the rule files have it.
#[derive(Clone, Copy, Debug)]
pub struct NamedRule<'a> {
    /// The rule's place in the rule table.
    pub rule: u16,
    /// The name, lower-case words with single spaces between them: `api key`.
    pub name: &'a str,
    /// How sure the name makes us.
    pub strength: Strength,
    /// A predicate on the whole value, known to [`super::Env`]. Without a match the rule does not apply.
    pub shape: Option<usize>,
}

/// All names of all rules, ready to be looked up.
pub struct Names {
    /// Tells this table from others.
    number: u32,
    listed: Listed,
}

/// The rules that a key name calls for, best first. Holds no byte of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    entries: [u16; MATCH_ENTRIES_MAX],
    len: u8,
    /// `passwords`: several, or a count of them.
    pub plural: bool,
    /// `password_hash`: no longer the secret itself.
    pub weakened: bool,
}

/// What one entry of a [`Match`] says.
#[derive(Clone, Copy, Debug)]
pub struct Called {
    /// The rule's place in the rule table.
    pub rule: u16,
    /// How sure the name makes us.
    pub strength: Strength,
    /// The predicate the whole value must satisfy, if any.
    pub shape: Option<usize>,
    /// What the key promises.
    pub family: Family,
}

/// Scratch for one key: its letters and digits in lower case, and where its words begin.
pub struct KeyWords {
    buffer: [u8; KEY_BYTES_MAX],
    length: usize,
    /// The names that they end in.
    ids: Vec<u16>,
    /// What the last few keys were.
    memo: Memo,
    /// Bit i: a word begins at letter i.
    starts: u128,
    /// Bit i: that word was set off by a separator, not by a change of case.
    parted: u128,
    /// Bit i: by a separator that no trigger literal has (two bytes, a slash).
    wide: u128,
}

/// The part a key plays when it is no secret's name: `name` and `value` of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Names what the `value` beside it is.
    Name,
    /// Holds the value that a `name` beside it named.
    Value,
    /// Neither.
    Other,
}

impl Names {
    /// The table of the names of which this was made.
    pub fn new(listed: Listed) -> Names {
        static NUMBERS: AtomicU32 = AtomicU32::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Names { number, listed }
    }

    /// The caseless literals of which at least one stands in every text that holds a key of this table.
    pub fn triggers(&self) -> &[Trigger] {
        &self.listed.triggers
    }

    /// Whether a name may stand where a trigger stands at `text[start..end]`.
    pub fn may_stand(&self, trigger: &Trigger, text: &[u8], start: usize, end: usize) -> bool {
        trigger.may_name(&self.listed.rests, text, start, end)
    }

    /// The rules that `key` calls for, or none.
    pub fn look_up(&self, key: &[u8], words: &mut KeyWords) -> Option<Match> {
        if !self.may_end(key) {
            return None;
        }
        if let Some(found) = words.memo.recall(self.number, key) {
            return found;
        }
        let found = self.look_up_anew(key, words);
        words.memo.keep(key, found);
        found
    }

    fn look_up_anew(&self, key: &[u8], words: &mut KeyWords) -> Option<Match> {
        words.read(key);
        let (weakened, plural_at) = words.strip_tail();
        let singular = self.find(words, words.length, weakened, false);
        if singular.is_some() || !plural_at {
            return singular;
        }
        self.find(words, words.length - 1, weakened, true)
    }

    /// Whether the last letters of a key are those of a name, or of what may follow one. Most keys fail here.
    pub fn may_end(&self, key: &[u8]) -> bool {
        let letters = key.iter().rev().filter(|byte| byte.is_ascii_alphanumeric()).copied();
        let ends = |letters: &mut dyn Iterator<Item = u8>| match (letters.next(), letters.next()) {
            (Some(b), Some(a)) => self.listed.ends[tail(&[a, b])],
            _ => false,
        };
        if ends(&mut letters.clone()) {
            return true;
        }
        // A counter is taken off; before one that stands alone there may be words.
        let digits = letters.clone().take(COUNTER_DIGITS_MAX + 1).take_while(u8::is_ascii_digit).count();
        let mut rest = letters.skip(digits).peekable();
        (1..=COUNTER_DIGITS_MAX).contains(&digits) && (rest.peek().is_none() || ends(&mut rest))
    }

    /// Whether a key that ends at `end` may have a name of the table, or be a `name` or `value`, as far as its last
    /// two letters tell. Nearly all keys fail here.
    #[inline]
    pub fn may_end_at(&self, text: &[u8], end: usize) -> bool {
        match key::letters_before(text, end) {
            Ok(letters) => self.listed.likely[tail(&letters)],
            Err(may) => may,
        }
    }

    /// What the entry `i` of a match says.
    pub fn called(&self, m: &Match, i: usize) -> Option<Called> {
        let id = *m.entries[..usize::from(m.len)].get(i)?;
        let e = self.listed.entries.get(usize::from(id))?;
        Some(Called { rule: e.rule, strength: e.strength, shape: e.shape, family: e.family })
    }

    /// The rules that a match calls for, and the names that they have there.
    pub fn told(&self, found: &Match) -> impl Iterator<Item = (u16, String)> {
        let entries = found.entries.iter().take(usize::from(found.len));
        entries.filter_map(|id| {
            let entry = self.listed.entries.get(usize::from(*id))?;
            Some((entry.rule, entry.joined.to_string()))
        })
    }

    /// The match that calls for these, as far as this table has them.
    pub fn heard<'a>(&self, told: impl Iterator<Item = (u16, &'a str)>, plural: bool, weakened: bool) -> Option<Match> {
        let mut found = Match { entries: [0; MATCH_ENTRIES_MAX], len: 0, plural, weakened };
        for (rule, name) in told.take(MATCH_ENTRIES_MAX) {
            let is_it = |entry: &Entry| entry.rule == rule && entry.joined == *name;
            let Some(id) = self.listed.entries.iter().position(is_it) else { continue };
            found.entries[usize::from(found.len)] = u16::try_from(id).ok()?;
            found.len += 1;
        }
        (found.len > 0).then_some(found)
    }

    fn find(&self, words: &mut KeyWords, end: usize, weakened: bool, plural: bool) -> Option<Match> {
        let mut ids = std::mem::take(&mut words.ids);
        let found = self.find_in(&mut ids, words, end, weakened, plural);
        words.ids = ids;
        found
    }

    fn find_in(&self, ids: &mut Vec<u16>, words: &KeyWords, end: usize, weakened: bool, plural: bool) -> Option<Match> {
        let letters = words.letters().get(..end)?;
        let mut found = Match { entries: [0; MATCH_ENTRIES_MAX], len: 0, plural, weakened };
        self.listed.endings.of_key(letters, ids);
        for &id in &*ids {
            let e = self.listed.entries.get(usize::from(id))?;
            if !e.ends(letters, words) {
                continue;
            }
            let from = end - e.joined.len();
            if e.shape.is_none() && never_secret(letters, from, words.starts, e.joined.as_bytes()) {
                continue;
            }
            // `invalid token: x` tells of a token as often as of a character, and `tls_secret` has the name of one.
            if e.shape.is_none() && is_doubtful(letters, from, words.starts, e.joined.as_bytes()) {
                found.weakened = true;
            }
            // `token_hash`: what a password's hash can be used for, that of a token cannot.
            if e.shape.is_none() && weakened && e.strength == Strength::Weak {
                continue;
            }
            // One place is kept for the rule without a shape, which comes last and applies when no shape fits.
            let full = usize::from(found.len) + 1 >= MATCH_ENTRIES_MAX;
            if e.shape.is_some() && full {
                continue;
            }
            found.entries[usize::from(found.len)] = id;
            found.len += 1;
            if e.shape.is_none() {
                break;
            }
        }
        (found.len > 0).then_some(found)
    }
}

/// A number for the last two letters or digits of a word, whatever their case; some share theirs.
fn tail(word: &[u8]) -> usize {
    pair(&word[word.len().saturating_sub(2)..])
}

impl Default for KeyWords {
    fn default() -> KeyWords {
        KeyWords {
            buffer: [0; KEY_BYTES_MAX],
            length: 0,
            ids: Vec::new(),
            memo: Memo::default(),
            starts: 0,
            parted: 0,
            wide: 0,
        }
    }
}

impl KeyWords {
    /// The letters and digits of the key, lower-case.
    fn letters(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    /// Cuts the last `KEY_BYTES_MAX` bytes of a key into words.
    fn read(&mut self, key: &[u8]) {
        self.length = 0;
        (self.starts, self.parted, self.wide) = (0, 0, 0);
        let mut after_capital = false;
        let mut gap = 0usize;
        let mut slash = false;
        let tail = &key[key.len().saturating_sub(KEY_BYTES_MAX)..];
        for (i, &b) in tail.iter().enumerate() {
            if !b.is_ascii_alphanumeric() {
                gap += 1;
                slash |= !matches!(b, b'_' | b'-' | b'.' | b' ');
                continue;
            }
            let capital = b.is_ascii_uppercase();
            let hump = capital && (!after_capital || tail.get(i + 1).is_some_and(u8::is_ascii_lowercase));
            after_capital = capital;
            if gap > 0 || self.length == 0 || hump {
                let bit = 1u128 << self.length;
                self.starts |= bit;
                if gap > 0 {
                    self.parted |= bit;
                }
                if gap > 1 || slash {
                    self.wide |= bit;
                }
                (gap, slash) = (0, false);
            }
            if let Some(slot) = self.buffer.get_mut(self.length) {
                *slot = b.to_ascii_lowercase();
                self.length += 1;
            }
        }
    }

    /// Takes counters and stages off the end. Says whether the rest is only a weakened secret, and ends in a plural `s`.
    fn strip_tail(&mut self) -> (bool, bool) {
        let mut weakened = false;
        for _ in 0..3 {
            let digits = self.letters().iter().rev().take_while(|b| b.is_ascii_digit()).count();
            // A key of digits alone is no name; up to four are a counter or a year.
            if digits > COUNTER_DIGITS_MAX || digits == self.length {
                break;
            }
            self.length -= digits;
            let from = self.last_word();
            let word = self.letters().get(from..).unwrap_or_default();
            // An XML signature's element, which is public.
            let public = word == b"value" && self.letters().get(..from).is_some_and(|l| l.ends_with(b"signature"));
            if from == 0 || public || !(listed(STAGES, word) || word == b"hash" || word == b"hashed") {
                break;
            }
            weakened |= word.starts_with(b"hash");
            self.length = from;
        }
        (weakened, self.length > 4 && self.letters().ends_with(b"s") && !self.letters().ends_with(b"ss"))
    }

    fn last_word(&self) -> usize {
        let below = if self.length >= 128 { u128::MAX } else { (1 << self.length) - 1 };
        (127 - (self.starts & below | 1).leading_zeros()) as usize
    }
}

/// The part of a pair that this key is. `"name": "DB_PASSWORD", "value": "x"`.
pub fn role(key: &[u8]) -> Role {
    if !matches!(key.last(), Some(b) if b"ekymrdnvlt".contains(&b.to_ascii_lowercase())) {
        return Role::Other;
    }
    let is = |names: &[&str]| names.iter().any(|n| key.eq_ignore_ascii_case(n.as_bytes()));
    if is(NAME_ROLES) {
        Role::Name
    } else if is(VALUE_ROLES) {
        Role::Value
    } else {
        Role::Other
    }
}

/// Whether a key with these last two letters, or with the last one alone, may be a [`Role::Name`].
pub fn may_end_role(letters: &[u8; 2]) -> bool {
    let [a, b] = letters.map(|letter| letter.to_ascii_lowercase());
    NAME_ROLES.iter().any(|name| match name.as_bytes() {
        [.., c, d] => [*c, *d] == [a, b],
        one => one == [b],
    })
}

/// Whether a key is `default`.
pub fn is_default(key: &[u8]) -> bool {
    key.eq_ignore_ascii_case(DEFAULT.as_bytes())
}

/// Whether the words before a name make it something else: `public key`, `next token`.
fn never_secret(letters: &[u8], from: usize, starts: u128, name: &[u8]) -> bool {
    let before = word_before(letters, from, starts);
    let is = |list: &[&str]| listed(list, before);
    match name {
        _ if is(NEGATIONS) => true,
        b"key" => is(NOT_KEYS),
        b"token" => is(NOT_TOKENS) || letters[..from].ends_with(b"publickey"),
        b"clustertoken" => before == b"initial",
        b"secret" => is(NOT_SECRETS),
        b"session" | b"sessionid" | b"auth" | b"signature" => is(NOT_OTHERS),
        _ => name.ends_with(b"key") && is(&["public", "pub"]),
    }
}

/// Whether the words before a name leave it open whether a secret stands behind it.
fn is_doubtful(letters: &[u8], from: usize, starts: u128, name: &[u8]) -> bool {
    let before = word_before(letters, from, starts);
    let of_a_character = matches!(name, b"token" | b"key" | b"secret");
    of_a_character && listed(FAULTS, before) || name == b"secret" && listed(DOUBTS, before)
}

/// The word that ends where a name begins. Glued names have no boundary, so the letters before them count as it: `publickey`.
fn word_before(letters: &[u8], from: usize, starts: u128) -> &[u8] {
    let below = if from == 0 { 0 } else { starts & ((1u128 << from) - 1) };
    let at = if below == 0 { 0 } else { (127 - below.leading_zeros()) as usize };
    letters.get(at..from).unwrap_or_default()
}

/// Whether a list of words holds `word`.
fn listed(list: &[&str], word: &[u8]) -> bool {
    list.iter().any(|known| known.as_bytes() == word)
}

/// More bytes than this no key has that a person wrote; 128 also is what the bit sets hold.
pub const KEY_BYTES_MAX: usize = 120;
const MATCH_ENTRIES_MAX: usize = 4;
/// The keys that name what a `value` beside them is, and the keys of that value.
const NAME_ROLES: &[&str] = &[
    "name",
    "key",
    "k",
    "variable",
    "var",
    "property",
    "param",
    "parameter",
    "parameterkey",
    "header",
    "field",
    "option",
];
const VALUE_ROLES: &[&str] = &["value", "val", "v", "content", "parametervalue", DEFAULT];
/// The key of a variable's value, where Terraform declares it.
const DEFAULT: &str = "default";
/// How many digits a counter or a year has at most.
const COUNTER_DIGITS_MAX: usize = 4;
