//! Makes engines that mask known values and nothing else. Does not judge what they do, but for cuts.

use std::sync::Arc;

use blackbar::{
    Engine, KnownValues, Options, RuleSet,
    redact::Style,
    scan::{Entropy, known::Policy},
};

use super::{in_pieces, shown, whole};

/// An engine that masks these values, however weak they are, and nothing else.
pub fn engine_of<V: AsRef<[u8]>>(values: &[V]) -> Arc<Engine> {
    let known = KnownValues::new(Policy { weak: true, ..Policy::default() });
    for value in values {
        known.add("V", value.as_ref()).unwrap();
    }
    engine_with(known)
}

/// An engine that masks what this registry holds, and nothing else.
pub fn engine_with(known: KnownValues) -> Arc<Engine> {
    let options = Options { style: Style::Fixed, entropy: Entropy::Off, known, ..Options::default() };
    Arc::new(Engine::new(RuleSet::empty(), options).unwrap())
}

/// The output of an engine for a value of several lines, however the input is cut.
pub fn whatever_the_cut(engine: &Arc<Engine>, input: &[u8], expected: &[u8]) {
    assert_eq!(shown(&whole(engine, input)), shown(expected));
    for idle in [false, true] {
        for cut in 0..=input.len() {
            let output = in_pieces(engine, &[(&input[..cut], idle), (&input[cut..], false)]);
            assert_eq!(shown(&output), shown(expected), "cut at {cut}, idle {idle}, of {}", shown(input));
        }
        let bytes: Vec<(&[u8], bool)> = input.chunks(1).map(|byte| (byte, idle)).collect();
        assert_eq!(shown(&in_pieces(engine, &bytes)), shown(expected), "byte by byte, idle {idle}");
    }
    assert_eq!(shown(&whole(engine, expected)), shown(expected), "filtered twice");
}

/// Base64 by RFC 4648, with padding.
pub fn base64(bytes: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(*group.get(at).unwrap_or(&0)));
        for at in 0..4 {
            let digit = char::from(digits[(bits >> (18 - 6 * at)) as usize & 63]);
            text.push(if at <= group.len() { digit } else { '=' });
        }
    }
    text
}
