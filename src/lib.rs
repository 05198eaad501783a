//! blackbar masks secrets in logs while they stream past.
//!
//! ```text
//! source -> filter (lines) -> view -> scan (prefilter -> verify -> judge) -> redact -> sink
//!                                      |
//!                                      v
//!                                   Finding
//! ```
//!
//! The rooms stand in the order of a byte's journey. The [`filter`] cuts a stream into lines;
//! [`view`] makes of a line the texts that a person could read in it; [`scan`] finds secrets in
//! them; [`redact`] puts masks in their place. These rooms do no I/O. The [`pipeline`] connects a
//! [`source`] to a filter and the filter to a [`sink`]; findings leave by the side ([`finding`]).
//! What is looked for is data ([`rules`]). [`history`] reads what was logged before.
//!
//! `ARCHITECTURE.md` has the invariants that hold between them.

pub mod allow;
pub mod error;
pub mod escape;
pub mod filter;
pub mod finding;
pub mod history;
pub mod limits;
pub mod names;
pub mod pipeline;
pub mod redact;
pub mod rules;
#[cfg(unix)]
pub mod run;
pub mod scan;
pub mod secret;
pub mod service;
pub mod sink;
pub mod source;
#[cfg(unix)]
pub mod tail;
pub mod view;

pub use error::{RuleError, SetupError};
pub use filter::{Filter, Stats};
pub use rules::RuleSet;
pub use scan::{Engine, Options, known::KnownValues};
