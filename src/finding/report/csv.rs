//! Writes a report as CSV (RFC 4180) that a spreadsheet can open without harm.
//!
//! A cell that begins like a formula is one to a spreadsheet, whoever wrote the log it comes from.
//! Such cells get an apostrophe in front; control and bidi characters are escaped.

use super::Secrets;
use crate::{escape, finding::ndjson, rules::Confidence};

const COLUMNS: &[&str] = &[
    "severity",
    "rule",
    "name",
    "confidence",
    "action",
    "count",
    "in",
    "line",
    "column",
    "length",
    "last in",
    "last line",
    "fingerprint",
    "rotate",
    "context",
    "first seen",
    "last seen",
];

/// The whole report.
pub fn write(secrets: &Secrets) -> Vec<u8> {
    let mut text = row(COLUMNS.iter().map(|name| (*name).to_owned()));
    for secret in secrets.sorted(Confidence::Low) {
        let (rule, first) = (secret.rule(), &secret.first);
        let seen = secret.span.as_ref().map(|(first, last)| [first, last].map(|dated| ndjson::timestamp(dated.time)));
        let [first_seen, last_seen] = seen.unwrap_or_default();
        text.push_str(&row([
            rule.severity.as_str().to_owned(),
            rule.id.clone(),
            first.title(),
            first.confidence.as_str().to_owned(),
            first.action.as_str().to_owned(),
            secret.count.to_string(),
            secret.place.name().to_owned(),
            first.line.to_string(),
            first.column.to_string(),
            first.length.to_string(),
            secret.last.place.name().to_owned(),
            secret.last.line.to_string(),
            first.fingerprint.to_string(),
            rule.rotate.clone().unwrap_or_default(),
            first.context.as_str().to_owned(),
            first_seen,
            last_seen,
        ]
        .into_iter()));
    }
    text.into_bytes()
}

fn row(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|text| cell(&text)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell that is shown as it is. Spreadsheets take `=`, `+`, `-` and `@` for the beginning of a
/// formula, also behind white space, and their full-width forms:
/// <https://owasp.org/www-community/attacks/CSV_Injection>.
fn cell(text: &str) -> String {
    let shown = escape::visible(text);
    let first = shown.trim_start().chars().next();
    let formula = first.is_some_and(|first| "=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(first));
    let apostrophe = if formula { "'" } else { "" };
    let quoted = formula || shown.contains(['"', ',', ';', '\n', '\r', '\t']) || shown.trim() != shown;
    if quoted { format!("\"{apostrophe}{}\"", shown.replace('"', "\"\"")) } else { shown.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_early() {
        let starts = ["=", "+", "-", "@", " =", "\t=", "\r=", "\n@", "\u{ff1d}", "\u{200b}=", "\u{a0}="];
        let bodies = ["1+1", "cmd|' /C calc'!A0", "HYPERLINK(\"http://x\")", "a,b\"c", "a\r\nb", "\u{1b}]52;c;x\u{7}"];
        for text in starts.iter().flat_map(|start| bodies.iter().map(move |body| format!("{start}{body}"))) {
            let cell = cell(&text);
            assert!(!escape::visible(&cell).contains("\\u{1b}") || !cell.contains('\u{1b}'), "{cell:?}");
            let inner = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"')).unwrap_or(&cell);
            assert!(!inner.replace("\"\"", "").contains('"'), "{cell:?}");
            let first = inner.trim_start().chars().next().unwrap_or_default();
            assert!(!"=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}\t\r\n".contains(first), "{cell:?}");
            assert!(!cell.contains(escape::misleads), "{cell:?}");
        }
    }

    #[test]
    fn plain_cells_stay_as_they_are() {
        assert_eq!(row(["a".to_owned(), "1".to_owned(), "x y".to_owned()].into_iter()), "a,1,x y\r\n");
    }
}
