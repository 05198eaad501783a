//! Turns the end of a key name in a sentence into the place of the value that it is said to have. Does not judge the
//! value, but turns down what is too short or has no digit: nearly all that follows a name in prose.

use super::{
    Candidate, Scan, Separator, Step,
    extent::Around,
    key::{self, Key},
};

/// Behind which byte the value begins: `API key x is invalid`, `the token is "x"`. `open` says that more bytes may follow
/// the text; a word that they could make longer may be one.
pub fn value_behind(text: &[u8], end: usize, open: bool) -> Option<usize> {
    // The last letters of the names that sentences have: token, secret, key, password, passwd, passphrase.
    let names = end >= 2
        && matches!(
            [text[end - 2] | 0x20, text[end - 1] | 0x20],
            [b'e', b'n' | b't' | b'y'] | [b'r' | b'w', b'd'] | [b's', b'e']
        );
    if !names || text.get(end) != Some(&b' ') {
        return None;
    }
    let mut from = end + 1;
    let mut rest = text.get(from..).unwrap_or_default();
    let said = said(rest);
    from += said;
    rest = &rest[said..];
    // Nearly all words are shorter.
    if rest.first_chunk().is_some_and(|head| has_blank(*head)) || rest.starts_with(b"HTTP/") {
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

impl Scan<'_> {
    /// `API key x is invalid`, where the last word of the key's name is `text[start..i]`.
    pub(super) fn sentence(&mut self, start: usize, i: usize) -> Step {
        let open = !self.ended && !self.env.interactive();
        let Some(from) = value_behind(self.text, i, open) else { return Ok(()) };
        let mut name = key::with_words_before(self.text, &Key { name: start..i, start, quoted: None });
        name.start = name.start.max(self.line);
        // `logged in with token x`
        let words = self.text.get(name.clone()).unwrap_or_default();
        if let Some(at) = memchr::memmem::rfind(words, WITH) {
            name.start += at + WITH.len();
        }
        if name.start > self.from {
            return Ok(());
        }
        let start = name.start;
        let Some(rules) = self.look_up(name, start) else { return Ok(()) };
        self.note();
        let around = Around { in_string: self.in_string_at(i), ..Around::default() };
        self.candidate(Candidate { rules, key: start, from, separator: Separator::Sentence, around })
    }
}

/// How many bytes `rest` has of what may stand between the name and its value: a verb, or for whom the secret is.
fn said(rest: &[u8]) -> usize {
    // Most words are told by their first letters.
    match rest {
        [b'f', b'o', b'r', b' ', ..] => owner(rest).unwrap_or_default(),
        [b'i', b's', b' ' | b':', ..]
        | [b'w', b'a', b's', ..]
        | [b't', b'o', b' ', ..]
        | [b'h', b'a', b's', ..]
        | [b's', b'e', b't', ..]
        | [b'r', b'e', b's', ..]
        | [b'c', b'h', b'a', ..]
        | [b'c', b'r', b'e', ..]
        | [b'g', b'e', b'n', ..] => verb(rest),
        _ => 0,
    }
}

/// How long the verb is that `rest` begins with (bytes).
fn verb(rest: &[u8]) -> usize {
    VERBS.iter().filter(|verb| rest.starts_with(verb)).map(|verb| verb.len()).max().unwrap_or_default()
}

/// How long `for root@localhost: `, or `for bob is `, is, if `rest` begins with words of this kind.
fn owner(rest: &[u8]) -> Option<usize> {
    let names = rest.strip_prefix(FOR)?;
    let is = |rest: &[u8]| match rest.first() {
        Some(b'i' | b'w' | b'h' | b's' | b'c' | b'r') => verb(rest),
        _ => 0,
    };
    let mut words = 0;
    for (at, byte) in names.iter().take(OWNER_BYTES_MAX).enumerate() {
        match byte {
            b':' => return (names.get(at + 1) == Some(&b' ')).then_some(FOR.len() + at + 2),
            b' ' if is(&names[at + 1..]) > 0 => return Some(FOR.len() + at + 1 + is(&names[at + 1..])),
            b' ' => words += 1,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'@' | b'.' | b'_' | b'-' => {}
            b'\'' | b'"' | b'`' | b'[' | b']' | b'%' => {}
            _ => return None,
        }
        if words == OWNER_WORDS_MAX {
            return None;
        }
    }
    None
}

/// Whether a space is one of eight bytes: of them as a number, one that is zero borrows.
fn has_blank(head: [u8; VALUE_BYTES_MIN]) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    let zero = u64::from_le_bytes(head) ^ (ONES * b' ' as u64);
    zero.wrapping_sub(ONES) & !zero & (ONES << 7) != 0
}

/// What stands between a verb and the secret that it is done with.
const WITH: &[u8] = b"with ";
/// What may stand between the name and its value.
const VERBS: &[&[u8]] = &[
    b"is ",
    b"was ",
    b"to ",
    b"is: ",
    b"created: ",
    b"created successfully: ",
    b"generated: ",
    b"has been created: ",
    b"has been generated: ",
    b"has been set to ",
    b"has been reset to ",
    b"has been changed to ",
    b"was set to ",
    b"was reset to ",
    b"was changed to ",
    b"set to ",
    b"reset to ",
    b"changed to ",
];
/// Behind it stands for whom a secret is.
const FOR: &[u8] = b"for ";
/// How long that is at most.
const OWNER_BYTES_MAX: usize = 64;
const OWNER_WORDS_MAX: usize = 3;
/// How many backslashes and quotes a value may begin with.
const QUOTE_BYTES_MAX: usize = 8;
/// The shortest value (bytes).
const VALUE_BYTES_MIN: usize = 8;
