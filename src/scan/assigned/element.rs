//! Reads arrows, and elements of XML, whose values stand behind their start tags. Does not judge the values.

use std::ops::Range;

use super::{Candidate, Scan, Separator, Step, TAG_BYTES_MAX, extent::Around, key, name::Match};

impl Scan<'_> {
    /// `k => v`, `k -> v`, `k ==> v`, `k --> v`, and `<k>v</k>`.
    pub(super) fn angle(&mut self, i: usize) -> Step {
        if let Some(shaft @ (b'=' | b'-')) = i.checked_sub(1).and_then(|p| self.text.get(p)) {
            if i < 2 || self.text[i - 2] != *shaft {
                return self.assignment(i - 1, i + 1, Separator::Arrow);
            }
            // A compiler points to a place behind the name that it complains of.
            let quoted = key::skip_blanks_back(self.text, i - 2).checked_sub(1).is_some_and(|at| self.text[at] == b'`');
            let comment =
                || memchr::memmem::find(&self.text[self.line.max(i.saturating_sub(TAG_BYTES_MAX))..i], b"<!--");
            if !quoted && self.names.may_end_at(self.text, i - 2) && comment().is_none() {
                return self.assignment(i - 2, i + 1, Separator::Arrow);
            }
            return Ok(());
        }
        let Some(rules) = self.element_rules(i).or_else(|| self.named_by_element(i)) else { return Ok(()) };
        self.note();
        let around = Around { element: true, in_string: self.in_string_at(i), ..Around::default() };
        self.candidate(Candidate { rules, key: i, from: i + 1, separator: Separator::Element, around })
    }

    /// Whether the start tag that ends at `i` stands where one does that has its text on the next line: first in its line, or
    /// right behind another one. `usage: login <user> <password>` is no markup.
    pub(super) fn stands_as_markup(&self, i: usize) -> bool {
        let head = self.text.get(self.line..i).unwrap_or_default();
        let head = memchr::memrchr(b'<', head).map_or(head, |open| &head[..open]);
        head.ends_with(b">") || !head.iter().any(u8::is_ascii_alphanumeric)
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

/// Whether `text[word]` is the tag of a property list's `<key>line</key>`, which assigns nothing: what stands in it is a word that no
/// generic rule masks. If that is a name of the table, it has a trigger of its own.
pub fn is_plain(text: &[u8], word: &Range<usize>) -> bool {
    if text.get(word.end) != Some(&b'>') || !text[word.clone()].eq_ignore_ascii_case(b"key") {
        return false;
    }
    match text[..word.start] {
        [.., b'<', b'/'] => true,
        [.., b'<'] => {
            let rest = &text[word.end + 1..];
            let plain = |byte: &&u8| byte.is_ascii_alphabetic() || **byte == b'_';
            let length = rest.iter().take(PLAIN_BYTES_MAX + 1).take_while(plain).count();
            length <= PLAIN_BYTES_MAX && rest[length..].starts_with(b"</")
        }
        _ => false,
    }
}

/// How long a word of letters is at most that no rule takes for a key (bytes).
const PLAIN_BYTES_MAX: usize = 16;
