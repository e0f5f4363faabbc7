//! The attributes on the functions that real services have: a module for each kind of shape.
#![deny(warnings)]
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

#[path = "../support/mod.rs"]
mod support;

mod names;
mod neighbours;
