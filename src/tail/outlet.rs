//! Writes clean bytes of many files to standard output or into a tree. Takes nothing but [`Clean`] bytes, and
//! says whether all of them were written.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Settings, TailError, Target,
    envelope::{Format, Voice},
    identity::{self, Inode},
    tree::Tree,
};
use crate::{
    redact::Clean,
    sink::{Sink as _, Standard},
};

/// Where clean bytes go.
pub enum Outlet {
    /// Lines as they come.
    Text { output: Standard, last: Option<(u64, u8)> },
    /// An object a line.
    Ndjson { output: Standard, format: Format, open_line: bool, room: Vec<u8> },
    /// Files of the same names.
    Tree(Box<Tree>),
}

impl Outlet {
    /// The one that the settings name.
    pub fn open(settings: &Settings) -> Result<Outlet, TailError> {
        Ok(match &settings.target {
            Target::Text => {
                Outlet::Text { output: Standard::output(), last: settings.open_line.then_some((FOREIGN, 0)) }
            }
            Target::Ndjson => Outlet::Ndjson {
                output: Standard::output(),
                format: settings.format,
                open_line: settings.open_line,
                room: Vec::new(),
            },
            Target::Tree { root, file_bytes_max, total_bytes_max } => {
                let tree = Tree::open(root, *file_bytes_max, *total_bytes_max);
                Outlet::Tree(Box::new(tree.map_err(|fault| TailError::Tree(fault.kind()))?))
            }
        })
    }

    /// Writes all bytes. Whether nothing of them is held back.
    ///
    /// # Errors
    /// Then none of the bytes was written to a tree, and some may have been written elsewhere.
    pub fn write(&mut self, voice: &mut Voice, clean: Clean<'_>, all: bool) -> io::Result<bool> {
        let Some(byte) = clean.stretches().last().and_then(|stretch| stretch.last().copied()) else {
            if all && matches!(self, Outlet::Ndjson { .. }) {
                self.speak(voice, clean, all)?;
            }
            return Ok(!voice.holds());
        };
        match self {
            Outlet::Text { output, last } => {
                // A line that is open belongs to another file.
                if last.is_some_and(|(id, byte)| id != voice.id && byte != b'\n') {
                    output.write_made(b"\n")?;
                }
                output.write(clean)?;
                *last = Some((voice.id, byte));
                Ok(true)
            }
            Outlet::Ndjson { .. } => {
                self.speak(voice, clean, all)?;
                Ok(!voice.holds())
            }
            Outlet::Tree(tree) => tree.write(voice, clean, byte).map(|()| true),
        }
    }

    /// Whether the beginning of a line may be written.
    pub fn takes_beginnings(&self, files: usize) -> bool {
        match self {
            Outlet::Text { .. } => files < 2,
            Outlet::Ndjson { .. } => false,
            Outlet::Tree(_) => true,
        }
    }

    /// Whether a failed write may succeed later.
    pub fn can_wait(&self) -> bool {
        matches!(self, Outlet::Tree(_))
    }

    /// Takes the files that have what was written since the last call: it is there after a power failure only if they
    /// are synced.
    pub fn take_unsynced(&mut self) -> Vec<Arc<File>> {
        if let Outlet::Tree(tree) = self { tree.take_unsynced() } else { Vec::new() }
    }

    /// They are not synced, all the same.
    pub fn put_unsynced(&mut self, files: Vec<Arc<File>>) {
        if let Outlet::Tree(tree) = self {
            tree.put_unsynced(files);
        }
    }

    /// A file goes on in the middle of a line of which all or nothing was written before: whatever stands
    /// at the end of the output is another line.
    pub fn begin(&mut self, voice: &Voice, in_line: bool) -> io::Result<()> {
        match self {
            Outlet::Tree(tree) => tree.begin(voice, in_line)?,
            // Nothing was written yet: the last one that has begun in a line goes on in it.
            Outlet::Text { last: Some((id, 0)), .. } if in_line => *id = voice.id,
            _ => {}
        }
        Ok(())
    }

    /// A file goes on in the line that another one has begun.
    pub fn hand_on(&mut self, from: u64, to: &Voice) {
        match self {
            Outlet::Tree(tree) => tree.hand_on(from, to),
            Outlet::Text { last: Some((id, _)), .. } if *id == from => *id = to.id,
            _ => {}
        }
    }

    /// A file begins another text: the line that the old one has begun has no end.
    pub fn leave_line(&mut self, voice: &Voice) {
        match self {
            Outlet::Tree(tree) => tree.leave_line(voice),
            Outlet::Text { last: Some((id, _)), .. } if *id == voice.id => *id = FOREIGN,
            _ => {}
        }
    }

    /// What must not be read, because it is written here: a file, a folder.
    pub fn own(&self) -> (Option<Inode>, Option<PathBuf>) {
        match self {
            Outlet::Text { output, .. } | Outlet::Ndjson { output, .. } => {
                (output.about().ok().filter(std::fs::Metadata::is_file).map(|about| identity::inode(&about)), None)
            }
            Outlet::Tree(tree) => (None, Some(Path::to_owned(tree.root()))),
        }
    }

    /// The files that were removed since the last call.
    pub fn take_removed(&mut self) -> Vec<PathBuf> {
        if let Outlet::Tree(tree) = self { tree.take_removed() } else { Vec::new() }
    }

    /// Writes an object for each line.
    fn speak(&mut self, voice: &mut Voice, clean: Clean<'_>, all: bool) -> io::Result<()> {
        let Outlet::Ndjson { output, format, open_line, room } = self else { return Ok(()) };
        room.clear();
        if *open_line {
            room.push(b'\n');
        }
        let start = room.len();
        voice.speak(clean.stretches(), *format, all, room);
        if room.len() > start {
            output.write_made(room)?;
            *open_line = false;
        }
        Ok(())
    }
}

/// The voice of a process before us.
pub const FOREIGN: u64 = 0;
