//! Counts findings and says at the end what was found and what to do next. Does not decide what is
//! a secret.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use blackbar::{
    allow::Allow,
    filter::Stats,
    finding::{
        Finding, Place, Taken,
        report::{Secrets, Seen, Where},
    },
    rules::{Confidence, Severity},
};
use serde_json::{Map, Value, json};

use super::{console::Console, guard};

/// How many secrets the next step is said for.
const NEXT_STEPS_MAX: usize = 5;

/// What the process has given up of its rights: ARCHITECTURE.md says why none.
const SANDBOX: &str = "none";

/// What was found in a run.
pub struct Tally {
    alert_confidence: Confidence,
    masked: BTreeMap<String, u64>,
    found: BTreeMap<String, u64>,
    secrets: Secrets,
    worst: Option<Severity>,
    stats: Stats,
    allow: Arc<Allow>,
    /// How often each entry of `allow` held.
    allowed: Vec<u64>,
}

impl Tally {
    /// Nothing found yet. Findings from `alert_confidence` on count for the next steps and for
    /// [`worst`](Self::worst).
    pub fn new(alert_confidence: Confidence) -> Self {
        Self {
            alert_confidence,
            masked: BTreeMap::new(),
            found: BTreeMap::new(),
            secrets: Secrets::default(),
            worst: None,
            stats: Stats::default(),
            allow: Arc::default(),
            allowed: Vec::new(),
        }
    }

    /// Counts what these entries allow apart from the rest.
    pub fn with_allow(mut self, allow: &Arc<Allow>) -> Self {
        self.allow = Arc::clone(allow);
        self.allowed = vec![0; allow.entries().len()];
        self
    }

    /// Counts a finding of the stream `place`; `seen` where findings do not come in order. Returns whether it is to be told: what is allowed is not.
    pub fn add(&mut self, finding: &Finding, place: Place<'_>, seen: Option<Seen>) -> bool {
        let path = if let Place::File(path) | Place::Container(path, _) = place { Some(path) } else { None };
        let silenced = self.allow.silences(&finding.allowed, path);
        if let Some(count) = silenced.and_then(|number| self.allowed.get_mut(usize::from(number))) {
            *count += 1;
        }
        if silenced.is_some() && finding.action == Taken::Alerted {
            return false;
        }
        let counts = match finding.action {
            Taken::Redacted => &mut self.masked,
            Taken::Alerted => &mut self.found,
        };
        match counts.get_mut(&finding.rule.id) {
            Some(count) => *count += 1,
            None => {
                counts.insert(finding.rule.id.clone(), 1);
            }
        }
        if silenced.is_some() {
            return false;
        }
        if !finding.is_canary() {
            match seen {
                Some(seen) => self.secrets.add_seen(finding, place, seen),
                None => self.secrets.add(finding, place),
            }
        }
        if finding.alerts(self.alert_confidence) {
            self.worst = self.worst.max(Some(finding.rule.severity));
        }
        true
    }

    /// What was found, by secret.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Adds the figures of a stream.
    pub fn add_stats(&mut self, stats: &Stats) {
        self.stats.add(stats);
    }

    /// The worst severity among the findings that alert.
    pub fn worst(&self) -> Option<Severity> {
        self.worst
    }

    /// Says what was masked or found, and what to do first. Silent if there was nothing.
    pub fn print_summary(&self, console: &Console) {
        for (verb, counts) in [("masked", &self.masked), ("found", &self.found)] {
            if counts.is_empty() {
                continue;
            }
            let lines = counted(self.stats.lines, "line");
            let mut fields = Map::new();
            fields.insert("event".to_owned(), "summary".into());
            fields.insert(verb.to_owned(), json!(counts));
            fields.insert("lines".to_owned(), self.stats.lines.into());
            console.note(&format!("{verb} {} in {lines}", enumerated(counts)), fields);
        }
        self.print_next_steps(console);
        self.print_allowed(console);
    }

    /// Says how much was allowed, and which entries allowed nothing: they may have served their time.
    pub fn print_allowed(&self, console: &Console) {
        let sum: u64 = self.allowed.iter().sum();
        if sum > 0 {
            let fields = [("event".to_owned(), "allowed".into()), ("secrets".to_owned(), sum.into())];
            console.note(&format!("allowed {}", counted(sum, "secret")), fields.into_iter().collect());
        }
        let unused =
            self.allow.entries().iter().zip(&self.allowed).filter(|(entry, count)| **count == 0 && entry.is_on());
        for (entry, _) in unused {
            let place = match entry.line() {
                0 => entry.origin().to_owned(),
                line => format!("{}:{line}", entry.origin()),
            };
            let fields = [("event".to_owned(), "unused".into()), ("place".to_owned(), place.clone().into())];
            console.note(&format!("{place}: allowed nothing in this run"), fields.into_iter().collect());
        }
    }

    fn print_next_steps(&self, console: &Console) {
        let secrets = self.secrets.sorted(self.alert_confidence);
        for secret in secrets.iter().take(NEXT_STEPS_MAX) {
            let (rule, line) = (secret.rule(), secret.first.line);
            let page = rule.rotate.as_deref().map(|page| format!(" {page}")).unwrap_or_default();
            let times =
                if secret.count == 1 { String::new() } else { format!("{} times, first ", grouped(secret.count)) };
            let (place, path) = match &secret.place {
                Where::Input => ("line ".to_owned(), None),
                Where::File(path) => (format!("{path}:"), Some(path)),
                Where::Output(name) => (format!("{name} line "), None),
            };
            let mut fields = Map::new();
            fields.insert("event".to_owned(), "rotate".into());
            fields.insert("rule".to_owned(), rule.id.as_str().into());
            fields.insert("count".to_owned(), secret.count.into());
            fields.insert("line".to_owned(), line.into());
            let value = secret.first.value_name();
            let texts = [("path", path.map(String::as_str)), ("rotate", rule.rotate.as_deref()), ("value", value)];
            for (name, text) in texts {
                if let Some(text) = text {
                    fields.insert(name.to_owned(), text.into());
                }
            }
            let (line, value) = (grouped(line), value.map(|name| format!(" {name}")).unwrap_or_default());
            console.note(&format!("rotate first: {}{value}{page} ({times}{place}{line})", rule.id), fields);
        }
        let rest = secrets.len().saturating_sub(NEXT_STEPS_MAX);
        if rest > 0 {
            let fields = Map::from_iter([("event".to_owned(), "rotate".into()), ("more".to_owned(), rest.into())]);
            let more = if self.secrets.left_out() == 0 { "" } else { "at least " };
            console.note(&format!("and {more}{} more, with --findings FILE all of them", grouped(rest as u64)), fields);
        }
    }

    /// Says what the run did and what it took.
    pub fn print_stats(&self, console: &Console, elapsed: Duration, jobs: usize) {
        let Stats { bytes_in, bytes_out, lines, ceilings, .. } = self.stats;
        let secrets: BTreeMap<&str, u64> = {
            let mut sums = BTreeMap::new();
            for (id, count) in self.masked.iter().chain(&self.found) {
                *sums.entry(id.as_str()).or_default() += count;
            }
            sums
        };
        let seconds = elapsed.as_secs_f64();
        let rate = if seconds > 0.0 { bytes_in as f64 / seconds / 1e9 } else { 0.0 };
        let jobs_shown = if jobs == 0 { "auto".to_owned() } else { jobs.to_string() };
        let mut rows = vec![
            ("bytes in", grouped(bytes_in)),
            ("bytes out", grouped(bytes_out)),
            ("lines", grouped(lines)),
            ("secrets", grouped(secrets.values().sum())),
        ];
        rows.extend(secrets.iter().map(|(id, count)| (*id, grouped(*count))));
        rows.extend([
            ("ceilings", grouped(ceilings)),
            ("seconds", format!("{seconds:.3}")),
            ("GB/s", format!("{rate:.3}")),
            ("jobs", jobs_shown.clone()),
        ]);
        let dumps = guard::dumps();
        rows.extend([("memory dumps", dumps.to_owned()), ("sandbox", SANDBOX.to_owned())]);
        let peak = memory_peak_kib();
        if let Some(kib) = peak {
            rows.push(("peak memory", format!("{} KiB", grouped(kib))));
        }
        let width = rows.iter().map(|(name, _)| name.len() + 2).max().unwrap_or_default();
        let table: Vec<String> = rows
            .iter()
            .map(|(name, figure)| {
                let name = if secrets.contains_key(name) { format!("  {name}") } else { (*name).to_owned() };
                format!("{name:width$} {figure:>16}")
            })
            .collect();
        let fields = json!({
            "event": "stats", "bytes_in": bytes_in, "bytes_out": bytes_out, "lines": lines,
            "secrets": secrets, "ceilings": ceilings, "seconds": seconds, "jobs": jobs_shown,
            "memory_peak_kib": peak, "memory_dumps": dumps, "sandbox": SANDBOX,
        });
        let Value::Object(mut fields) = fields else {
            return;
        };
        fields.retain(|_, value| !value.is_null());
        console.table(&table, "stats", fields);
    }
}

/// `3 secrets (2 github-pat, 1 generic-password)`, the most frequent first.
fn enumerated(counts: &BTreeMap<String, u64>) -> String {
    let mut parts: Vec<(&String, &u64)> = counts.iter().collect();
    parts.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let list: Vec<String> = parts.iter().map(|(id, count)| format!("{} {id}", grouped(**count))).collect();
    format!("{} ({})", counted(counts.values().sum(), "secret"), list.join(", "))
}

/// `1 line`, `12,345 lines`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// Digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The most memory this process had (KiB), where the system tells.
fn memory_peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_nouns_agree() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1000), "1,000");
        assert_eq!(counted(12_345, "line"), "12,345 lines");
        assert_eq!(counted(1, "secret"), "1 secret");
    }

    #[test]
    fn rules_are_enumerated_the_most_frequent_first() {
        let counts = [("b".to_owned(), 2), ("a".to_owned(), 1), ("c".to_owned(), 2)].into();
        assert_eq!(enumerated(&counts), "5 secrets (2 b, 2 c, 1 a)");
    }
}
