//! Turns a folder of clean logs into false masks by rule. Does not follow symbolic links.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use blackbar::{Engine, Filter, rules::Confidence};

use super::Settings;

/// What one rule did in one kind of log.
#[derive(Default)]
struct Tally {
    masks: usize,
    alerts: usize,
    samples: Vec<String>,
}

/// Prints the false masks of one kind of log.
///
/// # Errors
/// If the folder or one of its files cannot be read.
pub fn report(engine: &Arc<Engine>, path: &Path, settings: &Settings) -> io::Result<()> {
    let (mut rules, mut bytes) = (BTreeMap::new(), 0);
    for file in files(path)? {
        let log = fs::read(&file)?;
        bytes += log.len();
        count(engine, &file, &log, &mut rules, settings);
    }
    let (masks, alerts) = rules.values().fold((0, 0), |(m, a), tally: &Tally| (m + tally.masks, a + tally.alerts));
    let mb = bytes as f64 / 1e6;
    println!(
        "{}: {mb:.1} MB, {masks} masks ({:.1} per 100 MB), {alerts} of high confidence",
        path.display(),
        masks as f64 * 100.0 / mb.max(1e-6),
    );
    let mut rows: Vec<_> = rules.into_iter().collect();
    rows.sort_by_key(|(_, tally)| usize::MAX - tally.masks);
    for (rule, tally) in rows {
        println!("  {:6} {rule} ({} of high confidence)", tally.masks, tally.alerts);
        tally.samples.iter().for_each(|sample| println!("           {sample}"));
    }
    Ok(())
}

fn count(engine: &Arc<Engine>, file: &Path, log: &[u8], rules: &mut BTreeMap<String, Tally>, settings: &Settings) {
    let mut filter = Filter::new(Arc::clone(engine));
    let mut findings = Vec::new();
    for piece in log.chunks(PIECE_BYTES) {
        let _ = filter.push(piece).len();
        findings.extend(filter.take_findings());
    }
    let _ = filter.finish().len();
    findings.extend(filter.take_findings());
    for finding in findings {
        let tally = rules.entry(finding.rule.id.clone()).or_default();
        tally.masks += 1;
        tally.alerts += usize::from(finding.alerts(Confidence::High));
        if tally.samples.len() < settings.samples {
            let mut sample = format!("{}:{}: {}", file.display(), finding.line, finding.context.as_str());
            if settings.raw {
                let (from, length) = (finding.offset as usize, finding.length as usize);
                let secret = log.get(from..from + length.min(RAW_BYTES_MAX)).unwrap_or_default();
                sample += &format!("   <= {} {}", finding.confidence, secret.escape_ascii());
            }
            tally.samples.push(sample);
        }
    }
}

/// All files at and below a path, in a fixed order.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut open, mut found) = (vec![path.to_owned()], Vec::new());
    while let Some(path) = open.pop() {
        let kind = fs::symlink_metadata(&path)?.file_type();
        if kind.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        } else if kind.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

const PIECE_BYTES: usize = 1 << 20;
const RAW_BYTES_MAX: usize = 120;
