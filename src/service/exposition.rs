//! Writes what was counted in Prometheus' text format, version 0.0.4. Does not count.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>. Units are base units and stand at
//! the end of a name; counters end in `_total`. Secrets have a line only where some were found: there
//! are hundreds of rules, and a sidecar beside each container.

use std::fmt::{Display, Write as _};

use super::{
    Service,
    metrics::{BUCKETS_US, CONFIDENCES, Cause, Turn},
};

/// The type of the text: `Content-Type` of HTTP.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics of a service. Whether it is ready is tried now.
pub fn write(service: &Service) -> String {
    let metrics = &service.metrics;
    let mut page = Page { text: String::with_capacity(16 << 10) };
    page.head("build_info", "gauge", "Which blackbar runs, with which rules.");
    let digest = service.health.rules_digest();
    page.line("build_info", &[("version", env!("CARGO_PKG_VERSION")), ("rules_digest", &digest)], 1);
    page.gauge("start_time_seconds", "When it was started, in seconds since 1970.", metrics.start);
    let ready = u8::from(service.health.ready().is_ok());
    page.gauge("ready", "1 if /readyz says so: the canary token is masked by the filter in use.", ready);

    page.counter("input_bytes_total", "Bytes that were read.", metrics.input_bytes.get());
    page.counter("output_bytes_total", "Clean bytes that were written.", metrics.output_bytes.get());
    page.counter("lines_total", "Lines that were scanned.", metrics.lines.get());

    page.head("secrets_total", "counter", "Secrets that were found, by rule and kind of stream.");
    metrics.secrets(|rule, source, count| {
        page.line("secrets_total", &[("rule", rule), ("source", source.as_str())], count);
    });
    page.head("masked_total", "counter", "Secrets that were masked, by how sure the filter was.");
    for confidence in CONFIDENCES {
        let count = metrics.masked[confidence as usize].get();
        page.line("masked_total", &[("confidence", confidence.as_str())], count);
    }
    let help = "Values that were masked because they are longer than any bound.";
    page.counter("over_long_values_total", help, metrics.over_long.get());
    let help = "Bytes that were withheld unscanned after an internal error.";
    page.counter("withheld_bytes_total", help, metrics.withheld_bytes.get());
    let help = "Bytes that were gone before they could be read: truncated, or deleted.";
    page.counter("lost_bytes_total", help, metrics.lost_bytes.get());

    let help = "Bytes that were read and have not left yet: what follows may change them.";
    page.gauge("held_bytes", help, metrics.held_bytes.get());
    page.gauge("lag_bytes", "Bytes that are there to be read.", metrics.lag_bytes.get());
    let help = "For how long the oldest byte that was not read yet has been there.";
    page.gauge("lag_seconds", help, metrics.lag_ms.get() as f64 / 1e3);
    page.gauge("queue_blocks", "Blocks that wait between two threads.", metrics.queue.get());
    page.gauge("files", "Files that are followed.", metrics.files.get());
    page.gauge("open_files", "Files that are followed and open.", metrics.files_open.get());

    page.head("errors_total", "counter", "What went wrong, by kind.");
    for cause in Cause::ALL {
        page.line("errors_total", &[("kind", cause.as_str())], metrics.errors[cause as usize].get());
    }
    page.head("rotations_total", "counter", "Files that were rotated, by how.");
    for turn in Turn::ALL {
        page.line("rotations_total", &[("kind", turn.as_str())], metrics.rotations[turn as usize].get());
    }
    page.head("reloads_total", "counter", "Reloads of rules and values. One that failed left the old ones in force.");
    page.line("reloads_total", &[("result", "ok")], metrics.reloads_ok.get());
    page.line("reloads_total", &[("result", "failed")], metrics.reloads_failed.get());
    page.scan_duration(service);
    page.text
}

/// A page that grows.
struct Page {
    text: String,
}

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        debug_assert!(!help.contains(['\\', '\n']), "escapes are not needed in our own words");
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "# HELP blackbar_{name} {help}\n# TYPE blackbar_{name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.text, "blackbar_{name}");
        for (at, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.text, "{}{label}=\"{}\"", if at == 0 { '{' } else { ',' }, escaped(text));
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, "counter", help);
        self.line(name, &[], value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, "gauge", help);
        self.line(name, &[], value);
    }

    fn scan_duration(&mut self, service: &Service) {
        self.head("scan_duration_seconds", "histogram", "How long calls of the filter took.");
        let (cumulative, sum) = service.metrics.scan.get();
        for (bound, count) in BUCKETS_US.iter().zip(cumulative) {
            let bound = (*bound as f64 / 1e6).to_string();
            self.line("scan_duration_seconds_bucket", &[("le", &bound)], count);
        }
        let all = cumulative[BUCKETS_US.len()];
        self.line("scan_duration_seconds_bucket", &[("le", "+Inf")], all);
        self.line("scan_duration_seconds_sum", &[], sum.as_secs_f64());
        self.line("scan_duration_seconds_count", &[], all);
    }
}

/// The value of a label: a user's rule may be called anything.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_are_escaped_so_that_no_line_can_be_made_up() {
        let mut page = Page { text: String::new() };
        page.line("x_total", &[("rule", "a\"} 1\nblackbar_y \\"), ("source", "file")], 2);
        assert_eq!(page.text, "blackbar_x_total{rule=\"a\\\"} 1\\nblackbar_y \\\\\",source=\"file\"} 2\n");
        assert_eq!(page.text.lines().count(), 1);
    }
}
