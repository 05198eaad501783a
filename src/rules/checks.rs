//! Turns a token into a verdict on its checksum or payload. Does not find tokens, asks no server.
//!
//! A check that succeeds proves a token; one that fails only lowers the confidence, because half
//! of the samples in circulation have broken checksums. What a check learns on the way (an
//! account number, an issuer) comes back as [`Facts`], which never hold a piece of the secret.

mod base64url;
mod crc;
mod jwt;
pub(super) mod marvin;
mod payload;

/// Derived facts of a token that are no secrets: the outcome of a checksum, an account number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(Vec<(&'static str, String)>);

impl Facts {
    /// The facts in the order in which they were learnt, as (name, value).
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The value of the fact called `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Whether nothing was learnt.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a fact.
    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.0.push((name, value));
        self
    }
}

/// What a check says about a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the structure is right; `None` where the check does not apply to this form.
    pub valid: Option<bool>,
    /// What was learnt on the way.
    pub facts: Facts,
}

impl Outcome {
    /// The check says nothing about this form of token.
    fn silent() -> Self {
        Self::default()
    }

    fn checksum(valid: bool) -> Self {
        let word = if valid { "valid" } else { "invalid" };
        Self { valid: Some(valid), facts: Facts::default().with("checksum", word.to_owned()) }
    }
}

/// A structural check; rule files name it in `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    /// GitHub's and npm's tokens of 30 + 6 base62 characters: the last 6 are the CRC-32 of the 30.
    ///
    /// Source: <https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>.
    /// The longer and the stateless forms of 2026 carry no such checksum: `None`.
    GithubCrc32,
    /// GitLab's routable tokens: payload, version, length and CRC-32 over all before it.
    ///
    /// Source: <https://handbook.gitlab.com/handbook/engineering/architecture/design-documents/cells/routable_tokens/>.
    GitlabRoutable,
    /// Atlassian's API tokens: the last 8 upper-case hex digits are the CRC-32 of all before them.
    ///
    /// Source: <https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/>,
    /// checksum as observed.
    AtlassianCrc32,
    /// Grafana's service account tokens: the last 8 hex digits are the CRC-32, least byte first,
    /// of the first 37 characters.
    ///
    /// Source: <https://github.com/grafana/grafana/tree/main/pkg/components/satokengen>.
    GrafanaCrc32,
    /// Cloudflare's prefixed tokens: 40 characters and their CRC-32 in hex.
    ///
    /// Source: <https://developers.cloudflare.com/fundamentals/api/get-started/token-formats/>.
    CloudflareCrc32,
    /// Zuplo's keys: 32 characters and their CRC-32 in hex.
    ///
    /// Source: <https://zuplo.com/docs/articles/api-key-best-practices>.
    ZuploCrc32,
    /// Confluent's secrets since July 2025: 54 characters and the beginning of their CRC-32 in base64.
    ///
    /// Source: <https://docs.confluent.io/cloud/current/using/api-keys.html>, checksum as observed.
    ConfluentCrc32,
    /// The 52 characters of older Azure DevOps tokens: four of their 32 bytes are a CRC-32 of the others.
    AzureDevopsCrc32,
    /// Azure's identifiable keys: the last four bytes are a Marvin checksum under a seed of the service.
    AzureMarvin32,
    /// Tokens with a JSON object in base64 behind their prefix (Grafana Cloud, Sentry, 1Password).
    JsonPayload,
    /// PyPI's macaroons: version, location, identifier.
    PypiMacaroon,
    /// Discord's bot tokens: the first part is a number in base64.
    DiscordSnowflake,
    /// JFrog's reference tokens: base64 of `reftkn:`.
    JfrogReference,
    /// Bech32, with its checksum (age).
    Bech32,
    /// JSON web tokens (RFC 7519, RFC 7516): the header decodes to an object with `alg` or `enc`.
    Jwt,
    /// AWS access key ids: the account number is part of the key. It proves nothing.
    ///
    /// Source: <https://labs.withsecure.com/publications/a-bitwise-analysis-of-aws-access-key-identifiers.html>.
    AwsAccount,
}

/// The checks by name. The order is that of the documentation.
const NAMES: &[(&str, Check)] = &[
    ("github-crc32", Check::GithubCrc32),
    ("gitlab-routable", Check::GitlabRoutable),
    ("atlassian-crc32", Check::AtlassianCrc32),
    ("grafana-crc32", Check::GrafanaCrc32),
    ("cloudflare-crc32", Check::CloudflareCrc32),
    ("zuplo-crc32", Check::ZuploCrc32),
    ("confluent-crc32", Check::ConfluentCrc32),
    ("azure-devops-crc32", Check::AzureDevopsCrc32),
    ("azure-marvin32", Check::AzureMarvin32),
    ("json-payload", Check::JsonPayload),
    ("pypi-macaroon", Check::PypiMacaroon),
    ("discord-snowflake", Check::DiscordSnowflake),
    ("jfrog-reference", Check::JfrogReference),
    ("bech32", Check::Bech32),
    ("jwt", Check::Jwt),
    ("aws-account", Check::AwsAccount),
];

impl Check {
    /// The check with this name, if there is one.
    pub fn by_name(name: &str) -> Option<Check> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
    }

    /// The names of all checks.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Checks a token as decoded in its innermost view. Never panics.
    pub fn run(self, token: &[u8]) -> Outcome {
        match self {
            Check::GithubCrc32 => verdict(crc::github(token)),
            Check::GitlabRoutable => verdict(crc::gitlab_routable(token)),
            Check::AtlassianCrc32 => verdict(crc::atlassian(token)),
            Check::GrafanaCrc32 => verdict(crc::grafana(token)),
            Check::CloudflareCrc32 => verdict(crc::cloudflare(token)),
            Check::ZuploCrc32 => verdict(crc::zuplo(token)),
            Check::ConfluentCrc32 => verdict(crc::confluent(token)),
            Check::AzureDevopsCrc32 => verdict(crc::azure_devops(token)),
            Check::AzureMarvin32 => verdict(marvin::identifiable(token)),
            Check::JsonPayload => payload(payload::json(token)),
            Check::PypiMacaroon => payload(payload::macaroon(token)),
            Check::DiscordSnowflake => payload(payload::snowflake(token)),
            Check::JfrogReference => payload(payload::reference_token(token)),
            Check::Bech32 => verdict(payload::bech32(token)),
            Check::Jwt => jwt::check(token),
            Check::AwsAccount => aws_account(token),
        }
    }
}

fn payload(valid: Option<bool>) -> Outcome {
    let word = |valid| if valid { "decodes" } else { "does not decode" };
    valid.map_or_else(Outcome::silent, |valid| Outcome {
        valid: Some(valid),
        facts: Facts::default().with("payload", word(valid).to_owned()),
    })
}

fn verdict(valid: Option<bool>) -> Outcome {
    valid.map_or_else(Outcome::silent, Outcome::checksum)
}

/// The account is bits 1 to 40 (from the top) of the base32 body. Where bit 0 is not set, the key
/// is older than this scheme and says nothing.
fn aws_account(token: &[u8]) -> Outcome {
    let Some((prefix, body)) = token.split_at_checked(4) else { return Outcome::silent() };
    let known = matches!(prefix, b"AKIA" | b"ASIA" | b"ABIA" | b"ACCA");
    if !known || body.len() != 16 {
        return Outcome::silent();
    }
    let mut bits: u64 = 0;
    // 10 characters of 5 bits hold the 48 bits that matter and 2 more.
    for &byte in &body[..10] {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return Outcome::silent(),
        };
        bits = bits << 5 | u64::from(digit);
    }
    let bits = bits >> 2;
    let account = (bits & 0x7fff_ffff_ff80) >> 7;
    if bits >> 47 == 0 || account > 999_999_999_999 {
        return Outcome::silent();
    }
    Outcome { valid: None, facts: Facts::default().with("aws_account", format!("{account:012}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_found_by_its_name() {
        assert_eq!(Check::names().count(), NAMES.len());
        for name in Check::names() {
            assert!(Check::by_name(name).is_some());
        }
        assert_eq!(Check::by_name("no-such-check"), None);
    }

    #[test]
    fn no_check_panics_on_short_or_foreign_input() {
        let foreign: &[&[u8]] = &[
            b"",
            b"_",
            b".",
            b"..",
            b"ghp_",
            b"AKIA",
            b"\xff\xfe.\x00.\x80",
            b"eyJ.eyJ.x",
            b"glsa_",
            "ÄÖÜ".as_bytes(),
        ];
        for name in Check::names() {
            let check = Check::by_name(name).unwrap();
            for token in foreign {
                check.run(token);
            }
            for length in 0..100 {
                check.run(&vec![b'_'; length]);
                check.run(&vec![0xff; length]);
            }
        }
    }

    /// Builds the key id that belongs to an account, by the reverse of the formula.
    fn key_of(account: u64) -> String {
        let bits: u64 = (1 << 47 | account << 7) << 2;
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let body: String = (0..10).rev().map(|i| char::from(digits[(bits >> (5 * i)) as usize & 31])).collect();
        format!("AKIA{body}ABC234")
    }

    #[test]
    fn the_account_of_an_aws_key_is_read_from_its_body() {
        for account in [1, 123_456_789_012, 999_999_999_999] {
            let outcome = Check::AwsAccount.run(key_of(account).as_bytes());
            assert_eq!(outcome.valid, None);
            assert_eq!(outcome.facts.get("aws_account"), Some(format!("{account:012}").as_str()));
        }
    }

    #[test]
    fn old_or_impossible_aws_keys_say_nothing() {
        let old = format!("AKIAI{}", "A".repeat(15));
        let impossible = key_of((1 << 40) - 1);
        let foreign = format!("AKIA{}", "1".repeat(16));
        for key in [old, impossible, foreign] {
            assert_eq!(Check::AwsAccount.run(key.as_bytes()), Outcome::silent());
        }
    }
}
