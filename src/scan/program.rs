//! Matches one pattern at one place by trying its ways in the order of preference. Does not look for
//! places, and gives up where trying takes too long.
//!
//! Nearly all patterns of tokens are runs of bytes of a set, one after the other, of which the next byte
//! says where each ends: then there is one way, and no memory is needed besides the pattern. The few
//! others are tried in order under a bound on the work; beyond it an automaton must say
//! ([`Tried::TooLong`]).

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::rules::condition::ByteSet;

/// A pattern, ready to be tried.
#[derive(Debug)]
pub struct Program {
    /// Each goes on at one with a smaller number; the first is [`Node::End`].
    nodes: Vec<Node>,
    /// What each node may begin with.
    firsts: Vec<First>,
    sets: Vec<(ByteSet, Box<[bool; 256]>)>,
    start: usize,
    /// Tells the runs of this program from those of others.
    number: u32,
}

/// What came of trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried<T> {
    /// This.
    Found(T),
    /// Nothing.
    Nothing,
    /// Nobody knows: it was given up.
    TooLong,
}

/// A match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// Where it ends.
    pub end: usize,
    /// Where the secret in it begins and ends, if it has a group of its own.
    pub secret: Option<(usize, usize)>,
}

/// Where long runs end in a text: kept from place to place, so that each is walked through once, however
/// many beginnings stand in it.
#[derive(Debug, Default)]
pub struct Runs {
    known: Vec<KnownRun>,
    text: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct KnownRun {
    text: u32,
    program: u32,
    set: u16,
    start: usize,
    end: usize,
}

/// One step of a pattern.
#[derive(Debug)]
enum Node {
    End,
    Literal { bytes: Box<[u8]>, next: usize },
    Run { set: u16, least: usize, most: usize, next: usize, one_way: bool },
    Either { ways: Box<[usize]> },
    SecretBegins { next: usize },
    SecretEnds { next: usize },
}

/// The bytes with which what follows may begin, or that it may be empty.
#[derive(Debug, Clone, Copy, Default)]
struct First {
    set: ByteSet,
    empty: bool,
}

impl First {
    fn allows(&self, byte: Option<&u8>) -> bool {
        self.empty || byte.is_none_or(|&byte| self.set.contains(byte))
    }
}

impl Program {
    /// The program of a pattern, unless it would be too large, or is of a kind that patterns seldom are.
    /// `secret` is the name of the group that is the secret; `number` tells this program from others.
    pub fn new(hir: &Hir, secret: &str, number: u32) -> Option<Program> {
        let empty = First { empty: true, ..First::default() };
        let mut program = Program { nodes: vec![Node::End], firsts: vec![empty], sets: Vec::new(), start: 0, number };
        program.start = program.add(hir, 0, secret)?;
        Some(program)
    }

    /// The preferred match at `text[start..]`.
    pub fn match_at(&self, text: &[u8], start: usize, runs: &mut Runs) -> Tried<Match> {
        let mut trial = Trial::new(self, text, runs);
        match trial.go::<MATCH>(self.start, start) {
            Some(Event::Reached(end)) => {
                let secret = trial.secret_begin.zip(trial.secret_end);
                Tried::Found(Match { end, secret })
            }
            Some(Event::TooLong) => Tried::TooLong,
            _ => Tried::Nothing,
        }
    }

    /// Whether the whole of `value` is a match, be it a preferred one or not.
    pub fn matches_whole(&self, value: &[u8]) -> Tried<()> {
        match Trial::new(self, value, &mut Runs::default()).go::<WHOLE>(self.start, 0) {
            Some(Event::Reached(_)) => Tried::Found(()),
            Some(Event::TooLong) => Tried::TooLong,
            _ => Tried::Nothing,
        }
    }

    /// Whether `text[start..]` begins a match that goes on behind the end of the text, or ends there.
    pub fn goes_on(&self, text: &[u8], start: usize, runs: &mut Runs) -> Tried<()> {
        match Trial::new(self, text, runs).go::<GOES_ON>(self.start, start) {
            Some(Event::Reached(_)) => Tried::Found(()),
            Some(Event::TooLong) => Tried::TooLong,
            _ => Tried::Nothing,
        }
    }

    /// The first place at which the secret of a match at `text[start..]` may begin.
    pub fn secret_at(&self, text: &[u8], start: usize, runs: &mut Runs) -> Tried<usize> {
        let mut trial = Trial::new(self, text, runs);
        match trial.go::<SECRET_BEGINS>(self.start, start) {
            Some(Event::TooLong) => Tried::TooLong,
            _ => trial.secret_begin.map_or(Tried::Nothing, Tried::Found),
        }
    }

    /// Adds what `hir` matches before `next`. Returns its node.
    fn add(&mut self, hir: &Hir, next: usize, secret: &str) -> Option<usize> {
        match hir.kind() {
            HirKind::Empty => Some(next),
            HirKind::Literal(literal) => {
                let mut first = First::default();
                first.set.add(literal.0[0], literal.0[0]);
                self.push(Node::Literal { bytes: literal.0.clone(), next }, first)
            }
            HirKind::Class(class) => self.run(class, 1, 1, next),
            HirKind::Look(_) => None,
            HirKind::Repetition(repetition) => self.repetition(repetition, next, secret),
            HirKind::Capture(capture) if capture.name.as_deref() == Some(secret) => {
                let first = self.firsts[next];
                let end = self.push(Node::SecretEnds { next }, first)?;
                let inner = self.add(&capture.sub, end, secret)?;
                let first = self.firsts[inner];
                self.push(Node::SecretBegins { next: inner }, first)
            }
            HirKind::Capture(capture) => self.add(&capture.sub, next, secret),
            HirKind::Concat(parts) => parts.iter().rev().try_fold(next, |next, part| self.add(part, next, secret)),
            HirKind::Alternation(options) => {
                let ways: Option<Vec<usize>> = options.iter().map(|option| self.add(option, next, secret)).collect();
                self.either(ways?)
            }
        }
    }

    fn repetition(&mut self, repetition: &Repetition, next: usize, secret: &str) -> Option<usize> {
        let (least, most) = (repetition.min as usize, repetition.max? as usize);
        if !repetition.greedy {
            return None;
        }
        match repetition.sub.kind() {
            HirKind::Class(class) => return self.run(class, least, most, next),
            HirKind::Literal(literal) if literal.0.len() == 1 => {
                let mut set = ByteSet::default();
                set.add(literal.0[0], literal.0[0]);
                return self.run_of(set, least, most, next);
            }
            _ => {}
        }
        if repetition.sub.properties().minimum_len().unwrap_or(0) == 0 {
            return None;
        }
        let mut entry = next;
        for _ in least..most {
            let again = self.add(&repetition.sub, entry, secret)?;
            entry = self.either(vec![again, next])?;
        }
        (0..least).try_fold(entry, |entry, _| self.add(&repetition.sub, entry, secret))
    }

    fn run(&mut self, class: &Class, least: usize, most: usize, next: usize) -> Option<usize> {
        let Class::Bytes(class) = class else { return None };
        let mut set = ByteSet::default();
        class.iter().for_each(|range| set.add(range.start(), range.end()));
        self.run_of(set, least, most, next)
    }

    fn run_of(&mut self, set: ByteSet, least: usize, most: usize, next: usize) -> Option<usize> {
        if most == 0 {
            return Some(next);
        }
        let known = self.sets.iter().position(|(known, _)| *known == set);
        let number = known.unwrap_or_else(|| {
            self.sets.push((set, Box::new(std::array::from_fn(|byte| set.contains(byte as u8)))));
            self.sets.len() - 1
        });
        let after = self.firsts[next];
        let apart = set.0.iter().zip(after.set.0).all(|(bits, others)| bits & others == 0);
        let one_way = least == most || apart && !after.empty;
        let mut first = First { set, empty: least == 0 && after.empty };
        if least == 0 {
            first.set.0.iter_mut().zip(after.set.0).for_each(|(bits, more)| *bits |= more);
        }
        self.push(Node::Run { set: u16::try_from(number).ok()?, least, most, next, one_way }, first)
    }

    fn either(&mut self, ways: Vec<usize>) -> Option<usize> {
        let mut first = First::default();
        for &way in &ways {
            first.empty |= self.firsts[way].empty;
            first.set.0.iter_mut().zip(self.firsts[way].set.0).for_each(|(bits, more)| *bits |= more);
        }
        self.push(Node::Either { ways: ways.into() }, first)
    }

    fn push(&mut self, node: Node, first: First) -> Option<usize> {
        self.nodes.push(node);
        self.firsts.push(first);
        (self.nodes.len() <= NODES_MAX).then_some(self.nodes.len() - 1)
    }
}

impl Runs {
    /// What is known was of another text.
    pub fn start(&mut self) {
        self.text = self.text.wrapping_add(1);
        if self.text == 0 {
            self.known.clear();
        }
    }

    /// Where the run of bytes of a set ends that `text[at]` stands in, looking no further than `end`, or
    /// a little.
    fn end(&mut self, text: &[u8], at: usize, end: usize, (program, set): (u32, u16), table: &[bool; 256]) -> usize {
        let walk = |at: usize, end: usize| {
            text[at..end].iter().position(|&byte| !table[usize::from(byte)]).map_or(end, |n| at + n)
        };
        // Most runs are short, and not worth a memory.
        let near = end.min(at + RUN_BYTES_NEAR);
        let stop = walk(at, near);
        if stop < near || near == end {
            return stop;
        }
        if self.known.is_empty() {
            self.known.resize(RUNS_KNOWN, KnownRun::default());
        }
        let key = (program.wrapping_mul(31).wrapping_add(u32::from(set))) as usize % RUNS_KNOWN;
        let known = self.known[key];
        let same = known.text == self.text && known.program == program && known.set == set;
        if same && known.start <= at && at < known.end {
            if known.end >= end {
                return end;
            }
            // Either the run ends there, or that was as far as was looked.
            let stop = walk(known.end, end);
            self.known[key].end = stop;
            return stop;
        }
        let stop = walk(near, end);
        self.known[key] = KnownRun { text: self.text, program, set, start: at, end: stop };
        stop
    }
}

/// What ends a trial.
enum Event {
    /// The end of the pattern, or of the text.
    Reached(usize),
    /// A match that ends before the text does.
    Over,
    TooLong,
}

const MATCH: u8 = 0;
const GOES_ON: u8 = 1;
const SECRET_BEGINS: u8 = 2;
const WHOLE: u8 = 3;

/// Trying a program at one place.
struct Trial<'a> {
    program: &'a Program,
    text: &'a [u8],
    runs: &'a mut Runs,
    secret_begin: Option<usize>,
    secret_end: Option<usize>,
    /// How many more steps may be made.
    steps: usize,
}

impl<'a> Trial<'a> {
    fn new(program: &'a Program, text: &'a [u8], runs: &'a mut Runs) -> Trial<'a> {
        Trial { program, text, runs, secret_begin: None, secret_end: None, steps: STEPS_MAX }
    }

    /// Goes on at a node. `None` says that this way leads nowhere.
    fn go<const MODE: u8>(&mut self, node: usize, at: usize) -> Option<Event> {
        let (mut node, mut at) = (node, at);
        loop {
            if self.steps == 0 {
                return Some(Event::TooLong);
            }
            self.steps -= 1;
            let program = self.program;
            match program.nodes.get(node)? {
                Node::End if MODE == WHOLE && at < self.text.len() => return None,
                Node::End if MODE == GOES_ON && at < self.text.len() => return Some(Event::Over),
                Node::End => return Some(Event::Reached(at)),
                Node::Literal { bytes, next } => {
                    let rest = &self.text[at..];
                    if !rest.starts_with(bytes) {
                        let cut = MODE == GOES_ON && bytes.starts_with(rest);
                        return cut.then_some(Event::Reached(at));
                    }
                    (node, at) = (*next, at + bytes.len());
                }
                Node::SecretBegins { next } => {
                    if MODE == SECRET_BEGINS {
                        self.secret_begin = Some(self.secret_begin.map_or(at, |old| old.min(at)));
                        return None;
                    }
                    self.secret_begin = Some(at);
                    node = *next;
                }
                Node::SecretEnds { next } => {
                    self.secret_end = Some(at);
                    node = *next;
                }
                Node::Either { ways } => {
                    let next = self.text.get(at);
                    let mut ways = ways.iter().filter(|way| program.firsts[**way].allows(next));
                    let mut way = *ways.next()?;
                    for &other in ways {
                        if let Some(event) = self.go::<MODE>(way, at) {
                            return Some(event);
                        }
                        way = other;
                    }
                    node = way;
                }
                Node::Run { set, least, most, next, one_way } => {
                    let end = self.text.len().min(at.saturating_add(*most));
                    let table = &program.sets[usize::from(*set)].1;
                    let stop = self.runs.end(self.text, at, end, (program.number, *set), table);
                    if MODE == GOES_ON && stop == self.text.len() && stop - at < *most {
                        return Some(Event::Reached(stop));
                    }
                    if stop - at < *least {
                        return None;
                    }
                    let first = at + least;
                    at = stop;
                    node = *next;
                    if !one_way {
                        let after = &program.firsts[node];
                        while at > first {
                            if after.allows(self.text.get(at))
                                && let Some(event) = self.go::<MODE>(node, at)
                            {
                                return Some(event);
                            }
                            at -= 1;
                            if self.steps == 0 {
                                return Some(Event::TooLong);
                            }
                            self.steps -= 1;
                        }
                    }
                }
            }
        }
    }
}

/// A larger program is not worth its memory.
const NODES_MAX: usize = 512;
/// How many steps of a trial are made before it is given up.
const STEPS_MAX: usize = 2048;
/// How far a run is walked through without asking what is known of it (bytes).
const RUN_BYTES_NEAR: usize = 64;
/// How many long runs are known at a time.
const RUNS_KNOWN: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::{Anchored, Input, meta};

    use super::*;
    use crate::rules::{RuleSet, condition, sample};

    fn program(source: &str) -> Option<Program> {
        Program::new(&condition::parse(source).unwrap().0, "secret", 0)
    }

    /// What the regular-expression crate says of the same.
    fn reference(source: &str, text: &[u8]) -> Option<Match> {
        let config = meta::Config::new().utf8_empty(false);
        let regex =
            meta::Builder::new().configure(config).build_from_hir(&condition::parse(source).unwrap().0).unwrap();
        let mut captures = regex.create_captures();
        regex.search_captures(&Input::new(text).anchored(Anchored::Yes), &mut captures);
        let end = captures.get_match()?.end();
        let secret = captures.get_group_by_name("secret").map(|span| (span.start, span.end));
        Some(Match { end, secret })
    }

    fn agrees(source: &str, text: &[u8]) -> Result<(), TestCaseError> {
        let Some(program) = program(source) else { return Ok(()) };
        match program.match_at(text, 0, &mut Runs::default()) {
            Tried::Found(found) => prop_assert_eq!(Some(found), reference(source, text), "{}", source),
            Tried::Nothing => prop_assert_eq!(None, reference(source, text), "{}", source),
            Tried::TooLong => {}
        }
        Ok(())
    }

    #[test]
    fn nearly_all_embedded_patterns_have_a_program() {
        let rules = RuleSet::builtin().unwrap();
        let patterns: Vec<&str> =
            rules.rules().iter().map(|rule| rule.pattern.as_str()).filter(|pattern| !pattern.is_empty()).collect();
        let without: Vec<&&str> = patterns.iter().filter(|pattern| program(pattern).is_none()).collect();
        assert!(without.len() * 50 < patterns.len(), "{without:#?}");
    }

    #[test]
    fn samples_of_embedded_patterns_match_as_the_reference_says() {
        let mut rng = sample::Rng::new(7);
        for rule in RuleSet::builtin().unwrap().rules().iter().filter(|rule| !rule.pattern.is_empty()) {
            for _ in 0..8 {
                let mut text = sample::from_pattern(&rule.pattern, &mut rng);
                agrees(&rule.pattern, &text).unwrap();
                text.extend_from_slice(b" and more");
                agrees(&rule.pattern, &text).unwrap();
                // Something else in its place, somewhere.
                let at = rng.below(text.len());
                text[at] = *rng.pick(b"aZ0-_.:@/= \"\\");
                agrees(&rule.pattern, &text).unwrap();
            }
        }
    }

    #[test]
    fn a_beginning_goes_on_until_it_cannot_match() {
        let program = program("key: (?P<secret>[a-z]{4,8})!?").unwrap();
        let goes_on = |text: &[u8]| program.goes_on(text, 0, &mut Runs::default()) == Tried::Found(());
        assert!(goes_on(b"ke") && goes_on(b"key: ab") && goes_on(b"key: abcdefgh") && goes_on(b"key: abcd!"));
        assert!(!goes_on(b"kex") && !goes_on(b"key: ab.") && !goes_on(b"key: abcd!!") && !goes_on(b"key: abcdefghi"));
    }

    #[test]
    fn a_whole_value_matches_in_whichever_order_alternatives_stand() {
        let program = program("[0-9a-f]{4}|[0-9a-z]{2,8}").unwrap();
        let whole = |value: &[u8]| program.matches_whole(value) == Tried::Found(());
        assert!(
            whole(b"0123")
                && whole(b"012345")
                && whole(b"xy")
                && !whole(b"012345678")
                && !whole(b"0")
                && !whole(b"0 1")
        );
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let program = program("(?:a{1,9}b?){1,20}c").unwrap();
        assert_eq!(program.match_at(&[b'a'; 400], 0, &mut Runs::default()), Tried::TooLong);
    }

    proptest! {
        #[test]
        fn random_patterns_match_as_the_reference_says(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "b", "[ab]", "[ab]{0,3}", "[a-c]{2,5}", "(?:a|ab)", "(?:b|ba|c){0,2}", "(?:ab?){1,3}", "c?",
                ]),
                1..6,
            ),
            secret in prop::sample::select(vec!["", "(?P<secret>[abc]{1,4})", "(?P<secret>a|[bc]{2})"]),
            text in "[abc]{0,24}",
        ) {
            let source = format!("{}{secret}c{{0,2}}", parts.concat());
            if condition::parse(&source).is_ok() {
                agrees(&source, text.as_bytes())?;
            }
        }

        #[test]
        fn what_is_known_of_runs_changes_nothing(text in "[ab-]{0,600}") {
            let program = program("[ab]{70,400}-").unwrap();
            let mut runs = Runs::default();
            runs.start();
            for at in 0..text.len() {
                let fresh = program.match_at(text.as_bytes(), at, &mut Runs::default());
                prop_assert_eq!(program.match_at(text.as_bytes(), at, &mut runs), fresh);
            }
        }
    }
}
