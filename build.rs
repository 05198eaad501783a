//! Turns `patterns/*.toml` into a table of rules with the conditions of their patterns, and these into the tables
//! of the scanner. Does not check the rows: `rules::format` does, and tests hold the tables against the files.
//!
//! Adding a rule is adding data: the list of families is made from the folder. The table spares the
//! program reading TOML and regular expressions each time it starts. It holds no addresses, which the
//! loader would have to relocate, page by page, before the program begins: all texts are one, and a
//! row has their places in it.

#![allow(clippy::duplicate_mod)]

#[path = "src/limits.rs"]
#[allow(dead_code)]
mod limits;
#[path = "src/rules"]
#[allow(dead_code)]
mod rules {
    pub mod condition;
    mod strength;

    pub use self::strength::Strength;
    pub use crate::text::Text;
}
#[path = "src/scan"]
#[allow(dead_code, unused_imports)]
mod scan {
    pub mod array;
    pub mod tables;

    #[path = "assigned"]
    pub mod assigned {
        pub mod key;
        pub mod name;
        pub mod trigger;
        pub mod words;
    }

    #[path = "prefilter"]
    pub mod prefilter {
        pub mod keys;
        pub mod literals;
        pub mod masks;
        pub mod tables;
        pub mod windows;
        pub mod words;
    }
}

use std::{env, fmt::Write as _, fs, path::Path};

use rules::{Strength, condition};
use scan::{
    assigned::name::NamedRule,
    tables::{Others, Tables},
};
use toml::{Spanned, Value};

/// The texts of all tables, in one.
mod text {
    use std::{cell::RefCell, collections::HashMap, fmt, ops::Deref};

    #[derive(Default)]
    struct Texts {
        all: String,
        places: HashMap<String, (usize, usize)>,
    }

    thread_local! {
        static TEXTS: RefCell<Texts> = RefCell::default();
    }

    /// From where to where a text stands in all of them, each in it once.
    pub fn place(text: &str) -> (usize, usize) {
        TEXTS.with_borrow_mut(|texts| {
            if let Some(place) = texts.places.get(text) {
                return *place;
            }
            let place = (texts.all.len(), texts.all.len() + text.len());
            texts.all.push_str(text);
            texts.places.insert(text.to_owned(), place);
            place
        })
    }

    /// All texts.
    pub fn all() -> String {
        TEXTS.with_borrow(|texts| texts.all.clone())
    }

    /// What stands for a text in the program. Its `Debug` is its source there.
    #[derive(Clone, PartialEq, Eq)]
    pub struct Text(String);

    impl Deref for Text {
        type Target = str;

        fn deref(&self) -> &str {
            &self.0
        }
    }

    impl From<String> for Text {
        fn from(text: String) -> Text {
            Text(text)
        }
    }

    impl From<&str> for Text {
        fn from(text: &str) -> Text {
            Text(text.to_owned())
        }
    }

    impl PartialEq<str> for Text {
        fn eq(&self, other: &str) -> bool {
            self.0 == other
        }
    }

    impl fmt::Debug for Text {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let (start, end) = place(&self.0);
            write!(f, "Text::embedded({start}, {end})")
        }
    }
}

#[derive(serde::Deserialize)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<toml::Table>>,
}

fn main() {
    println!("cargo::rerun-if-changed=patterns");
    for path in [
        "src/limits.rs",
        "src/rules",
        "src/scan/array.rs",
        "src/scan/tables.rs",
        "src/scan/assigned",
        "src/scan/prefilter",
    ] {
        println!("cargo::rerun-if-changed={path}");
    }
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let folder = Path::new(&root).join("patterns");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("patterns/ is part of the package")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    // The order of rules decides ties, so it must not depend on the file system.
    names.sort();
    let mut table = Table::default();
    for name in &names {
        let text = fs::read_to_string(folder.join(name)).expect("a rule file is text");
        let file: File = toml::from_str(&text).unwrap_or_else(|fault| panic!("patterns/{name}: {fault}"));
        for row in file.rule {
            let line = 1 + text[..row.span().start].matches('\n').count();
            table.add(name.trim_end_matches(".toml"), line, row.get_ref());
        }
    }
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |name: &str, text: &str| fs::write(Path::new(&out).join(name), text).expect("OUT_DIR is writable");
    let Tables { names, prefilter } = table.scanner();
    write("names.rs", &format!("{names:?}"));
    write("words.rs", &format!("{prefilter:?}"));
    let Table { rows, lists, steps, .. } = table;
    write("rules.rs", &format!("[\n{rows}]\n"));
    write("texts.txt", &text::all());
    write("lists.rs", &format!("{lists:?}").replace('(', "Text::embedded("));
    write("steps.rs", &format!("{steps:?}"));
}

/// The table in the making.
#[derive(Default)]
struct Table {
    rows: String,
    /// How many rules on by default there are.
    count: u16,
    /// What the matches of those hold that find tokens.
    needles: Vec<Option<condition::Needle>>,
    /// The names of those that have some: the rule's number, whether it has a pattern, and how telling they are.
    named: Vec<(u16, bool, Strength, Vec<String>)>,
    detectors: Vec<String>,
    /// The places of the texts of all lists.
    lists: Vec<(usize, usize)>,
    /// What the bytes of matches are: sets and counts.
    steps: Vec<condition::Step>,
}

impl Table {
    /// The tables of the rules that are on by default.
    fn scanner(&self) -> Tables {
        let named = self.named.iter().flat_map(|(rule, shaped, strength, names)| {
            let shape = shaped.then_some(usize::from(*rule));
            names.iter().map(move |name| NamedRule { rule: *rule, name, strength: *strength, shape })
        });
        let there = |detector: &str| self.detectors.iter().any(|one| one == detector);
        let detectors = Others { key_block: there("KeyBlock"), manifest: there("Manifest") };
        Tables::of(self.needles.iter().map(Option::as_ref), &named.collect::<Vec<_>>(), detectors)
    }

    fn text(&mut self, text: &str) -> String {
        let (start, end) = text::place(text);
        format!("Text::embedded({start}, {end})")
    }

    fn list<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> String {
        let start = self.lists.len();
        for text in texts {
            self.lists.push(text::place(text));
        }
        format!("List::embedded({start}, {})", self.lists.len())
    }

    fn add(&mut self, family: &str, line: usize, row: &toml::Table) {
        let at = format!("patterns/{family}.toml:{line}");
        let text = |key: &str| row.get(key).and_then(Value::as_str);
        let list = |key: &str| row.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        // What a row does not say is as `rules::format` has it.
        let word = |key: &str, default: &str| camel(text(key).unwrap_or(default));
        let detector = if list("names").next().is_none() { "token" } else { "assigned" };
        let entropy =
            row.get("entropy").map_or(0.0, |value| value.as_float().unwrap_or(value.as_integer().unwrap_or(0) as f64));
        let bytes_max = row.get("secret_bytes_max").and_then(Value::as_integer);
        let pattern = text("pattern").unwrap_or_default();
        let condition = match pattern {
            "" => condition::Condition::default(),
            _ => condition::parse(pattern).unwrap_or_else(|reason| panic!("{at}: {reason}")).2,
        };
        let off = row.get("off_by_default").and_then(Value::as_bool).unwrap_or(false);
        let detector = word("detector", detector);
        if !off {
            match detector.as_str() {
                "Token" => self.needles.push(condition.needle.clone()),
                "Assigned" => {
                    let strength = if text("strength") == Some("weak") { Strength::Weak } else { Strength::Strong };
                    let names = list("names").map(str::to_owned).collect();
                    self.named.push((self.count, !pattern.is_empty(), strength, names));
                }
                _ => {}
            }
            self.detectors.push(detector.clone());
            self.count += 1;
        }
        let needle = condition.needle.unwrap_or_default();
        let literals = needle.literals.iter().map(|word| std::str::from_utf8(word).expect("a literal is text"));
        let begins = needle.begins.iter().map(|word| std::str::from_utf8(word).expect("a name is text"));
        let steps = (self.steps.len(), self.steps.len() + needle.steps.len());
        self.steps.extend_from_slice(&needle.steps);
        let row = [
            ("family", self.text(family)),
            ("line", line.to_string()),
            ("id", self.text(text("id").unwrap_or_default())),
            ("name", self.text(text("name").unwrap_or_default())),
            ("severity", format!("Severity::{}", word("severity", "low"))),
            ("pattern", self.text(pattern)),
            ("detector", format!("Detector::{detector}")),
            ("names", self.list(list("names"))),
            ("strength", format!("Strength::{}", word("strength", "strong"))),
            ("check", text("check").map_or("None".to_owned(), |name| format!("Some(Check::{})", camel(name)))),
            ("confidence", format!("Confidence::{}", word("confidence", "high"))),
            ("context", self.list(list("context"))),
            ("entropy", format!("{entropy:?}")),
            ("action", format!("Action::{}", word("action", "redact"))),
            ("secret_bytes_max", bytes_max.unwrap_or(limits::RULE_SECRET_BYTES_DEFAULT as i64).to_string()),
            ("tags", self.list(list("tags"))),
            ("reference", self.text(text("reference").unwrap_or_default())),
            ("rotate", text("rotate").map_or("None".to_owned(), |page| format!("Some({})", self.text(page)))),
            ("since", self.text(text("since").unwrap_or_default())),
            ("aliases", self.list(list("aliases"))),
            ("testing", (text("status") == Some("testing")).to_string()),
            ("off_by_default", off.to_string()),
            ("examples", self.list(list("examples"))),
            ("counterexamples", self.list(list("counterexamples"))),
            ("length_max", condition.length_max.to_string()),
            ("secret_is_whole", condition.secret_is_whole.to_string()),
            ("literals", self.list(literals)),
            ("before", format!("{:?}", needle.before)),
            ("begins", self.list(begins)),
            ("steps", format!("{steps:?}")),
            (
                "reaches",
                format!(
                    "{:?}",
                    needle.reaches.map(|reach| reach.map(|reach| (reach.from, reach.set.0, reach.byte, reach.most)))
                ),
            ),
            ("run", format!("{:?}", condition.run.map(|run| (run.least, run.after)))),
        ];
        let fields: Vec<String> = row.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        writeln!(self.rows, "Embedded {{ {} }},", fields.join(", ")).expect("writing to a string");
    }
}

/// The name of a variant: `KeyBlock` for `key-block`.
fn camel(word: &str) -> String {
    word.split('-').map(|part| part[..1].to_ascii_uppercase() + &part[1..]).collect()
}
