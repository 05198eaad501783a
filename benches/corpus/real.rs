//! Takes real logs from a folder and repeats them to a size, so that caches and predictors learn
//! nothing. Does not know where the folder is: `BLACKBAR_CORPORA` names it.

use std::{env, fs, path::Path};

use blackbar::rules::sample::Rng;

/// Names the folder with real logs: one folder in it for each kind, or files of one kind.
pub const VARIABLE: &str = "BLACKBAR_CORPORA";

/// Real logs of one kind.
#[derive(Debug)]
pub struct Source {
    /// The name of its folder.
    pub name: String,
    log: Vec<u8>,
}

/// The real logs, by name; none if the variable is not set.
///
/// # Panics
/// If it is set to a folder that cannot be read or holds nothing.
pub fn sources() -> Vec<Source> {
    let Some(folder) = env::var_os(VARIABLE) else { return Vec::new() };
    let folder = Path::new(&folder);
    let mut sources: Vec<Source> = entries(folder)
        .iter()
        .filter(|path| path.is_dir())
        .map(|path| Source { name: path.file_name().unwrap().to_string_lossy().into_owned(), log: files(path) })
        .collect();
    sources.push(Source { name: "files".to_owned(), log: files(folder) });
    sources.retain(|source| !source.log.is_empty());
    assert!(!sources.is_empty(), "the folder that {VARIABLE} names holds no logs");
    sources
}

impl Source {
    /// The logs as they are, one after the other.
    pub fn original(&self) -> &[u8] {
        &self.log
    }

    /// A log of at least `bytes` bytes: the lines in blocks of 8, the blocks in another order each
    /// time, and numbers and hexadecimal runs drawn anew.
    ///
    /// A number keeps its first digit, so that a date stays a date and a time a time.
    pub fn reshuffled(&self, bytes: usize, seed: u64) -> Vec<u8> {
        let mut rng = Rng::new(seed);
        let lines: Vec<&[u8]> = self.log.split_inclusive(|&byte| byte == b'\n').collect();
        let mut blocks: Vec<&[&[u8]]> = lines.chunks(BLOCK_LINES).collect();
        let longest = blocks.iter().map(|block| block.iter().map(|line| line.len()).sum()).max().unwrap_or(0usize);
        let mut log = Vec::with_capacity(bytes + longest);
        while log.len() < bytes {
            for place in (1..blocks.len()).rev() {
                blocks.swap(place, rng.below(place + 1));
            }
            for block in &blocks {
                block.iter().for_each(|line| redrawn(line, &mut rng, &mut log));
                if log.len() >= bytes {
                    break;
                }
            }
        }
        log
    }
}

/// The files of a folder, one after the other, each with a line end.
fn files(folder: &Path) -> Vec<u8> {
    let mut log = Vec::new();
    for path in entries(folder).iter().filter(|path| path.is_file()) {
        let text = fs::read(path).unwrap();
        // A text that tells of the logs is none.
        if path.extension().is_some_and(|ending| ending == "md") {
            continue;
        }
        log.extend_from_slice(&text);
        if log.last().is_some_and(|&byte| byte != b'\n') {
            log.push(b'\n');
        }
    }
    log
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("the folder that {VARIABLE} names cannot be read: {}", error.kind()))
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries
}

fn redrawn(line: &[u8], rng: &mut Rng, log: &mut Vec<u8>) {
    let mut before = b' ';
    for run in line.chunk_by(|a, b| a.is_ascii_alphanumeric() == b.is_ascii_alphanumeric()) {
        let of = |alphabet: &[u8]| run.iter().all(|byte| alphabet.contains(byte));
        let mixed = run.iter().any(u8::is_ascii_digit) && run.iter().any(u8::is_ascii_alphabetic);
        let alphabet = [HEX_LOWER, HEX_UPPER].into_iter().find(|hex| run.len() >= HEX_MIN && mixed && of(hex));
        // What follows a backslash is the name of a character.
        let escape = before == b'\\';
        for (place, &byte) in run.iter().enumerate() {
            let again = byte.is_ascii_digit() && before.is_ascii_digit();
            log.push(match alphabet {
                _ if escape => byte,
                // Every fourth stays: version and variant of a UUID are among them.
                Some(hex) if place % 4 > 0 => *rng.pick(hex),
                None if again => *rng.pick(DIGITS),
                _ => byte,
            });
            before = byte;
        }
    }
}

/// How many lines stay together.
const BLOCK_LINES: usize = 8;

/// The shortest run that is taken for hexadecimal (digits).
const HEX_MIN: usize = 7;

const DIGITS: &[u8] = b"0123456789";
const HEX_LOWER: &[u8] = b"0123456789abcdef";
const HEX_UPPER: &[u8] = b"0123456789ABCDEF";
