//! Turns the known values in a unit's texts into spans. Does not know what they are.

use std::{ops::Range, sync::Arc};

use super::{Place, Settler, Span, Unit, earlier, known::Progress};
use crate::{
    limits::{BASE64_RUN_MIN, PIECE_BYTES_MIN},
    redact::Style,
    rules::{Confidence, checks::Facts},
    scan::{
        Engine,
        known::{self as values, Known, Step, wrap},
        tokens::{End, Hit},
    },
    view::utf16::Encoding,
};

/// A value of several lines, in the middle of which the piece is.
#[derive(Clone)]
pub(super) struct Trail {
    progress: Progress,
    /// Lines of it that are masked once it is sure.
    pending: Vec<Span>,
}

impl Settler {
    /// Takes up values in the middle of which the piece begins.
    pub(super) fn begin_lines(&mut self, known: &[Progress]) {
        self.trails.clear();
        self.trails.extend(known.iter().map(|&progress| Trail { progress, pending: Vec::new() }));
    }

    /// The values in the middle of which the piece ends.
    pub(super) fn progress(&self) -> Vec<Progress> {
        self.trails.iter().map(|trail| trail.progress).collect()
    }

    /// Where in the piece lines begin that are masked if the right line follows.
    pub fn held_from(&self) -> Option<usize> {
        self.trails.iter().flat_map(|trail| &trail.pending).map(|span| span.range.start).min()
    }

    /// Looks for the known values in every text, those included that are otherwise read without their
    /// escapes: a value may hold anything.
    /// `primary` is the text whose lines follow the lines of the units before.
    pub(super) fn known_values(&mut self, engine: &Engine, place: Place<'_>, primary: Option<usize>) {
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
                if hit.encoding != values::Encoding::RAW {
                    facts = facts.with("encoding", hit.encoding.name().to_owned());
                }
                let first = self.found.len();
                self.add(engine, place, index, self::hit(engine, hit.range(), facts, "a known value"));
                // However it is written, it is the same secret.
                let fingerprint = engine.options().fingerprint_key.fingerprint(known.value(hit));
                let has_own_escapes = self.views.text(index)[hit.range()].contains(&b'\x1b');
                for span in &mut self.found[first..] {
                    span.fingerprint = fingerprint;
                    span.has_own_escapes = has_own_escapes;
                }
            }
            if known.has_blocks() && self.follows_lines {
                self.known_lines(engine, place, (index, primary == Some(index)), &hits);
            }
            let text = self.views.text(index);
            match unit.end {
                End::Line => {}
                End::Open => {
                    let least = if engine.options().interactive { PIECE_BYTES_MIN } else { 1 };
                    let width = Some(engine.options().known.broken(engine.masker()));
                    let breaks = [wrap::before_margin, wrap::before_line_end, wrap::before_frame];
                    let breaks = breaks.map(|before| before(text, width));
                    let ends = [Some(text.len()), wrap::before_soft_break(text)].into_iter().chain(breaks);
                    let live = ends.flatten().filter_map(|end| known.tail(&text[..end], least)).min();
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

    /// Looks for the known values over the ends of lines that may go on in the next one.
    pub(super) fn wrapped_lines(&mut self, engine: &Engine, end: End) {
        let width = Some(engine.options().known.broken(engine.masker()));
        let (mut run, mut parts, mut from) = (wrap::Run::default(), Vec::new(), 0);
        while run.next(&self.masked.text, from, width, None) {
            from = run.range().end;
            let end = if from == self.masked.text.len() { end } else { End::Line };
            for goes_on in wrap::GoesOn::ALL {
                if !run.parts(&self.masked.text, goes_on, &mut parts) {
                    continue;
                }
                // As long as the last line has no end, it may still turn out to begin behind a prefix.
                let all = parts.len();
                let whole = all - usize::from(end == End::Open && !self.masked.text.ends_with(b"\n"));
                for count in [whole, all].into_iter().skip(usize::from(whole == all)) {
                    let parts = &parts[..count];
                    self.views.start(&self.masked.text, parts, Encoding::Bytes, end == End::Open, true);
                    self.prints.start();
                    let unit = Unit::of_ranges(end);
                    self.known_values(engine, (&unit, parts), None);
                    // The next line may begin with more digits.
                    let least = if engine.options().interactive { BASE64_RUN_MIN } else { 1 };
                    let goes_on = end == End::Open && (run.is_open() || whole < all);
                    for index in self.views.all().filter(|_| goes_on) {
                        let open = wrap::before_more_digits(self.views.text(index), least);
                        self.note_live(&unit, index, open);
                    }
                }
            }
        }
    }

    /// Follows values of several lines through the lines of a text.
    fn known_lines(
        &mut self,
        engine: &Engine,
        place: Place<'_>,
        (index, primary): (usize, bool),
        hits: &[values::Hit],
    ) {
        let (unit, _) = place;
        let known = Arc::clone(&self.known);
        let region = self.region(unit, index, primary);
        let mut opener_hits = std::mem::take(&mut self.opener_hits);
        known.openers(self.views.text(index), &mut opener_hits);
        let mut trails = if primary { std::mem::take(&mut self.trails) } else { Vec::new() };
        // Values go on behind the whole line, and behind this part of it.
        let mut kept = if primary && unit.partial { trails.clone() } else { Vec::new() };
        let mut start = region.start;
        while start < region.end && !(trails.is_empty() && hits.is_empty() && opener_hits.is_empty()) {
            let text = &self.views.text(index)[..region.end];
            let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at);
            let cut = end == text.len() && unit.end == End::Open;
            let line = start..start + text[start..end].trim_ascii_end().len();
            if cut {
                // It may become the line that is waited for.
                let begun =
                    || [text, text.trim_ascii_end()].into_iter().filter_map(|text| known.opener_tail(text)).min();
                let live = if trails.is_empty() { begun() } else { Some(start) };
                self.note_live(unit, index, live);
                break;
            }
            let last = end == text.len() && unit.end == End::Input;
            let mut before = std::mem::take(&mut trails);
            if let Some(some) = before.iter().position(|trail| trail.progress.is_of_some()) {
                let line = &self.views.text(index)[line.clone()];
                let found: Vec<Progress> = known.before(before[some].progress, line).take(TRAILS_MAX).collect();
                if !found.is_empty() {
                    before.swap_remove(some);
                    before.extend(found.into_iter().map(|progress| Trail { progress, pending: Vec::new() }));
                }
            }
            for trail in before {
                trails.extend(self.known_line(engine, place, index, line.clone(), last, trail));
            }
            let text = self.views.text(index);
            let ends = |hit: &&values::Hit| hit.longest().end == line.end && !line.is_empty();
            let mut fresh: Vec<(Progress, Option<Range<usize>>)> = Vec::new();
            for hit in hits.iter().filter(ends) {
                fresh.extend(known.after(&text[hit.longest()]).map(|progress| (progress, None)));
            }
            for hit in opener_hits.iter().filter(ends) {
                let opener = hit.longest();
                fresh.extend(
                    known.after(&text[opener.clone()]).map(|progress| (progress.unsure(), Some(opener.clone()))),
                );
            }
            for (progress, opener) in fresh.into_iter().take(TRAILS_MAX) {
                if trails.iter().any(|trail| trail.progress.is_at(&progress)) {
                    continue;
                }
                let first = self.found.len();
                if let Some(span) = opener {
                    self.add(engine, place, index, block_line(engine, span));
                }
                let pending = self.found.split_off(first);
                trails.push(Trail { progress, pending });
            }
            start = end + 1;
        }
        if unit.end == End::Open {
            let pending = trails.iter().flat_map(|trail| &trail.pending);
            pending.for_each(|span| earlier(&mut self.live, span.range.start));
        }
        if primary {
            trails.retain(|trail| !kept.iter().any(|old| old.progress.is_at(&trail.progress)));
            trails.truncate(TRAILS_MAX.saturating_sub(kept.len()));
            kept.append(&mut trails);
            self.trails = kept;
        }
        self.opener_hits = opener_hits;
    }

    /// Compares a line with the one that a value expects. Returns where the text is then in it.
    fn known_line(
        &mut self,
        engine: &Engine,
        place: Place<'_>,
        index: usize,
        line: Range<usize>,
        last: bool,
        mut trail: Trail,
    ) -> Option<Trail> {
        let known: &Known = &self.known;
        let text = &self.views.text(index)[line.clone()];
        let (here, next, sure) = match known.step(trail.progress, text) {
            Step::Here(here, next, sure) => (here, next, sure),
            _ if last => {
                let cut = known.cut_line(trail.progress, text)?..text.len();
                (std::iter::once(cut).collect(), None, true)
            }
            Step::Waits(progress) => return Some(Trail { progress, ..trail }),
            Step::Lost => return None,
        };
        let first = self.found.len();
        for here in here {
            let span = line.start + here.start..line.start + here.end;
            self.add(engine, place, index, block_line(engine, span));
        }
        trail.pending.extend(self.found.drain(first..));
        if sure {
            self.found.append(&mut trail.pending);
        }
        next.map(|progress| Trail { progress, ..trail })
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

fn block_line(engine: &Engine, span: Range<usize>) -> Hit {
    hit(engine, span, Facts::default(), "a line of a known value")
}

/// How many values of several lines are followed at once.
const TRAILS_MAX: usize = 64;

/// How far before a value the mask may begin that it stands in (bytes).
const MASK_BYTES_MAX: usize = 256;
