//! Finds the bodies of private keys: between BEGIN and END, line by line, or by their first bytes.
//! Does not wait for END, and does not judge public keys and certificates: they pass.
//!
//! What one line says about the next is a [`Block`]; it holds no byte of the key.

use std::{ops::Range, sync::LazyLock};

use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};

use super::lines::lines;
use crate::limits::{KEY_BLOCK_FOREIGN_LINES_MAX, KEY_BLOCK_LINES_MAX, LINE_BYTES_MAX};

/// The first characters of the DER or OpenSSH encoding of a private key, in base64. Certificates
/// and public keys, which begin with `MII` as well, go on differently.
/// Sources: RFC 8017 A.1.2, RFC 5915, RFC 5958, RFC 7292, RFC 8410; OpenSSH `PROTOCOL.key`.
const BODY_STARTS: &[&str] = &[
    "MHcCAQEE",
    "MHQCAQEE",
    "MIGHAgEA",
    "MIGkAgEB",
    "MC4CAQAw",
    "MIG2AgEA",
    "MIGPAgEA",
    "MGACAQAw",
    "b3BlbnNzaC1rZXktdjE",
];

static HEADER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("BEGIN "));
static PUTTY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("PuTTY-User-Key-File-"));

/// The shortest run that is taken for the first line of a body (characters).
const BODY_RUN_MIN: usize = 32;
/// The shortest run that is taken for a piece of a body written on one line (characters).
const PIECE_MIN: usize = 16;

/// As many dashes are looked at before `END`.
const DASHES_MAX: usize = 16;

/// How wide the lines of bodies are: RFC 7468, OpenSSH, RFC 4880 (characters).
const WIDTHS: [usize; 3] = [64, 70, USUAL_WIDTH];

/// The width of the longest common form of a body, RFC 4880's (characters).
const USUAL_WIDTH: usize = 76;

/// Whether a key may begin where one of the prefilter's words stands in `text`, which may be escaped.
pub fn may_begin(text: &[u8], at: usize) -> bool {
    let rest = &text[at..];
    if rest.starts_with(b"BEGIN ") {
        // A space may stand between the dashes and the word.
        let before = &text[at.saturating_sub(2)..at];
        return before.ends_with(b"-") || before == b"- ";
    }
    if rest.starts_with(b"PuTTY-User-Key-File-") {
        return true;
    }
    let begins = at == 0 || !is_digit(text[at - 1]) || at > 1 && text[at - 2] == b'\\';
    let known = rest.starts_with(b"MII") || BODY_STARTS.iter().any(|start| rest.starts_with(start.as_bytes()));
    let run = rest.iter().take(BODY_RUN_MIN).take_while(|&&byte| is_digit(byte) || byte == b'=').count();
    begins && known && (run == BODY_RUN_MIN || rest.get(run) == Some(&b'\\'))
}

/// A key block that is open at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What stood before BEGIN on its line: timestamps and envelopes have the same shape on each. Absent if BEGIN was
    /// not seen, until a line of the body is.
    shape: Option<u64>,
    /// How much of that is glued to BEGIN, and so to each line of the body: the `+` of a diff.
    glued: usize,
    /// The length of the body's lines once one was seen; 0 after a shorter one.
    width: Option<usize>,
    lines: u32,
    foreign: u32,
    /// Whether a finding was made of it.
    found: bool,
}

impl Block {
    /// A block whose BEGIN stands after `before` on its line.
    fn after(before: &[u8]) -> Block {
        let glued = before.iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).count();
        Block { shape: Some(shape(before)), glued, foreign: 0, ..Block::UNSEEN }
    }

    /// One that may have begun where nobody has looked. If it did, its lines come soon.
    pub const UNSEEN: Block =
        Block { shape: None, glued: 0, width: None, lines: 0, foreign: KEY_BLOCK_FOREIGN_LINES_MAX - 4, found: false };

    /// Whether its beginning was seen, or a line of its body.
    pub fn is_seen(&self) -> bool {
        self.shape.is_some()
    }

    /// Whether some text leaves one like it open.
    pub fn is_sound(&self) -> bool {
        let width = self.width.unwrap_or_default();
        self.lines <= KEY_BLOCK_LINES_MAX
            && self.foreign < KEY_BLOCK_FOREIGN_LINES_MAX
            && self.glued.max(width) <= LINE_BYTES_MAX
    }
}

/// A piece of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it stands in the text.
    pub span: Range<usize>,
    /// Whether it is the first one of its block.
    pub first: bool,
}

/// Appends the pieces of key bodies in `text` to `pieces`. `block` is what the text before has
/// left open, and what this one leaves open.
///
/// `ended` is false where more bytes may follow; then the place is returned from which the last
/// line could still turn out to be a part of a body. `mask_len_at` tells our own masks.
pub fn scan(
    text: &[u8],
    ended: bool,
    mask_len_at: &dyn Fn(&[u8], usize) -> Option<usize>,
    block: &mut Option<Block>,
    pieces: &mut Vec<Piece>,
) -> Option<usize> {
    for (Range { start, end }, cut) in lines(text, ended) {
        let mut line = Line { text, start, end, cut, mask_len_at, pieces };
        match block {
            Some(open) if cut => {
                // The line is held until it is whole.
                let _ = open;
                return Some(start);
            }
            Some(open) => {
                if line.body(open) == Next::Closed {
                    *block = None;
                }
            }
            None => *block = line.opening(0),
        }
    }
    None
}

#[derive(PartialEq, Eq)]
enum Next {
    Open,
    Closed,
}

struct Line<'a> {
    text: &'a [u8],
    start: usize,
    end: usize,
    /// Whether more bytes of the line may follow.
    cut: bool,
    mask_len_at: &'a dyn Fn(&[u8], usize) -> Option<usize>,
    pieces: &'a mut Vec<Piece>,
}

impl<'a> Line<'a> {
    fn bytes(&self) -> &'a [u8] {
        &self.text[self.start..self.end]
    }

    /// Looks for the beginnings of keys from `from` on, a place of the line. Returns the block that the last one leaves open.
    fn opening(&mut self, from: usize) -> Option<Block> {
        let line = self.bytes();
        let mut end = from;
        let mut open = None;
        let mut before = None;
        for (begin, after) in beginnings(line) {
            // The rest of the line belongs to the key that has begun, as far as it goes.
            if begin >= end {
                let before = *before.get_or_insert(&line[..begin]);
                (end, open) = self.one_line(self.start + after, Block::after(before));
                end -= self.start;
            }
        }
        open
    }

    /// Masks the pieces of a body that stand on one line from `from` on: line ends are spaces or
    /// escapes. Returns where it ends, and the block if the next line may go on with it.
    fn one_line(&mut self, from: usize, mut block: Block) -> (usize, Option<Block>) {
        let text = self.text;
        let mut place = from;
        let mut words = false;
        while place < self.end {
            if let Some(length) = (self.mask_len_at)(text, place) {
                block.found = true;
                place += length;
                continue;
            }
            match text[place] {
                b'"' | b'\'' | b'`' | b'<' | b')' => return (place, None),
                b'-' if is_footer(&text[place..self.end]) => return (place, None),
                b'\\' => {
                    let run = text[place..self.end].iter().take_while(|&&byte| byte == b'\\').count();
                    place += run;
                    match text.get(place) {
                        Some(b'n' | b'r' | b't') => place += 1,
                        None => {}
                        // Any other escape: a quote that ends the string, or no body at all.
                        Some(_) => return (place, None),
                    }
                }
                byte if is_digit(byte) => {
                    let run = digits(&text[place..self.end]);
                    let ends = place + run < self.end || !self.cut;
                    if (run >= PIECE_MIN || block.found) && ends {
                        self.pieces.push(Piece { span: place..place + run, first: !block.found });
                        block.found = true;
                        block.width = Some(USUAL_WIDTH);
                    }
                    words |= run < PIECE_MIN;
                    place += run;
                }
                _ => place += 1,
            }
        }
        // Prose that only names the header opens nothing.
        (self.end, (!self.cut && (block.found || !words)).then_some(block))
    }

    /// Looks at a whole line of an open block.
    fn body(&mut self, block: &mut Block) -> Next {
        let line = self.bytes();
        let line = &line[..line.len() - line.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count()];
        block.lines += 1;
        if block.lines > KEY_BLOCK_LINES_MAX {
            return Next::Closed;
        }
        let begin = || beginnings(line).first().map(|(begin, _)| *begin);
        if let Some(footer) = footer(line) {
            let from = begin().map_or(footer, |begin| begin.min(footer));
            if from == footer {
                self.before_footer(&line[..footer], block);
            }
            return match self.opening(from) {
                Some(fresh) => {
                    // Its lines stand where those of the key before did.
                    *block = Block { shape: block.shape.or(fresh.shape), glued: block.glued, ..fresh };
                    Next::Open
                }
                None => Next::Closed,
            };
        }
        let field = line.iter().rposition(|byte| byte.is_ascii_whitespace()).map_or(0, |at| at + 1);
        let glued = field + block.glued;
        let encoded = &line[field..];
        if block.shape.is_none() && WIDTHS.contains(&digits(encoded)) && looks_encoded(encoded) {
            block.shape = Some(shape(&line[..field]));
        }
        let same = line.get(..glued).is_some_and(|before| Some(shape(before)) == block.shape);
        let field = if same { glued } else { field };
        let run = &line[field..];
        if line.is_empty() || same && run.is_empty() {
            block.foreign = 0;
            return Next::Open;
        }
        // Another key may begin in the middle of one whose end never came.
        let begins = field > 0 && begin().is_some_and(|begin| begin < field);
        // Where no BEGIN was seen, a mask may be that of anything.
        if !begins && block.is_seen() && (self.mask_len_at)(self.text, self.start + field) == Some(run.len()) {
            // A line that was masked before: it stood for a line of the usual width.
            (block.found, block.foreign, block.width) = (true, 0, Some(USUAL_WIDTH));
            return Next::Open;
        }
        // The checksum of PGP's armour begins with the padding character.
        let bare = run.strip_prefix(b"=").unwrap_or(run);
        let all_digits = !bare.is_empty() && digits(bare) == bare.len();
        let width = block.width.unwrap_or(usize::MAX);
        let is_body = !begins
            && all_digits
            && match (same, block.width) {
                (true, None) => run.len() >= BODY_RUN_MIN,
                (true, Some(0)) => run.first() == Some(&b'=') || run.len() >= BODY_RUN_MIN,
                (true, Some(_)) => run.len() <= width || run.len() >= BODY_RUN_MIN,
                (false, _) => run.len() >= BODY_RUN_MIN && looks_encoded(run),
            };
        if is_body {
            self.pieces.push(Piece { span: self.start + field..self.start + field + run.len(), first: !block.found });
            block.found = true;
            block.foreign = 0;
            block.width = Some(if block.width.is_some() && run.len() < width { 0 } else { run.len() });
            return Next::Open;
        }
        // All of it may stand on one line, with blanks for line ends.
        if !begins
            && let (several, true) = fields(line, block)
            && several.len() > 1
            && several.iter().any(|field| looks_encoded(&line[field.clone()]))
        {
            self.mask_fields(several, block);
            (block.foreign, block.width) = (0, Some(USUAL_WIDTH));
            return Next::Open;
        }
        if let Some(mac) = memchr::memmem::find(line, b"Private-MAC: ") {
            let from = self.start + mac + 13;
            let run = digits(&self.text[from..self.end]);
            if run > 0 {
                self.pieces.push(Piece { span: from..from + run, first: !block.found });
            }
            return Next::Closed;
        }
        if is_key_header(line) {
            // The key's own headers pass; PuTTY's count of lines stands before a new body.
            block.width = None;
            return Next::Open;
        }
        let before = self.pieces.len();
        if let Some(fresh) = self.opening(0) {
            *block = fresh;
            return Next::Open;
        }
        if self.pieces.len() > before {
            return Next::Open;
        }
        block.foreign += 1;
        if block.foreign >= KEY_BLOCK_FOREIGN_LINES_MAX { Next::Closed } else { Next::Open }
    }

    /// Masks the end of a body that stands before its END on one line.
    fn before_footer(&mut self, line: &[u8], block: &mut Block) {
        let (found, _) = fields(line, block);
        // A word in front of END is none, unless it is glued to it.
        let glued = found.first().is_some_and(|last| last.end == line.len());
        let long = |field: &Range<usize>| field.len() >= PIECE_MIN || line[field.clone()].ends_with(b"=");
        if block.is_seen() && (glued || found.iter().any(long)) {
            self.mask_fields(found, block);
        }
    }

    /// Masks fields of the line, the last of which comes first.
    fn mask_fields(&mut self, fields: Vec<Range<usize>>, block: &mut Block) {
        for field in fields.into_iter().rev() {
            self.pieces.push(Piece { span: self.start + field.start..self.start + field.end, first: !block.found });
            block.found = true;
        }
    }
}

/// The fields at the end of a line that may be of a body, the last one first, and whether they are all that stands behind
/// what stands before each line.
fn fields(line: &[u8], block: &Block) -> (Vec<Range<usize>>, bool) {
    let mut found = Vec::new();
    let mut end = line.trim_ascii_end().len();
    while end > 0 {
        let from = line[..end].iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
        let glued = from + block.glued;
        let whole = line[..end].get(..glued).is_some_and(|before| Some(shape(before)) == block.shape);
        let field = if whole { glued..end } else { from..end };
        // The checksum of PGP's armour begins with the padding character.
        let checksum = usize::from(found.is_empty() && line[field.start..end].starts_with(b"="));
        let run = &line[field.start + checksum..end];
        // The last line of a body may be short; a word is none.
        let last = found.iter().all(|field: &Range<usize>| line[field.start] == b'=');
        if run.is_empty() || digits(run) < run.len() || !last && run.len() < PIECE_MIN {
            break;
        }
        found.push(field);
        if whole {
            return (found, true);
        }
        end = line[..from].trim_ascii_end().len();
    }
    (found, false)
}

/// Where keys may begin in a line, in order, each with the place from which its body may stand: behind its header, or at
/// its own first bytes.
fn beginnings(line: &[u8]) -> Vec<(usize, usize)> {
    let begins = |rest: &[u8]| {
        rest.starts_with(b"MII") && is_pkcs(rest) || BODY_STARTS.iter().any(|start| rest.starts_with(start.as_bytes()))
    };
    // All of them begin with one of two letters.
    let bodies = memchr::memchr2_iter(b'M', b'b', line)
        .filter(|&at| at == 0 || !is_digit(line[at - 1]))
        .filter(|&at| begins(&line[at..]) && digits(&line[at..]) >= BODY_RUN_MIN);
    // PuTTY's format has no BEGIN; its first line is `PuTTY-User-Key-File-3: ssh-ed25519`.
    let putty = PUTTY.find(line).map(|at| (at, line.len()));
    let headers = HEADER.find_iter(line).filter_map(|begin| header(line, begin));
    let mut all: Vec<_> = headers.chain(bodies.map(|at| (at, at))).chain(putty).collect();
    all.sort_unstable();
    all
}

/// The place of a private key's header in a line, and the place after it, where `BEGIN ` stands at `begin`.
fn header(line: &[u8], begin: usize) -> Option<(usize, usize)> {
    let before = &line[..begin];
    let gap = usize::from(before.last() == Some(&b' '));
    let dashes = before[..before.len() - gap].iter().rev().take_while(|&&byte| byte == b'-').count();
    if dashes < 4 {
        return None;
    }
    let label = &line[begin + 6..line.len().min(begin + 6 + 64)];
    let length = memchr::memmem::find(label, b"----")?;
    memchr::memmem::find(&label[..length], b"PRIVATE KEY")?;
    let after = begin + 6 + length;
    let tail = line[after..].iter().take_while(|&&byte| byte == b'-').count();
    Some((begin - gap - dashes, after + tail))
}

/// A sequence whose first element is the integer 0 (PKCS #1, PKCS #8) or the algorithm of an
/// encrypted PKCS #8 key; or 3, with data behind it (PKCS #12).
fn is_pkcs(run: &[u8]) -> bool {
    let after_length = run.get(6..10).unwrap_or_default();
    let store = || after_length == b"IBAz" && run.get(16..29) == Some(b"CSqGSIb3DQEHA");
    matches!(after_length, [b'I', b'B', b'A', b'A'..=b'D'])
        || store()
        || run.get(6..20).is_some_and(|rest| rest.starts_with(b"BOBgkqhkiG9w0B") || rest.ends_with(b"gkqhkiG9w0BBQ"))
}

/// A number that lines have in common whose text before the body differs only in digits.
fn shape(before: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut digit = false;
    for &byte in before {
        if byte.is_ascii_digit() && digit {
            continue;
        }
        digit = byte.is_ascii_digit();
        let byte = if digit { b'0' } else { byte };
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// The length of the run of base64 digits, with its padding, at the start of a text.
fn digits(text: &[u8]) -> usize {
    let run = text.iter().take_while(|&&byte| is_digit(byte)).count();
    run + text[run..].iter().take(2).take_while(|&&byte| run > 0 && byte == b'=').count()
}

fn looks_encoded(run: &[u8]) -> bool {
    run.iter().any(u8::is_ascii_uppercase)
        && run.iter().any(u8::is_ascii_lowercase)
        && run.iter().any(u8::is_ascii_digit)
}

fn is_footer(text: &[u8]) -> bool {
    let dashes = text.iter().take(DASHES_MAX).take_while(|&&byte| byte == b'-').count();
    dashes >= 4 && text[dashes..].strip_prefix(b" ").unwrap_or(&text[dashes..]).starts_with(b"END ")
}

fn footer(line: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(line, b"----").find(|&at| is_footer(&line[at..]))
}

/// Lines of a key file that hold no key: RFC 1421 and RFC 4880 headers, PuTTY's fields.
fn is_key_header(line: &[u8]) -> bool {
    [
        &b"Proc-Type: "[..],
        b"DEK-Info: ",
        b"Version: ",
        b"Comment: ",
        b"Hash: ",
        b"Encryption: ",
        b"Public-Lines: ",
        b"Private-Lines: ",
        b"Key-Derivation: ",
        b"Argon2-",
    ]
    .iter()
    .any(|name| memchr::memmem::find(line, name).is_some())
}
