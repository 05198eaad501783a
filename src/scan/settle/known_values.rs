//! Turns the known values in a unit's texts into spans. Does not know what they are.

use std::{ops::Range, sync::Arc};

use super::{Place, Settler};
use crate::{
    redact::Style,
    rules::{Confidence, checks::Facts},
    scan::{
        Engine,
        known::Encoding,
        tokens::{End, Hit},
    },
};

impl Settler {
    /// Looks for the known values in every text, those included that are otherwise read without their
    /// escapes: a value may hold anything.
    pub(super) fn known_values(&mut self, engine: &Engine, place: Place<'_>) {
        let (unit, _) = place;
        let known = Arc::clone(&self.known);
        let mut hits = std::mem::take(&mut self.known_hits);
        for index in self.views.all() {
            known.find(self.views.text(index), &mut hits);
            for hit in &hits {
                if self.is_in_a_mask(engine, index, &hit.range()) {
                    continue;
                }
                let mut facts = Facts::default().with("value", known.name(hit).to_owned());
                if hit.encoding != Encoding::RAW {
                    facts = facts.with("encoding", hit.encoding.name().to_owned());
                }
                let first = self.found.len();
                self.add(engine, place, index, self::hit(engine, hit.range(), facts, "a known value"));
                // However it is written, it is the same secret.
                let fingerprint = engine.options().fingerprint_key.fingerprint(known.value(hit));
                self.found[first..].iter_mut().for_each(|span| span.fingerprint = fingerprint);
            }
            let text = self.views.text(index);
            match unit.end {
                End::Line => {}
                End::Open => {
                    let least = if engine.options().interactive { PIECE_BYTES_MIN } else { 1 };
                    let live = known.tail(text, least);
                    self.note_live(unit, index, live);
                }
                End::Input => {
                    if let Some(start) = known.tail(text, PIECE_BYTES_MIN) {
                        let why = "the beginning of a known value that the end of the input cuts";
                        let hit = hit(engine, start..text.len(), Facts::default(), why);
                        self.add(engine, place, index, hit);
                    }
                }
            }
        }
        self.known_hits = hits;
    }

    /// Whether a value stands inside a mask, where it tells nothing: `token` in `[REDACTED:x-token]`.
    fn is_in_a_mask(&self, engine: &Engine, index: usize, hit: &Range<usize>) -> bool {
        let (text, masker) = (self.views.text(index), engine.masker());
        // A hash may have been written by anyone, with a value in its place.
        let hashes = match &engine.options().style {
            Style::Hash => true,
            Style::Text(text) => text.contains("{hash}"),
            _ => false,
        };
        let covers = |start: usize| masker.len_at(text, start).is_some_and(|length| start + length >= hit.end);
        !(hashes && text[hit.clone()].iter().all(u8::is_ascii_hexdigit))
            && (hit.start.saturating_sub(MASK_BYTES_MAX)..=hit.start).any(covers)
    }
}

fn hit(engine: &Engine, span: Range<usize>, facts: Facts, why: &'static str) -> Hit {
    Hit { span, rule: engine.known_rule(), confidence: Confidence::Certain, facts, why }
}

/// The shortest beginning of a known value that is held where somebody types, and masked where the
/// input ends (bytes).
const PIECE_BYTES_MIN: usize = 8;

/// How far before a value the mask may begin that it stands in (bytes).
const MASK_BYTES_MAX: usize = 256;
