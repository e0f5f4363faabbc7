//! The face of `hardening`.
#![forbid(unsafe_code)]
pub use hardening_runtime::*;
