//! Turns a piece of a log (a line, the records of a split line, or the beginning of one) into the
//! spans of its secrets. Does not cut pieces.
//!
//! The piece is scanned, masked, and scanned again until a scan finds nothing: so filtering twice
//! changes nothing, by construction, and a secret that only shows once its neighbour is masked is
//! found. First the tokens are masked, then key names are read: a provider's rule wins over a
//! generic one on the same value because the generic one sees a mask there.

mod known_values;

use std::{ops::Range, sync::Arc};

use super::{
    Engine, assigned, judge,
    keyblock::{self, Block, Piece},
    known::{self, Known},
    prefilter::Found,
    tokens::{self, End, Hit},
    units::{Unit, units},
};
use crate::{
    finding::Fingerprint,
    limits,
    redact::Masked,
    rules::{Confidence, Detector, checks::Facts},
    view::{self, Steps, Views, utf16::Encoding},
};

/// How often a piece is masked and scanned again. Each round but the last finds something.
const ROUNDS_MAX: usize = 8;

/// What one line says about the next. Holds no byte of a secret.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Carry {
    /// A key block that is open.
    block: Option<Block>,
    /// A key name that awaits its value.
    pending: assigned::Pending,
    /// Whether an over-long line was cut inside a string.
    pub in_string: bool,
}

impl Carry {
    /// Whether the next line can be scanned without it.
    pub fn is_empty(&self) -> bool {
        *self == Carry::default()
    }

    /// An over-long line goes on: what awaited its beginning is over.
    pub fn enter_line(&mut self, in_string: bool) {
        self.pending = assigned::Pending::default();
        self.in_string = in_string;
    }
}

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
    rank: u8,
}

/// Scans pieces. Reused from piece to piece.
#[derive(Default)]
pub struct Settler {
    views: Views,
    masked: Masked,
    spans: Vec<Span>,
    live: Option<usize>,
    known: Arc<Known>,
    known_hits: Vec<known::Hit>,
    tracing: bool,
    trace: Vec<Span>,
    hits: Vec<Hit>,
    values: Vec<assigned::Hit>,
    pieces: Vec<Piece>,
    tokens_scratch: tokens::Scratch,
    assigned_scratch: assigned::Scratch,
}

impl Settler {
    /// Keeps every hit of the next pieces, for `explain`.
    pub fn traced(mut self) -> Self {
        self.tracing = true;
        self
    }

    /// Looks for these values in the next pieces.
    pub fn know(&mut self, known: Arc<Known>) {
        self.known = known;
    }

    /// The values that are looked for.
    pub fn known(&self) -> &Arc<Known> {
        &self.known
    }

    /// Scans one piece under `carry`, which becomes what the piece says about the next.
    pub fn settle(&mut self, engine: &Engine, raw: &[u8], encoding: Encoding, end: End, carry: &mut Carry) {
        self.spans.clear();
        self.trace.clear();
        let mut block = None;
        // A mask may hide a beginning that was live before: the earliest of all rounds counts.
        self.live = None;
        for _ in 0..ROUNDS_MAX {
            self.masked.fill(raw, &self.spans, engine.masker(), encoding);
            let mut next = carry.clone();
            let mut found = Vec::new();
            if end == End::Open {
                // Half a character is no character yet, and half a mask no mask.
                let cuts = [encoding.unfinished(&self.masked.text), engine.masker().cut_at_end(&self.masked.text)];
                for cut in cuts.into_iter().flatten() {
                    self.earlier(self.masked.map.start(cut));
                }
            }
            for unit in units(&self.masked.text, encoding, end) {
                // Each unit is read under the carry; only some say what follows.
                let carry = if unit.carries { &mut next } else { &mut next.clone() };
                self.unit(engine, &unit, encoding, carry, &mut found);
            }
            if self.tracing {
                self.trace.extend(found.iter().cloned());
            }
            // A body that had no BEGIN has no sign of itself once it is masked.
            block = next.block.or(block);
            if !self.merge(found) {
                *carry = Carry { block, in_string: false, ..next };
                return;
            }
        }
        *carry = Carry::default();
        self.masked.fill(raw, &self.spans, engine.masker(), encoding);
    }

    /// The piece's secrets, sorted; they do not touch each other.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// All hits of all rounds, where [`Settler::traced`] was called.
    pub fn trace(&self) -> &[Span] {
        &self.trace
    }

    /// The piece with its secrets masked.
    pub fn masked(&self) -> &Masked {
        &self.masked
    }

    /// Up to where in the piece nothing that may follow can change what is masked.
    pub fn safe(&self, raw: &[u8]) -> usize {
        let length = raw.len();
        let mut safe = self.live.unwrap_or(length);
        if safe < length {
            // A token may end where a mask begins: what is glued to a beginning waits with it.
            let glued = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'+');
            let run = raw[..safe].iter().rev().take(limits::RULE_SECRET_BYTES_DEFAULT).take_while(glued).count();
            safe -= run;
        }
        // A mask is written when nothing can lengthen it any more.
        for span in self.spans.iter().rev() {
            if span.masked && span.range.end >= safe && safe < length {
                safe = safe.min(span.range.start);
            }
        }
        safe
    }

    /// Scans one unit. Appends what it finds, in the piece's coordinates.
    fn unit(&mut self, engine: &Engine, unit: &Unit, encoding: Encoding, carry: &mut Carry, found: &mut Vec<Span>) {
        let open = unit.end == End::Open;
        self.views.start(&self.masked.text, &unit.parts, encoding, open);
        let mut searched: Vec<(usize, Found)> = self.views.searched().map(|index| (index, Found::default())).collect();
        let primary = self.views.primary(unit.docker);
        let before = found.len();
        if !self.known.is_empty() {
            self.known_values(engine, unit, found);
        }
        for (index, words) in &mut searched {
            let index = *index;
            self.hits.clear();
            let scratch = &mut self.tokens_scratch;
            let live = engine.tokens().search((&self.views, index), unit.end, engine, scratch, &mut self.hits);
            *words = self.tokens_scratch.found;
            self.note_live(unit, index, live);
            let hits = std::mem::take(&mut self.hits);
            for hit in &hits {
                self.add(engine, unit, index, hit, found);
            }
            self.hits = hits;
            let carry = (index == primary).then_some(&mut *carry);
            if words.key_block || carry.as_ref().is_some_and(|carry| carry.block.is_some()) {
                self.key_blocks(engine, unit, index, carry, found);
            }
        }
        if open && let Some(cut) = self.views.unfinished() {
            let place = self.masked.map.start(cut);
            self.earlier(place);
        }
        let news = found[before..].iter().any(|span| self.is_news(span));
        if !news {
            for &(index, words) in &searched {
                let carry = (index == primary).then_some(&mut *carry);
                if words.key_name || carry.as_ref().is_some_and(|carry| carry.pending != assigned::Pending::default()) {
                    self.key_names(engine, unit, index, carry, found);
                }
                self.random_tokens(engine, unit, index, found);
            }
        }
    }

    fn key_blocks(
        &mut self,
        engine: &Engine,
        unit: &Unit,
        index: usize,
        carry: Option<&mut Carry>,
        found: &mut Vec<Span>,
    ) {
        let Some(rule) = engine.key_block_rule() else { return };
        let region = self.region(unit, index, carry.is_some());
        let mut fresh = None;
        let block = carry.map_or(&mut fresh, |carry| &mut carry.block);
        let text = &self.views.text(index)[region.clone()];
        self.pieces.clear();
        let masks = |text: &[u8], at: usize| engine.masker().len_at(text, at);
        let live = keyblock::scan(text, unit.end != End::Open, &masks, block, &mut self.pieces);
        self.note_live(unit, index, live.map(|at| at + region.start));
        let pieces = std::mem::take(&mut self.pieces);
        for piece in &pieces {
            let span = piece.span.start + region.start..piece.span.end + region.start;
            let hit = Hit {
                span,
                rule,
                confidence: Confidence::High,
                facts: Facts::default(),
                why: "the body of a private key",
            };
            let first = found.len();
            self.add(engine, unit, index, &hit, found);
            found[first..].iter_mut().for_each(|span| span.part |= !piece.first);
        }
        self.pieces = pieces;
    }

    fn key_names(
        &mut self,
        engine: &Engine,
        unit: &Unit,
        index: usize,
        carry: Option<&mut Carry>,
        found: &mut Vec<Span>,
    ) {
        let Some(names) = engine.names() else { return };
        let ended = unit.end != End::Open;
        let whole = 0..self.views.text(index).len();
        let region = self.region(unit, index, carry.is_some());
        let mut none = Carry::default();
        let carries = carry.is_some();
        let carry = carry.unwrap_or(&mut none);
        let mut passes = vec![(region.clone(), true)];
        if carries && region != whole && unit.docker {
            // The rest of the record has fields, too.
            passes.push((whole, false));
        }
        for (range, carried) in passes {
            self.values.clear();
            let pending = if carried { carry.pending } else { assigned::Pending::default() };
            let text = &self.views.text(index)[range.clone()];
            let outcome = assigned::scan(
                text,
                ended,
                carry.in_string,
                pending,
                names,
                engine,
                &mut self.assigned_scratch,
                &mut self.values,
            );
            if carried {
                carry.pending = outcome.pending;
            }
            self.note_live(unit, index, outcome.live.map(|at| at + range.start));
            let values = std::mem::take(&mut self.values);
            for value in &values {
                let span = value.value.start + range.start..value.value.end + range.start;
                let hit = Hit {
                    span,
                    rule: value.rule,
                    confidence: value.confidence,
                    facts: Facts::default(),
                    why: value.why,
                };
                self.add(engine, unit, index, &hit, found);
            }
            self.values = values;
        }
    }

    /// Long random tokens without a key name, where they are asked for.
    fn random_tokens(&mut self, engine: &Engine, unit: &Unit, index: usize, found: &mut Vec<Span>) {
        let Some(rule) = engine.entropy_rule() else { return };
        let text = self.views.text(index);
        let mut place = 0;
        while let Some(run) = view::next_run(text, place) {
            place = run.end;
            let cut = unit.end == End::Open && run.end == text.len();
            if let Some(confidence) = judge::bare(&text[run.clone()]).filter(|_| !cut) {
                let hit = Hit { span: run, rule, confidence, facts: Facts::default(), why: "a long random token" };
                self.add(engine, unit, index, &hit, found);
            }
        }
    }

    /// The part of a view that the carry speaks of: the record's text without its envelope.
    fn region(&self, unit: &Unit, index: usize, primary: bool) -> Range<usize> {
        let length = self.views.text(index).len();
        match (&unit.payload, primary) {
            (Some(payload), true) => {
                let start = self.views.place_in(index, payload.start);
                let end = self.views.place_in(index, payload.end);
                start.min(length)..end.clamp(start.min(length), length)
            }
            _ => 0..length,
        }
    }

    /// Adds a hit in a view: one span, or one for each record it lies in.
    fn add(&self, engine: &Engine, unit: &Unit, index: usize, hit: &Hit, found: &mut Vec<Span>) {
        if hit.span.is_empty() {
            return;
        }
        let rule = &engine.rules().rules()[usize::from(hit.rule)];
        let secret = &self.views.text(index)[hit.span.clone()];
        let fingerprint = engine.options().fingerprint_key.fingerprint(secret);
        let in_text = self.views.range(index, &hit.span);
        let mut escapes = Vec::new();
        self.views.escapes(index, &hit.span, &mut escapes);
        let allow = &engine.options().allow;
        let allowed = if allow.is_empty() { Vec::new() } else { allow.about(rule, secret, &fingerprint) };
        let passes = allow.passes(&allowed);
        let masked = hit.confidence >= engine.options().mask_confidence
            && rule.action == crate::rules::Action::Redact
            && !rule.testing
            && !passes;
        let mut first = true;
        for part in &unit.parts {
            let cut = |range: &Range<usize>| range.start.max(part.start)..range.end.min(part.end);
            let to_piece = |range: Range<usize>| self.masked.map.range(&range);
            let inside = cut(&in_text);
            if inside.is_empty() {
                continue;
            }
            let range = to_piece(inside);
            // Another rule may find the same bytes, or a part of them.
            let left = |old: &Span| old.passes && old.range.start <= range.start && range.end <= old.range.end;
            let left = self.spans.iter().find(|old| left(old));
            found.push(Span {
                range: range.clone(),
                allowed: left.map_or_else(|| allowed.clone(), |old| old.allowed.clone()),
                passes: passes || left.is_some(),
                rule: hit.rule,
                confidence: hit.confidence,
                facts: hit.facts.clone(),
                fingerprint,
                escapes: escapes.iter().map(cut).filter(|range| !range.is_empty()).map(to_piece).collect(),
                masked: masked && left.is_none(),
                part: !first,
                why: hit.why,
                steps: self.views.steps(index),
                rank: rank(rule),
            });
            first = false;
        }
    }

    fn note_live(&mut self, unit: &Unit, index: usize, live: Option<usize>) {
        if unit.end == End::Open
            && let Some(at) = live
        {
            let place = self.masked.map.start(self.views.start_of(index, at));
            self.earlier(place);
        }
    }

    fn earlier(&mut self, place: usize) {
        self.live = Some(self.live.map_or(place, |old| old.min(place)));
    }

    /// Whether a span says something that the known ones do not.
    fn is_news(&self, span: &Span) -> bool {
        let known = |old: &Span| {
            let covers = old.range.start <= span.range.start && span.range.end <= old.range.end;
            if span.masked { old.masked && covers } else { covers && (old.masked || old.rule == span.rule) }
        };
        !self.spans.iter().any(known)
    }

    /// Takes over what was found. Returns whether anything was new.
    fn merge(&mut self, found: Vec<Span>) -> bool {
        let news: Vec<Span> = found.into_iter().filter(|span| self.is_news(span)).collect();
        if news.is_empty() {
            return false;
        }
        self.spans.extend(news);
        let spans = &mut self.spans;
        spans.sort_by_key(|span| (!span.masked, span.range.start, span.range.end));
        let mut kept: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans.drain(..) {
            match kept
                .iter_mut()
                .rev()
                .find(|old| old.masked && old.range.start <= span.range.end && span.range.start <= old.range.end)
            {
                // What is only reported does not lengthen a mask.
                Some(old) if span.masked => old.absorb(span),
                Some(old) if old.range.start <= span.range.start && span.range.end <= old.range.end => {}
                _ => kept.push(span),
            }
        }
        kept.sort_by_key(|span| (span.range.start, span.range.end));
        *spans = kept;
        true
    }
}

impl Span {
    /// Makes one span of two that touch.
    fn absorb(&mut self, other: Span) {
        let range = self.range.start.min(other.range.start)..self.range.end.max(other.range.end);
        let mut escapes = std::mem::take(&mut self.escapes);
        escapes.extend(other.escapes.iter().cloned());
        escapes.sort_by_key(|escape| escape.start);
        escapes.dedup();
        let better = (other.rank, other.confidence, !other.part) > (self.rank, self.confidence, !self.part);
        if better {
            *self = other;
        }
        self.range = range;
        self.escapes = escapes;
    }
}

/// A provider's rule names a secret before a structure does, and that before a key name.
fn rank(rule: &crate::rules::Rule) -> u8 {
    match rule.detector {
        Detector::Known => 4,
        Detector::KeyBlock => 3,
        Detector::Token if rule.family == "structures" => 2,
        Detector::Token => 3,
        Detector::Assigned if !rule.pattern.is_empty() => 2,
        Detector::Assigned => 1,
        Detector::Entropy | Detector::Ceiling => 0,
    }
}
