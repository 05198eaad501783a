//! The filter: bytes in, clean bytes and findings out. Does no I/O, reads no clock, starts no
//! thread; whoever has the clock calls [`Filter::idle`].
//!
//! The loop, in prose:
//! 1. Whole lines are scanned straight from the input. Lines without a sign of anything pass.
//! 2. What is left after the last line end is kept in the *window* until its line end comes.
//! 3. A line whose container record says that it goes on stays in the window, with the records
//!    that follow, until it is complete.
//! 4. A window that grows over a bound is scanned as it is, written up to where nothing can change
//!    any more, and cut at a place that depends on its content alone (`cut`); the piece before
//!    the cut that may matter stays as context.
//! 5. When asked ([`Filter::idle`]), what nothing can change any more of a window is written early.
//!
//! Output depends on the bytes alone: 4 happens at fixed places of a line, and 5 only changes when
//! a byte leaves, because every detector is causal.

mod block;
mod command;
mod cut;
mod early;
mod resume;
mod tally;

use std::sync::Arc;

pub(crate) use block::Block;
pub use resume::{Ground, Held, Part};
pub use tally::Stats;

use crate::{
    finding::Finding,
    limits::{LINE_BYTES_MAX, OVERLAP_BYTES, PARTIAL_BYTES_MAX, PARTIAL_RECORDS_MAX},
    redact::{Clean, Output},
    scan::{
        Ahead, Carry, End, Engine, LineBuffers, Mode, Settler, Stretch, Stretches, commands, is_partial, known::wrap,
    },
    view::utf16::Encoding,
};
use tally::Tally;

/// A streaming filter for one stream.
///
/// ```
/// use std::sync::Arc;
/// use blackbar::{Engine, Filter, Options, RuleSet};
///
/// let engine = Arc::new(Engine::new(RuleSet::builtin()?, Options::default())?);
/// let mut filter = Filter::new(engine);
/// let mut clean = filter.push(b"password = hun").to_vec();
/// clean.extend(filter.push(b"ter2\n").to_vec());
/// clean.extend(filter.finish().to_vec());
/// assert_eq!(clean, b"password = [REDACTED:generic-password]\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Filter {
    engine: Arc<Engine>,
    settler: Settler,
    /// Of the known values that the settler looks for.
    epoch: u64,
    /// Absent while it is lent out.
    line_buffers: Option<Box<LineBuffers>>,
    /// Empty while it is lent out.
    ahead: Ahead,
    tally: Tally,
    output: Output,
    carry: Carry,
    /// What the stream has said, once it has ended.
    left: Carry,
    encoding: Encoding,
    /// Whether the first two bytes, which may be a byte order mark, are known.
    begun: bool,
    /// The records of an open line, or a line without its end.
    window: Vec<u8>,
    /// How many bytes of the window were written; they are context for the rest.
    written: usize,
    /// How many bytes of the window are whole records, and which streams have a line open in them.
    records: usize,
    record_bytes: usize,
    open: [bool; 3],
    /// The end of a value that is longer than the bound: it is masked, its rest is thrown away.
    swallowing: Option<cut::Terminator>,
    /// Up to where in the window secrets were reported.
    reported: usize,
    /// The token that ends a stop of commands.
    stopped: Option<Vec<u8>>,
    /// Whether this filter scans blocks away from the stream, and must not act on commands.
    twin: bool,
}

/// What became of a line.
#[derive(PartialEq, Eq)]
enum Line {
    Written,
    /// It belongs to what follows.
    Held,
    /// It is written, and what is looked for has changed.
    Command,
}

impl Filter {
    /// A filter at the start of a stream.
    pub fn new(engine: Arc<Engine>) -> Filter {
        Filter {
            engine,
            settler: Settler::default(),
            epoch: 0,
            line_buffers: None,
            ahead: Ahead::default(),
            tally: Tally::default(),
            output: Output::default(),
            carry: Carry::default(),
            left: Carry::default(),
            encoding: Encoding::Bytes,
            begun: false,
            window: Vec::new(),
            written: 0,
            records: 0,
            record_bytes: 0,
            open: [false; 3],
            swallowing: None,
            reported: 0,
            stopped: None,
            twin: false,
        }
    }

    /// Takes the next bytes of the stream. Returns what can be written now; most of it is part of
    /// `bytes`, which is not copied.
    pub fn push<'a>(&'a mut self, bytes: &'a [u8]) -> Clean<'a> {
        self.follow();
        self.output.start(bytes);
        self.tally.bytes_in(bytes.len());
        self.take(bytes);
        self.emit(bytes)
    }

    /// Writes what nothing that may follow can change: called when no byte has come for a while.
    pub fn idle(&mut self) -> Clean<'_> {
        self.follow();
        self.output.start(&[]);
        if self.begun && !self.window.is_empty() {
            let safe = self.settle_safe();
            let command = self.follows_commands() && commands::may_tell(&self.window[self.record_bytes..]);
            self.write_window(if command { safe.min(self.record_bytes) } else { safe });
        }
        self.emit(&[])
    }

    /// Ends the stream: what is held is scanned as it is, and written.
    pub fn finish(&mut self) -> Clean<'_> {
        self.follow();
        self.output.start(&[]);
        if !self.window.is_empty() {
            self.begun = true;
            let mut unseen = self.carry.unseen;
            if self.encoding == Encoding::Bytes {
                unseen = unseen.behind(&self.window);
            }
            match self.command_in(&self.window[self.record_bytes..]) {
                Some(command) => self.end_with_command(self.record_bytes, command),
                None => {
                    self.settle_window(End::Input);
                    self.close_window();
                }
            }
            self.tally.end();
            self.carry.unseen = unseen;
        }
        self.left = std::mem::take(&mut self.carry);
        self.emit(&[])
    }

    /// What was found since the last call, in the order of the stream.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.tally.take_findings()
    }

    /// Counts of the stream so far.
    pub fn stats(&self) -> &Stats {
        self.tally.stats()
    }

    /// Whether bytes are held that [`Filter::idle`] may write.
    pub fn held(&self) -> bool {
        self.window.len() > self.written
    }

    /// How many bytes are held, to be withheld when the filter fails.
    pub fn held_bytes(&self) -> u64 {
        (self.window.len() - self.written) as u64
    }

    /// Looks for the values that are known by now: what is held is not written yet.
    fn follow(&mut self) {
        let known = &self.engine.options().known;
        let epoch = known.epoch();
        if epoch != self.epoch {
            self.epoch = epoch;
            self.settler.know(known.current());
        }
    }

    fn emit<'a>(&'a mut self, bytes: &'a [u8]) -> Clean<'a> {
        let clean = self.output.clean(bytes);
        self.tally.bytes_out(clean.len());
        clean
    }

    /// Distributes bytes to lines and window.
    fn take(&mut self, mut bytes: &[u8]) {
        self.ahead.forget();
        if !self.begun && self.window.is_empty() && bytes.len() >= 2 {
            // The usual case: the first line need not go through the window.
            self.begun = true;
            self.encoding = Encoding::of_mark(bytes);
        }
        if !self.begun {
            // A byte order mark has two bytes, and they may come one by one.
            let need = 2usize.saturating_sub(self.window.len()).min(bytes.len());
            self.window.extend_from_slice(&bytes[..need]);
            bytes = &bytes[need..];
            if matches!(self.window.as_slice(), [] | [0xfe | 0xff]) {
                return;
            }
            self.begun = true;
            self.encoding = Encoding::of_mark(&self.window);
            let start = std::mem::take(&mut self.window);
            self.take(&start);
            self.ahead.forget();
        }
        while !bytes.is_empty() {
            bytes = self.step(bytes);
        }
    }

    /// Takes some of the bytes; returns the others.
    fn step<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        if let Some(terminator) = &mut self.swallowing {
            let end = terminator.find(bytes);
            let gone = &bytes[..end.unwrap_or(bytes.len())];
            self.tally.advance(gone, self.encoding);
            if end.is_some() {
                self.swallowing = None;
            }
            return &bytes[gone.len()..];
        }
        // A line that is longer than the bound is cut in the window, whatever it holds.
        let near = &bytes[..bytes.len().min(LINE_BYTES_MAX)];
        if self.window.is_empty()
            && self.encoding == Encoding::Bytes
            && let Some(last) = memchr::memrchr(b'\n', near)
        {
            let consumed = self.lines(&bytes[..=last], bytes.len() - last);
            if consumed > 0 {
                return &bytes[consumed..];
            }
        }
        self.grow(bytes)
    }

    /// Scans one whole line, unless it is a record whose line goes on.
    fn line(&mut self, line: &[u8]) -> Line {
        if matches!(is_partial(line), Some((_, true))) {
            return Line::Held;
        }
        if let Some(command) = self.command_in(line) {
            if self.twin {
                return Line::Held;
            }
            self.command(line, 0, command);
            return Line::Command;
        }
        if self.wraps(line) {
            return Line::Held;
        }
        let mut carry = self.carry.clone();
        self.settler.settle(&self.engine, line, self.encoding, End::Line, &mut carry);
        if self.settler.held_from().is_some() {
            return Line::Held;
        }
        self.carry = carry;
        self.output.settled(self.settler.part(&self.engine, line, 0, line.len()));
        self.tally.report(&self.engine, &self.settler, line, 0..line.len(), self.encoding);
        self.tally.advance(line, self.encoding);
        Line::Written
    }

    /// Whether a known value, or a text in base64, may go on in the line behind these.
    fn wraps(&self, lines: &[u8]) -> bool {
        self.known_goes_on(lines)
            || self.encoding == Encoding::Bytes
                && (wrap::reads_on(lines) || wrap::goes_on_softly(lines, self.engine.masker()))
    }

    fn known_goes_on(&self, lines: &[u8]) -> bool {
        let start = memchr::memrchr(b'\n', &lines[..lines.len() - 1]).map_or(0, |end| end + 1);
        let (line, known) = (&lines[start..], self.settler.known());
        let width = Some(self.engine.options().known.broken(self.engine.masker()));
        !known.is_empty() && if start > 0 { wrap::wraps(line, width) } else { wrap::may_begin(known, line, width) }
    }

    /// Appends bytes to the window, up to a line end or the bound, and scans it if it is due.
    fn grow<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let before = self.window.len();
        let room = LINE_BYTES_MAX - before;
        let take = match self.encoding {
            Encoding::Bytes => memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1),
            // The code units of the window and of the bytes may not be aligned to each other.
            _ => bytes.len().min(2 - before % 2),
        }
        .min(room);
        self.window.extend_from_slice(&bytes[..take]);
        let line_from = self.record_bytes;
        let searched = if self.encoding == Encoding::Bytes { before.max(line_from) } else { before & !1 };
        if self.encoding.line_end(&self.window, searched) == Some(self.window.len()) {
            self.line_done();
        } else if self.window.len() >= LINE_BYTES_MAX {
            self.force();
        }
        &bytes[take..]
    }

    /// The window ends with a line end.
    fn line_done(&mut self) {
        if self.encoding == Encoding::Bytes {
            let start = self.record_bytes;
            if let Some(command) = self.command_in(&self.window[start..]) {
                return self.end_with_command(start, command);
            }
            if let Some((stream, partial)) = is_partial(&self.window[start..]) {
                self.open[usize::from(stream.min(2))] = partial;
            }
            self.records += 1;
            self.record_bytes = self.window.len();
            let within = self.records < PARTIAL_RECORDS_MAX && self.window.len() < PARTIAL_BYTES_MAX;
            if !self.open.contains(&true) && !self.wraps(&self.window) {
                if self.records == 1 && self.written == 0 && self.carry.is_empty() && self.window_passes() {
                    return;
                }
                let mut carry = self.carry.clone();
                self.settler.settle(&self.engine, &self.window, self.encoding, End::Line, &mut carry);
                if self.settler.held_from().is_none() {
                    self.carry = carry;
                    return self.close_window();
                }
            }
            if !within {
                self.force();
            }
            return;
        }
        self.settle_window(End::Line);
        self.close_window();
    }

    /// Writes the window, a whole line, if nothing is in it: a line need not be scanned because it
    /// came in two pieces.
    fn window_passes(&mut self) -> bool {
        let mut buffers = self.line_buffers.take().unwrap_or_default();
        let mut ahead = Ahead::default();
        let first = Stretches::new(&self.engine, self.settler.known(), &self.window, &mut buffers, &mut ahead).next();
        self.line_buffers = Some(buffers);
        let Some(Stretch::Passed(passed)) = first else { return false };
        if passed.as_bytes().len() < self.window.len() {
            return false;
        }
        self.tally.advance(passed.as_bytes(), Encoding::Bytes);
        self.output.pass(passed);
        self.forget_window();
        true
    }

    /// Writes the window, which is settled, to its end, and starts anew.
    fn close_window(&mut self) {
        self.write_window(self.window.len());
        self.report_window(self.window.len());
        self.tally.advance(&self.window, self.encoding);
        self.forget_window();
    }

    /// Reports the secrets of the window that begin before `to` and were not reported yet.
    fn report_window(&mut self, to: usize) {
        let range = self.reported.min(to)..to;
        self.tally.report(&self.engine, &self.settler, &self.window, range, self.encoding);
        self.reported = to;
    }

    fn forget_window(&mut self) {
        self.window.clear();
        self.written = 0;
        self.records = 0;
        self.record_bytes = 0;
        self.open = [false; 3];
        self.reported = 0;
    }

    fn settle_window(&mut self, end: End) {
        self.settle_beginning(self.window.len(), end);
    }

    /// Scans the window's first `to` bytes.
    fn settle_beginning(&mut self, to: usize, end: End) {
        let beginning = &self.window[..to];
        // The beginning of a line says nothing about the next one yet.
        let mut trial = self.carry.clone();
        let open = end == End::Open;
        let carry = if open { &mut trial } else { &mut self.carry };
        self.settler.settle(&self.engine, beginning, self.encoding, end, carry);
        let options = self.engine.options();
        // Where nothing is masked, and nobody types, what was written was reported.
        if options.mode == Mode::Redact || options.interactive {
            self.settler.begin_after(&self.engine, beginning, self.encoding, self.written);
        }
    }

    /// Writes the window up to `to`.
    fn write_window(&mut self, to: usize) {
        if to <= self.written && to < self.window.len() {
            return;
        }
        let from = self.written.min(to);
        self.output.settled(self.settler.part(&self.engine, &self.window, from, to));
        self.written = to;
    }

    /// The window is at its bound: writes what can be written, masks what cannot wait, and keeps
    /// as much as may matter to what follows.
    fn force(&mut self) {
        self.settle_window(End::Open);
        let command = self.follows_commands() && self.stopped.is_none();
        if command && commands::may_tell(&self.window[self.record_bytes..]) {
            // The value is too long to be masked elsewhere; here it is.
            return self.swallow(self.written.max(self.record_bytes));
        }
        let length = self.window.len();
        // Records are small if there are many of them: then half of them stays.
        let target = if length > 2 * OVERLAP_BYTES { length - OVERLAP_BYTES } else { length / 2 };
        let keep = cut::place(&self.window, target, self.records > 0, self.encoding);
        let mut safe = self.settler.safe(&self.window);
        if safe < keep {
            if self.engine.options().mode == Mode::Redact {
                return self.swallow(safe);
            }
            safe = length;
        }
        self.write_window(safe);
        self.report_window(safe);
        if self.window[..keep].ends_with(b"\n") && self.encoding == Encoding::Bytes {
            // Whole records go: what they say about the next ones, an open key block, goes on.
            let gone = &self.window[..keep];
            self.settler.settle(&self.engine, gone, self.encoding, End::Line, &mut self.carry);
        } else {
            self.carry.enter_line(cut::in_string(&self.window[..keep], self.carry.in_string));
        }
        self.tally.advance(&self.window[..keep], self.encoding);
        self.window.drain(..keep);
        self.written -= keep;
        self.reported -= keep;
        self.record_bytes = self.record_bytes.saturating_sub(keep);
        self.records = memchr::memchr_iter(b'\n', &self.window).count();
    }

    /// A value that begins at `start` is longer than what may be held: it is masked, and thrown
    /// away up to its end, wherever that is.
    fn swallow(&mut self, start: usize) {
        self.write_window(start);
        self.report_window(start);
        self.swallowing = Some(cut::Terminator::of(&self.window, start, self.encoding));
        self.output.ceiling(&self.engine, &self.window[start..], self.encoding);
        self.tally.ceiling();
        self.tally.advance(&self.window, self.encoding);
        self.forget_window();
        self.carry.enter_line(false);
    }
}
