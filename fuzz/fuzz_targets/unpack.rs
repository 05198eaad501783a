//! Looks for files that `scan` does not survive, or that unpack to more than it lets them.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| support::unpack::unpack(data));
