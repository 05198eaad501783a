//! Looks for logs and cuts for which the output in pieces is not the output in one piece.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| support::streams::filter_split(data));
