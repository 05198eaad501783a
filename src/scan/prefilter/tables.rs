//! Turns the words of all detectors into the tables by which the prefilter finds them. Does not find them.
//!
//! The build script includes this file, and makes the tables of the embedded rules.

use std::collections::BTreeMap;

use super::{
    literals::{Literal, begins_word, merged, plain_part, tabs, word_of},
    masks::{WINDOW, Windows},
    windows::{self, Window},
    words::{Entry, Making, Wanted, Words},
};
use crate::{
    rules::condition::{ByteSet, Needle},
    scan::assigned::trigger::Trigger,
};

/// What the prefilter looks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    /// By their first bytes, the words.
    pub words: Words,
    /// The windows of those that do not stand where a long run begins.
    pub windows: Windows,
}

/// The detectors whose words are always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Others {
    /// Whether keys are looked for.
    pub key_block: bool,
    /// Whether Kubernetes manifests are.
    pub manifest: bool,
}

/// What tells of the beginning or the body of a private key.
const KEY_BLOCK: &[&str] = &[
    "begin ",
    "putty-user-key-file-",
    "mii",
    "mhccaqee",
    "mhqcaqee",
    "mgaga",
    "migh",
    "migk",
    "mc4caqaw",
    "migpag",
    "b3blbnnzac1rzxk",
];

/// What tells of a Kubernetes manifest.
const MANIFEST: &[&str] = &["secret", "apiversion"];

/// What the runtime of a container writes into partial records.
const RECORDS: &[&str] = &["{\"log\":", " stdout p", " stderr p"];

/// How quoted-printable writes the equals sign.
const CODES: &[&str] = &["=3d"];

impl Tables {
    /// The tables of the literals of tokens, each with the token's number, and of the other detectors' words.
    pub fn of<'a>(
        needles: impl Iterator<Item = (u16, &'a Needle)> + Clone,
        names: &[Trigger],
        detectors: Others,
    ) -> Tables {
        // What is looked up where words begin, and what has a window of its own, which says whether a
        // word begins with it wherever it counts.
        let mut words = Making::default();
        let mut others: Vec<(Literal<'_>, Wanted, bool, ByteSet)> = Vec::with_capacity(names.len());
        for (index, needle) in needles {
            let wanted = Wanted::Token(index);
            let tabs = tabs(needle);
            let mut rest: Vec<Literal<'_>> = Vec::new();
            for literal in &needle.literals {
                let literal = plain_part(literal, tabs);
                match word_of(&literal, needle) {
                    Some(offset) => {
                        let window = (offset, WINDOW.min(literal.text.len() - offset));
                        let behind = needle.set_at(literal.skipped + literal.text.len());
                        words.add(Entry { literal, window, behind, wanted });
                    }
                    None => rest.push(literal),
                }
            }
            let begins = |literal: &Literal<'_>| begins_word(literal, 0, needle);
            let behind = |literal: &Literal| needle.set_at(literal.skipped + literal.text.len());
            others
                .extend(merged(rest).into_iter().map(|literal| (literal, wanted, begins(&literal), behind(&literal))));
        }
        let whole = |text| Literal { text, skipped: 0 };
        others.extend(names.iter().enumerate().map(|(index, name)| {
            (whole(name.text.as_bytes()), Wanted::KeyName(index as u16), name.begins, ByteSet::ALL)
        }));
        let listed = |on: bool, list: &'static [&str]| if on { list } else { &[] };
        let key_block = listed(detectors.key_block, KEY_BLOCK);
        others.extend(key_block.iter().map(|word| (whole(word.as_bytes()), Wanted::KeyBlock, true, ByteSet::ALL)));
        // One of these is a key name as well, and need not have a window of its own where words begin.
        others.extend(listed(detectors.manifest, MANIFEST).iter().map(|word| {
            let shared = names.iter().any(|name| !name.begins && name.text == **word);
            (whole(word.as_bytes()), Wanted::Manifest, !shared, ByteSet::ALL)
        }));
        others.extend(RECORDS.iter().map(|record| (whole(record.as_bytes()), Wanted::Record, false, ByteSet::ALL)));
        others.extend(CODES.iter().map(|code| (whole(code.as_bytes()), Wanted::Code, false, ByteSet::ALL)));
        let lower: Vec<Box<[u8]>> = others.iter().map(|(word, ..)| word.text.to_ascii_lowercase().into()).collect();
        let mut windows: BTreeMap<Window, bool> = BTreeMap::new();
        for (text, (literal, wanted, begins, behind)) in lower.iter().zip(&others) {
            let (offset, window, begins) = windows::window_of(text, *begins);
            *windows.entry(window).or_insert(true) &= begins;
            let literal = Literal { text, skipped: literal.skipped };
            let window = (offset, windows::length(&window));
            words.add(Entry { literal, window, behind: *behind, wanted: *wanted });
        }
        let windows = windows::distribute(windows.iter().map(|(window, begins)| (window, *begins)));
        Tables { words: words.words(), windows }
    }
}
