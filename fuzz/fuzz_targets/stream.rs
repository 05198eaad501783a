//! Looks for logs, reads and faults of the source or the sink after which something unscanned has left.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| support::faults::stream(data));
