//! Holds the house rules that a machine can check. The others are in `CONTRIBUTING.md`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use blackbar::rules::{Detector, RuleSet};

/// A source file and where it is, relative to the package.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The text without its `mod tests`, which stands last.
    fn without_tests(&self) -> &str {
        self.text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default()
    }

    /// (1-based number, line) of all lines that are no comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.without_tests().lines()).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// The files below the given folders with the given ending.
fn files(folders: &[&str], ending: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let skipped = path.ends_with("target")
                || path.ends_with("regressions")
                || path.ends_with("corpus")
                || path.ends_with("artifacts");
            if !skipped {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        } else if path.to_string_lossy().ends_with(ending)
            && let Ok(text) = fs::read_to_string(&path)
        {
            let path = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            found.push(Source { path, text });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// All Rust files but this one, which names what it forbids.
fn rust() -> Vec<Source> {
    let mut all = files(&["src", "tests", "benches", "fuzz", "build.rs"], ".rs");
    all.retain(|source| source.path != "tests/tidy.rs");
    assert!(all.len() > 10, "the files are found");
    all
}

fn src() -> Vec<Source> {
    files(&["src"], ".rs")
}

fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_module_opens_with_a_sentence() {
    let opens = |source: &Source| {
        let Some(head) = source.text.strip_prefix("//! ") else { return false };
        let paragraph = head.split("\n//!\n").next().unwrap_or_default();
        (head.starts_with(|c: char| c.is_ascii_uppercase() || c == '`') || head.starts_with("blackbar "))
            && paragraph.lines().take_while(|line| !line.is_empty()).any(|line| line.trim_end().ends_with(['.', ':']))
    };
    none(rust().iter().filter(|source| !opens(source)).map(|source| source.path.clone()).collect());
}

#[test]
fn files_fit_in_a_head() {
    let long = |source: &&Source| source.without_tests().lines().count() > LINES_MAX;
    none(rust().iter().filter(long).map(|source| format!("{}: more than {LINES_MAX} lines", source.path)).collect());
}

#[test]
fn nothing_is_left_for_later() {
    let mut faults = Vec::new();
    for source in rust() {
        for (number, line) in (1..).zip(source.text.lines()) {
            for word in ["todo!", "unimplemented!", "dbg!("] {
                if line.contains(word) {
                    faults.push(format!("{}:{number}: {word}", source.path));
                }
            }
            let comment = line.split_once("//").map_or("", |(_, comment)| comment);
            let note = |word: &str| ["FIXME", "XXX", "TODO", "HACK"].contains(&word);
            if comment.split(|c: char| !c.is_ascii_alphanumeric()).any(note) {
                faults.push(format!("{}:{number}: {}", source.path, comment.trim()));
            }
        }
    }
    none(faults);
}

#[test]
fn there_is_one_way_to_do_a_thing() {
    let mut faults = Vec::new();
    for source in src() {
        for (number, line) in source.code() {
            let named = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| {
                ["_v2", "_v3", "_old", "_new2", "V2"]
                    .iter()
                    .any(|ending| word.ends_with(ending) && word.len() > ending.len())
            });
            if named && ["fn ", "struct ", "enum ", "mod ", "trait "].iter().any(|keyword| line.contains(keyword)) {
                faults.push(format!("{}:{number}: a name that says it is a twin", source.path));
            }
        }
    }
    none(faults);
}

#[test]
fn the_readme_has_the_table_of_rules() {
    let rules = RuleSet::builtin().unwrap();
    let mut families: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for rule in rules.rules() {
        families.entry(&rule.family).or_default().push(&rule.id);
    }
    let mut table = "| family | rules | of |\n|---|---|---|\n".to_owned();
    for (family, ids) in families {
        let mut vendors: Vec<&str> = ids.iter().map(|id| id.split('-').next().unwrap_or_default()).collect();
        vendors.sort_unstable();
        vendors.dedup();
        table += &format!("| {family} | {} | {} |\n", ids.len(), vendors.join(", "));
    }
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(readme.contains(&table), "README.md should have this table:\n{table}");
}

#[test]
fn no_code_is_commented_out() {
    let mut faults = Vec::new();
    for source in src() {
        for (number, line) in (1..).zip(source.text.lines()) {
            let Some(comment) = line.trim_start().strip_prefix("// ") else { continue };
            let code = comment.ends_with(';') || comment.ends_with('{') || comment == "}";
            let keyword = ["let ", "pub ", "fn ", "use ", "impl ", "#["]
                .iter()
                .any(|start| comment.starts_with(start) && comment.contains(['(', '=', ';', '{']));
            if code || keyword {
                faults.push(format!("{}:{number}: {comment}", source.path));
            }
        }
    }
    none(faults);
}

#[test]
fn what_cannot_fail_says_why() {
    let mut faults = Vec::new();
    for source in src() {
        let lines: Vec<&str> = source.without_tests().lines().collect();
        for (number, line) in source.code() {
            if !line.contains(".unwrap()") && !line.contains(".expect(") {
                continue;
            }
            // A comment on the line, on the one above it, or above the statement it belongs to.
            let near = lines[number.saturating_sub(COMMENT_REACH + 1)..number].iter().any(|line| line.contains("//"));
            if !near {
                faults.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    none(faults);
}

#[test]
fn unsafe_code_lives_in_one_place() {
    let mut faults = Vec::new();
    for source in src() {
        for (number, line) in source.code() {
            let word = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| word == "unsafe");
            if word && !source.path.starts_with("src/scan/prefilter/") {
                faults.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    none(faults);
}

#[test]
fn the_filter_knows_no_outside_world() {
    let mut faults = Vec::new();
    for source in files(&["src/filter", "src/view", "src/scan", "src/redact", "src/filter.rs"], ".rs") {
        for (number, line) in source.code() {
            for name in [
                "std::fs",
                "std::io",
                "TcpStream",
                "UdpSocket",
                "std::thread",
                "std::time",
                "std::process",
                "std::env",
                "Instant::",
                "SystemTime",
            ] {
                if line.contains(name) {
                    faults.push(format!("{}:{number}: {name}", source.path));
                }
            }
        }
    }
    none(faults);
}

#[test]
fn every_rule_is_documented() {
    let mut faults = Vec::new();
    for rule in RuleSet::builtin().unwrap().rules() {
        let at = format!("{} (patterns/{}.toml:{})", rule.id, rule.family, rule.line);
        // The name of a mask has nothing to match.
        let matches = !matches!(rule.detector, Detector::Ceiling | Detector::Known);
        let kebab = rule.id.split('-').all(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        let checks = [
            (kebab, "the id is not kebab-case"),
            (!matches || rule.examples.len() >= 2, "fewer than 2 examples"),
            (!matches || rule.counterexamples.len() >= 2, "fewer than 2 counterexamples"),
            (rule.reference.starts_with("https://"), "no reference"),
            (!rule.name.is_empty() && !rule.name.ends_with('.'), "the name is missing or a sentence"),
            (!rule.since.is_empty(), "no release is named"),
        ];
        faults.extend(checks.iter().filter(|(right, _)| !right).map(|(_, text)| format!("{at}: {text}")));
    }
    none(faults);
}

#[test]
fn no_text_names_a_private_path() {
    let mut faults = Vec::new();
    let everything = [
        "src",
        "tests",
        "benches",
        "fuzz",
        "examples",
        "patterns",
        ".ci",
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "Cargo.toml",
        "build.rs",
    ];
    for source in files(&everything, "") {
        // Logs of test data and cases of user names in paths are what the filter is for.
        if source.path == "tests/tidy.rs"
            || source.path.starts_with("tests/data")
            || source.path.starts_with("tests/cases/")
            || source.path.starts_with("examples/")
        {
            continue;
        }
        for (number, line) in (1..).zip(source.text.lines()) {
            for name in ["/root/", "/work/", "/Users/"] {
                if line.contains(name) {
                    faults.push(format!("{}:{number}: {name}", source.path));
                }
            }
        }
    }
    none(faults);
}

#[test]
fn test_names_are_sentences() {
    let mut faults = Vec::new();
    for source in rust() {
        let lines: Vec<&str> = source.text.lines().collect();
        for pair in lines.windows(2) {
            let Some(name) = pair[1].trim().strip_prefix("fn ").and_then(|rest| rest.split('(').next()) else {
                continue;
            };
            if pair[0].trim() == "#[test]" && name.split('_').count() < 3 {
                faults.push(format!("{}: {name}", source.path));
            }
        }
    }
    none(faults);
}

/// How long a file may be, `mod tests` apart (lines).
const LINES_MAX: usize = 500;

/// How far above an `unwrap` its comment may stand (lines).
const COMMENT_REACH: usize = 3;
