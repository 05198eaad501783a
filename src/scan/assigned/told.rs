//! Turns the end of a key name in a sentence into the place of the value that it is said to have. Does not judge the
//! value, but turns down what is too short or has no digit: nearly all that follows a name in prose.

/// Behind which byte the value begins: `API key x is invalid`, `the token is "x"`. `open` says that more bytes may follow
/// the text; a word that they could make longer may be one.
pub fn value_behind(text: &[u8], end: usize, open: bool) -> Option<usize> {
    if text.get(end) != Some(&b' ') {
        return None;
    }
    let mut from = end + 1;
    let mut rest = text.get(from..).unwrap_or_default();
    if matches!(rest.first(), Some(b'i' | b'w' | b't'))
        && let Some(verb) = VERBS.iter().find(|verb| rest.starts_with(verb))
    {
        from += verb.len();
        rest = &rest[verb.len()..];
    }
    // Nearly all words are shorter.
    if rest.get(..VALUE_BYTES_MIN).is_some_and(|head| head.contains(&b' ')) {
        return None;
    }
    let quote =
        rest.iter().take(QUOTE_BYTES_MAX).take_while(|byte| matches!(byte, b'\\' | b'"' | b'\'' | b'`')).count();
    let (mut digit, mut letter) = (false, false);
    for (length, byte) in rest.get(quote..).unwrap_or_default().iter().enumerate() {
        match byte {
            b'0'..=b'9' => digit = true,
            b'A'..=b'Z' | b'a'..=b'z' => letter = true,
            b'_' | b'-' | b'+' | b'/' | b'=' | b'.' | b'~' | b'%' | b'!' | b'@' | b'#' | b'^' | b'*' | b'&' | b':' => {}
            _ => return None,
        }
        if digit && letter && length + 1 >= VALUE_BYTES_MIN {
            return Some(from - 1);
        }
    }
    open.then_some(from - 1)
}

/// What may stand between the name and its value.
const VERBS: &[&[u8]] = &[b"is ", b"was ", b"to "];
/// How many backslashes and quotes a value may begin with.
const QUOTE_BYTES_MAX: usize = 8;
/// The shortest value (bytes).
const VALUE_BYTES_MIN: usize = 8;
