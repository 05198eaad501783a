//! Holds the bytes of a secret that the program itself knows. Does not show them: a [`Secret`] is
//! neither `Debug`, `Display` nor `Serialize`, and is overwritten when it goes.

use zeroize::Zeroizing;

/// Bytes that must not be printed.
///
/// ```compile_fail
/// println!("{:?}", blackbar::secret::Secret::new(b"hunter2"));
/// ```
/// ```compile_fail
/// println!("{}", blackbar::secret::Secret::new(b"hunter2"));
/// ```
/// ```compile_fail
/// fn report<T: serde::Serialize>(_: T) {}
/// report(blackbar::secret::Secret::new(b"hunter2"));
/// ```
#[derive(Clone)]
pub struct Secret {
    bytes: Zeroizing<Vec<u8>>,
}

impl Secret {
    /// Takes a copy of the bytes.
    ///
    /// ```
    /// assert_eq!(blackbar::secret::Secret::new(b"hunter2").expose(), b"hunter2");
    /// ```
    pub fn new(bytes: &[u8]) -> Secret {
        Secret { bytes: Zeroizing::new(bytes.to_vec()) }
    }

    /// The bytes, for computing with them.
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }
}
