//! Tells whether a key may be assigned a value where one of its words stands. Does not find keys.
//!
//! The words stand in a third of all lines; most are prose, which this turns down by what follows
//! the word and by how the key begins. It never says no where [`super::scan`] finds something, or
//! leaves something for the next line.

use super::{DIRECTIVES, Trigger, key, name, netrc};

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
    is_flag || before == b'<' || operator_follows(text, end, open) || directive_before(text, first) || {
        named_before(text, first)
    }
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

/// Whether one of the few words stands before the key that take a name and a value.
fn directive_before(text: &[u8], first: usize) -> bool {
    let head = &text[first.saturating_sub(LINE_BYTES_MAX)..first];
    head.last() == Some(&b' ') && (DIRECTIVES.iter().any(|word| head.ends_with(word)) || netrc(head))
}

/// Whether the key may be the value of a `name:`, whose `value:` follows.
fn named_before(text: &[u8], first: usize) -> bool {
    let mut end = first;
    // The value may stand far from its operator, but only behind blanks.
    let floor = first.saturating_sub(LINE_BYTES_MAX);
    while let Some(at) = memchr::memrchr3(b'=', b':', b'>', &text[floor..end]).map(|at| floor + at) {
        if memchr::memchr(b'\n', &text[at..end]).is_some() {
            return false;
        }
        let blanks = text[at + 1..first].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if at + 1 + blanks + NAME_BYTES_MAX < first {
            return false;
        }
        let longer = text[at] == b'>' || at > 0 && matches!(text[at - 1], b'+' | b'?');
        let operator = if longer { at.saturating_sub(1) } else { at };
        if let Some(key) = key::before(text, operator).filter(|_| ends_a_role(text, operator)) {
            let word = &text[key.name.clone()];
            let escaped = key.name.start > 0 && text[key.name.start - 1] == b'\\';
            let role = |word: &[u8]| name::role(word) == name::Role::Name;
            if role(word) || escaped && role(&word[1..]) {
                return true;
            }
        }
        end = at;
    }
    false
}

/// Whether the letter before an operator is the last one of a [`name::Role::Name`].
fn ends_a_role(text: &[u8], operator: usize) -> bool {
    let last = text[..operator].iter().rev().find(|byte| !matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\'));
    last.is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b']' | b';' | b':' | b'+' | b'?'))
}

/// How far before its word a key is followed (bytes).
const BACK_BYTES_MAX: usize = 160;
/// How far behind the name of a key its operator is looked for (bytes); beyond, it may be there.
const FORWARD_BYTES_MAX: usize = 128;
/// How far before a key its line is looked at (bytes).
const LINE_BYTES_MAX: usize = 512;
/// How far behind an operator and its blanks the last word of a name may begin (bytes).
const NAME_BYTES_MAX: usize = name::KEY_BYTES_MAX + 32;
/// How many times something else than a name may begin between a key's word and its operator.
const GAPS_MAX: usize = 4;
