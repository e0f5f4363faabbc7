//! What the layers do to each other: every neighbouring pair in a failing and in a healthy case, and
//! the rules that several layers keep together. Every test has functions of its own, so none shares
//! state with another, and counts the runs of the body.

#[path = "../support/script.rs"]
mod support;

mod after_a_wait;
mod attempts;
mod circuit;
mod deadline;
mod further_in;
mod inner;
mod outer;
mod per;
mod places;
mod remembered;
