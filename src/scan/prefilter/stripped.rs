//! Looks at several lines at once without the escapes of terminals in them: where many lines have some, a look at each by
//! itself costs more than all else. Says of a line only that nothing is in it; one that may hold something is read by itself.

use std::ops::Range;

use super::{
    Prefilter,
    follow::may_match,
    is_amid_a_word, line_end,
    look::{Buffers, Done, Look},
};
use crate::{
    scan::{
        Engine,
        known::{Known, wrap},
        verify::Reading,
    },
    view::{self, Views},
};

/// How many lines are taken together.
const LINES_MAX: usize = 64;
/// Up to how long a text another line is taken (bytes).
const TEXT_BYTES_MAX: usize = 16 << 10;
/// How far behind a line the next one is looked for (bytes).
const NEAR_BYTES_MAX: usize = 4 << 10;
/// Of how many lines one may hold something for the next ones to be taken together.
const PASSING_MIN: usize = 4;
/// How many lines are read by themselves where more of them hold something.
const ALONE: usize = 32;
const ESC: u8 = 0x1b;

/// Lines of a block, without their escapes.
#[derive(Default)]
pub struct Stripped {
    /// Their text, one behind the other.
    views: Views,
    lines: Vec<Line>,
    /// How many lines are taken next.
    wanted: usize,
    /// How many are first read by themselves.
    alone: usize,
}

/// A line of a block.
struct Line {
    /// Its bytes in the block, with the line end.
    range: Range<usize>,
    /// Where it ends in the text.
    end: usize,
    /// Whether nothing is in it.
    passes: bool,
}

impl Stripped {
    /// Goes on to another block.
    pub fn start(&mut self) {
        self.lines.clear();
        (self.wanted, self.alone) = (1, 0);
    }

    /// Up to where there is nothing in the line that begins at `start`, and in the lines behind it; `None` if the line may
    /// hold something. From an escape at `at` on, lines are taken, and `look` is to look at them. Asked with growing `start`.
    pub fn passes(&mut self, block: &[u8], start: usize, at: usize, look: impl FnOnce(&mut Stripped)) -> Option<usize> {
        if self.lines.last().is_none_or(|last| last.range.start < start) && block[at] == ESC {
            let held = self.lines.iter().filter(|line| !line.passes).count();
            if held * PASSING_MIN > self.lines.len() {
                (self.wanted, self.alone) = (1, ALONE);
            }
            self.lines.clear();
            self.alone = self.alone.saturating_sub(1);
            if self.alone > 0 {
                return None;
            }
            self.wanted = LINES_MAX.min(2 * self.wanted);
            self.take(block, start);
            if !self.lines.is_empty() {
                look(self);
            }
        }
        let first = self.lines.binary_search_by_key(&start, |line| line.range.start).ok()?;
        let mut end = None;
        for line in self.lines[first..].iter().take_while(|line| line.passes) {
            if end.is_some_and(|end| end < line.range.start) {
                break;
            }
            end = Some(line.range.end);
        }
        end
    }

    /// Takes lines with escapes, from the one that begins at `start` on. One alone is as well read by itself.
    fn take(&mut self, block: &[u8], start: usize) {
        self.views.start_stripped();
        let mut start = start;
        while self.lines.len() < self.wanted && self.views.stripped().1.len() < TEXT_BYTES_MAX {
            let end = line_end(block, start);
            let near = &block[end..block.len().min(end + NEAR_BYTES_MAX)];
            let escape = memchr::memchr(ESC, near);
            if self.lines.is_empty() && escape.is_none() {
                return;
            }
            let range = start..end;
            let passes = self.views.add_stripped(block, range.clone()) && !may_go_on(&block[range.clone()]);
            self.lines.push(Line { range, end: self.views.stripped().1.len(), passes });
            let Some(escape) = escape else { return };
            start = memchr::memrchr(b'\n', &near[..escape]).map_or(end, |before| end + before + 1);
        }
    }

    /// Sees which of the lines may hold something.
    pub fn look(&mut self, (prefilter, engine): (&Prefilter, &Engine), known: &Known, buffers: &mut Buffers) {
        let Stripped { views, lines, .. } = self;
        let (index, text) = views.stripped();
        // Returns where the line ends that the place is in.
        let mut holds = |at: usize| {
            let number = lines.partition_point(|line| line.end <= at);
            let line = lines.get_mut(number)?;
            line.passes = false;
            Some(line.end)
        };
        let mut from = 0;
        while let Some(end) = known.first_in(text, from).and_then(&mut holds) {
            from = end;
        }
        let Buffers { gaps, ahead, .. } = &mut *buffers;
        gaps.clear();
        views.gap_places(index, gaps);
        ahead.clear();
        for &at in gaps.iter().filter(|at| is_amid_a_word(text, **at)) {
            prefilter.places_at(text, at, |place, token| {
                if may_match(engine, text, place, token, gaps, ahead) {
                    holds(at);
                }
            });
        }
        let mut look = Look::new(prefilter, engine, text, buffers).of_view(Reading::of_view(views, index));
        let (mut from, done) = (0, Done { read: 0, decoded: 0, words: 0 });
        while let Some(end) = look.first(from, done).and_then(|(at, _)| holds(at)) {
            from = end;
        }
    }
}

/// Whether a line ends as those do that go on in the next one, its escapes counted.
fn may_go_on(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let run = line.iter().rev().take_while(|&&byte| view::is_base64(byte)).count();
    line.ends_with(b"=") || wrap::breaks_at_a_width(run)
}
