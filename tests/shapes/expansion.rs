//! What generated code must not do to the user's, and the user's not to it.
#![forbid(unsafe_code)]
#![deny(
    clippy::all,
    clippy::pedantic,
    dead_code,
    unused,
    unused_qualifications
)]

use crate::support::{AppError, AppResult, Runs};
use hardening::{Rejected, cached, fallback, rate_limited, retryable, timeout};
use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard},
};

static NUMBERS: Mutex<u32> = Mutex::new(7);
static RUNS: Runs = Runs::new();

fn numbers() -> MutexGuard<'static, u32> {
    NUMBERS.lock().unwrap()
}

#[cached(key = *numbers())]
async fn locks_for_its_key() -> u32 {
    RUNS.up();
    tokio::task::yield_now().await;
    *NUMBERS.try_lock().expect("the key's lock is given back")
}

#[rate_limited(op = "search", key = *numbers())]
async fn locks_for_its_bucket() -> Result<u32, Rejected> {
    tokio::task::yield_now().await;
    Ok(*NUMBERS.try_lock().expect("the key's lock is given back"))
}

#[tokio::test]
async fn what_a_key_locks_is_free_again_before_the_body_runs() {
    let run = tokio::spawn(locks_for_its_key());
    assert_eq!(run.await.unwrap(), 7);
    assert_eq!(locks_for_its_key().await, 7);
    assert_eq!(RUNS.get(), 1);
    assert_eq!(tokio::spawn(locks_for_its_bucket()).await.unwrap(), Ok(7));
}

#[test]
fn a_layer_that_is_switched_off_takes_no_key_and_no_cost() {
    static ASKED: Runs = Runs::new();
    #[rate_limited(op = "search", key = ASKED.up(), cost = ASKED.up(), enabled = false)]
    #[cached(key = ASKED.up(), enabled = false)]
    fn off() -> Result<u32, Rejected> {
        Ok(1)
    }
    #[rate_limited(op = "search", key = ASKED.up())]
    fn on() -> Result<u32, Rejected> {
        Ok(1)
    }
    off().unwrap();
    assert_eq!(ASKED.get(), 0);
    on().unwrap();
    assert_eq!(ASKED.get(), 1);
}

/// Names of the prelude and of crates that somebody else has taken.
mod shadowed {
    #![allow(
        dead_code,
        unused_macros,
        reason = "they are there to be taken for others"
    )]
    pub(super) struct Result;
    pub(super) struct Option;
    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Box;
    pub(super) struct Pin;
    pub(super) struct String;
    pub(super) struct Vec;
    pub(super) trait Clone {}
    pub(super) trait Default {}
    pub(super) trait Drop {}
    pub(super) trait Fn {}
    pub(super) trait FnOnce {}
    pub(super) trait Future {}
    pub(super) trait Hash {}
    pub(super) trait Into {}
    pub(super) trait Send {}
    pub(super) trait Sync {}
    pub(super) mod std {}
    pub(super) mod core {}
    pub(super) mod alloc {}
    pub(super) mod inventory {}
    pub(super) mod tokio {}
    pub(super) mod hardening {}
    #[allow(non_camel_case_types)]
    pub(super) struct u32;
    #[allow(non_camel_case_types)]
    pub(super) struct str;
    #[allow(non_camel_case_types)]
    pub(super) struct bool;
    macro_rules! file {
        () => {
            ::core::compile_error!("not this one")
        };
    }
    macro_rules! panic {
        () => {
            ::core::compile_error!("not this one")
        };
    }
    pub(super) fn drop() {}
    pub(super) fn type_name_of_val() {}

    type Answer<T> = ::core::result::Result<T, super::AppError>;
    type Number = ::core::primitive::u32;

    #[::hardening::fallback(|error| ::core::result::Result::Err(error))]
    #[::hardening::cached(key = number)]
    #[::hardening::timeout(call = "9s", attempt = "2s")]
    #[::hardening::rate_limited(capacity = 9, window_seconds = 60, key = number, cost = 1)]
    #[::hardening::retryable(policy = "shapes", clone(number))]
    #[::hardening::circuit_breaker]
    #[::hardening::bulkhead(priority = ::hardening::Priority::High)]
    pub(super) async fn all(number: Number) -> Answer<Number> {
        match super::RUNS.up() % 3 {
            0 => ::core::result::Result::Ok(number),
            _ => ::core::result::Result::Err(super::AppError::Busy),
        }
    }

    #[::hardening::retryable(policy = "shapes", retry_if = |_| true, on_retry = |_| ())]
    #[::hardening::circuit_breaker(failure_if = ::core::result::Result::is_err)]
    #[::hardening::cached]
    pub(super) fn blocking(number: Number) -> Answer<Number> {
        ::core::result::Result::Ok(number)
    }

    #[::hardening::cached]
    pub(super) fn optional(number: Number) -> ::core::option::Option<Number> {
        ::core::option::Option::Some(number)
    }

    #[::hardening::retryable(policy = "shapes")]
    pub(super) fn boxed(
        number: Number,
    ) -> ::std::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = Answer<Number>>>>
    {
        ::std::boxed::Box::pin(async move { ::core::result::Result::Ok(number) })
    }
}

#[tokio::test(start_paused = true)]
async fn names_of_the_prelude_may_mean_something_else() {
    RUNS.take();
    assert_eq!(shadowed::all(3).await, Ok(3));
    assert_eq!((shadowed::all(3).await, RUNS.take()), (Ok(3), 3));
    assert_eq!(shadowed::blocking(4), Ok(4));
    assert_eq!(shadowed::optional(5), Some(5));
    assert_eq!(shadowed::boxed(6).await, Ok(6));
}

macro_rules! made {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident<$lifetime:lifetime, $generic:ident: $bound:path>
            ($($arg:ident: $ty:ty),*) -> $ret:ty $body:block
    ) => {
        $(#[$meta])*
        $vis fn $name<$lifetime, $generic: $bound>($($arg: $ty),*) -> $ret $body
    };
    (async $attempts:literal $cost:expr, $pat:pat, $policy:literal, $retry_if:path, $name:ident) => {
        #[retryable(policy = $policy, max_attempts = $attempts, retry_if = $retry_if)]
        #[rate_limited(capacity = 10, window_seconds = 60, key = $cost, cost = $cost)]
        async fn $name($pat: (u32, u32), runs: &Runs) -> AppResult<u32> {
            runs.up();
            Err(AppError::Busy)
        }
    };
    (future $ret:ty, $body:expr, $name:ident) => {
        #[retryable(policy = "shapes")]
        fn $name(runs: &Runs) -> $ret { $body(runs) }
    };
    (key $pat:pat, $key:expr, $value:expr, $ttl:expr, $name:ident) => {
        #[cached(key = $key, ttl = $ttl)]
        fn $name($pat: (u32, u32)) -> u32 { $value }
    };
    (pat $pat:pat, $value:expr, $name:ident) => {
        #[cached]
        fn $name($pat: (u32, u32)) -> u32 { $value }
    };
    (attributes $time:literal, $closure:expr, $name:ident) => {
        #[timeout($time)]
        #[fallback($closure)]
        async fn $name() -> AppResult<u32> { std::future::pending().await }
    };
    (item $item:item) => {
        #[retryable(policy = "shapes")]
        $item
    };
    ($self:ident, $($rest:tt)*) => {
        impl Made {
            #[retryable(policy = "shapes")]
            fn ask(&$self) -> AppResult<u32> { $($rest)* }
        }
    };
    ($name:ident) => {
        #[retryable(policy = "shapes")]
        fn $name(runs: &Runs) -> AppResult<u32> {
            let outcome = runs.up();
            if outcome < 3 { Err(AppError::Busy) } else { Ok(outcome) }
        }
    };
}

struct Made(Runs);

static RUNS_OF_KEYS: Runs = Runs::new();

fn by_run(runs: &Runs) -> AppResult<u32> {
    match runs.up() {
        1 | 2 => Err(AppError::Busy),
        run => Ok(run),
    }
}

fn boxed(runs: &Runs) -> Pin<Box<dyn Future<Output = AppResult<u32>> + Send + '_>> {
    Box::pin(async { by_run(runs) })
}

fn is_busy(error: &AppError) -> bool {
    *error == AppError::Busy
}

made!(by_a_macro);
made! { async 2 4, (_a, _), "shapes", is_busy, with_fragments }
made! { future Pin<Box<dyn Future<Output = AppResult<u32>> + Send + '_>>, boxed, returns_a_type }
made! { key (a, _b), a, RUNS_OF_KEYS.up() + a, "1h", with_a_key }
made! { pat (a, b), RUNS_OF_KEYS.up() + a + b, with_a_pattern }
made! { attributes "2s", |error| Err(error), with_a_closure }
made! {
    item
    /// Documented.
    fn as_an_item(runs: &Runs) -> AppResult<u32> {
        by_run(runs)
    }
}
made! { self, match self.0.up() { 1 | 2 => Err(AppError::Busy), run => Ok(run) } }
made! {
    /// Documented.
    #[retryable(policy = "shapes")]
    #[cfg(all())]
    pub(crate) fn whole<'a, T: Clone>(value: &'a T, runs: &Runs) -> AppResult<(T, &'a T)> {
        if runs.up() < 3 {
            return Err(AppError::Busy);
        }
        Ok((value.clone(), value))
    }
}

#[tokio::test(start_paused = true)]
async fn functions_that_a_macro_makes_are_functions() {
    let runs = Runs::new();
    assert_eq!((by_a_macro(&runs), runs.take()), (Ok(3), 3));
    let answer = with_fragments((1, 2), &runs).await;
    assert_eq!((answer, runs.take()), (Err(AppError::Busy), 2));
    assert!(with_fragments((1, 2), &runs).await.is_err());
    let refused = with_fragments((1, 2), &runs)
        .await
        .map_err(AppError::rejected);
    assert!(
        matches!(refused, Err(Rejected::RateLimited { .. })),
        "{refused:?}"
    );
    assert_eq!(Made(Runs::new()).ask(), Ok(3));
    runs.take();
    assert_eq!((whole(&7, &runs), runs.take()), (Ok((7, &7)), 3));
    assert_eq!((as_an_item(&runs), runs.take()), (Ok(3), 3));
    assert_eq!((returns_a_type(&runs).await, runs.take()), (Ok(3), 3));
    let late = with_a_closure().await.map_err(AppError::rejected);
    assert!(matches!(late, Err(Rejected::TimedOut { .. })), "{late:?}");
}

#[test]
fn what_a_macro_makes_has_the_keys_that_it_would_have_by_hand() {
    assert_eq!((with_a_key((10, 1)), with_a_key((10, 2))), (11, 11));
    assert_eq!((with_a_key((20, 1)), RUNS_OF_KEYS.take()), (22, 2));
    assert_eq!((with_a_pattern((1, 1)), with_a_pattern((1, 1))), (3, 3));
    assert_eq!((with_a_pattern((1, 2)), RUNS_OF_KEYS.take()), (5, 2));
}

const WITHIN: fn(&Runs) -> AppResult<u32> = {
    #[retryable(policy = "shapes")]
    fn within(runs: &Runs) -> AppResult<u32> {
        match runs.up() {
            1 | 2 => Err(AppError::Busy),
            run => Ok(run),
        }
    }
    within
};

#[tokio::test(start_paused = true)]
async fn functions_may_stand_wherever_items_do() {
    #[retryable(policy = "shapes")]
    async fn outer(runs: &Runs) -> AppResult<u32> {
        #[retryable(policy = "shapes")]
        async fn inner(runs: &Runs) -> AppResult<u32> {
            let closure = || {
                #[retryable(policy = "shapes", max_attempts = 1)]
                fn innermost(runs: &Runs) -> AppResult<u32> {
                    WITHIN(runs)
                }
                innermost(runs)
            };
            closure()
        }
        inner(runs).await
    }
    static STATIC: fn() -> u32 = {
        #[cached]
        fn counted() -> u32 {
            RUNS_OF_STATIC.up()
        }
        counted
    };
    static RUNS_OF_STATIC: Runs = Runs::new();
    let runs = Runs::new();
    assert_eq!((outer(&runs).await, runs.get()), (Ok(3), 3));
    assert_eq!((STATIC(), STATIC()), (1, 1));
}
