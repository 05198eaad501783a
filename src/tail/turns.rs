//! The turns of the loop: reads files in turn, those first that had a name before others, and has written what they
//! give. Does not look for files.

use std::{
    io,
    time::{Duration, Instant},
};

use super::{
    Notice, TailError, begin,
    feed::{Fed, Work},
    find::Listings,
    follow::{Chunk, Fault, Follow},
    open::Kind,
    seam,
    work::Loop,
};

impl Loop<'_> {
    /// Gives files their turns, until each has had one or the time for a slice is over.
    pub(super) fn turns(&mut self) -> Result<(), TailError> {
        if self.blocked_until.is_some_and(|until| until > seam::now()) {
            return Ok(());
        }
        self.blocked_until = None;
        let started = seam::now();
        self.drop_packed();
        self.close_rotated(started)?;
        for _ in 0..self.queue.len() {
            let Some(id) = self.queue.pop_front() else { break };
            self.turn(id)?;
            if self.blocked_until.is_some() || self.signals.stopping() || seam::since(started) > SLICE {
                break;
            }
        }
        self.flush_beginnings()
    }

    /// Reads what a file has, up to the size of a turn, and before that what those have that had its name before.
    fn turn(&mut self, id: u64) -> Result<(), TailError> {
        let limit = self.older(id)?;
        let Some(mut follow) = self.files.remove(&id) else { return Ok(()) };
        follow.queued = false;
        let more = match limit {
            Some(limit) => self.read_next(&mut follow, limit)?,
            None => true,
        };
        if more {
            follow.queued = true;
            self.queue.push_back(id);
        }
        self.files.insert(id, follow);
        Ok(())
    }

    /// Reads the files that had a file's name before it. Up to where the file itself may be read then; nothing if there is
    /// more of the others.
    ///
    /// Whoever writes goes on in a new file after the last line of the old one, but may do so between two of our calls.
    /// So the size of the newest is asked for first: whatever was written before those bytes is in the others when their
    /// sizes are asked for.
    fn older(&mut self, id: u64) -> Result<Option<u64>, TailError> {
        let Some(name) = self.files.get(&id).map(|follow| &follow.voice.origin.path) else { return Ok(None) };
        let older: Vec<u64> = self.by_name.get(name).into_iter().flat_map(|ids| ids.range(..id)).copied().collect();
        if older.is_empty() {
            return Ok(Some(u64::MAX));
        }
        let size = |id: &u64| self.files.get(id).and_then(|follow| follow.look().ok()).map(|about| about.len());
        let limit = size(&id);
        let sizes: Vec<Option<u64>> = older.iter().rev().map(size).collect();
        for (id, size) in older.into_iter().zip(sizes.into_iter().rev()) {
            let Some(mut follow) = self.files.remove(&id) else { continue };
            let has_more = size.is_some_and(|size| size != follow.reached);
            let more = has_more && self.read_next(&mut follow, size.unwrap_or(u64::MAX))?;
            self.files.insert(id, follow);
            if more {
                return Ok(None);
            }
        }
        Ok(Some(limit.unwrap_or(u64::MAX)))
    }

    /// Reads up to a limit, behind what was before the file. Whether there may be more before it.
    fn read_next(&mut self, follow: &mut Follow, limit: u64) -> Result<bool, TailError> {
        Ok(!self.inherit(follow, limit > 0)? || self.read(follow, limit)?)
    }

    /// Tells a file that was not read yet what the one that had its name before says about its first line: a private key
    /// goes on behind a rotation. If it is to be read now, it gets what waits there at the end: a container's line, of
    /// which it may have the rest. Whether it can be read.
    fn inherit(&mut self, follow: &mut Follow, is_read: bool) -> Result<bool, TailError> {
        if follow.has_begun() {
            return Ok(true);
        }
        // Whoever was told that nobody has read what was before it hears no more.
        if follow.is_behind_unseen {
            return if is_read { self.end_before(follow) } else { Ok(true) };
        }
        let name = &follow.voice.origin.path;
        if let Some(gone) = self.begin.gone.get_mut(name)
            && *gone.told.get_or_insert(follow.voice.id) == follow.voice.id
        {
            // Between those that are still there and this one was one that nobody can read any more.
            follow.mark.said.clone_from(&gone.says);
            follow.says.clone_from(&gone.says);
            return Ok(true);
        }
        let name = name.clone();
        if is_read && let Some(before) = self.last_begun(follow) {
            if !self.wake(before)? {
                return Ok(false);
            }
            if self.files.get(&before).is_some_and(Follow::waits_at_end) {
                return self.hand_on(before, follow);
            }
        }
        let mut older = self.by_name.get(&name).into_iter().flat_map(|ids| ids.range(..follow.voice.id)).rev();
        if let Some(before) = older.next().and_then(|id| self.files.get(id)) {
            follow.mark.said.clone_from(&before.says);
            follow.heard = Some(before.voice.id);
        } else if let Some((said, _)) = self.said.get(&name).filter(|_| follow.mark.said.is_empty()) {
            follow.mark.said.clone_from(said);
        }
        // An empty file says what it was told.
        follow.says.clone_from(&follow.mark.said);
        Ok(true)
    }

    /// The last one of those that had a file's name before it that has something, or was told what was before it.
    fn last_begun(&self, follow: &Follow) -> Option<u64> {
        let ids = self.by_name.get(&follow.voice.origin.path)?;
        let goes_before = |follow: &Follow| !follow.is_blank() || follow.is_behind_unseen;
        ids.range(..follow.voice.id).rev().copied().find(|id| self.files.get(id).is_some_and(goes_before))
    }

    /// What waits at the end of the one that had a file's name before has its rest in none that is there: it comes out
    /// before what the file has. Whether it could.
    fn end_before(&mut self, follow: &Follow) -> Result<bool, TailError> {
        let Some(before) = self.last_begun(follow) else { return Ok(true) };
        if !self.wake(before)? {
            return Ok(false);
        }
        let Some(mut old) = self.files.remove(&before) else { return Ok(true) };
        let fed = match old.waits_at_end() {
            true => self.feeder.feed(&mut old, &[], 0, Work::Finish, self.hooks, &mut self.figures),
            false => Ok(Fed::Done),
        };
        self.files.insert(before, old);
        Ok(!self.after(fed?))
    }

    /// A file that is over, and has nothing of its own behind what it was given, takes that. Whether it could.
    fn wake(&mut self, id: u64) -> Result<bool, TailError> {
        if !self.files.get(&id).is_some_and(Follow::has_begun_only) {
            return Ok(true);
        }
        let Some(mut old) = self.files.remove(&id) else { return Ok(true) };
        let fed = self.feeder.feed(&mut old, &[], 0, Work::Push, self.hooks, &mut self.figures)?;
        self.files.insert(id, old);
        Ok(!self.after(fed))
    }

    /// A file gets what waits at the end of the one that had its name before. Whether it can be read then.
    fn hand_on(&mut self, before: u64, follow: &mut Follow) -> Result<bool, TailError> {
        let Some(mut old) = self.files.remove(&before) else { return Ok(true) };
        let mut can_read = true;
        if old.replay.is_some() {
            // What a process before us has written of it early.
            let fed = self.feeder.feed(&mut old, &[], 0, Work::Idle, self.hooks, &mut self.figures)?;
            can_read = !self.after(fed);
        }
        let mark = if can_read && follow.is_bytes() { old.hand_on() } else { None };
        if let Some(mark) = mark {
            self.feeder.outlet.hand_on(before, &follow.voice);
            self.figures.errors += u64::from(follow.begin_with(mark).is_err());
        } else if can_read {
            // It comes out before what the other one has.
            let fed = self.feeder.feed(&mut old, &[], 0, Work::Finish, self.hooks, &mut self.figures)?;
            can_read = !self.after(fed);
            follow.mark.said.clone_from(&old.says);
            follow.says.clone_from(&old.says);
        }
        self.files.insert(before, old);
        Ok(can_read)
    }

    /// Reads up to a limit. Whether there may be more before it.
    fn read(&mut self, follow: &mut Follow, limit: u64) -> Result<bool, TailError> {
        if follow.file.is_none() {
            self.make_room();
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = match follow.read(&mut buffer, limit) {
            Ok(chunk) => {
                if let Some((times, bytes)) = follow.cuts.of_same(follow.seen.size) {
                    self.figures.truncated += times;
                    begin::lost(follow, "was cut behind what was read", bytes, self.hooks, &mut self.figures);
                }
                self.fed(follow, &buffer, &chunk)
            }
            Err(Fault::Rewritten) => self.rewritten(follow).map(|()| true),
            Err(Fault::Packed) => {
                follow.is_packed = true;
                follow.drained = true;
                Ok(false)
            }
            Err(Fault::Io(fault)) if fault.kind() == io::ErrorKind::NotFound && follow.file.is_none() => {
                // It was closed, and has another name by now, or none; of what was lost with it the next look tells.
                let is_there = Listings::default().find(follow);
                follow.drained = !is_there;
                self.pace.changes.files |= !is_there;
                Ok(is_there)
            }
            Err(Fault::Io(fault)) => {
                self.figures.errors += 1;
                let path = follow.voice.origin.name.clone();
                self.hooks.notice(&Notice::Unreadable { path, kind: fault.kind() });
                follow.drained = true;
                Ok(false)
            }
        };
        self.buffer = buffer;
        result
    }

    fn fed(&mut self, follow: &mut Follow, buffer: &[u8], chunk: &Chunk) -> Result<bool, TailError> {
        let bytes = &buffer[chunk.range.clone()];
        let length = follow.whole(bytes);
        let end = follow.position + bytes.len() as u64;
        if let Some(grown) = follow.grown_at.filter(|_| !bytes.is_empty() && follow.kind == Kind::Regular) {
            self.figures.lag = self.figures.lag.max(seam::since(grown));
        }
        if length > 0 {
            let buffer = &buffer[..chunk.range.start + length];
            let fed = self.feeder.feed(follow, buffer, length, Work::Push, self.hooks, &mut self.figures)?;
            if self.after(fed) {
                return Ok(true);
            }
            self.signals.took(length as u64);
        }
        let more = chunk.more || follow.position < follow.careful && length > 0;
        if !bytes.is_empty() {
            follow.quiet_since = seam::now();
        }
        follow.seen.size = follow.seen.size.max(follow.position);
        follow.reached = end;
        let holds = follow.filter.as_ref().is_some_and(crate::Filter::held);
        if bytes.len() > length || holds {
            follow.open_since.get_or_insert_with(seam::now);
        } else {
            follow.open_since = None;
        }
        if !more {
            follow.drained = true;
            // Of a pipe it says that somebody has it open, so that waiting for it makes sense.
            let waits = follow.kind == Kind::Fifo && !bytes.is_empty();
            follow.grown_at = waits.then(seam::now);
        }
        Ok(more)
    }

    /// Whether the file has to be read again from its mark.
    fn after(&mut self, fed: Fed) -> bool {
        if fed == Fed::Blocked {
            self.blocked_until = Some(seam::now() + RETRY);
        }
        for path in self.feeder.outlet.take_removed() {
            let path = self.begin.shown(&path);
            self.hooks.notice(&Notice::Removed { path });
        }
        fed != Fed::Done
    }

    /// Under a name stands the same file with another text.
    fn rewritten(&mut self, follow: &mut Follow) -> Result<(), TailError> {
        if let Ok(about) = follow.look() {
            follow.see(&about);
        }
        let how = if follow.cuts.has_gone() { "was cut" } else { "was written anew" };
        let copy = self.begin.copy_of(&follow.real, &follow.checkpoint(self.begin.looked), |about| self.follows(about));
        // Copies of before are no files that were missed.
        let last = copy.as_ref().map_or_else(seam::wall, |copy| begin::came(&copy.about));
        let (times, bytes) = follow.cuts.of_other(copy.as_ref().map(|copy| copy.about.len()));
        self.figures.truncated += times;
        self.held(follow.voice.origin.path.clone(), last);
        if let Some(copy) = copy {
            self.begin.copied(follow, &copy.real, bytes, self.hooks, &mut self.figures);
            let id = follow.voice.id;
            self.by_inode.remove(&follow.identity.inode());
            self.by_inode.insert(copy.identity.inode(), id);
            follow.go_on_in(copy);
            // The file itself is another one from now on, and is found as such.
            self.pace.changes.names = true;
            return Ok(());
        }
        begin::lost(follow, how, bytes, self.hooks, &mut self.figures);
        if follow.filter.is_some() || follow.mark.handed.is_some() {
            // What was held has no end any more.
            self.feeder.feed(follow, &[], 0, Work::Finish, self.hooks, &mut self.figures)?;
        }
        self.feeder.outlet.leave_line(&follow.voice);
        follow.start_anew();
        follow.until = follow.until.map(|_| follow.seen.size);
        Ok(())
    }

    /// Writes beginnings of lines that have waited long enough for their ends.
    fn flush_beginnings(&mut self) -> Result<(), TailError> {
        if !self.feeder.outlet.takes_beginnings(self.files.len()) {
            return Ok(());
        }
        let due = |follow: &&Follow| {
            !follow.queued && follow.open_since.is_some_and(|since| seam::since(since) >= self.settings.flush_after)
        };
        let due: Vec<u64> = self.files.values().filter(due).map(|follow| follow.voice.id).collect();
        due.into_iter().try_for_each(|id| self.rest(id, u64::MAX, Work::Idle))
    }

    /// Gives a file's filter what is left, up to the file's end or a place before it.
    pub(super) fn rest(&mut self, id: u64, end: u64, work: Work) -> Result<(), TailError> {
        let limit = self.older(id)?.map(|limit| limit.min(end));
        let Some(mut follow) = self.files.remove(&id) else { return Ok(()) };
        // One that ends without a byte of its own is the last that may get what waits before it.
        let is_read = limit.is_some_and(|limit| limit > 0 || work == Work::Finish);
        let can_read = self.inherit(&mut follow, is_read)?;
        if follow.file.is_none() {
            self.make_room();
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        follow.open_since = None;
        let read = limit.filter(|_| can_read).map(|limit| follow.read(&mut buffer, limit));
        let done = match read {
            Some(Ok(Chunk { range, more })) => {
                let work = if more { Work::Push } else { work };
                let (buffer, length) = (&buffer[..range.end], range.len());
                follow.reached = follow.position + length as u64;
                self.feeder.feed(&mut follow, buffer, length, work, self.hooks, &mut self.figures)
            }
            // The next turn tells what has happened, or reads what is before it.
            Some(Err(_)) | None => Ok(Fed::Again),
        };
        self.buffer = buffer;
        if self.after(done?) && !std::mem::replace(&mut follow.queued, true) {
            self.queue.push_back(id);
        }
        self.files.insert(id, follow);
        Ok(())
    }

    /// Follows files no more that have turned out to be compressed. They are found again, and refused.
    fn drop_packed(&mut self) {
        let packed = self.files.values().filter(|follow| follow.is_packed);
        for (id, inode) in packed.map(|follow| (follow.voice.id, follow.identity.inode())).collect::<Vec<_>>() {
            self.forget(id);
            self.begin.known.remove(&inode);
            self.pace.changes.names = true;
        }
    }

    /// Ends files that were rotated, read to their ends, and have been quiet since.
    fn close_rotated(&mut self, started: Instant) -> Result<(), TailError> {
        let over = |follow: &&Follow| {
            // The rest of a line may come late.
            let quiet = if follow.ends_in_line() { OPEN_QUIET } else { ROTATED_QUIET };
            follow.rotated && follow.drained && !follow.queued && seam::since(follow.quiet_since) >= quiet
        };
        let over: Vec<u64> = self.files.values().filter(over).map(|follow| follow.voice.id).collect();
        for id in over {
            // Files may be rotated faster than these are closed, and must be found before they are removed.
            if seam::since(started) > SLICE {
                break;
            }
            if self.has_more(id) {
                continue;
            }
            // Of what comes now nobody knows yet whether it is a whole line.
            let reached = self.files.get(&id).map_or(0, |follow| follow.reached);
            self.rest(id, reached, Work::Finish)?;
            if !self.has_more(id) {
                self.forget(id);
            }
        }
        Ok(())
    }

    /// Whether a file has bytes that nobody has looked at, or is to be read again. It has its turn then.
    fn has_more(&mut self, id: u64) -> bool {
        let Some(follow) = self.files.get_mut(&id) else { return true };
        let has_more = follow.look().is_ok_and(|about| about.len() > follow.reached);
        if has_more && !std::mem::replace(&mut follow.queued, true) {
            self.queue.push_back(id);
        }
        follow.queued
    }
}

/// After what time of reading the loop looks for changes.
const SLICE: Duration = Duration::from_millis(100);

/// How long a rotated file must be quiet: who writes it may have it open for a while.
const ROTATED_QUIET: Duration = Duration::from_secs(5);

/// The same for one at whose end a line waits for its rest.
const OPEN_QUIET: Duration = Duration::from_secs(60);

/// How long an outlet that has failed is left alone.
const RETRY: Duration = Duration::from_millis(500);
