//! Turns `"name": "DB_PASSWORD"` into the rules for the `"value"` beside it. Does not judge that value.

use super::{
    Scan,
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

    /// Whether the value behind `from` is an object or a list, and no mask.
    pub(super) fn opens_inside(&self, from: usize) -> bool {
        let at = key::skip_blanks(self.text, from);
        matches!(self.text.get(at), Some(b'{' | b'[')) && self.env.mask_len_at(self.text, at).is_none()
    }
}
