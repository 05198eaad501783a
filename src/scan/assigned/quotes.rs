//! Counts the quotes of a line from left to right. Does not know what stands in them.

/// How far a line's quotes were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotes {
    /// Whether the text before `counted` leaves a string literal open.
    pub in_string: bool,
    /// Up to where.
    pub counted: usize,
}

impl Quotes {
    /// Counts on, up to `at` at least. Says whether a string literal is open there.
    pub fn count(&mut self, text: &[u8], at: usize) -> bool {
        while self.counted < at {
            let rest = text.get(self.counted..at).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'\\', b'"', rest) else {
                self.counted = at;
                break;
            };
            self.counted += found + 1;
            match rest.get(found) {
                // What follows a backslash is escaped, be it a quote or another backslash.
                Some(b'\\') => self.counted += 1,
                _ => self.in_string = !self.in_string,
            }
        }
        self.in_string
    }
}
