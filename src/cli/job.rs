//! What a run over one or more streams has in common, whatever they are: findings on their way out,
//! counts, and at the end the summary and the exit code. Does not read streams.

use std::{
    env,
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use blackbar::{
    KnownValues,
    filter::Stats,
    finding::{
        Finding, FingerprintKey, Place, ci, ndjson,
        report::{self, Format, Seen},
    },
    pipeline::{self, OnError},
    rules::{Confidence, Severity},
    scan::{Engine, Mode, Options},
};
use time::OffsetDateTime;

use super::{
    console::Console,
    exit::{Exit, Failure},
    files,
    settings::Settings,
    setup,
    summary::{Tally, counted},
};

/// The engine of a run. The key of fingerprints outlives it if anything told has a fingerprint.
/// `interactive` says that somebody types and waits for the echo.
pub fn engine(
    settings: &Settings,
    known: KnownValues,
    interactive: bool,
    console: &Console,
) -> Result<Arc<Engine>, Failure> {
    Ok(keep(setup::engine(settings, key(settings)?, known, interactive)?, settings, console))
}

/// The engines of a run that reads and passes nothing on: one that only reports, and one that masks.
pub fn engines(settings: &Settings, known: KnownValues, console: &Console) -> Result<[Arc<Engine>; 2], Failure> {
    let key = key(settings)?;
    let engine = |mode| {
        let options = setup::options(settings, key.clone(), known.clone())?;
        setup::build(settings, Options { mode, ..options })
    };
    Ok([keep(engine(Mode::Alert)?, settings, console), Arc::new(engine(Mode::Redact)?)])
}

fn key(settings: &Settings) -> Result<FingerprintKey, Failure> {
    let has_report = !settings.pairs("report").is_empty();
    let is_told = has_report || !settings.paths("findings").is_empty() || setup::masks_have_hashes(settings);
    setup::key(settings, is_told)
}

fn keep(engine: Engine, settings: &Settings, console: &Console) -> Arc<Engine> {
    let engine = Arc::new(engine);
    // The process ends with the engine: taking it apart would only cost time.
    std::mem::forget(Arc::clone(&engine));
    if !settings.switch("quiet") {
        setup::say_what_does_not_hold(&engine, console);
    }
    engine
}

/// How streams are filtered. `on_error` is what holds unless the user says otherwise.
pub fn pipeline(settings: &Settings, on_error: &'static str, flush_after_ms: u64) -> pipeline::Settings {
    pipeline::Settings {
        jobs: usize::try_from(settings.number("jobs", 0)).unwrap_or_default(),
        flush_after: Duration::from_millis(settings.number("flush-after", flush_after_ms)),
        on_error: match settings.word("on-error", on_error) {
            "withhold" => OnError::Withhold,
            "pass" => OnError::Pass,
            _ => OnError::Stop,
        },
        metrics: None,
    }
}

/// Findings and counts of a run.
pub struct Job {
    run: ndjson::Run,
    findings: Option<Findings>,
    reports: Vec<Report>,
    start: OffsetDateTime,
    tally: Tally,
    failed: bool,
}

impl Job {
    /// Opens what findings are written to. `stdout_is_free` says that a report may go to standard output.
    pub fn open(settings: &Settings, engine: &Engine, stdout_is_free: bool) -> Result<Self, Failure> {
        let key = &engine.options().fingerprint_key;
        let (findings, reports) = (Findings::open(settings)?, reports(settings, stdout_is_free)?);
        let is_told = findings.is_some() || !reports.is_empty();
        let run = ndjson::Run {
            host: host_name(),
            // Half a millisecond, which a run that tells nobody need not spend.
            rules_digest: if is_told { engine.rules().digest() } else { String::new() },
            key_id: key.id(),
            key_is_ephemeral: key.is_ephemeral(),
            source: settings.text("source").map(str::to_owned),
            labels: settings.pairs("label"),
            ci: ci::detect(|name| env::var(name).ok()),
        };
        Ok(Self {
            run,
            findings,
            reports,
            start: OffsetDateTime::now_utc(),
            tally: Tally::new(setup::confidence(settings.word("alert-confidence", "high")))
                .with_allow(&engine.options().allow),
            failed: false,
        })
    }

    /// Takes a finding of the stream that `place` names.
    pub fn add(&mut self, finding: &Finding, place: Place<'_>) {
        self.add_seen(finding, place, None);
    }

    /// Takes a finding that was seen somewhere in a run that does not read in order. Whether it is to be
    /// told.
    pub fn add_seen(&mut self, finding: &Finding, place: Place<'_>, seen: Option<Seen>) -> bool {
        let told = self.tally.add(finding, place, seen);
        if let Some(findings) = self.findings.as_mut().filter(|_| told && !finding.is_canary()) {
            findings.write(&self.run, finding, place, seen.and_then(|seen| seen.time));
        }
        told && !finding.is_canary()
    }

    /// What was found so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Counts what streams went through.
    pub fn count(&mut self, stats: &Stats) {
        self.tally.add_stats(stats);
    }

    /// Counts a stream that was read to its end, and says so if a part of it was not scanned.
    pub fn add_stats(&mut self, stats: &Stats, on_error: OnError, console: &Console) {
        self.tally.add_stats(stats);
        if stats.refused > 0 {
            let values = counted(stats.refused, "value");
            let what = format!("not masked: {values} of ::add-mask::, too short or too easy to guess");
            console.note(&what, serde_json::Map::new());
        }
        if stats.withheld > 0 {
            let was = match on_error {
                OnError::Pass => "passed unscanned, as --on-error pass has it",
                _ => "withheld unscanned",
            };
            let bytes = counted(stats.withheld, "byte");
            console.error(&format!("internal error: {bytes} {was}"));
            self.failed = true;
        }
    }

    /// Something could not be read or written, and was said.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    /// Whether standard output is for a report.
    pub fn reports_to_stdout(&self) -> bool {
        self.reports.iter().any(|report| is_stdout(&report.path))
    }

    /// Writes the reports. Whether all are written.
    fn write_reports(&self, console: &Console) -> bool {
        let context = report::Context { run: &self.run, start: self.start, end: OffsetDateTime::now_utc() };
        let mut all = true;
        for Report { format, path } in &self.reports {
            let text = report::write(*format, self.tally.secrets(), &context);
            let written = if is_stdout(path) {
                let mut stdout = io::stdout().lock();
                let written = stdout.write_all(&text).and_then(|()| stdout.flush());
                written.map_err(|fault| files::reason(fault.kind()))
            } else {
                files::replace(path, &text)
            };
            if let Err(why) = written {
                console.error(&format!("{}: there is no report: {why}", files::shown(path)));
                all = false;
            }
        }
        all
    }

    /// Says what was found, and decides how the run ends.
    pub fn end(&self, settings: &Settings, console: &Console, elapsed: Duration) -> Exit {
        if !settings.switch("quiet") {
            self.tally.print_summary(console);
        }
        self.close(settings, console, elapsed, false)
    }

    /// Writes what is to be written at the end, and decides how the run ends. `any_fails` says that
    /// without `--fail-on` any finding is bad enough.
    pub fn close(&self, settings: &Settings, console: &Console, elapsed: Duration, any_fails: bool) -> Exit {
        if settings.switch("stats") {
            self.tally.print_stats(console, elapsed, usize::try_from(settings.number("jobs", 0)).unwrap_or_default());
        }
        let reported = self.write_reports(console);
        if let Some(Findings { name, failed: Some(kind), .. }) = &self.findings {
            console.error(&format!("{name}: findings are incomplete: {}", files::reason(*kind)));
            return Exit::Failed;
        }
        let limit = match settings.word("fail-on", "") {
            "low" => Some(Severity::Low),
            "medium" => Some(Severity::Medium),
            "high" => Some(Severity::High),
            "critical" => Some(Severity::Critical),
            _ => None,
        };
        let is_bad = match limit {
            Some(limit) => self.tally.worst() >= Some(limit),
            None => any_fails && !self.tally.secrets().sorted(Confidence::Low).is_empty(),
        };
        if self.failed || !reported {
            Exit::Failed
        } else if is_bad {
            let code = u8::try_from(settings.number("exit-code", 1)).unwrap_or(1);
            Exit::Findings(code)
        } else {
            Exit::Done
        }
    }
}

/// A report that is to be written at the end.
struct Report {
    format: Format,
    path: PathBuf,
}

/// The reports that are wanted. What cannot be written is found out before anything is read.
fn reports(settings: &Settings, stdout_is_free: bool) -> Result<Vec<Report>, Failure> {
    let call = settings.call("report");
    let mut reports = Vec::new();
    for (format, path) in settings.pairs("report") {
        let Some(format) = Format::named(&format) else {
            return Err(Failure::usage(format!("{call} must be json=FILE, sarif=FILE, gitlab=FILE or csv=FILE")));
        };
        let path = PathBuf::from(path);
        if !is_stdout(&path) {
            files::can_replace(&path)
                .map_err(|why| Failure::usage(format!("{call}: {}: {why}", files::shown(&path))))?;
        } else if !stdout_is_free {
            let what = format!("{call}: standard output belongs to the redacted bytes; name a file");
            return Err(Failure::usage(what));
        }
        reports.push(Report { format, path });
    }
    if reports.iter().filter(|report| is_stdout(&report.path)).count() > 1 {
        return Err(Failure::usage(format!("{call}: only one report can go to standard output")));
    }
    Ok(reports)
}

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The side door.
struct Findings {
    file: File,
    /// How the user named the file.
    name: String,
    /// Why writing stopped, if it did.
    failed: Option<io::ErrorKind>,
}

impl Findings {
    fn open(settings: &Settings) -> Result<Option<Self>, Failure> {
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
        Ok(Some(Self { file, name, failed: None }))
    }

    /// Writes a finding, or remembers why not: a full disk must not stop the log.
    fn write(&mut self, run: &ndjson::Run, finding: &Finding, place: Place<'_>, logged: Option<OffsetDateTime>) {
        if self.failed.is_none() {
            let line = run.line(finding, place, OffsetDateTime::now_utc(), logged);
            self.failed = self.file.write_all(&line).err().map(|fault| fault.kind());
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
