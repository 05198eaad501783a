//! Turns a map that a plural names (`secrets:`, `"credentials": {`) into its values, whatever their keys are called. Does
//! not judge them.

use super::{
    Candidate, Live, Pending, Scan, Separator, Step,
    bare::may_name,
    carry::Place,
    extent::{self, Around, Extent, Opening},
    key,
    name::Match,
};

/// A key of a map, and where what it is assigned begins.
struct Entry {
    key: usize,
    from: usize,
    /// Whether the key says that its value is none of the secrets.
    told: bool,
}

impl Scan<'_> {
    /// Whether a key's value may be a map of secrets.
    pub(super) fn is_map(&self, c: &Candidate) -> bool {
        c.rules.plural && matches!(c.separator, Separator::Colon | Separator::Equals)
    }

    /// The entries of the map whose bracket is at `open`, as far as they stand on this line. Says whether there is one.
    pub(super) fn map(&mut self, c: &Candidate, open: usize) -> Result<bool, Live> {
        let mut at = open + 1;
        for count in 0..ENTRIES_MAX {
            at = key::skip_blanks(self.text, at);
            if count == 0 && matches!(self.text.get(at), None | Some(b'\n' | b'\r')) {
                self.pending = Pending::Map(c.rules, self.place(c.key), LINES_MAX);
                return Ok(true);
            }
            let Some(entry) = self.entry(at) else { return Ok(count > 0) };
            let Some(end) = self.of_entry(c.rules, &entry)? else { return Ok(count > 0) };
            let closing = self.text.get(end..).unwrap_or_default();
            let quote = closing.iter().take_while(|b| matches!(b, b'"' | b'\'' | b'\\')).count();
            at = key::skip_blanks(self.text, end + quote);
            match self.text.get(at) {
                Some(b',' | b';') => at += 1,
                _ => break,
            }
        }
        Ok(true)
    }

    /// A line of the map that a key opened some lines before.
    pub(super) fn mapped(&mut self, rules: Match, place: Place, left: u8, at: usize, complete: bool) -> Step {
        let pending = left.checked_sub(1).map_or(Pending::None, |left| Pending::Map(rules, place, left));
        match self.entry(at) {
            Some(entry) => {
                self.pending = pending;
                self.of_entry(rules, &entry)?;
                Ok(())
            }
            None if !complete && self.is_cut_key(at) => Err(Live(at)),
            None => self.indented(rules, pending, at, complete),
        }
    }

    /// Whether the text ends in what may be the key of an entry that begins at `at`.
    fn is_cut_key(&self, at: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        let of_key = |b: &u8| key::is_ident(*b) || matches!(b, b'"' | b'\'' | b'\\' | b' ');
        rest.len() <= KEY_BYTES_MAX && rest.iter().all(of_key)
    }

    /// The entry that begins at `at`.
    fn entry(&self, at: usize) -> Option<Entry> {
        let marks = |at: usize| {
            let rest = self.text.get(at..).unwrap_or_default();
            at + rest.iter().take(MARKS_MAX).take_while(|b| matches!(b, b'"' | b'\'' | b'\\')).count()
        };
        // A letter before a quote marks the kind of string.
        let kind = matches!(self.text.get(at..at + 2), Some([b'b' | b'u' | b'r', b'"' | b'\'']));
        let start = marks(at + usize::from(kind));
        let word = self.text.get(start..)?.iter().take(KEY_BYTES_MAX).take_while(|&&b| key::is_ident(b)).count();
        let name = self.text.get(start..start + word).filter(|name| !name.is_empty() && name[0] != b'-')?;
        let quoted = start > at;
        let end = key::skip_blanks(self.text, if quoted { marks(start + word) } else { start + word });
        let behind = self.text.get(end..)?;
        let length = match behind {
            [b'=', b'>', ..] => 2,
            // In YAML, a blank stands behind the colon of a plain key.
            [b':', b' ' | b'\t' | b'\n' | b'\r', ..] | [b':'] => 1,
            // Base64 may end with equals signs.
            [b'=', next, ..] if !matches!(next, b'=' | b'\n' | b'\r') && may_name(name) => 1,
            [b':', ..] if quoted => 1,
            _ => return None,
        };
        let last = name.rsplit(|b| !b.is_ascii_alphanumeric()).next().unwrap_or_default();
        let hump = last.iter().rposition(u8::is_ascii_uppercase).filter(|_| last.iter().any(u8::is_ascii_lowercase));
        let words = [last, &last[hump.unwrap_or_default()..]];
        let told = PUBLIC.iter().any(|public| words.iter().any(|word| word.eq_ignore_ascii_case(public.as_bytes())));
        Some(Entry { key: at, from: end + length, told })
    }

    /// Decides on the value of an entry, and says where it ends, if it has one on this line.
    fn of_entry(&mut self, rules: Match, entry: &Entry) -> Result<Option<usize>, Live> {
        let around = Around::default();
        let opening = extent::opening(self.text, entry.from, self.ended, around);
        match opening {
            Opening::Open(at) => return Err(Live(at)),
            Opening::Quoted(start, _) if start >= self.text.len() && !self.ended => return Ok(None),
            Opening::Quoted(..) | Opening::Bare(_) => {}
            _ => return Ok(None),
        }
        match self.extent(opening, around) {
            Extent::Open => Err(Live(opening.start())),
            Extent::Blob => Ok(None),
            Extent::Done(value, end) => {
                let stop = value.end;
                if !entry.told {
                    let (key, from) = (entry.key, entry.from);
                    let c = Candidate { rules, key, from, separator: Separator::Entry, around };
                    let at = self.at;
                    self.decide(&c, value, end, matches!(opening, Opening::Quoted(..)));
                    // The keys of the map may have names of their own.
                    self.at = at;
                }
                Ok(Some(stop))
            }
        }
    }
}

/// Last words of keys that say what a secret is for, or where it is.
const PUBLIC: &[&str] = &[
    "id",
    "ids",
    "uid",
    "name",
    "names",
    "user",
    "username",
    "login",
    "email",
    "account",
    "host",
    "hostname",
    "url",
    "uri",
    "endpoint",
    "path",
    "file",
    "filename",
    "type",
    "kind",
    "ref",
    "version",
    "revision",
    "region",
    "arn",
    "hash",
    "sha",
    "sha256",
    "digest",
    "checksum",
    "fingerprint",
    "date",
    "time",
    "created",
    "updated",
    "expires",
    "expiration",
    "tag",
    "image",
    "namespace",
    "scope",
    "mode",
    "provider",
    "source",
    "template",
    "engine",
    "description",
    "label",
    "issuer",
    "audience",
    "algorithm",
    "commit",
    "etag",
    "trace",
    "request",
    "build",
];
/// How many entries are read of a map on one line, and how many lines of one that goes over several.
const ENTRIES_MAX: usize = 64;
pub const LINES_MAX: u8 = 64;
/// The longest key of an entry, and how many quotes and backslashes stand on its sides (bytes).
const KEY_BYTES_MAX: usize = 64;
const MARKS_MAX: usize = 16;
