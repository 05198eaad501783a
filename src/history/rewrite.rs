//! Writes a masked copy of a file, or puts one in its place. Does not look for secrets, and never
//! leaves a file half written: the copy is complete and on the disk before it gets its name.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, BufWriter, Write as _},
    path::{Component, Path, PathBuf},
};

use super::{kind::Packing, pack::Packer};
use crate::{redact::Clean, sink::Sink};

/// Where masked files go.
#[derive(Debug, Clone)]
pub enum Target {
    /// Below this folder, under the names that they have.
    Folder(PathBuf),
    /// In the place of what was read.
    InPlace,
}

/// Why a file was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is an archive, or packed more than once.
    #[error("an archive: delete it, or unpack it and scan again")]
    Archive,
    /// It states the lengths of its fields.
    #[error("a journal export, which states the lengths of its fields")]
    Journal,
    /// It is no text.
    #[error("it is no text")]
    Binary,
    /// Another process has it open for writing.
    #[error("somebody has it open for writing (--force does it)")]
    Open,
    /// It changed while it was read.
    #[error("it changed while it was read (--force does it)")]
    Changed,
    /// It has other names.
    #[error("it has other names, hard links, that would keep the old content (--force does it)")]
    Linked,
    /// It would belong to somebody else.
    #[error("its owner cannot be kept")]
    Owner,
    /// There is such a file already.
    #[error("there is such a file already (--force replaces it)")]
    Exists,
    /// A part of it could not be read.
    #[error("it could not be read to its end")]
    Unread,
    /// The system says so.
    #[error("the system refuses")]
    Io(io::ErrorKind),
}

impl From<io::Error> for Refused {
    fn from(fault: io::Error) -> Refused {
        Refused::Io(fault.kind())
    }
}

/// A file that is being written beside the place that it is meant for.
pub struct Draft {
    /// Absent once it is finished.
    packer: Option<Packer<BufWriter<File>>>,
    path: PathBuf,
    target: PathBuf,
}

impl Draft {
    /// Opens a draft beside `target`, for nobody but its owner.
    ///
    /// # Errors
    /// Those of the system.
    pub fn new(target: PathBuf, packing: Option<Packing>) -> Result<Self, Refused> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|_| Refused::Io(io::ErrorKind::Other))?;
        // Nothing of the file's own name, which may hold a secret, and may be as long as a name can be.
        let path = folder(&target).join(format!("{DRAFT}{:016x}{DRAFT_END}", u64::from_le_bytes(random)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        // Whoever finds it knows by this that it is not left over.
        let _ = lock(&file);
        // From here on the draft goes away unless it is given its name.
        let mut draft = Draft { packer: None, path, target };
        draft.packer = Some(Packer::new(packing, BufWriter::with_capacity(1 << 16, file))?);
        Ok(draft)
    }

    /// Gives the draft what the original has besides its content, and its name. `check` is asked last.
    ///
    /// # Errors
    /// Those of the system, and of `check`; then nothing has changed.
    pub fn finish(
        mut self,
        original: &Metadata,
        keeps_owner: bool,
        check: impl FnOnce() -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let Some(packer) = self.packer.take() else { return Err(Refused::Io(io::ErrorKind::Other)) };
        let mut output = packer.finish()?;
        output.flush()?;
        let file = output.into_inner().map_err(|fault| Refused::Io(fault.error().kind()))?;
        if keeps_owner {
            keep_owner(&file, original)?;
            file.set_permissions(original.permissions())?;
        }
        if let Ok(modified) = original.modified() {
            file.set_modified(modified)?;
        }
        file.sync_all()?;
        check()?;
        fs::rename(&self.path, &self.target)?;
        // Nothing is left to be thrown away.
        self.path = PathBuf::new();
        sync_folder(&self.target);
        Ok(())
    }
}

impl Sink for Draft {
    fn write(&mut self, clean: Clean<'_>) -> io::Result<()> {
        let Some(packer) = &mut self.packer else { return Err(io::ErrorKind::BrokenPipe.into()) };
        clean.stretches().try_for_each(|stretch| packer.write_all(stretch))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a draft whose process was killed. Whether this path is the name of a draft.
pub fn remove_left_draft(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let digits = name.strip_prefix(DRAFT).and_then(|rest| rest.strip_suffix(DRAFT_END)).unwrap_or_default();
    if digits.len() != 16 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false;
    }
    if super::file::open(path, false).is_ok_and(|(file, _)| lock(&file)) {
        let _ = fs::remove_file(path);
    }
    true
}

/// Takes a file for this process, as long as it has it open. Whether nobody else has.
fn lock(file: &File) -> bool {
    file.try_lock().is_ok()
}

/// Where the copy of a file goes below a folder: its path without what leads out of the folder. The
/// folders above it are made, for their owner only; a symbolic link among them is refused.
///
/// # Errors
/// Those of the system; [`Refused::Exists`] if there is such a file and `force` does not replace it.
pub fn place_below(out: &Path, shown: &str, force: bool) -> Result<PathBuf, Refused> {
    let mut path = out.to_path_buf();
    make_folder(&path)?;
    let parts: Vec<_> = Path::new(shown)
        .components()
        .filter_map(|part| if let Component::Normal(name) = part { Some(name) } else { None })
        .collect();
    let (name, above) = parts.split_last().ok_or(Refused::Io(io::ErrorKind::InvalidInput))?;
    for part in above {
        path.push(part);
        make_folder(&path)?;
        if fs::symlink_metadata(&path)?.is_symlink() {
            return Err(Refused::Io(io::ErrorKind::NotADirectory));
        }
    }
    path.push(name);
    match fs::symlink_metadata(&path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(path),
        Err(fault) => Err(fault.into()),
        Ok(meta) if meta.is_file() && force => Ok(path),
        Ok(_) => Err(Refused::Exists),
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Whether a file is the same and has not been written since.
pub fn is_unchanged(before: &Metadata, now: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if (before.dev(), before.ino()) != (now.dev(), now.ino()) {
            return false;
        }
    }
    before.len() == now.len() && before.modified().ok() == now.modified().ok()
}

/// How many names a file has.
pub fn names_of(meta: &Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(meta);
    #[cfg(not(unix))]
    {
        let _ = meta;
        1
    }
}

/// Whether another process has a file open for writing, as far as `/proc` lets us see.
pub fn is_open_for_writing(meta: &Metadata) -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt as _;
        let own = std::process::id().to_string();
        let Ok(processes) = fs::read_dir("/proc") else { return false };
        for process in processes.flatten() {
            let name = process.file_name();
            if !name.as_encoded_bytes().iter().all(u8::is_ascii_digit) || name == own.as_str() {
                continue;
            }
            let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
            for descriptor in descriptors.flatten() {
                let is_it = fs::metadata(descriptor.path())
                    .is_ok_and(|other| (other.dev(), other.ino()) == (meta.dev(), meta.ino()));
                if is_it && writes(&process.path().join("fdinfo").join(descriptor.file_name())) {
                    return true;
                }
            }
        }
        false
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = meta;
        false
    }
}

/// Whether a descriptor was opened for writing, by its `fdinfo`, where the flags stand in
/// octal digits.
#[cfg(target_os = "linux")]
fn writes(info: &Path) -> bool {
    let text = fs::read_to_string(info).unwrap_or_default();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|digits| u32::from_str_radix(digits.trim(), 8).ok());
    // Where that cannot be read, it is taken to write.
    flags.is_none_or(|flags| flags & 3 != 0)
}

#[cfg(unix)]
fn keep_owner(file: &File, original: &Metadata) -> Result<(), Refused> {
    use std::os::unix::fs::MetadataExt as _;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) == (original.uid(), original.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(original.uid()), Some(original.gid())).map_err(|_| Refused::Owner)
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) -> Result<(), Refused> {
    Ok(())
}

/// Makes a rename last. A system that cannot do that for folders does it by itself.
fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(folder(path)) {
        let _ = folder.sync_all();
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Names of drafts: this, sixteen digits, and that.
const DRAFT: &str = ".blackbar.";
const DRAFT_END: &str = ".tmp";
