//! Matches the pattern of one rule at places that others have found. Does not look for places.
//!
//! Nothing is compiled, or even parsed, before it is needed: start-up does not pay for the rules.

use std::{
    ops::Range,
    sync::{Arc, Mutex, OnceLock},
};

use regex_automata::{Anchored, Input, hybrid, meta, nfa::thompson, util::captures::Captures};
use regex_syntax::hir::{Hir, Look};

use crate::{
    limits::PATTERN_COMPILED_BYTES_MAX,
    rules::{
        Rule, Text,
        condition::{self, Condition, Needle, Run},
    },
};

/// A rule's pattern, checked when the rule was read.
#[derive(Debug)]
pub struct Pattern {
    source: Text,
    condition: Arc<Condition>,
    parts: OnceLock<Option<Parts>>,
    regex: OnceLock<Option<meta::Regex>>,
    before_regex: OnceLock<Option<meta::Regex>>,
    to_the_end: OnceLock<Option<meta::Regex>>,
    live: OnceLock<Option<Automaton>>,
}

/// The syntax of a pattern.
#[derive(Debug)]
struct Parts {
    whole: Hir,
    /// What stands before the secret, if it has a group of its own.
    before: Option<Hir>,
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
        Pattern {
            source: rule.pattern.clone(),
            condition: Arc::clone(&rule.condition),
            parts: OnceLock::new(),
            regex: OnceLock::new(),
            before_regex: OnceLock::new(),
            to_the_end: OnceLock::new(),
            live: OnceLock::new(),
        }
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

    /// Matches at `start` exactly. Returns the match and the secret in it.
    pub fn match_at(&self, text: &[u8], start: usize) -> Option<(Range<usize>, Range<usize>)> {
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
        let to_the_end = |parts: &Parts| build(&Hir::concat(vec![parts.whole.clone(), Hir::look(Look::End)]));
        let regex = self.to_the_end.get_or_init(|| self.parts().and_then(to_the_end));
        value.len() <= self.condition.length_max
            && regex.as_ref().is_some_and(|regex| regex.is_match(Input::new(value).anchored(Anchored::Yes)))
    }

    /// Where a match begins at or after `from`, wherever that is. For patterns without a needle.
    pub fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        self.regex()?.search(&Input::new(text).range(from..)).map(|found| found.start())
    }

    /// Where the secret begins, if `text[start..]` is the beginning of a match that more bytes
    /// could complete or lengthen, and the secret has begun.
    pub fn live_at(&self, text: &[u8], start: usize) -> Option<usize> {
        if text.len() - start > self.condition.length_max {
            return None;
        }
        if !self.may_go_on(&text[start..]) {
            return None;
        }
        if self.condition.secret_is_whole {
            return Some(start);
        }
        let regex = self.before_regex.get_or_init(|| build(self.parts()?.before.as_ref()?)).as_ref()?;
        let input = Input::new(text).range(start..).anchored(Anchored::Yes).earliest(true);
        regex.search(&input).map(|found| found.end())
    }

    /// Whether some text beginning with `start` matches, longer than `start` or ending there.
    fn may_go_on(&self, start: &[u8]) -> bool {
        // What cannot be told is taken to be alive.
        let Some(automaton) = self.live.get_or_init(|| self.parts().and_then(|parts| automaton(&parts.whole))) else {
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

    fn regex(&self) -> Option<&meta::Regex> {
        self.regex.get_or_init(|| self.parts().and_then(|parts| build(&parts.whole))).as_ref()
    }

    fn parts(&self) -> Option<&Parts> {
        let parse = || condition::parse(&self.source).ok().map(|(whole, before, _)| Parts { whole, before });
        self.parts.get_or_init(parse).as_ref()
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
const AUTOMATON_CACHE_BYTES: usize = 1 << 20;
/// The name of the capture that is masked.
const SECRET: &str = "secret";

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(source: &str) -> Pattern {
        let condition = condition::parse(source).unwrap().2;
        Pattern {
            source: source.into(),
            condition: Arc::new(condition),
            parts: OnceLock::new(),
            regex: OnceLock::new(),
            before_regex: OnceLock::new(),
            to_the_end: OnceLock::new(),
            live: OnceLock::new(),
        }
    }

    #[test]
    fn a_beginning_is_live_until_it_cannot_match() {
        let pattern = pattern("key: (?P<secret>[a-z]{4,8})");
        assert_eq!(pattern.live_at(b"key:", 0), None);
        assert_eq!(pattern.live_at(b"key: ", 0), Some(5));
        assert_eq!(pattern.live_at(b"key: abcd", 0), Some(5));
        assert_eq!(pattern.live_at(b"key: abcd.", 0), None);
        assert_eq!(pattern.live_at(b"kex", 0), None);
    }
}
