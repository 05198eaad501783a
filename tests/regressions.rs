//! Replays what the fuzzers found: every file of `fuzz/regressions/<target>/` goes through the
//! function that the target itself calls.

mod support;

use std::{fs, path::Path};

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the folder of {target} holds at least its seeds");
    for file in files {
        // Captured output, shown if the run panics: it names the file.
        println!("{}", file.display());
        run(&fs::read(&file).unwrap());
    }
}

#[test]
fn found_inputs_of_filter_split_pass() {
    replay("filter_split", support::streams::filter_split);
}

#[test]
fn found_inputs_of_filter_differential_pass() {
    replay("filter_differential", support::reference::filter_differential);
}

#[test]
fn found_inputs_of_unpack_pass() {
    replay("unpack", support::unpack::unpack);
}

#[test]
fn found_inputs_of_known_pass() {
    replay("known", support::worlds::known);
}

#[test]
fn found_inputs_of_stream_pass() {
    replay("stream", support::faults::stream);
}
