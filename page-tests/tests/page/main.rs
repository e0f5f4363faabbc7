//! The live page in Chromium. Every test takes the program's state for itself.
//!
//! `./test` installs Chromium (`scripts/chromium`) and says where it is in `CHROMIUM`. Run alone, the
//! tests take the one on the `PATH`; without one they check nothing and say so, except where `CI` is
//! set: there they fail.

mod connection;
mod controls;
mod looks;
mod reading;
mod settings;
mod sites;
mod values;
