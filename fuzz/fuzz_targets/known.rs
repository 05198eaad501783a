//! Looks for values, texts that hold them in some form, and cuts for which a piece of a value is left.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| support::worlds::known(data));
