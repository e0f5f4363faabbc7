//! The engines of `hardening`.
//!
//! Floors, lowest first; a floor uses only lower floors, and a layer never imports another layer:
//!
//! 1. [`outcome`], [`clock`], `chance`, `context`, `name`, `sync`
//! 2. `event`
//! 3. the layers: [`retry`], [`rate_limit`], [`circuit_breaker`], [`bulkhead`], [`cache`]
//! 4. [`health`]
#![forbid(unsafe_code)]

pub mod bulkhead;
pub mod cache;
mod chance;
pub mod circuit_breaker;
pub mod clock;
mod context;
mod event;
pub mod health;
mod name;
pub mod outcome;
pub mod rate_limit;
pub mod retry;
mod sync;

pub use context::{attempt, deadline};
pub use hardening_config as config;
pub use outcome::{Class, Classify, Failure, Rejected};
