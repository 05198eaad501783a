//! Tries one rule at one place of a text: its pattern, what must and must not stand around the match, its checks. Does not
//! look for places.

use std::ops::Range;

use super::{
    authority, judge,
    pattern::Runs,
    tokens::{End, Hit, Token},
};
use crate::{
    limits::CONTEXT_BYTES_MAX,
    rules::{Confidence, List, Rule, Severity, USER_FAMILY, checks::Facts, exclusions::Found},
    view::Views,
};

/// The family of rules that know a secret by what stands around it.
const STRUCTURES: &str = "structures";
/// The shortest word that tells what a password is, and is none (bytes).
const SAID_BYTES_MIN: usize = 8;
/// How many hits before a place are asked whether they cover it.
const COVERING_HITS_MAX: usize = 64;
/// How long a base64 run must be for a short-prefixed match inside it to be a slice of it.
const BLOB_RUN_MIN: usize = 24;

/// A text, and where escapes of a terminal were taken out of it.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The text.
    pub text: &'a [u8],
    view: Option<(&'a Views, usize)>,
    /// Where it begins in the view.
    from: usize,
}

impl<'a> Reading<'a> {
    /// One of the views of a piece.
    pub fn of_view(views: &'a Views, index: usize) -> Reading<'a> {
        Reading { text: views.text(index), view: Some((views, index)), from: 0 }
    }

    /// A text as it came.
    pub fn raw(text: &'a [u8]) -> Reading<'a> {
        Reading { text, view: None, from: 0 }
    }

    /// A part of it.
    pub fn part(self, part: Range<usize>) -> Reading<'a> {
        Reading { text: &self.text[part.clone()], view: self.view, from: self.from + part.start }
    }

    fn gap_at(&self, place: usize) -> bool {
        self.view.is_some_and(|(views, index)| views.gap_at(index, self.from + place))
    }
}

/// What a rule finds at one place.
pub enum Verdict {
    /// A secret.
    Hit(Hit),
    /// None.
    Nothing,
    /// What follows the match tells, and is not there yet.
    Open,
}

/// Tries one rule at one place.
pub fn verify(token: &Token, rule: &Rule, reading: Reading<'_>, start: usize, end: End, runs: &mut Runs) -> Verdict {
    let text = reading.text;
    let Some((whole, secret)) = token.pattern.match_at(text, start, runs) else { return Verdict::Nothing };
    if end == End::Open && whole.end == text.len() {
        // What follows may lengthen the match or deny it: it is live, not found.
        return Verdict::Nothing;
    }
    if !ends_token(reading, whole.end) || secret.is_empty() {
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

/// Whether a token can begin at `start`: not within a word, unless what is before it is itself
/// masked or was a colour code.
pub fn starts_token(reading: Reading<'_>, start: usize, before: &[Hit]) -> bool {
    let text = reading.text;
    let inside = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    start == 0
        || !inside(start)
        || !inside(start - 1)
        || before.iter().rev().take(COVERING_HITS_MAX).any(|hit| hit.span.start < start && start <= hit.span.end)
        || reading.gap_at(start)
}

/// Whether a token can end at `end`.
fn ends_token(reading: Reading<'_>, end: usize) -> bool {
    let text = reading.text;
    let inside = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    end == 0 || !inside(end - 1) || !inside(end) || reading.gap_at(end)
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
        let run = text[whole.clone()].iter().all(|byte| digit(byte) || matches!(byte, b'-' | b'_'));
        return run && shortest <= 3 && text[whole.start].is_ascii_alphanumeric() && judge::is_shuffled_to(before);
    }
    let run = before.iter().rev().take(BLOB_RUN_MIN * 4).take_while(|byte| digit(byte)).count();
    let run = &before[before.len() - run..];
    run.len() >= BLOB_RUN_MIN
        && run.iter().any(u8::is_ascii_uppercase)
        && run.iter().any(u8::is_ascii_lowercase)
        && run.iter().any(u8::is_ascii_digit)
}
