//! Takes the escape sequences of terminals out of a text. Does not act on them.
//!
//! Source: ECMA-48, 5th edition, 5.3 to 5.6 (<https://ecma-international.org/publications-and-standards/standards/ecma-48/>).

use super::View;
use crate::limits::OSC_BYTES_MAX;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
/// As many parameters and intermediates are looked back over for what introduces them.
const PARAMETERS_MAX: usize = 64;

/// What an escape sequence is.
#[derive(Debug, PartialEq, Eq)]
pub enum Sequence {
    /// Complete; nothing of it is text. Length in bytes.
    Control(usize),
    /// A string for the terminal (OSC, DCS, APC, PM, SOS): its length in all, and where its
    /// payload lies in it. The payload is text of its own (a link's URL).
    String(usize, std::ops::Range<usize>),
    /// The text ends before the sequence does.
    Cut,
}

/// Whether a text holds the beginning of an escape sequence.
pub fn present(text: &[u8]) -> bool {
    next(text, 0).is_some()
}

/// The place of the next introducer at or after `from`: ESC, or a C1 control (as U+0080 to U+009F
/// in UTF-8, or as a byte of its own beside ASCII).
pub fn next(text: &[u8], from: usize) -> Option<usize> {
    let mut place = from;
    // One often follows another.
    if text.get(from) == Some(&ESC) {
        return Some(from);
    }
    while let Some(step) = memchr::memchr3(ESC, 0xc2, 0x9b, text.get(place..)?) {
        let at = place + step;
        match text[at] {
            ESC => return Some(at),
            0xc2 if text.get(at + 1).is_some_and(|&second| c1(second)) => return Some(at),
            0x9b if at == 0 || text[at - 1].is_ascii() => return Some(at),
            _ => place = at + 1,
        }
    }
    None
}

/// The C1 controls that begin a sequence: CSI, OSC, DCS, SOS, PM, APC.
fn c1(byte: u8) -> bool {
    matches!(byte, 0x9b | 0x9d | 0x90 | 0x98 | 0x9e | 0x9f)
}

/// Reads the sequence at the start of `text`, which begins with an introducer.
pub fn sequence(text: &[u8]) -> Sequence {
    let (introducer, body) = match text {
        [ESC] | [0xc2] | [] => return Sequence::Cut,
        [ESC, second, ..] => (*second, 2),
        [0xc2, second, ..] => (second - 0x40, 2),
        [_, ..] => (b'[', 1),
    };
    match introducer {
        b'[' if text[0] != ESC => one_byte_control(text, body),
        b'[' => control(text, body),
        b']' | b'P' | b'X' | b'^' | b'_' => string(text, body),
        // An escape with intermediates, such as the choice of a character set.
        0x20..=0x2f => {
            let rest = &text[1..];
            match rest.iter().position(|byte| !(0x20..=0x2f).contains(byte)) {
                None => Sequence::Cut,
                Some(length) if (0x30..=0x7e).contains(&rest[length]) => Sequence::Control(length + 2),
                Some(length) => Sequence::Control(length + 1),
            }
        }
        0x30..=0x7e => Sequence::Control(2),
        _ => Sequence::Control(1),
    }
}

/// A control sequence: parameters, intermediates, one final byte. Ends early at a foreign byte.
fn control(text: &[u8], body: usize) -> Sequence {
    for (index, &byte) in text.iter().enumerate().skip(body) {
        match byte {
            0x20..=0x3f => {}
            0x40..=0x7e => return Sequence::Control(index + 1),
            _ => return Sequence::Control(index),
        }
    }
    Sequence::Cut
}

/// A control sequence behind the one character U+009B, which texts have for other reasons as well: it has parameters, or
/// sets colours or erases. What stands behind any other is text.
fn one_byte_control(text: &[u8], body: usize) -> Sequence {
    let parameters = text[body..].iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b';' | b':' | b'?')).count();
    match text.get(body + parameters) {
        None => Sequence::Cut,
        Some(0x40..=0x7e) if parameters > 0 => Sequence::Control(body + parameters + 1),
        Some(b'm' | b'K') => Sequence::Control(body + 1),
        Some(_) => Sequence::Control(body),
    }
}

/// A string ends at BEL, at ST, at LF, or at the bound.
fn string(text: &[u8], body: usize) -> Sequence {
    for (index, &byte) in text.iter().enumerate().skip(body) {
        let done = |length| Sequence::String(length, body..index);
        match byte {
            BEL => return done(index + 1),
            b'\n' => return done(index),
            ESC => {
                return match text.get(index + 1) {
                    None => Sequence::Cut,
                    Some(b'\\') => done(index + 2),
                    Some(_) => done(index),
                };
            }
            0x9c if text[index - 1] == 0xc2 => return Sequence::String(index + 1, body..index - 1),
            _ if index >= OSC_BYTES_MAX => return done(index),
            _ => {}
        }
    }
    Sequence::Cut
}

/// Appends `parent[from..to]` without its escape sequences to `view`, and the payloads of strings,
/// each with a line end of its own after it, to `payloads`. What stands behind the introducer of a string that
/// nothing ends is text: a person who reads the bytes sees it, and what was written in another encoding has such bytes.
///
/// Where the text is `open`, a sequence that its end cuts is left out, too; [`unfinished`] says where it begins.
pub fn strip(parent: &[u8], from: usize, to: usize, open: bool, view: &mut View, payloads: &mut View) {
    let text = &parent[..to];
    let mut place = from;
    while let Some(at) = next(text, place) {
        view.copy(parent, place, at);
        let (length, payload) = match sequence(&text[at..]) {
            Sequence::Control(length) => (length, None),
            Sequence::String(length, payload) if payload.end == length => (payload.start, None),
            Sequence::String(length, payload) => (length, Some(payload)),
            Sequence::Cut => match string_begins(&text[at..]) {
                Some(start) if !open => (start, None),
                start => (to - at, start.map(|start| start..to - at)),
            },
        };
        if let Some(payload) = payload {
            payloads.copy(parent, at + payload.start, at + payload.end);
            let end = payloads.text.len();
            payloads.text.push(b'\n');
            payloads.map.atom(end, at + payload.end, at + length);
        }
        view.map.gap(view.text.len(), at, at + length);
        place = at + length;
    }
    view.copy(parent, place, to);
}

/// Where the control sequence begins that stands right before `at` and that its next byte would go on or end; `at` if
/// there is none. A mask is a printable byte where a secret's first byte may have ended the sequence as a foreign one.
pub fn begun(text: &[u8], at: usize) -> usize {
    let mut begin = at;
    // Where one is taken away, the mask would go on with one that it has ended.
    while let Some(before) = cut_at(text, begin) {
        begin = before;
    }
    begin
}

/// Where the control sequence begins that the end of `text[..at]` cuts.
fn cut_at(text: &[u8], at: usize) -> Option<usize> {
    let text = &text[..at];
    let parameters = text.iter().rev().take(PARAMETERS_MAX).take_while(|byte| (0x20..=0x3f).contains(*byte)).count();
    let introduced = |start: usize| {
        let cut = &text[start..];
        next(text, start) == Some(start) && sequence(cut) == Sequence::Cut && string_begins(cut).is_none()
    };
    (1..=2).rev().filter_map(|length| (at - parameters).checked_sub(length)).find(|start| introduced(*start))
}

/// Whether a sequence holds no text of its own: a control, or the end of a link.
pub fn is_harmless(text: &[u8]) -> bool {
    match sequence(text) {
        Sequence::Control(_) => true,
        Sequence::String(_, payload) => text.get(payload) == Some(b"8;;"),
        Sequence::Cut => false,
    }
}

/// Where the payload of the string sequence at the start of `text` begins, if it is one.
fn string_begins(text: &[u8]) -> Option<usize> {
    let second = *text.get(1)?;
    let introducer = if text[0] == 0xc2 { second.wrapping_sub(0x40) } else { second };
    matches!(introducer, b']' | b'P' | b'X' | b'^' | b'_').then_some(2)
}

/// Where a sequence begins that the end of `text` cuts, if one does.
pub fn unfinished(text: &[u8]) -> Option<usize> {
    let mut place = text.len().saturating_sub(OSC_BYTES_MAX + 2);
    while let Some(at) = next(text, place) {
        match sequence(&text[at..]) {
            Sequence::Cut => return Some(at),
            Sequence::Control(length) | Sequence::String(length, _) => place = at + length.max(1),
        }
    }
    // The first byte of a C1 control in UTF-8.
    (text.last() == Some(&0xc2)).then(|| text.len() - 1)
}
