//! Turns a value whose key and extent are known into a hit, or not, by asking the judge. Does not look for values.

use std::ops::Range;

use super::{
    Candidate, Hit, Scan, Strength, bare,
    extent::{self, End},
    judge::{self, Case},
};

impl Scan<'_> {
    /// Asks the judge about a value whose end is known, for each rule that its key calls for.
    pub(super) fn decide(&mut self, c: &Candidate, value: Range<usize>, end: End, quoted: bool) -> bool {
        let Some(bytes) = self.text.get(value.clone()) else { return false };
        // `key=V&x=y` is a form, where a rule knows the format of `V`.
        if let Some(field) = self.field(c, &value, quoted) {
            return self.decide(c, field, End::Mark, quoted);
        }
        if bytes.is_empty() || bytes.starts_with(b"-----BEGIN") || has_escape(bytes) {
            return false;
        }
        let mut i = 0;
        while let Some(called) = self.names.called(&c.rules, i) {
            i += 1;
            let verdict = match called.shape {
                Some(shape) => (self.env.shape_matches(shape, bytes) && !judge::is_placeholder(bytes))
                    .then(|| (self.env.shape_confidence(shape, bytes), "the key's name and the value's format")),
                None => {
                    let case = Case {
                        value: bytes,
                        quoted,
                        separator: c.separator,
                        end_of_line: end == End::Line,
                        more_follows: end == End::Blank,
                        spaced: matches!(self.text.get(c.from), Some(b' ' | b'\t')),
                        columns: self
                            .text
                            .get(c.from..c.from + 2)
                            .is_some_and(|t| t.iter().all(|b| matches!(b, b' ' | b'\t'))),
                        strength: if c.rules.weakened { Strength::Weak } else { called.strength },
                        family: called.family,
                        plural: c.rules.plural,
                        key: self.text.get(c.key..c.from).unwrap_or_default(),
                        before: self
                            .text
                            .get(self.line.max(c.key.saturating_sub(BEFORE_BYTES_MAX))..c.key)
                            .unwrap_or_default(),
                        values: Some(self.values),
                    };
                    self.judge_pieces(&case)
                }
            };
            if let Some((confidence, why)) = verdict {
                let confidence = judge::published(bytes, false).map_or(confidence, |most| confidence.min(most));
                self.at = self.at.max(value.end);
                self.again.get_or_insert(self.mark);
                self.hits.push(Hit { value, rule: called.rule, confidence, why });
                return true;
            }
        }
        // What is no secret with what follows may be one without: the next field has a name that chance could have made.
        let shorter = bare::first_field(bytes).filter(|_| !quoted);
        shorter.is_some_and(|length| self.decide(c, value.start..value.start + length, End::Mark, quoted))
    }

    /// The part of an unquoted value before the first ampersand, if a rule knows that as a whole and not all of it.
    fn field(&self, c: &Candidate, value: &Range<usize>, quoted: bool) -> Option<Range<usize>> {
        let bytes = self.text.get(value.clone()).filter(|_| !quoted)?;
        let at = memchr::memchr(b'&', bytes).filter(|at| *at > 0)?;
        let shapes = (0..).map_while(|i| self.names.called(&c.rules, i)).filter_map(|called| called.shape);
        let mut is_part = false;
        for shape in shapes {
            if self.env.shape_matches(shape, bytes) {
                return None;
            }
            is_part |= self.env.shape_matches(shape, &bytes[..at]);
        }
        is_part.then(|| value.start..value.start + at)
    }

    /// Judges a value, or, if masks stand in it, each piece outside them. One secret piece makes the whole a secret.
    fn judge_pieces(&self, case: &Case) -> Option<judge::Verdict> {
        let (mut piece, mut at, mut masks) = (0, 0, 0);
        let mut found = None;
        let begins = self.env.mask_begins();
        while at < case.value.len() {
            if let Some(begins) = begins {
                let Some(next) = memchr::memchr(begins, &case.value[at..]) else { break };
                at += next;
            }
            match self.env.mask_len_at(case.value, at).filter(|&n| n > 0) {
                Some(n) => {
                    found = found.or(judge::judge(&case.piece(piece..at)));
                    masks += 1;
                    at = (at + n).min(case.value.len());
                    piece = at;
                }
                None => at += 1,
            }
        }
        if masks == 0 { judge::judge(case) } else { found.or(judge::judge(&case.piece(piece..case.value.len()))) }
    }
}

/// A colour inside the value: the view without colours reads it better.
fn has_escape(value: &[u8]) -> bool {
    value.contains(&0x1b) || memchr::memchr_iter(b'\\', value).any(|at| extent::escaped_esc(value, at))
}

/// How much of the line before a key the judge sees.
const BEFORE_BYTES_MAX: usize = 1024;
