//! Turns tokens that carry a payload into whether it has the shape of their kind. Does not report what is in it.

use super::base64url;

/// A prefix up to the first `_`, then a JSON object in base64: `glc_`, `sntrys_`, `ops_`.
pub(super) fn json(token: &[u8]) -> Option<bool> {
    let at = token.iter().position(|&byte| byte == b'_')?;
    let rest = token.get(at + 1..)?;
    // Sentry's tokens have a signature behind another underscore; the payload's padding may stand before it.
    let padded = rest.iter().position(|&byte| byte == b'=');
    let whole = object(rest);
    let part = rest.iter().rposition(|&byte| byte == b'_').and_then(|end| object(rest.get(..end)?));
    Some(whole.or(part).or_else(|| object(rest.get(..padded?)?)).is_some())
}

/// `pypi-`: a macaroon of version 2, whose location is a host's name.
///
/// Source: <https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt>.
pub(super) fn macaroon(token: &[u8]) -> Option<bool> {
    let bytes = bytes(token.strip_prefix(b"pypi-")?)?;
    // A version, a field of kind 1 with its length and text, then a field of kind 2, the identifier.
    let [2, 1, length, rest @ ..] = bytes.as_slice() else { return Some(false) };
    let (location, rest) = rest.split_at_checked(usize::from(*length))?;
    let host = !location.is_empty() && location.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    Some(host && rest.first() == Some(&2))
}

/// A Discord bot's token: its first part is the bot's number in base64.
///
/// Source: <https://discord.com/developers/docs/reference#snowflakes>.
pub(super) fn snowflake(token: &[u8]) -> Option<bool> {
    let first = token.split(|&byte| byte == b'.').next()?;
    let number = bytes(first)?;
    Some((17..=20).contains(&number.len()) && number.iter().all(u8::is_ascii_digit))
}

/// JFrog's reference tokens: base64 of `reftkn:01:`, an expiry and a body.
pub(super) fn reference_token(token: &[u8]) -> Option<bool> {
    let bytes = bytes(token)?;
    let rest = bytes.strip_prefix(b"reftkn:")?;
    Some(rest.iter().all(u8::is_ascii_graphic) && rest.contains(&b':'))
}

/// Bech32 (BIP 173), as age writes its keys in capitals: the last six characters are a checksum of all others.
pub(super) fn bech32(token: &[u8]) -> Option<bool> {
    const DIGITS: &[u8; 32] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
    const GENERATORS: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let parting = token.iter().rposition(|&byte| byte == b'1')?;
    // The part before the digits is lower-case to the checksum.
    let name: Vec<u8> = token[..parting].to_ascii_lowercase();
    let digits: Option<Vec<u8>> = token[parting + 1..]
        .iter()
        .map(|byte| DIGITS.iter().position(|digit| digit == byte).and_then(|place| u8::try_from(place).ok()))
        .collect();
    let high = name.iter().map(|byte| byte >> 5);
    let low = name.iter().map(|byte| byte & 31);
    let sum = high.chain([0]).chain(low).chain(digits?).fold(1u32, |sum, digit| {
        let top = sum >> 25;
        let sum = (sum & 0x01ff_ffff) << 5 ^ u32::from(digit);
        (0..5).filter(|bit| top >> bit & 1 == 1).fold(sum, |sum, bit| sum ^ GENERATORS[bit])
    });
    Some(sum == 1)
}

fn object(text: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_slice(&bytes(text)?).ok()
}

/// Base64 of either alphabet, padded or not.
fn bytes(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    let plain: Vec<u8> = text[..text.len() - padding]
        .iter()
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        })
        .collect();
    base64url::decode(&plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::sample::base64url as encode;

    #[test]
    fn json_payloads_are_told_from_chance() {
        let payload = encode(br#"{"o":"1","n":"x","k":"abc"}"#);
        assert_eq!(json(format!("glc_{payload}").as_bytes()), Some(true));
        assert_eq!(json(format!("sntrys_{payload}_{}", "a".repeat(43)).as_bytes()), Some(true));
        assert_eq!(json(format!("sntrys_{payload}=_{}", "a_b".repeat(14)).as_bytes()), Some(true));
        assert_eq!(json(b"glc_eyJvIjoiMSIsIm4iOiJ4IiwiayI6ImFiYyJ"), Some(false));
        assert_eq!(json(b"glc"), None);
    }

    #[test]
    fn macaroons_have_a_location_and_an_identifier() {
        let token = |bytes: &[u8]| format!("pypi-{}", encode(bytes));
        assert_eq!(macaroon(token(b"\x02\x01\x08pypi.org\x02\x24abc").as_bytes()), Some(true));
        assert_eq!(macaroon(token(b"\x02\x01\x08pypi org\x02\x24abc").as_bytes()), Some(false));
        assert_eq!(macaroon(token(b"\x02\x02\x08pypi.org\x02\x24abc").as_bytes()), Some(false));
        assert_eq!(macaroon(b"npm_x"), None);
    }

    #[test]
    fn a_bot_has_a_number() {
        let token = |bytes: &[u8]| format!("{}.Gabcde.{}", encode(bytes), "x".repeat(38));
        assert_eq!(snowflake(token(b"123456789012345678").as_bytes()), Some(true));
        assert_eq!(snowflake(token(b"12345678901234567x").as_bytes()), Some(false));
    }

    #[test]
    fn reference_tokens_say_so() {
        assert_eq!(reference_token(encode(b"reftkn:01:1700000000:abcdef").as_bytes()), Some(true));
        assert_eq!(reference_token(encode(b"reftkx:01:1700000000:abcdef").as_bytes()), None);
    }

    #[test]
    fn bech32_proves_the_vectors_of_bip_173_and_refuses_a_change() {
        for right in
            ["A12UEL5L", "AN83CHARACTERLONGHUMANREADABLEPARTTHATCONTAINSTHENUMBER1ANDTHEEXCLUDEDCHARACTERSBIO1TT5TGS"]
        {
            assert_eq!(bech32(right.as_bytes()), Some(true), "{right}");
        }
        assert_eq!(bech32(b"A12UEL5Q"), Some(false));
        assert_eq!(bech32(b"A12UEL5B"), None);
    }
}
