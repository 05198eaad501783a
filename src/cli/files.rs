//! Opens the small files that a command reads whole, and the file findings are appended to. Does
//! not interpret them.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    path::Path,
};

use blackbar::{escape, limits};

/// A path as it may be shown.
pub fn shown(path: &Path) -> String {
    escape::visible(&path.to_string_lossy()).into_owned()
}

/// What the system said, in a few words. The operating system's own texts differ from one to the
/// next and end in numbers.
pub fn reason(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        io::ErrorKind::NotADirectory => "a part of the path is not a directory".to_owned(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "no space left".to_owned(),
        kind => kind.to_string(),
    }
}

/// Why a small file can't be had.
#[derive(Debug, PartialEq, Eq)]
pub enum SmallFileError {
    /// There is none.
    Missing,
    /// For this reason, in words that follow its name.
    Because(String),
}

impl SmallFileError {
    /// The reason in words.
    pub fn reason(self) -> String {
        match self {
            SmallFileError::Missing => reason(io::ErrorKind::NotFound),
            SmallFileError::Because(reason) => reason,
        }
    }
}

/// Reads a configuration or rule file: a regular file of bounded size, in UTF-8.
pub fn read_small(path: &Path) -> Result<String, SmallFileError> {
    let because = |text: &str| SmallFileError::Because(text.to_owned());
    let failed = |fault: io::Error| match fault.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SmallFileError::Missing,
        kind => SmallFileError::Because(reason(kind)),
    };
    let file = open_at_once(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if meta.is_dir() {
        return Err(because("is a directory"));
    }
    if !meta.is_file() {
        return Err(because("is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(limits::CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limits::CONFIG_BYTES_MAX {
        let most = limits::CONFIG_BYTES_MAX >> 20;
        return Err(SmallFileError::Because(format!("is larger than {most} MiB")));
    }
    // The error of the conversion holds the bytes, so it is dropped here.
    String::from_utf8(bytes).map_err(|_| because("is not UTF-8"))
}

/// Opens for reading without waiting for a writer, should it be a FIFO.
fn open_at_once(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits() as i32);
    }
    options.open(path)
}

/// Opens the findings file for appending, makes it if need be (for its owner only), and refuses a
/// symbolic link in its place. The error is the reason in words.
pub fn open_findings(path: &Path) -> Result<File, String> {
    let is_link = || fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
    let refused = "is a symbolic link, which is refused";
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NOCTTY;
        options.mode(0o600).custom_flags(flags.bits() as i32);
    }
    // Where the system can't refuse it while opening, look before.
    if cfg!(not(unix)) && is_link() {
        return Err(refused.to_owned());
    }
    options.open(path).map_err(|fault| match fault.kind() {
        _ if is_link() => refused.to_owned(),
        io::ErrorKind::NotFound => "its folder does not exist".to_owned(),
        kind => reason(kind),
    })
}

/// Whether a file can be put in the place of this path: there is nothing, or a regular file, and its
/// folder is there. The error is the reason in words.
pub fn can_replace(path: &Path) -> Result<(), String> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => return Err("is a symbolic link, which is refused".to_owned()),
        Ok(meta) if !meta.is_file() => return Err("is not a regular file".to_owned()),
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(reason(fault.kind())),
        Ok(_) | Err(_) => {}
    }
    if path.file_name().is_none() {
        return Err("is not the name of a file".to_owned());
    }
    if folder(path).is_dir() { Ok(()) } else { Err("its folder does not exist".to_owned()) }
}

/// Puts a file with these bytes in the place of a path, for its owner only: whoever looks sees the
/// old one or the whole new one. The error is the reason in words.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), String> {
    can_replace(path)?;
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|_| "there are no random numbers".to_owned())?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder(path).join(format!(".{name}.{:016x}", u64::from_le_bytes(random)));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&draft, path)).map_err(|fault| {
        let _ = fs::remove_file(&draft);
        reason(fault.kind())
    })
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
