//! Spreads the scanning of a large input over threads. Does not change the output: what a scanner
//! guessed wrong, the writer scans again.

use std::{
    collections::BTreeMap,
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
    limits::{BLOCKS_IN_FLIGHT, READ_BYTES},
    scan::Engine,
};

/// A step of the stream, in order.
struct Step {
    number: u64,
    what: What,
}

enum What {
    /// Whole lines, and what a scanner found in them; nothing if it failed.
    Scanned(Vec<u8>, Option<Box<Block>>),
    /// Bytes that belong to a line that is not whole in one block.
    Bytes(Vec<u8>),
    /// No bytes came for a while.
    Quiet,
    /// The end of the input, or why it cannot be read.
    End(Result<(), PipelineError>),
}

/// A block to be scanned.
struct Work {
    number: u64,
    block: Vec<u8>,
}

/// Takes over an input in the middle of a stream and filters it to its end.
pub(super) fn run(
    engine: &Arc<Engine>,
    input: Input<'_>,
    writer: &mut Writer<'_>,
    jobs: usize,
) -> Result<(), PipelineError> {
    let (work_in, work_out) = bounded::<Work>(BLOCKS_IN_FLIGHT);
    let (steps_in, steps_out) = bounded::<Step>(BLOCKS_IN_FLIGHT);
    // Buffers go round; when all are under way the reader waits for the writer.
    let (spare_in, spare_out) = bounded::<Vec<u8>>(BLOCKS_IN_FLIGHT + jobs);
    for _ in 0..BLOCKS_IN_FLIGHT + jobs {
        // The channel has room for exactly these.
        let _ = spare_in.send(Vec::new());
    }
    let mid_line = writer.filter.held();
    let over = AtomicBool::new(false);
    let mut input = Input { over: Some(&over), ..input };
    let input = &mut input;
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (work, steps, engine) = (work_out.clone(), steps_in.clone(), Arc::clone(engine));
            scope.spawn(move || scanner(engine, &work, &steps));
        }
        drop(work_out);
        let reader = Reader {
            input,
            work: work_in,
            steps: steps_in,
            spare: spare_out,
            number: 0,
            rest: Vec::new(),
            mid_line,
            since: None,
        };
        scope.spawn(move || reader.run());
        // The ends of the channels go with the call: reader and scanners fail to send, and end.
        let result = write_in_order(writer, steps_out, spare_in);
        over.store(true, Ordering::Relaxed);
        result
    })
}

fn scanner(engine: Arc<Engine>, work: &Receiver<Work>, steps: &Sender<Step>) {
    let mut filter = Filter::new(Arc::clone(&engine));
    for Work { number, block } in work {
        let done = catch_unwind(AssertUnwindSafe(|| filter.scan_block(&block)));
        if done.is_err() {
            // What the failed one has counted so far belongs to no block.
            filter = Filter::new(Arc::clone(&engine));
        }
        let what = What::Scanned(block, done.ok().map(Box::new));
        if steps.send(Step { number, what }).is_err() {
            return;
        }
    }
}

fn write_in_order(writer: &mut Writer<'_>, steps: Receiver<Step>, spare: Sender<Vec<u8>>) -> Result<(), PipelineError> {
    let mut early: BTreeMap<u64, What> = BTreeMap::new();
    let mut next = 0;
    for step in &steps {
        early.insert(step.number, step.what);
        while let Some(what) = early.remove(&next) {
            next += 1;
            let spent = match what {
                What::Scanned(bytes, Some(block)) => {
                    writer.adopt(*block, &bytes)?;
                    bytes
                }
                // The writer's own filter meets the same fault, and acts on it.
                What::Scanned(bytes, None) | What::Bytes(bytes) => {
                    writer.push(&bytes)?;
                    bytes
                }
                What::Quiet => {
                    writer.idle()?;
                    continue;
                }
                What::End(result) => return result,
            };
            // The pieces of long lines are buffers beyond those that go round: they are dropped, as
            // all are when the reader has ended. To wait here could be to wait for ever.
            let _ = spare.try_send(spent);
        }
    }
    Err(PipelineError::Internal { stage: "the reader" })
}

/// The thread that reads.
struct Reader<'a> {
    input: &'a mut Input<'a>,
    work: Sender<Work>,
    steps: Sender<Step>,
    spare: Receiver<Vec<u8>>,
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
        let result = self.read_all();
        if let Ok(result) = result {
            let number = self.number;
            let _ = self.steps.send(Step { number, what: What::End(result) });
        }
    }

    fn read_all(&mut self) -> Result<Result<(), PipelineError>, Gone> {
        loop {
            let mut buffer = self.spare.recv().map_err(|_| Gone)?;
            buffer.clear();
            buffer.extend_from_slice(&self.rest);
            let kept = buffer.len();
            self.rest.clear();
            buffer.resize(kept + READ_BYTES, 0);
            let due = self.since.map(|since| since + self.input.flush_after);
            let event = self.input.next(&mut buffer[kept..], due);
            buffer.truncate(kept + if let Ok(Event::Bytes(length)) = event { length } else { 0 });
            match event {
                Ok(Event::Bytes(_)) => self.bytes(buffer)?,
                Ok(Event::Quiet) => {
                    self.since = None;
                    self.mid_line |= !buffer.is_empty();
                    self.send(What::Bytes(buffer))?;
                    self.send(What::Quiet)?;
                }
                Ok(Event::End) => {
                    self.send(What::Bytes(buffer))?;
                    return Ok(Ok(()));
                }
                Err(fault) => {
                    self.send(What::Bytes(buffer))?;
                    return Ok(Err(fault));
                }
            }
        }
    }

    /// Sends whole lines to the scanners, and what belongs to other lines to the writer.
    fn bytes(&mut self, mut buffer: Vec<u8>) -> Result<(), Gone> {
        if self.mid_line {
            let Some(end) = memchr::memchr(b'\n', &buffer) else {
                self.since.get_or_insert_with(Instant::now);
                return self.send(What::Bytes(buffer));
            };
            self.send(What::Bytes(buffer[..=end].to_vec()))?;
            buffer.drain(..=end);
            self.mid_line = false;
        }
        let Some(last) = memchr::memrchr(b'\n', &buffer) else {
            // A line longer than a block: the writer has the beginning from here on.
            self.since.get_or_insert_with(Instant::now);
            self.mid_line |= !buffer.is_empty();
            return self.send(What::Bytes(buffer));
        };
        self.rest.extend_from_slice(&buffer[last + 1..]);
        // A line that stays open may be a container's: the writer may hold what came before it.
        self.since = Some(Instant::now());
        buffer.truncate(last + 1);
        let number = self.number;
        self.number += 1;
        self.work.send(Work { number, block: buffer }).map_err(|_| Gone)
    }

    fn send(&mut self, what: What) -> Result<(), Gone> {
        let number = self.number;
        self.number += 1;
        self.steps.send(Step { number, what }).map_err(|_| Gone)
    }
}
