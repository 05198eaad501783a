//! Turns rules into the tables in which key names and words of tokens are looked up. Does not look them up.
//!
//! The build script includes this file, and makes the tables of the embedded rules.

pub use super::prefilter::tables::Others;
use super::{
    assigned::name::{Listed, NamedRule},
    prefilter::tables as prefilter,
};
use crate::rules::condition::Needle;

/// What is made of rules before anything is scanned.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    /// The key names.
    pub names: Listed,
    /// What the prefilter looks for.
    pub prefilter: prefilter::Tables,
}

impl Tables {
    /// The tables of tokens, each with what its matches hold, and of the names of rules.
    pub fn of<'a>(
        needles: impl Iterator<Item = Option<&'a Needle>> + Clone,
        named: &[NamedRule],
        detectors: Others,
    ) -> Tables {
        let names = Listed::of(named);
        let needles = needles.enumerate().filter_map(|(number, needle)| Some((number as u16, needle?)));
        let prefilter = prefilter::Tables::of(needles, &names.triggers, detectors);
        Tables { names, prefilter }
    }
}
