//! One module for each bug that shipped in a library of this field, or in this one: what went
//! wrong, and that it does not here.
#![deny(warnings)] // what is generated must not warn in the code of a user who denies warnings

#[path = "../support/script.rs"]
mod support;
#[path = "../support/mod.rs"]
mod timing;

mod hooks;
mod macros;
mod retry_after;
mod states;
