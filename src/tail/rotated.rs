//! Tells from names and times which files had a name before others. Does not open them.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{begin::came, discovery::Candidate};

/// A name that known files had.
pub struct Last {
    /// Where it leads.
    pub real: PathBuf,
    /// When it was seen last (seconds since 1970).
    pub seen: u64,
}

/// Files that had the names after those that are known.
pub fn between<'a>(
    last: &BTreeMap<PathBuf, Last>,
    files: impl Iterator<Item = &'a (PathBuf, fs::Metadata)>,
) -> Vec<Candidate> {
    let candidate = |(real, about): &(PathBuf, fs::Metadata)| {
        let is_of = |(_, last): &(&PathBuf, &Last)| {
            // It is in whole seconds.
            let since = Duration::from_secs(last.seen.saturating_sub(1));
            last.real.parent() == real.parent() && has_followed(&last.real, since, real, about)
        };
        let (name, _) = last.iter().find(is_of)?;
        Some(Candidate { name: name.clone(), real: real.clone(), about: about.clone(), named: false })
    };
    files.filter_map(candidate).collect()
}

/// Whether a file had a name after those that are known, seen last at `since`, and was rotated as well: `app.log.1` and
/// `app.log-20261120` may have been `app.log`, and were if they came to be when that was not followed any more.
pub fn has_followed(name: &Path, since: Duration, path: &Path, about: &fs::Metadata) -> bool {
    is_rotated(name, path) && about.is_file() && came(about) >= since
}

/// The names from which a rotated file may have got its name, the longest first.
pub fn stems(path: &Path) -> impl Iterator<Item = PathBuf> {
    let name = path.file_name().unwrap_or_default();
    let length = name.len();
    (1..length).rev().filter_map(move |at| {
        let stem = path.with_file_name(OsStr::from_bytes(&name.as_bytes()[..at]));
        is_rotated(&stem, path).then_some(stem)
    })
}

/// Whether a name is one that a rotated file gets.
pub fn is_rotated(name: &Path, path: &Path) -> bool {
    let (Some(old), Some(new)) = (name.file_name(), path.file_name()) else { return false };
    let rest = new.as_encoded_bytes().strip_prefix(old.as_encoded_bytes());
    rest.is_some_and(|rest| {
        matches!(rest, [b'.' | b'-', b'0'..=b'9', ..])
            && rest.iter().all(|byte| byte.is_ascii_digit() || b".-_:T".contains(byte))
    })
}
