//! The texts of rules: pieces of the embedded table, or texts of their own. Does not know what they
//! say.
//!
//! A piece of the table is kept as its place in it. So the table holds no addresses: nothing of it is
//! copied, or even read, before it is needed, and the loader has nothing to relocate.

use std::{fmt, ops::Deref};

use serde::{Serialize, Serializer};

use super::embedded;

/// A text.
#[derive(Clone)]
pub struct Text(Place<Box<str>>);

/// A list of texts.
#[derive(Clone)]
pub struct List(Place<Box<[Text]>>);

#[derive(Clone)]
enum Place<T> {
    /// From where to where in the embedded table.
    Embedded { start: u32, end: u32 },
    /// Read from a user's file.
    Own(T),
}

impl Text {
    /// The piece of the embedded table from `start` to `end`.
    pub(crate) const fn embedded(start: u32, end: u32) -> Text {
        Text(Place::Embedded { start, end })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Place::Embedded { start, end } => embedded::text(*start, *end),
            Place::Own(text) => text,
        }
    }
}

impl List {
    /// The texts of the embedded table from number `start` to number `end`.
    pub(super) const fn embedded(start: u32, end: u32) -> List {
        List(Place::Embedded { start, end })
    }

    /// The texts, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        let texts = match &self.0 {
            Place::Embedded { start, end } => embedded::list(*start, *end),
            Place::Own(texts) => texts,
        };
        texts.iter().map(Text::as_str)
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.iter().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The texts in one, with `separator` between them.
    pub fn join(&self, separator: &str) -> String {
        self.iter().collect::<Vec<_>>().join(separator)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text(Place::Own(text.into_boxed_str()))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(Place::Own(text.into()))
    }
}

impl From<Vec<String>> for List {
    fn from(texts: Vec<String>) -> List {
        List(Place::Own(texts.into_iter().map(Text::from).collect()))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.as_str() == other.as_str()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
