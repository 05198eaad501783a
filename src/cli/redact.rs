//! `blackbar [OPTIONS] [FILE]...`: streams from inputs to standard output, and findings by the side
//! door. The bytes themselves stay in the library.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    sync::Arc,
    time::Instant,
};

use blackbar::{
    finding::{Finding, Place},
    pipeline::{self, PipelineError},
    scan::Engine,
    service::SourceKind,
    sink::{Sink, Standard},
    source::Source,
};

use super::{
    args,
    console::Console,
    exit::{Exit, Failure},
    files, guard,
    job::{self, Job},
    secrets,
    settings::Settings,
};

/// Runs the command.
pub fn run(settings: &Settings, inputs: &[OsString], console: &Console) -> Result<Exit, Failure> {
    let confirm = confirm(settings, inputs)?;
    if inputs.is_empty() && io::stdin().is_terminal() {
        return Ok(short_help());
    }
    let known = secrets::load(settings, false, console)?;
    let engine = job::engine(settings, known, false, console)?;
    let job = Job::open(settings, &engine, false)?;
    guard::write_no_core(inputs);
    pipeline::signals::install(settings.drain());
    let started = Instant::now();
    let mut pipeline = job::pipeline(settings, "stop", 50);
    #[cfg(unix)]
    let serving = super::service::start(settings, &engine, console)?;
    #[cfg(unix)]
    if let Some(serving) = &serving {
        pipeline.metrics = Some((Arc::clone(&serving.service.metrics), SourceKind::Input));
        serving.service.health.started();
    }
    let mut streams =
        Streams { console, engine, confirms: confirm.is_some(), sink: Box::new(Standard::output()), pipeline, job };
    if let Some(file) = confirm {
        streams.sink = Box::new(file);
        // A line is confirmed when the next one is asked for, so nobody may read ahead.
        streams.pipeline.jobs = 1;
    }
    let stdin = [OsString::from("-")];
    for input in if inputs.is_empty() { &stdin } else { inputs } {
        streams.filter(input)?;
    }
    Ok(streams.job.end(settings, console, started.elapsed()))
}

/// The file of `--confirm`. Standard output belongs to the confirmations then.
fn confirm(settings: &Settings, inputs: &[OsString]) -> Result<Option<File>, Failure> {
    let Some(path) = settings.paths("confirm").first() else { return Ok(None) };
    let call = settings.call("confirm");
    if !inputs.is_empty() {
        return Err(Failure::usage(format!("{call} is for standard input; there are no files to be confirmed")));
    }
    let name = files::shown(path);
    files::open_findings(path).map(Some).map_err(|reason| Failure::usage(format!("{call}: {name}: {reason}")))
}

/// What a terminal without input gets.
fn short_help() -> Exit {
    let text = "usage: blackbar [OPTIONS] [FILE]...   mask secrets in files or standard input\n\
                \x20 make test 2>&1 | blackbar\n\
                \x20 blackbar build.log > clean.log\n\
                try 'blackbar --help'\n";
    let _ = io::stderr().write_all(text.as_bytes());
    Exit::Usage
}

/// All inputs, one after the other.
struct Streams<'a> {
    console: &'a Console,
    engine: Arc<Engine>,
    /// Whether lines are confirmed.
    confirms: bool,
    sink: Box<dyn Sink>,
    pipeline: pipeline::Settings,
    job: Job,
}

impl Streams<'_> {
    /// Filters one input. An input that can't be read is reported and passed over, as `cat` does;
    /// what concerns the output ends the run.
    fn filter(&mut self, input: &OsString) -> Result<(), Failure> {
        let from_stdin = input == "-";
        let path = (!from_stdin).then(|| input.to_string_lossy());
        let source = match from_stdin {
            true if self.confirms => Ok(Source::confirmed()),
            true => Ok(Source::stdin()),
            false => Source::file(Path::new(input)),
        };
        let source = match source {
            Ok(source) => source,
            Err(fault) => {
                self.pass_over(input, fault.kind());
                return Ok(());
            }
        };
        let Self { engine, sink, pipeline, job, .. } = self;
        let place = path.as_deref().map_or(Place::Input, Place::File);
        if let Some((_, kind)) = &mut pipeline.metrics {
            *kind = if from_stdin { SourceKind::Input } else { SourceKind::File };
        }
        let mut on_finding = |finding: Finding| job.add(&finding, place);
        match pipeline::run(engine, source, &mut **sink, &mut on_finding, pipeline) {
            Ok(stats) => self.job.add_stats(&stats, self.pipeline.on_error, self.console),
            Err(PipelineError::Read(kind)) => self.pass_over(input, kind),
            Err(PipelineError::ClosedOutput) => return Err(Failure::quiet(Exit::ClosedOutput)),
            Err(PipelineError::Write(kind)) => {
                let name = if self.confirms { "the file of --confirm" } else { "standard output" };
                return Err(Failure::io(format!("{name}: {}", files::reason(kind))));
            }
            Err(PipelineError::Internal { stage }) => {
                let what = format!("internal error in {stage}: the output stops before what was not scanned");
                return Err(Failure::io(what));
            }
        }
        Ok(())
    }

    fn pass_over(&mut self, input: &OsString, kind: io::ErrorKind) {
        let name = if input == "-" { "standard input".into() } else { input.to_string_lossy() };
        let mut what = format!("{name}: {}", files::reason(kind));
        let is_command = args::command().find_subcommand(input).is_some();
        if kind == io::ErrorKind::NotFound && is_command {
            what.push_str("; a command stands before its options");
        }
        self.console.error(&what);
        self.job.fail();
    }
}
