//! Tells whether what stands around a literal or a sign denies what it is a sign of. Never denies
//! what the unescaped text would hold; the text may still be escaped.

use std::ops::Range;

use crate::{
    rules::{
        Rule,
        condition::{ESCAPED_BYTES_MAX, Needle, Reach, may_be_escaped},
    },
    scan::{Engine, assigned},
    view,
};

/// Whether the token whose literal stands at `place` may match there. `gaps` are places, sorted, at which something was taken
/// out of the text: there a token may begin although a letter stands before it.
/// `ahead` is what was seen in the same text before.
pub fn may_match(engine: &Engine, text: &[u8], place: usize, token: u16, gaps: &[usize], ahead: &mut Ahead) -> bool {
    let Some(token) = engine.tokens().tokens().get(usize::from(token)) else { return false };
    let Some(needle) = token.pattern.needle() else { return false };
    // Where matches begin with their literals, the byte before tells most: in a run of `AAAA` none begins but the first.
    let (_, most) = needle.before;
    let begins = || may_begin(text, place, needle, gaps);
    (most > 0 || begins())
        && ahead.may_go_on(text, place, needle)
        && (most == 0 || begins())
        && has_context(text, place, &engine.rules().rules()[usize::from(token.rule)])
}

/// What was seen of a text behind the literals that were looked at, so that it is not looked at again for the next one.
#[derive(Debug, Default)]
pub struct Ahead {
    seen: Vec<Seen>,
    /// Which one gives way to the next.
    oldest: usize,
}

/// What was seen of what a match must reach.
#[derive(Debug)]
struct Seen {
    reach: Reach,
    /// In these bytes is neither the byte that is to be reached nor a line end.
    absent: Range<usize>,
    /// These are all of the set before that byte, which is not among them, and no backslashes.
    passed: Range<usize>,
}

impl Ahead {
    /// Forgets the text.
    pub fn clear(&mut self) {
        self.seen.clear();
    }

    /// Whether `text[at..]` may be the rest of a match whose literal begins at `at`. The text may still be escaped: a
    /// backslash stands for itself, or for a blank or quote behind it.
    fn may_go_on(&mut self, text: &[u8], at: usize, needle: &Needle) -> bool {
        if let Some(answer) = needle.steps_allow(text, at) {
            return answer;
        }
        self.may_reach(text, at, needle)
    }

    /// Whether the bytes that every match reaches further on may be there.
    pub fn may_reach(&mut self, text: &[u8], at: usize, needle: &Needle) -> bool {
        let [first, last] = needle.reaches;
        // The last one is the rarer, and where it is not was seen for literals before this one; to the first it is not far.
        let absent = last.or(first).is_some_and(|reach| self.of(reach).is_absent(text, at));
        !absent && [first, last].into_iter().flatten().all(|reach| self.of(reach).may_reach(text, at))
    }

    fn of(&mut self, reach: Reach) -> &mut Seen {
        let number = self.seen.iter().position(|seen| seen.reach == reach).unwrap_or_else(|| {
            let seen = Seen { reach, absent: 0..0, passed: 0..0 };
            if self.seen.len() < SEEN_MAX {
                self.seen.push(seen);
                return self.seen.len() - 1;
            }
            self.oldest = (self.oldest + 1) % SEEN_MAX;
            self.seen[self.oldest] = seen;
            self.oldest
        });
        &mut self.seen[number]
    }
}

impl Seen {
    /// Whether nothing but bytes of the set stand before the byte that is to be reached.
    fn may_reach(&mut self, text: &[u8], at: usize) -> bool {
        let Seen { reach, passed, .. } = self;
        let end = text.len().min(at + reach.most + 1);
        let from = at + reach.from;
        if !passed.contains(&from) {
            *passed = from..from;
        }
        while passed.end < end {
            let place = passed.end;
            match text[place] {
                byte if byte == reach.byte => return true,
                b'\\' => return may_be_escaped(text, place, &reach.set),
                byte if !reach.set.contains(byte) => return false,
                _ => passed.end += 1,
            }
        }
        text.len() - at <= reach.most
    }

    /// Whether the byte that is to be reached stands nowhere in the rest of the line, or too far away. It is never written
    /// as an escape, but others before it may be.
    fn is_absent(&mut self, text: &[u8], at: usize) -> bool {
        let Seen { reach, absent, .. } = self;
        if reach.set.contains(b'\n') {
            return false;
        }
        let far = text.len().min(at + ESCAPED_BYTES_MAX * (reach.most + 1));
        if !absent.contains(&at) {
            *absent = at..at;
        }
        if absent.end < far {
            let found = memchr::memchr2(reach.byte, b'\n', &text[absent.end..far]);
            absent.end = found.map_or(far, |found| absent.end + found);
        }
        match text.get(absent.end).filter(|_| absent.end < far) {
            Some(b'\n') => true,
            None => far < text.len(),
            _ => false,
        }
    }
}

/// How many kinds of what is to be reached are remembered.
const SEEN_MAX: usize = 8;

/// Whether the key name at `place` may be assigned a value.
pub fn may_assign(
    engine: &Engine,
    text: &[u8],
    place: Range<usize>,
    trigger: u16,
    open: bool,
    scratch: &mut assigned::Scratch,
) -> bool {
    let Some(names) = engine.names() else { return false };
    let trigger = names.triggers().get(usize::from(trigger));
    trigger.is_some_and(|trigger| assigned::may_assign(names, trigger, text, place, open, scratch))
}

/// Whether a token may begin at one of the places that its literal at `place` allows.
fn may_begin(text: &[u8], place: usize, needle: &Needle, gaps: &[usize]) -> bool {
    let (least, most) = needle.before;
    let inside = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let escaped = |at: usize| at > 0 && text[at - 1] == b'\\';
    let begins = |start: usize| {
        start == 0 || !inside(start) || !inside(start - 1) || escaped(start - 1) || gaps.binary_search(&start).is_ok()
    };
    // Escapes may stand between the beginning and the literal, which makes the distance longer.
    let near = &text[place.saturating_sub(2 * most)..place];
    let mut starts = place.saturating_sub(most)..place.saturating_sub(least) + 1;
    most > 0 && near.contains(&b'\\')
        || place >= least && starts.any(|start| begins(start) && needle.may_begin(text, start))
}

/// Whether a word that the rule wants stands before its literal, as far as an escaped line can tell.
pub fn has_context(text: &[u8], place: usize, rule: &Rule) -> bool {
    if rule.context.is_empty() {
        return true;
    }
    let from = place.saturating_sub(CONTEXT_BYTES_MAX);
    let line = memchr::memrchr(b'\n', &text[from..place]).map_or(from, |end| from + end + 1);
    let before = &text[line..place];
    rule.context.iter().any(|word| {
        let word = word.as_bytes();
        let first = word.first().copied().unwrap_or_default();
        let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
        memchr::memchr2_iter(lower, upper, before)
            .any(|at| before.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word)))
    })
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
        Some(b'u' | b'x') if text.get(at + 2) == Some(&b'{') => hex(3, 1),
        Some(b'u') => hex(2, 4),
        Some(b'x') => hex(2, 2),
        Some(b'0') => text.get(at + 2..at + 4) == Some(b"33"),
        Some(b'e' | b'/') => true,
        _ => false,
    }
}
