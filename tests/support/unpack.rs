//! Opens bytes as `scan` opens a file, however they are packed inside each other. Does not look for anything in them.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use blackbar::{
    history::{self, Event, Excludes, Plan, Totals, Trouble},
    rules::RuleSet,
    scan::{Engine, Entropy, Mode, Options},
};

/// The most that a file of some bytes is unpacked to, all layers together, and a read more.
const UNPACKED_BYTES_MAX: u64 = (64 << 20) + (1 << 20);

/// Reads them to their end.
///
/// # Panics
/// If an error of the program's own is told, or more was unpacked than a bomb may unpack to.
pub fn unpack(data: &[u8]) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("blackbar-unpack-{}-{number}", std::process::id()));
    fs::write(&path, data).unwrap();
    let engine = |mode| {
        let options = Options { mode, entropy: Entropy::Off, ..Options::default() };
        Arc::new(Engine::new(RuleSet::empty(), options).unwrap())
    };
    let plan = Plan {
        engine: engine(Mode::Alert),
        names: engine(Mode::Redact),
        roots: vec![path.clone().into_os_string()],
        excludes: Excludes::new(&[]).unwrap(),
        size_max: None,
        since: None,
        until: None,
        binary: true,
        target: None,
        force: false,
        jobs: 1,
    };
    let totals = Totals::default();
    let mut failed = false;
    history::run(&plan, &totals, &mut |event| {
        failed |= matches!(event, Event::Trouble { trouble: Trouble::Internal, .. });
    });
    let _ = fs::remove_file(&path);
    assert!(!failed, "an internal error");
    let unpacked = totals.stats().bytes_in;
    let most = UNPACKED_BYTES_MAX.max(1000 * data.len() as u64);
    assert!(unpacked <= most, "{} bytes became {unpacked}", data.len());
}
