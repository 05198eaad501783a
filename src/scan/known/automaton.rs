//! Finds the longest string that ends at each place of a text, in constant time for each byte.
//! Does not report the shorter ones: the union of spans has no use for them.
//!
//! This is for the few strings that are *odd*: they repeat themselves, or one another, so that
//! comparing them at each candidate could take quadratic time. It is Aho and Corasick's automaton
//! with one output for each state. (The crate `aho-corasick` keeps a list of all outputs for each
//! state, which is quadratic itself for strings that are prefixes of one another.)

use super::{
    sieve::NONE,
    strings::Strings,
    table::{Hasher, Table},
};

/// The automaton. State 0 is its root.
pub(super) struct Automaton {
    states: Vec<State>,
    /// States by their parent and the byte that leads to them, but for the first one of each parent: most have no
    /// other, and that one stands beside its parent in memory.
    edges: Table,
    hasher: Hasher,
}

struct State {
    parent: u32,
    byte: u8,
    /// The byte that leads to the first child, and that child, or [`NONE`].
    first_byte: u8,
    first: u32,
    /// Whether there are others.
    branches: bool,
    /// The state of the longest proper suffix that is a state.
    fallback: u32,
    /// The longest string that the state ends with, or [`NONE`].
    string: u32,
}

impl State {
    fn new(parent: u32, byte: u8) -> State {
        State { parent, byte, first_byte: 0, first: NONE, branches: false, fallback: 0, string: NONE }
    }
}

impl Automaton {
    /// Of these strings.
    pub(super) fn new(strings: &Strings, chosen: impl Iterator<Item = u32>) -> Automaton {
        let root = State::new(0, 0);
        let mut automaton = Automaton { states: vec![root], edges: Table::default(), hasher: strings.hasher() };
        let mut depths = vec![0];
        for index in chosen {
            let mut state = 0;
            for (depth, &byte) in (1..).zip(strings.get(index)) {
                state = automaton.child(state, byte).unwrap_or_else(|| {
                    depths.push(depth);
                    automaton.grow(state, byte)
                });
            }
            automaton.states[state as usize].string = index;
        }
        automaton.link(&depths);
        automaton
    }

    /// The state after one more byte.
    pub(super) fn next(&self, mut state: u32, byte: u8) -> u32 {
        loop {
            if let Some(child) = self.child(state, byte) {
                return child;
            }
            if state == 0 {
                return 0;
            }
            state = self.states[state as usize].fallback;
        }
    }

    /// The longest string that ends in this state.
    pub(super) fn string(&self, state: u32) -> Option<u32> {
        Some(self.states[state as usize].string).filter(|&string| string != NONE)
    }

    /// What the automaton takes in memory (bytes).
    pub(super) fn memory_bytes(&self) -> usize {
        self.states.capacity() * size_of::<State>() + self.edges.memory_bytes()
    }

    /// Adds a child.
    fn grow(&mut self, parent: u32, byte: u8) -> u32 {
        // All strings together have fewer bytes than an index can count.
        let new = self.states.len() as u32;
        self.states.push(State::new(parent, byte));
        let state = &mut self.states[parent as usize];
        if state.first == NONE {
            (state.first_byte, state.first) = (byte, new);
        } else {
            state.branches = true;
            self.edges.insert(self.hasher.pair(parent.into(), byte.into()), new);
        }
        new
    }

    #[inline]
    fn child(&self, state: u32, byte: u8) -> Option<u32> {
        let State { first_byte, first, branches, .. } = self.states[state as usize];
        if first != NONE && first_byte == byte {
            return Some(first);
        }
        if !branches {
            return None;
        }
        self.edges.find(self.hasher.pair(state.into(), byte.into()), |child| {
            let child = &self.states[child as usize];
            child.parent == state && child.byte == byte
        })
    }

    /// Sets the fallbacks, which lead to lesser depths, so the states are taken in their order.
    fn link(&mut self, depths: &[usize]) {
        let mut order: Vec<u32> = (1..depths.len() as u32).collect();
        order.sort_by_key(|&state| depths[state as usize]);
        for index in order {
            let State { parent, byte, string, .. } = self.states[index as usize];
            let fallback = if parent == 0 { 0 } else { self.next(self.states[parent as usize].fallback, byte) };
            let shorter = self.states[fallback as usize].string;
            let state = &mut self.states[index as usize];
            state.fallback = fallback;
            state.string = if string == NONE { shorter } else { string };
        }
    }
}
