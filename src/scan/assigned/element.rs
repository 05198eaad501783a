//! Reads arrows, and elements of XML, whose values stand behind their start tags. Does not judge the values.

use super::{Candidate, Scan, Separator, Step, TAG_BYTES_MAX, extent::Around, key, name::Match};

impl Scan<'_> {
    /// `k => v`, `k -> v`, and `<k>v</k>`.
    pub(super) fn angle(&mut self, i: usize) -> Step {
        if let Some(b'=' | b'-') = i.checked_sub(1).and_then(|p| self.text.get(p)) {
            return self.assignment(i - 1, i + 1, Separator::Arrow);
        }
        let Some(rules) = self.element_rules(i).or_else(|| self.named_by_element(i)) else { return Ok(()) };
        self.note();
        let around = Around { element: true, in_string: self.in_string_at(i), ..Around::default() };
        self.candidate(Candidate { rules, key: i, from: i + 1, separator: Separator::Element, around })
    }

    /// The rules of the element whose start tag ends at `i`: by its tag, or by its attribute `name` or `key`.
    fn element_rules(&mut self, i: usize) -> Option<Match> {
        let from = i.saturating_sub(TAG_BYTES_MAX).max(self.line);
        let before = self.text.get(from..i)?;
        let open = memchr::memrchr2(b'<', b'>', before).filter(|&o| before.get(o) == Some(&b'<'))?;
        let tag = before.get(open + 1..)?;
        if !tag.first()?.is_ascii_alphabetic() || tag.ends_with(b"/") {
            return None;
        }
        let len = tag.iter().take_while(|&&b| key::is_ident(b) || b == b':').count();
        let text = self.text;
        let start = Some(from + open + 1).filter(|&start| start <= self.from)?;
        if let Some(rules) = self.look_up(start..start + len, start) {
            return Some(rules);
        }
        // `<property name="password">x</property>`
        for attribute in [&b" name="[..], b" key="] {
            let Some(n) = tag.windows(attribute.len()).position(|part| part == attribute) else { continue };
            let value = start + n + attribute.len() + 1;
            let quote = *text.get(value.checked_sub(1)?)?;
            let len = memchr::memchr(quote, text.get(value..i)?)?;
            return self.look_up(value..value + len, value);
        }
        None
    }
}
