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

/// Texts that are looked for together: at nearly all places one bit of a table, by two bytes, says that none begins.
pub struct Texts {
    list: &'static [&'static str],
    begins: [u64; 64],
}

impl Texts {
    /// Looks for these, of two bytes or more.
    pub const fn new(list: &'static [&'static str]) -> Texts {
        let mut begins = [0; 64];
        let mut at = 0;
        while at < list.len() {
            let bit = bit_of(list[at].as_bytes());
            begins[bit >> 6] |= 1 << (bit & 63);
            at += 1;
        }
        Texts { list, begins }
    }

    /// Where one of them stands in a value, and which.
    pub fn places<'a>(&'a self, v: &'a [u8]) -> impl Iterator<Item = (usize, &'static str)> + 'a {
        let may_begin = |bit: usize| self.begins[bit >> 6] >> (bit & 63) & 1 == 1;
        let begun = v.windows(2).enumerate().filter(move |(_, two)| may_begin(bit_of(two))).map(|(at, _)| at);
        let those = move |at: usize| self.list.iter().filter(move |text| v[at..].starts_with(text.as_bytes()));
        begun.flat_map(move |at| those(at).map(move |text| (at, *text)))
    }
}

const fn bit_of(two: &[u8]) -> usize {
    ((two[0] as usize) << 5 ^ two[1] as usize) % (64 * u64::BITS as usize)
}
