//! Turns arbitrary bytes into values, a text that shows them in many forms, and cuts, and checks that no piece of a value
//! can be read in the output, whatever the cuts. Writes and reads the forms in the plainest way, with no code of the
//! program. Shared by the fuzz target `known`, the tests that replay what it found, and the property tests.

use blackbar::{KnownValues, scan::known::Policy};

use super::{
    in_pieces,
    known::{base64, engine_with},
    shown, whole,
};

/// Values, a text and cuts.
pub struct World {
    values: Vec<Vec<u8>>,
    /// What stands in the text: something that has nothing to do with the values, or one of them in a form.
    parts: Vec<Part>,
    cuts: Vec<(u16, bool)>,
}

enum Part {
    Noise(Vec<u8>),
    Value { value: usize, form: usize },
}

/// The fuzz target `known`.
///
/// # Panics
/// If a piece of a value is left, or a cut makes a difference.
pub fn known(data: &[u8]) {
    if let Err(fault) = World::from_bytes(data).holds() {
        panic!("{fault}");
    }
}

impl World {
    /// Reads a world from what a fuzzer came up with: a byte for the number of values (two bits) and of cuts (three bits);
    /// for each value its length and so many bytes, each of which names a piece; two bytes a cut (a pause in the top bit);
    /// and bytes of which each names a value in a form, or noise.
    pub fn from_bytes(data: &[u8]) -> World {
        let mut bytes = data.iter().copied();
        let mut next = || bytes.next().unwrap_or_default();
        let head = next();
        let values = (0..1 + head % 4).map(|_| {
            let length = 1 + next() % 10;
            (0..length).flat_map(|_| PIECES[usize::from(next()) % PIECES.len()].iter().copied()).collect()
        });
        let values: Vec<Vec<u8>> = values.collect();
        let cuts = (0..head >> 2 & 7).map(|_| (u16::from_be_bytes([next() & 0x7f, next()]), next() & 1 == 1)).collect();
        let parts = bytes.map(|byte| {
            let number = usize::from(byte);
            let (noise, forms) = (NOISE.len(), FORMS.len());
            match number.checked_sub(noise) {
                None => Part::Noise(NOISE[number].to_vec()),
                Some(number) => Part::Value { value: number / forms % values.len(), form: number % forms },
            }
        });
        World { parts: parts.collect(), values, cuts }
    }

    /// Filters the text in one piece and in its pieces, and reads what comes out.
    ///
    /// # Errors
    /// If something of a value is left, or the outputs differ: where.
    pub fn holds(&self) -> Result<(), String> {
        let known = KnownValues::new(Policy { weak: true, ..Policy::default() });
        // A single sign may stand in a colour that is kept.
        let takes = |value: &Vec<u8>| value.len() >= VALUE_BYTES_MIN && known.add("V", value).is_ok();
        let taken: Vec<bool> = self.values.iter().map(takes).collect();
        let (mut text, mut rest) = (Vec::new(), Vec::new());
        for part in &self.parts {
            match part {
                Part::Noise(noise) => {
                    text.extend_from_slice(noise);
                    rest.extend_from_slice(noise);
                }
                &Part::Value { value, form } if taken[value] => {
                    text.extend(FORMS[form].1(&self.values[value]));
                    // What a form puts around a value is its own, as colours are.
                    rest.extend(FORMS[form].1(b"***"));
                }
                Part::Value { .. } => {}
            }
        }
        let values: Vec<&[u8]> =
            self.values.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(v, _)| &v[..]).collect();
        let pieces = pieces(&values);
        // A text that has pieces of values beside them tells nothing when it still has them.
        if piece_in(&rest, &pieces).is_some() {
            return Ok(());
        }
        let engine = engine_with(known);
        let output = whole(&engine, &text);
        let about = || {
            let values: Vec<String> = values.iter().map(|value| shown(value)).collect();
            format!("values {values:?}\n  input:  {}\n  output: {}", shown(&text), shown(&output))
        };
        if let Some(piece) = piece_in(&output, &pieces) {
            return Err(format!("{} is left\n  {}", shown(piece), about()));
        }
        super::same("in pieces", &text, &output, &in_pieces(&engine, &self.pieces_of(&text)))
            .map_err(|fault| format!("{fault}\n  {}", about()))?;
        if text.len() <= BYTE_BY_BYTE_MAX {
            let bytes: Vec<(&[u8], bool)> = text.chunks(1).map(|byte| (byte, true)).collect();
            super::same("byte by byte", &text, &output, &in_pieces(&engine, &bytes))
                .map_err(|fault| format!("{fault}\n  {}", about()))?;
        }
        super::same("filtered twice", &output, &output, &whole(&engine, &output))
            .map_err(|fault| format!("{fault}\n  {}", about()))
    }

    fn pieces_of<'a>(&self, text: &'a [u8]) -> Vec<(&'a [u8], bool)> {
        let mut cuts: Vec<(usize, bool)> =
            self.cuts.iter().map(|&(at, idle)| (usize::from(at) % (text.len() + 1), idle)).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for (at, idle) in cuts {
            pieces.push((&text[from..at], idle));
            from = at;
        }
        pieces.push((&text[from..], false));
        pieces
    }
}

/// Pieces of a value, of its lines, and of its base64, hexadecimal and URL forms, that may stand nowhere.
fn pieces(values: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for value in values {
        let value = value.trim_ascii();
        // Its lines stand alone where they say something, which the registry decides.
        let says_something = |line: &&[u8]| {
            let alone = KnownValues::default();
            let frames =
                line.starts_with(b"-----") || line.ends_with(b"=") || b":{[(".contains(line.last().unwrap_or(&0));
            line.iter().any(u8::is_ascii_alphanumeric) && !frames && alone.add("L", line).is_ok()
        };
        let lines = value.split(|byte| b"\r\n".contains(byte)).map(<[u8]>::trim_ascii);
        forms.extend(lines.filter(says_something).map(<[u8]>::to_vec));
        if value.len() < PIECE_BYTES {
            continue;
        }
        for before in 0..3 {
            let inner = &value[(3 - before) % 3..];
            let digits = base64(&inner[..inner.len() / 3 * 3]);
            forms.extend([digits.replace('+', "-").replace('/', "_").into_bytes(), digits.into_bytes()]);
        }
        forms.extend([hex(value, false), hex(value, true)]);
        // A part of it without a sign is one of a line.
        let codes = [percent(value, false), percent(value, true)];
        let windows = codes.iter().flat_map(|code| code.windows(PIECE_BYTES));
        forms.extend(windows.filter(|piece| piece.contains(&b'%')).map(<[u8]>::to_vec));
    }
    let all = forms.iter().flat_map(|form| form.windows(PIECE_BYTES));
    let mut all: Vec<Vec<u8>> = all.map(<[u8]>::to_vec).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The first of some sorted pieces that stands in a text.
fn piece_in<'a>(text: &'a [u8], pieces: &[Vec<u8>]) -> Option<&'a [u8]> {
    text.windows(PIECE_BYTES).find(|part| pieces.binary_search_by(|piece| piece[..].cmp(part)).is_ok())
}

/// The shortest value that is taken (bytes).
const VALUE_BYTES_MIN: usize = 4;

/// The shortest piece of a value that may not be left (bytes).
const PIECE_BYTES: usize = 8;

/// The longest text that is filtered byte by byte.
const BYTE_BY_BYTE_MAX: usize = 200;

fn hex(value: &[u8], upper: bool) -> Vec<u8> {
    let digits = value.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
    digits.collect::<String>().into_bytes()
}

fn percent(value: &[u8], upper: bool) -> Vec<u8> {
    let each = |&byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if upper => format!("%{byte:02X}"),
        _ => format!("%{byte:02x}"),
    };
    value.iter().map(each).collect::<String>().into_bytes()
}

/// A text, where the value is one; else the value as it is.
fn text(value: &[u8], write: impl Fn(&str) -> String) -> Vec<u8> {
    std::str::from_utf8(value).map_or_else(|_| value.to_vec(), |text| write(text).into_bytes())
}

/// What stands between the quotes of a JSON string.
fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted[1..quoted.len() - 1].to_owned()
}

fn units(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn around(before: &[u8], value: &[u8], behind: &[u8]) -> Vec<u8> {
    [before, value, behind].concat()
}

fn wrapped(digits: &str, width: usize, prefix: &str) -> Vec<u8> {
    let lines = digits.as_bytes().chunks(width).map(|line| format!("{prefix}{}\n", String::from_utf8_lossy(line)));
    format!("\n{}", lines.collect::<String>()).into_bytes()
}

fn between_all(value: &[u8], sign: &[u8]) -> Vec<u8> {
    text(value, |text| text.chars().map(|one| format!("{one}{}", String::from_utf8_lossy(sign))).collect())
}

type Write = fn(&[u8]) -> Vec<u8>;

/// Ways in which programs write a value.
const FORMS: &[(&str, Write)] = &[
    ("raw", |value| value.to_vec()),
    ("in words", |value| around(b" is ", value, b", ")),
    ("quoted", |value| around(b"\"", value, b"\"")),
    ("base64", |value| base64(value).into_bytes()),
    ("base64, no padding", |value| base64(value).trim_end_matches('=').as_bytes().to_vec()),
    ("base64 of user:value", |value| base64(&around(b"user:", value, b"")).into_bytes()),
    ("base64, one before", |value| base64(&around(b"{", value, b"}")).into_bytes()),
    ("base64, two before", |value| base64(&around(b"a:", value, b" and so on")).into_bytes()),
    ("base64url", |value| base64(value).replace('+', "-").replace('/', "_").trim_end_matches('=').as_bytes().to_vec()),
    ("base64 twice", |value| base64(base64(value).as_bytes()).into_bytes()),
    ("base64 of lines", |value| wrapped(&base64(&around(&[b'x'; 50], value, b" and more, for a line")), 76, "")),
    ("base64 behind a time", |value| wrapped(&base64(&around(&[b'y'; 40], value, b"! and more text")), 64, "12:00 ")),
    ("UTF-16 in base64", |value| {
        text(value, |text| base64(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()))
    }),
    ("hex", |value| hex(value, false)),
    ("HEX", |value| hex(value, true)),
    ("percent", |value| percent(value, true)),
    ("percent, small", |value| percent(value, false)),
    ("percent twice", |value| percent(&percent(value, true), true)),
    ("form", |value| String::from_utf8_lossy(&percent(value, true)).replace("%20", "+").into_bytes()),
    ("JSON", |value| text(value, |text| format!("{{\"a\":\"{}\"}}", json(text)))),
    ("JSON in JSON", |value| text(value, |text| json(&json(text)))),
    ("JSON, numbers", |value| text(value, units)),
    ("XML", |value| {
        text(value, |text| {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            text.replace('"', "&quot;").replace('\'', "&#39;")
        })
    }),
    ("shell", |value| text(value, |text| format!("'{}'", text.replace('\'', "'\\''")))),
    ("PowerShell", |value| text(value, |text| format!("'{}'", text.replace('\'', "''")))),
    ("lines with CR", |value| text(value, |text| text.replace('\n', "\r\n"))),
    ("lines in a trace", |value| text(value, |text| format!("\n{}\n", text.replace('\n', "\n+ ")))),
    ("lines of a log", |value| text(value, |text| format!("\n12:00 {}\n", text.replace('\n', "\n12:00 ")))),
    ("coloured", |value| around(b"\x1b[1;31m", value, b"\x1b[0m")),
    ("a colour in it", |value| {
        let at = (1..=value.len() / 2).rev().find(|&at| value[at] & 0xc0 != 0x80).unwrap_or(0);
        [&value[..at], b"\x1b[32m", &value[at..]].concat()
    }),
    ("colours between all", |value| between_all(value, b"\x1b[m")),
];

/// Texts between the values. None is the beginning of an escape, which would take a part of the next text for its own.
const NOISE: &[&[u8]] = &[
    b"\n",
    b"\r\n",
    b" ",
    b"x",
    b"Q",
    b"7",
    b"=",
    b"==",
    b":",
    b"\"",
    b"'",
    b"\\",
    b"%",
    b"%4",
    b"+",
    b"/",
    b"-",
    b",",
    b"\t",
    b"&",
    b"&#",
    b"\x1b[0m",
    b"\x1b]0;t\x07",
    b"\x07",
    b"\r",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xe4",
    b"{\"log\":\"",
    b"\\n\",\"stream\":\"stdout\"}\n",
    b"2026-11-20T23:10:23.1Z stdout P ",
    b"2026-11-20T23:10:23.1Z stdout F ",
    b"Authorization: Basic ",
    b"token=",
    b"https://u:",
    b"@host/",
    b"\\u00",
    b"\\x",
    b"***",
    b"Zm9v",
    b"616263",
    b"-----BEGIN KEY-----\n",
    b"+ echo ",
    b"INFO done in 12 ms\n",
    b"\xef\xbb\xbf",
];

/// What values are made of.
const PIECES: &[&[u8]] = &[
    b"a",
    b"b",
    b"ab",
    b"abab",
    b"aaaa",
    b"Kestrel",
    b"walnut",
    b"4711",
    b"-",
    b"_",
    b"/",
    b"+",
    b"=",
    b"\"",
    b"'",
    b"\\",
    b" ",
    b"  ",
    b"\n",
    b"\r\n",
    b"%",
    b"%2F",
    b"&",
    b"<",
    b"$",
    b"`",
    b"{",
    b"}",
    b":",
    b"@",
    b"#",
    b";",
    b".",
    b"\t",
    b"\xc3\xa4",
    b"\xe6\xbc\xa2",
    b"\xf0\x9f\x94\x91",
    b"\xff",
    b"\x01",
    b"q7Wm2xPz9rTb",
    b"VGVzdDEyMw",
    b"deadbeef",
    b"0123",
    b"x7Qw-Canary_p4ss/wd+Zz91",
    b"\\n",
    b"\\u0041",
    b"***",
    b"-----",
    b"key",
    b"!",
    b"^",
    b"|",
    b"correct horse",
    b"\nsecond-line-2",
    b"{\"k\":\"",
    b"\xc2\xa0",
    b"Z",
    b"0",
    b"?",
    b"*",
    b"(",
    b")",
    b"[",
];
