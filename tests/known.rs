//! Holds the masking of known values against a naive oracle. Does not test the doors by which they
//! come.

mod support;

use std::sync::Arc;

use blackbar::{
    Engine, Filter, KnownValues, Options, RuleSet,
    redact::Style,
    scan::{Entropy, known::Policy},
};
use proptest::{collection::vec, prelude::*};
use support::{in_pieces, shown, whole};

/// An engine that masks these values, however weak they are, and nothing else.
fn engine_of<V: AsRef<[u8]>>(values: &[V]) -> Arc<Engine> {
    let known = KnownValues::new(Policy { weak: true, ..Policy::default() });
    for value in values {
        known.add("V", value.as_ref()).unwrap();
    }
    engine_with(known)
}

fn engine_with(known: KnownValues) -> Arc<Engine> {
    let options = Options { style: Style::Fixed, entropy: Entropy::Off, known, ..Options::default() };
    Arc::new(Engine::new(RuleSet::empty(), options).unwrap())
}

/// The naive oracle: every place is compared with every value; what is covered, or touches what is
/// covered, is one mask.
fn masked<V: AsRef<[u8]>>(values: &[V], text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    loop {
        let mut covered = vec![false; text.len()];
        for value in values {
            let value = value.as_ref();
            for start in (0..text.len()).filter(|&start| text[start..].starts_with(value)) {
                covered[start..start + value.len()].fill(true);
            }
        }
        if !covered.contains(&true) {
            return text;
        }
        // No value holds a star, so a mask ends every value beside it.
        let mut next = Vec::new();
        for (at, &byte) in text.iter().enumerate() {
            if !covered[at] {
                next.push(byte);
            } else if at == 0 || !covered[at - 1] {
                next.extend(b"***");
            }
        }
        text = next;
    }
}

/// All strings of these lengths over {a, b}.
fn small_world(lengths: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = Vec<u8>> {
    lengths.flat_map(|length| {
        (0..1_u32 << length).map(move |bits| (0..length).map(|bit| b'a' + (bits >> bit & 1) as u8).collect())
    })
}

/// All values after all prefixes, cut in two at every place. The whole of it takes a minute:
/// `BLACKBAR_EXHAUSTIVE=1 cargo test --release --test known`.
#[test]
fn in_a_small_world_every_value_is_masked_at_every_cut() {
    let all = std::env::var_os("BLACKBAR_EXHAUSTIVE").is_some();
    let (values, prefixes) = if all { (2..=8, 0..=8) } else { (2..=5, 0..=4) };
    let mut runs = 0_u64;
    for value in small_world(values) {
        let engine = engine_of(&[&value]);
        for prefix in small_world(prefixes.clone()) {
            let text = [&prefix[..], &value].concat();
            let expected = masked(&[&value], &text);
            for cut in 0..=text.len() {
                for idle in [false, true] {
                    let output = in_pieces(&engine, &[(&text[..cut], idle), (&text[cut..], false)]);
                    let told = || format!("{} in {} cut at {cut}", shown(&value), shown(&text));
                    assert_eq!(shown(&output), shown(&expected), "{}", told());
                    runs += 1;
                }
            }
        }
    }
    assert!(runs > 20_000, "{runs}");
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 256,
        rng_seed: proptest::test_runner::RngSeed::Fixed(2026),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Few letters, so that values overlap themselves and each other.
fn word(letters: &'static [u8], length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    vec(prop::sample::select(letters), length)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn overlapping_values_are_masked_as_the_oracle_does(
        values in vec(word(b"ab", 2..12), 1..6),
        texts in vec(word(b"ab \n", 0..60), 1..4),
        idle in any::<bool>(),
    ) {
        let engine = engine_of(&values);
        let text = texts.concat();
        // A line is masked by itself, and a last line that ends like a value begins is tested elsewhere.
        let text = [&text[..], b"\n"].concat();
        let expected: Vec<u8> =
            text.split_inclusive(|&byte| byte == b'\n').flat_map(|line| masked(&values, line)).collect();
        let mut pieces: Vec<(&[u8], bool)> = Vec::new();
        let mut rest = &text[..];
        for piece in &texts {
            let (first, others) = rest.split_at(piece.len());
            pieces.push((first, idle));
            rest = others;
        }
        pieces.push((rest, false));
        prop_assert_eq!(shown(&in_pieces(&engine, &pieces)), shown(&expected));
        prop_assert_eq!(shown(&whole(&engine, &expected)), shown(&expected), "filtered twice");
    }

    #[test]
    fn long_values_are_masked_as_the_oracle_does(
        values in vec(word(b"abc", 8..60), 1..8),
        choices in vec((0_usize..8, 0_usize..60, 0_usize..60), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        // A text of pieces of the values, which overlap and almost stand there.
        let mut text = Vec::new();
        for (value, from, length) in choices {
            let value = &values[value % values.len()];
            let from = from % value.len();
            text.extend_from_slice(&value[from..value.len().min(from + length)]);
        }
        text.push(b'\n');
        let cut = cut.index(text.len());
        let output = in_pieces(&engine_of(&values), &[(&text[..cut], true), (&text[cut..], false)]);
        prop_assert_eq!(shown(&output), shown(&masked(&values, &text)));
    }
}

#[test]
fn a_value_added_while_a_line_is_held_is_masked_in_all_of_it_that_was_not_written() {
    let text = b"first sekret-value\nthe sekret-value is late\n";
    let secret = b"sekret-value";
    for cut in 0..=text.len() {
        let known = KnownValues::default();
        let engine = engine_with(known.clone());
        let mut streams = [Filter::new(Arc::clone(&engine)), Filter::new(engine)];
        let mut before = [Vec::new(), Vec::new()];
        for (stream, out) in streams.iter_mut().zip(&mut before) {
            out.extend(stream.push(&text[..cut]).to_vec());
        }
        known.add("NAME", secret).unwrap();
        for (stream, before) in streams.iter_mut().zip(&before) {
            let mut after = stream.push(&text[cut..]).to_vec();
            after.extend(stream.finish().to_vec());
            // What was written was clean at the time.
            assert_eq!(&text[..before.len()], &before[..]);
            let rest = masked(&[secret], &text[before.len()..]);
            assert_eq!(shown(&after), shown(&rest), "cut at {cut}");
        }
    }
}

#[test]
fn the_end_of_the_input_leaves_no_long_piece() {
    let secret = b"correct-horse-battery-staple";
    let engine = engine_of(&[secret]);
    for length in 1..=secret.len() {
        let text = [b"x=", &secret[..length]].concat();
        let expected = if length < 8 { text.clone() } else { b"x=***".to_vec() };
        assert_eq!(shown(&whole(&engine, &text)), shown(&expected));
    }
}

#[test]
fn where_somebody_types_the_first_bytes_of_a_value_show() {
    let known = KnownValues::default();
    known.add("NAME", b"correct-horse").unwrap();
    for (interactive, shown_bytes) in [(false, 2), (true, 9)] {
        let options = Options { known: known.clone(), interactive, entropy: Entropy::Off, ..Options::default() };
        let mut filter = Filter::new(Arc::new(Engine::new(RuleSet::empty(), options).unwrap()));
        let mut out = filter.push(b"$ correct").to_vec();
        out.extend(filter.idle().to_vec());
        assert_eq!(out.len(), shown_bytes);
        out.extend(filter.push(b"-horse\n").to_vec());
        assert!(!out.ends_with(b"horse\n"));
    }
}
