//! What the cases share.

use hardening::{Class, Classify, Rejected};

/// An error that every attribute accepts.
#[derive(Debug)]
pub struct AppError;

impl Classify for AppError {
    fn classify(&self) -> Class {
        Class::Transient
    }
}

impl From<Rejected> for AppError {
    fn from(_: Rejected) -> Self {
        Self
    }
}
