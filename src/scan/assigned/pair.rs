//! Turns `"name": "DB_PASSWORD"` into the rules for the `"value"` beside it, and finds the other forms in which a value
//! is not all that stands behind its key. Does not judge values.

use super::{
    Candidate, NAMED_LINES_MAX, Scan, Separator, Step,
    extent::{self, Around, Extent},
    hint,
    key::{self, Key},
    name::{self, Match},
};

impl Scan<'_> {
    /// The rules that the value behind `from` calls for, read as a key name: `name: DB_PASSWORD`.
    pub(super) fn name_assigned(&mut self, from: usize, around: Around) -> Option<Match> {
        let opening = extent::opening(self.text, from, self.ended, around);
        let Extent::Done(span, _) = self.extent(opening, around) else { return None };
        let short = span.len() <= name::KEY_BYTES_MAX
            && self.text.get(span.clone()).is_some_and(|name| !name.iter().any(u8::is_ascii_whitespace));
        let rules = short.then(|| self.look_up(span.clone(), span.start))??;
        Some(rules)
    }

    /// Of `<key>Password</key>` and `<name>password</name>`, whose end tag ends at `i`, the name; of the `<string>` or
    /// `<value>` behind it, whose start tag ends there, the rules.
    pub(super) fn named_by_element(&mut self, i: usize) -> Option<Match> {
        let from = i.saturating_sub(name::KEY_BYTES_MAX).max(self.line);
        let before = self.text.get(from..i)?;
        if VALUE_TAGS.iter().any(|tag| before.ends_with(tag)) {
            return self.named.take().map(|(rules, _)| rules);
        }
        let name = hint::name_in_element(before)?;
        let name = from + name.start..from + name.end;
        if name.start <= self.from
            && let Some(rules) = self.look_up(name.clone(), name.start)
        {
            self.named = Some((rules, NAMED_LINES_MAX));
        }
        None
    }

    /// Whether a key has an object in which its `value` stands: `"db_password": {"sensitive": true, "value": "x"}`.
    pub(super) fn opens_object(&self, c: &Candidate) -> bool {
        // The value of a signature's object is public, as the document is that it signs.
        let assigned = matches!(c.separator, Separator::Colon | Separator::Equals) && !self.names_signature(c);
        let at = key::skip_blanks(self.text, c.from);
        assigned
            && self.text.get(at) == Some(&b'{')
            && match self.text.get(at + 1) {
                Some(next) => matches!(next, b'"' | b'\\' | b' ' | b'\n' | b'\r'),
                None => self.ended,
            }
            && self.env.mask_len_at(self.text, at).is_none()
    }

    fn names_signature(&self, c: &Candidate) -> bool {
        let key = self.text.get(c.key..c.from).unwrap_or_default();
        key.windows(SIGNATURE.len()).any(|word| word.eq_ignore_ascii_case(SIGNATURE))
    }

    /// `password = "old" -> "new"`, a change that Terraform shows: what is behind the arrow is a value, too.
    pub(super) fn changed_to(&mut self, c: Candidate, from: usize) -> Step {
        let Some(b" -> \"") = self.text.get(from..from + 5) else { return Ok(()) };
        self.candidate(Candidate { from: from + 4, separator: Separator::Arrow, ..c })
    }

    /// Whether the value behind `from` is an object or a list, and no mask.
    pub(super) fn opens_inside(&self, from: usize) -> bool {
        let at = key::skip_blanks(self.text, from);
        matches!(self.text.get(at), Some(b'{' | b'[')) && self.env.mask_len_at(self.text, at).is_none()
    }

    /// `variable "db_password" {`: the `default` in this block is its value.
    pub(super) fn brace(&mut self, i: usize) -> Step {
        let Some(name) = hint::variable_before(self.text, i) else { return Ok(()) };
        if name.start < self.line || name.start > self.from {
            return Ok(());
        }
        if let Some(rules) = self.look_up(name.clone(), name.start) {
            self.named = Some((rules, VARIABLE_LINES_MAX));
        }
        Ok(())
    }

    /// `["--password", "x"]`, `define('DB_PASSWORD', 'x')`, Erlang's `{password, "x"}`
    pub(super) fn comma(&mut self, i: usize) -> Step {
        if !self.names.may_end_at(self.text, i) {
            return Ok(());
        }
        let tuple = |k: &Key| k.quoted.is_none() && hint::opens_tuple(self.text, k.start);
        let item = |k: &Key| tuple(k) || k.quoted.is_some() && !key::is_value(self.text, k.start);
        let Some(key) = key::before(self.text, i).filter(item) else { return Ok(()) };
        let told = key.quoted.is_none()
            || self.text.get(key.name.start) == Some(&b'-')
            || hint::is_defined(self.text, key.name.start);
        if !told || key.start < self.line {
            return Ok(());
        }
        let Some(rules) = self.look_up(key.name.clone(), key.start) else { return Ok(()) };
        self.note();
        let around = Around { quoted_only: true, in_string: self.in_string_at(i), ..Around::default() };
        self.candidate(Candidate { rules, key: key.start, from: i + 1, separator: Separator::Argument, around })
    }
}

/// The start tags of values that have a name beside them, without their last byte.
const VALUE_TAGS: &[&[u8]] = &[b"<string", b"<value", b"<data"];
const SIGNATURE: &[u8] = b"signature";
/// Within how many lines the `default` of a variable stands.
const VARIABLE_LINES_MAX: u8 = 6;
