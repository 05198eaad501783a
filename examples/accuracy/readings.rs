//! Turns an output into the texts that a person with usual tools could read in it. Does not know the filter's views,
//! so that a fault of those cannot hide here.

/// Whether the secret, or any 8 bytes of it, can be read.
pub fn leaks(output: &[u8], secret: &[u8]) -> bool {
    let piece = secret.len().min(PIECE_BYTES);
    let texts = readings(output);
    secret.windows(piece).any(|part| texts.iter().any(|text| memchr::memmem::find(text, part).is_some()))
}

fn readings(output: &[u8]) -> Vec<Vec<u8>> {
    let plain = without_colours(output);
    let joined = joined_records(&plain);
    let mut texts = vec![output.to_vec(), decoded_percent(&plain), decoded_base64(&plain)];
    for start in [plain, joined] {
        let mut text = start;
        for _ in 0..3 {
            let next = unescaped(&text);
            texts.push(without_colours(&next));
            texts.push(std::mem::replace(&mut text, next));
        }
        texts.push(text);
    }
    texts
}

fn without_colours(text: &[u8]) -> Vec<u8> {
    let (mut plain, mut at) = (Vec::new(), 0);
    while at < text.len() {
        if text[at..].starts_with(b"\x1b[") {
            let arguments = text[at + 2..].iter().take_while(|b| matches!(b, 0x20..=0x3f)).count();
            at += 3 + arguments;
        } else {
            plain.push(text[at]);
            at += 1;
        }
    }
    plain
}

/// The JSON escapes of one level undone.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let (mut plain, mut at) = (Vec::new(), 0);
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            (b'\\', Some(b'u')) => {
                let digits = text.get(at + 2..at + 6).and_then(|hex| std::str::from_utf8(hex).ok());
                match digits.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                    Some(byte) => {
                        plain.push(byte);
                        at += 6;
                    }
                    None => {
                        plain.push(b'\\');
                        at += 1;
                    }
                }
            }
            (b'\\', Some(&byte)) => {
                plain.push(match byte {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => other,
                });
                at += 2;
            }
            (byte, _) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    plain
}

fn decoded_percent(text: &[u8]) -> Vec<u8> {
    let (mut plain, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match digits.filter(|_| text[at] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(text[at]);
                at += 1;
            }
        }
    }
    plain
}

/// All runs of base64 decoded, one a line.
fn decoded_base64(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    for run in text.split(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))).filter(|run| run.len() >= 12) {
        for group in run.chunks(4) {
            let bits = group.iter().fold(0u32, |bits, &b| bits << 6 | sextet(b)) << (6 * (4 - group.len()));
            plain.extend(&bits.to_be_bytes()[1..group.len().max(1)]);
        }
        plain.push(b'\n');
    }
    plain
}

fn sextet(byte: u8) -> u32 {
    u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    })
}

/// The texts of container records, those marked as partial joined with the next.
fn joined_records(text: &[u8]) -> Vec<u8> {
    let mut joined = Vec::new();
    for line in text.split(|&b| b == b'\n') {
        let mark = [(&b" stdout P "[..], false), (b" stdout F ", true)];
        let found =
            mark.iter().find_map(|(mark, full)| memchr::memmem::find(line, mark).map(|at| (at, mark.len(), *full)));
        match found {
            Some((at, length, full)) => {
                joined.extend(&line[at + length..]);
                if full {
                    joined.push(b'\n');
                }
            }
            None => joined.push(b'\n'),
        }
    }
    joined
}

const PIECE_BYTES: usize = 8;
