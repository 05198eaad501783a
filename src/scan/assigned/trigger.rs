//! Turns the table of key names into the literals of which one stands in every text with a key of
//! the table. Does not look for them.

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
    /// The letters and digits that stand before it, and behind it, in longer names.
    pub(in crate::scan) before: Letters,
    pub(in crate::scan) behind: Letters,
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
        Trigger { text, begins: true, glued: false, before: Letters(0), behind: Letters(u64::MAX) }
    }

    /// A literal that may stand anywhere in a key.
    fn anywhere(text: Text) -> Trigger {
        Trigger { text, begins: false, glued: false, before: Letters(0), behind: Letters(0) }
    }

    /// Takes note that the literal stands in an entry's name, at a place.
    fn stands_in(&mut self, entry: &Entry, at: usize) {
        match at.checked_sub(1) {
            None => self.glued |= entry.glue && !entry.begins,
            Some(before) => self.before.0 |= Letters::bit(entry.joined.as_bytes()[before]),
        }
        // The last word of a name may be in the plural.
        let behind = entry.joined.as_bytes().get(at + self.text.len()).copied().unwrap_or(b's');
        self.behind.0 |= Letters::bit(behind);
    }

    /// Whether a name may stand where the trigger stands at `text[start..end]`: it is no part of
    /// some other word. The text may still be escaped.
    pub fn may_name(&self, text: &[u8], start: usize, end: usize) -> bool {
        let upper = |at: usize| text.get(at).is_some_and(u8::is_ascii_uppercase);
        let lower = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
        let begins = match start.checked_sub(1).map(|at| text[at]) {
            Some(before) if before.is_ascii_alphanumeric() => {
                let hump = upper(start) && (!before.is_ascii_uppercase() || lower(start + 1));
                let escaped = start > 1 && text[start - 2] == b'\\';
                self.glued || self.before.holds(before) || hump || escaped
            }
            _ => true,
        };
        let ends = match text.get(end) {
            Some(behind) if behind.is_ascii_alphabetic() => {
                let hump = upper(end) && (!upper(end - 1) || lower(end + 1));
                self.behind.holds(*behind) || hump
            }
            _ => true,
        };
        begins && ends
    }
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
pub fn triggers_of(rules: &[NamedRule], told: &[bool], singles: &Singles, entries: &[Entry]) -> Vec<Trigger> {
    let text = |word: &&[u8]| Text::from(&*String::from_utf8_lossy(word));
    let mut triggers: Vec<Trigger> = singles.words.iter().map(text).map(Trigger::anywhere).collect();
    for entry in entries {
        singles.places(entry.joined.as_bytes()).for_each(|(at, index)| triggers[index].stands_in(entry, at));
    }
    // A longer name holds a shorter one behind a separator, or is one word with it.
    let mut forms = Vec::new();
    for (rule, _) in rules.iter().zip(told).filter(|(rule, told)| !**told && rule.name.len() > 1) {
        joined_forms(rule.name, &mut forms);
    }
    forms.sort_unstable();
    forms.dedup();
    triggers.extend(forms.into_iter().map(Text::from).map(Trigger::beginning));
    triggers
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
