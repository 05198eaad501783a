//! Turns a secret into a name for it that tells nothing about it without the key. Does not decide
//! where the key comes from (see [`super::KeySource`]).
//!
//! An unkeyed hash of a password is as good as the password: it can be guessed offline. Under a
//! key the same secret has the same name in every log and every run, and nothing more.

use std::{fmt, hash::BuildHasher as _};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// What the key id is made from. It is no secret that a log could hold: it has a NUL at both ends.
const KEY_ID_TEXT: &[u8] = b"\0blackbar key id\0";

/// The key of fingerprints. No `Display` or `Serialize`, a `Debug` that does not show it; zeroized
/// when dropped.
///
/// ```
/// use blackbar::finding::FingerprintKey;
///
/// let key = FingerprintKey::from_bytes(b"sixteen bytes or more");
/// assert_eq!(key.fingerprint(b"x"), key.fingerprint(b"x"));
/// assert_ne!(key.fingerprint(b"x"), FingerprintKey::ephemeral().fingerprint(b"x"));
/// ```
#[derive(Clone)]
pub struct FingerprintKey {
    /// Has taken in the key, and nothing else. Overwritten when it goes, as the key's bytes are.
    keyed: Hmac<Sha256>,
    ephemeral: bool,
}

impl FingerprintKey {
    /// A random key of this run: its fingerprints can't be compared with those of other runs.
    pub fn ephemeral() -> Self {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        if getrandom::fill(&mut bytes).is_err() {
            // A system without a random source can still filter. The standard library's hash
            // seeds are the best that is left, and this key is used for this run only.
            for chunk in bytes.chunks_mut(8) {
                let word = std::hash::RandomState::new().hash_one(std::process::id());
                chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
            }
        }
        Self { ephemeral: true, ..Self::from_bytes(&bytes) }
    }

    /// A key that the user keeps. Any length is taken; whoever reads it from outside refuses
    /// short ones.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self { keyed: keyed(bytes), ephemeral: false }
    }

    /// HMAC-SHA-256 of a secret under this key. Never panics.
    pub fn fingerprint(&self, secret: &[u8]) -> Fingerprint {
        let mut mac = self.keyed.clone();
        mac.update(secret);
        Fingerprint(mac.finalize().into_bytes().into())
    }

    /// 4 hex digits that tell keys apart (`key_id` of findings), and say nothing else of the key.
    pub fn id(&self) -> String {
        let tag = Sha256::digest(self.fingerprint(KEY_ID_TEXT).0);
        hex(&tag[..2])
    }

    /// Whether this key ends with this run.
    pub fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FingerprintKey").field("ephemeral", &self.ephemeral).finish_non_exhaustive()
    }
}

/// The state of the hash under a key, so that each fingerprint need not begin with the key.
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of every length: RFC 2104, section 2.
    Hmac::new_from_slice(key).expect("a key of any length")
}

/// The name of a secret: its HMAC-SHA-256. Displayed as `hmac-sha256:` and 64 hex digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Reads the displayed form.
    pub fn parse(text: &str) -> Option<Fingerprint> {
        let digits = text.strip_prefix("hmac-sha256:")?.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Fingerprint(bytes))
    }

    /// The first 8 hex digits, for masks and summaries.
    pub fn short(&self) -> String {
        hex(&self.0[..4])
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hmac-sha256:{}", hex(&self.0))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_plain_hmac_sha_256() {
        // RFC 4231, test case 2: anyone can compute a fingerprint with `openssl dgst -hmac`.
        let key = FingerprintKey::from_bytes(b"Jefe");
        assert_eq!(
            key.fingerprint(b"what do ya want for nothing?").to_string(),
            "hmac-sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(key.fingerprint(b"what do ya want for nothing?").short(), "5bdcc146");
    }

    #[test]
    fn key_ids_tell_keys_apart_and_are_stable() {
        let id = FingerprintKey::from_bytes(b"one key").id();
        assert_eq!(id.len(), 4);
        assert_eq!(id, FingerprintKey::from_bytes(b"one key").id());
        assert_ne!(id, FingerprintKey::from_bytes(b"another key").id());
    }

    #[test]
    fn the_key_is_not_in_its_debug_form() {
        let shown = format!("{:?}", FingerprintKey::from_bytes(b"canary"));
        assert_eq!(shown, "FingerprintKey { ephemeral: false, .. }");
    }

    #[test]
    fn ephemeral_keys_differ_and_say_what_they_are() {
        let (one, other) = (FingerprintKey::ephemeral(), FingerprintKey::ephemeral());
        assert!(one.is_ephemeral());
        assert_ne!(one.fingerprint(b"x"), other.fingerprint(b"x"));
        assert!(!FingerprintKey::from_bytes(b"kept").is_ephemeral());
    }
}
