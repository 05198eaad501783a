//! Reads the members of a tar archive, one after the other. Does not write files.
//!
//! The headers are those of POSIX (`ustar`, `pax`) and GNU
//! (<https://www.gnu.org/software/tar/manual/html_node/Standard.html>). A reader of our own, because
//! the usual one takes names of any length into memory, and lends out members that cannot be handed
//! to another thread.

use std::io::{self, Read};

use super::stream::Shared;
use crate::limits::MEMBER_NAME_BYTES_MAX;

const BLOCK: usize = 512;

/// A member that has content.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Member {
    /// Its path, as it stands in the archive.
    pub name: Vec<u8>,
    /// How many bytes follow.
    pub size: u64,
    /// Seconds since 1970.
    pub modified: Option<u64>,
}

/// Whether a stream that begins like this is an archive.
pub fn is_header(head: &[u8]) -> bool {
    head.get(..BLOCK).is_some_and(|block| Header(block).is_right() && block[0] != 0)
}

/// Reads headers up to the next regular file. `None` at the end of the archive. The stream then stands
/// at its content; what of it and of the [`padding`] behind it is not read has to be skipped.
///
/// # Errors
/// If the stream cannot be read, ends early, or is no archive here.
pub fn next(stream: &Shared) -> io::Result<Option<Member>> {
    let (mut name, mut size) = (None::<Vec<u8>>, None::<u64>);
    loop {
        let mut block = [0; BLOCK];
        let filled = fill(stream, &mut block)?;
        // Some writers leave out the two empty blocks at the end.
        if filled == 0 || filled == BLOCK && block == [0; BLOCK] {
            return Ok(None);
        }
        let header = Header(&block);
        if filled < BLOCK || !header.is_right() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let length = size.take().or_else(|| header.number(124..136)).ok_or(io::ErrorKind::InvalidData)?;
        match header.0[156] {
            b'L' => {
                let mut text = small(stream, length)?;
                text.truncate(text.iter().position(|&byte| byte == 0).unwrap_or(text.len()));
                name = Some(text);
                size = None;
            }
            b'x' => {
                let text = small(stream, length)?;
                for (key, value) in records(&text) {
                    match key {
                        b"path" => name = Some(value.to_vec()),
                        b"size" => {
                            size = Some(
                                std::str::from_utf8(value)
                                    .ok()
                                    .and_then(|text| text.parse().ok())
                                    .ok_or(io::ErrorKind::InvalidData)?,
                            )
                        }
                        _ => {}
                    }
                }
            }
            kind @ (b'0' | 0 | b'7' | b'S') => {
                let mut extended = kind == b'S' && header.0[482] != 0;
                while extended {
                    let mut more = [0; BLOCK];
                    if fill(stream, &mut more)? < BLOCK {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    extended = more[504] != 0;
                }
                let name = name.unwrap_or_else(|| header.name());
                return Ok(Some(Member { name, size: length, modified: header.number(136..148) }));
            }
            // Links, folders, devices: their size says nothing, as for GNU's own folders it does.
            b'1'..=b'6' => (name, size) = (None, None),
            _ => {
                skip(stream, length + padding(length))?;
                // A long link name stands before its member as a long name does.
                if !matches!(header.0[156], b'K' | b'g') {
                    (name, size) = (None, None);
                }
            }
        }
    }
}

/// How many bytes stand behind a content of this size.
pub fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

/// Reads past so many bytes.
///
/// # Errors
/// If there are not so many, or they cannot be read.
pub fn skip(stream: &Shared, bytes: u64) -> io::Result<()> {
    let skipped = io::copy(&mut stream.clone().take(bytes), &mut io::sink())?;
    if skipped == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn fill(stream: &Shared, block: &mut [u8]) -> io::Result<usize> {
    let mut stream = stream.clone();
    let mut filled = 0;
    while filled < block.len() {
        match stream.read(&mut block[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}

/// A content that is to be taken into memory: a name.
fn small(stream: &Shared, length: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(length).ok().filter(|length| *length <= MEMBER_NAME_BYTES_MAX);
    let mut text = vec![0; length.ok_or(io::ErrorKind::InvalidData)?];
    if fill(stream, &mut text)? < text.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    skip(stream, padding(text.len() as u64))?;
    Ok(text)
}

/// The records of a pax header: `length key=value\n`.
fn records(mut text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let blank = text.iter().position(|&byte| byte == b' ')?;
        let length: usize = std::str::from_utf8(&text[..blank]).ok()?.parse().ok()?;
        let record = text.get(blank + 1..length)?;
        text = &text[length..];
        let record = record.strip_suffix(b"\n")?;
        let sign = record.iter().position(|&byte| byte == b'=')?;
        Some((&record[..sign], &record[sign + 1..]))
    })
}

/// A block of 512 bytes.
struct Header<'a>(&'a [u8]);

impl Header<'_> {
    /// Whether the sum is right: of all bytes, with blanks in the place of the sum. Old writers took
    /// bytes as signed.
    fn is_right(&self) -> bool {
        let Some(stated) = self.number(148..156) else { return false };
        let bytes = || self.0[..148].iter().chain(&[b' '; 8]).chain(&self.0[156..]);
        let plain: u64 = bytes().map(|&byte| u64::from(byte)).sum();
        let signed: i64 = bytes().map(|&byte| i64::from(byte as i8)).sum();
        stated == plain || i64::try_from(stated) == Ok(signed)
    }

    /// A number in octal digits, or, for large ones, in binary behind a set bit.
    fn number(&self, range: std::ops::Range<usize>) -> Option<u64> {
        let field = &self.0[range];
        if field[0] & 0x80 != 0 {
            let mut rest = field[1..].iter();
            return rest
                .try_fold(u64::from(field[0] & 0x7f), |sum, &byte| Some(sum.checked_mul(256)? + u64::from(byte)));
        }
        let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
        if text.is_empty() { None } else { u64::from_str_radix(text, 8).ok() }
    }

    fn name(&self) -> Vec<u8> {
        let until_nul = |field: &[u8]| field.split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
        let mut name = until_nul(&self.0[..100]);
        if &self.0[257..263] == b"ustar\0" && self.0[345] != 0 {
            let mut whole = until_nul(&self.0[345..500]);
            whole.push(b'/');
            whole.append(&mut name);
            return whole;
        }
        name
    }
}
