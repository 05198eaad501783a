//! Turns a pattern into sets of bytes, one for each place of a match, and into a byte that all
//! matches hold further on. Does not match.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Some bytes in a row that are all of one set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The set.
    pub set: ByteSet,
    /// How many bytes.
    pub count: u8,
}

/// A byte that stands in every match behind its literal, with nothing but bytes of a set before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// How far behind the start of the literal the bytes of the set begin (bytes): behind the literal, where it is written the
    /// same in an escaped text.
    pub from: usize,
    /// What stands before the byte from there on, and itself.
    pub set: ByteSet,
    /// The byte.
    pub byte: u8,
    /// How far behind the start of the literal it stands at most (bytes).
    pub most: usize,
}

/// A set of bytes, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByteSet(pub [u64; 4]);

impl ByteSet {
    /// All bytes.
    pub const ALL: ByteSet = ByteSet([u64::MAX; 4]);

    /// The bytes that a text holds.
    pub const fn of(text: &[u8]) -> ByteSet {
        let (mut sets, mut place) = ([0; 4], 0);
        while place < text.len() {
            sets[(text[place] >> 6) as usize] |= 1 << (text[place] & 63);
            place += 1;
        }
        ByteSet(sets)
    }

    /// Whether a byte is in the set.
    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    /// Whether each byte of the set is in another one.
    pub fn is_within(&self, other: &ByteSet) -> bool {
        self.0.iter().zip(other.0).all(|(bits, others)| bits & !others == 0)
    }

    /// The bytes of the set, in order.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=u8::MAX).filter(|&byte| self.contains(byte))
    }

    /// Adds the bytes from one to another.
    pub fn add(&mut self, from: u8, to: u8) {
        for byte in from..=to {
            self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
    }

    fn add_all(&mut self, other: &ByteSet) {
        self.0.iter_mut().zip(other.0).for_each(|(bits, more)| *bits |= more);
    }
}

/// Whether a byte may be written as an escape with a backslash.
pub const fn has_an_escape(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'\\' | b'\t' | b'\n' | b'\r')
}

/// Whether what the backslashes at `place` stand for may be of a set.
pub fn may_be_escaped(text: &[u8], place: usize, set: &ByteSet) -> bool {
    let behind = text[place..].iter().find(|&&byte| byte != b'\\');
    set.contains(b'\\')
        || match behind {
            Some(b'n') => set.contains(b'\n'),
            Some(b'r') => set.contains(b'\r'),
            Some(b't') => set.contains(b'\t'),
            Some(&byte) => set.contains(byte),
            None => true,
        }
}

/// How many bytes the backslashes at the start of a text have, and the quote behind them, if there is one.
pub fn escaped_quote(text: &[u8]) -> Option<usize> {
    let slashes = text.iter().take_while(|&&byte| byte == b'\\').count();
    matches!(text.get(slashes), Some(b'"' | b'\'')).then_some(slashes + 1)
}

/// What the bytes of every text are that `parts` match one after the other.
pub fn steps(parts: &[Hir]) -> Vec<Step> {
    let mut sets = [ByteSet::default(); STEPS_BYTES_MAX];
    let mut ends = 1;
    for part in parts {
        ends = advance(part, ends, &mut sets);
    }
    // Behind the shortest match there may be anything.
    let sure = (ends.trailing_zeros() as usize).min(STEPS_BYTES_MAX);
    let mut steps: Vec<Step> = Vec::new();
    for set in &sets[..sure] {
        match steps.last_mut() {
            Some(last) if last.set == *set => last.count += 1,
            _ => steps.push(Step { set: *set, count: 1 }),
        }
    }
    steps
}

/// Adds to `sets` what `hir` matches when it begins at one of the places `begins`, a bit each.
/// Returns the places where it may end; those beyond the bits are of no interest.
fn advance(hir: &Hir, begins: u64, sets: &mut [ByteSet; STEPS_BYTES_MAX]) -> u64 {
    if begins == 0 {
        return 0;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => begins,
        HirKind::Literal(literal) => literal.0.iter().fold(begins, |places, &byte| {
            places_of(places, |place| sets[place].add(byte, byte));
            places << 1
        }),
        HirKind::Class(class) => {
            let mut set = ByteSet::default();
            match class {
                Class::Bytes(class) => class.iter().for_each(|range| set.add(range.start(), range.end())),
                Class::Unicode(_) => set.add(0, u8::MAX),
            }
            places_of(begins, |place| sets[place].add_all(&set));
            begins << 1
        }
        HirKind::Capture(capture) => advance(&capture.sub, begins, sets),
        HirKind::Concat(parts) => parts.iter().fold(begins, |places, part| advance(part, places, sets)),
        HirKind::Alternation(options) => {
            options.iter().fold(0, |places, option| places | advance(option, begins, sets))
        }
        HirKind::Repetition(repetition) => {
            let mut ends = if repetition.min == 0 { begins } else { 0 };
            let mut places = begins;
            for time in 1..=repetition.max.unwrap_or(u32::MAX) {
                places = advance(&repetition.sub, places, sets);
                if time >= repetition.min {
                    // What was reached before leads nowhere new.
                    if places & !ends == 0 {
                        break;
                    }
                    ends |= places;
                }
                if places == 0 {
                    break;
                }
            }
            ends
        }
    }
}

fn places_of(places: u64, mut act: impl FnMut(usize)) {
    (0..STEPS_BYTES_MAX).filter(|place| places >> place & 1 == 1).for_each(&mut act);
}

/// The first and the last byte that all matches of `parts` hold, if something may vary before it; one of them, if they are
/// the same.
pub fn reaches(parts: &[Hir]) -> [Option<Reach>; 2] {
    let [mut first, mut last] = [None; 2];
    let mut set = ByteSet::default();
    let (mut least, mut most) = (0, 0);
    let from = match parts.first().map(Hir::kind) {
        Some(HirKind::Literal(literal)) if !literal.0.iter().any(|&byte| has_an_escape(byte)) => literal.0.len(),
        _ => 0,
    };
    for (index, part) in parts.iter().enumerate() {
        if let HirKind::Literal(literal) = part.kind()
            && index > 0
        {
            let byte = literal.0[0];
            set.add(byte, byte);
            // A letter says little, and at a fixed distance the steps say it.
            if byte.is_ascii_punctuation() && least < most {
                let reach = Some(Reach { from, set, byte, most });
                match first {
                    None => first = reach,
                    Some(_) => last = reach,
                }
            }
        }
        if index > 0 || from == 0 {
            add_bytes(part, &mut set);
        }
        least += part.properties().minimum_len().unwrap_or(0);
        let Some(longest) = part.properties().maximum_len() else { return [None; 2] };
        most += longest;
    }
    [first, last]
}

/// Adds all bytes that `hir` may match.
fn add_bytes(hir: &Hir, set: &mut ByteSet) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => literal.0.iter().for_each(|&byte| set.add(byte, byte)),
        HirKind::Class(Class::Bytes(class)) => class.iter().for_each(|range| set.add(range.start(), range.end())),
        HirKind::Class(Class::Unicode(_)) => set.add(0, u8::MAX),
        HirKind::Capture(capture) => add_bytes(&capture.sub, set),
        HirKind::Repetition(repetition) => add_bytes(&repetition.sub, set),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().for_each(|part| add_bytes(part, set)),
    }
}

/// How many bytes of a match are told one by one, from its literal on.
const STEPS_BYTES_MAX: usize = 40;
