//! The tables of the embedded rules that are on by default, as the build script made them.

use super::{
    array::Array,
    assigned::{
        name::{
            Entry,
            Family::{Key, Mnemonic, Other, Passphrase, Password},
            Listed,
            endings::{Endings, Slot},
        },
        trigger::{Letters, Trigger},
    },
    prefilter::{
        self,
        keys::{Bits, Keys},
        masks::{Buckets, Windows},
        words::{
            Wanted::{Code, KeyBlock, KeyName, Manifest, Record, Token},
            Word, Words,
        },
    },
    tables::Tables,
};
use crate::rules::{
    Strength::{Strong, Weak},
    Text,
};

/// The tables.
pub fn tables() -> Tables {
    Tables { names: NAMES, prefilter: WORDS }
}

const NAMES: Listed = include!(concat!(env!("OUT_DIR"), "/names.rs"));

const WORDS: prefilter::tables::Tables = {
    use prefilter::tables::Tables;
    include!(concat!(env!("OUT_DIR"), "/words.rs"))
};

#[cfg(test)]
mod tests {
    use super::{super::tables_of, *};
    use crate::{
        rules::{Detector, RuleSet},
        scan::{Entropy, tables::Others},
    };

    #[test]
    fn the_tables_are_those_of_the_rules_that_are_on_by_default() {
        let mut rules = RuleSet::builtin().unwrap();
        rules.select(&[], &[], &[]).unwrap();
        assert!(rules.is_default());
        let there = |detector| rules.rules().iter().any(|rule| rule.detector == detector);
        let detectors = Others { key_block: there(Detector::KeyBlock), manifest: there(Detector::Manifest) };
        assert!(tables() == tables_of(rules.rules(), Entropy::Keyed, detectors));
    }

    #[test]
    fn no_other_set_of_rules_has_these_tables() {
        let mut chosen = RuleSet::builtin().unwrap();
        assert!(!chosen.is_default(), "rules that are off are in it");
        chosen.select(&[], &[], &["github-pat".to_owned()]).unwrap();
        assert!(!chosen.is_default());
        chosen.select(&[], &[], &[]).unwrap();
        assert!(!chosen.is_default());
        let mut grown = RuleSet::builtin().unwrap();
        grown.select(&[], &[], &[]).unwrap();
        grown.add("", "empty", "user").unwrap();
        assert!(!grown.is_default());
    }
}
