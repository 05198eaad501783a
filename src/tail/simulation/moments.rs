//! Single moments of the simulated world, written down: what once went wrong between two calls of the system. Does not
//! draw any by chance.

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File, OpenOptions},
        io::Write as _,
        path::PathBuf,
        sync::Arc,
        time::Duration,
    };

    use super::super::super::{
        Figures, Format, From, Hooks, Notice, Origin, Settings, Target, begin::Begin, checkpoint::Checkpoint,
        identity::Identity, seam::simulated, signals::Signals, work::Loop,
    };
    use crate::{Engine, Options, RuleSet, finding::Finding, names::Names, pipeline::OnError};

    #[derive(Default)]
    struct Told(Vec<String>);

    impl Hooks for Told {
        fn finding(&mut self, _: &Finding, _: &Origin) {}
        fn notice(&mut self, notice: &Notice) {
            self.0.push(notice.to_string());
        }
        fn reload(&mut self, _: bool) -> Option<Arc<Engine>> {
            None
        }
        fn filtering(&mut self) {}
        fn filtered(&mut self, _: Duration) {}
        fn figures(&mut self, _: &Figures) {}
    }

    /// A folder with a log, of which time is in our hands.
    struct Place {
        folder: tempfile::TempDir,
        log: PathBuf,
        settings: Settings,
        engine: Arc<Engine>,
    }

    impl Place {
        fn new() -> Place {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().canonicalize().unwrap();
            fs::create_dir(path.join("in")).unwrap();
            simulated::set_wall(Duration::from_secs(1_800_000_000));
            simulated::begin(|| simulated::pass(Duration::from_millis(1)));
            let settings = Settings {
                paths: vec![path.join("in/*").into()],
                roots: Vec::new(),
                from: From::Checkpoint,
                format: Format::Auto,
                target: Target::Tree { root: path.join("out"), file_bytes_max: 1 << 30, total_bytes_max: 1 << 30 },
                open_line: false,
                state: Some(path.join("state")),
                drain: Duration::from_secs(5),
                flush_after: Duration::from_millis(50),
                on_error: OnError::Withhold,
            };
            let engine = Arc::new(Engine::new(RuleSet::builtin().unwrap(), Options::default()).unwrap());
            let place = Place { log: path.join("in/app.log"), settings, engine, folder };
            place.append("");
            place
        }

        /// The same for the log alone, whatever lies beside it.
        fn of_log() -> Place {
            let mut place = Place::new();
            place.settings.paths = vec![place.log.clone().into()];
            place
        }

        fn begin<'a>(&'a self, told: &'a mut Told) -> Loop<'a> {
            let mut work = Loop::new(&self.settings, Arc::clone(&self.engine), told, Signals::none().unwrap()).unwrap();
            work.begin();
            steps(&mut work);
            work
        }

        fn append(&self, text: &str) {
            append(&self.log, text);
        }

        fn cut(&self, bytes: u64) {
            OpenOptions::new().write(true).open(&self.log).unwrap().set_len(bytes).unwrap();
        }

        /// Gives the log this name; there is a new one.
        fn rotate(&self, name: &str) -> PathBuf {
            let to = self.log.with_file_name(name);
            fs::rename(&self.log, &to).unwrap();
            simulated::pass(simulated::TICK);
            self.append("");
            to
        }

        fn out(&self) -> String {
            let path = self.folder.path().canonicalize().unwrap();
            let copy = path.join("out").join(self.log.strip_prefix("/").unwrap());
            fs::read_to_string(copy).unwrap_or_default()
        }
    }

    fn append(path: &PathBuf, text: &str) {
        let is_new = !path.exists();
        let mut file: File = OpenOptions::new().create(true).append(true).open(path).unwrap();
        if is_new {
            simulated::bear(&file.metadata().unwrap());
        }
        file.write_all(text.as_bytes()).unwrap();
    }

    /// All that is due in the next minute or so.
    fn steps(work: &mut Loop<'_>) {
        for _ in 0..40 {
            simulated::pass(Duration::from_millis(100));
            work.step().unwrap();
        }
    }

    #[test]
    fn a_line_that_begins_when_a_rotated_file_is_closed_is_not_torn() {
        let (place, mut told) = (Place::of_log(), Told::default());
        place.append("one\n");
        let mut work = place.begin(&mut told);
        let old = place.rotate("app.log.1");
        steps(&mut work);
        // Nobody looks between this and the end of the time for which it must be quiet.
        append(&old, "two has");
        simulated::pass(Duration::from_secs(6));
        work.turns().unwrap();
        append(&old, " an end\n");
        place.rotate("app.log.2");
        steps(&mut work);
        assert_eq!(place.out(), "one\ntwo has an end\n");
    }

    #[test]
    fn what_came_after_a_cut_that_the_end_finds_out_is_read_as_well() {
        for state in [true, false] {
            let (mut place, mut told) = (Place::of_log(), Told::default());
            place.settings.state = place.settings.state.filter(|_| state);
            place.append("one\n");
            let mut work = place.begin(&mut told);
            place.append("two\n");
            fs::copy(&place.log, place.log.with_file_name("app.log.1")).unwrap();
            simulated::bear(&fs::metadata(place.log.with_file_name("app.log.1")).unwrap());
            place.cut(0);
            place.append("three\n");
            work.drain().unwrap();
            drop(work);
            assert_eq!(place.out(), "one\ntwo\nthree\n", "{:?}", told.0);
        }
    }

    #[test]
    fn new_text_that_is_larger_than_the_old_one_is_read_to_its_end_at_the_end() {
        let (place, mut told) = (Place::of_log(), Told::default());
        place.append("one\n");
        let mut work = place.begin(&mut told);
        place.cut(0);
        place.append("two\nthree\nfour\n");
        work.drain().unwrap();
        assert_eq!(place.out(), "one\ntwo\nthree\nfour\n");
    }

    #[test]
    fn of_two_known_files_that_had_one_inode_the_later_one_is_there_and_the_other_has_gone() {
        let place = Place::new();
        let about = fs::metadata(&place.log).unwrap();
        let lives: Vec<Checkpoint> = (0..2)
            .map(|_| {
                simulated::pass(Duration::from_secs(1));
                simulated::bear(&about);
                Checkpoint::at_start(&place.log, Identity::new(&about, &[]), Duration::ZERO)
            })
            .collect();
        for order in [[0, 1], [1, 0]] {
            let known = order.map(|life| lives[life].clone()).to_vec();
            let names = Names::new(Arc::clone(&place.engine));
            let begin = Begin::new(From::Checkpoint, known, None, Vec::new(), names);
            assert_eq!(begin.known.values().collect::<Vec<_>>(), [&lives[1]]);
            assert_eq!(begin.gone[&place.log].known, lives[0]);
        }
    }

    #[test]
    fn what_may_be_left_of_a_line_in_a_file_that_came_and_went_between_two_looks_is_masked_whole() {
        let at = "2026-11-20T23:10:23.123Z stdout";
        for is_gone in [true, false] {
            let (place, mut told) = (Place::of_log(), Told::default());
            place.append(&format!("{at} F one\n"));
            let mut work = place.begin(&mut told);
            place.rotate("app.log.1");
            place.append(&format!("{at} P two is {}\n", if is_gone { "in two" } else { "here" }));
            let unseen = place.rotate("app.log.2");
            place.append(&format!("{at} F and more\n{at} F three\n"));
            let newest = place.rotate("app.log.3");
            place.append(&format!("{at} F four\n"));
            if is_gone {
                fs::remove_file(unseen).unwrap();
            }
            steps(&mut work);
            let out = place.out();
            assert_eq!((out.contains("and more"), out.contains("F three\n")), (!is_gone, true), "{out}");
            // And with the next ones all is well again.
            place.rotate("app.log.4");
            place.append(&format!("{at} F five\n"));
            fs::remove_file(newest).unwrap();
            steps(&mut work);
            assert!(place.out().ends_with(&format!("{at} F four\n{at} F five\n")), "{}", place.out());
            drop(work);
            let said = told.0.iter().filter(|told| told.contains("1 files came and went")).count();
            assert_eq!(said, usize::from(is_gone), "{:?}", told.0);
        }
    }

    #[test]
    fn of_several_files_that_come_at_once_those_are_masked_that_come_behind_one_that_has_gone() {
        let at = "2026-11-20T23:10:23.123Z stdout";
        let (place, mut told) = (Place::of_log(), Told::default());
        place.append(&format!("{at} F one\n"));
        let mut work = place.begin(&mut told);
        place.rotate("app.log.1");
        place.append(&format!("{at} P two\n"));
        let first = place.rotate("app.log.2");
        place.append(&format!("{at} F gone\n{at} F three\n{at} P four \n"));
        place.rotate("app.log.3");
        place.append(&format!("{at} F is whole\n{at} P five\n"));
        let second = place.rotate("app.log.4");
        place.append(&format!("{at} P six \n"));
        place.rotate("app.log.5");
        place.append(&format!("{at} F and more\n{at} F seven\n"));
        fs::remove_file(first).unwrap();
        fs::remove_file(second).unwrap();
        steps(&mut work);
        // Where the rest of a line was, there may be one that begins.
        let out = place.out().lines().map(|line| line.replace(at, "")).collect::<Vec<_>>();
        let whole = out.iter().filter(|line| line.contains("REDACTED")).count();
        assert_eq!(whole, 3, "{out:?}");
        for text in ["F one", "F three", "P four ", "F seven"] {
            assert!(out.iter().any(|line| line.ends_with(text)), "{text}: {out:?}");
        }
        for text in ["gone", "is whole", "five", "six", "and more"] {
            assert!(!out.iter().any(|line| line.contains(text)), "{text}: {out:?}");
        }
        drop(work);
        assert!(told.0.iter().any(|told| told.contains("2 files came and went")), "{:?}", told.0);
    }

    #[test]
    fn files_that_get_names_which_are_followed_as_well_have_not_come_and_gone() {
        let (place, mut told) = (Place::new(), Told::default());
        place.append("0\n");
        let mut work = place.begin(&mut told);
        for turn in 1..6 {
            for number in (1..turn).rev() {
                let name = |number: u32| place.log.with_file_name(format!("app.log.{number}"));
                fs::rename(name(number), name(number + 1)).unwrap();
            }
            place.rotate("app.log.1");
            place.append(&format!("{turn}\n"));
            steps(&mut work);
        }
        drop(work);
        assert_eq!((place.out().as_str(), told.0), ("0\n1\n2\n3\n4\n5\n", Vec::new()));
    }

    #[test]
    fn where_the_system_has_not_told_all_what_may_be_the_rest_of_a_line_is_masked_whole() {
        let at = "2026-11-20T23:10:23.123Z stdout";
        let (place, mut told) = (Place::of_log(), Told::default());
        place.append(&format!("{at} F one\n"));
        let mut work = place.begin(&mut told);
        let most =
            fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap().trim().parse::<usize>().unwrap();
        let junk = place.log.with_file_name("junk");
        for _ in 0..=most / 2 {
            File::create(&junk).unwrap();
            fs::remove_file(&junk).unwrap();
        }
        let unseen = place.rotate("app.log.1");
        place.rotate("app.log.2");
        place.append(&format!("{at} F and more\n{at} F two\n"));
        fs::remove_file(unseen).unwrap();
        steps(&mut work);
        let out = place.out();
        assert!(!out.contains("and more") && out.ends_with(&format!("{at} F two\n")), "{out}");
    }

    #[test]
    fn a_line_that_a_cut_leaves_open_is_not_the_beginning_of_the_new_text() {
        let (place, mut told) = (Place::of_log(), Told::default());
        place.append("one\ntwo has no");
        let mut work = place.begin(&mut told);
        place.cut(0);
        place.append("three\n");
        steps(&mut work);
        assert_eq!(place.out(), "one\ntwo has no\nthree\n");
    }

    #[test]
    fn bytes_that_were_seen_before_a_cut_are_counted() {
        let (place, mut told) = (Place::of_log(), Told::default());
        place.append(&"a".repeat(99));
        place.append("\n");
        let mut work = place.begin(&mut told);
        place.append(&"b".repeat(900));
        work.look();
        place.cut(0);
        work.look();
        // As large as what was seen, and cut again; and larger.
        place.append(&"c".repeat(1000));
        work.look();
        place.cut(0);
        place.append(&"d\n".repeat(600));
        steps(&mut work);
        assert_eq!((work.figures.truncated, work.figures.lost_bytes), (1, 900), "{}", place.out());
        place.append("e");
        work.look();
        place.cut(0);
        work.look();
        place.append("f\n");
        work.look();
        place.cut(0);
        work.look();
        place.append("g\n");
        steps(&mut work);
        assert_eq!((work.figures.truncated, work.figures.lost_bytes), (3, 900 + 1 + 2));
        drop(work);
        assert_eq!(place.out(), format!("{}\n{}g\n", "a".repeat(99), "d\n".repeat(600)));
        assert!(told.0.iter().any(|told| told.ends_with("was cut; at least 3 bytes were never read")), "{:?}", told.0);
    }

    #[test]
    fn new_text_is_not_counted_as_lost() {
        let (place, mut told) = (Place::of_log(), Told::default());
        place.append("one\n");
        let mut work = place.begin(&mut told);
        place.cut(0);
        place.append(&"two\n".repeat(100));
        steps(&mut work);
        assert_eq!((work.figures.truncated, work.figures.lost_bytes), (1, 0));
        assert_eq!(place.out(), format!("one\n{}", "two\n".repeat(100)));
    }

    #[test]
    fn a_cut_behind_what_was_read_is_told_and_what_was_read_is_not_read_again() {
        let (place, mut told) = (Place::of_log(), Told::default());
        place.append("one\n");
        let mut work = place.begin(&mut told);
        place.append("two\nthree\n");
        work.look();
        place.cut(8);
        work.look();
        steps(&mut work);
        assert_eq!((work.figures.truncated, work.figures.lost_bytes), (1, 6));
        drop(work);
        assert_eq!(place.out(), "one\ntwo\n");
        assert!(told.0[0].ends_with("was cut behind what was read; at least 6 bytes were never read"), "{:?}", told.0);
    }

    #[test]
    fn a_log_that_says_the_same_again_and_again_is_read_anew_when_it_was_seen_to_be_cut() {
        let (place, mut told) = (Place::of_log(), Told::default());
        place.append(&"tick\n".repeat(200));
        let mut work = place.begin(&mut told);
        place.cut(0);
        work.look();
        place.append(&"tick\n".repeat(300));
        steps(&mut work);
        assert_eq!((work.figures.truncated, work.figures.lost_bytes), (1, 0));
        assert_eq!(place.out(), "tick\n".repeat(500));
    }

    #[test]
    fn what_is_missing_in_a_copy_is_counted_if_it_was_seen() {
        let (place, mut told) = (Place::of_log(), Told::default());
        place.append("one\n");
        let mut work = place.begin(&mut told);
        place.append("two\n");
        let copy = place.log.with_file_name("app.log.1");
        fs::copy(&place.log, &copy).unwrap();
        simulated::bear(&fs::metadata(&copy).unwrap());
        place.append("three");
        work.look();
        // Read, and not written: the rest of the line may come.
        work.turns().unwrap();
        place.cut(0);
        steps(&mut work);
        assert_eq!((work.figures.truncated, work.figures.lost_bytes), (1, 5));
        drop(work);
        assert_eq!(place.out(), "one\ntwo\n");
        let said = "and at least 5 bytes of what was written between the copy and the cut is lost";
        assert!(told.0.iter().any(|told| told.ends_with(said)), "{:?}", told.0);
    }

    #[test]
    fn what_was_said_once_is_forgotten_with_the_file_and_what_a_file_said_after_a_day() {
        let (place, mut told) = (Place::new(), Told::default());
        let packed = place.log.with_file_name("app.log.1.gz");
        append(&packed, "\x1f\u{8b}");
        fs::write(&packed, b"\x1f\x8b\x08").unwrap();
        place.append("password:\n");
        let mut work = place.begin(&mut told);
        let old = place.rotate("old");
        fs::remove_file(old).unwrap();
        steps(&mut work);
        simulated::pass(Duration::from_secs(60));
        steps(&mut work);
        // The new log is empty, and says what the old one said.
        fs::remove_file(&place.log).unwrap();
        steps(&mut work);
        simulated::pass(Duration::from_secs(60));
        steps(&mut work);
        assert_eq!((work.begin.said(), work.said.len()), (1, 1));
        simulated::pass(Duration::from_secs(25 * 3600));
        steps(&mut work);
        assert_eq!((work.begin.said(), work.said.len()), (1, 0));
        fs::remove_file(&packed).unwrap();
        steps(&mut work);
        assert_eq!(work.begin.said(), 0);
        drop(work);
        let refused = told.0.iter().filter(|told| told.contains("is compressed")).count();
        assert_eq!(refused, 1, "{:?}", told.0);
    }
}
