//! What more than one of the programs here measures.
#![forbid(unsafe_code)]

pub mod annotated;
#[cfg(feature = "sites")]
pub mod sites;
