//! Verifies the places that the prefilter found against the rules with patterns. Does not read
//! key names.

use std::{
    ops::{Range, RangeInclusive},
    sync::OnceLock,
};

use super::{
    Engine,
    beginnings::Beginnings,
    candidates::{Candidate, Candidates},
    judge,
    pattern::{Pattern, Runs},
    prefilter,
    verify::{Reading, Verdict, starts_token, verify},
};
use crate::{
    limits::{PIECE_BYTES_MIN, SECRET_BYTES_MAX},
    rules::{
        Confidence, Rule, USER_FAMILY,
        checks::Facts,
        condition::{self, Needle, Run, is_word},
    },
    view::{self, Views},
};

/// A rule with a pattern, ready to be tried.
#[derive(Debug)]
pub struct Token {
    /// The rule's index in its set.
    pub rule: u16,
    /// Its pattern.
    pub pattern: Pattern,
}

/// A secret in one view.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The secret's place in the view.
    pub span: Range<usize>,
    /// The rule's index in its set.
    pub rule: u16,
    /// How sure it is.
    pub confidence: Confidence,
    /// What the rule's check could tell.
    pub facts: Facts,
    /// Why, in a few words, for `explain`.
    pub why: &'static str,
}

/// What is reused from text to text.
#[derive(Default)]
pub struct Scratch {
    candidates: Candidates,
    gaps: Vec<usize>,
    pub buffers: prefilter::Buffers,
    ahead: prefilter::Ahead,
    runs: Runs,
    /// Where a token may begin.
    starts: Vec<usize>,
    /// Which other detectors have a word in the text that was last searched.
    pub found: prefilter::Found,
}

/// A token that the end of the input cuts is masked from this many bytes behind its literal on: that are eight of its body, of
/// which the literal may have the first.
const CUT_BODY_BYTES_MIN: usize = 7;
/// How many bytes of a token must be known, its literal's included, for them to tell it: each to be one of [`TELLING_MAX`].
const TOLD_BYTES_MIN: usize = 12;
const TELLING_MAX: u32 = 70;
/// Of how many tokens it is remembered where they were tried.
const TRIED_MAX: usize = 8;
/// The shortest literal that makes a cut token one (bytes).
const CUT_LITERAL_BYTES_MIN: usize = 4;

/// What was tried in a text, so that no place is tried twice for one token.
#[derive(Debug, Default)]
pub struct Tried {
    runs: Runs,
    /// For each token, of those that were last tried, the places.
    places: [(u16, Range<usize>); TRIED_MAX],
    /// Which of them gives way to the next.
    oldest: usize,
}

impl Tried {
    /// Goes on to another text.
    pub fn start(&mut self) {
        self.runs.start();
        self.places = Default::default();
    }

    /// Those of the places at which a token was not tried.
    fn untried(&mut self, token: u16, starts: RangeInclusive<usize>) -> Range<usize> {
        let (first, end) = (*starts.start(), starts.end() + 1);
        let known = self.places.iter().position(|(known, places)| *known == token && places.contains(&first));
        let number = known.unwrap_or(self.oldest);
        if known.is_none() {
            self.oldest = (self.oldest + 1) % TRIED_MAX;
            self.places[number] = (token, first..first);
        }
        let tried = &mut self.places[number].1;
        let from = tried.end.max(first);
        tried.end = tried.end.max(end);
        from..end
    }
}

/// All rules with patterns.
#[derive(Debug, Default)]
pub struct Tokens {
    tokens: Vec<Token>,
    /// Those whose patterns have no literal, by index.
    without_literal: Vec<u16>,
    /// The literals of those whose matches begin with one. Made when a text first ends in the middle of a line.
    beginnings: OnceLock<Beginnings>,
}

/// How the text that is searched ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// More bytes may follow the last one.
    Open,
    /// At a line end.
    Line,
    /// At the end of the input, without a line end.
    Input,
}

impl Tokens {
    /// Takes the rules with patterns of their own. The embedded ones are compiled when they are needed.
    ///
    /// # Errors
    /// The index of the rule whose pattern is not right, and why.
    pub fn new(rules: &[Rule]) -> Result<Tokens, (usize, String)> {
        let mut tokens: Vec<Token> = Vec::new();
        let mut without_literal = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            if rule.detector == crate::rules::Detector::Token {
                let pattern = Pattern::of(rule);
                if pattern.needle().is_none() {
                    without_literal.push(tokens.len() as u16);
                }
                if rule.family == USER_FAMILY {
                    // The embedded patterns are known to compile; a user's is shown to, now.
                    pattern.compile().map_err(|reason| (index, reason))?;
                }
                tokens.push(Token { rule: index as u16, pattern });
            }
        }
        Ok(Tokens { tokens, without_literal, beginnings: OnceLock::new() })
    }

    /// The rules' patterns.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Appends the secrets in one view to `hits`. Returns where the earliest secret begins that
    /// more bytes could complete or lengthen; only where `end` is [`End::Open`].
    pub fn search(
        &self,
        (views, index): (&Views, usize),
        end: End,
        engine: &Engine,
        scratch: &mut Scratch,
        hits: &mut Vec<Hit>,
    ) -> Option<usize> {
        let (prefilter, rules, masker) = (engine.prefilter(), engine.rules().rules(), engine.masker());
        let reading = Reading::of_view(views, index);
        let text = reading.text;
        let candidates = &mut scratch.candidates;
        candidates.clear();
        let runs = &mut scratch.runs;
        runs.start();
        scratch.gaps.clear();
        views.gap_places(index, &mut scratch.gaps);
        let gaps = scratch.gaps.iter().copied();
        let ahead = &mut scratch.ahead;
        ahead.clear();
        let open = end != End::Line;
        scratch.found = prefilter.places(engine, text, open, gaps, &mut scratch.buffers, |place, token, at| {
            // Amid a word it begins nothing, unless a secret covers what stands before it; those are looked for there again.
            if at == place && self.begins(token) && !starts_token(reading, place, &[]) {
                return;
            }
            if let Some(starts) = self.starts(text, place, token)
                && self.may_go_on(text, place, token, ahead)
            {
                candidates.add(place, starts, token, |start| starts_token(reading, start, &[]));
            }
        });
        for &index in &self.without_literal {
            let pattern = &self.tokens[usize::from(index)].pattern;
            match pattern.run() {
                Some(run) => {
                    word_runs(text, run, |starts| candidates.extend(starts, index));
                }
                None => {
                    let mut from = 0;
                    while let Some(start) = pattern.find(text, from) {
                        candidates.extend(std::iter::once(start), index);
                        from = start + 1;
                    }
                }
            }
        }
        // In the order of the text, so that what a hit covers is known to what follows it.
        candidates.sort();
        let first_hit = hits.len();
        let mut live: Option<usize> = None;
        while let Some(candidate) = candidates.take_first() {
            let token = &self.tokens[usize::from(candidate.token)];
            let rule = &rules[usize::from(token.rule)];
            let start = candidate.start;
            if !starts_token(reading, start, &hits[first_hit..]) {
                continue;
            }
            if end == End::Open
                && let Some(at) = token.pattern.live_at(text, start, runs)
            {
                live = Some(live.map_or(at, |old| old.min(at)));
            }
            let hit = match verify(token, rule, reading, start, end, runs) {
                // A mask is never masked itself.
                Verdict::Hit(hit) if masker.len_at(text, hit.span.start) != Some(hit.span.len()) => hit,
                Verdict::Open => {
                    live = Some(live.map_or(start, |old| old.min(start)));
                    continue;
                }
                Verdict::Hit(_) | Verdict::Nothing => continue,
            };
            // Inside a secret a token may begin anywhere.
            candidates.uncover(
                candidate,
                &hit.span,
                |place, token| self.starts(text, place, token),
                |add| prefilter.places_within(text, &hit.span, add),
            );
            hits.push(hit);
        }
        match end {
            End::Open => {
                let around = (&hits[first_hit..], engine.options().interactive);
                self.live(reading, live, around, runs, &mut scratch.starts)
            }
            End::Line => None,
            End::Input => {
                self.cut_tokens(reading, hits, scratch.candidates.all(), runs);
                None
            }
        }
    }

    /// Whether a token whose literal stands at `place` is found in a text that ends at a line end, by itself. `tried` is what was
    /// tried in it before, at places before this one.
    pub fn is_hit(&self, engine: &Engine, reading: Reading<'_>, place: usize, token: u16, tried: &mut Tried) -> bool {
        let Some(starts) = self.starts(reading.text, place, token) else { return false };
        let rule = &engine.rules().rules()[usize::from(self.tokens[usize::from(token)].rule)];
        let starts = tried.untried(token, starts);
        starts.filter(|&start| starts_token(reading, start, &[])).any(|start| {
            match verify(&self.tokens[usize::from(token)], rule, reading, start, End::Line, &mut tried.runs) {
                // A mask is never masked itself.
                Verdict::Hit(hit) => engine.masker().len_at(reading.text, hit.span.start) != Some(hit.span.len()),
                Verdict::Nothing => false,
                Verdict::Open => true,
            }
        })
    }

    /// Whether the bytes that follow a token's literal tell it from nearly all else.
    pub fn is_told(&self, token: u16) -> bool {
        let needle = self.tokens[usize::from(token)].pattern.needle();
        let telling =
            |step: &&condition::Step| step.set.0.iter().map(|bits| bits.count_ones()).sum::<u32>() <= TELLING_MAX;
        let count =
            |needle: &Needle| needle.steps.iter().filter(telling).map(|step| usize::from(step.count)).sum::<usize>();
        needle.is_some_and(|needle| count(needle) >= TOLD_BYTES_MIN)
    }

    /// Whether a token begins with its literal.
    fn begins(&self, token: u16) -> bool {
        self.tokens[usize::from(token)].pattern.needle().is_some_and(|needle| needle.before.1 == 0)
    }

    /// Where a token may begin whose literal stands at `place`, as far as the bytes from there on tell.
    fn starts(&self, text: &[u8], place: usize, token: u16) -> Option<RangeInclusive<usize>> {
        let needle = self.tokens[usize::from(token)].pattern.needle()?;
        let (least, most) = needle.before;
        let may_go_on = place >= least && needle.steps_allow(text, place) != Some(false);
        may_go_on.then(|| place.saturating_sub(most)..=place - least)
    }

    /// Whether what every match must reach, behind the literal at `place`, is there.
    fn may_go_on(&self, text: &[u8], place: usize, token: u16, ahead: &mut prefilter::Ahead) -> bool {
        let needle = self.tokens[usize::from(token)].pattern.needle();
        needle.is_none_or(|needle| ahead.may_reach(text, place, needle))
    }

    /// The earliest place where something may have begun that the end of the text cuts.
    fn live(
        &self,
        reading: Reading<'_>,
        found: Option<usize>,
        (hits, interactive): (&[Hit], bool),
        runs: &mut Runs,
        starts: &mut Vec<usize>,
    ) -> Option<usize> {
        let text = reading.text;
        let mut live = found;
        let mut earlier = |at: usize| live = Some(live.map_or(at, |old| old.min(at)));
        // A run at the end may go on to be a token without a prefix, or an encoded text. Most words
        // that somebody types are such runs.
        let padding = text.iter().rev().take(2).take_while(|&&byte| byte == b'=').count();
        let run = text[..text.len() - padding].iter().rev().take_while(|&&byte| view::is_base64(byte)).count();
        if run > 0 && run <= SECRET_BYTES_MAX && !interactive {
            earlier(text.len() - padding - run);
        }
        // With the literal in front, a look at its first bytes is enough.
        let beginnings = self.beginnings.get_or_init(|| Beginnings::of_tokens(&self.tokens));
        for start in text.len().saturating_sub(beginnings.longest)..text.len() {
            if !starts_token(reading, start, hits) {
                continue;
            }
            for token in beginnings.with(&text[start..]) {
                let pattern = &self.tokens[usize::from(token)].pattern;
                let literals = pattern.needle().map(|needle| &needle.literals);
                if let Some(at) = pattern.live_at(text, start, runs)
                    && !(interactive && is_shown_typed(&text[at..], literals))
                {
                    earlier(at);
                }
            }
        }
        // A literal may stand behind a beginning without one, or there is none.
        let farthest = self.tokens.iter().filter_map(|token| token.pattern.reach()).max().unwrap_or(0);
        starts.clear();
        starts.extend((text.len().saturating_sub(farthest)..text.len()).filter(|&at| starts_token(reading, at, hits)));
        for (token, reach) in self.tokens.iter().filter_map(|token| Some((token, token.pattern.reach()?))) {
            let near = starts.partition_point(|&start| start + reach < text.len());
            let mut begun = starts[near..].iter().filter_map(|&start| token.pattern.live_at(text, start, runs));
            if let Some(at) = begun.find(|&at| !(interactive && is_shown_typed(&text[at..], None))) {
                earlier(at);
            }
        }
        live
    }

    /// Masks what the end of the input has left of a token: a literal and a body cut short.
    fn cut_tokens(&self, reading: Reading<'_>, hits: &mut Vec<Hit>, candidates: &[Candidate], runs: &mut Runs) {
        let text = reading.text;
        for candidate in candidates {
            let token = &self.tokens[usize::from(candidate.token)];
            let Some(needle) = token.pattern.needle() else { continue };
            let start = candidate.start;
            if needle.before.1 > 0 || !token.pattern.secret_is_whole() || !starts_token(reading, start, &[]) {
                continue;
            }
            let rest = &text[start..];
            let literal = needle.literals.iter().filter(|literal| begins_with(rest, literal)).map(Vec::len).max();
            let Some(literal) = literal.filter(|&length| length >= CUT_LITERAL_BYTES_MIN) else { continue };
            if rest.len() >= literal + CUT_BODY_BYTES_MIN && token.pattern.live_at(text, start, runs) == Some(start) {
                hits.push(Hit {
                    span: start..text.len(),
                    rule: token.rule,
                    confidence: Confidence::Low,
                    facts: Facts::default(),
                    why: "a token that the end of the input cuts",
                });
            }
        }
    }
}

/// Calls `found` with the places in each run of word characters at which a match that begins with
/// `run` may begin.
fn word_runs(text: &[u8], run: Run, mut found: impl FnMut(RangeInclusive<usize>)) {
    let mut place = 0;
    while let Some(step) = text.get(place..).and_then(|rest| rest.iter().position(|&byte| is_word(byte))) {
        let start = place + step;
        let length = text[start..].iter().take_while(|&&byte| is_word(byte)).count();
        place = start + length;
        if length >= run.least && run.after.is_none_or(|after| text.get(place).is_none_or(|&byte| byte == after)) {
            found(start..=place - run.least);
        }
    }
}

/// Whether `text` begins with `start`, ASCII letters of either case.
fn begins_with(text: &[u8], start: &[u8]) -> bool {
    text.len() >= start.len() && text[..start.len()].eq_ignore_ascii_case(start)
}

/// Whether what may be the beginning of a token is shown to somebody who types it. A part of a literal is no secret; of
/// a token without a literal in front, that is a word, or shorter than any piece that could be of use.
fn is_shown_typed(beginning: &[u8], literals: Option<&Vec<Vec<u8>>>) -> bool {
    match literals {
        Some(literals) => literals.iter().all(|literal| !begins_with(beginning, literal)),
        None => beginning.len() < PIECE_BYTES_MIN || judge::is_words(beginning),
    }
}
