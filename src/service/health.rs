//! Knows whether the process has started, whether it is alive, and whether its filter masks. Does not
//! answer over the network.
//!
//! That the filter masks is tried, not assumed: the inert canary token goes through a filter of the
//! engine in use, and must not come out of it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use crate::{
    Filter,
    finding::{CANARY_RULE, Taken},
    limits::FILTER_MS_MAX,
    pipeline::signals,
    scan::Engine,
};

use super::pulse::Pulses;

/// The token that is put through the filter. Whole, it stands nowhere in the program's text, so that
/// no scanner of this repository trips on it.
const CANARY: [&str; 2] = ["blackbar_canary_", "aB3dE6gH9jK2mN5pQ8sT1vW4"];

/// For how long an answer holds: whoever asks without rest must not keep a core busy.
const ANSWER_HOLDS: Duration = Duration::from_secs(1);

/// The health of a process.
#[derive(Default)]
pub struct Health {
    started: AtomicBool,
    draining: AtomicBool,
    pulses: Arc<Pulses>,
    filter: Mutex<InUse>,
}

/// The engine in use, and what the last trial of it said.
#[derive(Default)]
struct InUse {
    engine: Option<Arc<Engine>>,
    tried: Option<(Instant, Result<(), Unready>)>,
}

/// Why a process is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unready {
    /// Its inputs are not open yet.
    #[error("starting")]
    Starting,
    /// It drains what has arrived, and ends.
    #[error("draining")]
    Draining,
    /// A thread that it cannot do without has ended by a panic.
    #[error("failed")]
    Failed,
    /// A call of the filter takes longer than any does.
    #[error("stuck")]
    Stuck,
    /// The canary token came out of the filter, or the filter failed on it.
    #[error("the canary token is not masked")]
    Unmasked,
}

impl Health {
    /// Of a process whose threads these are.
    pub fn new(pulses: Arc<Pulses>) -> Health {
        Health { pulses, ..Health::default() }
    }

    /// From now on streams are filtered by this engine.
    pub fn follow(&self, engine: &Arc<Engine>) {
        *self.in_use() = InUse { engine: Some(Arc::clone(engine)), tried: None };
    }

    /// The inputs are open: what is written to them from now on is filtered.
    pub fn started(&self) {
        self.started.store(true, Relaxed);
    }

    /// No more is taken than what has arrived; as after SIGTERM, of which nobody need be told.
    pub fn draining(&self) {
        self.draining.store(true, Relaxed);
    }

    /// Whether it has started.
    ///
    /// # Errors
    /// [`Unready::Starting`] if not.
    pub fn startup(&self) -> Result<(), Unready> {
        if self.started.load(Relaxed) { Ok(()) } else { Err(Unready::Starting) }
    }

    /// Whether it is worth keeping: a process that drains is, and one whose output takes nothing; not one of which
    /// a thread has failed, or is stuck in the filter.
    ///
    /// # Errors
    /// [`Unready::Failed`] or [`Unready::Stuck`] if not.
    pub fn live(&self) -> Result<(), Unready> {
        if self.pulses.dead() {
            return Err(Unready::Failed);
        }
        if self.pulses.stuck(Duration::from_millis(FILTER_MS_MAX)) { Err(Unready::Stuck) } else { Ok(()) }
    }

    /// Whether it has started, goes on, and masks.
    ///
    /// # Errors
    /// Why not.
    pub fn ready(&self) -> Result<(), Unready> {
        self.live()?;
        self.startup()?;
        if self.draining.load(Relaxed) || signals::draining() {
            return Err(Unready::Draining);
        }
        let mut in_use = self.in_use();
        if let Some((at, answer)) = in_use.tried
            && at.elapsed() < ANSWER_HOLDS
        {
            return answer;
        }
        let masks = in_use.engine.as_ref().is_some_and(masks_canary);
        let answer = if masks { Ok(()) } else { Err(Unready::Unmasked) };
        in_use.tried = Some((Instant::now(), answer));
        answer
    }

    /// The digest of the rules in use; empty if there are none yet.
    pub fn rules_digest(&self) -> String {
        self.in_use().engine.as_ref().map(|engine| engine.rules().digest()).unwrap_or_default()
    }

    fn in_use(&self) -> std::sync::MutexGuard<'_, InUse> {
        self.filter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").field("started", &self.started).field("pulses", &self.pulses).finish_non_exhaustive()
    }
}

/// Puts the canary through a filter. Where the user wants secrets reported and not masked, it must be
/// reported; where the rule of the canary was taken out, that the filter works is all that shows.
fn masks_canary(engine: &Arc<Engine>) -> bool {
    let line = format!("{}\n", CANARY.concat());
    let tried = catch_unwind(AssertUnwindSafe(|| {
        let mut filter = Filter::new(Arc::clone(engine));
        let mut output = filter.push(line.as_bytes()).to_vec();
        output.extend(filter.finish().to_vec());
        (output, filter.take_findings())
    }));
    let Ok((output, findings)) = tried else { return false };
    let came_out = output == line.as_bytes();
    match findings.iter().find(|finding| finding.rule.id == CANARY_RULE) {
        Some(finding) => !came_out || finding.action == Taken::Alerted,
        None => engine.rules().get(CANARY_RULE).is_none() || !came_out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        RuleSet,
        scan::{Mode, Options},
    };

    fn engine(options: Options) -> Arc<Engine> {
        Arc::new(Engine::new(RuleSet::builtin().unwrap(), options).unwrap())
    }

    #[test]
    fn a_process_is_ready_from_its_start_to_its_draining() {
        let pulses = Arc::<Pulses>::default();
        let health = Health::new(Arc::clone(&pulses));
        health.follow(&engine(Options::default()));
        assert_eq!((health.startup(), health.ready()), (Err(Unready::Starting), Err(Unready::Starting)));
        health.started();
        assert_eq!((health.startup(), health.live(), health.ready()), (Ok(()), Ok(()), Ok(())));
        health.draining();
        assert_eq!((health.startup(), health.live(), health.ready()), (Ok(()), Ok(()), Err(Unready::Draining)));
        let pulse = pulses.begin();
        let thread = std::thread::spawn(move || {
            let _pulse = pulse;
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(thread.join().is_err());
        assert_eq!((health.live(), health.ready()), (Err(Unready::Failed), Err(Unready::Failed)));
    }

    #[test]
    fn without_a_filter_a_process_is_not_ready() {
        let health = Health::default();
        health.started();
        assert_eq!(health.ready(), Err(Unready::Unmasked));
    }

    #[test]
    fn the_canary_must_be_masked_or_where_nothing_is_masked_reported() {
        assert!(masks_canary(&engine(Options::default())));
        assert!(masks_canary(&engine(Options { mode: Mode::Alert, ..Options::default() })));
        let mut rules = RuleSet::builtin().unwrap();
        rules.select(&[], &[], &[CANARY_RULE.to_owned()]).unwrap();
        assert!(masks_canary(&Arc::new(Engine::new(rules, Options::default()).unwrap())));
    }

    #[test]
    fn a_rule_for_the_canary_that_does_not_find_it_is_noticed() {
        let mut rules = RuleSet::empty();
        let rule = "[[rule]]\nid = 'blackbar-canary'\nname = 'Canary'\nseverity = 'low'\npattern = 'nothing_[0-9]{24}'\n\
                    reference = 'https://example.org/'\nexamples = ['nothing_{digit:24}', 'x nothing_{digit:24}']\n\
                    counterexamples = ['a', 'b']\nsince = '0.1.0'\n";
        rules.add(rule, "test", "test").unwrap();
        assert!(!masks_canary(&Arc::new(Engine::new(rules, Options::default()).unwrap())));
    }
}
