//! `redis::RedisError`, by what its client says of it.

use crate::outcome::{Class, Classify, Origin, Worth};
use redis::{ErrorKind, RedisError, RetryMethod};

/// Transient: what went wrong on the way (timeouts, connections refused or lost), and servers that
/// say "later": loading, try again, cluster down, master down, read-only during a failover.
impl Classify for RedisError {
    fn classify(&self) -> Class {
        worth(self).class
    }

    fn origin(&self) -> Origin {
        worth(self).origin
    }
}

fn worth(error: &RedisError) -> Worth {
    match error.kind() {
        // The client connects anew after it, with the same password.
        ErrorKind::AuthenticationFailed => return Class::Permanent.into(),
        // A code that the client does not know, such as that of a full memory or a failing disk.
        ErrorKind::Extension => return Worth::UNKNOWN,
        _ => {}
    }
    match error.retry_method() {
        // A redirection is followed by a client for clusters; any other would ask the same node.
        RetryMethod::NoRetry | RetryMethod::AskRedirect | RetryMethod::MovedRedirect => {
            Class::Permanent.into()
        }
        _ => Class::Transient.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::ServerErrorKind as Server;
    use std::{error::Error, io};

    fn class(error: impl Into<RedisError>) -> Class {
        error.into().classify()
    }

    #[test]
    fn servers_that_say_later_are_transient() {
        for kind in [
            Server::BusyLoading,
            Server::TryAgain,
            Server::ClusterDown,
            Server::MasterDown,
            Server::ReadOnly,
        ] {
            assert_eq!(class((kind.into(), "later")), Class::Transient, "{kind:?}");
        }
    }

    #[test]
    fn what_went_wrong_on_the_way_is_transient() {
        use io::ErrorKind as Io;
        for kind in [
            Io::TimedOut,
            Io::WouldBlock,
            Io::ConnectionRefused,
            Io::ConnectionReset,
            Io::BrokenPipe,
            Io::UnexpectedEof,
        ] {
            assert_eq!(class(io::Error::from(kind)), Class::Transient, "{kind}");
        }
        assert_eq!(
            class((ErrorKind::Io, "connection dropped")),
            Class::Transient
        );
        let nowhere = ErrorKind::ClusterConnectionNotFound;
        assert_eq!(class((nowhere, "no node")), Class::Transient);
    }

    #[test]
    fn everything_else_is_permanent() {
        for kind in [
            ErrorKind::AuthenticationFailed,
            ErrorKind::UnexpectedReturnType,
            ErrorKind::InvalidClientConfig,
            ErrorKind::Client,
            ErrorKind::Extension,
            Server::ResponseError.into(),
            Server::ExecAbort.into(),
            Server::NoScript.into(),
            Server::NoPerm.into(),
            Server::CrossSlot.into(),
            Server::Moved.into(),
        ] {
            assert_eq!(class((kind, "no")), Class::Permanent, "{kind:?}");
        }
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(class(denied), Class::Permanent);
    }

    #[test]
    fn a_code_that_the_client_does_not_know_is_unknown() {
        let origin = |kind: ErrorKind| RedisError::from((kind, "no")).origin();
        assert_eq!(origin(ErrorKind::Extension), Origin::Unknown);
        assert_eq!(origin(Server::ResponseError.into()), Origin::Call);
    }

    #[test]
    fn it_is_known_inside_other_errors() {
        let loading = RedisError::from((Server::BusyLoading.into(), "loading"));
        let boxed: Box<dyn Error + Send + Sync> = Box::new(io::Error::other(loading.clone()));
        assert_eq!(boxed.classify(), Class::Transient);
        #[cfg(feature = "anyhow")]
        assert_eq!(
            anyhow::Error::new(loading).context("session").classify(),
            Class::Transient
        );
    }
}
