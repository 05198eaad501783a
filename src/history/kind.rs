//! Tells from the first bytes of a stream what it is. Does not look at names.

use super::tar;

/// What a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lines.
    Text,
    /// A journal's export: lines, and fields with their length before them.
    Journal,
    /// Compressed.
    Packed(Packing),
    /// Files with names.
    Tar,
    /// Files with names, and a directory at the end.
    Zip,
    /// A journal itself, which only `journalctl` reads.
    JournalFile,
    /// Nothing that a person reads.
    Binary,
}

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// Of `bzip2`.
    Bzip2,
    /// Of `xz`.
    Xz,
}

/// How many bytes of a stream decide.
pub const HEAD_BYTES: usize = 8 << 10;

/// What a stream that begins with these bytes is. `head` is [`HEAD_BYTES`] long, or all there is.
pub fn of(head: &[u8]) -> Kind {
    let starts = |magic: &[u8]| head.starts_with(magic);
    if starts(b"\x1f\x8b\x08") {
        Kind::Packed(Packing::Gzip)
    } else if starts(b"\x28\xb5\x2f\xfd") || matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) {
        Kind::Packed(Packing::Zstd)
    } else if starts(b"BZh") && head.get(4..10).is_some_and(|mark| mark == BLOCK || mark == END_OF_STREAM) {
        Kind::Packed(Packing::Bzip2)
    } else if starts(b"\xfd7zXZ\0") {
        Kind::Packed(Packing::Xz)
    } else if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        Kind::Zip
    } else if tar::is_header(head) {
        Kind::Tar
    } else if is_journal(head) {
        Kind::Journal
    } else if starts(b"LPKSHHRH") {
        Kind::JournalFile
    } else if is_binary(head) {
        Kind::Binary
    } else {
        Kind::Text
    }
}

/// Whether this is an export of a journal. It may be a part of one, which begins with any field, or inside one: then an
/// entry begins in it, with the time and the place that each has.
fn is_journal(head: &[u8]) -> bool {
    let begins = |field: &[u8]| {
        let value = head.strip_prefix(field).or_else(|| {
            let at = memchr::memmem::find(head, &[b"\n", field].concat())?;
            head.get(at + 1 + field.len()..)
        });
        value.is_some_and(|value| value.first().is_some_and(u8::is_ascii_alphanumeric))
    };
    head.starts_with(b"__CURSOR=") || begins(b"__REALTIME_TIMESTAMP=") && begins(b"__MONOTONIC_TIMESTAMP=")
}

/// Whether no person reads this. A single control character does not make a log binary, nor does the
/// hole at the start of a log that was truncated under its writer.
fn is_binary(head: &[u8]) -> bool {
    if MAGICS.iter().any(|magic| head.starts_with(magic)) {
        return true;
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return false;
    }
    let hole = head.iter().take_while(|&&byte| byte == 0).count();
    let text = &head[hole..];
    let odd = text.iter().filter(|byte| matches!(byte, 0..=6 | 0x0e..=0x1a | 0x1c..=0x1f)).count();
    odd * ODD_SHARE > text.len()
}

/// One control character in so many makes a file binary.
const ODD_SHARE: usize = 20;

const BLOCK: &[u8] = b"\x31\x41\x59\x26\x53\x59";
const END_OF_STREAM: &[u8] = b"\x17\x72\x45\x38\x50\x90";

/// Beginnings of files that hold much text besides what is none.
const MAGICS: &[&[u8]] = &[
    b"\x7fELF",
    b"\x89PNG\r\n",
    b"\xff\xd8\xff",
    b"GIF8",
    b"%PDF-",
    b"SQLite format 3\0",
    b"\0asm",
    b"\xca\xfe\xba\xbe",
    b"!<arch>\n",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x04\x22\x4d\x18",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_known_by_their_first_bytes() {
        for (head, kind) in [
            (&b"\x1f\x8b\x08\0"[..], Kind::Packed(Packing::Gzip)),
            (b"\x28\xb5\x2f\xfd\0", Kind::Packed(Packing::Zstd)),
            (b"BZh91AY&SY", Kind::Packed(Packing::Bzip2)),
            (b"BZhello, I am a log", Kind::Text),
            (b"\xfd7zXZ\0", Kind::Packed(Packing::Xz)),
            (b"PK\x03\x04", Kind::Zip),
            (b"__CURSOR=s=1", Kind::Journal),
            (b"__REALTIME_TIMESTAMP=17\n__MONOTONIC_TIMESTAMP=5\n_BOOT_ID=a\n", Kind::Journal),
            (b"_PID=1\nMESSAGE=x\n\n__SEQNUM=4\n__MONOTONIC_TIMESTAMP=5\n__REALTIME_TIMESTAMP=17\n", Kind::Journal),
            (b"set __REALTIME_TIMESTAMP=17 and __MONOTONIC_TIMESTAMP=5\n", Kind::Text),
            (b"LPKSHHRH\0\0\0\0", Kind::JournalFile),
            (b"", Kind::Text),
            (b"a line\n", Kind::Text),
            (b"\0\0\0\0\0\0\0\0a line after a hole\n", Kind::Text),
            (b"one \0 in a line that is long enough\n", Kind::Text),
            (b"\xff\xfea\0b\0", Kind::Text),
            (b"a\0b\0c\0d\0", Kind::Binary),
            (b"\x7fELF\x02", Kind::Binary),
            (b"\x1b[31mred\x1b[0m\x07\n", Kind::Text),
        ] {
            assert_eq!(of(head), kind, "{}", head.escape_ascii());
        }
    }
}
