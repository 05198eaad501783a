//! Tells whether a file is the one that was read before. Does not read files by itself.
//!
//! A name says nothing: it is what rotation changes. Device and inode say nothing once the file may be
//! gone, because inodes are used again. So the hash of the first bytes belongs to the identity, and the
//! time of birth where the system knows one.

use std::{fs::Metadata, os::unix::fs::MetadataExt as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::seam;

/// How many of the first bytes are hashed at most.
pub const HEAD_BYTES: usize = 256;

/// How many of the bytes before a place are compared at most.
pub const BEFORE_BYTES: usize = 256;

/// Device and inode.
pub type Inode = (u64, u64);

/// Where a file lies.
pub fn inode(about: &Metadata) -> Inode {
    (about.dev(), about.ino())
}

/// Who a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    dev: u64,
    ino: u64,
    /// Nanoseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    born: Option<u64>,
    head: Hash,
}

/// The hash of some bytes, and how many they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hash {
    bytes: usize,
    sha256: String,
}

impl Hash {
    /// Of these bytes. A part of the hash is enough to tell files apart.
    pub fn of(bytes: &[u8]) -> Hash {
        let digest = Sha256::digest(bytes);
        let sha256 = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Hash { bytes: bytes.len(), sha256 }
    }

    /// How many bytes were hashed.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Whether these bytes begin with those.
    pub fn begins(&self, bytes: &[u8]) -> bool {
        self.bytes == 0 || bytes.get(..self.bytes).is_some_and(|start| Hash::of(start) == *self)
    }
}

impl Identity {
    /// A file that begins with `head`.
    pub fn new(about: &Metadata, head: &[u8]) -> Identity {
        let born = seam::born(about).and_then(|born| u64::try_from(born.as_nanos()).ok());
        let (dev, ino) = inode(about);
        Identity { dev, ino, born, head: Hash::of(&head[..head.len().min(HEAD_BYTES)]) }
    }

    /// Device and inode.
    pub fn inode(&self) -> Inode {
        (self.dev, self.ino)
    }

    /// Whether a file that stands there now is the same inode in the same life. Its bytes may be others.
    pub fn is_same_inode(&self, now: &Identity) -> bool {
        let lives = self.born.zip(now.born);
        self.inode() == now.inode() && lives.is_none_or(|(then, now)| then == now)
    }

    /// Its time of birth, which shows that, where the system knows one (nanoseconds since 1970).
    pub fn born(&self) -> Option<u64> {
        self.born
    }

    /// How many of the first bytes are known.
    pub fn head_len(&self) -> usize {
        self.head.len()
    }

    /// The file begins anew.
    pub fn forget_head(&mut self) {
        self.head = Hash::default();
    }

    /// Whether the file begins as it did. If it does, and has grown, the hash grows with it.
    pub fn check_head(&mut self, head: &[u8]) -> bool {
        let head = &head[..head.len().min(HEAD_BYTES)];
        if !self.head.begins(head) {
            return false;
        }
        if head.len() > self.head.bytes {
            self.head = Hash::of(head);
        }
        true
    }
}
