//! Runs the pipeline between a source and a sink that fail, or panic, at a chosen call. Does not judge the masking: what
//! leaves must be the beginning of what leaves when nothing fails.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use blackbar::{
    Engine,
    finding::Finding,
    pipeline::{self, OnError, PipelineError, Settings},
    redact::Clean,
    sink::Sink,
    source::Source,
};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call fails.
    Fails(io::ErrorKind),
    /// It takes or gives a few bytes only.
    Short,
    /// It takes a few bytes and fails.
    ShortAndFails(io::ErrorKind),
    /// It panics.
    Panics,
}

/// Where it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Reader,
    Writer,
    Findings,
}

/// A fault at one call of one stage.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub stage: Stage,
    pub call: usize,
    pub fault: Fault,
    pub on_error: OnError,
    pub jobs: usize,
    /// How many bytes a read brings.
    pub read: usize,
}

/// What has left the pipeline, and how it ended; `None` if by a panic.
pub struct Ended {
    pub output: Vec<u8>,
    pub findings: usize,
    pub result: Option<Result<(), PipelineError>>,
    /// Whether the call at which something was to go wrong was reached.
    pub reached: bool,
}

/// Runs it. The fault is at no call if the plan's number is past the last one.
pub fn run(engine: &Arc<Engine>, input: &[u8], plan: Plan) -> Ended {
    let calls = Arc::new(Mutex::new(0));
    let count = |stage: Stage| {
        let calls = Arc::clone(&calls);
        move || {
            // A call that panics does so without the lock.
            let mut calls = calls.lock().unwrap();
            *calls += usize::from(stage == plan.stage);
            (stage == plan.stage && *calls == plan.call + 1).then_some(plan.fault)
        }
    };
    let reader = Reader { rest: input.to_vec(), size: plan.read, next: Box::new(count(Stage::Reader)) };
    let output = Arc::new(Mutex::new(Vec::new()));
    let mut sink = Writer { output: Arc::clone(&output), next: Box::new(count(Stage::Writer)) };
    let (mut findings, found) = (0, count(Stage::Findings));
    let mut on_finding = |_: Finding| {
        if found().is_some() {
            panic!("the findings panic");
        }
        findings += 1;
    };
    let settings = Settings { jobs: plan.jobs, on_error: plan.on_error, ..Settings::default() };
    let result = catch_unwind(AssertUnwindSafe(|| {
        pipeline::run(engine, Source::reader(reader), &mut sink, &mut on_finding, &settings).map(|_| ())
    }));
    let output = output.lock().unwrap().clone();
    let reached = *calls.lock().unwrap() > plan.call;
    Ended { output, findings, result: result.ok(), reached }
}

type Next = Box<dyn FnMut() -> Option<Fault> + Send>;

/// How many bytes a short call takes.
const SHORT_BYTES: usize = 3;

struct Reader {
    rest: Vec<u8>,
    size: usize,
    next: Next,
}

impl io::Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = match (self.next)() {
            None => self.size,
            Some(Fault::Short) => SHORT_BYTES,
            Some(Fault::Fails(kind) | Fault::ShortAndFails(kind)) => return Err(kind.into()),
            Some(Fault::Panics) => panic!("the reader panics"),
        };
        let length = most.min(buffer.len()).min(self.rest.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest.drain(..length);
        Ok(length)
    }
}

struct Writer {
    output: Arc<Mutex<Vec<u8>>>,
    next: Next,
}

impl Sink for Writer {
    fn write(&mut self, clean: Clean<'_>) -> io::Result<()> {
        let bytes = clean.to_vec();
        let fault = (self.next)();
        let taken = match fault {
            None | Some(Fault::Short) => bytes.len(),
            Some(Fault::ShortAndFails(_) | Fault::Panics) => SHORT_BYTES.min(bytes.len()),
            Some(Fault::Fails(_)) => 0,
        };
        self.output.lock().unwrap().extend_from_slice(&bytes[..taken]);
        match fault {
            Some(Fault::Fails(kind) | Fault::ShortAndFails(kind)) => Err(kind.into()),
            Some(Fault::Panics) => panic!("the writer panics"),
            None | Some(Fault::Short) => Ok(()),
        }
    }
}

/// The fuzz target `stream`: whatever fails at whatever call, what has left is the beginning of what leaves when nothing
/// fails. Takes six bytes for the plan, and fragments of a log.
///
/// # Panics
/// If it is not.
pub fn stream(data: &[u8]) {
    let Some((plan, choices)) = data.split_first_chunk::<6>() else { return };
    let log = super::streams::glue(choices);
    let kinds = [
        io::ErrorKind::Interrupted,
        io::ErrorKind::WouldBlock,
        io::ErrorKind::StorageFull,
        io::ErrorKind::BrokenPipe,
        io::ErrorKind::Other,
    ];
    let kind = kinds[usize::from(plan[2]) % kinds.len()];
    let plan = Plan {
        stage: [Stage::Reader, Stage::Writer, Stage::Findings][usize::from(plan[0]) % 3],
        call: usize::from(plan[1]),
        fault: [Fault::Fails(kind), Fault::Short, Fault::ShortAndFails(kind)][usize::from(plan[3]) % 3],
        on_error: [OnError::Stop, OnError::Withhold][usize::from(plan[4]) % 2],
        jobs: 1,
        read: 1 + usize::from(plan[5]),
    };
    // A panic ends the fuzzer.
    let stage = if plan.stage == Stage::Findings { Stage::Writer } else { plan.stage };
    if let Err(wrong) = fails_well(&super::default_engine(), &log, Plan { stage, ..plan }) {
        panic!("{wrong}");
    }
}

/// Runs a pipeline that fails, and looks at what it has left.
///
/// # Errors
/// If that is not the beginning of the whole output, or the end is not told.
pub fn fails_well(engine: &Arc<Engine>, input: &[u8], plan: Plan) -> Result<Ended, String> {
    let whole = super::whole(engine, input);
    let ended = run(engine, input, plan);
    if !whole.starts_with(&ended.output) {
        let at = whole.len().min(ended.output.len());
        super::same(&format!("{plan:?}"), input, &whole[..at], &ended.output)?;
    }
    // What is tried again, and what is short, is no fault.
    let harmless = match plan.fault {
        Fault::Short => true,
        Fault::Fails(kind) | Fault::ShortAndFails(kind) => {
            let again = [io::ErrorKind::Interrupted, io::ErrorKind::WouldBlock].contains(&kind);
            again && plan.stage == Stage::Reader
        }
        Fault::Panics => false,
    };
    let is_whole = ended.output == whole;
    match &ended.result {
        Some(Ok(())) if is_whole && (harmless || !ended.reached) => Ok(ended),
        Some(Err(_)) | None if ended.reached && !harmless => Ok(ended),
        result => Err(format!("{plan:?}: ended with {result:?}, the output is whole: {is_whole}")),
    }
}
