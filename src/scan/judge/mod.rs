//! Turns a key name's promise and a value into a verdict: a secret, how surely, and why. Does not find values.
//!
//! What logs are full of is known before anything is measured: placeholders, code, language, typed values. Only what
//! is none of these is weighed, by how the key was named and how unlike text the value is.

mod around;
mod bigrams;
mod bytes;
mod cells;
mod chosen;
mod code;
mod keys;
mod placeholder;
mod prose;
mod public;
pub mod randomness;
mod sentence;
mod speech;
mod things;
mod value_type;
mod values;
mod weak;

use std::ops::Range;

pub use self::placeholder::{is_numbered_constant, is_placeholder, stands_in};
pub use self::prose::says_nothing;
pub use self::public::{is_public, published};
pub use self::randomness::{is_jumbled, is_made, is_shuffled_to, is_words, reads_like_words, text_odds};
use self::randomness::{mix, random, secret_charset};
use self::value_type::is_counted_word;
pub use self::value_type::{ValueType, trim_marks, value_type};
use self::values::Question;
pub use self::values::Values;
use self::weak::{may_be_weak, weak};
use self::{code::is_code, placeholder::names_a_secret};
use super::assigned::{Family, Strength};
pub use crate::rules::Confidence;

/// A confidence, and why, for people.
pub type Verdict = (Confidence, &'static str);

/// What stands between a key name and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    /// `k=v`
    Equals,
    /// `k: v`
    Colon,
    /// `k => v`
    Arrow,
    /// `<k>v</k>`
    Element,
    /// `--k v`
    Flag,
    /// `k    v`, `k | v`: the first two columns of a table.
    Column,
    /// `k` heads a column, and `v` stands in a row below.
    Cell,
    /// `["--k", "v"]`
    Argument,
    /// `("k", "v")`: the second of a pair.
    Item,
    /// `k: {x: v}`: `v` has a key of its own in a map that `k` names.
    Entry,
    /// `"name": "k", "value": "v"`
    Pair,
    /// `the k is v`, `k v was refused`
    Sentence,
    /// A line end.
    Block,
}

/// A value, and what stands before it.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The value, without its quotes.
    pub value: &'a [u8],
    /// It stood in quotes.
    pub quoted: bool,
    /// What parts it from its key.
    pub separator: Separator,
    /// A line end stopped it.
    pub end_of_line: bool,
    /// White space stopped it: more of a sentence may follow.
    pub more_follows: bool,
    /// White space stands between the separator and the value.
    pub spaced: bool,
    /// Two or more of it do, as in columns.
    pub columns: bool,
    /// How sure the key's name makes us.
    pub strength: Strength,
    /// What the key promises.
    pub family: Family,
    /// The key's name is a plural.
    pub plural: bool,
    /// The key and its separator.
    pub key: &'a [u8],
    /// The line before the key.
    pub before: &'a [u8],
    /// What is known of values.
    pub values: Option<&'a Values>,
}

impl<'a> Case<'a> {
    /// The same case for a part of its value.
    pub fn piece(&self, span: Range<usize>) -> Case<'a> {
        Case { value: self.value.get(span).unwrap_or_default(), ..*self }
    }

    /// `AdminPassword: XmlStringMaxLen256;`: a declaration's type, in humps and with a mark behind it, or in capitals:
    /// `Password: UNICODE_STRING,`, `WRONG_PASSWORD: WIN32_ERROR = 1323`.
    fn is_typed_field(&self) -> bool {
        let v = self.value;
        if self.separator == Separator::Colon && self.spaced && !self.quoted && !self.end_of_line && is_constant(v) {
            return true;
        }
        let humps = || {
            v.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase())
                || v.windows(3).any(|w| w[..2].iter().all(u8::is_ascii_uppercase) && w[2].is_ascii_lowercase())
        };
        let marked = !self.end_of_line && !self.more_follows;
        let declared = self.separator == Separator::Colon && self.spaced && !self.quoted;
        let capital = v.first().is_some_and(u8::is_ascii_uppercase);
        declared && marked && capital && v.iter().all(u8::is_ascii_alphanumeric) && humps()
    }

    /// What the value's bytes say, wherever it stands.
    fn asks(&self, question: Question) -> bool {
        self.values.map_or_else(|| question.of(self.value), |values| values.ask(question, self.value))
    }

    fn value_type(&self) -> ValueType {
        self.values.map_or_else(|| value_type(self.value), |values| values.value_type(self.value))
    }

    fn password(&self) -> bool {
        matches!(self.family, Family::Password | Family::Passphrase)
    }

    /// Language rather than a literal may follow: no quotes, and a separator that sentences have.
    fn loose(&self) -> bool {
        !self.quoted
            && (matches!(self.separator, Separator::Colon | Separator::Flag | Separator::Arrow | Separator::Column)
                || self.spaced)
    }
}

/// Words in capitals, joined by underscores.
fn is_constant(v: &[u8]) -> bool {
    let capital = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_';
    v.first().is_some_and(u8::is_ascii_uppercase) && v.contains(&b'_') && v.iter().all(capital)
}

/// The verdict on a value, or none if it is no secret. Never panics.
pub fn judge(case: &Case) -> Option<Verdict> {
    let v = case.value;
    // Beside weak names stand mostly words, which need no closer look.
    if case.strength == Strength::Weak && around::is_login(case) {
        return Some((Confidence::Medium, "a user and a password"));
    }
    if case.separator == Separator::Entry {
        return cells::entry(case);
    }
    if case.strength == Strength::Weak && !may_be_weak(case) {
        return None;
    }
    if v.len() < VALUE_BYTES_MIN || case.asks(Question::IsPlaceholder) || case.asks(Question::NamesASecret) {
        return None;
    }
    // What a bracket closes and a comma parts goes before a value of none.
    if !case.quoted && around::is_behind_nothing(case) && !is_made(v) && !is_jumbled(v) {
        return None;
    }
    if chosen::is_counted_pair(case) {
        return Some((Confidence::Low, "two words and a number of a password's key"));
    }
    if !case.quoted && case.separator != Separator::Block && case.asks(Question::IsCode) {
        return None;
    }
    if case.is_typed_field() && is_constant(v) || around::tells_otherwise(case) {
        return None;
    }
    // `password: must_contain_digit`
    if matches!(case.separator, Separator::Colon | Separator::Pair) && prose::is_a_message(v) {
        return None;
    }
    if case.asks(Question::SaysNothing) {
        return None;
    }
    if case.separator == Separator::Sentence {
        return sentence::told(case);
    }
    if case.separator == Separator::Column && !cells::is_beside(case)
        || case.separator == Separator::Cell && !cells::is_cell(v)
        || case.separator == Separator::Item && !cells::is_item(case)
    {
        return None;
    }
    match case.strength {
        Strength::Strong => strong(case),
        Strength::Weak => weak(case),
    }
}

/// A long random token without a key name, for the search by bare entropy. None for typed non-secrets.
pub fn bare(token: &[u8]) -> Option<Confidence> {
    if token.len() < BARE_BYTES_MIN || is_placeholder(token) || value_type(token) != ValueType::Opaque {
        return None;
    }
    let (kinds, changes) = mix(token);
    let dense = changes * 4 >= token.len();
    (kinds >= 3 && dense && secret_charset(token) && random(token)).then_some(Confidence::Low)
}

fn strong(case: &Case) -> Option<Verdict> {
    let v = case.value;
    let words = v.split(|&b| b == b' ').filter(|w| !w.is_empty()).count();
    if case.family == Family::Mnemonic {
        return (words >= MNEMONIC_WORDS_MIN).then_some((Confidence::High, "the words of a mnemonic"));
    }
    // Test results are `PASS: name` and `pass=12`.
    let name = case.key.split(|b| !b.is_ascii_alphabetic()).find(|w| !w.is_empty()).unwrap_or_default();
    let result = name.eq_ignore_ascii_case(b"pass") && case.key.len() < 10 && !case.before.ends_with(b"/");
    let key_quoted = case.key.iter().any(|b| matches!(b, b'"' | b'\''));
    let value_type = case.value_type();
    let told = !case.quoted && value_type == ValueType::Word;
    // `pass = HJz8kPq2LmX0vT4s`, as rclone has it, and `pass: uov4mWh2-nA`; `PASS: ` is said of tests.
    let mixed = v.iter().any(u8::is_ascii_digit) && v.iter().any(u8::is_ascii_alphabetic);
    // `pass: Some("x7Kq2mVb9")`, `"pass": "03918275"`
    let literal = case.quoted && v.len() >= MADE_BYTES_MIN && {
        let digits = key_quoted && v.iter().all(u8::is_ascii_digit);
        digits || mixed && matches!(value_type, ValueType::Opaque | ValueType::HexDigest | ValueType::Uuid)
    };
    let made = match case.separator {
        Separator::Equals => case.end_of_line && random(v),
        Separator::Colon if case.quoted => literal && !v.contains(&b' '),
        Separator::Colon => case.end_of_line && random(v) && name == b"pass" && mixed,
        Separator::Arrow | Separator::Flag => random(v) && mixed,
        _ => false,
    };
    if result
        && !made
        && (told
            || case.loose()
            || case.separator == Separator::Colon && !key_quoted
            || value_type == ValueType::Number)
    {
        return None;
    }
    match value_type {
        ValueType::Empty
        | ValueType::Constant
        | ValueType::Digest
        | ValueType::PublicKey
        | ValueType::Address
        | ValueType::Mac => None,
        // `password=dragon:2156`: a word and a number, where no host stands.
        ValueType::HostName if case.password() && !v.contains(&b'.') && (case.quoted || case.end_of_line) => {
            Some((Confidence::Low, "a word and a number of a password's key"))
        }
        ValueType::Url | ValueType::FileName | ValueType::Version | ValueType::Ip | ValueType::HostName => None,
        ValueType::Path | ValueType::Email | ValueType::Date | ValueType::ClassName => {
            let literal = case.password() && case.quoted && !v.contains(&b'/') && !v.contains(&b'\\');
            literal.then_some((Confidence::Low, "a quoted value of a password's key"))
        }
        ValueType::Number => number(case),
        ValueType::Prose => {
            let said =
                case.family == Family::Passphrase && words >= 4 && (case.quoted || case.separator == Separator::Block);
            // `Needed if the key is encrypted (optional)` says what a passphrase is for.
            let told =
                v.split(|&b| b == b' ').filter(|w| prose::goes_on(trim_marks(w)) || prose::says_nothing(trim_marks(w)));
            if said && !(v.contains(&b'(') && told.count() >= 2) {
                return Some((Confidence::Medium, "several words of a passphrase's key"));
            }
            // A literal of a few words, none of which a message would have.
            let literal =
                case.quoted && case.password() && !case.spaced && case.separator == Separator::Equals && words <= 4;
            let message =
                v.split(|&b| b == b' ').any(|w| prose::goes_on(trim_marks(w)) || prose::says_nothing(trim_marks(w)));
            let several = case.quoted && case.password() && chosen::is_words_joined_by(v, b' ');
            (several || literal && !message).then_some((Confidence::Low, "a few words of a password's key"))
        }
        ValueType::Word => word(case),
        ValueType::Identifier => identifier(case),
        ValueType::Uuid if keys::names_a_request(case.key) => None,
        ValueType::Uuid | ValueType::Ulid | ValueType::HexDigest => {
            Some((Confidence::High, "a machine-made value of a secret's key"))
        }
        ValueType::Opaque => opaque(case),
    }
}

fn number(case: &Case) -> Option<Verdict> {
    let digits = case.value.iter().all(u8::is_ascii_digit);
    let enough = if case.password() { VALUE_BYTES_MIN } else { 8 };
    // `secrets: 1204` counts them.
    if !digits || case.plural || case.value.len() < enough {
        return None;
    }
    // `CREATE_PASS = 1010,`: a constant of a list.
    let listed = case.separator == Separator::Equals && case.spaced && !case.quoted;
    if listed && case.value.len() < 6 && !case.end_of_line && !case.more_follows {
        return None;
    }
    // `export const RESET_PASSWORD = 100043;`
    if listed && case.before.trim_ascii_end().ends_with(b"const") {
        return None;
    }
    Some((if case.password() { Confidence::Medium } else { Confidence::Low }, "digits of a secret's key"))
}

/// A single word: a bad password, or language.
fn word(case: &Case) -> Option<Verdict> {
    let v = case.value;
    // Keys are made by machines: `ACCOUNT_API_KEY=cache` names something.
    if case.family == Family::Key && (text_odds(v) > KEY_WORD_ODDS || v.len() < MADE_BYTES_MIN) {
        return None;
    }
    let upper = v.iter().all(u8::is_ascii_uppercase);
    let medium = Some((Confidence::Medium, "a word of a secret's key"));
    let low = Some((Confidence::Low, "a word of a secret's key"));
    if case.quoted {
        return if case.password() { medium } else { low };
    }
    if prose::goes_on(v) || case.plural {
        return None;
    }
    match case.separator {
        Separator::Equals if !case.spaced && upper => low,
        Separator::Equals if !case.spaced => medium,
        Separator::Element | Separator::Argument | Separator::Pair => medium,
        // `the --password and --user switches`
        Separator::Flag if mentioned(case.before) => None,
        Separator::Flag if !case.password() || upper || case.columns || v[0].is_ascii_uppercase() => None,
        // Only passwords are words, and a sentence does not end after its first.
        _ if case.password() && !case.more_follows && !upper => medium,
        Separator::Flag => low,
        _ => None,
    }
}

/// Whether a flag stands in a sentence: behind a word that commands do not have.
fn mentioned(before: &[u8]) -> bool {
    let word = before.trim_ascii_end().rsplit(|b| b.is_ascii_whitespace()).next().unwrap_or_default();
    prose::goes_on(word) || matches!(word, b"supports" | b"options" | b"switches" | b"flags" | b"called")
}

/// Words that are joined, or a word and a number.
fn identifier(case: &Case) -> Option<Verdict> {
    let v = case.value;
    let digits = v.iter().any(u8::is_ascii_digit);
    let why = "a name-like value of a secret's key";
    // Columns of a table that colons part: `pw_name:pw_passwd:pw_uid`.
    let colons = v.iter().filter(|&&b| b == b':').count();
    if !case.quoted && colons > 0 && (colons > 1 || !digits || !case.password()) {
        return None;
    }
    let humps = v.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase());
    if case.password() {
        // `ALGORITHM_PSK = ALGO_PSK;`
        let renamed = !case.quoted && case.spaced && is_constant(v) && v.iter().filter(|b| **b == b'_').count() >= 2;
        if case.is_typed_field() || renamed {
            return None;
        }
        // `{ passphrase: keyPassphrase, ... }`, `f(path, password=getpass_unicode)`
        let handed_on = !case.quoted && !case.end_of_line && !digits && text_odds(v) > -100;
        if handed_on && (case.loose() && humps || v.contains(&b'_') && case.before.contains(&b'(')) {
            return None;
        }
        // No variable has a dash in its name.
        let parted = case.separator == Separator::Equals && case.end_of_line && v.contains(&b'-');
        let sure = matches!(case.separator, Separator::Colon | Separator::Pair | Separator::Element);
        let loosely = case.loose() && (case.more_follows || !sure && !parted);
        if !digits && loosely && text_odds(v) > -100 && !chosen::is_words_joined_by(v, b'-') {
            return None;
        }
        return Some((Confidence::Medium, why));
    }
    let short = v.iter().all(|b| b.is_ascii_alphanumeric());
    let short_name = case.family == Family::Key && !case.quoted && !digits && v.len() < MADE_BYTES_MIN;
    if short_name || case.is_typed_field() || around::is_code_name(case) {
        return None;
    }
    // A type after a field's name: `key: Ed25519PrivateKey`.
    let lead = v.iter().position(|b| *b != b'_').unwrap_or(0);
    let typed = v.get(lead).is_some_and(u8::is_ascii_uppercase)
        && v.iter().any(u8::is_ascii_lowercase)
        && text_odds(v) > -60
        && !is_counted_word(v)
        && !(case.end_of_line && (chosen::is_counted_humps(v) || chosen::is_counted_row(case)));
    if typed && case.loose() {
        return None;
    }
    match (digits, case.quoted) {
        (true, _) if short || case.quoted => Some((Confidence::Medium, why)),
        (true, false) if !case.loose() || chosen::is_counted_row(case) => Some((Confidence::Low, why)),
        // `API_KEY = "MetadataKey"`, `"app:applicationId"`: the name of a field.
        // `DATA_API_KEY = '.data-api'`: the end of a selector.
        (false, true) if v.starts_with(b".") || v.contains(&b':') || v.ends_with(b"Key") || v.ends_with(b"Id") => None,
        (false, true) => Some((Confidence::Low, why)),
        _ => None,
    }
}

fn opaque(case: &Case) -> Option<Verdict> {
    let v = case.value;
    let bare = trim_marks(v);
    if around::is_code_name(case) {
        return None;
    }
    // Columns that colons part: `host:port:user:password:options`.
    if case.separator == Separator::Colon && !case.quoted && case.before.last() == Some(&b':') && v.contains(&b':') {
        return None;
    }
    if case.loose() {
        // `password: 8-20 characters`, `password: can't be blank`, `secret: "quoted`
        let letters = bare.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'\'' | b'/' | b'-'));
        let head = bare.iter().take_while(|b| b.is_ascii_digit()).count();
        let rest = bare.get(head + 1..).unwrap_or_default();
        let counted = head > 0
            && head <= 3
            && bare.get(head) == Some(&b'-')
            && (rest.iter().all(u8::is_ascii_digit) || chosen::is_measured(rest));
        let weak_mix = bare.len() < 4 || prose::says_nothing(bare) || prose::goes_on(bare);
        // `SECRET: PKCS-12 bag with keys`
        // What a flag is given, and a field of a structure, goes on with the next one.
        let listed = case.separator == Separator::Flag || case.separator == Separator::Colon && !case.spaced;
        let argument = listed && v.iter().any(u8::is_ascii_digit) && v.iter().any(u8::is_ascii_alphabetic);
        let sentence =
            case.more_follows && !case.password() && !argument && !case.asks(Question::IsRandom) && !is_jumbled(v);
        if weak_mix
            || counted
            || sentence
            || letters && (case.more_follows || !case.password()) && text_odds(bare) > -80
        {
            return None;
        }
    }
    if v.contains(&b'\t') && case.separator == Separator::Element
        || v.contains(&b' ') && !case.quoted && !matches!(case.separator, Separator::Element | Separator::Block)
    {
        return None;
    }
    // A catalogue of translations, or a message: passwords beyond ASCII that hold no digit are rare.
    let foreign = v.iter().any(|b| *b >= 0x80) && !v.iter().any(u8::is_ascii_digit);
    if foreign && (case.quoted && case.separator == Separator::Colon || case.loose()) {
        return None;
    }
    if v.contains(&b' ') && !case.password() && !case.asks(Question::IsRandom) {
        return None;
    }
    if case.asks(Question::IsRandom) && public::published(v, false).is_none() {
        return Some((Confidence::High, "a random value of a secret's key"));
    }
    Some((Confidence::Medium, "a value of a secret's key"))
}

/// Above these odds a word beside the name of a key is one of a language.
const KEY_WORD_ODDS: i32 = -40;

const VALUE_BYTES_MIN: usize = 4;
const MNEMONIC_WORDS_MIN: usize = 8;
/// The shortest value that a machine makes and no sign of which tells it from a name (bytes).
const MADE_BYTES_MIN: usize = 8;
const BARE_BYTES_MIN: usize = 20;
