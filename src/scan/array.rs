//! Lists that are part of the program, or were made when it read its rules. Does not know what is in them.

use std::{fmt, ops::Deref};

/// A list that does not grow.
///
/// Its `Debug` is the source of a list that is part of the program: so the build script writes those of the embedded
/// rules.
#[derive(Clone)]
pub enum Array<T: 'static> {
    /// A part of the program.
    Built { list: &'static [T] },
    /// Made by the program.
    Made { list: Box<[T]> },
}

impl<T> Deref for Array<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        match self {
            Array::Built { list } => list,
            Array::Made { list } => list,
        }
    }
}

impl<T> Default for Array<T> {
    fn default() -> Array<T> {
        Array::Built { list: &[] }
    }
}

impl<T> From<Vec<T>> for Array<T> {
    fn from(list: Vec<T>) -> Array<T> {
        Array::Made { list: list.into_boxed_slice() }
    }
}

impl<T> FromIterator<T> for Array<T> {
    fn from_iter<I: IntoIterator<Item = T>>(list: I) -> Array<T> {
        Array::Made { list: list.into_iter().collect() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Array::Built {{ list: &{:?} }}", &**self)
    }
}

impl<T: PartialEq> PartialEq for Array<T> {
    fn eq(&self, other: &Array<T>) -> bool {
        **self == **other
    }
}
