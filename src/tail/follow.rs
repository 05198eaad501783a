//! One file that is followed: reads its next bytes, and notices when they are not its next bytes. Does not
//! filter them.

use std::{
    fs::{File, Metadata},
    io,
    ops::Range,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    begin::Copy,
    checkpoint::Checkpoint,
    cuts::Cuts,
    envelope::Voice,
    handed::Handed,
    identity::{BEFORE_BYTES, HEAD_BYTES, Hash, Identity},
    mark::{Count, Mark, Replay},
    open::{self, Kind},
    seam,
};
use crate::{
    Filter, history,
    limits::{LINE_BYTES_MAX, READ_BYTES},
    scan::Said,
};

/// A file that is followed.
pub struct Follow {
    /// What it says, and under which name.
    pub voice: Voice,
    /// Where it lies.
    pub real: PathBuf,
    pub kind: Kind,
    /// Closed, if too many are open.
    pub file: Option<File>,
    pub identity: Identity,
    /// The first two bytes, which tell the encoding.
    pub start: Vec<u8>,
    /// The next byte that the filter gets.
    pub position: u64,
    /// The next byte that nobody has looked at.
    pub reached: u64,
    /// The last bytes that it got.
    before: Vec<u8>,
    /// What the file was when it was last looked at.
    pub seen: Seen,
    /// What cuts have taken away since.
    pub cuts: Cuts,
    /// The filter that holds something of it.
    pub filter: Option<Filter>,
    /// What the last line that was read says about the next one, in this file or in the one that gets its name.
    pub says: Said,
    pub mark: Mark,
    /// Whether it goes on where a checkpoint said.
    pub is_known: bool,
    /// Whether one came and went before it that nobody has read.
    pub is_behind_unseen: bool,
    /// Which one has told it what its last line says, which may say otherwise yet.
    pub heard: Option<u64>,
    /// Clean bytes since the mark, written or not.
    pub since: Count,
    /// Clean bytes that were written by a process before us, and are not written again.
    pub replay: Option<Replay>,
    /// Findings before this place were told.
    pub told: u64,
    /// Whether another file has its name, or none.
    pub rotated: bool,
    /// Whether its end was reached since it was rotated.
    pub drained: bool,
    /// Up to where single lines are filtered, because of a failure.
    pub careful: u64,
    /// Since when the beginning of a line waits for its end.
    pub open_since: Option<Instant>,
    /// Since when there has been nothing to read.
    pub quiet_since: Instant,
    /// When it was first seen that there is something to read.
    pub grown_at: Option<Instant>,
    pub queued: bool,
    /// Nothing behind this place is read any more.
    pub until: Option<u64>,
    /// Whether it is compressed, and not to be followed.
    pub is_packed: bool,
}

/// What a file was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    modified: (i64, i64),
    pub size: u64,
}

impl Seen {
    /// Of this file.
    pub fn of(about: &Metadata) -> Seen {
        Seen { modified: (about.mtime(), about.mtime_nsec()), size: about.len() }
    }
}

/// Why there are no next bytes.
#[derive(Debug)]
pub enum Fault {
    /// What was read is not there any more.
    Rewritten,
    /// It is compressed: it was empty, or another file, when it was opened.
    Packed,
    /// Those of the system.
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(fault: io::Error) -> Fault {
        Fault::Io(fault)
    }
}

/// Bytes that were read.
pub struct Chunk {
    /// Where they lie in the buffer.
    pub range: Range<usize>,
    /// Whether there may be more at once.
    pub more: bool,
}

impl Follow {
    /// A file at its first byte.
    pub fn new(voice: Voice, real: PathBuf, kind: Kind, file: File, identity: Identity, start: &[u8]) -> Follow {
        Follow {
            voice,
            real,
            kind,
            file: Some(file),
            identity,
            start: start[..start.len().min(2)].to_vec(),
            position: 0,
            reached: 0,
            before: Vec::new(),
            seen: Seen::default(),
            cuts: Cuts::default(),
            filter: None,
            says: Said::default(),
            mark: Mark::default(),
            is_known: false,
            is_behind_unseen: false,
            heard: None,
            since: Count::default(),
            replay: None,
            told: 0,
            rotated: false,
            drained: false,
            careful: 0,
            open_since: None,
            quiet_since: seam::now(),
            grown_at: None,
            queued: false,
            until: None,
            is_packed: false,
        }
    }

    /// How large a buffer a read needs.
    pub const ROOM: usize = BEFORE_BYTES + LINE_BYTES_MAX;

    /// Goes to the mark: what is behind it is filtered again, and dropped as far as it was written.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.voice.forget();
        self.filter = None;
        let Mark { ground, written, .. } = self.mark;
        self.says = self.mark.says();
        self.replay = (written.bytes > 0).then(|| Replay { whole: written, so_far: Count::default() });
        self.since = Count::default();
        self.go_to(ground.offset)
    }

    /// Reads on from a place. What stands before it is taken as it is.
    pub fn go_to(&mut self, position: u64) -> io::Result<()> {
        (self.position, self.reached) = (position, position);
        self.open_since = None;
        self.before.clear();
        if self.kind == Kind::Regular {
            let length = position.min(BEFORE_BYTES as u64);
            self.before = self.bytes(position - length, length as usize)?;
        }
        Ok(())
    }

    /// Begins the file anew: its text is another one, which goes on where the old one was cut.
    pub fn start_anew(&mut self) {
        self.voice.forget();
        self.filter = None;
        self.identity.forget_head();
        self.start.clear();
        (self.position, self.reached, self.told, self.careful) = (0, 0, 0, 0);
        // There may have been more of it than was read.
        self.says = self.says.behind_unread_end();
        self.cuts = Cuts::default();
        self.mark = Mark { said: self.says.clone(), ..Mark::default() };
        (self.since, self.replay, self.open_since) = (Count::default(), None, None);
        self.before.clear();
    }

    /// Goes on in a copy of the file, whose text is the same up to here.
    pub fn go_on_in(&mut self, copy: Copy) {
        self.seen = Seen::of(&copy.about);
        self.cuts = Cuts::new(self.position, 0);
        (self.real, self.file, self.identity) = (copy.real, Some(copy.file), copy.identity);
        (self.rotated, self.drained) = (true, false);
        // At the end of the program all that has arrived is read, wherever it is now.
        self.until = self.until.map(|_| self.seen.size);
        self.reached = self.position;
        self.quiet_since = seam::now();
    }

    /// Bytes of the file, as many of them as there are.
    pub fn bytes(&mut self, from: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let read = read_at(self.open()?, &mut bytes, from)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// The file, opened again if it was closed.
    fn open(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            let (file, kind) = open::read(&self.real)?;
            let now = Identity::new(&file.metadata()?, &[]);
            if kind != self.kind || !self.identity.is_same_inode(&now) {
                return Err(io::ErrorKind::NotFound.into());
            }
            self.file = Some(file);
        }
        self.file.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// What the file is now.
    pub fn look(&self) -> io::Result<Metadata> {
        seam::between();
        match &self.file {
            Some(file) => file.metadata(),
            None => {
                let about = std::fs::symlink_metadata(&self.real)?;
                let same = self.identity.is_same_inode(&Identity::new(&about, &[]));
                if same { Ok(about) } else { Err(io::ErrorKind::NotFound.into()) }
            }
        }
    }

    /// The file is this now.
    pub fn see(&mut self, about: &Metadata) {
        let seen = Seen::of(about);
        self.cuts.see(self.seen.size, seen.size);
        self.seen = seen;
    }

    /// Reads the next bytes, none behind a limit, into a buffer of [`Follow::ROOM`] bytes.
    pub fn read(&mut self, buffer: &mut [u8], limit: u64) -> Result<Chunk, Fault> {
        if self.kind == Kind::Fifo {
            return self.read_pipe(buffer);
        }
        let (position, overlap) = (self.position, self.before.len());
        let until = self.until.map_or(limit, |until| until.min(limit));
        let left = usize::try_from(until.saturating_sub(position)).unwrap_or(usize::MAX);
        let ask = overlap + READ_BYTES.min(left);
        let head = self.bytes(0, HEAD_BYTES)?;
        if self.cuts.has_gone() || !self.identity.check_head(&head) {
            return Err(Fault::Rewritten);
        }
        self.start = head[..head.len().min(2)].to_vec();
        seam::between();
        let file = self.open()?;
        let mut length = read_at(file, &mut buffer[..ask], position - overlap as u64)?;
        // A line that is longer than one read is read to the bound of the filter.
        let full = length == ask && left > READ_BYTES;
        if full && memchr::memrchr(b'\n', &buffer[overlap..length]).is_none() {
            let most = buffer.len().min(overlap.saturating_add(left));
            length += read_at(file, &mut buffer[length..most], position - overlap as u64 + length as u64)?;
        }
        seam::between();
        // What is read from the start on is what the head was read of, if nobody cut the file in between.
        let both = if position == overlap as u64 { length.min(head.len()) } else { 0 };
        if length < overlap || buffer[..overlap] != self.before[..] || buffer[..both] != head[..both] {
            return Err(Fault::Rewritten);
        }
        // Who packs a file makes the new one first, and writes into it later.
        if position == 0 && history::is_packed(&buffer[..length]) {
            return Err(Fault::Packed);
        }
        self.cuts.is_there(self.seen.size);
        if position == overlap as u64 && length > head.len() {
            // It has grown in between. What is read now tells who it is.
            self.identity.check_head(&buffer[..length]);
        }
        Ok(Chunk { range: overlap..length, more: full })
    }

    fn read_pipe(&mut self, buffer: &mut [u8]) -> Result<Chunk, Fault> {
        loop {
            match io::Read::read(&mut self.open()?, &mut buffer[..READ_BYTES]) {
                Ok(length) => return Ok(Chunk { range: 0..length, more: length > 0 }),
                Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Chunk { range: 0..0, more: false });
                }
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// How many of the next bytes the filter gets: whole lines, if there are any, so that it holds nothing
    /// afterwards. A single one where a failure is looked for.
    pub fn whole(&self, bytes: &[u8]) -> usize {
        let wide = matches!(self.start.as_slice(), [0xff, 0xfe] | [0xfe, 0xff]);
        if self.kind == Kind::Fifo || wide {
            return bytes.len();
        }
        let end =
            if self.position < self.careful { memchr::memchr(b'\n', bytes) } else { memchr::memrchr(b'\n', bytes) };
        match end {
            Some(end) => end + 1,
            None if bytes.len() >= READ_BYTES => bytes.len(),
            None => 0,
        }
    }

    /// The next bytes, and before them what the filter holds of those before them, as far as that can be read again.
    pub fn with_held(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut all = self.mark.handed.as_ref().map_or_else(Vec::new, |handed| handed.bytes.clone());
        let from = self.mark.ground.offset;
        if self.kind == Kind::Regular && from < self.position {
            all.extend(self.bytes(from, (self.position - from) as usize).unwrap_or_default());
        }
        all.extend_from_slice(bytes);
        all
    }

    /// The filter has got bytes; `buffer` ends with them.
    pub fn advance(&mut self, buffer: &[u8], length: usize) {
        if length == 0 {
            return;
        }
        self.position += length as u64;
        self.cuts.read_to(self.position);
        self.before.clear();
        if self.kind == Kind::Regular {
            self.before.extend_from_slice(&buffer[buffer.len().saturating_sub(BEFORE_BYTES)..]);
        }
    }

    /// Whether something of it was read, or it has got what it begins with.
    pub fn has_begun(&self) -> bool {
        let marked = self.mark.ground.offset > 0 || self.mark.written.bytes > 0 || self.mark.handed.is_some();
        marked || self.position > 0 || self.filter.is_some()
    }

    /// Before it came one of which nobody has seen the end.
    pub fn put_behind_unread_end(&mut self) {
        (self.is_behind_unseen, self.heard) = (true, None);
        self.mark.said = self.mark.said.behind_unread_end();
        self.says.clone_from(&self.mark.said);
    }

    /// Whether nothing was read of it, and nothing is known of what it begins with.
    pub fn is_blank(&self) -> bool {
        self.position == 0 && self.filter.is_none() && self.mark.handed.is_none()
    }

    /// Whether it is read to its end, but for what it begins with, which no filter has got since this process began.
    pub fn has_begun_only(&self) -> bool {
        self.mark.handed.is_some() && self.filter.is_none() && self.position == self.reached
    }

    /// Whether its last line has no end, or waits for more.
    pub fn ends_in_line(&self) -> bool {
        let has_end = matches!(self.before.as_slice(), [] | [.., b'\n'] | [.., b'\n', 0]);
        self.position < self.reached || !has_end || self.waits_at_end()
    }

    /// Whether a new filter at the mark would go on at the position.
    pub fn is_at_mark(&self) -> bool {
        let is_there = self.mark.ground.offset == self.position && self.mark.handed.is_none();
        self.replay.is_none() && self.mark.written.bytes == 0 && is_there
    }

    /// Whether it has bytes that the filter has not got or has not given.
    pub fn is_open(&self) -> bool {
        let holds = self.filter.as_ref().is_some_and(Filter::held) || self.mark.handed.is_some();
        self.open_since.is_some() || holds || self.voice.holds()
    }

    /// How much of it is not read.
    pub fn backlog(&self) -> u64 {
        if self.kind == Kind::Fifo { 0 } else { self.seen.size.saturating_sub(self.position) }
    }

    /// What is to be kept of it, if it was last looked for at that time (since 1970).
    pub fn checkpoint(&self, looked: Duration) -> Checkpoint {
        let Mark { ground, said, handed, written } = self.mark.clone();
        Checkpoint {
            path: self.voice.origin.path.to_string_lossy().into_owned(),
            file: self.identity.clone(),
            offset: ground.offset,
            lines: ground.lines,
            line_offset: ground.line_offset,
            written: written.bytes,
            crc: written.crc,
            read: self.position,
            size: self.cuts.sure().max(self.position),
            before: Hash::of(&self.before),
            told: self.told,
            said,
            handed: handed.map(|handed| handed.place.clone()),
            says: self.says.clone(),
            seen: looked.as_secs(),
        }
    }

    /// Goes where a checkpoint says. Whether that is possible: the text before it is still the same.
    pub fn resume(&mut self, from: &Checkpoint, head: &[u8]) -> io::Result<bool> {
        let mut identity = from.file.clone();
        if !identity.check_head(head) {
            return Ok(false);
        }
        let length = from.before.len();
        let before = self.bytes(from.read - length as u64, length)?;
        if before.len() < length || !from.before.begins(&before) {
            return Ok(false);
        }
        self.identity = identity;
        self.is_known = true;
        self.told = from.told;
        self.cuts = Cuts::new(from.read, from.size);
        let written = Count { bytes: from.written, crc: from.crc };
        self.mark = Mark { ground: from.ground(), said: from.said.clone(), handed: None, written };
        if let Some(place) = &from.handed {
            match Handed::read(place, &self.real) {
                Some(handed) => self.mark.handed = Some(Arc::new(handed)),
                // What was written of it cannot be told from the rest any more.
                None => self.mark = Mark { said: place.lost().clone(), ..Mark::default() },
            }
        }
        self.rewind()?;
        Ok(true)
    }
}

/// Reads until the buffer is full or the file at its end.
fn read_at(file: &File, buffer: &mut [u8], from: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], from + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(length)
}
