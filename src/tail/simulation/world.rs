//! A world around the loop of `tail` that a seed decides: who writes logs, rotates, packs and removes them, and kills the
//! process. Keeps count of what may be lost, torn or repeated by that. Does not look at what the process makes of it.

pub use self::tests::{Killed, World, outs};

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fs::{self, File, OpenOptions},
        io::Write as _,
        os::unix::fs::MetadataExt as _,
        panic::resume_unwind,
        path::{Path, PathBuf},
        time::Duration,
    };

    use super::super::{
        super::seam::simulated,
        lines::{self, line, masked, record},
    };

    /// How a world behaves.
    #[derive(Debug, Clone, Copy)]
    pub struct Habits {
        /// Copies and cuts its log in place of renaming it.
        pub cuts: bool,
        /// Names rotated files by a time that goes on, not by numbers that are handed on.
        pub dates: bool,
        /// Leaves the name without a file until the writer opens it.
        pub leaves_name: bool,
        /// Packs files, and removes them, from this number on.
        pub packs_from: usize,
        /// Removes files from this number on.
        pub keeps: usize,
        /// Follows rotated names, too.
        pub is_pattern: bool,
        /// Wraps lines as a container's runtime does: a line that is begun may end in the next file.
        pub wraps: bool,
        pub kills: bool,
    }

    impl Habits {
        fn draw(random: &mut Random, wraps: bool) -> Habits {
            let cuts = random.one_in(4);
            Habits {
                cuts,
                dates: random.one_in(2),
                leaves_name: random.one_in(3),
                packs_from: [1, 2, 3, 99][random.below(4)],
                keeps: 1 + random.below(5),
                is_pattern: !cuts && random.one_in(4),
                kills: random.one_in(2),
                wraps,
            }
        }
    }

    /// A file of the world: one name after the other, and some of the lines.
    pub struct Text {
        pub path: PathBuf,
        pub inode: u64,
        /// Lines that began in it.
        pub lines: std::ops::Range<usize>,
    }

    pub struct World {
        pub random: Random,
        pub habits: Habits,
        pub folder: PathBuf,
        /// Opened by the writer, which may not know yet that it has another name.
        pub log: File,
        pub in_log: usize,
        /// All that have been, the newest last; those that are there by their places.
        pub texts: Vec<Text>,
        pub here: Vec<usize>,
        /// Of texts that were cut.
        pub copies: Vec<Text>,
        pub lines: usize,
        /// What is left of a line that is begun.
        pub rest: Vec<u8>,
        pub rotations: usize,
        pub rotations_max: usize,
        /// Whether the process that follows lives.
        pub lives: bool,
        pub kills: usize,
        /// Lines that nobody could have read.
        pub excused: BTreeMap<usize, &'static str>,
        /// How many texts nobody may have read to their ends. A line may be open there in each stream of a container.
        pub unread_ends: usize,
        /// How many were removed right after they were opened: which of those that came at once they were, nobody knows.
        pub vague_ends: usize,
        /// Cuts of text of which something was read.
        pub cuts: usize,
        /// The sizes of the outputs at the last call.
        pub outs: BTreeMap<PathBuf, u64>,
        pub before: BTreeMap<PathBuf, u64>,
        /// The checkpoints that were saved last, and how much was written by then.
        pub saved: (u64, u64),
        /// How much kills may repeat.
        pub repeats_max: u64,
    }

    impl World {
        pub fn new(folder: &Path, seed: u64, rotations_max: usize) -> World {
            let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
            let habits = Habits::draw(&mut random, seed.is_multiple_of(4));
            let path = folder.join("in/app.log");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            simulated::set_wall(Duration::from_secs(1_800_000_000));
            let log = open(&path);
            let inode = log.metadata().unwrap().ino();
            World {
                random,
                habits,
                folder: folder.to_owned(),
                log,
                in_log: 0,
                texts: vec![Text { path, inode, lines: 0..0 }],
                here: vec![0],
                lines: 0,
                rest: Vec::new(),
                rotations: 0,
                rotations_max,
                lives: false,
                kills: 0,
                excused: BTreeMap::new(),
                unread_ends: 0,
                vague_ends: 0,
                cuts: 0,
                outs: BTreeMap::new(),
                before: BTreeMap::new(),
                saved: (0, 0),
                copies: Vec::new(),
                repeats_max: 0,
            }
        }

        pub fn is_over(&self) -> bool {
            self.rotations >= self.rotations_max
        }

        /// What happens between two calls of the system.
        pub fn act(&mut self) {
            self.note();
            let time = [0, 10, 100, 100, 1000, 1000, 1000, 20_000][self.random.below(8)];
            simulated::pass(Duration::from_micros(time));
            if self.is_over() {
                return;
            }
            for _ in 0..self.random.below(3) {
                self.happen();
            }
            if self.lives && self.habits.kills && self.saved.0 != 0 && self.random.one_in(200) {
                self.kill();
            }
        }

        pub fn happen(&mut self) {
            match self.random.below(40) {
                0..10 => self.write(1),
                10 => {
                    let many = self.random.below(60);
                    self.write(many);
                }
                11 => self.begin_line(),
                12..14 => self.open_again(),
                // One that is not done with the last rotation does not rotate again.
                14 if self.saved.0 != 0 && self.in_log + 1 == self.texts.len() && self.log_is_used() => self.rotate(),
                15 if self.random.one_in(20) => simulated::pass(Duration::from_secs(2)),
                _ => {}
            }
        }

        fn log_is_used(&mut self) -> bool {
            let lines = &self.texts[self.in_log].lines;
            lines.start < lines.end || self.random.one_in(10)
        }

        fn write(&mut self, count: usize) {
            // What goes on in another stream ends no line of a container.
            let is_beside = self.habits.wraps && !self.rest.is_empty() && self.random.one_in(2);
            if !is_beside {
                self.end_line();
            }
            let mut text = String::new();
            for _ in 0..count {
                let line = line(self.lines);
                let stream = if is_beside { "stderr" } else { "stdout" };
                text += &if self.habits.wraps { record(stream, &line, true) } else { line + "\n" };
                self.count_line();
            }
            self.log.write_all(text.as_bytes()).unwrap();
        }

        fn count_line(&mut self) {
            let lines = &mut self.texts[self.in_log].lines;
            if lines.start == lines.end {
                *lines = self.lines..self.lines;
            }
            self.lines += 1;
            lines.end = self.lines;
        }

        fn begin_line(&mut self) {
            self.end_line();
            let text = line(self.lines);
            self.count_line();
            let cut = 1 + self.random.below(text.len());
            let (begin, rest) = text.split_at(if self.habits.wraps { cut.max(12) } else { cut });
            let (begin, rest) = match self.habits.wraps {
                true => (record("stdout", begin, false), record("stdout", rest, true)),
                false => (begin.to_owned(), format!("{rest}\n")),
            };
            self.log.write_all(begin.as_bytes()).unwrap();
            self.rest = rest.into_bytes();
        }

        fn end_line(&mut self) {
            let rest = std::mem::take(&mut self.rest);
            self.log.write_all(&rest).unwrap();
        }

        /// The writer notices that its file was rotated.
        fn open_again(&mut self) {
            if self.habits.cuts || self.in_log + 1 == self.texts.len() && self.log_path_is(self.in_log) {
                return;
            }
            // A container's runtime goes on in the new file.
            if !self.habits.wraps || self.random.one_in(4) {
                self.end_line();
            }
            self.log = open(&self.path());
            if self.in_log + 1 == self.texts.len() {
                self.add_text();
            }
            self.in_log = self.texts.len() - 1;
        }

        fn log_path_is(&self, text: usize) -> bool {
            self.texts[text].path == self.path()
        }

        fn path(&self) -> PathBuf {
            self.folder.join("in/app.log")
        }

        fn add_text(&mut self) {
            let path = self.path();
            let inode = fs::metadata(&path).unwrap().ino();
            self.here.push(self.texts.len());
            self.texts.push(Text { path, inode, lines: self.lines..self.lines });
        }

        /// Waits until a new file is younger than all others, by a clock that goes in steps. Nobody rotates twice in one.
        fn let_clock_go_on(&self) {
            simulated::pass(simulated::TICK);
            if self.folder.starts_with("/dev/shm") {
                return;
            }
            // Where inodes are used again, the system's clock tells lives apart.
            let probe = self.folder.join("probe");
            let born = || {
                let _ = fs::remove_file(&probe);
                File::create(&probe).unwrap().metadata().unwrap().created().ok()
            };
            let now = born();
            while now.is_some() && born() == now {
                std::thread::sleep(Duration::from_micros(100));
            }
        }

        fn rotate(&mut self) {
            self.let_clock_go_on();
            if self.habits.cuts {
                return self.cut();
            }
            if !self.log_path_is(self.in_log) {
                return;
            }
            self.rotations += 1;
            // Of each file of the newest first: how many are newer.
            for (newer, text) in self.here.clone().into_iter().rev().enumerate() {
                let is_held = text == self.in_log;
                if newer > self.habits.keeps && !is_held {
                    self.remove(text);
                } else if newer >= self.habits.packs_from && !is_held {
                    let path = &self.texts[text].path;
                    let name = format!("{}.gz", path.file_name().unwrap().to_str().unwrap());
                    let packed = path.with_file_name(name);
                    fs::write(&packed, b"\x1f\x8b\x08").unwrap();
                    simulated::bear(&fs::metadata(packed).unwrap());
                    self.remove(text);
                }
            }
            let names: Vec<usize> = self.here.clone();
            for (newer, text) in names.into_iter().rev().enumerate().collect::<Vec<_>>().into_iter().rev() {
                if self.habits.dates && newer > 0 {
                    continue;
                }
                let name = match self.habits.dates {
                    true => format!("app.log-20261127-{:06}", self.rotations),
                    false => format!("app.log.{}", newer + 1),
                };
                let to = self.folder.join("in").join(name);
                fs::rename(&self.texts[text].path, &to).unwrap();
                self.texts[text].path = to;
            }
            if !self.habits.leaves_name {
                let _ = open(&self.path());
                self.add_text();
            }
        }

        /// Removes a file. Who has it open, or has written all of it, has lost nothing.
        fn remove(&mut self, text: usize) {
            let Text { inode, lines, .. } = &self.texts[text];
            let is_open = self.lives && is_open_here(*inode);
            let lines = lines.clone();
            if is_open {
                let got = self.got();
                self.vague_ends += usize::from(!lines.into_iter().any(|line| got.contains_key(&line)));
            } else {
                self.excuse(lines, "removed before it was opened");
                self.unread_ends += 1;
            }
            fs::remove_file(&self.texts[text].path).unwrap();
            self.here.retain(|other| *other != text);
        }

        fn excuse(&mut self, lines: std::ops::Range<usize>, why: &'static str) {
            let got = self.got();
            // The last record of a line before may be in the same file.
            let first = lines.start.saturating_sub(64 * usize::from(self.habits.wraps));
            let lines = first..lines.end;
            self.excused.extend(lines.filter(|line| !got.contains_key(line)).map(|line| (line, why)));
        }

        fn cut(&mut self) {
            self.rotations += 1;
            // A line that is cut in two is one that nobody can put together.
            self.end_line();
            let path = self.path();
            let copy = self.folder.join("in").join(format!("app.log-20261127-{:06}", self.rotations));
            fs::copy(&path, &copy).unwrap();
            let about = fs::metadata(&copy).unwrap();
            simulated::bear(&about);
            let inode = about.ino();
            let lines = self.texts[self.in_log].lines.clone();
            self.copies.push(Text { path: copy, inode, lines: lines.clone() });
            if self.random.one_in(2) {
                self.write(1);
            }
            let got = self.got();
            let is_read = lines.clone().any(|line| got.contains_key(&line));
            self.cuts += usize::from(is_read);
            self.unread_ends += 1;
            // A process that was killed may not know the text of which there is a copy.
            if is_read && !self.habits.kills {
                self.excuse(lines.end..self.lines, "written between the copy and the cut");
            } else {
                self.excuse(lines.start..self.lines, "cut before it was read");
            }
            if let Some(old) = self.copies.len().checked_sub(1 + self.habits.keeps) {
                let Text { path, inode, lines } = &self.copies[old];
                let is_open = self.lives && is_open_here(*inode);
                fs::remove_file(path).unwrap();
                if !is_open {
                    let lines = lines.clone();
                    self.excuse(lines, "a copy that was removed before it was opened");
                }
            }
            self.log.set_len(0).unwrap();
            self.texts[self.in_log].lines = self.lines..self.lines;
        }

        /// Takes note of what was written and saved since the last call.
        fn note(&mut self) {
            let saved = fs::metadata(self.folder.join("state/checkpoints")).map_or(0, |about| about.ino());
            if saved != self.saved.0 {
                self.saved = (saved, self.outs.values().sum());
            }
            self.before = std::mem::replace(&mut self.outs, sizes(&self.folder));
        }

        /// The writer ends its line, and looks at its file's name once more.
        pub fn calm(&mut self) {
            self.open_again();
            self.end_line();
        }

        fn kill(&mut self) {
            // The system may have taken a part of the last write.
            if self.random.one_in(2) {
                for (path, now) in sizes(&self.folder) {
                    let before = self.before.get(&path).copied().unwrap_or(0);
                    let kept = before + self.random.below((now - before) as usize + 1) as u64;
                    OpenOptions::new().write(true).open(path).unwrap().set_len(kept).unwrap();
                }
            }
            self.outs = sizes(&self.folder);
            self.before.clone_from(&self.outs);
            // And the line in which a checkpoint stands.
            self.repeats_max += masked(4).len() as u64 + self.outs.values().sum::<u64>() - self.saved.1;
            self.kills += 1;
            self.lives = false;
            let gone: Vec<_> = (0..self.texts.len()).filter(|text| !self.here.contains(text)).collect();
            self.unread_ends += gone.len();
            for text in gone {
                let lines = self.texts[text].lines.clone();
                self.excuse(lines, "removed, and read by one that was killed");
            }
            resume_unwind(Box::new(Killed));
        }

        /// The lines of the output, and how often each is there.
        pub fn got(&self) -> BTreeMap<usize, usize> {
            let mut got = BTreeMap::new();
            for text in outs(&self.folder) {
                for seen in lines::read(&text).0.into_iter().filter(|seen| seen.is_whole) {
                    *got.entry(seen.number).or_default() += 1;
                }
            }
            got
        }
    }

    /// How a process ends that is killed.
    pub struct Killed;

    /// A generator that a seed decides.
    pub struct Random(u64);

    impl Random {
        pub fn below(&mut self, most: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as usize % most
        }

        fn one_in(&mut self, count: usize) -> bool {
            self.below(count) == 0
        }
    }

    pub fn open(path: &Path) -> File {
        let is_new = !path.exists();
        let file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        if is_new {
            simulated::bear(&file.metadata().unwrap());
        }
        file
    }

    /// The files of the output.
    pub fn out_files(folder: &Path) -> Vec<PathBuf> {
        let (mut found, mut open) = (Vec::new(), vec![folder.join("out")]);
        while let Some(path) = open.pop() {
            match fs::read_dir(&path) {
                Ok(entries) => open.extend(entries.map(|entry| entry.unwrap().path())),
                Err(_) if path.is_file() => found.push(path),
                Err(_) => {}
            }
        }
        found
    }

    pub fn sizes(folder: &Path) -> BTreeMap<PathBuf, u64> {
        out_files(folder).into_iter().map(|path| (path.clone(), fs::metadata(path).unwrap().len())).collect()
    }

    pub fn outs(folder: &Path) -> Vec<String> {
        out_files(folder).iter().map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    /// Whether somebody in this process has a file open.
    pub fn is_open_here(inode: u64) -> bool {
        let Ok(entries) = fs::read_dir("/proc/self/fd") else { return false };
        entries.flatten().any(|entry| fs::metadata(entry.path()).is_ok_and(|about| about.ino() == inode))
    }
}
