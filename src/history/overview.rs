//! Writes for people what a scan has found: the worst secret first, each with where and since when, and
//! what to do. Does not print.

use std::fmt::Write as _;

use time::OffsetDateTime;

use crate::{
    escape,
    finding::report::{Secret, Secrets, Spot, Where},
    rules::{Confidence, Severity},
};

/// All secrets, one paragraph each. Safe to show on a terminal.
pub fn write(secrets: &Secrets, color: bool) -> String {
    let mut text = String::new();
    for secret in secrets.sorted(Confidence::Low) {
        if !text.is_empty() {
            text.push('\n');
        }
        paragraph(&mut text, secret, color);
    }
    if secrets.left_out() > 0 {
        let _ = writeln!(text, "\nand {} more findings of secrets that are not told apart", secrets.left_out());
    }
    text
}

fn paragraph(text: &mut String, secret: &Secret, color: bool) {
    let rule = secret.rule();
    let severity = rule.severity.as_str();
    let (on, off) = if color { (paint(rule.severity), "\u{1b}[0m") } else { ("", "") };
    let _ = writeln!(text, "{on}{severity}{off}  {}  {}", rule.id, escape::visible(&secret.first.title()));
    let mut row = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<8} {value}");
    };
    row("sample", short(secret.first.context.as_str().trim()));
    let times = if secret.count == 1 { "once".to_owned() } else { format!("{} times", secret.count) };
    let sure = secret.first.confidence.as_str();
    row("found", format!("{times}, confidence {sure}"));
    match &secret.span {
        Some((first, last)) => {
            row("first", format!("{}  {}", moment(first.time), shown(&first.spot)));
            if secret.count > 1 {
                row("last", format!("{}  {}", moment(last.time), shown(&last.spot)));
            }
        }
        None => {
            let place = secret.place.clone();
            row("first", shown(&Spot { place, line: secret.first.line, column: secret.first.column }));
            if secret.count > 1 {
                row("last", shown(&secret.last));
            }
        }
    }
    if secret.places.len() > 1 || secret.more_places {
        for (at, place) in secret.places.iter().take(PLACES_MAX).enumerate() {
            row(if at == 0 { "in" } else { "" }, name(place));
        }
        let more = secret.places.len().saturating_sub(PLACES_MAX);
        if more > 0 {
            let least = if secret.more_places { "at least " } else { "" };
            row("", format!("and {least}{more} more"));
        }
    }
    let page = rule.rotate.as_deref().map(|page| format!(": {page}")).unwrap_or_default();
    row("next", format!("rotate it{page}, then clean or delete these files"));
}

/// What is around a mask, if it is long: each byte of what is no text takes up to eight characters.
fn short(sample: &str) -> String {
    let chars: Vec<char> = sample.chars().collect();
    if chars.len() <= SAMPLE_CHARS_MAX {
        return sample.to_owned();
    }
    let mask = sample.find("[REDACTED").map(|at| sample[..at].chars().count());
    let start = mask.map_or(chars.len() / 2 - SAMPLE_CHARS_MAX / 2, |at| at.saturating_sub(SAMPLE_CHARS_MAX / 3));
    let end = chars.len().min(start + SAMPLE_CHARS_MAX);
    let [before, after] = [start > 0, end < chars.len()].map(|cut| if cut { "..." } else { "" });
    format!("{before}{}{after}", chars[start..end].iter().collect::<String>())
}

fn name(place: &Where) -> String {
    escape::visible(place.name()).into_owned()
}

fn shown(spot: &Spot) -> String {
    format!("{}:{}:{}", name(&spot.place), spot.line, spot.column)
}

fn moment(time: OffsetDateTime) -> String {
    crate::finding::ndjson::timestamp(time)
}

fn paint(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "\u{1b}[1;31m",
        Severity::High => "\u{1b}[31m",
        Severity::Medium => "\u{1b}[33m",
        Severity::Low => "\u{1b}[36m",
    }
}

/// How many files of a secret are named.
const PLACES_MAX: usize = 10;

/// How many characters of a line are shown.
const SAMPLE_CHARS_MAX: usize = 240;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sample_is_cut_around_its_mask() {
        let noise = "\\u{7}".repeat(80);
        let long = short(&format!("{noise}[REDACTED:github-pat]{noise}"));
        assert!(long.contains("[REDACTED:github-pat]") && long.starts_with("...") && long.ends_with("..."), "{long}");
        assert_eq!(long.chars().count(), SAMPLE_CHARS_MAX + 6);
        let other = short(&"\u{20ac}".repeat(400));
        assert_eq!(other.chars().count(), SAMPLE_CHARS_MAX + 6);
        assert_eq!(short("a line with ***"), "a line with ***");
    }
}
