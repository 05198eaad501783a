//! Says what a line may have left to the next one that nobody could scan: by how it ends, as if each key were one of a
//! secret. Does not scan it.

use super::carry::{Kind, Place, Waiting};
use super::{NAMED_LINES_MAX, key};

impl Waiting {
    /// A key whose value stands on the next line, if the line ends as one does that has such a key.
    pub fn of_unread(line: &[u8]) -> Option<Waiting> {
        let line = line.trim_ascii_end();
        let text = line.trim_ascii_start();
        let lower = text.to_ascii_lowercase();
        let block = line.strip_suffix(b"+").or(line.strip_suffix(b"-")).unwrap_or(line);
        let block = block.strip_suffix(b"|").or(block.strip_suffix(b">")).map(<[u8]>::trim_ascii_end);
        let kind = if let Some(key) = block.and_then(|line| line.strip_suffix(b":")) {
            Kind::Block(place(key))
        } else if line.ends_with(b"=>") || text.starts_with(b"- -") || text.ends_with(b",") && has(text, b"-") {
            Kind::Argument
        } else if text.starts_with(b"<") && text.ends_with(b">") {
            Kind::Element
        } else if let Some(key) = line.strip_suffix(b":").or(line.strip_suffix(b"=")) {
            Kind::Indented(place(key))
        } else if has(&lower, b"name") || has(&lower, b"key") {
            Kind::Named(NAMED_LINES_MAX)
        } else {
            return None;
        };
        let names = vec![("generic-password".to_owned(), "password".to_owned())];
        Some(Waiting { kind, names, plural: false, weakened: false })
    }
}

/// Where the key stands with which a text ends.
fn place(text: &[u8]) -> Place {
    let text = text.trim_ascii_end();
    let key = text.iter().rev().take_while(|&&byte| key::is_ident(byte) || matches!(byte, b'"' | b'\'' | b'.')).count();
    Place::new(&text[..text.len() - key])
}

fn has(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}
