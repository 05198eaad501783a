//! Turns the paths that the user gave into files. Does not open files, and follows no symbolic link
//! that was not given itself: its target is read where it lies, if it lies below a given path.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
};

use regex_automata::meta::Regex;

use crate::allow;

/// What walking comes upon.
pub enum Step {
    /// A file that is to be read; [`STDIN`] is standard input. Whether the user named it, or it was found
    /// in a folder.
    File(PathBuf, bool),
    /// A folder or a path that cannot be read.
    Unreadable(PathBuf, io::ErrorKind),
    /// A symbolic link inside a folder.
    Link,
    /// Something that the user leaves out.
    Excluded,
}

/// What stands for standard input.
pub const STDIN: &str = "-";

/// Names and paths that the user leaves out.
#[derive(Default)]
pub struct Excludes {
    names: Vec<Regex>,
    paths: Vec<Regex>,
}

impl Excludes {
    /// Reads globs. One without a slash speaks of names of files and folders anywhere, one with a slash
    /// of whole paths, or of their ends. The error is the number of the one that is not right.
    pub fn new(globs: &[String]) -> Result<Self, usize> {
        let mut excludes = Excludes::default();
        for (at, glob) in globs.iter().enumerate() {
            let glob = glob.trim_end_matches('/');
            let is_path = glob.contains('/');
            let whole = match glob.strip_prefix('/') {
                Some(_) => glob.to_owned(),
                None if is_path => format!("**/{}", glob.trim_start_matches("./")),
                None => glob.to_owned(),
            };
            let regex = allow::glob(&whole).map_err(|_| at + 1)?;
            if is_path { excludes.paths.push(regex) } else { excludes.names.push(regex) }
        }
        Ok(excludes)
    }

    /// Whether a file or folder of this path is left out. Paths inside archives count like others.
    pub fn cover(&self, path: &[u8]) -> bool {
        let path = path.strip_prefix(b"./").unwrap_or(path);
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        self.names.iter().any(|glob| glob.is_match(name)) || self.paths.iter().any(|glob| glob.is_match(path))
    }
}

/// Walks paths, files, folders and globs, in the order given, inside folders by name. `take` says
/// whether to go on.
pub fn walk(roots: &[OsString], excludes: &Excludes, take: &mut dyn FnMut(Step) -> bool) {
    for root in roots {
        if root == STDIN {
            if !take(Step::File(PathBuf::from(root), true)) {
                return;
            }
            continue;
        }
        let path = PathBuf::from(root);
        let goes_on = match fs::metadata(&path) {
            Ok(_) => below(path, excludes, take),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => match matching(&path) {
                Some(paths) if !paths.is_empty() => paths.into_iter().all(|path| below(path, excludes, take)),
                _ => take(Step::Unreadable(path, io::ErrorKind::NotFound)),
            },
            Err(fault) => take(Step::Unreadable(path, fault.kind())),
        };
        if !goes_on {
            return;
        }
    }
}

/// Walks one path.
fn below(root: PathBuf, excludes: &Excludes, take: &mut dyn FnMut(Step) -> bool) -> bool {
    // The root itself may be a link: the user named it.
    let mut open = vec![(root, true)];
    while let Some((path, is_root)) = open.pop() {
        let step = if excludes.cover(path.as_os_str().as_encoded_bytes()) {
            Step::Excluded
        } else {
            let meta = if is_root { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
            match meta {
                Err(fault) => Step::Unreadable(path, fault.kind()),
                Ok(meta) if meta.is_symlink() => Step::Link,
                Ok(meta) if meta.is_dir() => match entries(&path) {
                    Ok(paths) => {
                        open.extend(paths.into_iter().rev().map(|path| (path, false)));
                        continue;
                    }
                    Err(fault) => Step::Unreadable(path, fault.kind()),
                },
                // Pipes, sockets and devices inside a folder are no history.
                Ok(meta) if !meta.is_file() && !is_root => continue,
                Ok(_) => Step::File(path, is_root),
            }
        };
        if !take(step) {
            return false;
        }
    }
    true
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// What a glob matches, for shells that did not expand it. `None` if it is none.
fn matching(glob: &Path) -> Option<Vec<PathBuf>> {
    let is_wild = |part: &OsStr| part.as_encoded_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'['));
    if !is_wild(glob.as_os_str()) {
        return None;
    }
    let base: PathBuf = glob.components().take_while(|part| !is_wild(part.as_os_str())).collect();
    let base_shown = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base.clone() };
    let regex = allow::glob(glob.to_str()?).ok()?;
    // As deep as the glob, unless it crosses folders.
    let depth = glob.components().count() - base.components().count();
    let depth = if glob.to_str()?.contains("**") { usize::MAX } else { depth };
    let mut found = Vec::new();
    let mut open = vec![(base_shown, 0)];
    while let Some((folder, level)) = open.pop() {
        for path in entries(&folder).unwrap_or_default() {
            let path = path
                .strip_prefix(".")
                .map(Path::to_path_buf)
                .ok()
                .filter(|_| base.as_os_str().is_empty())
                .unwrap_or(path);
            if regex.is_match(path.as_os_str().as_encoded_bytes()) {
                found.push(path);
            } else if level + 1 < depth && fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()) {
                open.push((path, level + 1));
            }
        }
    }
    found.sort();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excludes_speak_of_names_or_of_paths() {
        let excludes = |glob: &str| Excludes::new(&[glob.to_owned()]).unwrap();
        for (glob, path, is) in [
            ("*.gz", "a/b.gz", true),
            ("*.gz", "a/b.gz.log", false),
            ("node_modules", "a/node_modules", true),
            ("node_modules/", "node_modules", true),
            ("a/*.log", "a/b.log", true),
            ("a/*.log", "x/a/b.log", true),
            ("a/*.log", "./a/b.log", true),
            ("a/*.log", "a/c/b.log", false),
            ("/var/log/**", "/var/log/a/b", true),
            ("/log/**", "/var/log/a", false),
        ] {
            assert_eq!(excludes(glob).cover(path.as_bytes()), is, "{glob} {path}");
        }
    }

    #[test]
    fn globs_are_expanded_in_order_and_files_come_by_name() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b/2.log", "b/1.log", "a.log", "c.txt", "d/e/f.log"] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let names = |glob: &str| {
            let mut names = Vec::new();
            let root = dir.path().join(glob).into_os_string();
            walk(&[root], &Excludes::default(), &mut |step| {
                if let Step::File(path, _) = step {
                    names.push(path.strip_prefix(dir.path()).unwrap().to_str().unwrap().to_owned());
                }
                true
            });
            names.join(" ")
        };
        assert_eq!(names("*.log"), "a.log");
        assert_eq!(names("?/*.log"), "b/1.log b/2.log");
        assert_eq!(names("b/[1-1].log"), "b/1.log");
        assert_eq!(names("**/*.log"), "a.log b/1.log b/2.log d/e/f.log");
        assert_eq!(names("b"), "b/1.log b/2.log");
        assert_eq!(names(""), "a.log b/1.log b/2.log c.txt d/e/f.log");
        assert_eq!(names("*.none"), "");
    }
}
