//! Checks what the program is made of: licences that may be shipped with it, and no crate twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::Command,
};

use serde_json::Value;

/// Licences under which a dependency may come (SPDX).
const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "CC0-1.0",
    "0BSD",
    "BSL-1.0",
    "Unicode-3.0",
    // A licence of the BSD kind, of the Rust port of that library.
    "bzip2-1.0.6",
];

/// Crates that may stand twice, and why.
const TWICE: &[(&str, &str)] = &[];

/// The packages that the program itself needs on this platform, build scripts included and tests
/// left out. Those of other platforms are not on this machine; their own runs check them.
fn normal_packages() -> Vec<Value> {
    let about = cargo(&["-vV"]);
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = cargo(&["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host]);
    let metadata: Value = serde_json::from_str(&output).unwrap();
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"]["nodes"]).map(|node| (text(&node["id"]), node)).collect();
    let mut reached = BTreeSet::new();
    let mut open = vec![text(&metadata["resolve"]["root"])];
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            let deps = list(&nodes[id]["deps"])
                .filter(|dep| list(&dep["dep_kinds"]).any(|kind| kind["kind"].as_str() != Some("dev")));
            open.extend(deps.map(|dep| text(&dep["pkg"])));
        }
    }
    let root = text(&metadata["resolve"]["root"]);
    list(&metadata["packages"])
        .filter(|package| reached.contains(text(&package["id"])) && text(&package["id"]) != root)
        .cloned()
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let program = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whether an SPDX expression leaves a choice that is allowed.
fn allowed(expression: &str) -> bool {
    // In the expressions of crates `AND` binds tighter than `OR`, and older ones write `/` for `OR`.
    let expression = expression.replace(['(', ')'], " ").replace('/', " OR ");
    expression.split(" OR ").any(|choice| choice.split(" AND ").all(|one| LICENCES.contains(&one.trim())))
}

#[test]
fn every_dependency_has_a_licence_that_may_be_shipped() {
    let faults: Vec<String> = normal_packages()
        .iter()
        .filter(|package| !allowed(text(&package["license"])))
        .map(|package| format!("{}: {}", text(&package["name"]), text(&package["license"])))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn no_crate_stands_twice() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in normal_packages() {
        // Versions that differ in the first number that is not 0 are different crates to cargo.
        let version = text(&package["version"]).split('+').next().unwrap_or_default();
        let mut numbers = version.split('.');
        let first = numbers.next().unwrap_or_default();
        let major = if first == "0" { format!("0.{}", numbers.next().unwrap_or_default()) } else { first.to_owned() };
        versions.entry(text(&package["name"]).to_owned()).or_default().insert(major);
    }
    assert!(versions.len() > 10, "the dependencies are found");
    versions.retain(|name, majors| majors.len() > 1 && !TWICE.iter().any(|(known, _)| known == name));
    assert!(versions.is_empty(), "{versions:#?}");
}

#[test]
fn licence_expressions_are_understood() {
    assert!(allowed("MIT OR Apache-2.0"));
    assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(allowed("Unlicense/MIT"));
    assert!(!allowed("GPL-3.0-only"));
    assert!(!allowed("MPL-2.0 AND MIT"));
    assert!(!allowed(""));
}
