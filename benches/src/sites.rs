//! A thousand sites: functions under five attributes, each with state of its own. Behind a feature, for they take
//! long to compile.

use crate::annotated::{Answer, bare};
use hardening::{bulkhead, circuit_breaker, rate_limited, retryable, timeout};
use std::{pin::pin, task};

/// Calls one of the functions.
pub type Site = fn(&str, u64) -> Answer;

/// Ten functions, by their names.
macro_rules! functions {
    ($($function:ident)*) => {
        $(
            #[rate_limited(key = key, capacity = 1_000_000_000, window_seconds = 1)]
            #[bulkhead(max_concurrent = 1000)]
            #[timeout(call = "15s")]
            #[retryable]
            #[circuit_breaker]
            async fn $function(key: &str, call: u64) -> Answer {
                bare(call).await
            }
        )*

        pub(super) fn all() -> Vec<Site> {
            vec![$(|key, call| at_once($function(key, call))),*]
        }
    };
}

/// A module of each name, with ten in it of what `$inside` makes.
macro_rules! modules {
    ($inside:ident: $($module:ident)*) => {
        $(
            mod $module {
                #[allow(clippy::wildcard_imports)]
                use super::*;

                $inside!(a b c d e f g h i j);
            }
        )*

        pub(super) fn all() -> Vec<Site> {
            [$($module::all()),*].concat()
        }
    };
}

macro_rules! hundred {
    ($($module:ident)*) => {
        modules!(functions: $($module)*);
    };
}

modules!(hundred: a b c d e f g h i j);

/// All thousand, in the order in which they stand.
#[must_use]
pub fn thousand() -> Vec<Site> {
    all()
}

/// The value of a future that is ready at once: these bodies are, and no runtime has a part in it.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = task::Context::from_waker(task::Waker::noop());
    match pin!(future).poll(&mut context) {
        task::Poll::Ready(value) => value,
        task::Poll::Pending => unreachable!("the body does not wait, and there is room for all"),
    }
}
