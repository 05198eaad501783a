//! `blackbar scan PATH...`: files, trees and archives in, a report by secret out. Opens nothing itself:
//! that is the library's `history`.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::Instant,
};

use blackbar::{
    escape,
    history::{self, Event, Excludes, Plan, Refused, Skipped, Target, Totals, Trouble, overview, times},
    names::Names,
};
use time::OffsetDateTime;

use super::{
    console::Console,
    exit::{Exit, Failure},
    files, guard,
    job::{self, Job},
    output,
    progress::{self, Progress},
    secrets,
    settings::Settings,
    summary::{counted, grouped},
};

/// Runs the command.
pub fn run(settings: &Settings, roots: Vec<OsString>, console: &Console) -> Result<Exit, Failure> {
    if settings.switch("null") && !settings.switch("files-with-findings") {
        let [null, list] = ["null", "files-with-findings"].map(|name| settings.call(name));
        return Err(Failure::usage(format!("{null} goes with {list}")));
    }
    let known = secrets::load(settings, false, console)?;
    let [engine, masks] = job::engines(settings, known, console)?;
    let free = !settings.switch("files-with-findings");
    let job = Job::open(settings, &engine, free)?;
    guard::write_no_core(&roots);
    let now = OffsetDateTime::now_utc();
    let plan = Plan {
        engine,
        names: masks,
        excludes: Excludes::new(settings.words("exclude"))
            .map_err(|number| Failure::usage(format!("{}: number {number} is no glob", settings.call("exclude"))))?,
        size_max: size_max(settings)?,
        since: time_of(settings, "since", now)?,
        until: time_of(settings, "until", now)?,
        binary: settings.switch("binary"),
        target: target(settings, &roots)?,
        force: settings.switch("force"),
        roots,
        jobs: usize::try_from(settings.number("jobs", 0)).unwrap_or_default(),
    };
    let totals = Totals::default();
    let mut scan = Scan {
        settings,
        console,
        job,
        progress: Progress::new(settings),
        started: Instant::now(),
        paths: BTreeMap::new(),
        findings: 0,
        troubles: 0,
        written: 0,
        skipped: BTreeMap::new(),
    };
    history::run(&plan, &totals, &mut |event| scan.take(event, &totals));
    scan.end(&plan, &totals)
}

/// Where masked files go.
fn target(settings: &Settings, roots: &[OsString]) -> Result<Option<Target>, Failure> {
    let target = match (settings.paths("out").first(), settings.switch("in-place")) {
        (None, false) => return Ok(None),
        (Some(_), true) => {
            let [out, in_place] = ["out", "in-place"].map(|name| settings.call(name));
            return Err(Failure::usage(format!("{out} and {in_place} exclude each other")));
        }
        (Some(out), false) => Target::Folder(out.clone()),
        (None, true) => Target::InPlace,
    };
    if roots.iter().any(|root| root == "-") {
        return Err(Failure::usage("standard input is masked by blackbar without a command"));
    }
    if let Target::Folder(out) = &target {
        // What is below it is taken for copies, and not read.
        let real = |path: &Path| fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_default();
        let out = real(out);
        if let Some(root) = roots.iter().map(Path::new).find(|root| real(root).starts_with(&out)) {
            let (call, root) = (settings.call("out"), files::shown(root));
            return Err(Failure::usage(format!("{call}: {root} lies below it, and would not be read")));
        }
    }
    Ok(Some(target))
}

fn size_max(settings: &Settings) -> Result<Option<u64>, Failure> {
    let Some(text) = settings.text("max-size") else { return Ok(None) };
    let units = [('K', 10), ('M', 20), ('G', 30), ('T', 40)];
    let unit = units.iter().find_map(|(name, shift)| Some((text.strip_suffix(*name)?, *shift)));
    let (digits, shift) = unit.unwrap_or((text, 0));
    let size = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    let what = || Failure::usage(format!("{} must be a size: 500K, 20M, 1G", settings.call("max-size")));
    size.map(Some).ok_or_else(what)
}

fn time_of(settings: &Settings, name: &str, now: OffsetDateTime) -> Result<Option<OffsetDateTime>, Failure> {
    let Some(text) = settings.text(name) else { return Ok(None) };
    let what = || {
        let call = settings.call(name);
        Failure::usage(format!("{call} must be a time: 2h, 7d, 2026-11-20, 2026-11-20T23:10:23Z"))
    };
    times::of_user(text, now).map(Some).ok_or_else(what)
}

/// A scan as it goes on.
struct Scan<'a> {
    settings: &'a Settings,
    console: &'a Console,
    job: Job,
    progress: Progress,
    started: Instant,
    /// The files with findings, in order.
    paths: BTreeMap<u64, PathBuf>,
    findings: u64,
    troubles: u64,
    /// How many masked files were written.
    written: u64,
    skipped: BTreeMap<Skipped, (u64, Vec<String>)>,
}

impl Scan<'_> {
    fn take(&mut self, event: Event, totals: &Totals) {
        match event {
            Event::Found { path, number, found } => {
                let before = self.findings;
                for found in found {
                    let told = self.job.add_seen(&found.finding, found.place.place(), Some(found.seen));
                    self.findings += u64::from(told);
                }
                if self.findings > before {
                    self.paths.entry(number).or_insert(path);
                }
            }
            Event::Trouble { place, trouble } => {
                self.job.fail();
                self.troubles += 1;
                if self.troubles <= TROUBLES_SAID_MAX {
                    let why = match trouble {
                        Trouble::Unreadable(kind) => files::reason(kind),
                        trouble => trouble.to_string(),
                    };
                    self.progress.clear();
                    self.console.error(&format!("{place}: {why}"));
                }
            }
            Event::Written => self.written += 1,
            Event::Refused { place, why } => {
                self.job.fail();
                let why = match why {
                    Refused::Io(kind) => files::reason(kind),
                    why => why.to_string(),
                };
                self.progress.clear();
                self.console.error(&format!("{place}: not written: {why}"));
            }
            Event::Skipped { place, why } => {
                let (count, places) = self.skipped.entry(why).or_default();
                *count += 1;
                if places.len() < PLACES_SAID_MAX && !place.is_empty() {
                    places.push(place);
                }
            }
            Event::Tick => {}
        }
        let (files, bytes) = (totals.files.load(Ordering::Relaxed), totals.bytes.load(Ordering::Relaxed));
        self.progress.draw(files, bytes, self.findings);
    }

    fn end(mut self, plan: &Plan, totals: &Totals) -> Result<Exit, Failure> {
        self.progress.clear();
        self.job.count(&totals.stats());
        let printed =
            if self.settings.switch("files-with-findings") { self.print_paths(plan)? } else { self.print_overview()? };
        if !self.settings.switch("quiet") {
            self.say_counts(totals);
            self.job.tally().print_allowed(self.console);
        }
        let exit = self.job.close(self.settings, self.console, self.started.elapsed(), true);
        Ok(if printed == Exit::ClosedOutput { printed } else { exit })
    }

    fn print_overview(&self) -> Result<Exit, Failure> {
        if self.settings.switch("quiet") || self.job.reports_to_stdout() {
            return Ok(Exit::Done);
        }
        let color = match self.settings.word("color", "auto") {
            "always" => true,
            "never" => false,
            _ => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        output::print(&overview::write(self.job.tally().secrets(), color))
    }

    /// Prints paths for other programs. One that holds a secret itself is not printed.
    fn print_paths(&mut self, plan: &Plan) -> Result<Exit, Failure> {
        let mut names = Names::new(std::sync::Arc::clone(&plan.names));
        let with_nul = self.settings.switch("null");
        let mut text = Vec::new();
        for path in self.paths.values() {
            let bytes = path.as_os_str().as_encoded_bytes();
            let shown = names.shown(bytes);
            if escape::visible(&String::from_utf8_lossy(bytes)) != shown {
                self.console.error(&format!("{shown}: this path holds a secret itself, and is not printed"));
                self.job.fail();
            } else if with_nul {
                text.extend([bytes, b"\0"].concat());
            } else {
                text.extend([shown.as_bytes(), b"\n"].concat());
            }
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(&text).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(Exit::Done),
            Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::ClosedOutput),
            Err(fault) => Err(Failure::io(format!("standard output: {}", files::reason(fault.kind())))),
        }
    }

    /// Says how much was read, and what was not.
    fn say_counts(&self, totals: &Totals) {
        let (read, bytes) = (totals.files.load(Ordering::Relaxed), totals.bytes.load(Ordering::Relaxed));
        let secrets = self.job.tally().secrets().len();
        let found = match (self.findings, secrets) {
            (0, _) => "nothing found".to_owned(),
            (1, _) => format!("found 1 secret in {}", counted(self.paths.len() as u64, "file")),
            (count, secrets) => {
                let places = counted(self.paths.len() as u64, "file");
                format!("found {}, {} times, in {places}", counted(secrets as u64, "secret"), grouped(count))
            }
        };
        let mut fields = serde_json::Map::new();
        for (name, value) in [("files", read), ("bytes", bytes), ("findings", self.findings), ("unread", self.troubles)]
        {
            fields.insert(name.to_owned(), value.into());
        }
        fields.insert("event".to_owned(), "scanned".into());
        let said = format!("{found}; read {}, {}", counted(read, "file"), progress::size(bytes));
        self.console.note(&said, fields);
        if self.written > 0 {
            let what = format!("wrote {}, masked", counted(self.written, "file"));
            self.console.note(&what, serde_json::Map::new());
        }
        if self.troubles > 0 {
            let places = counted(self.troubles, "place");
            let some = if self.troubles > TROUBLES_SAID_MAX { ", of which the first were said" } else { "" };
            self.console.error(&format!("{places} could not be read, or not to the end{some}"));
        }
        let out = totals.out_of_time.load(Ordering::Relaxed);
        if out > 0 {
            let what = format!("left out {} outside of --since and --until", counted(out, "finding"));
            self.console.note(&what, serde_json::Map::new());
        }
        for (why, (count, places)) in &self.skipped {
            self.say_skipped(*why, *count, places);
        }
    }

    fn say_skipped(&self, why: Skipped, count: u64, places: &[String]) {
        let number = grouped(count);
        let what = match why {
            Skipped::Binary => format!(
                "left out {} that {} no text (--binary reads them)",
                counted(count, "file"),
                if count == 1 { "is" } else { "are" }
            ),
            Skipped::Journal => format!(
                "left out {} of systemd (journalctl -o export | blackbar scan - reads {})",
                counted(count, "journal"),
                if count == 1 { "it" } else { "them" }
            ),
            Skipped::TooLarge => format!("left out {} larger than --max-size", counted(count, "file")),
            Skipped::Excluded => format!("left out {number} by --exclude"),
            Skipped::Link => format!("left out {}", counted(count, "symbolic link")),
        };
        let more = if count > places.len() as u64 { ", ..." } else { "" };
        let list = if places.is_empty() { String::new() } else { format!(": {}{more}", places.join(", ")) };
        self.console.note(&format!("{what}{list}"), serde_json::Map::new());
    }
}

/// How many places that cannot be read are said one by one.
const TROUBLES_SAID_MAX: u64 = 100;

/// How many files that were left out are named.
const PLACES_SAID_MAX: usize = 3;
