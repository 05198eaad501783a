//! Turns `patterns/*.toml` into a table of embedded texts. Does not parse them.
//!
//! Adding a family of rules is adding a file: the list is made from the folder at build time.

use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=patterns");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let mut names: Vec<String> = fs::read_dir(Path::new(&root).join("patterns"))
        .expect("patterns/ is part of the package")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    // The order of rules decides ties, so it must not depend on the file system.
    names.sort();
    let mut table = String::from("&[\n");
    for name in &names {
        let family = name.trim_end_matches(".toml");
        let path = Path::new(&root).join("patterns").join(name);
        writeln!(table, "    ({family:?}, include_str!({path:?})),").expect("writing to a string");
    }
    table.push_str("]\n");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("patterns.rs"), table).expect("OUT_DIR is writable");
}
