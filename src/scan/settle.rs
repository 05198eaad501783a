//! Turns a piece of a log (a line, the records of a split line, or the beginning of one) into the
//! spans of its secrets. Does not cut pieces.
//!
//! The piece is scanned, masked, and scanned again until a scan finds nothing: so filtering twice
//! changes nothing, by construction, and a secret that only shows once its neighbour is masked is
//! found. First the tokens are masked, then key names are read: a provider's rule wins over a
//! generic one on the same value because the generic one sees a mask there.

mod joined;
mod known_values;
mod passing;
mod spans;

use std::{ops::Range, sync::Arc};

use self::passing::Passing;
pub use self::spans::Span;
use self::spans::{Spans, rank};
use super::{
    Engine, assigned,
    carry::Carry,
    judge,
    keyblock::{self, Block, Piece},
    known::{self, Known},
    manifest,
    prefilter::Found,
    tokens::{self, End, Hit},
    units::{Unit, Units},
};
use crate::{
    finding::Fingerprint,
    limits,
    redact::Masked,
    rules::{Confidence, checks::Facts},
    view::{self, Views, utf16::Encoding},
};

/// Scans pieces. Reused from piece to piece.
#[derive(Default)]
pub struct Settler {
    views: Views,
    units: Units,
    masked: Masked,
    spans: Spans,
    /// What a round has found.
    found: Vec<Span>,
    live: Option<usize>,
    known: Arc<Known>,
    known_hits: Vec<known::Hit>,
    opener_hits: Vec<known::Hit>,
    trails: Vec<known_values::Trail>,
    follows_lines: bool,
    tracing: bool,
    trace: Vec<Span>,
    hits: Vec<Hit>,
    values: Vec<assigned::Hit>,
    /// Where the next round need not scan before, if this one was the first to find something there.
    again: Option<assigned::Mark>,
    pieces: Vec<Piece>,
    manifest_values: Vec<manifest::Value>,
    /// The views of a unit that are searched, and which other detectors have a word in each.
    searched: Vec<(usize, Found)>,
    escapes: Vec<Range<usize>>,
    prints: spans::Prints,
    tokens_scratch: tokens::Scratch,
    assigned_scratch: assigned::Scratch,
    passing: Passing,
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
        self.again = None;
        self.spans.0.clear();
        self.trace.clear();
        let mut block = None;
        let mut unseen = carry.unseen;
        // A mask may hide a beginning that was live before: the earliest of all rounds counts.
        self.live = None;
        if encoding == Encoding::Bytes && !unseen.is_empty() {
            let (rests, live) = unseen.read(raw, end);
            self.spans.0.extend(rests.into_iter().map(|rest| Span::of_unseen(rest, engine.ceiling_rule())));
            self.live = live;
        }
        self.begin_lines(&carry.known);
        for round in 0..limits::ROUNDS_MAX {
            self.follows_lines = round == 0;
            self.masked.fill(raw, &self.spans.0, engine.masker(), encoding);
            if round > 0
                && end == End::Line
                && block.is_none()
                && carry.is_empty()
                && self.passes(engine, raw, encoding)
            {
                *carry = Carry { known: self.progress(), ..Carry::default() };
                return;
            }
            let mut next = carry.clone();
            self.found.clear();
            let again = self.again.take();
            if end == End::Open {
                // A mask that stands at the end, if only escapes of its secret come behind it, may become longer.
                let last = self.spans.0.iter().rev().find(|span| span.masked && span.range.end == raw.len());
                if let Some(start) = last.map(|span| span.range.start) {
                    self.earlier(start);
                }
                // Half a character is no character yet, and half a mask no mask.
                let cuts = [encoding.unfinished(&self.masked.text), engine.masker().cut_at_end(&self.masked.text)];
                for cut in cuts.into_iter().flatten() {
                    self.earlier(self.masked.map.start(cut));
                }
            }
            let mut units = std::mem::take(&mut self.units);
            units.read(&self.masked.text, encoding, end);
            for index in 0..units.len() {
                let (unit, parts) = units.get(index);
                // Each unit is read under the carry; only some say what follows.
                let carry = if unit.carries { &mut next } else { &mut next.clone() };
                self.unit(engine, (unit, parts), encoding, carry, again);
            }
            self.units = units;
            if encoding == Encoding::Bytes {
                self.joined_base64(engine, end);
                self.joined_softly(engine, raw, end);
            }
            if encoding == Encoding::Bytes && !self.known.is_empty() {
                self.wrapped_lines(engine, end);
            }
            if end == End::Open
                && let Some(held) = self.held_from()
            {
                self.earlier(held);
            }
            if self.tracing {
                self.trace.extend(self.found.iter().cloned());
            }
            // A body that had no BEGIN has no sign of itself once it is masked.
            block = next.block.filter(Block::is_seen).or(block).or(next.block);
            if !self.spans.merge(&mut self.found) {
                *carry = Carry { block, known: self.progress(), unseen, in_string: false, ..next };
                return;
            }
        }
        *carry = Carry { known: self.progress(), unseen, ..Carry::default() };
        self.masked.fill(raw, &self.spans.0, engine.masker(), encoding);
    }

    /// The piece's secrets, sorted; they do not touch each other.
    pub fn spans(&self) -> &[Span] {
        &self.spans.0
    }

    /// Lets no mask begin in what was written, up to `written`, that ends behind it: what was shown to somebody who
    /// types cannot be taken back, but the rest of it is masked and reported.
    pub fn begin_after(&mut self, engine: &Engine, raw: &[u8], encoding: Encoding, written: usize) {
        let begun = |span: &Span| span.masked && span.range.start < written && written < span.range.end;
        let Some(span) = self.spans.0.iter_mut().find(|span| begun(span)) else { return };
        span.range.start = written;
        span.escapes.retain(|escape| escape.start >= written);
        self.masked.fill(raw, &self.spans.0, engine.masker(), encoding);
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
        for span in self.spans.0.iter().rev() {
            if span.masked && span.range.end >= safe && safe < length {
                safe = safe.min(span.range.start);
            }
        }
        safe
    }

    /// Scans one unit. Adds what it finds, in the piece's coordinates.
    fn unit(
        &mut self,
        engine: &Engine,
        place: Place<'_>,
        encoding: Encoding,
        carry: &mut Carry,
        again: Option<assigned::Mark>,
    ) {
        let (unit, parts) = place;
        let open = unit.end == End::Open;
        self.views.start(&self.masked.text, parts, encoding, open, unit.decodes);
        self.prints.start();
        let mut searched = std::mem::take(&mut self.searched);
        searched.clear();
        searched.extend(self.views.searched().map(|index| (index, Found::default())));
        let primary = self.views.primary(unit.docker);
        let before = self.found.len();
        self.tokens_scratch.buffers.keys.clear();
        if !self.known.is_empty() {
            let lines = (unit.carries || unit.partial).then_some(primary);
            self.known_values(engine, place, lines);
        }
        for (index, words) in &mut searched {
            let index = *index;
            let mut hits = std::mem::take(&mut self.hits);
            hits.clear();
            let scratch = &mut self.tokens_scratch;
            let live = engine.tokens().search((&self.views, index), unit.end, engine, scratch, &mut hits);
            *words = self.tokens_scratch.found.clone();
            self.note_live(unit, index, live);
            hits.drain(..).for_each(|hit| self.add(engine, place, index, hit));
            self.hits = hits;
            let mut carry = (index == primary).then_some(&mut *carry);
            if words.key_block || carry.as_ref().is_some_and(|carry| carry.block.is_some()) {
                self.key_blocks(engine, place, index, carry.as_deref_mut());
            }
            if words.manifest || carry.as_ref().is_some_and(|carry| carry.manifest.is_some()) {
                self.manifests(engine, place, index, carry);
            }
        }
        if open && let Some(cut) = self.views.unfinished() {
            let place = self.masked.map.start(cut);
            self.earlier(place);
        }
        let news = self.found[before..].iter().any(|span| self.spans.is_news(span));
        if !news {
            for (index, words) in &searched {
                let carry = (*index == primary).then_some(&mut *carry);
                let awaited = carry.as_ref().is_some_and(|carry| carry.pending != assigned::Pending::default());
                let keys = &self.tokens_scratch.buffers.keys[words.keys.clone()];
                let (text, open, scratch) =
                    (self.views.text(*index), unit.end != End::Line, &mut self.assigned_scratch);
                if awaited || engine.prefilter().assigns(engine, text, open, keys, scratch) {
                    self.key_names(engine, place, *index, carry, again);
                }
                self.random_tokens(engine, place, *index);
            }
        }
        self.searched = searched;
        if unit.perhaps {
            for span in self.found.split_off(before) {
                self.earlier(span.range.start);
            }
        }
    }

    fn key_blocks(&mut self, engine: &Engine, place: Place<'_>, index: usize, carry: Option<&mut Carry>) {
        let (unit, _) = place;
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
            let first = self.found.len();
            self.add(engine, place, index, hit);
            self.found[first..].iter_mut().for_each(|span| span.part |= !piece.first);
        }
        self.pieces = pieces;
    }

    fn manifests(&mut self, engine: &Engine, place: Place<'_>, index: usize, carry: Option<&mut Carry>) {
        let (unit, _) = place;
        let Some(rule) = engine.manifest_rule() else { return };
        let region = self.region(unit, index, carry.is_some());
        let mut fresh = None;
        let open = carry.map_or(&mut fresh, |carry| &mut carry.manifest);
        let text = &self.views.text(index)[region.clone()];
        let is_mask = |text: &[u8]| engine.masker().len_at(text, 0) == Some(text.len());
        self.manifest_values.clear();
        let live = manifest::scan(text, unit.end != End::Open, &is_mask, open, &mut self.manifest_values);
        self.note_live(unit, index, live.map(|at| at + region.start));
        let values = std::mem::take(&mut self.manifest_values);
        for value in &values {
            let span = value.span.start + region.start..value.span.end + region.start;
            let confidence = if value.told { Confidence::High } else { Confidence::Medium };
            let why = "a value of a Kubernetes Secret";
            self.add(engine, place, index, Hit { span, rule, confidence, facts: Facts::default(), why });
        }
        self.manifest_values = values;
    }

    /// `again` is where the round before began to find something, if that was the same text up to there.
    fn key_names(
        &mut self,
        engine: &Engine,
        place: Place<'_>,
        index: usize,
        carry: Option<&mut Carry>,
        again: Option<assigned::Mark>,
    ) {
        let (unit, parts) = place;
        let Some(names) = engine.names() else { return };
        let ended = unit.end != End::Open;
        let whole = 0..self.views.text(index).len();
        let region = self.region(unit, index, carry.is_some());
        let mut none = Carry::default();
        let carries = carry.is_some();
        let carry = carry.unwrap_or(&mut none);
        // A line without another view, scanned by itself, is the same up to the first mask.
        let alone = matches!(parts, [part] if *part == (0..self.masked.text.len()));
        let plain = alone && carries && region == whole && self.views.all().len() == 1;
        // The rest of a record has fields, too.
        let around = (carries && region != whole && unit.docker).then_some((whole, false));
        let first = plain && self.found.is_empty() && engine.entropy_rule().is_none();
        let in_string = carry.in_string || unit.inside && self.views.is_escaped(index);
        for (range, carried) in [(region, true)].into_iter().chain(around) {
            let pending = if carried { carry.pending } else { assigned::Pending::default() };
            let start = assigned::Mark::start(in_string, pending);
            let fresh = plain && start == assigned::Mark::start(false, assigned::Pending::default());
            let text = &self.views.text(index)[range.clone()];
            let from = again.filter(|_| fresh).unwrap_or(start);
            let (scratch, values) = (&mut self.assigned_scratch, &mut self.values);
            values.clear();
            let outcome = assigned::scan(text, ended, from, names, engine, scratch, values);
            if first {
                self.again = outcome.again;
            }
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
                self.add(engine, place, index, hit);
            }
            self.values = values;
        }
    }

    /// Long random tokens without a key name, where they are asked for.
    fn random_tokens(&mut self, engine: &Engine, place: Place<'_>, index: usize) {
        let (unit, _) = place;
        let Some(rule) = engine.entropy_rule() else { return };
        let mut from = 0;
        while let Some(run) = view::next_run(self.views.text(index), from) {
            from = run.end;
            let text = self.views.text(index);
            let cut = unit.end == End::Open && run.end == text.len();
            if let Some(confidence) = judge::bare(&text[run.clone()]).filter(|_| !cut) {
                let hit = Hit { span: run, rule, confidence, facts: Facts::default(), why: "a long random token" };
                self.add(engine, place, index, hit);
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
    fn add(&mut self, engine: &Engine, (_, parts): Place<'_>, index: usize, hit: Hit) {
        if hit.span.is_empty() {
            return;
        }
        let rule = &engine.rules().rules()[usize::from(hit.rule)];
        let in_text = self.views.range(index, &hit.span);
        let allow = &engine.options().allow;
        let key = &engine.options().fingerprint_key;
        let mut prints = std::mem::take(&mut self.prints);
        let mut fingerprint = |settler: &Settler| prints.of((index, &hit.span), &settler.views, key);
        let mut allowed = Vec::new();
        if !allow.is_empty() {
            allowed = allow.about(rule, &self.views.text(index)[hit.span.clone()], &fingerprint(self));
        }
        let passes = allow.passes(&allowed);
        let masked = hit.confidence >= engine.options().mask_confidence
            && rule.action == crate::rules::Action::Redact
            && !rule.testing
            && !passes;
        let mut escapes = std::mem::take(&mut self.escapes);
        escapes.clear();
        self.views.escapes(index, &hit.span, &mut escapes);
        // Those of an inner view come first, wherever they stand.
        escapes.sort_unstable_by_key(|escape| escape.start);
        let mut first = true;
        for part in parts {
            let cut = |range: &Range<usize>| range.start.max(part.start)..range.end.min(part.end);
            let to_piece = |range: Range<usize>| self.masked.map.range(&range);
            let inside = cut(&in_text);
            if inside.is_empty() {
                continue;
            }
            let range = to_piece(inside);
            let parts_of = |ranges: &[Range<usize>]| -> Vec<Range<usize>> {
                let cut = ranges.iter().map(cut).filter(|range| !range.is_empty());
                // One that was moved behind a mask has no place of its own: that mask's span keeps it.
                cut.map(to_piece).filter(|range| !range.is_empty()).collect()
            };
            // Another rule may find the same bytes, or a part of them.
            let left = self.spans.left_around(&range);
            let span = Span {
                range,
                allowed: left.map_or_else(|| allowed.clone(), |old| old.allowed.clone()),
                passes: passes || left.is_some(),
                rule: hit.rule,
                confidence: hit.confidence,
                facts: hit.facts.clone(),
                fingerprint: Fingerprint::default(),
                escapes: parts_of(&escapes),
                has_own_escapes: false,
                masked: masked && left.is_none(),
                part: !first,
                why: hit.why,
                steps: self.views.steps(index),
                rank: rank(rule),
            };
            first = false;
            if self.tracing || self.spans.is_news(&span) {
                self.found.push(Span { fingerprint: fingerprint(self), ..span });
            }
        }
        self.escapes = escapes;
        self.prints = prints;
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
        earlier(&mut self.live, place);
    }
}

fn earlier(live: &mut Option<usize>, place: usize) {
    *live = Some(live.map_or(place, |old| old.min(place)));
}

/// A unit, and where its text stands in the piece.
type Place<'a> = (&'a Unit, &'a [Range<usize>]);
