//! Turns the header of a table into the columns that hold secrets, and the rows below it into their values. Does not
//! judge them. Knows CSV and its kin, and the tables of Markdown and of SQL shells.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{
    Candidate, Live, Pending, Scan, Separator, Step,
    extent::{Around, End},
    key,
    name::{KeyWords, Match, Names},
};

/// A table whose header was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The places of the columns that hold secrets, in order; the second may be missing.
    columns: [u8; 2],
    /// What parts its cells.
    delimiter: Delimiter,
    /// Whether the line that parts header and rows was seen, if there is to be one.
    ruled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Delimiter {
    Comma,
    Semicolon,
    Tab,
    Bar,
}

impl Table {
    /// Whether some header tells of it.
    pub fn is_sound(&self) -> bool {
        self.columns.iter().all(|column| usize::from(*column) < CELLS_MAX)
    }

    /// The table whose header a line is, and the rules of its secrets.
    pub fn headed(line: &[u8], names: &Names, words: &mut KeyWords) -> Option<(Match, Table)> {
        let line = line.get(..HEADER_BYTES_MAX).map_or(Some(line), |_| None)?;
        let length = line.iter().take_while(|byte| is_header(**byte)).count();
        let at = line.iter().position(|byte| Delimiter::of(*byte).is_some())?;
        if length < line.trim_ascii_end().len() {
            return None;
        }
        let delimiter = Delimiter::of(line[at])?;
        let mut found: Option<(Match, Table)> = None;
        let mut count = 0;
        for (number, cell) in delimiter.cells(line).enumerate() {
            let (first, name) = bare(line, &cell);
            // A list in a sentence has blanks behind its commas, and few names have many words.
            let prose = delimiter == Delimiter::Comma && line[cell].starts_with(b" ");
            let words_in_it = name.split(|byte| *byte == b' ').count();
            if prose || number == CELLS_MAX || words_in_it > NAME_WORDS_MAX || !name.first()?.is_ascii_alphabetic() {
                return None;
            }
            count += 1;
            let number = number as u8;
            // `pass,fail,skip`
            let word = name.len() <= NAME_BYTES_MAX && name.iter().all(|byte| key::is_ident(*byte));
            if !word || name.eq_ignore_ascii_case(b"pass") || !Table::may_head(line, first, first + name.len()) {
                continue;
            }
            let Some(rules) = names.look_up(name, words) else { continue };
            match &mut found {
                None => {
                    let ruled = delimiter != Delimiter::Bar;
                    found = Some((rules, Table { columns: [number; 2], delimiter, ruled }));
                }
                Some((_, table)) if table.columns[1] == table.columns[0] => table.columns[1] = number,
                Some(_) => {}
            }
        }
        found.filter(|_| count > 1)
    }

    /// Whether the word `text[first..end]` may name a column in a header: what stands on both sides of it says so.
    pub fn may_head(text: &[u8], first: usize, end: usize) -> bool {
        // The text may be escaped, and a line end in it.
        let ends = |byte: u8| matches!(byte, b'\n' | b'\\') || Delimiter::of(byte).is_some();
        let parts = |byte: Option<u8>| byte.is_none_or(ends);
        let quote = |byte: &u8| matches!(byte, b'"' | b' ' | b'\r');
        let before = text[..first].iter().rev().take(GAP_BYTES_MAX).find(|byte| !quote(byte)).copied();
        let behind = text[end..].iter().take(GAP_BYTES_MAX).find(|byte| !quote(byte)).copied();
        parts(before) && parts(behind) && !(before.is_none_or(|b| b == b'\n') && behind.is_none_or(|b| b == b'\n'))
    }
}

impl Delimiter {
    fn of(byte: u8) -> Option<Delimiter> {
        match byte {
            b',' => Some(Delimiter::Comma),
            b';' => Some(Delimiter::Semicolon),
            b'\t' => Some(Delimiter::Tab),
            b'|' => Some(Delimiter::Bar),
            _ => None,
        }
    }

    fn byte(self) -> u8 {
        match self {
            Delimiter::Comma => b',',
            Delimiter::Semicolon => b';',
            Delimiter::Tab => b'\t',
            Delimiter::Bar => b'|',
        }
    }

    /// The cells of a line. The bars at the line's ends part nothing.
    fn cells(self, line: &[u8]) -> impl Iterator<Item = Range<usize>> {
        let bar = self == Delimiter::Bar;
        let begin = line.len() - line.trim_ascii_start().len();
        let begin = if bar && line.get(begin) == Some(&b'|') { begin + 1 } else { 0 };
        let trimmed = line.trim_ascii_end().len();
        let end = if bar && trimmed > begin && line[trimmed - 1] == b'|' { trimmed - 1 } else { line.len() };
        let mut next = Some(begin);
        std::iter::from_fn(move || {
            let start = next?;
            let stop = self.cell_end(line, start, end);
            next = (stop < end).then_some(stop + 1);
            Some(start..stop)
        })
    }

    /// Where the cell ends that begins at `start`: one in quotes may hold delimiters.
    fn cell_end(self, line: &[u8], start: usize, end: usize) -> usize {
        let mut quoted = self != Delimiter::Bar && line.get(start) == Some(&b'"');
        let from = start + usize::from(quoted);
        for (at, byte) in line[from..end].iter().enumerate() {
            match byte {
                b'"' if quoted => quoted = line.get(from + at + 1) == Some(&b'"'),
                byte if *byte == self.byte() && !quoted => return from + at,
                _ => {}
            }
        }
        end
    }
}

impl Scan<'_> {
    /// Takes the values of a row, the line that ends at `end`, out of the columns that hold secrets.
    pub(super) fn row(&mut self, rules: Match, table: Table, end: usize, complete: bool) -> Step {
        let line = self.text.get(self.line..end).unwrap_or_default();
        let rule = |byte: &u8| matches!(byte, b'-' | b'+' | b'|' | b':' | b'=' | b' ');
        if table.delimiter == Delimiter::Bar && line.contains(&b'-') && line.iter().all(rule) {
            self.pending = Pending::Table(rules, Table { ruled: true, ..table });
            return Ok(());
        }
        if !table.ruled || !line.contains(&table.delimiter.byte()) && complete {
            return Ok(());
        }
        for (number, cell) in table.delimiter.cells(line).enumerate() {
            if !table.columns.contains(&(number as u8)) {
                continue;
            }
            let (first, bare) = bare(line, &cell);
            let start = self.line + first;
            if self.line + cell.end == end && !complete {
                return Err(Live(start));
            }
            let c = Candidate { rules, key: start, from: start, separator: Separator::Cell, around: Around::default() };
            self.decide(&c, start..start + bare.len(), End::Line, false);
        }
        self.pending = Pending::Table(rules, table);
        Ok(())
    }
}

/// What may stand in a header: names, and what parts them.
fn is_header(byte: u8) -> bool {
    key::is_ident(byte) || Delimiter::of(byte).is_some() || matches!(byte, b' ' | b'"')
}

/// What a cell says without the blanks and the quotes around it, and where that begins.
fn bare<'a>(line: &'a [u8], cell: &Range<usize>) -> (usize, &'a [u8]) {
    let all = &line[cell.clone()];
    let start = cell.end - all.trim_ascii_start().len();
    match all.trim_ascii() {
        [b'"', inside @ .., b'"'] | [b'`', inside @ .., b'`'] | [b'\'', inside @ .., b'\''] => (start + 1, inside),
        inside => (start, inside),
    }
}

/// The longest header (bytes).
pub const HEADER_BYTES_MAX: usize = 512;
const CELLS_MAX: usize = 48;
/// How many words the name of a column has at most.
const NAME_WORDS_MAX: usize = 3;
/// The longest name of a column of secrets (bytes).
const NAME_BYTES_MAX: usize = 64;
/// How wide the blanks and quotes are around a column's name (bytes).
const GAP_BYTES_MAX: usize = 48;
