//! Spreads the scanning of a large input over threads. Does not change the output: what a scanner
//! guessed wrong, the writer scans again.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{Event, Input, PipelineError, Writer};
use crate::{
    filter::{Block, Filter},
    limits::{BATCHES_WAITING, READ_BYTES},
    scan::Engine,
    service::Pulse,
};

/// What one read brought, on its way from the reader to the writer and back again. Its memory is
/// used from round to round.
struct Batch {
    /// Its place in the order of the stream.
    number: u64,
    /// As long as the longest batch; only the first `filled` bytes are of the stream.
    bytes: Vec<u8>,
    /// Up to here the bytes belong to a line that began in an earlier batch.
    head: usize,
    /// From `head` up to here there are whole lines.
    filled: usize,
    /// What a scanner made of the whole lines.
    block: Block,
    /// Whether a scanner has looked at them, and did not fail.
    scanned: bool,
    then: Then,
}

/// What comes after the bytes of a batch.
enum Then {
    /// The next batch.
    More,
    /// No byte for a while.
    Quiet,
    /// The end of the input, or why it cannot be read.
    End(Result<(), PipelineError>),
}

impl Batch {
    fn new() -> Batch {
        Batch {
            number: 0,
            // The rest of one read, which is less than a whole one, and another read.
            bytes: vec![0; 2 * READ_BYTES],
            head: 0,
            filled: 0,
            block: Block::default(),
            scanned: false,
            then: Then::More,
        }
    }
}

/// Takes over an input in the middle of a stream and filters it to its end.
pub(super) fn run(
    engine: &Arc<Engine>,
    input: Input<'_>,
    writer: &mut Writer<'_>,
    jobs: usize,
) -> Result<(), PipelineError> {
    // Batches go round; when all are under way the reader waits for the writer. Each channel has
    // room for all of them, so nobody else waits to send.
    let batches = jobs + BATCHES_WAITING;
    let (work_in, work_out) = bounded::<Batch>(batches);
    let (done_in, done_out) = bounded::<Batch>(batches);
    let (spare_in, spare_out) = bounded::<Batch>(batches);
    for _ in 0..batches {
        let _ = spare_in.send(Batch::new());
    }
    let mid_line = writer.filter.held();
    let over = AtomicBool::new(false);
    let mut input = Input { over: Some(&over), ..input };
    let input = &mut input;
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (work, done, engine) = (work_out.clone(), done_in.clone(), Arc::clone(engine));
            let pulse = writer.meter.as_ref().map(|meter| meter.metrics().pulses.begin());
            scope.spawn(move || scanner(engine, &work, &done, pulse));
        }
        drop(work_out);
        let reader = Reader {
            input,
            work: work_in,
            done: done_in,
            spare: spare_out,
            number: 0,
            rest: Vec::new(),
            mid_line,
            since: None,
        };
        scope.spawn(move || reader.run());
        // The ends of the channels go with the call: reader and scanners fail to send, and end.
        let result = write_in_order(writer, batches, done_out, spare_in);
        over.store(true, Ordering::Relaxed);
        result
    })
}

fn scanner(engine: Arc<Engine>, work: &Receiver<Batch>, done: &Sender<Batch>, pulse: Option<Pulse>) {
    let mut filter = Filter::new(Arc::clone(&engine));
    for mut batch in work {
        let Batch { bytes, head, filled, block, .. } = &mut batch;
        let lines = &bytes[*head..*filled];
        let at_work = pulse.as_ref().map(Pulse::works);
        batch.scanned = catch_unwind(AssertUnwindSafe(|| filter.scan_block(lines, block))).is_ok();
        drop(at_work);
        if !batch.scanned {
            // What the failed one has collected so far belongs to no block.
            filter = Filter::new(Arc::clone(&engine));
            batch.block = Block::default();
        }
        if done.send(batch).is_err() {
            return;
        }
    }
}

fn write_in_order(
    writer: &mut Writer<'_>,
    batches: usize,
    done: Receiver<Batch>,
    spare: Sender<Batch>,
) -> Result<(), PipelineError> {
    // No two batches that are under way have the same place.
    let mut early: Vec<Option<Batch>> = (0..batches).map(|_| None).collect();
    let place = |number: u64| (number % batches as u64) as usize;
    let mut next = 0;
    for batch in &done {
        if let Some(meter) = &writer.meter {
            meter.metrics().queue.set(done.len() as u64);
        }
        let at = place(batch.number);
        early[at] = Some(batch);
        while let Some(mut batch) = early[place(next)].take() {
            next += 1;
            let (head, lines) = batch.bytes[..batch.filled].split_at(batch.head);
            if !head.is_empty() {
                writer.push(head)?;
            }
            if batch.scanned {
                writer.adopt(&mut batch.block, lines)?;
            } else if !lines.is_empty() {
                // The writer's own filter meets the same fault, and acts on it.
                writer.push(lines)?;
            }
            match std::mem::replace(&mut batch.then, Then::More) {
                Then::More => {}
                Then::Quiet => writer.idle()?,
                Then::End(result) => return result,
            }
            // The channel has room; a reader that has ended needs no batch.
            let _ = spare.try_send(batch);
        }
    }
    Err(PipelineError::Internal { stage: "the reader" })
}

/// The thread that reads.
struct Reader<'a> {
    input: &'a mut Input<'a>,
    work: Sender<Batch>,
    done: Sender<Batch>,
    spare: Receiver<Batch>,
    number: u64,
    /// The beginning of a line whose end is not there yet.
    rest: Vec<u8>,
    /// Whether the writer has the beginning of the current line.
    mid_line: bool,
    /// When the oldest byte that was not written for want of a line end came.
    since: Option<Instant>,
}

/// The other threads have gone.
struct Gone;

impl Reader<'_> {
    fn run(mut self) {
        // Without the others there is nobody to tell.
        while let Ok(true) = self.batch() {}
    }

    /// Reads and sends one batch. Says whether there is more.
    fn batch(&mut self) -> Result<bool, Gone> {
        let mut batch = self.spare.recv().map_err(|_| Gone)?;
        let kept = self.rest.len();
        batch.bytes[..kept].copy_from_slice(&self.rest);
        self.rest.clear();
        let due = self.since.map(|since| since + self.input.flush_after);
        let event = self.input.next(&mut batch.bytes[kept..kept + READ_BYTES], due);
        batch.filled = kept;
        batch.then = Then::More;
        match event {
            Ok(Event::Bytes(length)) => {
                batch.filled += length;
                self.cut(&mut batch);
                return self.send(batch).map(|()| true);
            }
            Ok(Event::Quiet) => {
                self.since = None;
                self.mid_line |= kept > 0;
                batch.then = Then::Quiet;
            }
            Ok(Event::End) => batch.then = Then::End(Ok(())),
            Err(fault) => batch.then = Then::End(Err(fault)),
        }
        batch.head = batch.filled;
        let more = matches!(batch.then, Then::Quiet);
        self.send(batch).map(|()| more)
    }

    /// Keeps the beginning of a line for the next batch, unless the writer has to have it because it
    /// has what is before it, or because the line is longer than a batch.
    fn cut(&mut self, batch: &mut Batch) {
        let bytes = &batch.bytes[..batch.filled];
        let first = if self.mid_line { memchr::memchr(b'\n', bytes).map(|end| end + 1) } else { Some(0) };
        let last = memchr::memrchr(b'\n', bytes).map(|end| end + 1);
        let (Some(head), Some(end)) = (first, last) else {
            self.since.get_or_insert_with(Instant::now);
            self.mid_line = true;
            batch.head = batch.filled;
            return;
        };
        self.mid_line = false;
        self.rest.extend_from_slice(&bytes[end..]);
        // A line that stays open may be a container's: the writer may hold what came before it.
        self.since = Some(Instant::now());
        (batch.head, batch.filled) = (head, end);
    }

    fn send(&mut self, mut batch: Batch) -> Result<(), Gone> {
        batch.number = self.number;
        batch.scanned = false;
        self.number += 1;
        let to = if batch.head < batch.filled { &self.work } else { &self.done };
        to.send(batch).map_err(|_| Gone)
    }
}
