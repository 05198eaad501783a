//! Tells values that are made to be shown: public keys, certificates, and what vendors give to browsers to name
//! themselves with. Does not look at key names.

use super::{Confidence, bytes::Texts, is_words, speech, trim_marks};

/// Whether a value is public by its form.
pub fn is_public(v: &[u8]) -> bool {
    v.len() >= PUBLIC_BYTES_MIN && (STARTS.begin(v) || is_counted(v) || is_point(v) || is_sealed(v))
}

/// A prefix, and digits of which there are as many as in no other value that begins so.
fn is_counted(v: &[u8]) -> bool {
    let hex = |rest: &[u8], count| rest.len() == count && rest.iter().all(u8::is_ascii_hexdigit);
    // Datadog's client tokens, and Mailgun's key for the validation of addresses in a page.
    v.strip_prefix(b"pub").is_some_and(|rest| hex(rest, 32))
        || v.strip_prefix(b"pubkey-").is_some_and(|rest| hex(rest, 32))
        // LaunchDarkly's keys of mobile apps.
        || v.strip_prefix(b"mob-").is_some_and(|rest| rest.len() == 36 && rest.get(8) == Some(&b'-'))
        // Whom age encrypts for.
        || v.strip_prefix(b"age1").is_some_and(|rest| rest.len() == 58 && rest.iter().all(is_bech32))
        // GitHub's names of apps.
        || v.strip_prefix(b"Iv1.").is_some_and(|rest| hex(rest, 16))
        || v.strip_prefix(b"Iv23").is_some_and(|rest| rest.len() == 16 && rest.iter().all(u8::is_ascii_alphanumeric))
}

/// How sure a finding may be at most whose secret documentation has: `AKIAIOSFODNN7EXAMPLE`, or in a `structure`, which
/// says only where one stands, a plain word: `https://bob:secret@host`.
pub fn published(v: &[u8], structure: bool) -> Option<Confidence> {
    let letters = |part: &[u8]| part.iter().all(u8::is_ascii_alphabetic);
    let known = || PUBLISHED.any(v, |_, _| true);
    // `pass1`, `#pass`, `secret123`: what examples have, and a number or a sign.
    let numbered = || {
        let word = trim_marks(v);
        let digits = word.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let word = &word[..word.len() - digits];
        digits <= COUNTER_DIGITS_MAX && EXAMPLE_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    };
    let word = || {
        let mut parts = v.split(|b| matches!(b, b'-' | b'_'));
        let long = parts.clone().any(|part| part.len() >= 4) || v.len() < 4;
        v.len() <= WORD_BYTES_MAX && long && parts.all(letters) && is_words(v)
    };
    (speech::names_an_example(v) || structure && (word() || numbered()) || known()).then_some(Confidence::Medium)
}

/// What only a cluster's controller can open (SealedSecret): base64 that begins with the length of an RSA key's block.
fn is_sealed(v: &[u8]) -> bool {
    v.len() >= SEALED_BYTES_MIN
        && matches!(v, [b'A', b'g', b'A'..=b'D', ..])
        && v.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
}

/// A point of P-256, uncompressed (its first byte is 4), as browsers take it for push messages.
fn is_point(v: &[u8]) -> bool {
    matches!(v, [b'B', b'A'..=b'P', ..])
        && (v.len() == 87 || v.len() == 88 && v.ends_with(b"=") && !v.ends_with(b"=="))
        && v.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'/' | b'='))
}

/// Letters and digits, without those that are taken for others (BIP 173).
fn is_bech32(byte: &u8) -> bool {
    (byte.is_ascii_digit() || byte.is_ascii_lowercase()) && !matches!(byte, b'1' | b'b' | b'i' | b'o')
}

/// Parts of values that documentation prints, so that whoever has read it knows them: sequences; those of jwt.io, RFC 6749,
/// 6750 and 7617, OAuth 1, OpenID, TOTP, PyJWT, AWS, Stripe, Telegram, Firebase, the emulators of Azure; manuals of kubectl,
/// PostgreSQL, OpenSSL, systemd.
static PUBLISHED: Texts = Texts::new(&[
    "xxxxxxxx",
    "XXXXXXXX",
    "1a2b3c4d",
    "a1b2c3d4",
    "0123456789abcdef",
    "1234567890abcdef",
    "0123456789ABCDEF",
    "eyJzdWIiOiIxMjM0NTY3ODkwI",
    "2YotnFZFEjr1",
    "tGzv3JOkF0XG",
    "SplxlOBeZQQ",
    "mF_9.B5f-4",
    "czZCaGRSa3F0",
    "QWxhZGRpbjpv",
    "nnch734d00sl",
    "kkk9d7dh3k39",
    "4eC39HqLyjWD",
    "BQokikJOvBiI",
    "ABC-DEF1234ghIkl",
    "AAHdqTcvCH1v",
    "DaGmWKa4JsXZ",
    "Eby8vdM02xNO",
    "C2y6yDjf5/R+",
    "uXFGweU9l35q",
    "jw8s0F4",
    "hu8jmn3",
    "44560wPMLfjq",
    "A7CEFC571974",
    "yAuRJu1o5Hio",
    "EEGlnEPYJV//",
    "JBSWY3DPEHPK3PXP",
    "hh5s93j4hdidpola",
    "h480djs93hd8",
    "deadbeef",
    "TQV5U29k1gHibH5b",
    "4twFt5NiznN84AWo",
    "]35d/{pB9Fo9wJ",
    "3s0K_;xh4~8XXI",
    "h]6EszR}vJ*m",
    "DXjSUawnel2fr6SK",
    "VERYLONGSECRET",
]);
/// What examples have for a secret, with a number or without.
const EXAMPLE_WORDS: &[&str] =
    &["pass", "password", "passwd", "pwd", "secret", "token", "foo", "bar", "foobar", "key", "test"];
const COUNTER_DIGITS_MAX: usize = 3;
/// The longest plain word (bytes).
const WORD_BYTES_MAX: usize = 24;
/// A block of a key of 4096 bits, in base64 (bytes).
const SEALED_BYTES_MIN: usize = 680;
const PUBLIC_BYTES_MIN: usize = 20;
/// How public values begin.
static STARTS: Texts = Texts::new(&[
    // SubjectPublicKeyInfo of RSA, P-256, P-384, Ed25519.
    "MIIBIjANBg",
    "MIICIjANBg",
    "MIGfMA0G",
    "MFkwEwYH",
    "MHYwEAYH",
    "MCowBQYDK2Vw",
    // OpenSSH.
    "ssh-rsa",
    "ssh-dss",
    "ssh-ed",
    "ecdsa-sha2",
    "AAAAB3NzaC1",
    "AAAAC3NzaC1",
    "AAAAE2VjZHNh",
    // A PEM certificate or public key that was encoded once more.
    "LS0tLS1CRUdJTiBDRV",
    "LS0tLS1CRUdJTiBQVUJ",
    // Decentralized identifiers, of which a key's is that public key.
    "did:key:z",
    "did:jwk:",
    "did:peer:",
    // Publishable keys of Stripe, Clerk, Paystack and others, Supabase, Flutterwave, Midtrans, Square.
    "pk_live_",
    "pk_test_",
    "sb_publishable_",
    "FLWPUBK",
    "Mid-client-",
    "SB-Mid-client-",
    "xnd_public_",
    "sq0idp-",
    // PostHog's projects, DevCycle's browsers, Mapbox's public tokens.
    "phc_",
    "dvc_client_",
    "pk.eyJ",
    "pk-lf-",
]);
