//! Turns `"name": "DB_PASSWORD"` into the rules for the `"value"` beside it, and finds the other forms in which a value
//! is not all that stands behind its key. Does not judge values.

use super::{
    Candidate, Scan, Separator, Step,
    extent::{self, Around, Extent},
    key,
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

    /// Whether a key has an object in which its `value` stands: `"db_password": {"sensitive": true, "value": "x"}`.
    pub(super) fn opens_object(&self, c: &Candidate) -> bool {
        let assigned = matches!(c.separator, Separator::Colon | Separator::Equals);
        let at = key::skip_blanks(self.text, c.from);
        assigned
            && self.text.get(at) == Some(&b'{')
            && match self.text.get(at + 1) {
                Some(next) => matches!(next, b'"' | b'\\' | b' ' | b'\n' | b'\r'),
                None => self.ended,
            }
            && self.env.mask_len_at(self.text, at).is_none()
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
}
