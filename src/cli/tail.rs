//! `blackbar tail [OPTIONS] PATH...`: follows files, and goes on with new rules and values when their files
//! change. The bytes themselves stay in the library.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use blackbar::{
    filter::Stats,
    finding::Finding,
    names::Names,
    scan::Engine,
    service::{Cause, Pulse, SourceKind, Turn, Work},
    tail::{self, Figures, Format, From, Hooks, Notice, Origin, TailError, Target},
};
use serde_json::Map;

use super::{
    console::Console,
    exit::{Exit, Failure},
    guard,
    job::{self, Job},
    secrets,
    service::{self, Serving},
    settings::Settings,
    setup,
};

/// Runs the command.
pub fn run(settings: &Settings, paths: Vec<OsString>, console: &Console) -> Result<Exit, Failure> {
    let known = secrets::load(settings, false, console)?;
    // Before the files are read: what changes in between is read again.
    let watched = Watched::new(settings);
    let engine = job::engine(settings, known, false, console)?;
    let job = Job::open(settings, &engine, false)?;
    let open_line = ends_inside_a_line();
    guard::write_no_core(&paths);
    if !settings.switch("quiet") {
        say_what_is_missing(&paths, &engine, console);
    }
    let tail = tail_settings(settings, paths, open_line)?;
    let serving = service::start(settings, &engine, console)?;
    let told = Figures::default();
    let pulse = serving.as_ref().map(|serving| serving.service.metrics.pulses.begin());
    let engine_now = Arc::clone(&engine);
    let mut service =
        Service { settings, console, engine: engine_now, job, watched, serving, told, pulse, at_work: None };
    let started = Instant::now();
    let ended = tail::run(&tail, engine, &mut service);
    let Service { mut job, .. } = service;
    match ended {
        Ok(figures) => {
            let Figures { bytes_in, bytes_out, lines, .. } = figures;
            job.add_stats(&Stats { bytes_in, bytes_out, lines, ..Stats::default() }, tail.on_error, console);
            Ok(job.end(settings, console, started.elapsed()))
        }
        Err(TailError::ClosedOutput) => Err(Failure::quiet(Exit::ClosedOutput)),
        Err(fault @ TailError::Path { .. }) => Err(Failure::usage(fault.to_string())),
        Err(fault @ (TailError::Locked | TailError::State(_))) => {
            Err(Failure::usage(format!("{}: {fault}", settings.call("state"))))
        }
        Err(fault @ TailError::Tree(_)) => Err(Failure::usage(format!("{}: {fault}", settings.call("out")))),
        Err(fault) => Err(Failure::io(fault.to_string())),
    }
}

/// A file that is not there may come later, or have been spelled wrong.
fn say_what_is_missing(paths: &[OsString], engine: &Arc<Engine>, console: &Console) {
    let mut names = Names::new(Arc::clone(engine));
    let is_pattern = |path: &OsString| path.as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte));
    let is_missing = |path: &&OsString| {
        !is_pattern(path) && fs::symlink_metadata(path).is_err_and(|fault| fault.kind() == io::ErrorKind::NotFound)
    };
    for path in paths.iter().filter(is_missing) {
        let path = names.shown(path.as_encoded_bytes());
        console.note(&format!("{path}: is not there yet, and waited for"), Map::new());
    }
}

/// Whether standard output is a file that ends inside a line. Must be asked before the process hides from others,
/// because its own descriptors cannot be opened by their names then.
fn ends_inside_a_line() -> bool {
    let output = rustix::fs::fstat(io::stdout()).ok();
    let is_file = |about: &rustix::fs::Stat| {
        rustix::fs::FileType::from_raw_mode(about.st_mode) == rustix::fs::FileType::RegularFile && about.st_size > 0
    };
    let Some(about) = output.filter(is_file) else { return false };
    let mut last = [b'\n'];
    let read = fs::File::open("/dev/fd/1").and_then(|file| file.read_exact_at(&mut last, about.st_size as u64 - 1));
    read.is_ok() && last != [b'\n']
}

fn tail_settings(settings: &Settings, paths: Vec<OsString>, open_line: bool) -> Result<tail::Settings, Failure> {
    let ndjson = settings.word("output", "text") == "ndjson";
    let mib = |name: &str, default: u64| settings.number(name, default) << 20;
    let target = match settings.paths("out").first() {
        Some(_) if ndjson => {
            let what = format!("{} and {} exclude each other", settings.call("out"), settings.call("output"));
            return Err(Failure::usage(what));
        }
        Some(root) => Target::Tree {
            root: root.clone(),
            file_bytes_max: mib("out-file-size", 64),
            total_bytes_max: mib("out-total-size", 1024),
        },
        None if ndjson => Target::Ndjson,
        None => Target::Text,
    };
    let pipeline = job::pipeline(settings, "withhold", 50);
    Ok(tail::Settings {
        paths,
        roots: settings.paths("root").to_vec(),
        from: match settings.word("from", "checkpoint") {
            "start" => From::Start,
            "end" => From::End,
            _ => From::Checkpoint,
        },
        format: match settings.word("format", "auto") {
            "plain" => Format::Plain,
            "cri" => Format::Cri,
            "docker" => Format::Docker,
            _ => Format::Auto,
        },
        target,
        open_line,
        state: settings.paths("state").first().cloned(),
        drain: settings.drain(),
        flush_after: pipeline.flush_after,
        on_error: pipeline.on_error,
    })
}

/// What the loop asks of the command.
struct Service<'a> {
    settings: &'a Settings,
    console: &'a Console,
    engine: Arc<Engine>,
    job: Job,
    watched: Watched,
    serving: Option<Serving>,
    /// The figures that were carried over to the metrics.
    told: Figures,
    /// Of the one thread that does it all.
    pulse: Option<Pulse>,
    at_work: Option<Work>,
}

impl Hooks for Service<'_> {
    fn finding(&mut self, finding: &Finding, origin: &Origin) {
        self.job.add(finding, origin.place());
        if let Some(Serving { service, .. }) = &self.serving {
            let kind = if origin.container.is_some() { SourceKind::Container } else { SourceKind::File };
            service.metrics.found(finding, kind);
        }
    }

    fn notice(&mut self, notice: &Notice) {
        self.console.error(&notice.to_string());
        let Some(Serving { service, .. }) = &self.serving else { return };
        service.metrics.error(match notice {
            Notice::Refused { .. } => Cause::Refused,
            Notice::Unreadable { .. } => Cause::Read,
            Notice::Checkpoints { .. } | Notice::NotSaved(_) => Cause::Checkpoint,
            Notice::NotWritten(_) => Cause::Write,
            Notice::Withheld { .. } | Notice::Passed { .. } => Cause::Internal,
            Notice::Polling(_) => Cause::Watch,
            // No errors, or counted as bytes.
            Notice::Lost { .. }
            | Notice::Rewritten { .. }
            | Notice::Unseen { .. }
            | Notice::Copied { .. }
            | Notice::Removed { .. }
            | Notice::Stuck { .. }
            | Notice::Undrained { .. } => {
                return;
            }
        });
    }

    fn last_words(&self) -> Box<dyn FnOnce(&Notice) + Send> {
        Box::new(|notice| Console::plain().error(&notice.to_string()))
    }

    fn reload(&mut self, asked: bool) -> Option<Arc<Engine>> {
        let changed = self.watched.changed(self.settings);
        if !asked && !changed {
            return None;
        }
        match self.read_again() {
            Ok(engine) => {
                self.console.note("rules and values were read again", Map::new());
                self.engine = Arc::clone(&engine);
                if let Some(Serving { service, .. }) = &self.serving {
                    service.follow(&engine);
                    service.metrics.reloads_ok.add(1);
                }
                Some(engine)
            }
            Err(Failure { message, .. }) => {
                let why = message.unwrap_or_default();
                if let Some(Serving { service, .. }) = &self.serving {
                    service.metrics.reloads_failed.add(1);
                }
                self.console.error(&format!("the old rules and values stay in force: {why}"));
                None
            }
        }
    }

    fn filtering(&mut self) {
        self.at_work = self.pulse.as_ref().map(Pulse::works);
    }

    fn filtered(&mut self, took: Duration) {
        self.at_work = None;
        if let Some(Serving { service, .. }) = &self.serving {
            service.metrics.scan.observe(took);
        }
    }

    fn figures(&mut self, now: &Figures) {
        let Some(Serving { service, .. }) = &self.serving else { return };
        let (metrics, told) = (&service.metrics, std::mem::replace(&mut self.told, now.clone()));
        metrics.input_bytes.add(now.bytes_in - told.bytes_in);
        metrics.output_bytes.add(now.bytes_out - told.bytes_out);
        metrics.lines.add(now.lines - told.lines);
        metrics.over_long.add(now.over_long - told.over_long);
        metrics.withheld_bytes.add(now.withheld_bytes - told.withheld_bytes);
        metrics.lost_bytes.add(now.lost_bytes - told.lost_bytes);
        (told.renamed..now.renamed).for_each(|_| metrics.rotated(Turn::Renamed));
        (told.deleted..now.deleted).for_each(|_| metrics.rotated(Turn::Deleted));
        (told.truncated..now.truncated).for_each(|_| metrics.rotated(Turn::Truncated));
        metrics.held_bytes.set(now.held_bytes);
        metrics.lag_bytes.set(now.backlog_bytes);
        metrics.lag_ms.set(u64::try_from(now.lag.as_millis()).unwrap_or(u64::MAX));
        metrics.queue.set(now.queue);
        metrics.files.set(now.files);
        metrics.files_open.set(now.files_open);
        service.health.started();
        if now.draining {
            service.health.draining();
        }
    }
}

impl Service<'_> {
    /// An engine of the rules and allow files as they are now. It shares the known values with the old one,
    /// so that those of files are looked for at once.
    fn read_again(&self) -> Result<Arc<Engine>, Failure> {
        let options = self.engine.options();
        secrets::again(self.settings, &options.known, self.console)?;
        let engine = setup::engine(self.settings, options.fingerprint_key.clone(), options.known.clone(), false)?;
        if !self.settings.switch("quiet") {
            setup::say_what_does_not_hold(&engine, self.console);
        }
        Ok(Arc::new(engine))
    }
}

/// The files that rules and values come from, as they were when they were read.
#[derive(PartialEq, Eq)]
struct Watched(Vec<(PathBuf, Option<State>)>);

/// Device, inode, size, and time of the last change.
type State = (u64, u64, u64, (i64, i64));

impl Watched {
    fn new(settings: &Settings) -> Watched {
        let mut all = Vec::new();
        for name in ["rules", "allow", "baseline", "secret-file"] {
            for path in settings.paths(name) {
                add(path, &mut all);
            }
        }
        Watched(all)
    }

    /// Whether they have changed since the last call.
    fn changed(&mut self, settings: &Settings) -> bool {
        let now = Watched::new(settings);
        let changed = now != *self;
        *self = now;
        changed
    }
}

/// Adds a file, or a folder with its files, links followed: where secrets are mounted, each file is a link
/// through `..data`, which is put in place as a whole.
fn add(path: &Path, all: &mut Vec<(PathBuf, Option<State>)>) {
    let about = fs::metadata(path).ok();
    let state = |about: &fs::Metadata| (about.dev(), about.ino(), about.len(), (about.mtime(), about.mtime_nsec()));
    all.push((path.to_owned(), about.as_ref().map(state)));
    if about.is_some_and(|about| about.is_dir()) {
        let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
        let mut names: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        names.sort();
        let files = names
            .iter()
            .filter(|path| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"..")));
        all.extend(files.map(|path| (path.clone(), fs::metadata(path).ok().as_ref().map(state))));
    }
}
