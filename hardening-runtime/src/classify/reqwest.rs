//! `reqwest::Error`: the way to the server, and the status of its answer.

use super::{chain, classify_status};
use crate::outcome::{Class, Classify, Origin, Worth};
use reqwest::Error;
use std::error;

/// Transient: a status code that the configuration says is ([`classify_status`]), a timeout, a request
/// that did not come through, an answer that broke off. Permanent: a request that could not be
/// built, a redirection too many, an answer that came whole and could not be read; whose fault the last is
/// is not known.
///
/// The error that `error_for_status` makes has lost the answer's headers, `Retry-After` among them.
impl Classify for Error {
    fn classify(&self) -> Class {
        worth(self).class
    }

    fn origin(&self) -> Origin {
        worth(self).origin
    }
}

fn worth(error: &Error) -> Worth {
    if let Some(status) = error.status() {
        return classify_status(status.as_u16()).into();
    }
    // A timeout can be inside of any other; a request that failed had no whole answer.
    if error.is_timeout() || error.is_connect() || error.is_request() {
        return Class::Transient.into();
    }
    // The answer's content: a connection that broke off is an io error inside; nonsense is not.
    if error.is_body() || error.is_decode() {
        return error::Error::source(error).map_or(Worth::UNKNOWN, chain::worth);
    }
    Class::Permanent.into()
}

#[cfg(all(test, not(hardening_loom)))]
mod tests;
