//! Tells whether what stands around a literal or a sign denies what it is a sign of. Never denies
//! what the unescaped text would hold; the text may still be escaped.

use std::ops::Range;

use crate::{
    rules::{Rule, condition::Needle},
    scan::{Engine, assigned},
    view,
};

/// Whether the token whose literal stands at `place` may match there. `gaps` are places at which something was taken
/// out of the text: there a token may begin although a letter stands before it.
pub fn may_match(engine: &Engine, text: &[u8], place: usize, token: u16, gaps: &[usize]) -> bool {
    let Some(token) = engine.tokens().tokens().get(usize::from(token)) else { return false };
    let Some(needle) = token.pattern.needle() else { return false };
    needle.may_go_on(text, place)
        && may_begin(text, place, needle, gaps)
        && has_context(text, place, &engine.rules().rules()[usize::from(token.rule)])
}

/// Whether the key name at `place` may be assigned a value.
pub fn may_assign(engine: &Engine, text: &[u8], place: Range<usize>, trigger: u16, open: bool) -> bool {
    let Some(names) = engine.names() else { return false };
    let trigger = names.triggers().get(usize::from(trigger));
    trigger.is_some_and(|trigger| assigned::may_assign(names, trigger, text, place.start, place.end, open))
}

/// Whether a token may begin at one of the places that its literal at `place` allows.
fn may_begin(text: &[u8], place: usize, needle: &Needle, gaps: &[usize]) -> bool {
    let (least, most) = needle.before;
    let inside = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let escaped = |at: usize| at > 0 && text[at - 1] == b'\\';
    let begins = |start: usize| {
        start == 0 || !inside(start) || !inside(start - 1) || escaped(start - 1) || gaps.contains(&start)
    };
    // Escapes may stand between the beginning and the literal, which makes the distance longer.
    let near = &text[place.saturating_sub(2 * most)..place];
    most > 0 && near.contains(&b'\\') || place >= least && (place.saturating_sub(most)..=place - least).any(begins)
}

/// Whether a word that the rule wants stands before its literal, as far as an escaped line can tell.
pub fn has_context(text: &[u8], place: usize, rule: &Rule) -> bool {
    if rule.context.is_empty() {
        return true;
    }
    let from = place.saturating_sub(CONTEXT_BYTES_MAX);
    let line = memchr::memrchr(b'\n', &text[from..place]).map_or(from, |end| from + end + 1);
    let before = &text[line..place];
    rule.context.iter().any(|word| before.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes())))
}

/// How far before its literal a rule's context may stand in a text that is still escaped (bytes).
pub const CONTEXT_BYTES_MAX: usize = 4 * crate::limits::CONTEXT_BYTES_MAX;

/// Whether a byte that may begin an escape or a code does.
pub fn is_sign(text: &[u8], at: usize) -> bool {
    match text[at] {
        0x1b => true,
        b'%' => {
            let hex = |at: usize| text.get(at).is_some_and(u8::is_ascii_hexdigit);
            hex(at + 1) && hex(at + 2)
        }
        b'&' => view::is_reference(&text[at..]),
        0xc2 => text.get(at + 1).is_some_and(|second| (0x80..=0x9f).contains(second)),
        _ => at == 0 || text[at - 1].is_ascii(),
    }
}

/// Whether the backslash at a place, or the last of several, begins an escape for another character
/// than a blank or a quote. The letter behind it is one that may.
pub fn stands_for_another(text: &[u8], at: usize) -> bool {
    let hex = |from: usize, count: usize| {
        text.get(at + from..at + from + count).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    match text.get(at + 1) {
        Some(b'u') => hex(2, 4),
        Some(b'x') => hex(2, 2),
        Some(b'0') => text.get(at + 2..at + 4) == Some(b"33"),
        Some(b'e' | b'/') => true,
        _ => false,
    }
}
