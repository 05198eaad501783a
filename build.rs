//! Turns `patterns/*.toml` into a table of rules with the conditions of their patterns. Does not
//! check the rows: `rules::format` does, and a test holds the table against the files.
//!
//! Adding a rule is adding data: the list of families is made from the folder. The table spares the
//! program reading TOML and regular expressions each time it starts.

#[path = "src/rules/condition.rs"]
#[allow(dead_code)]
mod condition;
#[path = "src/limits.rs"]
#[allow(dead_code)]
mod limits;

use std::{env, fmt::Write as _, fs, path::Path};

use toml::{Spanned, Table, Value};

#[derive(serde::Deserialize)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<Table>>,
}

fn main() {
    println!("cargo::rerun-if-changed=patterns");
    println!("cargo::rerun-if-changed=src/rules/condition.rs");
    println!("cargo::rerun-if-changed=src/limits.rs");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let folder = Path::new(&root).join("patterns");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("patterns/ is part of the package")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    // The order of rules decides ties, so it must not depend on the file system.
    names.sort();
    let mut table = String::from("&[\n");
    for name in &names {
        let text = fs::read_to_string(folder.join(name)).expect("a rule file is text");
        let file: File = toml::from_str(&text).unwrap_or_else(|fault| panic!("patterns/{name}: {fault}"));
        for row in file.rule {
            let line = 1 + text[..row.span().start].matches('\n').count();
            write_row(&mut table, name.trim_end_matches(".toml"), line, row.get_ref(), name);
        }
    }
    table.push_str("]\n");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("rules.rs"), table).expect("OUT_DIR is writable");
}

fn write_row(table: &mut String, family: &str, line: usize, row: &Table, file: &str) {
    let text = |key: &str| row.get(key).and_then(Value::as_str);
    let list = |key: &str| -> Vec<&str> {
        let items = row.get(key).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let number =
        row.get("entropy").map_or(0.0, |value| value.as_float().unwrap_or(value.as_integer().unwrap_or(0) as f64));
    let pattern = text("pattern").unwrap_or_default();
    let condition = match pattern {
        "" => condition::Condition::default(),
        _ => condition::parse(pattern).unwrap_or_else(|reason| panic!("patterns/{file}:{line}: {reason}")).2,
    };
    let needle = condition.needle.unwrap_or_default();
    let bytes: Vec<String> = needle.literals.iter().map(|word| format!("b\"{}\"", word.escape_ascii())).collect();
    writeln!(
        table,
        "Embedded {{ family: {family:?}, line: {line}, id: {:?}, name: {:?}, severity: {:?}, pattern: {pattern:?}, \
         detector: {:?}, names: &{:?}, strength: {:?}, check: {:?}, confidence: {:?}, context: &{:?}, \
         entropy: {number:?}, action: {:?}, secret_bytes_max: {:?}, tags: &{:?}, reference: {:?}, rotate: {:?}, \
         since: {:?}, aliases: &{:?}, status: {:?}, off_by_default: {}, examples: &{:?}, counterexamples: &{:?}, \
         length_max: {}, secret_is_whole: {}, literals: &[{}], before: {:?}, steps: &{:?}, \
         reach: {:?}, run: {:?} }},",
        text("id").unwrap_or_default(),
        text("name").unwrap_or_default(),
        text("severity").unwrap_or_default(),
        text("detector"),
        list("names"),
        text("strength"),
        text("check"),
        text("confidence"),
        list("context"),
        text("action"),
        row.get("secret_bytes_max").and_then(Value::as_integer),
        list("tags"),
        text("reference").unwrap_or_default(),
        text("rotate"),
        text("since").unwrap_or_default(),
        list("aliases"),
        text("status"),
        row.get("off_by_default").and_then(Value::as_bool).unwrap_or(false),
        list("examples"),
        list("counterexamples"),
        condition.length_max,
        condition.secret_is_whole,
        bytes.join(", "),
        needle.before,
        needle.steps.iter().map(|step| (step.set.0, step.count)).collect::<Vec<_>>(),
        needle.reach.map(|reach| (reach.set.0, reach.byte, reach.most)),
        condition.run.map(|run| (run.least, run.after)),
    )
    .expect("writing to a string");
}
