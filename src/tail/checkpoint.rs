//! Keeps on disk how far each file was written. Never says that more was written than was: a file of
//! checkpoints that is not whole, or not understood, is put aside, and files are read from their start.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    fd::OwnedFd,
    fs::{AtFlags, FlockOperation, Mode, OFlags, flock, fsync, mkdirat, openat, renameat, unlinkat},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    TailError, handed,
    identity::{Hash, Identity},
    open, seam,
};
use crate::{filter::Ground, scan::Said};

/// The state directory, which is ours as long as this lives.
pub struct Store {
    folder: OwnedFd,
    /// Locked.
    _lock: File,
}

/// All that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// How far files were written.
    pub files: Vec<Checkpoint>,
    /// What files have said that are over.
    over: Vec<Over>,
}

/// What the last file of a name that is over says about the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Over {
    path: String,
    says: Said,
    /// When that was (seconds since 1970).
    at: u64,
}

/// A line of the file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    File(Box<Checkpoint>),
    Over(Over),
}

impl State {
    /// Of these.
    pub fn new(files: Vec<Checkpoint>, said: &BTreeMap<PathBuf, (Said, Duration)>) -> State {
        let over = said.iter().map(|(path, (says, at))| Over {
            path: path.to_string_lossy().into_owned(),
            says: says.clone(),
            at: at.as_secs(),
        });
        State { files, over: over.collect() }
    }

    /// By the name: what the last file that had it says about the next one, if that is something, and when it said so.
    pub fn said(&self) -> BTreeMap<PathBuf, (Said, Duration)> {
        let files = self.files.iter().map(|file| (&file.path, &file.says, file.seen));
        let mut all: Vec<_> = files.chain(self.over.iter().map(|over| (&over.path, &over.says, over.at))).collect();
        // The last one counts; of one second that which says something.
        all.sort_by_key(|(_, says, at)| (*at, !says.is_empty()));
        let said = all.into_iter().map(|(path, says, at)| (path.into(), (says.clone(), Duration::from_secs(at))));
        let mut said: BTreeMap<PathBuf, _> = said.collect();
        said.retain(|_, (says, _)| !Said::is_empty(says));
        said
    }

    /// Whether it says something else, besides when files were seen.
    pub fn differs(&self, old: &State) -> bool {
        let differs = |old: &Checkpoint, new: &Checkpoint| Checkpoint { seen: old.seen, ..new.clone() } != *old;
        self.files.len() != old.files.len()
            || self.over != old.over
            || old.files.iter().zip(&self.files).any(|(old, new)| differs(old, new))
    }
}

/// How far a file was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The name it was found under.
    pub path: String,
    /// Who it is.
    pub file: Identity,
    /// Where to begin: bytes, line ends, and bytes of the line.
    pub offset: u64,
    /// See [`Ground`].
    pub lines: u64,
    /// See [`Ground`].
    pub line_offset: u64,
    /// How many clean bytes behind that were written, and their CRC-32.
    pub written: u64,
    /// See `written`.
    pub crc: u32,
    /// Up to where the file was read at least once.
    pub read: u64,
    /// How large it was.
    pub size: u64,
    /// What stands before that.
    pub before: Hash,
    /// Findings before this place were told.
    pub told: u64,
    /// What was said elsewhere about what follows `offset`.
    #[serde(skip_serializing_if = "Said::is_empty", default)]
    pub said: Said,
    /// Where that stands with which the file begins, if anything.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub handed: Option<handed::Place>,
    /// What the last line before `read` says about the next one.
    #[serde(skip_serializing_if = "Said::is_empty", default)]
    pub says: Said,
    /// When files were last looked for while it was followed (seconds since 1970): what came later was not found.
    pub seen: u64,
}

impl Checkpoint {
    /// Of a file that was found under this name, and of which nothing was read.
    pub fn at_start(name: &Path, file: Identity, looked: Duration) -> Checkpoint {
        Checkpoint {
            path: name.to_string_lossy().into_owned(),
            file,
            offset: 0,
            lines: 0,
            line_offset: 0,
            written: 0,
            crc: 0,
            read: 0,
            size: 0,
            before: Hash::default(),
            told: 0,
            said: Said::default(),
            handed: None,
            says: Said::default(),
            seen: looked.as_secs(),
        }
    }

    /// Where to begin.
    pub fn ground(&self) -> Ground {
        Ground { offset: self.offset, lines: self.lines, line_offset: self.line_offset }
    }

    /// Whether something of the file was read, or it was told what was before it.
    pub fn has_begun(&self) -> bool {
        let Checkpoint { read, written, said, handed, .. } = self;
        *read > 0 || *written > 0 || handed.is_some() || !said.is_empty()
    }

    /// Whether what it says can be true.
    fn is_sound(&self) -> bool {
        let in_order = self.line_offset <= self.offset && self.offset <= self.read && self.read <= self.size;
        let handed = self.handed.as_ref().is_none_or(|handed| handed.is_sound() && self.offset == 0);
        in_order && handed && self.before.len() as u64 <= self.read && self.said.is_sound() && self.says.is_sound()
    }
}

/// The checkpoints that were kept, or why there are none.
pub type Loaded = Result<State, &'static str>;

impl Store {
    /// Takes a state directory, and makes it if need be.
    ///
    /// # Errors
    /// If another process has it, or it cannot be used.
    pub fn open(path: &Path) -> Result<(Store, Loaded), TailError> {
        let failed = |fault: io::Error| TailError::State(fault.kind());
        let folder = private_folder(path).map_err(failed)?;
        let lock = own_file(&folder, LOCK, OFlags::RDWR | OFlags::CREATE).map_err(failed)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|errno| match errno {
            rustix::io::Errno::WOULDBLOCK => TailError::Locked,
            errno => TailError::State(io::Error::from(errno).kind()),
        })?;
        let store = Store { folder, _lock: lock };
        let loaded = store.load();
        if loaded.is_err() {
            // Kept for whoever wants to know; the next save must not be taken for its successor.
            let _ = renameat(&store.folder, NAME, &store.folder, REJECTED);
        }
        Ok((store, loaded))
    }

    fn load(&self) -> Loaded {
        let file = match own_file(&self.folder, NAME, OFlags::RDONLY) {
            Ok(file) => file,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            Err(_) => return Err("cannot be read"),
        };
        let mut text = Vec::new();
        match file.take(BYTES_MAX + 1).read_to_end(&mut text) {
            Ok(length) if length as u64 <= BYTES_MAX => parse(&text),
            Ok(_) => Err("are too large"),
            Err(_) => Err("cannot be read"),
        }
    }

    /// Puts these in the place of all that were there: whoever looks sees the old ones or the new ones.
    ///
    /// # Errors
    /// Those of the system; the old ones are still there then.
    pub fn save(&self, state: &State) -> io::Result<()> {
        let saved = self.replace(&format(state));
        if saved.is_err() {
            let _ = unlinkat(&self.folder, DRAFT, AtFlags::empty());
        }
        saved
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        // What an earlier process left behind.
        match unlinkat(&self.folder, DRAFT, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut draft = own_file(&self.folder, DRAFT, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
        draft.write_all(text)?;
        draft.sync_all()?;
        renameat(&self.folder, DRAFT, &self.folder, NAME)?;
        Ok(fsync(&self.folder)?)
    }
}

/// Opens a folder for its owner only, and makes it, with those above it, if need be. Links above the last
/// name are the user's own.
pub fn private_folder(path: &Path) -> io::Result<OwnedFd> {
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
    builder.create(path)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let real = std::fs::canonicalize(path)?;
    // Through the same door as everything else, so that no link comes in between.
    let parent = open::folder(real.parent().unwrap_or(Path::new("/")))?;
    Ok(openat(&parent, real.file_name().unwrap_or(".".as_ref()), flags | OFlags::NOFOLLOW, Mode::empty())?)
}

/// Opens the folder of this name in another, and makes it for its owner only if need be.
pub fn folder_in(folder: &OwnedFd, name: &std::ffi::OsStr) -> io::Result<OwnedFd> {
    match mkdirat(folder, name, Mode::from_raw_mode(0o700)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(folder, name, flags, Mode::empty())?)
}

/// Opens a regular file that has this name and no other, 0600 if it is made.
pub fn own_file(folder: &OwnedFd, name: impl rustix::path::Arg, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::from_raw_mode(0o600))?);
    let about = file.metadata()?;
    if !about.is_file() || std::os::unix::fs::MetadataExt::nlink(&about) != 1 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(file)
}

fn format(state: &State) -> Vec<u8> {
    let mut body = Vec::with_capacity(300 * state.files.len());
    state.files.iter().for_each(|file| add_line(file, &mut body));
    state.over.iter().for_each(|over| add_line(over, &mut body));
    let mut text = format!("{MAGIC} {VERSION} {}\n", digest(&body)).into_bytes();
    text.extend_from_slice(&body);
    text
}

fn add_line(line: &impl Serialize, body: &mut Vec<u8>) {
    // Writing to memory cannot fail, and the keys are strings.
    let written = serde_json::to_writer(&mut *body, line);
    debug_assert!(written.is_ok());
    body.push(b'\n');
}

fn parse(text: &[u8]) -> Loaded {
    const BROKEN: &str = "are damaged";
    let end = memchr::memchr(b'\n', text).ok_or(BROKEN)?;
    let head = str::from_utf8(&text[..end]).map_err(|_| BROKEN)?;
    let mut words = head.split(' ');
    if words.next() != Some(MAGIC) {
        return Err(BROKEN);
    }
    let version: u32 = words.next().and_then(|word| word.parse().ok()).ok_or(BROKEN)?;
    let body = &text[end + 1..];
    if words.next() != Some(digest(body).as_str()) || words.next().is_some() {
        return Err(BROKEN);
    }
    if !VERSIONS.contains(&version) {
        return Err("are those of another version of blackbar");
    }
    let lines = body.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let mut state = State::default();
    for line in lines {
        match serde_json::from_slice(line) {
            Ok(Line::File(file)) if file.is_sound() => state.files.push(*file),
            Ok(Line::Over(over)) if over.says.is_sound() => state.over.push(over),
            _ => return Err(BROKEN),
        }
    }
    Ok(state)
}

fn digest(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds since 1970.
pub fn now() -> u64 {
    seam::wall().as_secs()
}

const MAGIC: &str = "blackbar-checkpoints";
/// The one that is written, and those that are read: the first one had nothing of what files say.
const VERSION: u32 = 2;
const VERSIONS: [u32; 2] = [1, VERSION];
const NAME: &str = "checkpoints";
const DRAFT: &str = "checkpoints.draft";
const REJECTED: &str = "checkpoints.rejected";
const LOCK: &str = "lock";

/// The largest file of checkpoints that is read (bytes).
const BYTES_MAX: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn checkpoint(folder: &Path) -> Checkpoint {
        fs::write(folder.join("log"), "some bytes").unwrap();
        let about = fs::metadata(folder.join("log")).unwrap();
        Checkpoint {
            path: "log".to_owned(),
            file: Identity::new(&about, b"some bytes"),
            offset: 5,
            lines: 1,
            line_offset: 0,
            written: 3,
            crc: 7,
            read: 10,
            size: 10,
            before: Hash::of(b"bytes"),
            told: 0,
            said: Said::default(),
            handed: None,
            says: Said::default(),
            seen: now(),
        }
    }

    fn state(files: Vec<Checkpoint>) -> State {
        State { files, over: Vec::new() }
    }

    #[test]
    fn what_was_saved_is_loaded_again_and_locked_against_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/state");
        let all = state(vec![checkpoint(folder.path())]);
        let (store, loaded) = Store::open(&path).unwrap();
        assert_eq!(loaded, Ok(State::default()));
        store.save(&all).unwrap();
        assert_eq!(Store::open(&path).err(), Some(TailError::Locked));
        drop(store);
        assert_eq!(Store::open(&path).unwrap().1, Ok(all));
        let mode = |path: &Path| std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions());
        assert_eq!((mode(&path) & 0o777, mode(&path.join(NAME)) & 0o777), (0o700, 0o600));
    }

    #[test]
    fn a_file_that_is_cut_or_of_which_a_bit_has_changed_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let open = Said::default().behind_unread();
        let file = Checkpoint { says: open.clone(), ..checkpoint(folder.path()) };
        let over = Over { path: "log".to_owned(), says: open, at: 7 };
        let text = format(&State { files: vec![file], over: vec![over] });
        assert!(parse(&text).is_ok());
        for cut in 0..text.len() {
            assert!(parse(&text[..cut]).is_err(), "cut at {cut}");
            for bit in 0..8 {
                let mut other = text.clone();
                other[cut] ^= 1 << bit;
                assert!(parse(&other).is_err(), "bit {bit} of byte {cut}");
            }
        }
    }

    #[test]
    fn what_another_version_wrote_or_cannot_be_true_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let impossible = Checkpoint { offset: 11, ..checkpoint(folder.path()) };
        assert!(parse(&format(&state(vec![impossible]))).is_err());
        let newer = String::from_utf8(format(&State::default())).unwrap().replacen(" 2 ", " 3 ", 1);
        assert_eq!(parse(newer.as_bytes()), Err("are those of another version of blackbar"));
        let path = folder.path().join("state");
        fs::create_dir(&path).unwrap();
        fs::write(path.join(NAME), newer).unwrap();
        let (store, loaded) = Store::open(&path).unwrap();
        assert!(loaded.is_err() && path.join(REJECTED).exists());
        store.save(&State::default()).unwrap();
    }

    #[test]
    fn what_the_first_version_wrote_is_read_and_what_was_said_last_counts() {
        let folder = tempfile::tempdir().unwrap();
        let old = state(vec![checkpoint(folder.path())]);
        let text = String::from_utf8(format(&old)).unwrap().replacen(" 2 ", " 1 ", 1);
        assert!(!text.contains("says") && !text.contains("said"));
        assert_eq!(parse(text.as_bytes()), Ok(old.clone()));
        assert!(old.said().is_empty());
        let open = Said::default().behind_unread();
        let over = |at| Over { path: "log".to_owned(), says: open.clone(), at };
        let State { files, .. } = old;
        assert!(State { files: files.clone(), over: vec![over(7)] }.said().is_empty());
        let last = State { files, over: vec![over(now() + 9)] };
        assert_eq!(last.said()[Path::new("log")].0, open);
        assert_eq!(parse(&format(&last)), Ok(last));
    }

    #[test]
    fn a_folder_that_cannot_be_written_keeps_the_old_checkpoints() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let all = state(vec![checkpoint(folder.path())]);
        store.save(&all).unwrap();
        // In the place of the draft stands something that cannot be removed as a file is.
        fs::create_dir(folder.path().join(DRAFT)).unwrap();
        assert!(store.save(&State::default()).is_err());
        drop(store);
        assert_eq!(Store::open(folder.path()).unwrap().1, Ok(all));
    }
}
