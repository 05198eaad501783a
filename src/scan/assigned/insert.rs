//! Turns the list of columns of an SQL `INSERT` into the values that stand below the names of secrets. Does not judge
//! them.

use std::ops::Range;

use super::{
    Candidate, Live, Scan, Separator, Step,
    extent::{Around, End},
    key, name,
};

/// Whether the word `text[first..end]` may be one of the columns in a list that `VALUES` follows. The text may be escaped.
#[inline]
pub fn may_be_column(text: &[u8], first: usize, end: usize) -> bool {
    matches!(text.get(end), Some(b',' | b')' | b'"' | b'`' | b'\'' | b']' | b'\\')) && is_column(text, first, end)
}

fn is_column(text: &[u8], first: usize, end: usize) -> bool {
    let quote = |byte: &&u8| matches!(byte, b'"' | b'`' | b'\'' | b'[' | b']' | b' ' | b'\\');
    let behind = text[end..].iter().take(QUOTE_BYTES_MAX).find(|byte| !quote(byte));
    if !matches!(behind, Some(b')' | b',')) {
        return false;
    }
    let before = text[..first].iter().rev().take(QUOTE_BYTES_MAX).find(|byte| !quote(byte));
    if !matches!(before, Some(b'(' | b',')) {
        return false;
    }
    let list = &text[end..text.len().min(end + LIST_BYTES_MAX + 1)];
    let Some(close) = memchr::memchr(b')', list) else { return false };
    let rest = &text[end + close + 1..];
    let rest = &rest[rest.iter().take(QUOTE_BYTES_MAX).take_while(|byte| **byte == b' ').count()..];
    is_values(rest) && list[..close].iter().all(|byte| is_listed(*byte))
}

/// Whether the `VALUES` of an `INSERT` stands behind the blank at `at`.
#[inline]
pub fn follows(text: &[u8], at: usize) -> bool {
    at > 0 && text[at - 1] == b')' && text.get(at + 1..).is_some_and(is_values)
}

impl Scan<'_> {
    /// Takes the values out of the rows behind the blank at `at`, behind which `VALUES` stands.
    pub(super) fn inserted(&mut self, at: usize) -> Step {
        if at < self.inserted_to {
            return Ok(());
        }
        let columns = self.columns(at - 1);
        if columns.is_empty() {
            return Ok(());
        }
        self.note();
        let mut row = self.skip_to_row(at + 1 + VALUES.len());
        let bound = at.saturating_add(ROWS_BYTES_MAX).min(self.text.len());
        while let Some(first) = row {
            let mut from = first;
            let mut number = 0;
            let close = loop {
                let start = key::skip_blanks(self.text, from);
                let end = self.item_end(start, bound);
                let open = end == bound && !self.ended;
                self.reach = self.reach.max(end);
                if let Some(name) = columns.iter().find(|(column, _)| *column == number).map(|(_, name)| name.clone()) {
                    if open {
                        return Err(Live(start));
                    }
                    self.inserted_value(name, start..end);
                }
                if open || self.text.get(end) != Some(&b',') {
                    break end;
                }
                (from, number) = (end + 1, number + 1);
            };
            self.inserted_to = close;
            row = if self.text.get(close) == Some(&b')') { self.skip_to_row(close + 1) } else { None };
        }
        Ok(())
    }

    /// The columns with names of secrets, and these, of the list whose bracket closes at `close`.
    fn columns(&mut self, close: usize) -> Vec<(usize, Range<usize>)> {
        let head = &self.text[self.line.max(close.saturating_sub(LIST_BYTES_MAX))..close];
        let length = head.iter().rev().take_while(|byte| is_listed(**byte)).count();
        let first = close - length;
        if first == 0 || self.text[first - 1] != b'(' {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut from = first;
        for (number, item) in self.text[first..close].split(|byte| *byte == b',').enumerate() {
            let start = from + item.iter().take_while(|byte| !key::is_ident(**byte)).count();
            let end = from + item.iter().rposition(|byte| key::is_ident(*byte)).map_or(0, |last| last + 1);
            from += item.len() + 1;
            // No more stands around a name than the prefilter looks over.
            let plain = start - (from - item.len() - 1) < QUOTE_BYTES_MAX
                && end - start.min(end) <= name::KEY_BYTES_MAX
                && self.text[end] != b' '
                && self.text[start.min(end)..end].iter().all(|byte| key::is_ident(*byte));
            if plain
                && start < end
                && self.names.may_end_at(self.text, end)
                && self.look_up(start..end, start).is_some()
            {
                found.push((number, start..end));
            }
        }
        found
    }

    /// Asks the judge about a literal of a row, quotes and what says of which kind it is included.
    fn inserted_value(&mut self, name: Range<usize>, item: Range<usize>) {
        let literal = self.text[item.clone()].trim_ascii_end();
        let kind = usize::from(matches!(literal, [b'N' | b'E', b'\'', ..]));
        let Some(quote @ (b'\'' | b'"')) = literal.get(kind) else { return };
        let start = item.start + kind + 1;
        let Some(end) = (item.start + literal.len()).checked_sub(1).filter(|&end| end > start) else { return };
        if self.text[end] != *quote {
            return;
        }
        let Some(rules) = self.look_up(name.clone(), name.start) else { return };
        let around = Around::default();
        let c = Candidate { rules, key: name.start, from: name.end, separator: Separator::Equals, around };
        self.decide(&c, start..end, End::Quote, true);
    }

    /// Where the item ends that begins at `start`: at a comma or bracket outside of quotes and brackets, or at `bound`.
    fn item_end(&self, start: usize, bound: usize) -> usize {
        let (mut quote, mut depth, mut at) = (None, 0usize, start);
        while at < bound {
            let byte = self.text[at];
            match (quote, byte) {
                (_, b'\n') => break,
                (Some(_), b'\\') => at += 1,
                (Some(open), _) if byte == open => quote = None,
                (Some(_), _) => {}
                (None, b'\'' | b'"') => quote = Some(byte),
                (None, b'(') => depth += 1,
                (None, b')') if depth > 0 => depth -= 1,
                (None, b')') => break,
                (None, b',') if depth == 0 => break,
                _ => {}
            }
            at += 1;
        }
        at.min(bound)
    }

    /// Behind the bracket that opens the next row, if one does.
    fn skip_to_row(&self, from: usize) -> Option<usize> {
        let at = key::skip_blanks(self.text, from);
        let at = if self.text.get(at) == Some(&b',') { key::skip_blanks(self.text, at + 1) } else { at };
        (self.text.get(at) == Some(&b'(')).then_some(at + 1)
    }
}

fn is_values(rest: &[u8]) -> bool {
    rest.get(..VALUES.len()).is_some_and(|word| word.eq_ignore_ascii_case(VALUES))
        && matches!(rest.get(VALUES.len()), Some(b' ' | b'('))
}

/// What may stand in a list of columns.
fn is_listed(byte: u8) -> bool {
    key::is_ident(byte) || matches!(byte, b',' | b' ' | b'"' | b'`' | b'\'' | b'[' | b']' | b'.' | b'\\')
}

const VALUES: &[u8] = b"VALUES";
/// The longest list of columns (bytes).
const LIST_BYTES_MAX: usize = 1024;
/// How much of the rows is looked at (bytes).
const ROWS_BYTES_MAX: usize = 8 * 1024;
/// How wide the quotes and blanks are around a column's name (bytes).
const QUOTE_BYTES_MAX: usize = 16;
