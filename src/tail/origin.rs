//! Says where lines come from: a file's name, and the container that writes it. Does not read files.

use std::path::{Path, PathBuf};

use crate::finding::{Container, Place};

/// Where lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file as it was found.
    pub path: PathBuf,
    /// The same, for messages and findings.
    pub name: String,
    /// The container that writes it, if the path tells one.
    pub container: Option<Container>,
}

impl Origin {
    /// Of the file that was found under this name, and lies there in fact.
    pub fn new(path: &Path, real: &Path) -> Origin {
        let container = Container::of(path).or_else(|| Container::of(real));
        Origin { path: path.to_owned(), name: path.to_string_lossy().into_owned(), container }
    }

    /// As findings tell it.
    pub fn place(&self) -> Place<'_> {
        match &self.container {
            Some(container) => Place::Container(&self.name, container),
            None => Place::File(&self.name),
        }
    }
}
