//! Finds known values in all their encodings, in a time that does not grow with their number.
//! Does not decode: the views do, and each of their texts is searched the same way.
//!
//! [`KnownValues`] is the registry. It is shared between filters, takes values at any time, and
//! turns each into the strings that logs show in its place (`encodings`). [`Known`] is what the
//! registry held at one moment, ready to be looked for, in three steps, each rare enough to pay for
//! the next: a *sieve* tests a few windows of the text in a bitmap; a table names the strings whose
//! core may stand there; they are compared. What is found is the **union of the spans of all
//! strings**. A search for the leftmost longest string would not do: where one value is the
//! beginning of another, or two overlap, it leaves a part of one of them.
//!
//! All steps are linear in the text, whoever wrote it: a comparison ends where the next candidate
//! of its string stands, and strings for which that is not so go to an `automaton`.

mod automaton;
mod covered;
mod encodings;
mod inner;
mod lines;
mod matcher;
mod prefixes;
mod read;
mod registry;
mod shape;
mod sieve;
mod snapshot;
mod strings;
mod table;
mod value;
pub(crate) mod wrap;

pub use self::{
    encodings::Encoding,
    matcher::Hit,
    registry::{Added, KnownValues, Policy, Refused},
    snapshot::Known,
};
pub(crate) use self::{
    lines::{Between, Progress, Step},
    snapshot::Gate,
};
