//! Opens one file, and what is inside it, layer by layer, down to streams that the filter reads. Does
//! not choose files, and says of what it cannot read no more than where and why.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    sync::{Arc, Mutex, atomic::Ordering},
};

use crossbeam_channel::Sender;
use time::OffsetDateTime;

use super::{
    Event, Found, Job, Plan, Skipped, Totals, Trouble, codec,
    file::{FileReader, open},
    kind::{self, Kind, Packing},
    rewrite::{self, Draft, Refused, Target},
    stream::{Budget, Bytes, Counted, Failing, Metered, Part, Recent, Shared, Tap, lock},
    tar,
    walk::STDIN,
    zip::{self, Backing},
};
use crate::{
    Stats,
    finding::{
        Finding, Taken,
        report::{Seen, Where},
    },
    limits::{INNER_ZIP_BYTES_MAX, LARGE_FILE_BYTES, LAYERS_MAX},
    names::Names,
    pipeline::{self, PipelineError},
    redact::Clean,
    sink::Sink,
    source::Source,
};

/// Reads files, one after the other, on one thread.
pub struct Visitor<'a> {
    plan: &'a Plan,
    totals: &'a Totals,
    events: Sender<Event>,
    names: Names,
    recent: Arc<Mutex<Recent>>,
    jobs: usize,
}

/// The file that is being read.
struct Visit<'v, 'a> {
    visitor: &'v mut Visitor<'a>,
    number: u64,
    path: &'v Path,
    is_named: bool,
    budget: Arc<Budget>,
    found: Vec<Found>,
    count: u64,
    troubles: usize,
    /// How it can be written again, or why it cannot.
    shape: Result<Option<Packing>, Refused>,
    /// Whether nothing is in it, wanted or not.
    is_clean: bool,
}

/// What came of opening a file.
enum Opened {
    /// It was read, as far as it could be; what it was then, where it is a regular file.
    Read(Option<fs::Metadata>),
    /// It was not read, and that was said.
    Not,
    /// It is to be read later.
    Later,
}

/// A stream inside a file, and what is known of it from outside.
struct Layer {
    place: Where,
    depth: usize,
    /// What none of its lines is later than.
    latest: OffsetDateTime,
    /// The whole of it, where it can be read at any place, and its length.
    backing: Option<(Backing, u64)>,
}

impl Layer {
    fn inside(&self, name: &str) -> Layer {
        let place = Where::File(format!("{}!{name}", self.place.name()));
        Layer { place, depth: self.depth + 1, latest: self.latest, backing: None }
    }

    fn unpacked(&self) -> Layer {
        Layer { place: self.place.clone(), depth: self.depth + 1, latest: self.latest, backing: None }
    }
}

impl<'a> Visitor<'a> {
    /// A visitor that spreads each stream over `jobs` threads.
    pub fn new(plan: &'a Plan, totals: &'a Totals, events: Sender<Event>, jobs: usize) -> Self {
        let names = Names::new(Arc::clone(&plan.names));
        Visitor { plan, totals, events, names, recent: Arc::default(), jobs }
    }

    /// A new visitor in the place of one that has failed on `path`.
    pub fn after_panic(mut self, path: &Path) -> Self {
        let place = self.names.shown(path.as_os_str().as_encoded_bytes());
        let _ = self.events.send(Event::Trouble { place, trouble: Trouble::Internal });
        Visitor::new(self.plan, self.totals, self.events, self.jobs)
    }

    /// Reads a file. Hands it back unread if it is large and `is_first` says that such files come later.
    pub fn visit(&mut self, job: &Job, is_first: bool) -> bool {
        let Job { number, path, is_named } = job;
        let shown = self.names.shown(path.as_os_str().as_encoded_bytes());
        let plan = self.plan;
        let mut visit = Visit {
            visitor: self,
            number: *number,
            path,
            is_named: *is_named,
            budget: Arc::default(),
            found: Vec::new(),
            count: 0,
            troubles: 0,
            shape: Err(Refused::Archive),
            is_clean: true,
        };
        let opened = visit.file(shown.clone(), is_first);
        visit.send();
        if let (Opened::Read(Some(meta)), Some(target)) = (&opened, &plan.target)
            && !(visit.is_clean && matches!(target, Target::InPlace))
        {
            let written = visit.rewrite(&shown, meta, target);
            let event = match written {
                Ok(false) => return true,
                Ok(true) => Event::Written,
                Err(why) => Event::Refused { place: shown, why },
            };
            let _ = visit.visitor.events.send(event);
        }
        !matches!(opened, Opened::Later)
    }
}

impl Visit<'_, '_> {
    fn file(&mut self, shown: String, is_first: bool) -> Opened {
        let now = OffsetDateTime::now_utc();
        let total = Arc::clone(&self.visitor.totals.bytes);
        if self.path.as_os_str() == STDIN {
            self.visitor.totals.files.fetch_add(1, Ordering::Relaxed);
            let layer = Layer { place: Where::Input, depth: 0, latest: now, backing: None };
            let bytes = Counted::new(io::stdin(), Arc::clone(&self.budget), total);
            self.stream(Box::new(bytes), &layer);
            return Opened::Read(None);
        }
        let place = Where::File(shown);
        let (file, meta) = match open(self.path, self.is_named) {
            Ok(opened) => opened,
            Err(fault) => {
                self.trouble(&place, Trouble::Unreadable(fault.kind()));
                return Opened::Not;
            }
        };
        if meta.is_dir() {
            self.trouble(&place, Trouble::Unreadable(io::ErrorKind::IsADirectory));
            return Opened::Not;
        }
        if meta.is_file() && self.visitor.plan.size_max.is_some_and(|most| meta.len() > most) {
            self.skip(&place, Skipped::TooLarge);
            return Opened::Not;
        }
        if is_first && meta.len() >= LARGE_FILE_BYTES {
            return Opened::Later;
        }
        self.visitor.totals.files.fetch_add(1, Ordering::Relaxed);
        let latest = meta.modified().map_or(now, OffsetDateTime::from);
        let file = Arc::new(file);
        let backing = meta.is_file().then(|| (Backing::File(Arc::clone(&file)), meta.len()));
        let layer = Layer { place, depth: 0, latest, backing };
        let bytes = Counted::new(FileReader(file), Arc::clone(&self.budget), total);
        self.stream(Box::new(bytes), &layer);
        Opened::Read(meta.is_file().then_some(meta))
    }

    /// Writes the file again, masked. Whether that was done: a file in which nothing is masked stays as it
    /// is, and one that is no text has no copy, which was said.
    fn rewrite(&mut self, shown: &str, meta: &fs::Metadata, target: &Target) -> Result<bool, Refused> {
        let plan = self.visitor.plan;
        let in_place = matches!(target, Target::InPlace);
        let packing = match self.shape {
            Ok(packing) => packing,
            Err(Refused::Binary) if !in_place && !plan.binary => return Ok(false),
            Err(why) => return Err(why),
        };
        if self.troubles > 0 {
            return Err(Refused::Unread);
        }
        // A link that the user named stays one.
        let path = fs::canonicalize(self.path)?;
        if in_place && !plan.force && rewrite::names_of(meta) > 1 {
            return Err(Refused::Linked);
        }
        if !plan.force && rewrite::is_open_for_writing(meta) {
            return Err(Refused::Open);
        }
        let place = match target {
            Target::Folder(out) => rewrite::place_below(out, shown, plan.force)?,
            Target::InPlace => path.clone(),
        };
        let (file, before) = open(&path, false)?;
        if !plan.force && !rewrite::is_unchanged(meta, &before) {
            return Err(Refused::Changed);
        }
        let file = Arc::new(file);
        let mut draft = Draft::new(place, packing)?;
        let masked = self.mask(Arc::clone(&file), packing, &mut draft)?;
        if in_place && !masked {
            return Ok(false);
        }
        let check = || {
            let now = [file.metadata()?, if in_place { fs::symlink_metadata(&path)? } else { file.metadata()? }];
            let is_same = now.iter().all(|now| rewrite::is_unchanged(&before, now));
            if is_same || plan.force { Ok(()) } else { Err(Refused::Changed) }
        };
        draft.finish(&before, in_place, check).map(|()| true)
    }

    /// Lets the masking filter read the file into a draft. Whether something was masked.
    fn mask(&mut self, file: Arc<File>, packing: Option<Packing>, draft: &mut Draft) -> Result<bool, Refused> {
        let budget = Arc::new(Budget::default());
        let raw: Bytes = Box::new(Counted::new(FileReader(file), Arc::clone(&budget), Arc::default()));
        let bytes = match packing {
            Some(packing) => Box::new(Metered::new(codec::unpack(packing, raw), budget)),
            None => raw,
        };
        let recent = Arc::clone(&self.visitor.recent);
        let tap = Tap::new(bytes, &recent, OffsetDateTime::now_utc());
        let settings = pipeline::Settings { jobs: self.visitor.jobs, ..pipeline::Settings::default() };
        let mut masked = false;
        let mut on_finding = |finding: Finding| masked |= finding.action == Taken::Redacted;
        let ended = pipeline::run(&self.visitor.plan.names, Source::reader(tap), draft, &mut on_finding, &settings);
        let stats = ended.map_err(|fault| match fault {
            PipelineError::Write(kind) | PipelineError::Read(kind) => Refused::Io(kind),
            PipelineError::ClosedOutput => Refused::Io(io::ErrorKind::BrokenPipe),
            PipelineError::Internal { .. } => Refused::Unread,
        })?;
        if lock(&recent).fault().is_some() { Err(Refused::Unread) } else { Ok(masked || stats.ceilings > 0) }
    }

    /// Reads a stream: finds out what it is, and opens or filters it.
    fn stream(&mut self, mut bytes: Bytes, layer: &Layer) {
        let mut head = vec![0; kind::HEAD_BYTES];
        let mut filled = 0;
        let mut fault = None;
        while filled < head.len() {
            match bytes.read(&mut head[filled..]) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(interrupted) if interrupted.kind() == io::ErrorKind::Interrupted => {}
                Err(other) => {
                    fault = Some(other.kind());
                    break;
                }
            }
        }
        head.truncate(filled);
        if let Some(kind) = fault {
            // What came before the fault is read all the same.
            bytes = Box::new(Failing(kind));
        }
        let kind = kind::of(&head);
        let whole: Bytes = Box::new(io::Cursor::new(head).chain(bytes));
        let is_nested = matches!(kind, Kind::Packed(_) | Kind::Tar | Kind::Zip);
        if is_nested && layer.depth >= LAYERS_MAX {
            return self.trouble(&layer.place, Trouble::TooDeep);
        }
        // Lines, or lines that were packed once, can be written again.
        let is_outer = layer.depth == 0 || layer.depth == 1 && matches!(self.shape, Ok(Some(_)));
        self.shape = match kind {
            Kind::Packed(packing) if layer.depth == 0 => Ok(Some(packing)),
            Kind::Text if layer.depth == 0 => Ok(None),
            Kind::Text if is_outer => self.shape,
            Kind::Journal if is_outer => Err(Refused::Journal),
            Kind::Binary | Kind::JournalFile if is_outer => Err(Refused::Binary),
            _ => Err(Refused::Archive),
        };
        match kind {
            Kind::Packed(packing) => {
                let unpacked = Metered::new(codec::unpack(packing, whole), Arc::clone(&self.budget));
                self.stream(Box::new(unpacked), &layer.unpacked());
            }
            Kind::Tar => self.tar(whole, layer),
            Kind::Zip => self.zip(whole, layer),
            Kind::Binary if !self.visitor.plan.binary && fault.is_none() => self.skip(&layer.place, Skipped::Binary),
            Kind::JournalFile if !self.visitor.plan.binary && fault.is_none() => {
                self.skip(&layer.place, Skipped::Journal);
            }
            Kind::Binary | Kind::JournalFile | Kind::Text | Kind::Journal => self.filter(whole, layer),
        }
    }

    fn tar(&mut self, bytes: Bytes, layer: &Layer) {
        let shared = Shared::new(bytes);
        loop {
            let member = match tar::next(&shared) {
                Ok(Some(member)) => member,
                Ok(None) => return,
                Err(fault) => return self.fault(layer, fault.kind()),
            };
            let (part, left) = Part::new(shared.clone(), member.size);
            let troubles = self.troubles;
            if !self.visitor.plan.excludes.cover(&member.name) {
                let mut inside = layer.inside(&self.visitor.names.shown(&member.name));
                let modified = member.modified.and_then(|seconds| i64::try_from(seconds).ok());
                if let Some(time) = modified.and_then(|time| OffsetDateTime::from_unix_timestamp(time).ok()) {
                    inside.latest = time;
                }
                self.stream(Box::new(part), &inside);
            }
            let rest = left.load(Ordering::Relaxed).saturating_add(tar::padding(member.size));
            if let Err(fault) = tar::skip(&shared, rest) {
                // Where the stream itself has failed, this was said inside the member.
                if self.troubles == troubles {
                    self.fault(layer, fault.kind());
                }
                return;
            }
        }
    }

    fn zip(&mut self, mut bytes: Bytes, layer: &Layer) {
        let (backing, length) = match &layer.backing {
            Some((backing, length)) => (backing.clone(), *length),
            None => {
                let mut whole = Vec::new();
                match bytes.by_ref().take(INNER_ZIP_BYTES_MAX + 1).read_to_end(&mut whole) {
                    Ok(_) if whole.len() as u64 > INNER_ZIP_BYTES_MAX => {
                        return self.trouble(&layer.place, Trouble::ZipTooLarge);
                    }
                    Ok(_) => {}
                    Err(fault) => return self.fault(layer, fault.kind()),
                }
                let length = whole.len() as u64;
                (Backing::Memory(Arc::new(whole)), length)
            }
        };
        let read = zip::members(&backing, length, &mut |member| {
            if !self.visitor.plan.excludes.cover(&member.name) {
                self.zip_member(&member, &backing, layer);
            }
            !self.budget.is_burst()
        });
        if read.is_err() && !self.budget.is_burst() {
            self.trouble(&layer.place, Trouble::Corrupt);
        }
    }

    fn zip_member(&mut self, member: &zip::Member, backing: &Backing, layer: &Layer) {
        let inside = layer.inside(&self.visitor.names.shown(&member.name));
        if member.is_encrypted {
            return self.trouble(&inside.place, Trouble::Encrypted);
        }
        let Some(content) = member.open(backing) else {
            return self.trouble(&inside.place, Trouble::Corrupt);
        };
        // The file's own reader stands elsewhere: what is read here is counted here.
        let content: Bytes = match layer.backing {
            Some(_) => {
                let total = Arc::clone(&self.visitor.totals.bytes);
                Box::new(Counted::new(content, Arc::clone(&self.budget), total))
            }
            None => Box::new(content),
        };
        match codec::unpack_member(member.method, content) {
            Some(unpacked) => {
                let metered = Metered::new(unpacked, Arc::clone(&self.budget));
                self.stream(Box::new(metered), &inside);
            }
            None => self.trouble(&inside.place, Trouble::UnknownMethod),
        }
    }

    /// Lets the filter read a stream to its end.
    fn filter(&mut self, bytes: Bytes, layer: &Layer) {
        let recent = Arc::clone(&self.visitor.recent);
        let tap = Tap::new(bytes, &recent, layer.latest);
        let settings = pipeline::Settings { jobs: self.visitor.jobs, ..pipeline::Settings::default() };
        let engine = Arc::clone(&self.visitor.plan.engine);
        let mut on_finding = |finding: Finding| {
            let time = lock(&recent).time_at(finding.offset);
            self.take(finding, time, layer);
        };
        let ended = pipeline::run(&engine, Source::reader(tap), &mut Nowhere, &mut on_finding, &settings);
        match ended {
            Ok(stats) => self.visitor.totals.add(&stats),
            // The tap turns faults of reading into the end of the stream; nothing is written.
            Err(PipelineError::Read(kind) | PipelineError::Write(kind)) => self.fault(layer, kind),
            Err(PipelineError::Internal { .. } | PipelineError::ClosedOutput) => {
                self.trouble(&layer.place, Trouble::Internal);
            }
        }
        let fault = lock(&recent).fault();
        if let Some(kind) = fault {
            self.fault(layer, kind);
        }
    }

    fn take(&mut self, finding: Finding, time: Option<OffsetDateTime>, layer: &Layer) {
        let plan = self.visitor.plan;
        self.is_clean = false;
        let is_out = match time {
            Some(time) => plan.since.is_some_and(|since| time < since) || plan.until.is_some_and(|until| time > until),
            // Written before the file was written last, whenever that was.
            None => plan.since.is_some_and(|since| layer.latest < since),
        };
        if is_out {
            self.visitor.totals.out_of_time.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.count += 1;
        let seen = Seen { order: (self.number, self.count), time };
        self.found.push(Found { finding, place: layer.place.clone(), seen });
        if self.found.len() >= FOUND_BATCH {
            self.send();
        }
    }

    fn send(&mut self) {
        if !self.found.is_empty() {
            let path = self.path.to_path_buf();
            let _ = self.visitor.events.send(Event::Found {
                path,
                number: self.number,
                found: std::mem::take(&mut self.found),
            });
        }
    }

    fn fault(&mut self, layer: &Layer, kind: io::ErrorKind) {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, OutOfMemory, UnexpectedEof, Unsupported};
        let trouble = match kind {
            _ if self.budget.is_burst() => Trouble::Bomb,
            UnexpectedEof => Trouble::CutShort,
            InvalidData | InvalidInput | Other | OutOfMemory | Unsupported => Trouble::Corrupt,
            kind => Trouble::Unreadable(kind),
        };
        self.trouble(&layer.place, trouble);
    }

    fn trouble(&mut self, place: &Where, trouble: Trouble) {
        self.troubles += 1;
        // A bomb is one thing, in however many layers it is met.
        if trouble == Trouble::Bomb && self.troubles > 1 {
            return;
        }
        let _ = self.visitor.events.send(Event::Trouble { place: place.name().to_owned(), trouble });
    }

    fn skip(&mut self, place: &Where, why: Skipped) {
        let _ = self.visitor.events.send(Event::Skipped { place: place.name().to_owned(), why });
    }
}

impl Totals {
    fn add(&self, stats: &Stats) {
        lock(&self.stats).add(stats);
    }
}

/// Takes clean bytes and drops them: a scan only reads.
struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, _: Clean<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// How many findings are told with one message.
const FOUND_BATCH: usize = 256;
