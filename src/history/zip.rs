//! Reads the directory of a zip archive. Does not unpack the members.

use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    sync::Arc,
};

use rawzip::{RECOMMENDED_BUFFER_SIZE, RangeReader, ReaderAt, ZipLocator};

/// What an archive can be read from at any place.
#[derive(Clone)]
pub enum Backing {
    /// A regular file.
    File(Arc<File>),
    /// An archive that came in a stream.
    Memory(Arc<Vec<u8>>),
}

impl ReaderAt for Backing {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Backing::File(file) => std::os::unix::fs::FileExt::read_at(&**file, buffer, offset),
            #[cfg(not(unix))]
            Backing::File(file) => {
                // Readers of one file take turns: its members are read one after the other.
                io::Seek::seek(&mut &**file, io::SeekFrom::Start(offset))?;
                (&**file).read(buffer)
            }
            Backing::Memory(bytes) => bytes.as_slice().read_at(buffer, offset),
        }
    }
}

/// A member that has content.
pub struct Member {
    /// Its path, as it stands in the archive.
    pub name: Vec<u8>,
    /// How it is packed.
    pub method: u16,
    /// Whether it cannot be read without a password.
    pub is_encrypted: bool,
    /// Where its packed content lies, if its own header is right.
    pub content: Option<Range<u64>>,
}

impl Member {
    /// Its packed content.
    pub fn open(&self, backing: &Backing) -> Option<impl Read + Send + use<>> {
        self.content.clone().map(|range| RangeReader::new(backing.clone(), range))
    }
}

/// The archive cannot be read, or not to its end.
pub struct Broken;

/// Gives each member that is no folder to `take`, which says whether to go on.
pub fn members(backing: &Backing, length: u64, take: &mut dyn FnMut(Member) -> bool) -> Result<(), Broken> {
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let located = ZipLocator::new().locate_in_reader(backing.clone(), &mut buffer, length);
    let archive = located.map_err(|_| Broken)?;
    let mut entries = archive.entries(&mut buffer);
    let mut count = 0_u64;
    while let Some(entry) = entries.next_entry().map_err(|_| Broken)? {
        count += 1;
        if entry.is_dir() {
            continue;
        }
        let local = archive.get_entry(entry.wayfinder()).ok();
        let content = local.map(|local| local.compressed_data_range()).map(|(from, to)| from..to);
        let member = Member {
            name: entry.file_path().as_bytes().to_vec(),
            method: entry.compression_method().as_u16(),
            is_encrypted: entry.flags().is_encrypted(),
            content,
        };
        if !take(member) {
            return Ok(());
        }
    }
    // A directory that was cut between two entries.
    if count < archive.entries_hint() { Err(Broken) } else { Ok(()) }
}
