//! Errors of which only `dyn Error` is known: each is asked whether we know it, and then its source.

use crate::outcome::{Class, Classify, Rejected};
use std::{error::Error, io};

/// The class of the first error of the chain that we know. A chain that holds none is permanent.
pub(super) fn classify(error: &(dyn Error + 'static)) -> Class {
    find(error).unwrap_or(Class::Permanent)
}

/// The class of the first error of the chain that we know.
pub(super) fn find(error: &(dyn Error + 'static)) -> Option<Class> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(class) = known(error) {
            return Some(class);
        }
        next = error.source();
    }
    None
}

fn known(error: &(dyn Error + 'static)) -> Option<Class> {
    let class = class_as::<Rejected>(error)
        .or_else(|| class_as::<io::Error>(error))
        .or_else(|| class_as::<tokio::time::error::Elapsed>(error));
    #[cfg(feature = "reqwest")]
    let class = class.or_else(|| class_as::<reqwest::Error>(error));
    #[cfg(feature = "sqlx")]
    let class = class.or_else(|| class_as::<sqlx::Error>(error));
    #[cfg(feature = "redis")]
    let class = class.or_else(|| class_as::<redis::RedisError>(error));
    class
}

fn class_as<E: Classify + Error + 'static>(error: &(dyn Error + 'static)) -> Option<Class> {
    error.downcast_ref::<E>().map(Classify::classify)
}

#[diagnostic::do_not_recommend]
impl Classify for dyn Error {
    fn classify(&self) -> Class {
        classify(self)
    }
}

#[diagnostic::do_not_recommend]
impl Classify for dyn Error + Send {
    fn classify(&self) -> Class {
        classify(self)
    }
}

#[diagnostic::do_not_recommend]
impl Classify for dyn Error + Send + Sync {
    fn classify(&self) -> Class {
        classify(self)
    }
}

#[cfg(feature = "anyhow")]
impl Classify for anyhow::Error {
    fn classify(&self) -> Class {
        classify(&**self)
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
