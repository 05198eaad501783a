//! Lets processes inside a `run` talk to it: to add a value, or to ask whether their output is
//! filtered. Does not decide whether a value is worth looking for.
//!
//! The socket lies in a directory that only its owner can enter, and both sides look at the user of
//! the other one. A request is one kind byte and two fields, each with its length before it (4 bytes,
//! the least significant first); the answer is one byte.

use std::{
    fs, io,
    io::{Read as _, Write as _},
    os::unix::{
        fs::{DirBuilderExt as _, MetadataExt as _},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use zeroize::Zeroizing;

use super::{RunError, nested::Outlets};
use crate::{limits::SECRET_BYTES_MAX, secret::Secret};

/// The variable that names the socket to what runs inside.
pub const VARIABLE: &str = "BLACKBAR_SOCKET";

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is masked from now on.
    Added,
    /// So it is, but not in forms that are longer than any secret that is looked for.
    Partly,
    /// It is too short.
    TooShort,
    /// It is too common to be masked without harm.
    Guessable,
    /// It is longer than any secret that is looked for.
    TooLong,
    /// There is no room left.
    TooMany,
}

/// Takes a value under its name.
pub type Add = dyn Fn(&str, &Secret) -> Added + Send + Sync;

/// The socket of a run; gone when this is dropped.
pub struct Server {
    directory: PathBuf,
}

impl Server {
    /// Opens the socket and answers from a thread of its own.
    pub fn open(outlets: Arc<Outlets>, add: Arc<Add>) -> Result<Server, RunError> {
        let directory = make_directory().map_err(RunError::system("making a directory for the socket"))?;
        let server = Server { directory };
        let listener = UnixListener::bind(server.path()).map_err(RunError::system("opening a socket"))?;
        let answer = move || {
            for stream in listener.incoming().flatten() {
                // A client that does not keep to the form gets no answer.
                let _ = serve(stream, &outlets, &*add);
            }
        };
        let thread = std::thread::Builder::new().name("socket".to_owned()).spawn(answer);
        thread.map_err(RunError::system("starting a thread"))?;
        Ok(server)
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.directory.join(SOCKET)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path());
        let _ = fs::remove_dir(&self.directory);
    }
}

/// Adds a value to the run around us. `None` if there is none, or it does not answer.
pub fn add(name: &str, value: &Secret) -> Option<Added> {
    match request(connect()?, ADD, name.as_bytes(), value.expose()).ok()? {
        b'+' => Some(Added::Added),
        b'p' => Some(Added::Partly),
        b's' => Some(Added::TooShort),
        b'g' => Some(Added::Guessable),
        b'l' => Some(Added::TooLong),
        b'm' => Some(Added::TooMany),
        _ => None,
    }
}

/// The socket of the run around us, if there is one and its owner is this user.
pub(super) fn connect() -> Option<UnixStream> {
    let path = std::env::var_os(VARIABLE).filter(|path| !path.is_empty())?;
    let stream = UnixStream::connect(path).ok()?;
    limit(&stream).ok()?;
    is_same_user(&stream).then_some(stream)
}

/// Asks whether both files are filtered by the run at the other end.
pub(super) fn ask_about(stream: UnixStream, output: (u64, u64), error: (u64, u64)) -> bool {
    let bytes = |file: (u64, u64)| [file.0.to_le_bytes(), file.1.to_le_bytes()].concat();
    request(stream, FILTERED, &bytes(output), &bytes(error)).is_ok_and(|answer| answer == b'+')
}

fn request(mut stream: UnixStream, kind: u8, first: &[u8], second: &[u8]) -> io::Result<u8> {
    let length = |field: &[u8]| u32::try_from(field.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
    let mut message = Zeroizing::new(Vec::with_capacity(9 + first.len() + second.len()));
    message.push(kind);
    for field in [first, second] {
        message.extend_from_slice(&length(field)?.to_le_bytes());
        message.extend_from_slice(field);
    }
    // A run that has heard enough closes its end; its answer may be there all the same.
    let _ = stream.write_all(&message);
    let mut answer = [0];
    stream.read_exact(&mut answer)?;
    Ok(answer[0])
}

fn serve(mut stream: UnixStream, outlets: &Outlets, add: &Add) -> io::Result<()> {
    limit(&stream)?;
    if !is_same_user(&stream) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    let answer = match kind[0] {
        ADD => {
            let name = field(&mut stream, NAME_BYTES_MAX)?.ok_or(io::ErrorKind::InvalidData)?;
            let added = match field(&mut stream, SECRET_BYTES_MAX)? {
                Some(value) => add(&String::from_utf8_lossy(&name), &Secret::new(&value)),
                None => Added::TooLong,
            };
            match added {
                Added::Added => b'+',
                Added::Partly => b'p',
                Added::TooShort => b's',
                Added::Guessable => b'g',
                Added::TooLong => b'l',
                Added::TooMany => b'm',
            }
        }
        FILTERED => {
            let mut file = || -> io::Result<Option<(u64, u64)>> {
                Ok(field(&mut stream, 16)?.as_deref().and_then(|bytes| {
                    let (device, inode) = bytes.split_first_chunk::<8>()?;
                    Some((u64::from_le_bytes(*device), u64::from_le_bytes(inode.try_into().ok()?)))
                }))
            };
            let both = [file()?, file()?];
            if both.iter().all(|file| file.is_some_and(|file| outlets.have(file))) { b'+' } else { b'-' }
        }
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    stream.write_all(&[answer])
}

/// A field of a request; nothing if it is longer than allowed.
fn field(stream: &mut UnixStream, bytes_max: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > bytes_max {
        return Ok(None);
    }
    let mut bytes = Zeroizing::new(vec![0; length]);
    stream.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

/// Neither side waits for ever.
fn limit(stream: &UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_same_user(stream: &UnixStream) -> bool {
    let us = rustix::process::geteuid();
    rustix::net::sockopt::socket_peercred(stream).is_ok_and(|peer| peer.uid == us)
}

/// Elsewhere the directory's permissions decide.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_same_user(_stream: &UnixStream) -> bool {
    true
}

/// A new directory that nobody else can enter, where its path leaves room for the socket's.
fn make_directory() -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|_| io::Error::from(io::ErrorKind::Other))?;
    let name = format!("{NAME}{:016x}", u64::from_le_bytes(random));
    let absolute = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let places = [absolute("XDG_RUNTIME_DIR"), absolute("TMPDIR"), Some(PathBuf::from("/tmp"))];
    let mut fault = io::Error::from(io::ErrorKind::NotFound);
    for place in places.into_iter().flatten() {
        let directory = place.join(&name);
        if directory.as_os_str().len() > PATH_BYTES_MAX {
            continue;
        }
        match fs::DirBuilder::new().mode(0o700).create(&directory) {
            Ok(()) => {
                sweep(&place);
                return Ok(directory);
            }
            Err(other) => fault = other,
        }
    }
    Err(fault)
}

/// Removes what runs have left that were killed: directories of ours with a socket that nobody listens to.
fn sweep(place: &Path) {
    let us = rustix::process::geteuid().as_raw();
    let is_left = |directory: &PathBuf| {
        let ours = fs::symlink_metadata(directory).is_ok_and(|about| {
            // One that was just made may have no listener yet.
            let old = about.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age > SETTLED));
            about.is_dir() && about.uid() == us && old
        });
        let refused = |fault: io::Error| fault.kind() == io::ErrorKind::ConnectionRefused;
        ours && UnixStream::connect(directory.join(SOCKET)).is_err_and(refused)
    };
    let entries = fs::read_dir(place).into_iter().flatten().flatten().take(ENTRIES_MAX);
    let ours = entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(NAME.as_bytes()));
    for directory in ours.map(|entry| entry.path()).filter(is_left) {
        let _ = fs::remove_file(directory.join(SOCKET));
        let _ = fs::remove_dir(directory);
    }
}

/// The name of the socket, and the beginning of its directory's.
const SOCKET: &str = "socket";
const NAME: &str = "blackbar-";

/// From which age on a directory has its listener.
const SETTLED: Duration = Duration::from_secs(60);

/// How many entries of a folder are looked at for what was left.
const ENTRIES_MAX: usize = 4096;

const ADD: u8 = b'a';
const FILTERED: u8 = b'f';

/// The longest name of a value (bytes).
const NAME_BYTES_MAX: usize = 256;

/// The longest path of the directory: what systems allow for a socket's path, less its name (bytes).
const PATH_BYTES_MAX: usize = 90;

/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(2);
