//! `std::io::Error`, and tokio's timeouts.

use super::chain;
use crate::outcome::{Class, Classify, Rejected};
use std::io::{Error, ErrorKind as Kind};

/// By its kind. One that says no more than `Other` is worth what the error inside it is, and so is one
/// that a [`Rejected`] became.
impl Classify for Error {
    fn classify(&self) -> Class {
        match self.get_ref() {
            Some(inner) if self.kind() == Kind::Other || inner.is::<Rejected>() => {
                chain::classify(inner)
            }
            _ => of_kind(self.kind()),
        }
    }
}

fn of_kind(kind: Kind) -> Class {
    match kind {
        Kind::ConnectionRefused
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::NotConnected
        | Kind::BrokenPipe
        | Kind::TimedOut
        | Kind::WouldBlock
        | Kind::Interrupted
        | Kind::UnexpectedEof
        | Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::NetworkDown
        | Kind::ResourceBusy => Class::Transient,
        _ => Class::Permanent,
    }
}

/// What `tokio::time::timeout` returns.
#[diagnostic::do_not_recommend]
impl Classify for tokio::time::error::Elapsed {
    fn classify(&self) -> Class {
        Class::Transient
    }
}
