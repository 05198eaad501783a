//! Finds a few bytes in a value. Values are short: preparing a search would take longer than this.

/// Whether a text stands in a value.
pub fn contains(v: &[u8], needle: &[u8]) -> bool {
    places(v, needle).next().is_some()
}

/// Where a text stands in a value.
pub fn places<'a>(v: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let last = (v.len() + 1).saturating_sub(needle.len());
    let first = needle.first().copied().unwrap_or_default();
    memchr::memchr_iter(first, &v[..last]).filter(move |&at| v[at..].starts_with(needle))
}

/// Whether a value begins with one of some texts, which are in small letters, in either case.
pub fn begins_with_one(v: &[u8], texts: &[&str]) -> bool {
    let Some(first) = v.first().map(u8::to_ascii_lowercase) else { return false };
    let begins = |text: &str| v.len() >= text.len() && v[..text.len()].eq_ignore_ascii_case(text.as_bytes());
    texts.iter().any(|text| text.as_bytes()[0] == first && begins(text))
}

/// Texts that are looked for together: at nearly all places one bit of a table, by two bytes, says that none begins. Where
/// only matters whether one stands somewhere, not each place is asked: see [`Texts::any`].
pub struct Texts {
    list: &'static [&'static str],
    caseless: bool,
    /// By two bytes: whether one begins with them.
    begins: [u64; 64],
    /// By three bytes: whether they are among the last ones of one.
    holds: [u64; HOLDS_BITS / 64],
    /// Of so many places in a row one is asked, and one text is that long at most.
    stride: usize,
    longest: usize,
}

impl Texts {
    /// Looks for these, of three bytes or more.
    pub const fn new(list: &'static [&'static str]) -> Texts {
        let (mut begins, mut holds, mut shortest, mut longest) = ([0; 64], [0; HOLDS_BITS / 64], usize::MAX, 0);
        let mut number = 0;
        while number < list.len() {
            let text = list[number].as_bytes();
            let bit = bit_of(text, 0);
            begins[bit >> 6] |= 1 << (bit & 63);
            if text.len() < shortest {
                shortest = text.len();
            }
            if text.len() > longest {
                longest = text.len();
            }
            number += 1;
        }
        // Of so many places in a row one is asked, so that each text is known by as many: its last ones.
        let stride = shortest + 1 - WINDOW;
        number = 0;
        while number < list.len() {
            let text = list[number].as_bytes();
            let mut at = text.len() + 1 - WINDOW - stride;
            while at + WINDOW <= text.len() {
                let bit = window_bit(text, at);
                holds[bit >> 6] |= 1 << (bit & 63);
                at += 1;
            }
            number += 1;
        }
        Texts { list, caseless: false, begins, holds, stride, longest }
    }

    /// Looks for these, which are in small letters, in either case.
    pub const fn caseless(list: &'static [&'static str]) -> Texts {
        Texts { caseless: true, ..Texts::new(list) }
    }

    /// Whether one of them stands in a value at a place that `is` right.
    pub fn any(&self, v: &[u8], is: impl Fn(usize, &'static str) -> bool) -> bool {
        let may_stand =
            |bit: usize, at: usize| self.holds[bit >> 6] >> (bit & 63) & 1 == 1 && self.any_around(v, at, &is);
        // Wherever a text stands, one window of its last ones begins at a multiple of the stride.
        let mut at = 0;
        while let Some(four) = v.get(at..).and_then(|rest| rest.first_chunk()) {
            if may_stand(bit_of_three(u32::from_le_bytes(*four)), at) {
                return true;
            }
            at += self.stride;
        }
        at + WINDOW == v.len() && may_stand(window_bit(v, at), at)
    }

    /// Whether a value may begin with one of them, as far as its first two bytes tell.
    pub fn may_begin(&self, v: &[u8]) -> bool {
        let bit = if v.len() < 2 { return false } else { bit_of(v, 0) };
        self.begins[bit >> 6] >> (bit & 63) & 1 == 1
    }

    /// Whether a value begins with one of them.
    pub fn begin(&self, v: &[u8]) -> bool {
        self.may_begin(v) && self.list.iter().any(|text| self.stands(v, 0, text.as_bytes()))
    }

    /// The same of those that hold the three bytes at a place.
    fn any_around(&self, v: &[u8], at: usize, is: &impl Fn(usize, &'static str) -> bool) -> bool {
        (at.saturating_sub(self.longest - WINDOW)..=at).any(|start| {
            let bit = bit_of(v, start);
            self.begins[bit >> 6] >> (bit & 63) & 1 == 1
                && self.list.iter().any(|text| self.stands(v, start, text.as_bytes()) && is(start, text))
        })
    }

    fn stands(&self, v: &[u8], at: usize, text: &[u8]) -> bool {
        let there = v.get(at..at + text.len());
        there.is_some_and(|there| if self.caseless { there.eq_ignore_ascii_case(text) } else { there == text })
    }
}

/// How many bytes are asked for at once.
const WINDOW: usize = 3;
const HOLDS_BITS: usize = 1 << 14;

/// The bit of two bytes, whatever the case of letters.
const fn bit_of(text: &[u8], at: usize) -> usize {
    ((fold(text[at]) as usize) << 5 ^ fold(text[at + 1]) as usize) % (64 * u64::BITS as usize)
}

/// The bit of three bytes, whatever the case of letters.
const fn window_bit(text: &[u8], at: usize) -> usize {
    bit_of_three(u32::from_le_bytes([text[at], text[at + 1], text[at + 2], 0]))
}

/// The same, where they are the lower ones of four.
const fn bit_of_three(four: u32) -> usize {
    let three = (four | u32::from_le_bytes([fold(0); 4])) << u8::BITS;
    (three.wrapping_mul(0x9e37_79b1) >> (u32::BITS - HOLDS_BITS.ilog2())) as usize
}

/// The same for both cases of a letter.
const fn fold(byte: u8) -> u8 {
    byte | 0x20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_at_each_place_and_in_its_case() {
        static EXACT: Texts = Texts::new(&["abc", "Needle", "a longer text"]);
        static CASELESS: Texts = Texts::caseless(&["needle", "another"]);
        for before in 0..20 {
            for behind in 0..20 {
                let around = |text: &str| format!("{}{text}{}", "x".repeat(before), "y".repeat(behind)).into_bytes();
                for text in ["abc", "Needle", "a longer text"] {
                    assert!(EXACT.any(&around(text), |at, found| at == before && found == text), "{text}");
                }
                assert!(!EXACT.any(&around("needle"), |_, _| true));
                assert!(CASELESS.any(&around("nEEDLE"), |at, found| at == before && found == "needle"));
                assert!(CASELESS.any(&around("Another"), |at, _| at == before));
                assert!(!CASELESS.any(&around("needl"), |_, _| true));
            }
        }
        assert!(EXACT.may_begin(b"Needles") && !EXACT.may_begin(b"zz") && !EXACT.may_begin(b"N"));
        assert!(!EXACT.any(b"", |_, _| true) && !EXACT.any(b"ab", |_, _| true) && EXACT.any(b"abc", |_, _| true));
    }
}
