//! Turns the table of key names into the literals of which one stands in every text with a key of
//! the table. Does not look for them.

use std::collections::BTreeSet;

use super::name::{Entry, NamedRule};
use crate::rules::Text;

/// A literal that tells that a key may stand in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Lower-case.
    pub text: Text,
    /// Whether it only counts where a word begins, behind something that is no letter.
    pub begins: bool,
    /// Whether any letters may stand before it in a key.
    pub(in crate::scan) glued: bool,
    /// The letters and digits that stand before it in longer names.
    pub(in crate::scan) before: Letters,
    /// How names go on behind it: from where to where in the table of [`Triggers::rests`].
    pub(in crate::scan) rests: (u32, u32),
    /// With which letters and digits they go on.
    pub(in crate::scan) nexts: Letters,
    /// Whether one ends there.
    pub(in crate::scan) ends: bool,
}

/// The triggers of all names.
pub struct Triggers {
    pub list: Vec<Trigger>,
    /// How names go on behind them: each a length and that many letters and digits.
    pub rests: Vec<u8>,
}

/// A set of letters of either case and digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::scan) struct Letters(pub u64);

impl Letters {
    fn bit(byte: u8) -> u64 {
        match byte {
            b'a'..=b'z' => 1 << (byte - b'a'),
            b'A'..=b'Z' => 1 << (byte - b'A'),
            b'0'..=b'9' => 1 << (26 + byte - b'0'),
            _ => 0,
        }
    }

    fn holds(self, byte: u8) -> bool {
        self.0 & Letters::bit(byte) != 0
    }
}

impl Trigger {
    /// A literal that stands where a word begins: what stands before it is known, and what stands
    /// behind says little about so long a word.
    fn beginning(text: Text) -> Trigger {
        Trigger { begins: true, ..Trigger::anywhere(text) }
    }

    /// A literal that may stand anywhere in a key.
    fn anywhere(text: Text) -> Trigger {
        let none = Letters(0);
        Trigger { text, begins: false, glued: false, before: none, rests: (0, 0), nexts: none, ends: false }
    }

    /// Takes note that the literal stands in an entry's name, at a place. Returns what stands behind it there.
    fn stands_in<'a>(&mut self, entry: &'a Entry, at: usize) -> &'a [u8] {
        match at.checked_sub(1) {
            None => self.glued |= entry.glue && !entry.begins,
            Some(before) => self.before.0 |= Letters::bit(entry.joined.as_bytes()[before]),
        }
        &entry.joined.as_bytes()[at + self.text.len()..]
    }

    /// Whether a name may stand where the trigger stands at `text[start..end]`: it is no part of
    /// some other word. The text may still be escaped. `rests` is the table of all triggers.
    pub fn may_name(&self, rests: &[u8], text: &[u8], start: usize, end: usize) -> bool {
        let begins = match start.checked_sub(1).map(|at| text[at]) {
            Some(before) if before.is_ascii_alphanumeric() => {
                let escaped = start > 1 && text[start - 2] == b'\\';
                self.glued || self.before.holds(before) || is_hump(text, start) || escaped
            }
            _ => true,
        };
        begins && (self.rests.0 == self.rests.1 || self.may_go_on(rests, text, end))
    }

    /// Whether a name may go on, and end, behind the trigger that ends at `text[..at]`.
    fn may_go_on(&self, rests: &[u8], text: &[u8], at: usize) -> bool {
        // Most are told by the next letter.
        if self.ends && may_be(text, at, &[]) {
            return true;
        }
        let next = at + usize::from(text.get(at).is_some_and(|&byte| is_joiner(byte)));
        match text.get(next) {
            Some(next) if next.is_ascii_alphanumeric() && !self.nexts.holds(*next) => false,
            Some(next) if !next.is_ascii_alphanumeric() && *next != b'\\' => false,
            _ => goes_on_so(text, at, &rests[self.rests.0 as usize..self.rests.1 as usize]),
        }
    }
}

/// Whether a name may go on, and end, in one of these ways behind its beginning that ends at `text[..at]`.
fn goes_on_so(text: &[u8], at: usize, mut rests: &[u8]) -> bool {
    let next = at + usize::from(text.get(at).is_some_and(|&byte| is_joiner(byte)));
    let next = text.get(next).filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase);
    while let Some((length, letters)) = rests.split_first() {
        let (rest, others) = letters.split_at(usize::from(*length).min(letters.len()));
        // Most are told by their first letter.
        let other = matches!((next, rest.first()), (Some(next), Some(letter)) if next != *letter);
        if !other && may_be(text, at, rest) {
            return true;
        }
        rests = others;
    }
    false
}

/// Whether a name may go on so, and end. Between its words one byte may stand, and of a text that may still be escaped
/// a backslash.
fn may_be(text: &[u8], at: usize, rest: &[u8]) -> bool {
    let mut at = at;
    for letter in rest {
        at += usize::from(text.get(at).is_some_and(|&byte| is_joiner(byte)));
        match text.get(at) {
            Some(byte) if byte.to_ascii_lowercase() == *letter => at += 1,
            byte => return byte.is_none_or(|byte| *byte == b'\\'),
        }
    }
    let goes_on = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphabetic) && !is_hump(text, at);
    // The last word of a name may be in the plural.
    !goes_on(at) || text[at].eq_ignore_ascii_case(&b's') && !goes_on(at + 1)
}

/// Whether a byte may stand between the words of a name.
fn is_joiner(byte: u8) -> bool {
    matches!(byte, b'_' | b'-' | b'.' | b' ')
}

/// Whether a word begins at a letter that stands behind another one.
fn is_hump(text: &[u8], at: usize) -> bool {
    let upper = |at: usize| text.get(at).is_some_and(u8::is_ascii_uppercase);
    upper(at) && (!upper(at - 1) || text.get(at + 1).is_some_and(u8::is_ascii_lowercase))
}

/// The single words of which one stands in most keys, and fewer where one contains another.
pub struct Singles<'a> {
    words: Vec<&'a [u8]>,
    /// By [`pair`] the last of the words that begin so; at most places of a name there is none, which
    /// is seen with one look.
    heads: Vec<Option<u16>>,
    /// The word before each one that begins as it does.
    before: Vec<Option<u16>>,
}

impl<'a> Singles<'a> {
    /// Those among the names of rules.
    pub fn of(rules: &[NamedRule<'a>]) -> Singles<'a> {
        let single = rules.iter().map(|rule| rule.name.as_bytes());
        let mut words: Vec<&[u8]> = single.filter(|name| name.len() > 1 && !name.contains(&b' ')).collect();
        words.sort_unstable_by_key(|word| (word.len(), *word));
        words.dedup();
        let mut kept = Singles { words: Vec::new(), heads: vec![None; PAIRS], before: Vec::new() };
        for word in words {
            if kept.places(word).next().is_none() {
                let number = kept.words.len() as u16;
                kept.words.push(word);
                kept.before.push(kept.heads[pair(word)].replace(number));
            }
        }
        kept
    }

    /// Whether one of them stands in each key with this name, however its words are joined.
    pub fn tell(&self, name: &str) -> bool {
        name.as_bytes().split(|&byte| byte == b' ').any(|word| self.places(word).next().is_some())
    }

    /// Where in some letters which of them stands. None contains another, so at one place there is
    /// one at most.
    fn places(&self, letters: &[u8]) -> impl Iterator<Item = (usize, usize)> {
        let heads = letters.windows(2).enumerate();
        heads.filter_map(move |(at, head)| {
            let mut next = self.heads[pair(head)];
            while let Some(number) = next {
                let number = usize::from(number);
                if letters[at..].starts_with(self.words[number]) {
                    return Some((at, number));
                }
                next = self.before[number];
            }
            None
        })
    }
}

/// A number for the first two letters or digits of a word, whatever their case; some share theirs.
pub fn pair(word: &[u8]) -> usize {
    match word {
        [a, b, ..] => usize::from(a & 31) << 5 | usize::from(b & 31),
        _ => 0,
    }
}

/// One literal a name, and fewer where one contains another: each text with a key of the table holds one.
/// `told` says which names hold a single word.
pub fn triggers_of(rules: &[NamedRule], told: &[bool], singles: &Singles, entries: &[Entry]) -> Triggers {
    let text = |word: &&[u8]| Text::from(&*String::from_utf8_lossy(word));
    let mut triggers: Vec<Trigger> = singles.words.iter().map(text).map(Trigger::anywhere).collect();
    let mut behind = vec![BTreeSet::new(); triggers.len()];
    for entry in entries {
        for (at, index) in singles.places(entry.joined.as_bytes()) {
            behind[index].insert(triggers[index].stands_in(entry, at));
        }
    }
    let mut rests = Vec::new();
    for (trigger, behind) in triggers.iter_mut().zip(behind) {
        let from = rests.len() as u32;
        for rest in behind {
            match rest.first() {
                Some(next) => trigger.nexts.0 |= Letters::bit(*next),
                None => trigger.ends = true,
            }
            rests.push(rest.len() as u8);
            rests.extend(rest);
        }
        trigger.rests = (from, rests.len() as u32);
    }
    // A longer name holds a shorter one behind a separator, or is one word with it.
    let mut forms = Vec::new();
    for (rule, _) in rules.iter().zip(told).filter(|(rule, told)| !**told && rule.name.len() > 1) {
        joined_forms(rule.name, &mut forms);
    }
    forms.sort_unstable();
    forms.dedup();
    triggers.extend(forms.into_iter().map(Text::from).map(Trigger::beginning));
    Triggers { list: triggers, rests }
}

/// Appends a name of several words with each joiner between them.
fn joined_forms(name: &str, forms: &mut Vec<String>) {
    let first = forms.len();
    forms.push(String::with_capacity(name.len()));
    for (number, word) in name.split(' ').enumerate() {
        // What stood there so far goes on with the first joiner, its copies with the others.
        let stems = first..forms.len();
        for joiner in if number == 0 { &[][..] } else { &JOINERS[1..] } {
            for stem in stems.clone() {
                let mut form = String::with_capacity(name.len());
                for part in [forms[stem].as_str(), joiner, word] {
                    form.push_str(part);
                }
                forms.push(form);
            }
        }
        forms[stems].iter_mut().for_each(|form| form.push_str(word));
    }
}

/// How many numbers [`pair`] gives.
pub const PAIRS: usize = 1 << 10;
/// What may stand between the words of one name; first of all nothing.
const JOINERS: &[&str] = &["", "_", "-", ".", " "];

#[cfg(test)]
mod tests {
    use super::{
        super::{Names, name::KeyWords},
        *,
    };
    use crate::scan::embedded;

    /// A name as keys have it.
    fn keys_of(words: &[&str]) -> Vec<String> {
        let capital = |word: &&str| word[..1].to_ascii_uppercase() + &word[1..];
        let camel = words[0].to_owned() + &words[1..].iter().map(capital).collect::<String>();
        let mut keys: Vec<String> = JOINERS.iter().map(|joiner| words.join(joiner)).collect();
        keys.extend([words.join("_").to_ascii_uppercase(), words.concat().to_ascii_uppercase(), camel]);
        keys
    }

    #[test]
    fn a_key_with_a_name_of_the_table_holds_a_trigger_that_says_so_however_it_is_written() {
        let names = Names::new(embedded::tables().names);
        let entries = embedded::tables().names.entries;
        let mut scratch = KeyWords::default();
        let mut keys = 0;
        for entry in entries.iter() {
            let begins: Vec<usize> = (0..entry.joined.len()).filter(|at| entry.starts >> at & 1 == 1).collect();
            let ends = begins[1..].iter().copied().chain([entry.joined.len()]);
            let words: Vec<&str> = begins.iter().zip(ends).map(|(from, to)| &entry.joined[*from..to]).collect();
            for key in keys_of(&words) {
                for (before, behind) in [("", "="), ("my_", "s: "), ("", "2="), ("DB_", "_PROD=")] {
                    let text = format!("{before}{key}{behind}");
                    let name = text.trim_end_matches(['=', ':', ' ']);
                    if names.look_up(name.as_bytes(), &mut scratch).is_none() {
                        continue;
                    }
                    keys += 1;
                    let lower = text.to_ascii_lowercase();
                    let told = names.triggers().iter().any(|trigger| {
                        let mut places = lower.match_indices(trigger.text.as_str());
                        places.any(|(at, word)| names.may_stand(trigger, text.as_bytes(), at, at + word.len()))
                    });
                    assert!(told, "{text}");
                }
            }
        }
        assert!(keys > entries.len());
    }

    #[test]
    fn words_that_only_begin_like_a_name_are_turned_down() {
        let names = Names::new(embedded::tables().names);
        let may = |text: &str, word: &str| {
            let at = text.to_ascii_lowercase().find(word).unwrap();
            let trigger = names.triggers().iter().find(|trigger| *trigger.text == *word).unwrap();
            names.may_stand(trigger, text.as_bytes(), at, at + word.len())
        };
        for (text, word) in
            [("authorMacBook: x", "auth"), ("keyboard=x", "key"), ("signal: x", "sig"), ("passed: x", "pass")]
        {
            assert!(!may(text, word), "{text}");
        }
        for (text, word) in
            [("Authorization: x", "auth"), ("auth: x", "auth"), ("keys=x", "key"), ("key\\u0073=x", "key")]
        {
            assert!(may(text, word), "{text}");
        }
    }
}
