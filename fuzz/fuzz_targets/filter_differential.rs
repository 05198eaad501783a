//! Looks for inputs on which the filter and the naive reference disagree.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| support::reference::filter_differential(data));
