//! Turns a report of findings into the fingerprints in it. Does not compare them with anything.

use serde::Deserialize;

use super::same_key;
use crate::finding::{Fingerprint, FingerprintKey};

/// The fields of a finding that a baseline needs; see `schema/finding.schema.json`.
#[derive(Deserialize)]
struct Line {
    blackbar: Own,
}

#[derive(Deserialize)]
struct Own {
    fingerprint: String,
    key_id: String,
}

/// A report of `--report json`, as far as a baseline needs it.
#[derive(Deserialize)]
struct Report {
    secrets: Vec<Line>,
}

/// The fingerprints of findings in NDJSON, or of a report in JSON. The error is a line, from 1, and what is wrong with it.
pub fn read(text: &str, key: &FingerprintKey) -> Result<Vec<Fingerprint>, (usize, &'static str)> {
    let mut fingerprints = Vec::new();
    if let Ok(report) = serde_json::from_str::<Report>(text) {
        for Line { blackbar: own } in report.secrets {
            same_key(&own.key_id, key).map_err(|reason| (1, reason))?;
            fingerprints.push(Fingerprint::parse(&own.fingerprint).ok_or((1, "not a fingerprint"))?);
        }
        return Ok(fingerprints);
    }
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let Ok(Line { blackbar: own }) = serde_json::from_str(line) else {
            return Err((number, "not a finding: a baseline is a file of --findings, or a report in JSON"));
        };
        let fingerprint = Fingerprint::parse(&own.fingerprint).ok_or((number, "not a fingerprint"))?;
        same_key(&own.key_id, key).map_err(|reason| (number, reason))?;
        fingerprints.push(fingerprint);
    }
    Ok(fingerprints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_of_this_key_are_read_and_others_refused() {
        let key = FingerprintKey::from_bytes(b"one key");
        let print = key.fingerprint(b"x");
        let line =
            |id: &str| format!("{{\"blackbar\":{{\"fingerprint\":\"{print}\",\"key_id\":\"{id}\",\"line\":1}}}}\n");
        assert_eq!(read(&line(&key.id()), &key), Ok(vec![print]));
        assert_eq!(read("\n", &key), Ok(Vec::new()));
        let other = format!("{}{}", line(&key.id()), line("0000"));
        assert_eq!(read(&other, &key), Err((2, "the fingerprint was made with another key")));
        assert!(matches!(read("{}", &key), Err((1, _))));
        let report = |id: &str| format!("{{\"schema\":1,\"secrets\":[{}]}}", line(id));
        assert_eq!(read(&report(&key.id()), &key), Ok(vec![print]));
        assert_eq!(read(&report("0000"), &key), Err((1, "the fingerprint was made with another key")));
    }
}
