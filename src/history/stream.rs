//! Readers that stand between a file and the filter: they count, stop bombs, share a stream among the
//! members of an archive, and remember what came so that a finding's time can be read. None of them
//! looks for secrets.

use std::{
    io::{self, Read},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use time::OffsetDateTime;

use super::times;
use crate::limits::{RATIO_FREE_BYTES, RATIO_MAX, RECENT_BYTES, UNPACKED_BYTES_MAX};

/// Any stream of bytes that can be handed to another thread.
pub type Bytes = Box<dyn Read + Send>;

/// What a file on disk may unpack to. Shared by all layers inside it.
#[derive(Debug, Default)]
pub struct Budget {
    /// What was read of the file itself.
    packed: AtomicU64,
    /// What came out of decoders, of all layers.
    unpacked: AtomicU64,
    burst: AtomicBool,
}

impl Budget {
    /// Whether more came out than any log would.
    pub fn is_burst(&self) -> bool {
        self.burst.load(Ordering::Relaxed)
    }

    fn spend(&self, bytes: u64) -> io::Result<()> {
        let unpacked = self.unpacked.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let packed = self.packed.load(Ordering::Relaxed);
        let by_ratio = unpacked > RATIO_FREE_BYTES && unpacked / RATIO_MAX > packed;
        if by_ratio || unpacked > UNPACKED_BYTES_MAX {
            self.burst.store(true, Ordering::Relaxed);
        }
        // Whatever else is read of this file fails as well: it is one bomb.
        if self.is_burst() { Err(io::ErrorKind::QuotaExceeded.into()) } else { Ok(()) }
    }
}

/// Counts what is read of a file, for the budget and for the progress.
pub struct Counted<R> {
    inner: R,
    budget: Arc<Budget>,
    total: Arc<AtomicU64>,
}

impl<R: Read> Counted<R> {
    /// Counts into `total`, too.
    pub fn new(inner: R, budget: Arc<Budget>, total: Arc<AtomicU64>) -> Self {
        Counted { inner, budget, total }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.budget.packed.fetch_add(read as u64, Ordering::Relaxed);
        self.total.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// What comes out of a decoder, as long as the budget lets it.
pub struct Metered {
    inner: Bytes,
    budget: Arc<Budget>,
}

impl Metered {
    /// Takes what is read from `budget`.
    pub fn new(inner: Bytes, budget: Arc<Budget>) -> Self {
        Metered { inner, budget }
    }
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.budget.spend(read as u64)?;
        Ok(read)
    }
}

/// A stream that cannot be read.
pub struct Failing(pub io::ErrorKind);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
}

/// A stream whose parts are read one after the other by different readers.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Bytes>>);

impl Shared {
    /// Shares a stream.
    pub fn new(stream: Bytes) -> Self {
        Shared(Arc::new(Mutex::new(stream)))
    }
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        lock(&self.0).read(buffer)
    }
}

/// The next bytes of a shared stream. Ending before them is an error: a member was cut short.
pub struct Part {
    stream: Shared,
    left: Arc<AtomicU64>,
}

impl Part {
    /// The next `size` bytes; how many of them were not read can be seen later.
    pub fn new(stream: Shared, size: u64) -> (Self, Arc<AtomicU64>) {
        let left = Arc::new(AtomicU64::new(size));
        (Part { stream, left: Arc::clone(&left) }, left)
    }
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.load(Ordering::Relaxed);
        let most = usize::try_from(left).map_or(buffer.len(), |left| buffer.len().min(left));
        if most == 0 {
            return Ok(0);
        }
        let read = self.stream.read(&mut buffer[..most])?;
        self.left.store(left - read as u64, Ordering::Relaxed);
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
    }
}

/// The last thing before the filter. An error ends the stream, and is kept: what came before it is
/// filtered to its end.
pub struct Tap {
    inner: Bytes,
    recent: Arc<Mutex<Recent>>,
}

impl Tap {
    /// Remembers in `recent` what comes from now on.
    pub fn new(inner: Bytes, recent: &Arc<Mutex<Recent>>, latest: OffsetDateTime) -> Self {
        lock(recent).start(latest);
        Tap { inner, recent: Arc::clone(recent) }
    }
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = loop {
            match self.inner.read(buffer) {
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let mut recent = lock(&self.recent);
        match read {
            Ok(read) => {
                recent.take(&buffer[..read]);
                Ok(read)
            }
            Err(fault) => {
                recent.fault.get_or_insert(fault.kind());
                Ok(0)
            }
        }
    }
}

/// What came last of a stream, enough to read the times of findings that are still to come.
pub struct Recent {
    bytes: Vec<u8>,
    /// Where `bytes` begins in the stream.
    base: u64,
    /// The last time before `base`.
    before: Option<OffsetDateTime>,
    /// The line that was asked for last, and its time.
    asked: Option<(u64, Option<OffsetDateTime>)>,
    latest: OffsetDateTime,
    fault: Option<io::ErrorKind>,
}

impl Default for Recent {
    fn default() -> Self {
        Recent {
            bytes: Vec::new(),
            base: 0,
            before: None,
            asked: None,
            latest: OffsetDateTime::UNIX_EPOCH,
            fault: None,
        }
    }
}

impl Recent {
    fn start(&mut self, latest: OffsetDateTime) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        *self = Recent { bytes, latest, ..Recent::default() };
    }

    /// Why the stream ended early, if it did.
    pub fn fault(&self) -> Option<io::ErrorKind> {
        self.fault
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.bytes.len() + bytes.len() > 2 * RECENT_BYTES {
            let gone = self.bytes.len().saturating_sub(RECENT_BYTES);
            self.before = self.time_before(gone);
            self.bytes.drain(..gone);
            self.base += gone as u64;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The time of the line in which `offset` lies, or of the last line before it that has one.
    pub fn time_at(&mut self, offset: u64) -> Option<OffsetDateTime> {
        let at = offset.checked_sub(self.base).and_then(|at| usize::try_from(at).ok())?;
        let line_end = self.bytes.get(at..)?.iter().position(|&byte| byte == b'\n');
        let end = line_end.map_or(self.bytes.len(), |length| at + length);
        let start = memchr::memrchr(b'\n', &self.bytes[..at]).map_or(0, |end| end + 1);
        let time = self.time_before(end);
        self.asked = Some((self.base + start as u64, time));
        time
    }

    /// The time of the last line that has one, of those that begin before `end`.
    fn time_before(&self, mut end: usize) -> Option<OffsetDateTime> {
        for _ in 0..LINES_BACK {
            let start = memchr::memrchr(b'\n', &self.bytes[..end]).map_or(0, |end| end + 1);
            if let Some((asked, time)) = self.asked
                && self.base + start as u64 == asked
            {
                return time;
            }
            if let Some(time) = self.time_of(start, end) {
                return Some(time);
            }
            if start == 0 {
                return self.before;
            }
            end = start - 1;
        }
        None
    }

    fn time_of(&self, start: usize, end: usize) -> Option<OffsetDateTime> {
        let line = &self.bytes[start..end.min(start + LINE_BYTES)];
        if line.contains(&0) {
            // UTF-16, or a hole.
            let line: Vec<u8> = line.iter().copied().filter(|byte| !matches!(byte, 0 | 0xfe | 0xff)).collect();
            return times::of_line(&line, self.latest);
        }
        times::of_line(line, self.latest)
    }
}

/// Takes a lock that a thread may have left by a panic: what it guards is complete at any time.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many lines without a time, such as those of a stack trace, belong to the line before them.
const LINES_BACK: usize = 256;

/// How much of a line is read for its time: a record's own may stand last.
const LINE_BYTES: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_finding_has_the_time_of_its_line_or_of_the_last_one_that_has_one() {
        let mut recent = Recent::default();
        recent.start(datetime!(2026-11-27 0:00 UTC));
        recent.take(b"none\n2026-11-20T01:00:00Z a\n at b\n at c\n2026-11-20T02:00:00Z d");
        for (offset, expected) in [
            (0, None),
            (5, Some(datetime!(2026-11-20 1:00 UTC))),
            (30, Some(datetime!(2026-11-20 1:00 UTC))),
            (38, Some(datetime!(2026-11-20 1:00 UTC))),
            (43, Some(datetime!(2026-11-20 2:00 UTC))),
            (5, Some(datetime!(2026-11-20 1:00 UTC))),
            (9999, None),
        ] {
            assert_eq!(recent.time_at(offset), expected, "{offset}");
        }
    }

    #[test]
    fn times_survive_when_their_line_is_forgotten() {
        let mut recent = Recent::default();
        recent.start(datetime!(2026-11-27 0:00 UTC));
        recent.take(b"2026-11-20T01:00:00Z a\n");
        let long = vec![b'x'; RECENT_BYTES];
        for _ in 0..4 {
            recent.take(&long);
        }
        let end = recent.base + recent.bytes.len() as u64;
        assert_eq!(recent.time_at(end - 1), Some(datetime!(2026-11-20 1:00 UTC)));
    }

    #[test]
    fn a_budget_ends_at_its_ratio() {
        let budget = Budget::default();
        budget.packed.store(1000, Ordering::Relaxed);
        assert!(budget.spend(RATIO_FREE_BYTES).is_ok());
        assert!(budget.spend(1_000_000).is_err());
        assert!(budget.is_burst() && budget.spend(0).is_err());
    }
}
