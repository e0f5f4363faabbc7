//! `std::io::Error`, and tokio's timeouts.

use super::chain;
use crate::outcome::{Class, Classify, Origin, Rejected, Worth};
use std::io::{Error, ErrorKind as Kind};

/// By its kind. One that says no more than `Other` is worth what the error inside it is, and so is one
/// that a [`Rejected`] became.
impl Classify for Error {
    fn classify(&self) -> Class {
        worth(self).class
    }

    fn origin(&self) -> Origin {
        worth(self).origin
    }
}

fn worth(error: &Error) -> Worth {
    match error.get_ref() {
        Some(inner) if error.kind() == Kind::Other || inner.is::<Rejected>() => chain::worth(inner),
        _ => of_kind(error.kind()),
    }
}

fn of_kind(kind: Kind) -> Worth {
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
        | Kind::ResourceBusy => Class::Transient.into(),
        kind if kind == Kind::Other || kind == nameless() => Worth::UNKNOWN,
        _ => Class::Permanent.into(),
    }
}

/// The kind of what the system said and `std` has no name for (a broken disk, too many open files), which
/// stable Rust does not name either.
fn nameless() -> Kind {
    Error::from_raw_os_error(i32::MAX).kind()
}

/// What `tokio::time::timeout` returns.
#[diagnostic::do_not_recommend]
impl Classify for tokio::time::error::Elapsed {
    fn classify(&self) -> Class {
        Class::Transient
    }
}
