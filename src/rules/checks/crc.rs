//! Turns tokens that end in a CRC-32 into whether it is right. Does not know other checksums.
//!
//! Each function returns `None` for a token of another form than the one it knows. All use the
//! CRC-32 of ISO-HDLC (that of zip and PNG).

/// `gh?_` and `npm_`: 30 base62 characters and 6 more, the CRC-32 of the 30 in base 62.
pub(super) fn github(token: &[u8]) -> Option<bool> {
    const PREFIXES: [&[u8]; 6] = [b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"npm_"];
    let body = PREFIXES.iter().find_map(|prefix| token.strip_prefix(*prefix))?;
    let (random, sum) = body.split_at_checked(30)?;
    if sum.len() != 6 || !body.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    Some(number(sum, base62_digit, 62) == Some(crc(random)))
}

/// A GitLab prefix, a base64url payload, `.`, a version of 2 (older tokens have none) and `.`,
/// the payload's length in 2 and the CRC-32 in 7 base36 digits.
pub(super) fn gitlab_routable(token: &[u8]) -> Option<bool> {
    let dot = token.iter().rposition(|&byte| byte == b'.')?;
    let (head, tail) = token.split_at(dot + 1);
    let (length, sum) = tail.split_at_checked(2)?;
    if sum.len() != 7 || !tail.iter().all(|&byte| base36_digit(byte).is_some()) {
        return None;
    }
    let dash = token.iter().position(|&byte| byte == b'-')?;
    let payload = head.get(dash + 1..)?.split(|&byte| byte == b'.').next()?;
    // Runner tokens have `t1_` and the like between prefix and payload.
    let routed = match payload {
        [b't', b'0'..=b'9', b'_', rest @ ..] => rest,
        all => all,
    };
    let length = number(length, base36_digit, 36).and_then(|n| usize::try_from(n).ok());
    let covered = &token[..token.len() - sum.len()];
    let right_length = length == Some(payload.len()) || length == Some(routed.len());
    Some(right_length && number(sum, base36_digit, 36) == Some(crc(covered)))
}

/// `ATATT3`, `ATCTT3`, `ATBB`: the last 8 upper-case hex digits are the CRC-32 of the rest.
pub(super) fn atlassian(token: &[u8]) -> Option<bool> {
    let known = [b"ATATT3".as_slice(), b"ATCTT3", b"ATBB"].iter().any(|prefix| token.starts_with(prefix));
    let (body, sum) = token.split_at_checked(token.len().checked_sub(8)?)?;
    let upper = sum.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    (known && upper).then(|| number(sum, hex_digit, 16) == Some(crc(body)))
}

/// `glsa_`, 32 characters, `_`, 8 hex digits: the CRC-32 of the first 37 characters, least byte
/// first.
pub(super) fn grafana(token: &[u8]) -> Option<bool> {
    let (covered, tail) = token.split_at_checked(37)?;
    let sum = tail.strip_prefix(b"_")?;
    if !covered.starts_with(b"glsa_") || sum.len() != 8 {
        return None;
    }
    let sum = u32::try_from(number(sum, hex_digit, 16)?).ok()?;
    Some(u64::from(sum.swap_bytes()) == crc(covered))
}

/// `cfk_`, `cfut_`, `cfat_`, `cfast_`: 40 base62 characters and their CRC-32 in 8 hex digits.
pub(super) fn cloudflare(token: &[u8]) -> Option<bool> {
    let prefixes = [b"cfk_".as_slice(), b"cfut_", b"cfat_", b"cfast_"];
    let body = prefixes.iter().find_map(|prefix| token.strip_prefix(*prefix))?;
    let (random, sum) = body.split_at_checked(40)?;
    (sum.len() == 8).then(|| number(sum, hex_digit, 16) == Some(crc(random)))
}

/// `zpka_`, 32 characters, `_`, 8 hex digits: the CRC-32 of the 32.
pub(super) fn zuplo(token: &[u8]) -> Option<bool> {
    let (body, tail) = token.strip_prefix(b"zpka_")?.split_at_checked(32)?;
    let sum = tail.strip_prefix(b"_").filter(|sum| sum.len() == 8)?;
    Some(number(sum, hex_digit, 16) == Some(crc(body)))
}

/// `cflt`, 54 characters and 6 more: the beginning of the base64 of their CRC-32, least byte first. Whether the prefix is
/// summed as well is not documented, so both count.
pub(super) fn confluent(token: &[u8]) -> Option<bool> {
    let (covered, sum) = token.split_at_checked(58)?;
    let body = covered.strip_prefix(b"cflt")?;
    if sum.len() != 6 {
        return None;
    }
    let right = |bytes: &[u8]| base64(crc32fast::hash(bytes).to_le_bytes()).as_slice() == sum;
    Some(right(body) || right(covered))
}

/// 52 characters of base32 in lower case, 32 bytes: those at 22, 8, 7 and 2 are the CRC-32 of the others, under a mask
/// for users' or applications' tokens.
///
/// Source: <https://github.com/microsoft/security-utilities>, the seeds `AdoUserPatChecksumSeed` and
/// `AdoApplicationPatChecksumSeed`.
pub(super) fn azure_devops(token: &[u8]) -> Option<bool> {
    const PLACES: [usize; 4] = [22, 8, 7, 2];
    const MASKS: [u32; 2] = [0xe0b9_692d, 0x1019_f92e];
    if token.len() != 52 {
        return None;
    }
    let mut bytes = Vec::with_capacity(33);
    let (mut bits, mut count) = (0u32, 0);
    for &byte in token {
        let digit = match byte {
            b'a'..=b'z' => byte - b'a',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        (bits, count) = (bits << 5 | u32::from(digit), count + 5);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    let sum = PLACES.iter().fold(0u32, |sum, &place| sum << 8 | u32::from(bytes[place]));
    let others: Vec<u8> = (0..bytes.len()).filter(|place| !PLACES.contains(place)).map(|place| bytes[place]).collect();
    let expected = crc32fast::hash(&others);
    Some(MASKS.iter().any(|mask| expected ^ mask == sum || (expected ^ mask).swap_bytes() == sum))
}

/// The first six characters of the base64 of four bytes.
fn base64(bytes: [u8; 4]) -> [u8; 6] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u64::from(u32::from_be_bytes(bytes)) << 4;
    std::array::from_fn(|place| DIGITS[(bits >> (30 - 6 * place)) as usize & 63])
}

fn crc(bytes: &[u8]) -> u64 {
    u64::from(crc32fast::hash(bytes))
}

/// Reads up to 12 digits, most significant first; `None` at a foreign character.
fn number(text: &[u8], digit: fn(u8) -> Option<u8>, base: u64) -> Option<u64> {
    // No sum has more than 8 digits, so this cannot overflow.
    text.iter().try_fold(0, |value: u64, &byte| Some(value * base + u64::from(digit(byte)?)))
}

/// 0-9, A-Z, a-z: GitHub's order.
fn base62_digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'Z' => byte - b'A' + 10,
        b'a'..=b'z' => byte - b'a' + 36,
        _ => return None,
    })
}

fn base36_digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'z' => byte - b'a' + 10,
        _ => return None,
    })
}

fn hex_digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::sample::{Rng, fill};

    /// A check must accept what `template` builds and refuse it with any one character changed.
    fn proves(check: fn(&[u8]) -> Option<bool>, template: &str, from: usize) {
        for seed in 0..50 {
            let token = fill(template, &mut Rng::new(seed)).unwrap();
            assert_eq!(check(token.as_bytes()), Some(true), "{template}");
            for at in from..token.len() {
                let mut broken = token.clone().into_bytes();
                broken[at] = match broken[at] {
                    b'2' => b'3',
                    byte if byte.is_ascii_alphanumeric() => b'2',
                    byte => byte,
                };
                if broken != token.as_bytes() {
                    assert_ne!(check(&broken), Some(true), "{template} with character {at} changed");
                }
            }
        }
    }

    #[test]
    fn github_and_npm_checksums_are_proved_and_typos_are_not() {
        for prefix in ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_"] {
            proves(github, &format!("{{github-crc:{prefix}}}"), 4);
        }
    }

    #[test]
    fn zuplo_confluent_and_azure_devops_checksums_are_proved() {
        proves(zuplo, "{zuplo}", 5);
        proves(confluent, "{confluent}", 4);
        for seed in 0..50 {
            let token = fill("{azure-devops}", &mut Rng::new(seed)).unwrap();
            assert_eq!(azure_devops(token.as_bytes()), Some(true));
            let chance = fill("{base32:52}", &mut Rng::new(seed)).unwrap().to_ascii_lowercase();
            assert_eq!(azure_devops(chance.as_bytes()), Some(false));
        }
        assert_eq!(azure_devops(b"short"), None);
    }

    #[test]
    fn the_known_checksum_of_a_constant_body_holds() {
        // CRC-32 of thirty letters A is 0x317F6A1B, which is 0uCPlr in base 62.
        let body = "A".repeat(30);
        assert_eq!(crc32fast::hash(body.as_bytes()), 0x317f_6a1b);
        assert_eq!(github(format!("ghp_{body}0uCPlr").as_bytes()), Some(true));
    }

    #[test]
    fn longer_github_tokens_have_no_checksum() {
        let token = fill("ghr_{base62:76}", &mut Rng::new(1)).unwrap();
        assert_eq!(github(token.as_bytes()), None);
    }

    #[test]
    fn gitlab_routable_tokens_are_proved() {
        proves(gitlab_routable, "{gitlab-routable}", 6);
    }

    #[test]
    fn gitlab_tokens_without_a_route_have_no_checksum() {
        let token = fill("glpat-{base62:20}", &mut Rng::new(1)).unwrap();
        assert_eq!(gitlab_routable(token.as_bytes()), None);
    }

    #[test]
    fn atlassian_grafana_and_cloudflare_checksums_are_proved() {
        proves(atlassian, "{atlassian:ATATT3xFfGF0}", 6);
        proves(atlassian, "{atlassian:ATCTT3xFfGN0}", 6);
        proves(grafana, "{grafana-sa}", 5);
        for prefix in ["cfk_", "cfut_", "cfat_", "cfast_"] {
            proves(cloudflare, &format!("{{cloudflare:{prefix}}}"), prefix.len());
        }
    }
}
