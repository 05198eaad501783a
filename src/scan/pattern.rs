//! Matches the pattern of one rule at places that others have found. Does not look for places.
//!
//! Nothing is compiled, or even parsed, before it is needed: start-up does not pay for the rules.

use std::{
    ops::Range,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use regex_automata::{Anchored, Input, hybrid, meta, nfa::thompson, util::captures::Captures};
use regex_syntax::hir::{Hir, Look};

pub use super::program::Runs;
use super::program::{Program, Tried};
use crate::{
    limits::{PATTERN_COMPILED_BYTES_MAX, SECRET_BYTES_MAX},
    rules::{
        Rule, Text,
        condition::{self, Condition, Needle, Run},
    },
};

/// A rule's pattern, checked when the rule was read.
///
/// Nearly always its program says all; the automata are for the rest, and take memory.
#[derive(Debug)]
pub struct Pattern {
    source: Text,
    condition: Arc<Condition>,
    program: OnceLock<Option<Box<Program>>>,
    automata: OnceLock<Box<Automata>>,
}

/// The automata of a pattern, each made when it is first needed.
#[derive(Debug, Default)]
struct Automata {
    whole: OnceLock<Option<meta::Regex>>,
    before_secret: OnceLock<Option<meta::Regex>>,
    to_the_end: OnceLock<Option<meta::Regex>>,
    live: OnceLock<Option<Automaton>>,
}

/// A lazy automaton, and the memory in which threads keep its states.
#[derive(Debug)]
struct Automaton {
    dfa: hybrid::dfa::DFA,
    spare: Mutex<Vec<hybrid::dfa::Cache>>,
}

impl Pattern {
    /// The pattern of a rule.
    pub fn of(rule: &Rule) -> Pattern {
        Pattern::new(rule.pattern.clone(), Arc::clone(&rule.condition))
    }

    fn new(source: Text, condition: Arc<Condition>) -> Pattern {
        Pattern { source, condition, program: OnceLock::new(), automata: OnceLock::new() }
    }

    /// The literals that every match holds.
    pub fn needle(&self) -> Option<&Needle> {
        self.condition.needle.as_ref()
    }

    /// The run that every match begins with, where it holds no literal.
    pub fn run(&self) -> Option<Run> {
        self.condition.run
    }

    /// The longest match (bytes).
    pub fn length_max(&self) -> usize {
        self.condition.length_max
    }

    /// How far before the end of a text a match may begin whose literal, if it has one, does not stand in front (bytes).
    pub fn reach(&self) -> Option<usize> {
        match self.needle() {
            Some(needle) if needle.before.1 == 0 => None,
            Some(needle) => Some(needle.before.1 + needle.literals.iter().map(Vec::len).max().unwrap_or(0)),
            // Such a match begins with the run at the end, which is held anyway, or it has a
            // byte after it: then the beginning may be as far away as a match is long.
            None => Some(self.length_max().min(SECRET_BYTES_MAX)),
        }
    }

    /// Whether the secret is the whole match.
    pub fn secret_is_whole(&self) -> bool {
        self.condition.secret_is_whole
    }

    /// Compiles the pattern now, to see whether it can be.
    ///
    /// # Errors
    /// If it takes more memory than [`PATTERN_COMPILED_BYTES_MAX`].
    pub fn compile(&self) -> Result<(), String> {
        match self.regex() {
            Some(_) => Ok(()),
            None => Err("the compiled pattern is too large".to_owned()),
        }
    }

    /// Matches at `start` exactly. Returns the match and the secret in it. `runs` are those of the text.
    pub fn match_at(&self, text: &[u8], start: usize, runs: &mut Runs) -> Option<(Range<usize>, Range<usize>)> {
        if self.needle().is_some_and(|needle| !needle.may_begin(text, start)) {
            return None;
        }
        match self.program().map_or(Tried::TooLong, |program| program.match_at(text, start, runs)) {
            Tried::Found(found) => {
                let whole = start..found.end;
                let secret = found.secret.map_or(whole.clone(), |(begin, end)| begin..end);
                Some((whole, secret))
            }
            Tried::Nothing => None,
            Tried::TooLong => self.search_at(text, start),
        }
    }

    /// The same by automata.
    fn search_at(&self, text: &[u8], start: usize) -> Option<(Range<usize>, Range<usize>)> {
        let regex = self.regex()?;
        let end = text.len().min(start + self.condition.length_max + 1);
        let input = Input::new(text).range(start..end).anchored(Anchored::Yes);
        if self.condition.secret_is_whole {
            let found = regex.search(&input)?.range();
            return Some((found.clone(), found));
        }
        let mut captures: Captures = regex.create_captures();
        regex.search_captures(&input, &mut captures);
        let found = captures.get_match()?.range();
        let secret = captures.get_group_by_name(SECRET).map_or(found.clone(), |span| span.start..span.end);
        Some((found, secret))
    }

    /// Whether the pattern matches the whole of `value`, in whichever order its alternatives stand.
    pub fn matches_whole(&self, value: &[u8]) -> bool {
        if value.len() > self.condition.length_max {
            return false;
        }
        match self.program().map_or(Tried::TooLong, |program| program.matches_whole(value)) {
            Tried::Found(()) => true,
            Tried::Nothing => false,
            Tried::TooLong => {
                let to_the_end = || build(&Hir::concat(vec![self.syntax()?, Hir::look(Look::End)]));
                let regex = self.automata().to_the_end.get_or_init(to_the_end).as_ref();
                regex.is_some_and(|regex| regex.is_match(Input::new(value).anchored(Anchored::Yes)))
            }
        }
    }

    /// Where a match begins at or after `from`, wherever that is. For patterns without a needle.
    pub fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        self.regex()?.search(&Input::new(text).range(from..)).map(|found| found.start())
    }

    /// Where the secret begins, if `text[start..]` is the beginning of a match that more bytes
    /// could complete or lengthen, and the secret has begun.
    pub fn live_at(&self, text: &[u8], start: usize, runs: &mut Runs) -> Option<usize> {
        if text.len() - start > self.condition.length_max {
            return None;
        }
        let program = self.program();
        let goes_on = match program.map_or(Tried::TooLong, |program| program.goes_on(text, start, runs)) {
            Tried::Found(()) => true,
            Tried::Nothing => false,
            Tried::TooLong => self.may_go_on(&text[start..]),
        };
        if !goes_on {
            return None;
        }
        if self.condition.secret_is_whole {
            return Some(start);
        }
        match program.map_or(Tried::TooLong, |program| program.secret_at(text, start, runs)) {
            Tried::Found(at) => Some(at),
            Tried::Nothing => None,
            Tried::TooLong => {
                let before = || build(condition::parse(&self.source).ok()?.1.as_ref()?);
                let regex = self.automata().before_secret.get_or_init(before).as_ref()?;
                let input = Input::new(text).range(start..).anchored(Anchored::Yes).earliest(true);
                regex.search(&input).map(|found| found.end())
            }
        }
    }

    /// Whether some text beginning with `start` matches, longer than `start` or ending there.
    fn may_go_on(&self, start: &[u8]) -> bool {
        // What cannot be told is taken to be alive.
        let Some(automaton) = self.automata().live.get_or_init(|| automaton(&self.syntax()?)) else {
            return true;
        };
        let spare = automaton.spare.lock().ok().and_then(|mut spare| spare.pop());
        let mut cache = spare.unwrap_or_else(|| automaton.dfa.create_cache());
        let alive = is_alive(&automaton.dfa, &mut cache, start).unwrap_or(true);
        if let Ok(mut spare) = automaton.spare.lock() {
            spare.push(cache);
        }
        alive
    }

    fn program(&self) -> Option<&Program> {
        static NUMBERS: AtomicU32 = AtomicU32::new(0);
        let compile = || Program::new(&self.syntax()?, SECRET, NUMBERS.fetch_add(1, Ordering::Relaxed)).map(Box::new);
        self.program.get_or_init(compile).as_deref()
    }

    fn automata(&self) -> &Automata {
        self.automata.get_or_init(Box::default)
    }

    fn regex(&self) -> Option<&meta::Regex> {
        self.automata().whole.get_or_init(|| build(&self.syntax()?)).as_ref()
    }

    fn syntax(&self) -> Option<Hir> {
        condition::parse(&self.source).ok().map(|(whole, ..)| whole)
    }
}

fn build(hir: &Hir) -> Option<meta::Regex> {
    let config = meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(PATTERN_COMPILED_BYTES_MAX))
        .hybrid_cache_capacity(AUTOMATON_CACHE_BYTES);
    meta::Builder::new().configure(config).build_from_hir(hir).ok()
}

/// Runs the automaton over `start`. `None` if it ran out of memory.
fn is_alive(dfa: &hybrid::dfa::DFA, cache: &mut hybrid::dfa::Cache, start: &[u8]) -> Option<bool> {
    let mut state = dfa.start_state_forward(cache, &Input::new(start).anchored(Anchored::Yes)).ok()?;
    for &byte in start {
        state = dfa.next_state(cache, state, byte).ok()?;
        if state.is_dead() {
            return Some(false);
        }
    }
    // A match is told one byte late: the state after its last byte and that of a match that is
    // over are both alive, but nothing follows from the second one.
    for byte in 0..=u8::MAX {
        if !dfa.next_state(cache, state, byte).ok()?.is_dead() {
            return Some(true);
        }
    }
    Some(false)
}

fn automaton(hir: &Hir) -> Option<Automaton> {
    let config = thompson::Config::new()
        .utf8(false)
        .nfa_size_limit(Some(PATTERN_COMPILED_BYTES_MAX))
        .which_captures(thompson::WhichCaptures::None);
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).ok()?;
    let config = hybrid::dfa::Config::new().cache_capacity(AUTOMATON_CACHE_BYTES).skip_cache_capacity_check(true);
    let dfa = hybrid::dfa::Builder::new().configure(config).build_from_nfa(nfa).ok()?;
    Some(Automaton { dfa, spare: Mutex::default() })
}

/// The memory in which the automaton of one pattern keeps states (bytes).
const AUTOMATON_CACHE_BYTES: usize = 128 << 10;
/// The name of the capture that is masked.
const SECRET: &str = "secret";

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(source: &str) -> Pattern {
        let condition = condition::parse(source).unwrap().2;
        Pattern::new(source.into(), Arc::new(condition))
    }

    #[test]
    fn a_beginning_is_live_until_it_cannot_match() {
        let pattern = pattern("key: (?P<secret>[a-z]{4,8})");
        let live_at = |text: &[u8], start| pattern.live_at(text, start, &mut Runs::default());
        assert_eq!(live_at(b"key:", 0), None);
        assert_eq!(live_at(b"key: ", 0), Some(5));
        assert_eq!(live_at(b"key: abcd", 0), Some(5));
        assert_eq!(live_at(b"key: abcd.", 0), None);
        assert_eq!(live_at(b"kex", 0), None);
    }
}
