//! `reqwest::Error`: the way to the server, and the status of its answer.

use super::{chain, classify_status};
use crate::outcome::{Class, Classify};
use reqwest::Error;
use std::error;

/// Transient: a status code that the configuration says is ([`classify_status`]), a timeout, a request
/// that did not come through, an answer that broke off. Permanent: a request that could not be
/// built, a redirection too many, an answer that came whole and could not be read.
///
/// The error that `error_for_status` makes has lost the answer's headers, `Retry-After` among them.
impl Classify for Error {
    fn classify(&self) -> Class {
        if let Some(status) = self.status() {
            return classify_status(status.as_u16());
        }
        // A timeout can be inside of any other; a request that failed had no whole answer.
        if self.is_timeout() || self.is_connect() || self.is_request() {
            return Class::Transient;
        }
        // The answer's content: a connection that broke off is an io error inside; nonsense is not.
        if self.is_body() || self.is_decode() {
            return error::Error::source(self).map_or(Class::Permanent, chain::classify);
        }
        Class::Permanent
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests;
