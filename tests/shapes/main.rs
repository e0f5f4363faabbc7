//! The attributes on the functions that real services have: a module for each kind of shape. This
//! package compiles them in edition 2024, and `tests/edition-2021` in edition 2021.
#![deny(warnings)]
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

#[path = "../support/mod.rs"]
mod support;

mod arguments;
mod blocks;
mod bodies;
mod expansion;
mod generics;
mod identity;
mod imports;
mod inference;
mod lints;
mod names;
mod neighbours;
mod order;
mod receivers;
mod returns;
mod send;
mod signatures;
mod traits;
