//! Turns the places where a fingerprint key may stand into a key. Does not hash.
//!
//! The first that is there wins: the text given (`BLACKBAR_FINGERPRINT_KEY`), the file given
//! (`--fingerprint-key-file`), the file in the state directory, which is made at first use; else
//! a key of this run.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::FingerprintKey;

/// The shortest key that is taken (bytes).
const KEY_BYTES_MIN: usize = 16;

/// The largest key file that is read (bytes).
const KEY_BYTES_MAX: u64 = 4 << 10;

/// The key's name in the state directory.
const KEY_FILE: &str = "fingerprint.key";

/// Where to look for the key of fingerprints.
#[derive(Default)]
pub struct KeySource {
    /// The key itself, as text.
    pub text: Option<Zeroizing<Vec<u8>>>,
    /// A file that holds it; one newline at its end does not belong to the key.
    pub file: Option<PathBuf>,
    /// The directory of blackbar's own state, where a key is kept from one run to the next.
    pub state_dir: Option<PathBuf>,
    /// Whether to make a key there if there is none. Without it, nothing is written.
    pub create: bool,
}

/// Why a key that was asked for can't be used. Holds neither the key nor the file's name: a user
/// who gives the key where its file is meant must not read it again on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key has too few bytes to resist guessing.
    #[error("the key must have at least {KEY_BYTES_MIN} bytes")]
    Short,
    /// The file is larger than any key.
    #[error("the key file must have at most {KEY_BYTES_MAX} bytes")]
    Long,
    /// The file can't be read.
    #[error("the key file can't be read: {0}")]
    Unreadable(io::ErrorKind),
}

impl FingerprintKey {
    /// Finds the key, or makes one.
    ///
    /// # Errors
    /// Only for a key that was given and is unusable. A state directory that can't be read or
    /// written gives an ephemeral key.
    pub fn load(source: &KeySource) -> Result<Self, KeyError> {
        if let Some(text) = &source.text {
            return long_enough(text);
        }
        if let Some(path) = &source.file {
            return long_enough(&read(path)?);
        }
        let Some(dir) = &source.state_dir else {
            return Ok(Self::ephemeral());
        };
        let path = dir.join(KEY_FILE);
        let kept = || read(&path).and_then(|bytes| long_enough(&bytes)).ok();
        if let Some(key) = kept() {
            return Ok(key);
        }
        // Another process may make the key at the same time; then O_EXCL refuses ours, and its
        // key is the one to use.
        if source.create && make(dir, &path).is_err() && kept().is_none() {
            return Ok(Self::ephemeral());
        }
        Ok(kept().unwrap_or_else(Self::ephemeral))
    }
}

fn long_enough(bytes: &[u8]) -> Result<FingerprintKey, KeyError> {
    if bytes.len() < KEY_BYTES_MIN { Err(KeyError::Short) } else { Ok(FingerprintKey::from_bytes(bytes)) }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unreadable = |fault: io::Error| KeyError::Unreadable(fault.kind());
    let file = fs::File::open(path).map_err(unreadable)?;
    // All of the room at once: a buffer that grows would leave copies of the key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES_MAX as usize + 1));
    file.take(KEY_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > KEY_BYTES_MAX {
        return Err(KeyError::Long);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(bytes)
}

/// Writes a new key beside its final name and links it there, so that no one reads half a key.
fn make(dir: &Path, path: &Path) -> io::Result<()> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *random).map_err(|_| io::ErrorKind::Unsupported)?;
    let mut text = Zeroizing::new(String::with_capacity(65));
    for byte in random.iter() {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(nibble.into(), 16));
        }
    }
    text.push('\n');
    make_dir(dir)?;
    let part = dir.join(format!("{KEY_FILE}.{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&part).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    // A link, unlike a rename, fails if the name is taken.
    let linked = written.and_then(|()| fs::hard_link(&part, path));
    let removed = fs::remove_file(&part);
    linked.and(removed)
}

fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(dir: &Path, create: bool) -> KeySource {
        KeySource { state_dir: Some(dir.join("deep/blackbar")), create, ..KeySource::default() }
    }

    #[test]
    fn a_key_is_made_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let first = FingerprintKey::load(&state(dir.path(), true)).unwrap();
        let second = FingerprintKey::load(&state(dir.path(), false)).unwrap();
        assert!(!first.is_ephemeral());
        assert_eq!(first.id(), second.id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(dir.path().join("deep/blackbar")), 0o700);
            assert_eq!(mode(dir.path().join("deep/blackbar/fingerprint.key")), 0o600);
        }
        assert_eq!(fs::read_dir(dir.path().join("deep/blackbar")).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_written_unless_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        assert!(FingerprintKey::load(&state(dir.path(), false)).unwrap().is_ephemeral());
        assert!(!dir.path().join("deep").exists());
    }

    #[test]
    fn where_nothing_can_be_written_the_key_is_of_this_run() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("deep"), "a file, not a directory").unwrap();
        assert!(FingerprintKey::load(&state(dir.path(), true)).unwrap().is_ephemeral());
    }

    #[test]
    fn one_newline_at_the_end_of_a_key_file_is_not_part_of_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let load = |text: &str| {
            let path = dir.path().join("key");
            fs::write(&path, text).unwrap();
            FingerprintKey::load(&KeySource { file: Some(path), ..KeySource::default() }).map(|key| key.id())
        };
        assert_eq!(load("0123456789abcdef"), load("0123456789abcdef\n"));
        assert_ne!(load("0123456789abcdef"), load("0123456789abcdef\n\n"));
        assert_eq!(load("0123456789abcde\n"), Err(KeyError::Short));
        assert_eq!(load(&"x".repeat(5000)), Err(KeyError::Long));
    }
}
