//! Opens the files that were chosen. Does not read them.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    sync::Arc,
};

/// Opens for reading. What was found in a folder is no link and no pipe, even if one was put in its
/// place since.
pub fn open(path: &Path, is_named: bool) -> io::Result<(File, fs::Metadata)> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = if is_named { OFlags::NOCTTY } else { OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::NONBLOCK };
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits() as i32);
    }
    let file = options.open(path)?;
    let meta = file.metadata()?;
    if !is_named && !meta.is_file() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok((file, meta))
}

/// A file that others read from as well, at places of their own.
pub struct FileReader(pub Arc<File>);

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}
