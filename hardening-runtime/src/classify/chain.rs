//! Errors of which only `dyn Error` is known: each is asked whether we know it, and then its source.

use crate::outcome::{Class, Classify, Origin, Rejected, Worth};
use std::{error::Error, io};

/// What the first error of the chain that we know is worth.
pub(super) fn worth(error: &(dyn Error + 'static)) -> Worth {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(worth) = known(error) {
            return worth;
        }
        next = error.source();
    }
    Worth::UNKNOWN
}

fn known(error: &(dyn Error + 'static)) -> Option<Worth> {
    let worth = worth_as::<Rejected>(error)
        .or_else(|| worth_as::<io::Error>(error))
        .or_else(|| worth_as::<tokio::time::error::Elapsed>(error));
    #[cfg(feature = "reqwest")]
    let worth = worth.or_else(|| worth_as::<reqwest::Error>(error));
    #[cfg(feature = "sqlx")]
    let worth = worth.or_else(|| worth_as::<sqlx::Error>(error));
    #[cfg(feature = "redis")]
    let worth = worth.or_else(|| worth_as::<redis::RedisError>(error));
    worth
}

/// What it is worth, if it is an `E` that knows.
fn worth_as<E: Classify + Error + 'static>(error: &(dyn Error + 'static)) -> Option<Worth> {
    let worth = error.downcast_ref::<E>().map(Worth::of);
    worth.filter(|worth| worth.origin != Origin::Unknown)
}

#[diagnostic::do_not_recommend]
impl Classify for dyn Error {
    fn classify(&self) -> Class {
        worth(self).class
    }

    fn origin(&self) -> Origin {
        worth(self).origin
    }
}

#[diagnostic::do_not_recommend]
impl Classify for dyn Error + Send {
    fn classify(&self) -> Class {
        worth(self).class
    }

    fn origin(&self) -> Origin {
        worth(self).origin
    }
}

#[diagnostic::do_not_recommend]
impl Classify for dyn Error + Send + Sync {
    fn classify(&self) -> Class {
        worth(self).class
    }

    fn origin(&self) -> Origin {
        worth(self).origin
    }
}

#[cfg(feature = "anyhow")]
impl Classify for anyhow::Error {
    fn classify(&self) -> Class {
        worth(&**self).class
    }

    fn origin(&self) -> Origin {
        worth(&**self).origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fmt, rc::Rc, sync::Arc, time::Duration};

    #[derive(Debug)]
    struct Wrapper<E>(E);

    impl<E> fmt::Display for Wrapper<E> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("wrapped")
        }
    }

    impl<E: Error + 'static> Error for Wrapper<E> {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn refused() -> io::Error {
        io::Error::from(io::ErrorKind::ConnectionRefused)
    }

    #[test]
    fn the_source_chain_is_walked() {
        let boxed: Box<dyn Error + Send + Sync> = Box::new(Wrapper(Wrapper(refused())));
        assert_eq!(boxed.classify(), Class::Transient);
        let unknown: Box<dyn Error + Send + Sync> = "no such user".into();
        assert_eq!(unknown.classify(), Class::Permanent);
    }

    #[test]
    fn every_pointer_to_an_error_is_worth_what_the_error_is() {
        let shared: Arc<dyn Error + Send + Sync> = Arc::new(Wrapper(refused()));
        assert_eq!(shared.classify(), Class::Transient);
        assert_eq!(Rc::new(refused()).classify(), Class::Transient);
        assert_eq!(Box::new(Arc::new(refused())).classify(), Class::Transient);
        let own: Box<dyn Classify> = Box::new(refused());
        assert_eq!(own.classify(), Class::Transient);
    }

    #[cfg(feature = "anyhow")]
    #[test]
    fn anyhow_is_walked_through_its_contexts() {
        let error = anyhow::Error::new(Wrapper(refused())).context("asking the upstream");
        assert_eq!(error.classify(), Class::Transient);
    }

    #[test]
    fn a_rejection_keeps_its_class_inside_other_errors() {
        let open = Rejected::CircuitOpen {
            name: "ai",
            retry_after: Some(Duration::from_secs(7)),
        };
        let class = Class::TransientAfter(Duration::from_secs(7));
        assert_eq!(io::Error::from(open.clone()).classify(), class);
        assert_eq!((Box::new(open) as Box<dyn Error>).classify(), class);
    }

    #[test]
    fn an_io_error_that_says_no_more_is_worth_what_is_inside() {
        let other = io::Error::other(Wrapper(refused()));
        assert_eq!(other.classify(), Class::Transient);
        assert_eq!(io::Error::other("unknown").classify(), Class::Permanent);
        let reset = io::Error::new(io::ErrorKind::ConnectionReset, "by peer");
        assert_eq!(reset.classify(), Class::Transient);
        let denied = io::Error::new(io::ErrorKind::PermissionDenied, Wrapper(refused()));
        assert_eq!(denied.classify(), Class::Permanent, "the kind says it");
    }

    fn origins(error: io::Error) -> Vec<Origin> {
        let shown = error.to_string();
        let mut origins = vec![error.origin(), Arc::new(error).origin()];
        let again = || io::Error::other(shown.clone());
        origins.push((Box::new(Wrapper(again())) as Box<dyn Error>).origin());
        #[cfg(feature = "anyhow")]
        origins.push(
            anyhow::Error::new(Wrapper(again()))
                .context("asking")
                .origin(),
        );
        origins
    }

    #[test]
    fn an_error_that_holds_nothing_known_says_that_it_does_not_know() {
        for origin in origins(io::Error::other("down")) {
            assert_eq!(origin, Origin::Unknown);
        }
        let text: Box<dyn Error + Send + Sync> = "down".into();
        assert_eq!(text.origin(), Origin::Unknown);
        let nameless = io::Error::from_raw_os_error(123_456);
        assert_eq!(nameless.origin(), Origin::Unknown);
        assert_eq!(
            io::Error::from(io::ErrorKind::Other).origin(),
            Origin::Unknown
        );
    }

    #[test]
    fn an_error_that_is_known_to_be_permanent_is_no_unknown_one() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        assert_eq!(Worth::of(&missing), Class::Permanent.into());
        let boxed: Box<dyn Error> = Box::new(Wrapper(missing));
        assert_eq!(Worth::of(&boxed), Class::Permanent.into());
    }

    #[test]
    fn a_rejection_is_one_inside_other_errors_too() {
        let full = Rejected::BulkheadFull { name: "ai" };
        assert_eq!(full.origin(), Origin::Rejection);
        assert_eq!(io::Error::from(full.clone()).origin(), Origin::Rejection);
        let boxed: Box<dyn Error> = Box::new(Wrapper(io::Error::from(full)));
        assert_eq!(boxed.origin(), Origin::Rejection);
        let (name, after) = ("ai", Duration::from_secs(1));
        let late = io::Error::from(Rejected::TimedOut { name, after });
        assert_eq!(late.origin(), Origin::Call, "it is slow");
    }

    #[tokio::test(start_paused = true)]
    async fn a_timeout_of_tokio_is_transient() {
        let never = std::future::pending::<()>();
        let elapsed = tokio::time::timeout(Duration::from_secs(1), never).await;
        let elapsed = elapsed.unwrap_err();
        assert_eq!(elapsed.classify(), Class::Transient);
        assert_eq!(
            (Box::new(elapsed) as Box<dyn Error>).classify(),
            Class::Transient
        );
    }
}
