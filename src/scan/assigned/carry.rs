//! Turns what one line says about the next into a few numbers, and back. Holds no byte of the text.

use std::{cmp::Ordering, ops::Range};

use serde::{Deserialize, Serialize};

use super::bare::may_name;
use super::extent::{self, Around, Extent, Opening};
use super::hint;
use super::judge;
use super::key;
use super::name::{Match, Names};
use super::table::Table;
use super::{Candidate, Live, Scan, Separator, Step};
use crate::{rules::RuleSet, view};

/// A key name that awaits its value on a later line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pending {
    /// No name awaits a value.
    #[default]
    None,
    /// `- name: DB_PASSWORD`: a `value:` within so many lines.
    Named(Match, u8),
    /// `"--password",`: the next line's first item.
    Argument(Match),
    /// `--password` alone: the next line, if it begins in the same column.
    Listed(Match, Place),
    /// `password:` alone: a deeper indented value, or items.
    Indented(Match, Place),
    /// `secrets:` alone: the values of a map, for so many lines.
    Map(Match, Place, u8),
    /// `password: |`: all deeper indented lines.
    Block(Match, Place),
    /// `<password>`: the text before the next tag.
    Element(Match),
    /// `user,password`: cells of the rows below.
    Table(Match, Table),
    /// `Use the following password:`: the next line that is not empty.
    Announced(Match),
}

/// Where a key stood in its line: how far in, and behind what kind of prefix (a timestamp, an envelope, a `+`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The length of the prefix, and of the blanks between it and the key.
    prefix: u32,
    blanks: u32,
    /// The prefix with its digits made equal, as a hash that tells no bytes.
    shape: u32,
}

/// A [`Pending`] whose name is told by the rules that guard it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub(super) kind: Kind,
    /// Ids of rules, and their names that the key has.
    pub(super) names: Vec<(String, String)>,
    pub(super) plural: bool,
    pub(super) weakened: bool,
}

/// What a name waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    Named(u8),
    Argument,
    Listed(Place),
    Indented(Place),
    Map(Place, u8),
    Block(Place),
    Element,
    Table(Table),
    Announced,
}

impl Pending {
    /// The same for others, if a name awaits a value.
    pub fn told(&self, names: &Names, rules: &RuleSet) -> Option<Waiting> {
        let (kind, found) = match self {
            Pending::None => return None,
            Pending::Named(found, left) => (Kind::Named(*left), found),
            Pending::Argument(found) => (Kind::Argument, found),
            Pending::Listed(found, place) => (Kind::Listed(*place), found),
            Pending::Indented(found, place) => (Kind::Indented(*place), found),
            Pending::Map(found, place, left) => (Kind::Map(*place, *left), found),
            Pending::Block(found, place) => (Kind::Block(*place), found),
            Pending::Element(found) => (Kind::Element, found),
            Pending::Table(found, table) => (Kind::Table(*table), found),
            Pending::Announced(found) => (Kind::Announced, found),
        };
        let id = |rule: u16| rules.rules().get(usize::from(rule)).map(|rule| rule.id.to_string());
        let told = names.told(found).filter_map(|(rule, name)| Some((id(rule)?, name)));
        Some(Waiting { kind, names: told.collect(), plural: found.plural, weakened: found.weakened })
    }
}

impl Waiting {
    /// Awaits the value under these rules, if one of them still has the name.
    pub fn heard(&self, names: &Names, rules: &RuleSet) -> Pending {
        let number = |id: &str| rules.rules().iter().position(|rule| *rule.id == *id);
        let told = self.names.iter().filter_map(|(id, name)| Some((u16::try_from(number(id)?).ok()?, name.as_str())));
        let Some(found) = names.heard(told, self.plural, self.weakened) else { return Pending::None };
        match self.kind {
            Kind::Named(left) => Pending::Named(found, left),
            Kind::Argument => Pending::Argument(found),
            Kind::Listed(place) => Pending::Listed(found, place),
            Kind::Indented(place) => Pending::Indented(found, place),
            Kind::Map(place, left) => Pending::Map(found, place, left),
            Kind::Block(place) => Pending::Block(found, place),
            Kind::Element => Pending::Element(found),
            Kind::Table(table) => Pending::Table(found, table),
            Kind::Announced => Pending::Announced(found),
        }
    }

    /// Whether it is small enough to be one.
    pub fn is_sound(&self) -> bool {
        let table = match self.kind {
            Kind::Table(table) => table.is_sound(),
            _ => true,
        };
        table && !self.names.is_empty() && self.names.len() <= NAMES_MAX
    }
}

impl Place {
    /// Of a key behind `head`.
    pub fn new(head: &[u8]) -> Place {
        // A list's dash is of the indentation: `- password:`.
        let item = head.strip_suffix(b"- ").unwrap_or(head);
        let prefix = key::skip_blanks_back(item, item.len());
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place {
            prefix: clip(prefix),
            blanks: clip(head.len() - prefix),
            shape: shape(head.get(..prefix).unwrap_or_default()),
        }
    }

    /// How deep the content of `line` is indented beside the key, and where it begins, if the line has the same prefix.
    pub fn against(&self, line: &[u8]) -> Option<(Ordering, usize)> {
        let prefix = self.prefix as usize;
        if shape(line.get(..prefix)?) != self.shape {
            return None;
        }
        let blanks = blanks(line.get(prefix..)?);
        Some((blanks.cmp(&(self.blanks as usize)), prefix + blanks))
    }

    /// Where the content of `line` begins, if it has the same prefix and is indented deeper.
    fn deeper(&self, line: &[u8]) -> Option<usize> {
        self.against(line).filter(|(depth, _)| *depth == Ordering::Greater).map(|(_, at)| at)
    }
}

/// FNV-1a over the kinds of bytes: digits are one kind, so that timestamps are alike.
fn shape(prefix: &[u8]) -> u32 {
    prefix
        .iter()
        .fold(0x811c_9dc5, |h, &b| (h ^ u32::from(if b.is_ascii_digit() { b'0' } else { b })).wrapping_mul(0x0100_0193))
}

impl Scan<'_> {
    /// Uses what the line before left. The line that ends at `end` is not empty.
    pub(super) fn resume(&mut self, end: usize) -> Step {
        let pending = std::mem::take(&mut self.pending);
        let line = self.text.get(self.line..end).unwrap_or_default();
        let complete = end < self.text.len() || self.ended;
        match pending {
            Pending::None => {}
            Pending::Named(rules, left) => self.named = left.checked_sub(1).map(|left| (rules, left)),
            Pending::Table(rules, table) => return self.row(rules, table, end, complete),
            Pending::Argument(rules) => {
                let blanks = blanks(line);
                let item = line.get(blanks..).is_some_and(|l| l.starts_with(b"- "));
                let from = self.line + blanks + if item { 2 } else { 0 };
                let around = Around { quoted_only: !item, ..Around::default() };
                return self.candidate(Candidate { rules, key: from, from, separator: Separator::Argument, around });
            }
            Pending::Listed(rules, place) => {
                if let Some((Ordering::Equal, at)) = place.against(line)
                    && line.get(at) != Some(&b'-')
                {
                    return self.indented(rules, Pending::None, self.line + at, complete);
                }
            }
            Pending::Element(rules) => {
                if blanks(line) == line.len() {
                    self.pending = pending;
                    return Ok(());
                }
                let around = Around { element: true, ..Around::default() };
                let c = Candidate { rules, key: self.line, from: self.line, separator: Separator::Element, around };
                return self.candidate(c);
            }
            Pending::Announced(rules) => {
                let at = behind_direction(line).unwrap_or_else(|| blanks(line));
                if at < line.len() {
                    // A text in base64 is the answer to a mail server, whatever its letters look like.
                    let separator = if is_encoded(&line[at..]) { Separator::Block } else { Separator::Cell };
                    return self.stands_alone(rules, Pending::None, self.line + at, complete, separator);
                }
                self.pending = pending;
            }
            Pending::Block(rules, place) => {
                if blanks(line) == line.len() {
                    self.pending = pending;
                } else if let Some(at) = place.deeper(line) {
                    let from = self.line + at;
                    let around = Around { whole_line: true, ..Around::default() };
                    self.candidate(Candidate { rules, key: from, from, separator: Separator::Block, around })?;
                    self.pending = pending;
                }
            }
            Pending::Map(rules, place, left) if place.deeper(line).is_some() => {
                let at = place.deeper(line).unwrap_or_default();
                return self.mapped(rules, place, left, self.line + at, complete);
            }
            Pending::Indented(rules, place) | Pending::Map(rules, place, _) => {
                if let Some(at) = place.deeper(line) {
                    return self.indented(rules, pending, self.line + at, complete);
                }
                // The items of a list may stand as deep as their key.
                let at = blanks(line);
                if place.prefix == 0
                    && at == place.blanks as usize
                    && line.get(at..).is_some_and(|l| l.starts_with(b"- "))
                {
                    return self.indented(rules, pending, self.line + at, complete);
                }
            }
        }
        Ok(())
    }

    /// What a sentence at the end of a line announces: `use the following password to proceed:`, `Password for bob:`.
    pub(super) fn announced(&mut self, end: usize) -> Pending {
        let line = self.text.get(self.line..end).unwrap_or_default();
        if let Some(at) = memchr::memmem::rfind(line, ASKED) {
            return self.announces(self.line + at + b"334 ".len(), end);
        }
        let said = line.trim_ascii_end();
        if !said.ends_with(b":") && !said.ends_with(b" reset.") {
            return Pending::None;
        }
        if let Some(at) = memchr::memmem::rfind(line, FOLLOWING) {
            return self.announces(self.line + at + FOLLOWING.len(), end);
        }
        let Some(at) = memchr::memmem::find(line, b" for ") else { return Pending::None };
        let word = line[..at].iter().rev().take_while(|&&b| key::is_ident(b)).count();
        self.announces(self.line + at - word, end)
    }

    /// What awaits the name at `at`, if it is announced by the words around it and the line's end, which is at `end`.
    pub(super) fn announces(&mut self, at: usize, end: usize) -> Pending {
        let rest = self.text.get(at..end).unwrap_or_default();
        let word = rest.iter().take_while(|&&b| key::is_ident(b)).count();
        let head = &self.text[..at];
        if head.ends_with(b"334 ") {
            let word = rest.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
            return self.look_up(at..at + word, at).map_or(Pending::None, Pending::Announced);
        }
        let followed = head.ends_with(FOLLOWING) || head.ends_with(b"following enrollment ");
        // `the following enrollment token`: the kind of a token stands before it.
        let at = if rest.starts_with(b"enrollment ") && followed { at + b"enrollment ".len() } else { at };
        let rest = self.text.get(at..end).unwrap_or_default();
        let followed = followed && rest.len() <= hint::SENTENCE_BYTES_MAX && rest.ends_with(b":");
        let word = if followed { rest.iter().take_while(|&&b| key::is_ident(b)).count() } else { word };
        let named = rest.get(..word).unwrap_or_default().to_ascii_lowercase();
        let password = [&b"password"[..], b"passphrase", b"passwd"].iter().any(|name| named.ends_with(name));
        let owned = password && hint::announces_for(rest.get(word..).unwrap_or_default());
        if !followed && !owned {
            return Pending::None;
        }
        let changed = rest.trim_ascii_end().ends_with(b".");
        match self.look_up(at..at + word, at).filter(|rules| !rules.plural) {
            // `New value: x` on the line below.
            Some(rules) if changed => Pending::Named(rules, 1),
            Some(rules) => Pending::Announced(rules),
            None => Pending::None,
        }
    }

    /// A line under a key that stood alone: a value if it is all of the line, and no key itself.
    pub(super) fn indented(&mut self, rules: Match, pending: Pending, at: usize, complete: bool) -> Step {
        self.stands_alone(rules, pending, at, complete, Separator::Block)
    }

    /// The same for a line of which `separator` says why it may be a value.
    fn stands_alone(
        &mut self,
        rules: Match,
        pending: Pending,
        at: usize,
        complete: bool,
        separator: Separator,
    ) -> Step {
        let item = self.text.get(at..).is_some_and(|l| l.starts_with(b"- "));
        let from = if item { at + 2 } else { at };
        let around = Around::default();
        let opening = extent::opening(self.text, from, self.ended, around);
        let start = match opening {
            Opening::Open(at) => return Err(Live(at)),
            Opening::Quoted(start, _) if start < self.text.len() || complete => start,
            Opening::Bare(start) => start,
            _ => return Ok(()),
        };
        match self.extent(opening, around) {
            Extent::Open => Err(Live(start)),
            Extent::Blob => Ok(()),
            Extent::Done(value, end) => {
                let bytes = self.text.get(value.clone()).unwrap_or_default();
                let jumbled = judge::is_jumbled(bytes);
                let nested = (bytes.ends_with(b":") || is_assignment(bytes)) && !jumbled;
                let quoted = matches!(opening, Opening::Quoted(..));
                // A password may end in a mark, before which its extent does.
                let rest = self.text.get(value.end..).unwrap_or_default();
                let marks = rest.iter().take_while(|b| matches!(b, b',' | b';' | b')' | b'}' | b']')).count();
                let ends = end == extent::End::Mark && matches!(rest.get(marks), None | Some(b'\n' | b'\r'));
                let made = ends && (jumbled || judge::is_made(bytes));
                if quoted || (end == extent::End::Line || made) && !nested {
                    let c = Candidate { rules, key: from, from, separator, around };
                    self.decide(&c, value, end, quoted);
                }
                if item {
                    self.pending = pending;
                }
                Ok(())
            }
        }
    }

    /// What a candidate whose line ended before its value waits for.
    pub(super) fn awaiting(&self, c: &Candidate) -> Pending {
        let (rules, place) = (c.rules, self.place(c.key));
        match c.separator {
            Separator::Element if self.stands_as_markup(c.key) => Pending::Element(rules),
            // PHP's `var_dump` has the value under the key.
            Separator::Argument | Separator::Arrow => Pending::Argument(rules),
            Separator::Colon if self.is_map(c) => Pending::Map(rules, place, super::map::LINES_MAX),
            Separator::Colon | Separator::Pair => Pending::Indented(rules, place),
            _ => Pending::None,
        }
    }

    pub(super) fn place(&self, key: usize) -> Place {
        Place::new(self.text.get(self.line..key).unwrap_or_default())
    }

    /// What a candidate whose value is a block scalar's header waits for.
    pub(super) fn block(&self, c: &Candidate) -> Pending {
        Pending::Block(c.rules, self.place(c.key))
    }

    /// Whether a value is `|`, `>-`, `|2`, ... alone on the rest of its line.
    pub(super) fn block_header(&self, value: &Range<usize>) -> bool {
        let bytes = self.text.get(value.clone()).unwrap_or_default();
        let rest = self.text.get(value.end..).unwrap_or_default();
        matches!(bytes, [b'|' | b'>', rest @ ..] if rest.len() <= 2 && rest.iter().all(|b| matches!(b, b'-' | b'+' | b'0'..=b'9')))
            && matches!(rest.first(), None | Some(b'\n' | b'\r'))
    }

    /// At the line's end: what it leaves for the next, if nothing in it said so already.
    pub(super) fn close_line(&mut self, end: usize) {
        // The `value:` of a name stands in the same object.
        let line = self.text.get(self.line..end).unwrap_or_default();
        let last = line.iter().rev().find(|&&b| !matches!(b, b' ' | b'\t' | b',' | b';' | b']'));
        if let Some((rules, left)) = self.named.take()
            && self.pending == Pending::None
            && last != Some(&b'}')
            && left > 0
        {
            self.pending = Pending::Named(rules, left);
        }
        // `- --password` as an item of its own: the next item is the value.
        let line = self.text.get(self.line..end).unwrap_or_default();
        let at = blanks(line);
        let rest = line.get(at..).unwrap_or_default();
        // `kubectl describe` has each argument on a line of its own.
        if at > 0
            && rest.starts_with(b"--")
            && self.pending == Pending::None
            && rest.iter().all(|&b| key::is_ident(b))
            && let Some(rules) = self.look_up(self.line + at..end, self.line + at)
        {
            self.pending = Pending::Listed(rules, self.place(self.line + at));
        }
        if let Some(item) = line.get(at..).and_then(|l| l.strip_prefix(b"- "))
            && self.pending == Pending::None
        {
            let trim = |b: &u8| matches!(b, b'"' | b'\'' | b' ');
            let lead = item.iter().take_while(|b| trim(b)).count();
            let tail = item.iter().rev().take_while(|b| trim(b)).count();
            let name = self.line + at + 2 + lead..end.saturating_sub(tail);
            let flag = self
                .text
                .get(name.clone())
                .is_some_and(|n| n.starts_with(b"--") && n.iter().all(|&b| key::is_ident(b)));
            if flag && let Some(rules) = self.look_up(name.clone(), name.start) {
                self.pending = Pending::Argument(rules);
            }
        }
    }
}

/// `key=value`; the equals signs at the end of base64 assign nothing.
fn is_assignment(v: &[u8]) -> bool {
    let name = v.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')).count();
    let rest = v.get(name..).unwrap_or_default();
    name > 1 && may_name(&v[..name]) && rest.starts_with(b"=") && !rest.iter().all(|&b| b == b'=')
}

/// Where what a client sends begins in a line that shows it, if that is one word: `C: x`, `12:01:07 > x`, `send: 'x'`.
fn behind_direction(line: &[u8]) -> Option<usize> {
    let at = DIRECTIONS.iter().find_map(|mark| {
        let at = memchr::memmem::rfind(line, mark)?;
        (at == 0 || line[at - 1] == b' ').then_some(at + mark.len())
    })?;
    (!line[at..].trim_ascii_end().contains(&b' ')).then_some(at)
}

/// Whether a line is one word, a text in base64 with its padding.
fn is_encoded(line: &[u8]) -> bool {
    let word = line.trim_ascii_end();
    let digits = word.strip_suffix(b"==").or(word.strip_suffix(b"=")).unwrap_or(word);
    word.len() >= ENCODED_BYTES_MIN
        && word.len().is_multiple_of(4)
        && digits.iter().all(|&b| view::is_base64(b))
        && view::decodes_to_text(word, 0)
}

fn blanks(line: &[u8]) -> usize {
    line.iter().take_while(|&&b| b == b' ' || b == b'\t').count()
}

/// How a mail server asks for a password (RFC 4954), in base64.
const ASKED: &[u8] = b"334 UGFzc3dvcmQ6";
/// What logs of a session put before a client's lines.
const DIRECTIONS: &[&[u8]] =
    &[b"CLIENT -> SERVER: ", b"C: ", b"-> ", b"--> ", b"~> ", b">> ", b">>> ", b"> ", b"send: "];
/// The shortest text in base64 that is told from a word (bytes).
const ENCODED_BYTES_MIN: usize = 8;
/// What announces the name behind it, of a value on a later line.
const FOLLOWING: &[u8] = b"following ";
/// How many rules a key name calls for at most.
const NAMES_MAX: usize = 8;
