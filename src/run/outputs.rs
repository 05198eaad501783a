//! Filters the outputs of a command, each in a thread of its own. Does not know the command.

use std::{
    io::{self, PipeReader, PipeWriter},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use super::{Filtered, Filters, RunError, Stream};
use crate::{
    filter::Stats,
    limits::READ_BYTES,
    pipeline::{self, OnError, PipelineError},
    sink::{Sink, Standard},
    source::{Readiness, Source},
};

/// The outputs of a command.
#[derive(Default)]
pub struct Outputs {
    list: Vec<Output>,
}

struct Output {
    stream: Stream,
    /// Its other end tells the source to stop when this one is dropped.
    stop: Option<PipeWriter>,
    /// Closed at its other end when the thread has ended.
    done: PipeReader,
    is_done: bool,
    cut: Arc<AtomicBool>,
    thread: JoinHandle<Result<Stats, PipelineError>>,
}

impl Outputs {
    /// Filters one more output: from `from` to our own standard output or error.
    pub fn add(&mut self, stream: Stream, from: OwnedFd, filters: &Filters) -> Result<(), RunError> {
        let pipe = || io::pipe().map_err(RunError::system("making a pipe"));
        let ((stopped, stop), (done, doing)) = (pipe()?, pipe()?);
        let copy = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().map_err(RunError::system("copying a descriptor"));
        let (again, stopped_again) = (copy(from.as_fd())?, copy(stopped.as_fd())?);
        let cut = Arc::new(AtomicBool::new(false));
        let source = Source::process(from, stopped.into(), Arc::clone(&cut));
        let rest = Source::process(again, stopped_again, Arc::clone(&cut));
        let filters = filters.clone();
        let work = move || {
            let ended = filter(stream, source, rest, &filters);
            drop(doing);
            ended
        };
        let thread = std::thread::Builder::new().name(stream.name().to_owned()).spawn(work);
        let thread = thread.map_err(RunError::system("starting a thread"))?;
        self.list.push(Output { stream, stop: Some(stop), done, is_done: false, cut, thread });
        Ok(())
    }

    /// Ends with what has arrived.
    pub fn stop(&mut self) {
        self.list.iter_mut().for_each(|output| output.stop = None);
    }

    /// Looks which outputs are filtered to their ends. Whether all are.
    pub fn look(&mut self) -> bool {
        self.list.iter_mut().for_each(|output| output.is_done = output.thread.is_finished());
        self.list.iter().all(|output| output.is_done)
    }

    /// What is closed as soon as an output is done that was not at the last look.
    pub fn pending(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.list.iter().filter(|output| !output.is_done).map(|output| output.done.as_fd())
    }

    /// What became of them. Those that are not done are given up.
    pub fn end(self) -> Vec<Filtered> {
        let ended = |output: Output| {
            let internal = PipelineError::Internal { stage: "an output's thread" };
            let result = output.thread.is_finished().then(|| output.thread.join().unwrap_or(Err(internal)));
            Filtered { stream: output.stream, result, cut: output.cut.load(Ordering::Relaxed) }
        };
        self.list.into_iter().map(ended).collect()
    }
}

/// Filters one output to its end. `rest` is the same output once more.
fn filter(stream: Stream, source: Source, rest: Source, filters: &Filters) -> Result<Stats, PipelineError> {
    let mut sink: Box<dyn Sink> = match stream {
        Stream::Output | Stream::Both => Box::new(Standard::output()),
        Stream::Error => Box::new(Standard::error()),
    };
    let mut on_finding = |finding| (filters.on_finding)(stream, finding);
    let mut settings = filters.settings.clone();
    if let Some((_, source)) = &mut settings.metrics {
        *source = stream.kind();
    }
    let ended = catch_unwind(AssertUnwindSafe(|| {
        pipeline::run(&filters.engine, source, &mut *sink, &mut on_finding, &settings)
    }));
    let ended = ended.unwrap_or(Err(PipelineError::Internal { stage: "an output's thread" }));
    // Whoever reads us has gone: the command learns of it as if it wrote to them itself. But a full
    // disk must not kill it half-way, nor a fault of ours.
    let withholds = filters.settings.on_error == OnError::Withhold;
    if withholds && !matches!(ended, Ok(_) | Err(PipelineError::ClosedOutput)) {
        discard(rest);
    }
    ended
}

/// Reads to the end, and throws it away.
fn discard(mut source: Source) {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match source.wait(None, None) {
            Ok(Readiness::Ready) => match source.read(&mut buffer) {
                Ok(1..) => {}
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => return,
            },
            Ok(_) => {}
            Err(_) => return,
        }
    }
}
