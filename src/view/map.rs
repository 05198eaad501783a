//! Maps places of a decoded text back to the text it was decoded from. Does not decode.

use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// View and parent bytes correspond one to one.
    Copy,
    /// Some view bytes stand, as one, for some parent bytes.
    Atom,
    /// Parent bytes that were left out; has no bytes in the view.
    Gap,
}

/// A stretch of a view. Stretches lie in the order of the view and cover it without holes.
#[derive(Debug, Clone, Copy)]
struct Segment {
    kind: Kind,
    /// Where the stretch begins in the view.
    at: usize,
    /// The bytes of the parent it stands for.
    from: usize,
    to: usize,
}

/// The way back from a view to its parent.
#[derive(Debug, Default)]
pub struct Map {
    segments: Vec<Segment>,
    /// Whether one of them is a gap.
    gaps: bool,
}

impl Map {
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.segments.clear();
        self.gaps = false;
    }

    /// The next view bytes, from `at` on, are the parent's bytes `from..to` themselves.
    pub fn copied(&mut self, at: usize, from: usize, to: usize) {
        if from == to {
            return;
        }
        if let Some(last) = self.segments.last_mut()
            && last.kind == Kind::Copy
            && last.to == from
        {
            last.to = to;
            return;
        }
        self.segments.push(Segment { kind: Kind::Copy, at, from, to });
    }

    /// The next view bytes, from `at` on, stand as one for the parent's bytes `from..to`.
    pub fn atom(&mut self, at: usize, from: usize, to: usize) {
        self.segments.push(Segment { kind: Kind::Atom, at, from, to });
    }

    /// The parent's bytes `from..to` were left out at the view's place `at`.
    pub fn gap(&mut self, at: usize, from: usize, to: usize) {
        self.segments.push(Segment { kind: Kind::Gap, at, from, to });
        self.gaps = true;
    }

    /// The parent's bytes that the view's bytes `span` stand for. `span` must not be empty and
    /// must lie in the view.
    pub fn range(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.start(span.start);
        let end = match self.holding(span.end.saturating_sub(1)) {
            Some(segment) if segment.kind == Kind::Copy => segment.from + (span.end - segment.at),
            Some(segment) => segment.to,
            None => start,
        };
        start..end.max(start)
    }

    /// The parent's place where the view's byte at `place` comes from.
    pub fn start(&self, place: usize) -> usize {
        match self.holding(place) {
            Some(segment) if segment.kind == Kind::Copy => (segment.from + (place - segment.at)).min(segment.to),
            Some(segment) => segment.from,
            None => 0,
        }
    }

    /// Whether parent bytes were left out anywhere.
    pub fn has_gaps(&self) -> bool {
        self.gaps
    }

    /// Whether parent bytes were left out just before the view's byte at `place`.
    pub fn gap_at(&self, place: usize) -> bool {
        let first = self.segments.partition_point(|segment| segment.at < place);
        let here = self.segments[first..].iter().take_while(|segment| segment.at == place);
        here.into_iter().any(|segment| segment.kind == Kind::Gap)
    }

    /// The view's places at which parent bytes were left out.
    pub fn gap_places(&self) -> impl Iterator<Item = usize> + '_ {
        self.segments.iter().filter(|segment| segment.kind == Kind::Gap).map(|segment| segment.at)
    }

    /// The parent's ranges that were left out strictly inside the view's range `span`.
    pub fn gaps(&self, span: &Range<usize>) -> impl Iterator<Item = Range<usize>> + '_ {
        let first = self.segments.partition_point(|segment| segment.at <= span.start);
        let end = span.end;
        self.segments[first..]
            .iter()
            .take_while(move |segment| segment.at < end)
            .filter(|segment| segment.kind == Kind::Gap)
            .map(|segment| segment.from..segment.to)
    }

    /// The view's place of the first byte that stems from parent bytes at or after `parent`, or
    /// the view's length `len` if there is none.
    pub fn first_from(&self, parent: usize, len: usize) -> usize {
        let index = self.segments.partition_point(|segment| segment.to <= parent);
        match self.segments.get(index) {
            Some(segment) if segment.from >= parent => segment.at,
            Some(segment) if segment.kind == Kind::Copy => segment.at + (parent - segment.from),
            Some(_) => self.segments.get(index + 1).map_or(len, |next| next.at),
            None => len,
        }
    }

    /// The stretch that holds the view's byte at `place`. Gaps have no bytes: the last stretch
    /// that begins at or before `place` is a gap only where `place` is the view's end.
    fn holding(&self, place: usize) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.at <= place);
        after.checked_sub(1).and_then(|index| self.segments.get(index))
    }
}
