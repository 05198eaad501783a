//! Verifies the places that the prefilter found against the rules with patterns. Does not read
//! key names.

use std::{
    ops::{Range, RangeInclusive},
    sync::OnceLock,
};

use super::{
    Engine, authority,
    beginnings::Beginnings,
    candidates::{Candidate, Candidates},
    pattern::{Pattern, Runs},
    prefilter,
};
use crate::{
    limits::{CONTEXT_BYTES_MAX, PIECE_BYTES_MIN, SECRET_BYTES_MAX},
    rules::{
        Confidence, List, Rule, Severity, USER_FAMILY,
        checks::Facts,
        condition::{Run, is_word},
        exclusions::Found,
    },
    scan::judge,
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
    buffers: prefilter::Buffers,
    runs: Runs,
    /// Where a token may begin.
    starts: Vec<usize>,
    /// Which other detectors have a word in the text that was last searched.
    pub found: prefilter::Found,
}

/// The family of rules that know a secret by what stands around it.
const STRUCTURES: &str = "structures";
/// The shortest word that tells what a password is, and is none (bytes).
const SAID_BYTES_MIN: usize = 8;
/// A token that the end of the input cuts is masked from this many bytes behind its literal on: that are eight of its body, of
/// which the literal may have the first.
const CUT_BODY_BYTES_MIN: usize = 7;
/// The shortest literal that makes a cut token one (bytes).
const CUT_LITERAL_BYTES_MIN: usize = 4;
/// How many hits before a place are asked whether they cover it.
const COVERING_HITS_MAX: usize = 64;
/// How long a base64 run must be for a short-prefixed match inside it to be a slice of it.
const BLOB_RUN_MIN: usize = 24;

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
        let text = views.text(index);
        let candidates = &mut scratch.candidates;
        candidates.clear();
        let runs = &mut scratch.runs;
        runs.start();
        scratch.gaps.clear();
        views.gap_places(index, &mut scratch.gaps);
        let gaps = scratch.gaps.iter().copied();
        let open = end != End::Line;
        scratch.found = prefilter.places(engine, text, open, gaps, &mut scratch.buffers, |place, token| {
            if let Some(starts) = self.starts(text, place, token) {
                candidates.add(place, starts, token, |start| starts_token(views, index, start, &[]));
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
            if !starts_token(views, index, start, &hits[first_hit..]) {
                continue;
            }
            if end == End::Open
                && let Some(at) = token.pattern.live_at(text, start, runs)
            {
                live = Some(live.map_or(at, |old| old.min(at)));
            }
            let hit = match verify(token, rule, (views, index), start, end, runs) {
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
                |add| {
                    for at in hit.span.start + 1..=hit.span.end.min(text.len().saturating_sub(1)) {
                        if text[at].is_ascii_alphanumeric() && text[at - 1].is_ascii_alphanumeric() {
                            prefilter.places_at(text, at, &mut *add);
                        }
                    }
                },
            );
            hits.push(hit);
        }
        match end {
            End::Open => {
                let around = (&hits[first_hit..], engine.options().interactive);
                self.live((views, index), live, around, runs, &mut scratch.starts)
            }
            End::Line => None,
            End::Input => {
                self.cut_tokens(text, (views, index), hits, scratch.candidates.all(), runs);
                None
            }
        }
    }

    /// Where a token may begin whose literal stands at `place`, as far as the bytes from there on tell.
    fn starts(&self, text: &[u8], place: usize, token: u16) -> Option<RangeInclusive<usize>> {
        let needle = self.tokens[usize::from(token)].pattern.needle()?;
        let (least, most) = needle.before;
        let may_go_on = place >= least && needle.steps_allow(text, place) != Some(false);
        may_go_on.then(|| place.saturating_sub(most)..=place - least)
    }

    /// The earliest place where something may have begun that the end of the text cuts.
    fn live(
        &self,
        (views, index): (&Views, usize),
        found: Option<usize>,
        (hits, interactive): (&[Hit], bool),
        runs: &mut Runs,
        starts: &mut Vec<usize>,
    ) -> Option<usize> {
        let text = views.text(index);
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
            if !starts_token(views, index, start, hits) {
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
        starts.extend(
            (text.len().saturating_sub(farthest)..text.len()).filter(|&at| starts_token(views, index, at, hits)),
        );
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
    fn cut_tokens(
        &self,
        text: &[u8],
        (views, index): (&Views, usize),
        hits: &mut Vec<Hit>,
        candidates: &[Candidate],
        runs: &mut Runs,
    ) {
        for candidate in candidates {
            let token = &self.tokens[usize::from(candidate.token)];
            let Some(needle) = token.pattern.needle() else { continue };
            let start = candidate.start;
            if needle.before.1 > 0 || !token.pattern.secret_is_whole() || !starts_token(views, index, start, &[]) {
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

/// What a rule finds at one place.
enum Verdict {
    Hit(Hit),
    Nothing,
    /// What follows the match tells, and is not there yet.
    Open,
}

/// Tries one rule at one place.
fn verify(
    token: &Token,
    rule: &Rule,
    (views, index): (&Views, usize),
    start: usize,
    end: End,
    runs: &mut Runs,
) -> Verdict {
    let text = views.text(index);
    let Some((whole, secret)) = token.pattern.match_at(text, start, runs) else { return Verdict::Nothing };
    if end == End::Open && whole.end == text.len() {
        // What follows may lengthen the match or deny it: it is live, not found.
        return Verdict::Nothing;
    }
    if !ends_token(views, index, whole.end) || secret.is_empty() {
        return Verdict::Nothing;
    }
    if !has_context(text, &whole, &rule.context) || is_slice(token, text, &whole) {
        return Verdict::Nothing;
    }
    // A user's own pattern says itself where its tokens stand, and what they are.
    let ours = rule.family != USER_FAMILY;
    if ours && (begins_a_digest(text, whole.start) || ends_a_name(text, &whole)) {
        return Verdict::Nothing;
    }
    let bytes = &text[secret.clone()];
    // A structure says where a secret stands, not that one does.
    if rule.family == STRUCTURES {
        // `with password scram-sha-256`: what a sentence says of a password.
        let said = rule.confidence < Confidence::High && bytes.len() >= SAID_BYTES_MIN && judge::says_nothing(bytes);
        let named = rule.severity == Severity::Medium && judge::is_numbered_constant(bytes);
        if said || named || judge::stands_in(bytes) || judge::is_public(bytes) {
            return Verdict::Nothing;
        }
        match authority::is_public(text, whole.start, &secret, end == End::Open) {
            Some(false) => {}
            Some(true) => return Verdict::Nothing,
            None => return Verdict::Open,
        }
    }
    // `api-cognitoauthorizationidentity`: words, which chance does not make. A checksum tells them by itself.
    let told = rule.check.is_some();
    if rule.family != STRUCTURES && ours && !told && judge::reads_like_words(bytes) {
        return Verdict::Nothing;
    }
    if rule.entropy > 0.0 && (judge::randomness::entropy_milli(bytes) as f32) < rule.entropy * 1000.0 {
        return Verdict::Nothing;
    }
    let line = line_start(text, whole.start);
    let found = Found { secret: bytes, whole: &text[whole.clone()], line: &text[line..whole.end] };
    if rule.not.hold(found) {
        return Verdict::Nothing;
    }
    let published = judge::published(bytes, rule.family == STRUCTURES).filter(|_| ours);
    let most = published.unwrap_or(Confidence::Certain);
    let (mut confidence, mut why, mut facts) =
        (rule.confidence.min(most), "has the shape of the rule", Facts::default());
    if let Some(check) = rule.check {
        let outcome = check.run(&text[whole.clone()]);
        facts = outcome.facts;
        match outcome.valid {
            Some(true) => (confidence, why) = (most, "has the shape, and its check is right"),
            Some(false) => {
                (confidence, why) = (confidence.min(Confidence::Medium), "has the shape, but its check is wrong")
            }
            None => {}
        }
    }
    Verdict::Hit(Hit { span: secret, rule: token.rule, confidence, facts, why })
}

/// Whether what may be the beginning of a token is shown to somebody who types it. A part of a literal is no secret; of
/// a token without a literal in front, that is a word, or shorter than any piece that could be of use.
fn is_shown_typed(beginning: &[u8], literals: Option<&Vec<Vec<u8>>>) -> bool {
    match literals {
        Some(literals) => literals.iter().all(|literal| !begins_with(beginning, literal)),
        None => beginning.len() < PIECE_BYTES_MIN || judge::is_words(beginning),
    }
}

/// Whether a token can begin at `start`: not within a word, unless what is before it is itself
/// masked or was a colour code.
fn starts_token(views: &Views, index: usize, start: usize, before: &[Hit]) -> bool {
    let text = views.text(index);
    let inside = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    start == 0
        || !inside(start)
        || !inside(start - 1)
        || before.iter().rev().take(COVERING_HITS_MAX).any(|hit| hit.span.start < start && start <= hit.span.end)
        || views.gap_at(index, start)
}

/// Whether a token can end at `end`.
fn ends_token(views: &Views, index: usize, end: usize) -> bool {
    let text = views.text(index);
    let inside = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    end == 0 || !inside(end - 1) || !inside(end) || views.gap_at(index, end)
}

/// Where the line of a place begins, or `CONTEXT_BYTES_MAX` before it.
fn line_start(text: &[u8], place: usize) -> usize {
    let from = place.saturating_sub(CONTEXT_BYTES_MAX);
    memchr::memrchr(b'\n', &text[from..place]).map_or(from, |end| from + end + 1)
}

/// Whether one of the words stands in the match or to the left of it on its line, near enough.
fn has_context(text: &[u8], whole: &Range<usize>, words: &List) -> bool {
    if words.is_empty() {
        return true;
    }
    let before = &text[line_start(text, whole.start)..whole.end];
    words.iter().any(|word| contains_caseless(before, word.as_bytes()))
}

/// Whether a lower-case word stands in a short text, letters of either case. Preparing a search would
/// take longer than this.
fn contains_caseless(text: &[u8], word: &[u8]) -> bool {
    let Some(&first) = word.first() else { return true };
    let last = (text.len() + 1).saturating_sub(word.len());
    let begins = memchr::memchr2_iter(first, first.to_ascii_uppercase(), &text[..last]);
    begins.into_iter().any(|at| text[at..at + word.len()].eq_ignore_ascii_case(word))
}

/// `orders-api-518f1097-...`, `cache-key-9e107d9d...`: a word and an identifier at the end of a longer name. What logs
/// are full of tells a token only where nothing is joined to it. Two letters (`prod-sk-...`) are no word.
fn ends_a_name(text: &[u8], whole: &Range<usize>) -> bool {
    let joined = matches!(text[..whole.start], [.., b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9', b'-']);
    let found = &text[whole.clone()];
    let word = found.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    joined
        && word > 2
        && found.get(word) == Some(&b'-')
        && found[word..].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

/// `"integrity": "sha512-BSA..."`: a digest may begin with any letters, and has as many digits of base64 as its bytes need.
fn begins_a_digest(text: &[u8], start: usize) -> bool {
    const DIGESTS: &[(&str, usize)] = &[("sha256-", 43), ("sha384-", 64), ("sha512-", 86)];
    let digit = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let named = DIGESTS.iter().find(|(name, _)| text[..start].ends_with(name.as_bytes()));
    named.is_some_and(|(_, count)| text[start..].iter().take(count + 1).take_while(digit).count() == *count)
}

/// Whether a match of a rule with a short prefix is but a slice of a longer base64 run: then its
/// letters mean nothing.
fn is_slice(token: &Token, text: &[u8], whole: &Range<usize>) -> bool {
    let shortest = token.pattern.needle().and_then(|needle| needle.literals.iter().map(Vec::len).min());
    let shortest = shortest.unwrap_or_default();
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let before = &text[..whole.start];
    if shortest > 4 || !text[whole.clone()].iter().all(digit) {
        return shortest <= 3 && text[whole.start].is_ascii_alphanumeric() && judge::is_shuffled_to(before);
    }
    let run = before.iter().rev().take(BLOB_RUN_MIN * 4).take_while(|byte| digit(byte)).count();
    let run = &before[before.len() - run..];
    run.len() >= BLOB_RUN_MIN
        && run.iter().any(u8::is_ascii_uppercase)
        && run.iter().any(u8::is_ascii_lowercase)
        && run.iter().any(u8::is_ascii_digit)
}
