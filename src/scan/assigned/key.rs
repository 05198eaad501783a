//! Turns a separator's place into the span of the key name before it. Does not know which names matter.

use std::ops::Range;

/// A key name as it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The name without quotes.
    pub name: Range<usize>,
    /// Where the key begins, quote and dashes included.
    pub start: usize,
    /// How many backslashes stand before each of its quotes, if it is quoted.
    pub quoted: Option<usize>,
}

/// The key that ends at `end` (a separator stands there), if one does. Looks back over `KEY_BYTES_MAX` bytes at most.
pub fn before(text: &[u8], end: usize) -> Option<Key> {
    let end = before_bold(text, skip_blanks_back(text, end));
    if let Some(key) = quoted_before(text, end) {
        return Some(key);
    }
    let start = ident_start(text, end);
    (start < end).then(|| Key { name: subscript(text, start, end), start, quoted: None })
}

/// The same key with up to two plain words before it: `API key: x`, `Client secret = x`.
pub fn with_words_before(text: &[u8], key: &Key) -> Range<usize> {
    let mut from = key.name.start;
    if key.quoted.is_some() || from != key.start {
        return key.name.clone();
    }
    for _ in 0..2 {
        let Some(gap) = from.checked_sub(1).filter(|&i| text.get(i) == Some(&b' ')) else { break };
        let start = back_while(text, gap, |b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        // `GET /v1/secret id=7`: that word is a folder's name.
        if start.checked_sub(1).is_some_and(|at| text[at] == b'/') {
            break;
        }
        // `grant=refresh token=x`: that word is another key's value.
        let equals = |at: usize| text.get(at) == Some(&b'=');
        let value = equals(key.name.end) && start.checked_sub(1).is_some_and(equals);
        if start == gap || value || text.get(start) == Some(&b'-') {
            break;
        }
        from = start;
    }
    from..key.name.end
}

/// The place before the stars that end at `end`: `**password**: x`, `*password*: x`, as Markdown has it.
fn before_bold(text: &[u8], end: usize) -> usize {
    match text.get(..end) {
        Some([.., b'*', b'*']) => end - 2,
        Some([.., before, b'*']) if before.is_ascii_alphanumeric() => end - 1,
        _ => end,
    }
}

/// Whether a key is a number that no words stand before: `23:10`, not `recovery key 1:`.
pub fn is_number(text: &[u8], key: &Key) -> bool {
    let before = key.start.checked_sub(1).and_then(|p| text.get(p));
    before != Some(&b' ') && text.get(key.name.clone()).is_some_and(|word| word.iter().all(u8::is_ascii_digit))
}

/// The first place at or before `end` from which on there are only spaces and tabs.
pub fn skip_blanks_back(text: &[u8], end: usize) -> usize {
    back_while(text, end, |b| b == b' ' || b == b'\t')
}

/// Whether what begins at `start` is the value of a key, and no item of a list: `"name": "--password",`.
pub fn is_value(text: &[u8], start: usize) -> bool {
    let end = skip_blanks_back(text, start);
    matches!(end.checked_sub(1).and_then(|at| text.get(at)), Some(b':' | b'='))
}

/// Whether the sign of equality at `at` compares. A value may begin with the second one, but a blank or a quote stands
/// behind that of a comparison.
pub fn is_comparison(text: &[u8], at: usize) -> bool {
    matches!(text.get(at + 1), Some(b'=' | b'~'))
        && text.get(at + 2).is_none_or(|b| matches!(b, 0..=b' ' | b'"' | b'\'' | b'`' | b'=' | b'\\'))
}

/// Whether a byte that may stand in an unquoted key stands before `end`.
pub fn ends_word(text: &[u8], end: usize) -> bool {
    end.checked_sub(1).and_then(|at| text.get(at)).is_some_and(|&b| is_ident(b))
}

/// The first place at or after `from` that is no space or tab.
pub fn skip_blanks(text: &[u8], from: usize) -> usize {
    from + text.get(from..).unwrap_or_default().iter().take_while(|&&b| b == b' ' || b == b'\t').count()
}

/// The last two letters of the key that ends at `end`, if they are told by a look at them alone; `Err` says
/// whether there may be a key at all.
pub fn letters_before(text: &[u8], end: usize) -> Result<[u8; 2], bool> {
    let mut at = end;
    let byte = |at: usize| at.checked_sub(1).and_then(|at| text.get(at)).copied();
    while let Some(b' ' | b'\t') = byte(at) {
        at -= 1;
    }
    at = before_bold(text, at);
    let quoted = matches!(byte(at), Some(b'"' | b'\'' | b'`'));
    if quoted {
        at -= 1;
        while byte(at) == Some(b'\\') {
            at -= 1;
        }
    }
    let Some(b) = byte(at) else { return Err(false) };
    let a = byte(at - 1).unwrap_or(b' ');
    match (b.is_ascii_alphabetic(), a.is_ascii_alphanumeric()) {
        (true, true) => Ok([a, b]),
        // A name has two letters or more; of other keys `k` and `v` have one.
        (true, false) if !quoted && !is_ident(a) => Err(matches!(b | 0x20, b'k' | b'v')),
        // The end of a subscript, of a quote as HTML writes it, or of something else that has letters before it.
        _ => Err(quoted || is_ident(b) || matches!(b, b']' | b';')),
    }
}

/// The place behind the equals sign of a declaration that has a type of texts and a quoted value: `apiKey: string = "x"`. The
/// colon stands before `from`.
pub fn behind_type(text: &[u8], from: usize) -> Option<usize> {
    let start = skip_blanks(text, from);
    let rest = text.get(start..)?;
    // Most values begin otherwise.
    let kind = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.&'<>[]|?*: ".contains(byte);
    let length = rest.iter().take(TYPE_BYTES_MAX).take_while(kind).count();
    let kind = &rest[..length];
    // `str`, `String`, `NSString?`, not `strategy`.
    let ends = |at: usize| !kind.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let longer =
        |at: usize| kind.get(at..at + 3).is_some_and(|three| three.eq_ignore_ascii_case(b"ing")) && ends(at + 3);
    let is_text = |(at, three): (usize, &[u8])| three.eq_ignore_ascii_case(b"str") && (ends(at + 3) || longer(at + 3));
    let end = kind.windows(3).enumerate().any(is_text).then_some(start + length + 1)?;
    let value = text.get(skip_blanks(text, end));
    (text.get(end - 1) == Some(&b'=') && matches!(value, Some(b'"' | b'\'' | b'`'))).then_some(end)
}

/// How many backslashes end at `end`.
pub fn backslashes_before(text: &[u8], end: usize) -> usize {
    end - back_while(text, end, |b| b == b'\\')
}

/// Whether the letter at `at` and the backslashes before it stand for white space.
pub fn escaped_blank(text: &[u8], at: usize) -> bool {
    backslashes_before(text, at) > 0 && matches!(text.get(at), Some(b'n' | b'r' | b't'))
}

/// `"k"`, `'k'`, `\"k\"` and `&quot;k&quot;`.
fn quoted_before(text: &[u8], end: usize) -> Option<Key> {
    let head = text.get(..end)?;
    let &quote = head.last().filter(|b| matches!(b, b'"' | b'\'' | b'`' | b';'))?;
    if quote == b';' {
        let (entity, body) = ENTITIES.iter().find_map(|entity| Some((entity, head.strip_suffix(*entity)?)))?;
        let from = body.len().saturating_sub(BACK_BYTES_MAX);
        let open = from + memchr::memmem::rfind(&body[from..], entity)?;
        return Some(Key { name: open + entity.len()..body.len(), start: open, quoted: Some(0) });
    }
    let depth = backslashes_before(text, end - 1);
    let close = end - 1 - depth;
    // The opening quote is the nearest one before; a key holds no quote.
    let from = close.saturating_sub(BACK_BYTES_MAX + 1);
    let open = from + memchr::memrchr3(quote, b'\n', b'\r', text.get(from..close)?)?;
    if text.get(open) != Some(&quote) {
        return None;
    }
    let name = open + 1..close;
    (!name.is_empty()).then(|| Key {
        name,
        start: open - backslashes_before(text, open).min(depth),
        quoted: Some(depth),
    })
}

/// Where the unquoted key that ends at `end` begins, its subscripts included: `cfg['db'].password`, `user[password]`.
fn ident_start(text: &[u8], end: usize) -> usize {
    let mut at = end;
    let floor = end.saturating_sub(BACK_BYTES_MAX);
    while at > floor {
        match text.get(at - 1) {
            // `[debug]password`: what stands in brackets is no array's index.
            Some(&b']') if at < end && text[at].is_ascii_alphanumeric() => break,
            Some(&b']') => match text.get(floor..at - 1).and_then(|t| memchr::memrchr(b'[', t)) {
                Some(open) => at = floor + open,
                None => break,
            },
            Some(&b) if is_ident(b) => at -= 1,
            _ => break,
        }
    }
    at
}

/// The part of an unquoted key that names it: the inside of its last subscript unless that is a number, else all of it.
fn subscript(text: &[u8], start: usize, end: usize) -> Range<usize> {
    let mut end = end;
    while end > start && text.get(end - 1) == Some(&b']') {
        let Some(open) = text.get(start..end).and_then(|t| memchr::memrchr(b'[', t)).map(|o| start + o) else { break };
        let inside = open + 1..end - 1;
        if text.get(inside.clone()).is_some_and(|t| t.iter().any(u8::is_ascii_alphabetic)) {
            let inside = if open == start { declared(text, inside) } else { inside };
            // `a[b][pass]` is left as one name, so that words of several subscripts count as its words.
            let quoted = matches!(text.get(open + 1), Some(b'"' | b'\'' | b':' | b'\\'));
            return if quoted || open == start { inside } else { start..end };
        }
        end = open;
    }
    start..end
}

/// A property's name without what PHP prints behind it: `[key:protected]`, `[key:App\Client:private]`, `["key":protected]`.
fn declared(text: &[u8], inside: Range<usize>) -> Range<usize> {
    let all = text.get(inside.clone()).unwrap_or_default();
    if !all.ends_with(b":protected") && !all.ends_with(b":private") {
        return inside;
    }
    let name = memchr::memchr(b':', all).map_or(inside.clone(), |at| inside.start..inside.start + at);
    match text.get(name.clone()) {
        Some([b'"', .., b'"']) => name.start + 1..name.end - 1,
        _ => name,
    }
}

fn back_while(text: &[u8], end: usize, keep: impl Fn(u8) -> bool) -> usize {
    let floor = end.saturating_sub(BACK_BYTES_MAX);
    let mut at = end;
    while at > floor && text.get(at - 1).is_some_and(|&b| keep(b)) {
        at -= 1;
    }
    at
}

/// Whether a byte may stand in an unquoted key.
#[inline]
pub fn is_ident(b: u8) -> bool {
    IDENT[usize::from(b)]
}

const IDENT: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        table[b] = (b as u8).is_ascii_alphanumeric() || matches!(b as u8, b'_' | b'-' | b'.' | b'$' | b'@');
        b += 1;
    }
    table
};

/// Quotes as HTML writes them.
pub const ENTITIES: &[&[u8]] = &[b"&quot;", b"&#34;", b"&apos;", b"&#39;", b"&#x27;"];
const BACK_BYTES_MAX: usize = 128;
/// The longest type of a variable that is read over (bytes).
const TYPE_BYTES_MAX: usize = 40;
