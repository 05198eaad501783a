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
