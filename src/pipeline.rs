//! Connects a source to a filter and the filter to a sink. The only place with threads, channels
//! and clocks between the two. Does not look at bytes.
//!
//! One thread reads, filters and writes, as long as reading and writing take most of its time: the
//! filter is about as fast as a pipe, and handing bytes from core to core costs as much as scanning
//! them. Where the filter takes longer, and there is a second core, three kinds of threads share the
//! work over bounded channels: one reader, some scanners, one writer. The reader cuts blocks at line
//! ends; scanners scan blocks as if nothing were carried into them; the writer takes their results
//! over in order where that was true, and scans the block again where it was not. So the output is
//! the same.

mod parallel;
pub mod signals;

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    filter::{Block, Filter, Stats},
    finding::Finding,
    limits::{PARALLEL_BYTES, READ_BYTES, SCANNERS_MAX},
    redact::Clean,
    scan::Engine,
    service::{Cause, Meter, Metrics, SourceKind},
    sink::Sink,
    source::{Readiness, Source},
};

/// What happens after an internal error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The rest of the stream is thrown away, and said to be; the input is read to its end.
    Withhold,
    /// The output stops before what was not scanned.
    #[default]
    Stop,
    /// The rest of the stream passes unscanned: for those who prefer a leak to a gap.
    Pass,
}

/// How a pipeline runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many threads scan large inputs; 0 for as many as there are cores, where that pays; 1 for no
    /// threads at all.
    pub jobs: usize,
    /// How long a byte is held at most before what is certain is written.
    pub flush_after: Duration,
    /// What happens after an internal error.
    pub on_error: OnError,
    /// Where it is counted what happens, and what kind of stream this is.
    pub metrics: Option<(Arc<Metrics>, SourceKind)>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { jobs: 0, flush_after: Duration::from_millis(50), on_error: OnError::Stop, metrics: None }
    }
}

/// Why a pipeline ended before its input did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PipelineError {
    /// The input cannot be read.
    #[error("reading: {0}")]
    Read(io::ErrorKind),
    /// The output cannot be written.
    #[error("writing: {0}")]
    Write(io::ErrorKind),
    /// Whoever reads the output has gone.
    #[error("the output is closed")]
    ClosedOutput,
    /// The filter failed; nothing unscanned was written.
    #[error("internal error in {stage}")]
    Internal {
        /// Where.
        stage: &'static str,
    },
}

/// What share of the time, one in so many, is spent on looking at lines that are not whole.
const LOOK_SHARE: u32 = 8;

/// Filters a source to its end into a sink.
///
/// # Errors
/// See [`PipelineError`]. Whatever the error, only clean bytes were written (unless the user chose
/// [`OnError::Pass`]).
pub fn run(
    engine: &Arc<Engine>,
    source: Source,
    sink: &mut dyn Sink,
    on_finding: &mut dyn FnMut(Finding),
    settings: &Settings,
) -> Result<Stats, PipelineError> {
    let ended = filter(engine, source, sink, on_finding, settings);
    if let (Err(fault), Some((metrics, _))) = (&ended, &settings.metrics) {
        match fault {
            PipelineError::Read(_) => metrics.error(Cause::Read),
            PipelineError::Write(_) => metrics.error(Cause::Write),
            // Counted where it happened.
            PipelineError::Internal { .. } | PipelineError::ClosedOutput => {}
        }
    }
    ended
}

fn filter(
    engine: &Arc<Engine>,
    source: Source,
    sink: &mut dyn Sink,
    on_finding: &mut dyn FnMut(Finding),
    settings: &Settings,
) -> Result<Stats, PipelineError> {
    // Asking how many cores there are takes longer than most inputs.
    let mut jobs = (settings.jobs > 0).then_some(settings.jobs);
    source.enlarge();
    let mut writer = Writer::new(engine, sink, on_finding, settings);
    let mut input = Input { source, flush_after: settings.flush_after, over: None };
    let mut buffer = vec![0; READ_BYTES];
    let mut load = Load::new();
    loop {
        match input.next(&mut buffer, writer.due())? {
            Event::Bytes(length) => {
                writer.push(&buffer[..length])?;
                let Some(share) = load.share(length, writer.busy) else { continue };
                if settings.jobs > 0 || share > PARALLEL_SHARE {
                    let jobs = *jobs.get_or_insert_with(scanners);
                    if jobs > 1 {
                        drop(buffer);
                        parallel::run(engine, input, &mut writer, jobs)?;
                        break;
                    }
                }
            }
            Event::Quiet => writer.idle()?,
            Event::End => break,
        }
    }
    writer.finish()
}

/// How many threads can scan: as many as there are cores on which this process may run.
fn scanners() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(SCANNERS_MAX)
}

/// What share of the time must go to the filter before threads pay. Measured on two cores: at 0.7
/// (from a file to nowhere) they save a quarter of the time and cost a quarter more of the processor's;
/// at 0.5 (between two pipes) they save hardly anything.
const PARALLEL_SHARE: f64 = 0.5;

/// Measures what share of the time the filter takes.
struct Load {
    since: Instant,
    busy: Duration,
    bytes: usize,
}

impl Load {
    fn new() -> Load {
        Load { since: Instant::now(), busy: Duration::ZERO, bytes: 0 }
    }

    /// Counts bytes. `busy` is the time that the filter has taken so far. Tells its share in the time
    /// of the last [`PARALLEL_BYTES`], when so many have come.
    fn share(&mut self, bytes: usize, busy: Duration) -> Option<f64> {
        self.bytes += bytes;
        if self.bytes < PARALLEL_BYTES {
            return None;
        }
        let share = (busy - self.busy).as_secs_f64() / self.since.elapsed().as_secs_f64();
        *self = Load { busy, ..Load::new() };
        Some(share)
    }
}

/// Something that happened on the input.
enum Event {
    /// So many bytes were read.
    Bytes(usize),
    /// Nothing came until the time was over.
    Quiet,
    /// The input is at its end, or is to be taken as it is.
    End,
}

/// A source, with signals and time.
struct Input<'a> {
    source: Source,
    flush_after: Duration,
    /// Set when nobody waits for the bytes any more.
    over: Option<&'a AtomicBool>,
}

/// How much later than asked for a line is looked at that goes on and on.
const LATE: Duration = Duration::from_secs(1);

/// How often a reader on a thread of its own looks whether anybody waits for it.
const OVER_CHECK: Duration = Duration::from_millis(100);

impl Input<'_> {
    /// Waits for bytes, until `due` at the latest, and reads them.
    fn next(&mut self, buffer: &mut [u8], due: Option<Instant>) -> Result<Event, PipelineError> {
        loop {
            let over = self.over.is_some_and(|over| over.load(Ordering::Relaxed));
            if over {
                return Ok(Event::End);
            }
            let deadline = signals::deadline();
            let draining = deadline.is_some();
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Ok(Event::End);
            }
            // A reader on a thread of its own takes what is there first: looking at a line that is
            // not whole is worth the time only where nothing else is to be done.
            let late = if self.over.is_some() { LATE } else { Duration::ZERO };
            if due.is_some_and(|due| due + late <= now) {
                return Ok(Event::Quiet);
            }
            // After SIGTERM what has arrived is taken, and no more is waited for.
            let wait = due.map(|due| due.saturating_duration_since(now));
            let wait =
                if self.over.is_some() { Some(wait.map_or(OVER_CHECK, |wait| wait.min(OVER_CHECK))) } else { wait };
            let timeout = if draining { Some(Duration::ZERO) } else { wait };
            let fault = |fault: io::Error| PipelineError::Read(fault.kind());
            match self.source.wait(timeout, signals::wake()).map_err(fault)? {
                Readiness::Ready => match self.source.read(buffer) {
                    Ok(0) => return Ok(Event::End),
                    Ok(length) => return Ok(Event::Bytes(length)),
                    // Somebody else may have read what was there, if the input is shared.
                    Err(blocked) if blocked.kind() == io::ErrorKind::WouldBlock => {}
                    Err(other) => return Err(fault(other)),
                },
                Readiness::TimedOut if draining => return Ok(Event::End),
                Readiness::TimedOut if due.is_some_and(|due| due <= Instant::now()) => return Ok(Event::Quiet),
                Readiness::TimedOut => {}
                Readiness::Interrupted => signals::acknowledge(),
            }
        }
    }
}

/// The filter, the sink, and what stands between them: time, errors, findings.
struct Writer<'a> {
    filter: Filter,
    sink: &'a mut dyn Sink,
    on_finding: &'a mut dyn FnMut(Finding),
    flush_after: Duration,
    on_error: OnError,
    meter: Option<Meter>,
    /// When the oldest byte that is held came, unless it was looked at since.
    held_since: Option<Instant>,
    /// How long the last look at held bytes took: a long line is not looked at all the time.
    look: Duration,
    /// How long the filter has worked on what came.
    busy: Duration,
    /// How many bytes were withheld, once the filter has failed.
    failed: Option<u64>,
}

impl<'a> Writer<'a> {
    fn new(
        engine: &Arc<Engine>,
        sink: &'a mut dyn Sink,
        on_finding: &'a mut dyn FnMut(Finding),
        settings: &Settings,
    ) -> Writer<'a> {
        Writer {
            filter: Filter::new(Arc::clone(engine)),
            sink,
            on_finding,
            flush_after: settings.flush_after,
            on_error: settings.on_error,
            meter: settings.metrics.as_ref().map(|(metrics, source)| Meter::new(metrics, *source)),
            held_since: None,
            look: Duration::ZERO,
            busy: Duration::ZERO,
            failed: None,
        }
    }

    /// When held bytes are to be looked at.
    fn due(&self) -> Option<Instant> {
        self.held_since.map(|since| since + self.flush_after.max(LOOK_SHARE * self.look))
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), PipelineError> {
        if self.failed.is_some() {
            return self.unscanned(bytes);
        }
        let held = self.filter.held_bytes();
        self.guarded(bytes, Filter::push)?;
        if !self.filter.held() {
            self.held_since = None;
        } else if self.held_since.is_none() || self.filter.held_bytes() < held {
            self.held_since = Some(Instant::now());
        }
        Ok(())
    }

    fn idle(&mut self) -> Result<(), PipelineError> {
        self.held_since = None;
        if self.failed.is_some() {
            return Ok(());
        }
        let started = Instant::now();
        let done = self.guarded(&[], |filter, _| filter.idle());
        self.look = started.elapsed();
        done
    }

    /// Takes over a block that a scanner has looked at; `bytes` is the block.
    fn adopt(&mut self, block: &mut Block, bytes: &[u8]) -> Result<(), PipelineError> {
        if self.failed.is_some() || !self.filter.can_adopt(block) {
            return self.push(bytes);
        }
        self.guarded(bytes, |filter, bytes| filter.adopt(block, bytes))
    }

    fn finish(mut self) -> Result<Stats, PipelineError> {
        if self.failed.is_none() {
            self.guarded(&[], |filter, _| filter.finish())?;
        }
        let mut stats = self.filter.stats().clone();
        if let Some(withheld) = self.failed {
            stats.withheld = withheld;
            if self.on_error == OnError::Withhold {
                let mut output = crate::redact::Output::default();
                output.withheld(withheld);
                write(self.sink, output.clean(&[]))?;
            }
        }
        Ok(stats)
    }

    /// Lets the filter work and writes what it gives. A panic in it never lets a byte through.
    fn guarded(
        &mut self,
        bytes: &[u8],
        work: impl for<'w> FnOnce(&'w mut Filter, &'w [u8]) -> Clean<'w>,
    ) -> Result<(), PipelineError> {
        let Writer { filter, sink, meter, .. } = self;
        let held = filter.held_bytes();
        let started = Instant::now();
        let at_work = meter.as_ref().map(Meter::works);
        let done = catch_unwind(AssertUnwindSafe(|| work(filter, bytes)));
        drop(at_work);
        let took = started.elapsed();
        self.busy += took;
        match done {
            Ok(clean) => {
                write(*sink, clean)?;
                let findings = self.filter.take_findings();
                if let Some(meter) = &mut self.meter {
                    meter.update(self.filter.stats(), self.filter.held_bytes(), took);
                    findings.iter().for_each(|finding| meter.found(finding));
                }
                findings.into_iter().for_each(&mut *self.on_finding);
                Ok(())
            }
            Err(_) => self.fail(held, bytes),
        }
    }

    fn fail(&mut self, held: u64, bytes: &[u8]) -> Result<(), PipelineError> {
        if let Some(meter) = &self.meter {
            meter.metrics().error(Cause::Internal);
            meter.metrics().withheld_bytes.add(held);
        }
        if self.on_error == OnError::Stop {
            return Err(PipelineError::Internal { stage: "the filter" });
        }
        self.failed = Some(held);
        self.unscanned(bytes)
    }

    /// What becomes of bytes after the filter has failed.
    fn unscanned(&mut self, bytes: &[u8]) -> Result<(), PipelineError> {
        if let Some(withheld) = &mut self.failed {
            *withheld += bytes.len() as u64;
        }
        if let Some(meter) = &self.meter {
            meter.metrics().withheld_bytes.add(bytes.len() as u64);
        }
        if self.on_error == OnError::Pass {
            let mut output = crate::redact::Output::default();
            output.start(bytes);
            output.unscanned_by_choice(bytes);
            write(self.sink, output.clean(bytes))?;
        }
        Ok(())
    }
}

fn write(sink: &mut dyn Sink, clean: Clean<'_>) -> Result<(), PipelineError> {
    if clean.is_empty() {
        return Ok(());
    }
    sink.write(clean).map_err(|fault| match fault.kind() {
        io::ErrorKind::BrokenPipe => PipelineError::ClosedOutput,
        kind => PipelineError::Write(kind),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RuleSet, scan::Options};

    /// What is written when the filter fails on `secret` in the middle of a stream, and how it ends.
    fn after_a_panic(on_error: OnError) -> (Vec<u8>, Result<Stats, PipelineError>) {
        let engine = Arc::new(Engine::new(RuleSet::builtin().unwrap(), Options::default()).unwrap());
        let settings = Settings { on_error, ..Settings::default() };
        let (mut output, mut ignore) = (Vec::new(), |_| {});
        let mut writer = Writer::new(&engine, &mut output, &mut ignore, &settings);
        writer.push(b"before\nheld").unwrap();
        let ended = writer
            .guarded(b"secret", |_, _| panic!("a stage has failed"))
            .and_then(|()| writer.push(b" more\n"))
            .and_then(|()| writer.finish());
        (output, ended)
    }

    #[test]
    fn a_panic_stops_the_output_before_what_was_not_scanned() {
        let (output, ended) = after_a_panic(OnError::Stop);
        assert_eq!(output, b"before\n");
        assert_eq!(ended.unwrap_err(), PipelineError::Internal { stage: "the filter" });
    }

    #[test]
    fn a_panic_withholds_the_rest_and_says_how_much() {
        let (output, ended) = after_a_panic(OnError::Withhold);
        assert_eq!(output, b"before\n[REDACTED:unscanned 16 bytes]\n");
        assert_eq!(ended.unwrap().withheld, 16);
    }

    #[test]
    fn a_panic_lets_the_rest_pass_only_where_the_user_has_chosen_that() {
        let (output, ended) = after_a_panic(OnError::Pass);
        assert_eq!(output, b"before\nsecret more\n");
        assert!(ended.is_ok());
    }
}
