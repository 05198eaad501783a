//! Says where lines come from: a file's name, and the container that writes it. Does not read files.

use std::{
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use crate::{
    finding::{Container, Place},
    names::Names,
};

/// Where lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file as it was found.
    pub path: PathBuf,
    /// The same as it may be told: in messages, findings and outputs. Secrets in it are masked.
    pub name: String,
    /// Its name in a tree: as it was found, unless a secret was masked in it.
    pub copy: PathBuf,
    /// The container that writes it, if the path tells one.
    pub container: Option<Container>,
}

impl Origin {
    /// Of the file that was found under this name, and lies there in fact.
    pub fn new(path: &Path, real: &Path, names: &mut Names) -> Origin {
        let (name, is_masked) = names.told(path.as_os_str().as_bytes());
        let copy = if is_masked { PathBuf::from(&name) } else { path.to_owned() };
        let (real, _) = names.told(real.as_os_str().as_bytes());
        let container = match (Container::of(&copy), Container::of(Path::new(&real))) {
            // A link of the kubelet's tells the id, the file that it leads to tells the uid of the pod.
            (Some(link), Some(file)) => Some(link.with(&file)),
            (link, file) => link.or(file),
        };
        Origin { path: path.to_owned(), name, copy, container }
    }

    /// As findings tell it.
    pub fn place(&self) -> Place<'_> {
        match &self.container {
            Some(container) => Place::Container(&self.name, container),
            None => Place::File(&self.name),
        }
    }
}
