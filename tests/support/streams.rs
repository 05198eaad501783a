//! Turns arbitrary bytes into logs, cuts and pauses, and checks that the filter does not care how
//! a log was cut. Shared by the fuzz targets, the tests that replay what they found, and the
//! property tests.

use std::sync::Arc;

use blackbar::{
    rules::sample::{Rng, fill},
    scan::Engine,
};

/// A log and a way to cut it.
#[derive(Clone)]
pub struct Stream {
    /// The whole input.
    pub log: Vec<u8>,
    /// Places (taken modulo the length) and whether time passes there.
    pub cuts: Vec<(u16, bool)>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\" cut at {:?}", super::shown(&self.log), self.cuts)
    }
}

impl Stream {
    /// Reads a stream from what a fuzzer came up with: a head byte (number of cuts in its low 5
    /// bits; the 6th bit says that the rest names fragments), two bytes a cut (pause in the top
    /// bit), and the log.
    pub fn from_fuzz(data: &[u8]) -> Stream {
        let Some((&head, rest)) = data.split_first() else {
            return Stream { log: Vec::new(), cuts: Vec::new() };
        };
        let count = usize::from(head & 31).min(rest.len() / 2);
        let (cuts, rest) = rest.split_at(2 * count);
        let cuts =
            cuts.chunks(2).map(|pair| (u16::from_be_bytes([pair[0], pair[1]]) & 0x7fff, pair[0] & 0x80 != 0)).collect();
        let log = if head & 32 == 0 { rest.to_vec() } else { glue(rest) };
        Stream { log, cuts }
    }

    /// The pieces between the cuts, in their order, and whether time passes after each.
    pub fn pieces(&self) -> Vec<(&[u8], bool)> {
        let mut cuts: Vec<(usize, bool)> =
            self.cuts.iter().map(|&(at, idle)| (usize::from(at) % (self.log.len() + 1), idle)).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for (at, idle) in cuts {
            pieces.push((&self.log[from..at], idle));
            from = at;
        }
        pieces.push((&self.log[from..], false));
        pieces
    }
}

/// The fuzz target `filter_split`: the output in pieces is the output in one piece. A pause after each byte
/// takes a time that grows with the square of the length: a fuzzer, which chooses the cuts itself, tries it
/// with short logs only.
///
/// # Panics
/// If it is not.
pub fn filter_split(data: &[u8]) {
    let stream = Stream::from_fuzz(data);
    let engine = super::default_engine();
    let compare = if stream.log.len() <= FUZZED_BYTE_BY_BYTE_MAX { split_makes_no_difference } else { cuts_agree };
    if let Err(fault) = compare(&engine, &stream) {
        panic!("{fault}");
    }
}

/// The longest log that a fuzzer tries byte by byte.
const FUZZED_BYTE_BY_BYTE_MAX: usize = 100;

/// Filters a stream in one piece and in its pieces.
fn cuts_agree(engine: &Arc<Engine>, stream: &Stream) -> Result<(), String> {
    let whole = super::whole(engine, &stream.log);
    super::same("in pieces", &stream.log, &whole, &super::in_pieces(engine, &stream.pieces()))
}

/// Filters a stream in one piece, in its pieces and byte by byte.
///
/// # Errors
/// If the outputs differ: where they do.
pub fn split_makes_no_difference(engine: &Arc<Engine>, stream: &Stream) -> Result<(), String> {
    cuts_agree(engine, stream)?;
    let whole = super::whole(engine, &stream.log);
    // The pause after each byte is the other extreme: all that can leave has left.
    let bytes: Vec<(&[u8], bool)> = stream.log.chunks(1).map(|byte| (byte, true)).collect();
    super::same("byte by byte", &stream.log, &whole, &super::in_pieces(engine, &bytes))
}

/// Glues fragments together; each byte names one.
pub fn glue(choices: &[u8]) -> Vec<u8> {
    let mut log = Vec::new();
    for &choice in choices {
        log.extend_from_slice(&fragment(usize::from(choice)));
    }
    log
}

/// The fragment with this number: kinds of text that logs are made of, with all that makes the
/// filter's work hard.
fn fragment(number: usize) -> Vec<u8> {
    let secrets = SECRETS.len();
    let number = number % (3 * secrets + TEXTS.len() + BYTES.len());
    if number < 3 * secrets {
        // Whole, first half, second half: of one and the same secret, so that halves can meet.
        let kind = number % secrets;
        let secret = fill(SECRETS[kind], &mut Rng::new(kind as u64)).unwrap().into_bytes();
        let middle = secret.len() / 2;
        return match number / secrets {
            0 => secret,
            1 => secret[..middle].to_vec(),
            _ => secret[middle..].to_vec(),
        };
    }
    let number = number - 3 * secrets;
    match TEXTS.get(number) {
        Some(text) => text.as_bytes().to_vec(),
        None => BYTES[number - TEXTS.len()].to_vec(),
    }
}

/// Templates of secrets.
const SECRETS: &[&str] = &[
    "{github-crc:ghp_}",
    "ghs_{digits:6}_{jwt}",
    "glpat-{base62:20}",
    "{gitlab-routable}",
    "{github-crc:npm_}",
    "AKIA{base32:16}",
    "AIza{base62:35}",
    "{jwt}",
    "hf_{letters:34}",
    "sk-ant-api03-{base64url:93}AA",
    "{base62:14}.atlasv1.{base62:67}",
    "db_password={base62:12}",
    "password: \"{base62:5} {base62:6}\"",
    "api_key={hex:32}",
    "Authorization: Bearer {base62:40}",
    "postgres://app:{base62:12}@db/app",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{base64:32}",
    "{base64:64}",
    "{hex:40}",
    "{uuid}",
];

/// Pieces of text.
const TEXTS: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    " ",
    "\t",
    "=",
    ": ",
    "\"",
    "'",
    "\\\"",
    "\\n",
    "\\\\n",
    "\\",
    "\\u001b[31m",
    "\\u0026",
    "\\/",
    "\u{1b}[0m",
    "\u{1b}[1;31m",
    "\u{1b}[",
    "\u{1b}]8;;http://x/?t=",
    "\u{1b}\\",
    "\u{7}",
    "\u{1b}]0;",
    "{\"a\":\"",
    "\"}",
    "{\"log\":\"",
    "\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:10:23Z\"}\n",
    "\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:10:23Z\"}\n",
    "2026-11-20T23:10:23.1Z stdout F ",
    "2026-11-20T23:10:23.1Z stdout P ",
    "2026-11-20T23:10:23.1Z stderr F ",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----END RSA PRIVATE KEY-----",
    "-----BEGIN CERTIFICATE-----",
    "-----END CERTIFICATE-----",
    "{\\\"b\\\":\\\"",
    "\\\"}",
    "%3D",
    "%20",
    "%2",
    "%",
    "&amp;",
    "&#x3d;",
    "&",
    "&x=1",
    "?token=",
    "http://",
    "@host",
    ":",
    ";",
    ",",
    ", ",
    "(",
    ")",
    "<password>",
    "</password>",
    "password=",
    "password: ",
    "\"password\":\"",
    "- name: DB_PASSWORD",
    "  value: ",
    "--password ",
    "token",
    "secret",
    "ghp_",
    "AKIA",
    "eyJ",
    "[REDACTED:github-pat]",
    "[REDACTED:",
    "***",
    "INFO started",
    "Progress 12%",
    "0123456789abcdef",
    "aaaaaaaa",
    "_",
    "-",
    ".",
    "é",
    "漢",
    "Schlüssel",
    "name",
    "\"name\":\"",
    "\"value\":\"",
    "key",
    "api key",
    "\\t",
    "&quot;",
    "`",
    "[",
    "]",
    "<key>",
    " name=\"",
    ">",
    "--password",
    "\"--password\", \"",
    "password:",
    "password:\n",
    "\\u001b[0m:",
    "hunter2",
    "kR7-pw4q",
    "machine h login u password ",
    "ENV DB_PASSWORD ",
    "jira pat ",
    "_OLD",
    "=>",
    ":=",
    "https://u:p@",
];

/// Pieces that are no text.
const BYTES: &[&[u8]] =
    &[&[0], &[0xff], &[0xfe, 0xff], &[0xff, 0xfe], &[0xc3], &[0x9b], &[0xe2, 0x82], &[0x80], &[0x1b]];
