//! `blackbar run [OPTIONS] -- CMD ...`: runs a command with its outputs filtered, and ends as it
//! ended. The bytes themselves stay in the library.

use std::{
    env,
    ffi::OsString,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use blackbar::{
    KnownValues,
    finding::{Finding, Place},
    names::Names,
    pipeline::{OnError, PipelineError},
    run::{self, Command, Ended, Filters, RunError, Stream, socket},
    scan::known::{self, Refused},
    secret::Secret,
    service::SourceKind,
};
use zeroize::Zeroizing;

use super::{
    RUN_FAILED,
    console::Console,
    exit::{Exit, Failure},
    files, guard,
    job::{self, Job},
    keys, secrets, service,
    settings::Settings,
};

/// Runs the command.
pub fn run(settings: &Settings, words: Vec<OsString>, console: &Console) -> Result<Exit, Failure> {
    let mut words = words.into_iter();
    let program = words.next().ok_or_else(|| Failure::usage("a command is missing"))?;
    let mut command = Command {
        program,
        arguments: words.collect(),
        without: keys::SECRET_VARIABLES.iter().map(OsString::from).collect(),
        with: Vec::new(),
        without_descriptor: settings.given_number("secret-fd").and_then(|number| i32::try_from(number).ok()),
        no_pty: settings.switch("no-pty"),
        drain: settings.drain(),
    };
    if !OWN_FILTER.iter().any(|name| settings.is_option(name)) && run::is_nested() && hand_over(settings)? {
        // Our standard error goes through the filter of the run around us.
        let name = files::shown(Path::new(&command.program));
        return Err(not_run(&name, run::replace(&command)));
    }
    let has_terminal = run::has_terminal() && !command.no_pty;
    let known = secrets::load(settings, true, console)?;
    guard::hide_memory();
    add_own(&known);
    let engine = job::engine(settings, known.clone(), has_terminal, console)?;
    let job = Arc::new(Mutex::new(Job::open(settings, &engine, false)?));
    // What is typed must be seen at once.
    let mut pipeline = job::pipeline(settings, "withhold", if has_terminal { 0 } else { 50 });
    let serving = service::start(settings, &engine, console)?;
    if let Some(serving) = &serving {
        // Each output says of itself what kind it is.
        pipeline.metrics = Some((Arc::clone(&serving.service.metrics), SourceKind::Both));
        serving.service.health.started();
    }
    let on_error = pipeline.on_error;
    let filters = Filters { engine, settings: pipeline, on_finding: collector(&job), outlets: Arc::default() };
    let failed = |fault: RunError| Failure::io(fault.to_string());
    let add = Arc::new(move |name: &str, value: &Secret| added(known.add(name, value.expose())));
    let server = socket::Server::open(Arc::clone(&filters.outlets), add).map_err(failed)?;
    command.with.push((socket::VARIABLE.into(), server.path().into()));
    let started = Instant::now();
    let ended = run::run(&command, &filters).map_err(|fault| {
        // What was meant to be an argument may be a secret.
        let name = Names::new(Arc::clone(&filters.engine)).shown(command.program.as_encoded_bytes());
        not_run(&name, fault)
    })?;
    drop(server);
    // No other thread is left that could hold it for long, or it panicked in between.
    let mut job = job.lock().unwrap_or_else(PoisonError::into_inner);
    tell(&ended, &mut job, on_error, console);
    let own = job.end(settings, console, started.elapsed());
    Ok(match own {
        Exit::Failed if ended.code == 0 => Exit::Code(RUN_FAILED),
        Exit::Findings(code) if ended.code == 0 => Exit::Code(code),
        _ => Exit::Code(ended.code),
    })
}

/// Options with which a `run` inside a `run` has a filter of its own all the same: what they ask for
/// is more than the other one does.
const OWN_FILTER: &[&str] =
    &["enable", "entropy", "fail-on", "findings", "metrics", "only", "rules", "secret-min-length", "secret-weak"];

/// Tells the values that we would mask to the run around us. Whether all arrived.
fn hand_over(settings: &Settings) -> Result<bool, Failure> {
    let mut arrived = true;
    secrets::each(settings, true, &mut |name, value| {
        arrived &= socket::add(name, &Secret::new(value)).is_some();
        // The run around us says what it leaves.
        Ok(known::Added::New)
    })?;
    Ok(arrived)
}

/// Masks our own secrets, which the command does not get.
fn add_own(known: &KnownValues) {
    for name in keys::SECRET_VARIABLES {
        if let Some(value) = env::var_os(name) {
            let value = Zeroizing::new(value.into_encoded_bytes());
            // One that is too weak to be masked is refused where it is used.
            let _ = known.add(name, &value);
        }
    }
}

/// What is said of a value that came over the socket.
fn added(answer: Result<known::Added, Refused>) -> socket::Added {
    match answer {
        Ok(known::Added::New | known::Added::Known) => socket::Added::Added,
        Ok(known::Added::Partly) => socket::Added::Partly,
        Err(Refused::Empty { .. } | Refused::TooShort { .. }) => socket::Added::TooShort,
        Err(Refused::Guessable { .. }) => socket::Added::Guessable,
        Err(Refused::TooLong { .. }) => socket::Added::TooLong,
        Err(Refused::TooMany { .. }) => socket::Added::TooMany,
    }
}

/// Hands findings of all threads to the job.
fn collector(job: &Arc<Mutex<Job>>) -> Arc<dyn Fn(Stream, Finding) + Send + Sync> {
    let job = Arc::clone(job);
    Arc::new(move |stream, finding| {
        let mut job = job.lock().unwrap_or_else(PoisonError::into_inner);
        job.add(&finding, Place::Output(stream.name()));
    })
}

/// Says what became of the outputs, where it is not what was to be expected.
fn tell(ended: &Ended, job: &mut Job, on_error: OnError, console: &Console) {
    for filtered in &ended.streams {
        let name = filtered.stream.name();
        match &filtered.result {
            Some(Ok(stats)) => job.add_stats(stats, on_error, console),
            // The command has learnt of it by a signal, as it would have without us.
            Some(Err(PipelineError::ClosedOutput)) | None => {}
            Some(Err(PipelineError::Read(kind) | PipelineError::Write(kind))) => {
                console.error(&format!("{name}: {}; the rest of it is not shown", files::reason(*kind)));
                job.fail();
            }
            Some(Err(PipelineError::Internal { stage })) => {
                console.error(&format!("internal error in {stage}: {name} stops before what was not scanned"));
                job.fail();
            }
        }
        if filtered.cut {
            console.error(&format!(
                "{name}: a process that the command left behind has it open still; what it writes from here on is \
                 not shown"
            ));
        }
    }
}

/// Why the command does not run. Its name is shown, as shells do it; its arguments never are.
fn not_run(name: &str, fault: RunError) -> Failure {
    let message = match fault {
        RunError::System { .. } => fault.to_string(),
        RunError::NotExecutable(kind) => format!("{name}: cannot be executed: {}", files::reason(kind)),
        RunError::NotFound => format!("{name}: no such program"),
    };
    Failure { exit: Exit::Code(fault.code()), message: Some(message) }
}
