//! Tells whether a key may be assigned a value where one of its words stands. Does not find keys.
//!
//! The words stand in a third of all lines; most are prose, which this turns down by what follows
//! the word and by how the key begins. It never says no where [`super::scan`] finds something, or
//! leaves something for the next line.

use super::{Trigger, key, name};

/// Whether the key that has the trigger at `text[start..end]` may be assigned a value, or name one
/// that is assigned elsewhere. `open` says that more bytes may follow the text.
///
/// The text may be one that is still escaped: backslashes are looked over wherever they stand.
pub fn may_assign(trigger: &Trigger, text: &[u8], start: usize, end: usize, open: bool) -> bool {
    if !trigger.may_name(text, start, end) {
        return false;
    }
    let floor = start.saturating_sub(BACK_BYTES_MAX);
    let mut first = start;
    while first > floor && key::is_ident(text[first - 1]) {
        first -= 1;
    }
    let before = first.checked_sub(1).map_or(b'\n', |at| text[at]);
    // The letter of an escape is no letter of the name.
    let escaped = usize::from(before == b'\\' && first < start);
    let is_flag = text[first] == b'-' || text[first + escaped] == b'-';
    is_flag
        || before == b'<'
        || operator_follows(text, end, open)
        || directive_before(text, first.saturating_sub(LINE_BYTES_MAX), first)
        || { named_before(text, first) }
}

/// Whether an operator stands behind the key, over words that say which one it is (`_OLD`, `[0]`),
/// quotes and blanks.
fn operator_follows(text: &[u8], end: usize, open: bool) -> bool {
    let rest = &text[end..];
    let mut gaps = 0;
    let mut inside = true;
    for &byte in rest.iter().take(FORWARD_BYTES_MAX) {
        match byte {
            b'=' | b':' | b'>' | b'&' => return true,
            b'\n' => return false,
            _ => {}
        }
        let word = key::is_ident(byte);
        gaps += usize::from(inside && !word);
        inside = word;
        if gaps > GAPS_MAX {
            return false;
        }
    }
    open || rest.len() > FORWARD_BYTES_MAX
}

/// Whether one of the few words stands before the key at `first`, in the line from `line` on, that
/// take a name and a value.
pub fn directive_before(text: &[u8], line: usize, first: usize) -> bool {
    let Some(head) = text.get(line..first).and_then(|head| head.strip_suffix(b" ")) else { return false };
    match head.last() {
        Some(b'V' | b'v' | b't') if DIRECTIVES.iter().any(|word| head.ends_with(word)) => true,
        _ => netrc(head),
    }
}

/// `machine h login u` before `password`, not `login and password`.
fn netrc(head: &[u8]) -> bool {
    let from = head.len().saturating_sub(USER_BYTES_MAX);
    let Some(gap) = memchr::memrchr(b' ', &head[from..]).map(|at| from + at) else { return false };
    let (before, user) = (&head[..gap], &head[gap + 1..]);
    let login = before == b"login" || before.ends_with(b" login");
    login && !matches!(user, b"" | b"and" | b"or" | b"name")
}

/// Whether the key may be the value of a `name:`, whose `value:` follows.
fn named_before(text: &[u8], first: usize) -> bool {
    // Names have no blanks, so the operator is near: behind the quote, a wrapper and blanks.
    let floor = first.saturating_sub(BACK_BYTES_MAX);
    let back = |mut at: usize, skip: &dyn Fn(u8) -> bool| {
        while at > floor && skip(text[at - 1]) {
            at -= 1;
        }
        at
    };
    let at = back(first, &|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b':' | b'>'));
    let at = back(at, &|byte| matches!(byte, b' ' | b'\t'));
    let Some(operator) = at.checked_sub(1).filter(|&at| at >= floor) else {
        return first > at && at == floor && floor > 0;
    };
    let mut ends = match text[operator] {
        // Values may hold the signs of operators themselves.
        b'=' | b':' | b'>' => operator,
        _ => return false,
    };
    loop {
        if names_role(text, ends) {
            return true;
        }
        match memchr::memrchr3(b'=', b':', b'>', &text[floor..ends]) {
            Some(before) if !text[floor + before..ends].iter().any(u8::is_ascii_whitespace) => ends = floor + before,
            _ => return false,
        }
    }
}

/// Whether the key before an operator is a [`name::Role::Name`].
fn names_role(text: &[u8], operator: usize) -> bool {
    let longer = text[operator] == b'>' || operator > 0 && matches!(text[operator - 1], b'+' | b'?' | b':');
    let Some(key) = key::before(text, if longer { operator - 1 } else { operator }) else { return false };
    let word = &text[key.name.clone()];
    let escaped = key.name.start > 0 && text[key.name.start - 1] == b'\\';
    let role = |word: &[u8]| name::role(word) == name::Role::Name;
    role(word) || escaped && role(&word[1..])
}

/// What stands before a name that a space separates from its value.
const DIRECTIVES: &[&[u8]] = &[b"ENV", b"setenv", b"config set", b"configure set", b"config:set", b"secrets set"];
/// How far before its word a key is followed (bytes).
const BACK_BYTES_MAX: usize = 160;
/// How far behind the name of a key its operator is looked for (bytes); beyond, it may be there.
const FORWARD_BYTES_MAX: usize = 128;
/// How far before a key its line is looked at (bytes).
const LINE_BYTES_MAX: usize = 512;
/// The longest name of a user in a .netrc file that is looked over (bytes).
const USER_BYTES_MAX: usize = 256;
/// How many times something else than a name may begin between a key's word and its operator.
const GAPS_MAX: usize = 4;
