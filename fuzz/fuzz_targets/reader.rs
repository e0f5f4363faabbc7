//! Any bytes as `hardening.yaml`.
#![no_main]

#[path = "../../hardening-config/tests/property/mod.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| property::holds(bytes));
