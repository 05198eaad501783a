//! Finds known values in all their encodings, in a time that does not grow with their number.
//! Does not decode: the views do, and each of their texts is searched the same way.
//!
//! A [`Builder`] takes values and turns each into the strings that logs show in its place
//! (`encodings`). [`Known`] looks for all of them at once, in three steps, each rare enough to pay
//! for the next: a *sieve* tests a few windows of the text in a bitmap; a table names the strings
//! whose core may stand there; they are compared. What is found is the **union of the spans of all
//! strings**. A search for the leftmost longest string would not do: where one value is the
//! beginning of another, or two overlap, it leaves a part of one of them.
//!
//! All steps are linear in the text, whoever wrote it: a comparison ends where the next candidate
//! of its string stands, and strings for which that is not so go to an `automaton`.

mod automaton;
mod bitmap;
mod encodings;
mod matcher;
mod prefixes;
mod sieve;
mod strings;
mod table;
mod value;

use self::strings::Strings;
pub use self::{
    encodings::Encoding,
    matcher::{Hit, Known},
};
use crate::limits::SECRET_BYTES_MAX;

/// Why a value is not looked for. Holds the name it goes by, never its bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It would be found in text that has nothing to do with it.
    #[error("the value of {name:?} is shorter than {least} bytes")]
    TooShort {
        /// The name of the value.
        name: String,
        /// How long it would have to be (bytes).
        least: usize,
    },
    /// It is one character over and over, digits in their order, or a common word.
    #[error("the value of {name:?} is too common")]
    Guessable {
        /// The name of the value.
        name: String,
    },
    /// One of its encodings is longer than what is found whole wherever it lies.
    #[error("the value of {name:?}, encoded, is longer than {SECRET_BYTES_MAX} bytes")]
    TooLong {
        /// The name of the value.
        name: String,
    },
    /// There is no room left for it.
    #[error("the value of {name:?} does not fit in beside the others")]
    TooMany {
        /// The name of the value.
        name: String,
    },
}

/// Collects values and encodes them.
///
/// ```
/// use blackbar::scan::known::Builder;
///
/// let mut builder = Builder::default();
/// builder.add("DB_PASSWORD", b"correct horse", false)?;
/// assert!(builder.add("IMAGE", b"docker", false).is_err());
///
/// let known = builder.build();
/// let mut hits = Vec::new();
/// known.find(b"auth: Y29ycmVjdCBob3JzZQ== (correct%20horse)", &mut hits);
/// let seen: Vec<(&str, &str)> = hits.iter().map(|hit| (known.name(hit), hit.encoding.name())).collect();
/// assert_eq!(seen, [("DB_PASSWORD", "base64"), ("DB_PASSWORD", "percent")]);
/// # Ok::<(), blackbar::scan::known::Refused>(())
/// ```
pub struct Builder {
    strings: Strings,
    names: Vec<String>,
    value_bytes_min: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Builder { strings: Strings::default(), names: Vec::new(), value_bytes_min: VALUE_BYTES_MIN }
    }
}

impl Builder {
    /// Sets how long a value must be unless weak ones are allowed (bytes); 6 at first.
    pub fn value_bytes_min(mut self, least: usize) -> Builder {
        self.value_bytes_min = least;
        self
    }

    /// Takes a value to look for under a name. Line ends at its end do not count.
    ///
    /// An encoded form of fewer than eight bytes is not looked for, because random text would hold
    /// it. If `weak` is set, the value may be short and common, and its short forms count, too,
    /// unless it has fewer than four bytes.
    ///
    /// # Errors
    /// If the value is too short, too common or too long. Then nothing of it is looked for.
    pub fn add(&mut self, name: &str, value: &[u8], weak: bool) -> Result<(), Refused> {
        let name = name.to_owned();
        let value = without_line_ends(value);
        let least = if weak { 1 } else { self.value_bytes_min.max(1) };
        if value.len() < least {
            return Err(Refused::TooShort { name, least });
        }
        if !weak && value::is_guessable(value) {
            return Err(Refused::Guessable { name });
        }
        let before = self.strings.len();
        let added = self.add_forms(value, weak);
        added.map_err(|fault| {
            self.strings.truncate(before);
            match fault {
                Fault::TooLong => Refused::TooLong { name: name.clone() },
                Fault::Full => Refused::TooMany { name: name.clone() },
            }
        })?;
        self.names.push(name);
        Ok(())
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Makes the values ready to be looked for. More may be added to the builder afterwards, for
    /// another build.
    pub fn build(&self) -> Known {
        Known::new(self.strings.frozen(), self.names.clone())
    }

    fn add_forms(&mut self, value: &[u8], weak: bool) -> Result<(), Fault> {
        // As many values as strings at most, which an index can count.
        let owner = self.names.len() as u32;
        value::forms(value, |form| {
            let least = match form.len() {
                _ if !weak => ENCODED_BYTES_MIN,
                ..WEAK_ENCODED_MIN => usize::MAX,
                _ => 1,
            };
            encodings::each(form, |encoding, string| {
                if string.len() > SECRET_BYTES_MAX {
                    return Err(Fault::TooLong);
                }
                if encoding != Encoding::RAW && string.len() < least {
                    return Ok(());
                }
                self.strings.add(string, owner, encoding).map_err(|strings::Full| Fault::Full)
            })
        })
    }
}

/// Why the forms of a value are not looked for.
enum Fault {
    TooLong,
    Full,
}

fn without_line_ends(mut value: &[u8]) -> &[u8] {
    while let [rest @ .., b'\n' | b'\r'] = value {
        value = rest;
    }
    value
}

/// How long a value must be unless the user says otherwise (bytes).
const VALUE_BYTES_MIN: usize = 6;

/// How long an encoded form must be (bytes).
const ENCODED_BYTES_MIN: usize = 8;

/// How long a weak value must be for its encoded forms to be looked for (bytes).
const WEAK_ENCODED_MIN: usize = 4;
