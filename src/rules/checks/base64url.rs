//! Turns base64url text without padding into bytes. Does not accept the `+/` alphabet.

/// Decodes `text`; `None` if a character is foreign or the length impossible. Never panics.
///
/// Left-over bits of the last character are ignored, as most decoders of tokens do.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.chunks(4) {
        let mut bits: u32 = 0;
        for &byte in group {
            bits = bits << 6 | u32::from(digit(byte)?);
        }
        // A group of n characters holds n - 1 bytes, at the top of its 6 n bits.
        let [_, high, middle, low] = (bits << (6 * (4 - group.len()))).to_be_bytes();
        bytes.extend_from_slice(&[high, middle, low][..group.len() - 1]);
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_decode() {
        let vectors = [
            ("", ""),
            ("Zg", "f"),
            ("Zm8", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg", "foob"),
            ("Zm9vYmE", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ];
        for (text, bytes) in vectors {
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(decode(b"-_-_"), Some(vec![0xfb, 0xff, 0xbf]));
    }

    #[test]
    fn foreign_characters_and_impossible_lengths_are_refused() {
        for text in ["a", "Zm9vY", "Zm+v", "Zm/v", "Zg==", "Z g", "Zm9\u{e4}"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
