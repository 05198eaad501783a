//! Joins the spans of a piece's secrets. Does not find them.

use std::ops::Range;

use crate::{
    finding::{Fingerprint, FingerprintKey},
    rules::{Confidence, Detector, checks::Facts},
    view::{Steps, Views},
};

/// A secret in a piece.
#[derive(Debug, Clone)]
pub struct Span {
    /// Its bytes in the piece.
    pub range: Range<usize>,
    /// The rule's index in its set.
    pub rule: u16,
    /// How sure it is.
    pub confidence: Confidence,
    /// What the rule's check could tell.
    pub facts: Facts,
    /// Of the secret as decoded in its innermost view.
    pub fingerprint: Fingerprint,
    /// Escapes of the terminal inside it, which are kept.
    pub escapes: Vec<Range<usize>>,
    /// Whether escapes inside it are a part of the secret, which are not kept.
    pub has_own_escapes: bool,
    /// Whether it is masked; else only reported.
    pub masked: bool,
    /// The numbers of the user's allow entries that speak of it.
    pub allowed: Vec<u16>,
    /// Whether one of them leaves its bytes.
    pub passes: bool,
    /// Whether it goes on with a secret that another span has reported.
    pub part: bool,
    /// Why, in a few words.
    pub why: &'static str,
    /// What was done to the piece to see it.
    pub steps: Steps,
    /// Which of two rules on the same bytes gives its name.
    pub rank: u8,
}

/// The secrets of a piece, sorted. Those that are masked do not touch each other.
#[derive(Debug, Default)]
pub struct Spans(pub Vec<Span>);

impl Spans {
    /// Whether a span says something that the known ones do not.
    pub fn is_news(&self, span: &Span) -> bool {
        // Those that are masked do not touch each other, so that only the last one that begins before the
        // span can cover it. Of those that are only reported, there are few.
        let before = self.0.partition_point(|old| old.range.start <= span.range.start);
        let covers = |old: &Span| old.range.start <= span.range.start && span.range.end <= old.range.end;
        let masked = self.0[..before].iter().rev().find(|old| old.masked);
        if masked.is_some_and(covers) {
            return false;
        }
        span.masked || !self.0[..before].iter().any(|old| old.rule == span.rule && covers(old))
    }

    /// The one that leaves its bytes, by the user's wish, and that `range` lies in.
    pub fn left_around(&self, range: &Range<usize>) -> Option<&Span> {
        let left = |old: &&Span| old.passes && old.range.start <= range.start && range.end <= old.range.end;
        self.0.iter().find(left)
    }

    /// Takes over what is new of `found`. Returns whether anything was.
    pub fn merge(&mut self, found: &mut Vec<Span>) -> bool {
        found.retain(|span| self.is_news(span));
        let news = !found.is_empty();
        if news {
            self.0.append(found);
            self.join();
        }
        news
    }

    /// Sorts the spans, makes one of masked ones that touch, and leaves out what a mask covers.
    fn join(&mut self) {
        let spans = &mut self.0;
        spans.sort_by_key(|span| (!span.masked, span.range.start, span.range.end));
        let masked = spans.partition_point(|span| span.masked);
        let mut reported = spans.split_off(masked);
        spans.dedup_by(|span, old| {
            // `old` is the earlier one, which is kept.
            let touches = span.range.start <= old.range.end;
            if touches {
                old.absorb(span);
            }
            touches
        });
        if reported.is_empty() {
            return;
        }
        // What is only reported does not lengthen a mask.
        reported.retain(|span| {
            let before = spans.partition_point(|old| old.range.start <= span.range.start);
            before.checked_sub(1).is_none_or(|last| span.range.end > spans[last].range.end)
        });
        spans.append(&mut reported);
        spans.sort_by_key(|span| (span.range.start, span.range.end));
    }
}

/// The fingerprints of the last few secrets in the views of a unit: several rules find the same one, in several views.
#[derive(Debug, Default)]
pub struct Prints {
    known: [Option<(usize, Range<usize>, Fingerprint)>; PRINTS_MAX],
    /// Which one gives way to the next.
    oldest: usize,
}

impl Prints {
    /// Goes on to other views.
    pub fn start(&mut self) {
        self.known = Default::default();
    }

    /// The fingerprint of what stands in a view.
    pub fn of(&mut self, (index, span): (usize, &Range<usize>), views: &Views, key: &FingerprintKey) -> Fingerprint {
        let secret = &views.text(index)[span.clone()];
        let known = self.known.iter().flatten();
        let same = known.into_iter().find(|(index, span, _)| views.text(*index).get(span.clone()) == Some(secret));
        if let Some((.., fingerprint)) = same {
            return *fingerprint;
        }
        let fingerprint = key.fingerprint(secret);
        self.known[self.oldest] = Some((index, span.clone(), fingerprint));
        self.oldest = (self.oldest + 1) % PRINTS_MAX;
        fingerprint
    }
}

/// How many fingerprints are remembered.
const PRINTS_MAX: usize = 4;

impl Span {
    /// The rest of a line whose beginning is not there. Nobody knows whether it is a secret: it is no finding.
    pub fn of_unseen(range: Range<usize>, rule: u16) -> Span {
        Span {
            range,
            rule,
            confidence: Confidence::Low,
            facts: Facts::default(),
            fingerprint: Fingerprint::default(),
            escapes: Vec::new(),
            has_own_escapes: false,
            masked: true,
            allowed: Vec::new(),
            passes: false,
            part: true,
            why: "the beginning of its line is not there",
            steps: Steps::default(),
            rank: 0,
        }
    }

    /// What is a part of this secret is not kept because another one is read without it.
    fn take_own_escapes(&self, other: &mut Span) {
        if self.has_own_escapes {
            other.escapes.retain(|escape| escape.start < self.range.start || self.range.end < escape.end);
        }
    }

    /// Makes one span of two that touch.
    fn absorb(&mut self, other: &mut Span) {
        let range = self.range.start.min(other.range.start)..self.range.end.max(other.range.end);
        self.take_own_escapes(other);
        other.take_own_escapes(self);
        self.has_own_escapes |= other.has_own_escapes;
        other.has_own_escapes = self.has_own_escapes;
        let mut escapes = std::mem::take(&mut self.escapes);
        escapes.append(&mut other.escapes);
        escapes.sort_by_key(|escape| (escape.start, escape.end));
        escapes.dedup();
        let better = (other.rank, other.confidence, !other.part) > (self.rank, self.confidence, !self.part);
        if better {
            std::mem::swap(self, other);
        }
        self.range = range;
        self.escapes = escapes;
    }
}

/// A provider's rule names a secret before a structure does, and that before a key name.
pub fn rank(rule: &crate::rules::Rule) -> u8 {
    match rule.detector {
        Detector::Known => 4,
        Detector::KeyBlock => 3,
        Detector::Token if rule.family == "structures" => 2,
        Detector::Manifest => 2,
        Detector::Token => 3,
        Detector::Assigned if !rule.pattern.is_empty() => 2,
        Detector::Assigned => 1,
        Detector::Entropy | Detector::Ceiling => 0,
    }
}
