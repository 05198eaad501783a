//! `blackbar [OPTIONS] [FILE]...`: streams from inputs to standard output, and findings by the side
//! door. The bytes themselves stay in the library.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use blackbar::{
    filter::Stats,
    finding::{Finding, ci, ndjson},
    pipeline::{self, OnError, PipelineError},
    rules::Severity,
    scan::Engine,
    sink::Stdout,
    source::Source,
};
use time::OffsetDateTime;

use super::{
    args,
    console::Console,
    exit::{Exit, Failure},
    files, secrets,
    settings::Settings,
    setup,
    summary::{Tally, counted},
};

/// Runs the command.
pub fn run(settings: &Settings, inputs: &[OsString], console: &Console) -> Result<Exit, Failure> {
    if inputs.is_empty() && io::stdin().is_terminal() {
        return Ok(short_help());
    }
    let key_is_told = !settings.paths("findings").is_empty() || setup::masks_have_hashes(settings);
    let known = secrets::load(settings, false, console)?;
    let engine = Arc::new(setup::engine(settings, setup::key(settings, key_is_told)?, known)?);
    // The process ends with the engine: taking it apart would only cost time.
    std::mem::forget(Arc::clone(&engine));
    if !settings.switch("quiet") {
        setup::say_what_does_not_hold(&engine, console);
    }
    let findings = Findings::open(settings, &engine)?;
    pipeline::signals::install();
    let started = Instant::now();
    let mut job = Job::new(settings, console, engine, findings);
    let stdin = [OsString::from("-")];
    for input in if inputs.is_empty() { &stdin } else { inputs } {
        job.stream(input)?;
    }
    Ok(job.end(started.elapsed()))
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

/// The side door.
struct Findings {
    file: File,
    /// How the user named the file.
    name: String,
    run: ndjson::Run,
    /// Why writing stopped, if it did.
    failed: Option<io::ErrorKind>,
}

impl Findings {
    fn open(settings: &Settings, engine: &Engine) -> Result<Option<Self>, Failure> {
        let Some(path) = settings.paths("findings").first() else {
            return Ok(None);
        };
        let call = settings.call("findings");
        if path.as_os_str() == "-" {
            let what = format!("{call}: standard output belongs to the redacted bytes; name a file");
            return Err(Failure::usage(what));
        }
        let name = files::shown(path);
        let file = files::open_findings(path).map_err(|reason| Failure::usage(format!("{call}: {name}: {reason}")))?;
        let key = &engine.options().fingerprint_key;
        let run = ndjson::Run {
            host: host_name(),
            rules_digest: engine.rules().digest(),
            key_id: key.id(),
            key_is_ephemeral: key.is_ephemeral(),
            source: settings.text("source").map(str::to_owned),
            labels: settings.pairs("label"),
            ci: ci::detect(|name| env::var(name).ok()),
        };
        Ok(Some(Self { file, name, run, failed: None }))
    }

    /// Writes a finding, or remembers why not: a full disk must not stop the log.
    fn write(&mut self, finding: &Finding, path: Option<&str>) {
        if self.failed.is_none() {
            let line = self.run.line(finding, path, OffsetDateTime::now_utc());
            self.failed = self.file.write_all(&line).err().map(|fault| fault.kind());
        }
    }
}

/// One run over all inputs.
struct Job<'a> {
    settings: &'a Settings,
    console: &'a Console,
    engine: Arc<Engine>,
    sink: Stdout,
    pipeline: pipeline::Settings,
    findings: Option<Findings>,
    tally: Tally,
    failed: bool,
}

impl<'a> Job<'a> {
    fn new(settings: &'a Settings, console: &'a Console, engine: Arc<Engine>, findings: Option<Findings>) -> Self {
        let pipeline = pipeline::Settings {
            jobs: usize::try_from(settings.number("jobs", 0)).unwrap_or_default(),
            flush_after: Duration::from_millis(settings.number("flush-after", 50)),
            on_error: match settings.word("on-error", "stop") {
                "withhold" => OnError::Withhold,
                "pass" => OnError::Pass,
                _ => OnError::Stop,
            },
        };
        let alert_confidence = setup::confidence(settings.word("alert-confidence", "high"));
        let tally = Tally::new(alert_confidence).with_allow(&engine.options().allow);
        Self { settings, console, engine, sink: Stdout::new(), pipeline, findings, tally, failed: false }
    }

    /// Streams one input. An input that can't be read is reported and passed over, as `cat` does;
    /// what concerns the output ends the run.
    fn stream(&mut self, input: &OsString) -> Result<(), Failure> {
        let from_stdin = input == "-";
        let path = (!from_stdin).then(|| input.to_string_lossy());
        let source = if from_stdin { Ok(Source::stdin()) } else { Source::file(Path::new(input)) };
        let source = match source {
            Ok(source) => source,
            Err(fault) => {
                self.pass_over(input, fault.kind());
                return Ok(());
            }
        };
        let Self { engine, sink, pipeline, findings, tally, .. } = self;
        let mut on_finding = |finding: Finding| {
            let told = tally.add(&finding, path.as_deref());
            if let Some(findings) = findings.as_mut().filter(|_| told && !finding.is_canary()) {
                findings.write(&finding, path.as_deref());
            }
        };
        match pipeline::run(engine, source, sink, &mut on_finding, pipeline) {
            Ok(stats) => self.add(&stats),
            Err(PipelineError::Read(kind)) => self.pass_over(input, kind),
            Err(PipelineError::ClosedOutput) => return Err(Failure::quiet(Exit::ClosedOutput)),
            Err(PipelineError::Write(kind)) => {
                return Err(Failure::io(format!("standard output: {}", files::reason(kind))));
            }
            Err(PipelineError::Internal { stage }) => {
                let what = format!("internal error in {stage}: the output stops before what was not scanned");
                return Err(Failure::io(what));
            }
        }
        Ok(())
    }

    /// Counts a stream that was read to its end, and says so if a part of it was not scanned.
    fn add(&mut self, stats: &Stats) {
        self.tally.add_stats(stats);
        if stats.withheld > 0 {
            let was = match self.pipeline.on_error {
                OnError::Pass => "passed unscanned, as --on-error pass has it",
                _ => "withheld unscanned",
            };
            let bytes = counted(stats.withheld, "byte");
            self.console.error(&format!("internal error: {bytes} {was}"));
            self.failed = true;
        }
    }

    fn pass_over(&mut self, input: &OsString, kind: io::ErrorKind) {
        let name = if input == "-" { "standard input".into() } else { input.to_string_lossy() };
        let mut what = format!("{name}: {}", files::reason(kind));
        let is_command = args::command().find_subcommand(input).is_some();
        if kind == io::ErrorKind::NotFound && is_command {
            what.push_str("; a command stands before its options");
        }
        self.console.error(&what);
        self.failed = true;
    }

    fn end(self, elapsed: Duration) -> Exit {
        if !self.settings.switch("quiet") {
            self.tally.print_summary(self.console);
        }
        if self.settings.switch("stats") {
            self.tally.print_stats(self.console, elapsed, self.pipeline.jobs);
        }
        if let Some(Findings { name, failed: Some(kind), .. }) = &self.findings {
            self.console.error(&format!("{name}: findings are incomplete: {}", files::reason(*kind)));
            return Exit::Failed;
        }
        let limit = match self.settings.word("fail-on", "") {
            "low" => Some(Severity::Low),
            "medium" => Some(Severity::Medium),
            "high" => Some(Severity::High),
            "critical" => Some(Severity::Critical),
            _ => None,
        };
        if self.failed {
            Exit::Failed
        } else if limit.is_some_and(|limit| self.tally.worst() >= Some(limit)) {
            let code = u8::try_from(self.settings.number("exit-code", 1)).unwrap_or(1);
            Exit::Findings(code)
        } else {
            Exit::Done
        }
    }
}

#[cfg(unix)]
fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(not(unix))]
fn host_name() -> Option<String> {
    env::var("COMPUTERNAME").ok()
}
