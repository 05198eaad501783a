//! Turns the table of key names into the literals of which one stands in every text with a key of
//! the table. Does not look for them.

use super::name::{Entry, NamedRule};

/// A literal that tells that a key may stand in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Lower-case.
    pub text: String,
    /// Whether it only counts where a word begins, behind something that is no letter.
    pub begins: bool,
    /// Whether any letters may stand before it in a key.
    glued: bool,
    /// The letters and digits that stand before it, and behind it, in longer names.
    before: Letters,
    behind: Letters,
}

/// A set of letters of either case and digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Letters(u64);

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
    /// A literal among the entries whose keys it tells.
    pub fn new(text: String, begins: bool, entries: &[Entry]) -> Trigger {
        let key: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
        let mut trigger = Trigger { text, begins, glued: false, before: Letters(0), behind: Letters(0) };
        if begins {
            // What stands before it is known, and what stands behind says little about so long a word.
            trigger.behind = Letters(u64::MAX);
            return trigger;
        }
        for entry in entries {
            for at in places(&entry.joined, &key) {
                match at.checked_sub(1) {
                    None => trigger.glued |= entry.glue && !entry.begins,
                    Some(before) => trigger.before.0 |= Letters::bit(entry.joined[before]),
                }
                // The last word of a name may be in the plural.
                let behind = entry.joined.get(at + key.len()).copied().unwrap_or(b's');
                trigger.behind.0 |= Letters::bit(behind);
            }
        }
        trigger
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
pub fn single_words(rules: &[NamedRule]) -> Vec<String> {
    let single = rules.iter().filter(|rule| rule.words.len() == 1);
    let mut words: Vec<String> = single.filter_map(|rule| rule.words.first()).map(|w| w.to_ascii_lowercase()).collect();
    words.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    words.dedup();
    let mut kept: Vec<String> = Vec::new();
    for word in words {
        if !kept.iter().any(|k| word.contains(k.as_str())) {
            kept.push(word);
        }
    }
    kept
}

/// Whether one of the single words stands in each key with this name, however its words are joined.
pub fn is_told(rule: &NamedRule, single: &[String]) -> bool {
    rule.words.iter().any(|word| single.iter().any(|k| places(word.as_bytes(), k.as_bytes()).next().is_some()))
}

/// Where `part`, which is not empty, stands in a word. At start-up this is asked thousands of times of short
/// words, for which preparing a search would take longer than the search.
fn places<'a>(word: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    (0..(word.len() + 1).saturating_sub(part.len()))
        .filter(move |&at| word[at] == part[0] && word[at..at + part.len()] == *part)
}

/// One literal a name, and fewer where one contains another: each text with a key of the table holds one.
pub fn triggers_of(rules: &[NamedRule], single: Vec<String>, entries: &[Entry]) -> Vec<Trigger> {
    let untold: Vec<&[String]> = rules.iter().filter(|r| !is_told(r, &single)).map(|r| &r.words[..]).collect();
    // A longer name holds a shorter one behind a separator, or is one word with it.
    let mut forms: Vec<String> = untold.iter().flat_map(|words| joined_forms(words)).collect();
    forms.sort();
    forms.dedup();
    let single = single.into_iter().map(|text| Trigger::new(text, false, entries));
    single.chain(forms.into_iter().map(|text| Trigger::new(text, true, entries))).collect()
}

/// A name of several words with each joiner between them.
fn joined_forms(words: &[String]) -> Vec<String> {
    let mut forms = vec![String::new()];
    for (i, word) in words.iter().enumerate() {
        let word = word.to_ascii_lowercase();
        let joiners: &[&str] = if i == 0 { &[""] } else { JOINERS };
        forms = forms
            .iter()
            .flat_map(|form| joiners.iter().map(|j| format!("{form}{j}{word}")).collect::<Vec<_>>())
            .collect();
    }
    forms.retain(|form| !form.is_empty());
    forms
}

/// What may stand between the words of one name.
const JOINERS: &[&str] = &["", "_", "-", ".", " "];
