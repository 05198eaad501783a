//! Turns Azure's identifiable keys into whether their Marvin checksum is right. Does not know keys without a signature.
//!
//! A key carries a signature of four characters and ends in a checksum under a seed of the service. The seeds that are
//! public are tried; a key of another seed says nothing.
//!
//! Source: <https://github.com/microsoft/security-utilities>, `IdentifiableMetadata.cs` and `IdentifiableSecrets.cs`.

use super::base64url;

/// Signatures in base64, with the seeds under which their keys are made. A seed is eight letters.
const SEEDS: &[(&[u8], &[&[u8; 8]])] = &[
    (b"+ASt", &[b"Default0"]),
    (b"+ABa", &[b"AbAcct00"]),
    (b"ACDb", &[b"MastRO00", b"MastRW00", b"SysAll00", b"Resour00", b"SystRO00", b"SystRW00", b"Encryp00"]),
    (b"AzCa", &[b"Access00"]),
    (b"AzFu", &[b"Functi00", b"System00", b"Master00"]),
    (b"AzSe", &[b"Query000", b"PAdmin00"]),
    (b"+AMC", &[b"Classic0"]),
    (b"+ACR", &[b"ACRDflt0"]),
    (b"+ASb", &[b"Send0000", b"Listen00", b"Manage00", b"System00", b"Unknown0"]),
    (b"+AEh", &[b"Send0000", b"Listen00", b"Manage00", b"System00", b"Unknown0"]),
    (b"+ARm", &[b"Send0000", b"Listen00", b"Manage00", b"System00", b"Unknown0"]),
    (b"AIoT", &[b"IoTHub00", b"DpsKey00", b"Device00"]),
    (b"APIM", &[b"Tenant00", b"IoTHub00", b"Gatewy00", b"GitKey00"]),
    (b"+SQL", &[b"UsrPwd00"]),
    (b"AZEG", &[b"SendRecv"]),
];

/// A key in base64: its last four bytes are the checksum of the others, least byte first.
pub(super) fn identifiable(token: &[u8]) -> Option<bool> {
    let text: Vec<u8> = token
        .iter()
        .filter(|&&byte| byte != b'=')
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        })
        .collect();
    let bytes = base64url::decode(&text)?;
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
    let seeds = SEEDS.iter().filter(|(signature, _)| memchr::memmem::find(token, signature).is_some());
    let right = |seed: &[u8; 8]| hash(body, u64::from_be_bytes(*seed)).to_le_bytes() == sum;
    seeds.flat_map(|(_, seeds)| seeds.iter()).any(|seed| right(seed)).then_some(true)
}

/// Marvin32, as .NET has it: two words of state, mixed after every four bytes.
pub(crate) fn hash(bytes: &[u8], seed: u64) -> u32 {
    let [mut low, mut high] = [seed as u32, (seed >> 32) as u32];
    let mut groups = bytes.chunks_exact(4);
    for group in &mut groups {
        low = low.wrapping_add(u32::from_le_bytes([group[0], group[1], group[2], group[3]]));
        mix(&mut low, &mut high);
    }
    // The rest is closed by a byte of 0x80.
    let rest = groups.remainder();
    let last = rest.iter().rev().fold(0x80u32, |word, &byte| word << 8 | u32::from(byte));
    low = low.wrapping_add(last);
    mix(&mut low, &mut high);
    mix(&mut low, &mut high);
    low ^ high
}

fn mix(low: &mut u32, high: &mut u32) {
    *high ^= *low;
    *low = low.rotate_left(20).wrapping_add(*high);
    *high = high.rotate_left(9) ^ *low;
    *low = low.rotate_left(27).wrapping_add(*high);
    *high = high.rotate_left(19);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_dotnet() {
        // https://github.com/dotnet/runtime, MarvinTests: 64 bits each, whose halves are joined by exclusive or.
        const SEED: u64 = 0x004f_b61a_001b_dbcc;
        let vectors: [(&[u8], u64); 8] = [
            (&[], 0x30ed_35c1_00cd_3c7d),
            (&[0xaf], 0x48e7_3fc7_7d75_ddc1),
            (&[0xe7, 0x0f], 0xb5f6_e1fc_485d_bff8),
            (&[0x37, 0xf4, 0x95], 0xf0b0_7c78_9b8c_f7e8),
            (&[0x86, 0x42, 0xdc, 0x59], 0x7008_f2e8_7e9c_f556),
            (&[0x15, 0x3f, 0xb7, 0x98, 0x26], 0xe6c0_8c6d_a2af_a997),
            (&[0x09, 0x32, 0xe6, 0x24, 0x6c, 0x47], 0x6f04_bf1a_5ea2_4060),
            (&[0xab, 0x42, 0x7e, 0xa8, 0xd1, 0x0f, 0xc7], 0xe118_47e4_f067_8c41),
        ];
        for (bytes, expected) in vectors {
            assert_eq!(hash(bytes, SEED), (expected >> 32) as u32 ^ expected as u32, "{bytes:?}");
        }
    }

    #[test]
    fn a_key_with_its_checksum_is_proved_and_any_other_says_nothing() {
        use crate::rules::sample::{Rng, fill};
        for seed in 0..20 {
            for template in
                ["{azure-key:64:+ASt:Default0}", "{azure-key:32:+ASb:Send0000}", "{azure-key:40:AzFu:Master00}"]
            {
                let key = fill(template, &mut Rng::new(seed)).unwrap();
                assert_eq!(identifiable(key.as_bytes()), Some(true), "{template}");
                let mut wrong = key.into_bytes();
                wrong[3] = if wrong[3] == b'A' { b'B' } else { b'A' };
                assert_eq!(identifiable(&wrong), None, "{template}");
            }
        }
    }
}
