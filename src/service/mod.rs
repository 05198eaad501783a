//! Tells other programs how blackbar does: counters, and whether it is alive and ready. Does not
//! filter, and nothing here can hold up what does: counting is one atomic addition, and clients are
//! served by a thread of their own, within bounds.
//!
//! [`metrics`] counts; [`health`] knows whether the process has started and whether its filter
//! masks; [`pulse`] knows which threads are at work; [`exposition`] writes all as Prometheus reads them; [`server`] answers over HTTP.

pub mod exposition;
pub mod health;
pub mod metrics;
pub mod pulse;
#[cfg(unix)]
pub mod server;

use std::sync::Arc;

#[cfg(unix)]
pub use self::server::Server;
pub use self::{
    health::Health,
    metrics::{Cause, Meter, Metrics, SourceKind, Turn},
    pulse::{Pulse, Pulses, Work},
};
use crate::scan::Engine;

/// What a process tells about itself. One a process, shared by all that works in it.
#[derive(Debug)]
pub struct Service {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether it is alive and ready.
    pub health: Health,
}

impl Service {
    /// A service whose streams are filtered by `engine`.
    pub fn new(engine: &Arc<Engine>) -> Arc<Service> {
        let metrics = Arc::new(Metrics::default());
        let health = Health::new(Arc::clone(&metrics.pulses));
        let service = Service { metrics, health };
        service.follow(engine);
        Arc::new(service)
    }

    /// From now on streams are filtered by this engine: at the start, and after a reload.
    pub fn follow(&self, engine: &Arc<Engine>) {
        self.metrics.know_rules(engine.rules());
        self.health.follow(engine);
    }
}
