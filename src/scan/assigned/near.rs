//! Looks at the keys that hold one trigger, and at nothing else of their line. Says no less than the scan of the whole
//! line would.

use std::ops::Range;

use super::{Env, Hit, KnownEnd, Mark, Names, Pending, Quotes, Scan, Scratch, Table, hint, insert, key};

/// What stands around one trigger of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Near {
    /// No key that holds the trigger is assigned a secret, or awaits its value.
    Nothing,
    /// One is, or does.
    Something,
    /// Something far away may have to do with it: only the scan of the whole line tells.
    Unknown,
}

/// What is kept from one look at a line to the next.
#[derive(Debug, Default)]
pub struct Kept {
    quotes: Quotes,
    /// Of the last unquoted value.
    end: KnownEnd,
    /// How many bytes of values were looked at.
    work: usize,
}

/// Does for the keys that hold the trigger at `line[place]` what [`scan`] does for all of the line, an ended text.
/// `kept` is what the looks at the places before have left, in the same line.
///
/// [`scan`]: super::scan
pub fn near(
    line: &[u8],
    place: Range<usize>,
    names: &Names,
    env: &dyn Env,
    kept: &mut Kept,
    scratch: &mut Scratch,
    hits: &mut Vec<Hit>,
) -> Near {
    hits.clear();
    let mut scan = Scan {
        text: line,
        ended: true,
        names,
        env,
        words: &mut scratch.words,
        values: &scratch.values,
        hits,
        quotes: kept.quotes,
        kept_to: place.start,
        kept: kept.quotes,
        from: 0,
        named: None,
        pending: Pending::None,
        line: 0,
        at: 0,
        work: kept.work,
        poor: false,
        inserted_to: 0,
        known_end: kept.end,
        reach: usize::MAX,
        mark: Mark::start(false, Pending::None),
        again: None,
    };
    let near = scan.near(place.clone());
    let named = near == Near::Nothing && scan.is_named(place.start);
    // Past the work that a line is worth, values are not looked at to their ends.
    let near = if named || scan.poor && near == Near::Nothing { Near::Unknown } else { near };
    (kept.quotes, kept.end, kept.work) = (scan.kept, scan.known_end, scan.work);
    near
}

impl Scan<'_> {
    /// Looks at the separators behind a trigger, as far as the key before them may hold it.
    #[inline(always)]
    fn near(&mut self, trigger: Range<usize>) -> Near {
        let mut reach = hint::Reach::default();
        // Whether all so far is of the word that holds the trigger, and whether something stands behind it that only
        // a key in quotes or brackets holds.
        let (mut inside, mut parted) = (true, false);
        self.from = trigger.start;
        let first = hint::start_of(self.text, trigger.start);
        let word = trigger.end + self.text[trigger.end..].iter().take_while(|&&byte| key::is_ident(byte)).count();
        let line = self.text.strip_suffix(b"\n").unwrap_or(self.text);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if Table::may_head(self.text, first, word) && Table::headed(line, self.names, self.words).is_some() {
            return Near::Something;
        }
        if insert::may_be_column(self.text, first, word) {
            return Near::Unknown;
        }
        if hint::may_announce(self.text, first, word) && self.announces(first, line.len()) != Pending::None {
            return Near::Something;
        }
        let end = self.text.len() - usize::from(matches!(self.text.last(), Some(b'\n' | b'\r')));
        let mut i = trigger.end;
        while i < end {
            // Nothing is asked at the letters of a word.
            let word = self.text[i..end].iter().take(hint::FORWARD_BYTES_MAX + 1);
            let word = word.take_while(|&&byte| key::is_ident(byte)).count();
            if word > 0 {
                if reach.pass(word).is_none() {
                    return Near::Unknown;
                }
                i += word;
                continue;
            }
            let byte = self.text[i];
            let asked = match byte {
                b'>' => true,
                b'=' | b':' => !parted || closes(self.text, i),
                b' ' | b'\t' => inside,
                b',' => inside || closes(self.text, i),
                b'{' => closes(self.text, i),
                _ => false,
            };
            if asked {
                self.at = i + 1;
                if self.separator(i, byte).is_err() || self.says_something() {
                    return Near::Something;
                }
            }
            inside = false;
            // An operator may have two bytes.
            let longer = matches!(byte, b':' | b'?' | b'+' | b'=') && matches!(self.text.get(i + 1), Some(b'=' | b'>'));
            parted |= !longer && !matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b'[' | b']' | b'*');
            match reach.pass(0) {
                Some(true) => {}
                Some(false) => return Near::Nothing,
                None => return Near::Unknown,
            }
            i += 1;
        }
        self.close_line(end);
        if self.says_something() { Near::Something } else { Near::Nothing }
    }

    /// Whether the key that has a part at `at` stands behind a directive, or is the value of a `name:`.
    #[inline(always)]
    fn is_named(&mut self, at: usize) -> bool {
        let (text, first) = (self.text, hint::start_of(self.text, at));
        hint::directive_before(text, first.saturating_sub(hint::LINE_BYTES_MAX), first)
            || hint::may_be_name(self.names, text, first, at, self.words)
                && hint::named_before(text, first, |operator| {
                    // Whether the operator stands in a string is not known, and not worth knowing.
                    [false, true].into_iter().any(|in_string| {
                        self.quotes = Quotes { in_string, counted: operator };
                        (self.kept_to, self.from, self.at) = (0, usize::MAX, operator + 1);
                        let byte = text.get(operator).copied().unwrap_or_default();
                        self.separator(operator, byte).is_err() || self.says_something()
                    })
                })
    }

    fn says_something(&self) -> bool {
        !self.hits.is_empty() || self.pending != Pending::None || self.named.is_some()
    }
}

/// Whether what may be the end of a quote or a bracket stands before `at`, and before blanks.
fn closes(text: &[u8], at: usize) -> bool {
    let before = key::skip_blanks_back(text, at).checked_sub(1).and_then(|at| text.get(at));
    matches!(before, Some(b'"' | b'\'' | b'`' | b']' | b';'))
}
