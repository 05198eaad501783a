//! Turns paths, folders and patterns into the files that are there now. Does not open them.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs::{self, Metadata},
    io,
    os::unix::{ffi::OsStrExt as _, fs::FileTypeExt as _},
    path::{Component, Path, PathBuf},
};

use regex_automata::meta;

use super::{TailError, seam};
use crate::allow::glob;

/// All that is to be followed.
pub struct Discovery {
    arguments: Vec<Argument>,
    /// Where symbolic links may lead.
    roots: Vec<PathBuf>,
}

/// A file that was found.
#[derive(Debug)]
pub struct Candidate {
    /// Its name: an argument, or one with what was found below it.
    pub name: PathBuf,
    /// Where it lies, without a link in it.
    pub real: PathBuf,
    /// What it is, read without following a link.
    pub about: Metadata,
    /// Whether the user named this very file.
    pub named: bool,
}

/// What was found, and where something new would be seen first.
#[derive(Debug, Default)]
pub struct Found {
    /// The files.
    pub candidates: Vec<Candidate>,
    /// The folders that were read, without links in them.
    pub folders: BTreeSet<PathBuf>,
    /// Names that are not followed, and why.
    pub refused: Vec<(PathBuf, &'static str)>,
}

/// One argument.
enum Argument {
    /// A file, or a folder with all below it.
    Path(PathBuf),
    /// A folder, and what must match below it.
    Pattern(PathBuf, Vec<Step>),
}

/// A part of a pattern.
enum Step {
    Name(OsString),
    Matching(Box<meta::Regex>, bool),
    /// Any number of folders.
    Deep,
}

impl Discovery {
    /// Of arguments; `roots` are folders into which links may lead, besides those of the arguments.
    pub fn new(arguments: &[OsString], roots: &[PathBuf]) -> Result<Discovery, TailError> {
        let mut discovery = Discovery { arguments: Vec::new(), roots: Vec::new() };
        for (number, argument) in (1..).zip(arguments) {
            let path = Path::new(argument);
            if argument.is_empty() {
                return Err(TailError::Path { number, why: "is empty" });
            }
            let is_pattern = argument.as_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'['));
            let parsed = if is_pattern && path.symlink_metadata().is_err() {
                pattern(path).ok_or(TailError::Path { number, why: "is no pattern" })?
            } else {
                Argument::Path(path.to_owned())
            };
            discovery.roots.push(match &parsed {
                Argument::Path(path) if path.is_dir() => path.clone(),
                Argument::Path(path) => path.parent().unwrap_or(Path::new("")).to_owned(),
                Argument::Pattern(base, _) => base.clone(),
            });
            discovery.arguments.push(parsed);
        }
        if discovery.roots.iter().any(|root| root.starts_with(CONTAINER_LINKS)) {
            discovery.roots.extend(CONTAINER_ROOTS.iter().map(PathBuf::from));
        }
        discovery.roots.extend_from_slice(roots);
        Ok(discovery)
    }

    /// Looks at what is there.
    pub fn look(&self) -> Found {
        // A root may come into being later, and may itself be reached by a link: the user named it.
        let roots: Vec<PathBuf> = self.roots.iter().filter_map(|root| canonical(root).ok()).collect();
        let mut walk = Walk { roots, found: Found::default(), seen: BTreeSet::new(), last: None };
        for argument in &self.arguments {
            match argument {
                Argument::Path(path) => walk.path(path),
                Argument::Pattern(base, steps) => walk.steps(base, steps),
            }
        }
        walk.found
    }
}

/// An absolute path without links in it. The empty one is the working folder.
fn canonical(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(if path.as_os_str().is_empty() { Path::new(".") } else { path })
}

fn pattern(path: &Path) -> Option<Argument> {
    let (mut base, mut steps) = (PathBuf::new(), Vec::new());
    for part in path.components() {
        let name = part.as_os_str();
        let is_pattern = name.as_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'['));
        match part {
            Component::Normal(_) if name == "**" => steps.push(Step::Deep),
            Component::Normal(_) if is_pattern => {
                let text = name.to_str()?;
                let syntax = regex_automata::util::syntax::Config::new().unicode(false).utf8(false);
                let config = meta::Config::new().utf8_empty(false);
                let regex = meta::Builder::new().configure(config).syntax(syntax).build(&glob::pattern(text)).ok()?;
                steps.push(Step::Matching(Box::new(regex), text.starts_with('.')));
            }
            _ if steps.is_empty() => base.push(part),
            Component::Normal(_) => steps.push(Step::Name(name.to_owned())),
            _ => return None,
        }
    }
    if matches!(steps.last()?, Step::Deep) {
        let any = meta::Regex::new(".*").ok()?;
        steps.push(Step::Matching(Box::new(any), false));
    }
    Some(Argument::Pattern(base, steps))
}

/// One look.
struct Walk {
    roots: Vec<PathBuf>,
    found: Found,
    /// Folders whose trees were walked: links can make rings.
    seen: BTreeSet<PathBuf>,
    /// The folder of the last file, and where it leads: many files lie in one.
    last: Option<(PathBuf, PathBuf)>,
}

impl Walk {
    fn path(&mut self, path: &Path) {
        if path.is_dir() {
            if let Some(real) = self.allowed(path) {
                self.tree(path, &real);
            }
            return;
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        if let Ok(real) = canonical(folder) {
            self.found.folders.insert(real);
        }
        self.file(path, true);
    }

    /// All files below a folder.
    fn tree(&mut self, path: &Path, real: &Path) {
        if !self.seen.insert(real.to_owned()) {
            return;
        }
        for (name, about) in self.entries(real) {
            if is_hidden(&name) {
                continue;
            }
            let path = path.join(&name);
            match about.is_symlink().then(|| fs::metadata(&path)) {
                None if about.is_dir() => self.tree(&path, &real.join(&name)),
                Some(Ok(target)) if target.is_dir() => {
                    if let Some(real) = self.allowed(&path) {
                        self.tree(&path, &real);
                    }
                }
                _ => self.file(&path, false),
            }
        }
    }

    fn steps(&mut self, path: &Path, steps: &[Step]) {
        let Some((step, rest)) = steps.split_first() else {
            return self.file(path, false);
        };
        let Ok(real) = canonical(path) else { return };
        if let Step::Name(name) = step {
            return if rest.is_empty() {
                self.found.folders.insert(real);
                self.file(&path.join(name), false);
            } else {
                self.steps(&path.join(name), rest);
            };
        }
        if !self.is_allowed(&real) {
            return self.refuse(path, LEADS_OUT);
        }
        if matches!(step, Step::Deep) {
            self.steps(path, rest);
        }
        for (name, about) in self.entries(&real) {
            let fits = match step {
                Step::Matching(regex, hidden) => (*hidden || !is_hidden(&name)) && regex.is_match(name.as_bytes()),
                _ => !is_hidden(&name),
            };
            let below = path.join(&name);
            if !fits {
                continue;
            }
            let is_folder = about.is_dir() || about.is_symlink() && below.is_dir();
            match step {
                Step::Deep if is_folder && !about.is_symlink() => self.steps(&below, steps),
                Step::Deep => {}
                _ if rest.is_empty() && !is_folder => self.file(&below, false),
                _ if !rest.is_empty() && is_folder => self.steps(&below, rest),
                _ => {}
            }
        }
    }

    /// What a folder holds, sorted, so that names found twice are always the same ones.
    fn entries(&mut self, real: &Path) -> Vec<(OsString, Metadata)> {
        self.found.folders.insert(real.to_owned());
        seam::between();
        let Ok(entries) = fs::read_dir(real) else { return Vec::new() };
        let about = |entry: fs::DirEntry| Some((entry.file_name(), entry.metadata().ok()?));
        let mut entries: Vec<_> = entries.filter_map(|entry| about(entry.ok()?)).collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        seam::between();
        entries
    }

    fn file(&mut self, name: &Path, named: bool) {
        let Ok(about) = fs::symlink_metadata(name) else { return };
        let real = if about.is_symlink() {
            let Some(real) = self.allowed(name) else { return };
            real
        } else {
            let folder = self.folder(name.parent().unwrap_or(Path::new("")));
            let (Some(folder), Some(file)) = (folder, name.file_name()) else { return };
            folder.join(file)
        };
        seam::between();
        let Ok(about) = fs::symlink_metadata(&real) else { return };
        seam::between();
        let kind = about.file_type();
        if kind.is_file() || kind.is_fifo() && named {
            if let Some(folder) = real.parent() {
                self.found.folders.insert(folder.to_owned());
            }
            self.found.candidates.push(Candidate { name: name.to_owned(), real, about, named });
        } else if kind.is_fifo() {
            self.refuse(name, "is a pipe; one is followed where it is named itself");
        } else if !kind.is_dir() {
            self.refuse(name, "is no regular file");
        }
    }

    /// Where a folder leads.
    fn folder(&mut self, path: &Path) -> Option<PathBuf> {
        if let Some((_, real)) = self.last.as_ref().filter(|(last, _)| last == path) {
            return Some(real.clone());
        }
        let real = canonical(path).ok()?;
        self.last = Some((path.to_owned(), real.clone()));
        Some(real)
    }

    /// Where a name leads, if it may lead there.
    fn allowed(&mut self, name: &Path) -> Option<PathBuf> {
        let real = canonical(name).ok()?;
        if self.is_allowed(&real) {
            return Some(real);
        }
        self.refuse(name, LEADS_OUT);
        None
    }

    fn is_allowed(&self, real: &Path) -> bool {
        self.roots.iter().any(|root| real.starts_with(root))
    }

    fn refuse(&mut self, name: &Path, why: &'static str) {
        self.found.refused.push((name.to_owned(), why));
    }
}

/// Patterns and folders do not reach these: the kubelet keeps old versions of mounts there, editors
/// their drafts.
fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().first() == Some(&b'.')
}

/// Where the kubelet has links to the logs of containers, and where these may lie.
const CONTAINER_LINKS: &str = "/var/log/containers";
const CONTAINER_ROOTS: [&str; 2] = ["/var/log/pods", "/var/lib/docker/containers"];

const LEADS_OUT: &str = "is a symbolic link that leads out of the folders that may be read (see --root)";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// The names that arguments find below a folder, and those that are refused.
    fn look(folder: &Path, arguments: &[&str], roots: &[PathBuf]) -> (Vec<String>, Vec<String>) {
        let arguments: Vec<OsString> = arguments.iter().map(|name| folder.join(name).into()).collect();
        let found = Discovery::new(&arguments, roots).unwrap().look();
        let short = |path: &PathBuf| path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        let names = found.candidates.iter().map(|candidate| short(&candidate.name)).collect();
        (names, found.refused.iter().map(|(path, _)| short(path)).collect())
    }

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.log", "b.log", "b.txt", "d/a.log", "d/e/a.log", "d/.hidden.log"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        folder
    }

    #[test]
    fn paths_folders_and_patterns_find_their_files() {
        let folder = tree();
        for (argument, names) in [
            ("a.log", &["a.log"][..]),
            ("no.log", &[]),
            ("*.log", &["a.log", "b.log"]),
            ("?.txt", &["b.txt"]),
            ("*/a.log", &["d/a.log"]),
            ("d/*/a.log", &["d/e/a.log"]),
            ("**/a.log", &["a.log", "d/a.log", "d/e/a.log"]),
            ("d/**", &["d/a.log", "d/e/a.log"]),
            ("d", &["d/a.log", "d/e/a.log"]),
            ("d/.*", &["d/.hidden.log"]),
        ] {
            assert_eq!(look(folder.path(), &[argument], &[]).0, names, "{argument}");
        }
    }

    #[test]
    fn links_are_followed_below_a_root_only() {
        let (folder, other) = (tree(), tree());
        symlink("a.log", folder.path().join("inside.log")).unwrap();
        symlink(other.path().join("a.log"), folder.path().join("outside.log")).unwrap();
        symlink(other.path().join("d"), folder.path().join("out")).unwrap();
        symlink("..", folder.path().join("d/ring")).unwrap();
        let (names, refused) = look(folder.path(), &["*side.log", "d"], &[]);
        assert_eq!(
            names,
            ["inside.log", "d/a.log", "d/e/a.log", "d/ring/a.log", "d/ring/b.log", "d/ring/b.txt", "d/ring/inside.log"]
        );
        assert_eq!(refused, ["outside.log", "d/ring/out", "d/ring/outside.log"]);
        let (names, refused) = look(folder.path(), &["out*"], &[other.path().to_owned()]);
        assert_eq!((names, refused.len()), (vec!["outside.log".to_owned()], 0));
    }

    #[test]
    fn pipes_are_followed_where_they_are_named_and_devices_never() {
        let folder = tree();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert_eq!(look(folder.path(), &["pipe"], &[]).0, ["pipe"]);
        assert_eq!(look(folder.path(), &["pip*"], &[]), (vec![], vec!["pipe".to_owned()]));
        let device = Discovery::new(&["/dev/null".into()], &[]).unwrap().look();
        assert_eq!((device.candidates.len(), device.refused.len()), (0, 1));
    }
}
