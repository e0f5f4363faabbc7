//! The strictest lints that users set find nothing in what the attributes make of a function: each
//! attribute by itself and all of them, on functions of every shape. Clippy over the tests is what
//! checks this file; that the functions run is all that is asserted.
#![forbid(unsafe_code)]
#![deny(
    unused,
    nonstandard_style,
    future_incompatible,
    rust_2018_idioms,
    unreachable_pub,
    missing_docs,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unused_lifetimes,
    unused_qualifications,
    let_underscore_drop,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]

use hardening::{
    Class, Classify, Priority, Rejected, RetryEvent, bulkhead, cached, circuit_breaker, fallback,
    health_check, rate_limited, retryable, timeout,
};
use std::{future::Future, pin::Pin};

#[derive(Debug, Classify)]
enum Failed {
    #[transient]
    Busy,
    #[transient(after = wait)]
    Later { wait: std::time::Duration },
    #[permanent]
    Lost,
    #[classify(forward)]
    Rejected(Rejected),
}

impl From<Rejected> for Failed {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

fn again(failed: &Failed) -> bool {
    failed.classify() != Class::Permanent
}

fn told(event: &RetryEvent) {
    assert!(event.attempt > 0);
}

mod alone {
    use super::{Failed, Priority, again, told};
    use hardening::{
        bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout,
    };

    #[retryable(retry_if = again, on_retry = told, max_attempts = 2)]
    pub(super) fn retried(id: u64) -> Result<u64, Failed> {
        if id == 0 {
            return Err(Failed::Busy);
        }
        Ok(id)
    }

    #[retryable(clone(body, list))]
    pub(super) async fn cloned(body: String, mut list: Vec<u8>) -> Result<usize, Failed> {
        list.push(1);
        tokio::task::yield_now().await;
        Ok(body.into_bytes().len() + list.len())
    }

    #[rate_limited(capacity = 10, window_seconds = 60, key = (id, "quiet"), cost = 2)]
    pub(super) async fn limited(id: u64) -> Result<u64, Failed> {
        tokio::task::yield_now().await;
        Ok(id)
    }

    #[circuit_breaker(failure_if = |answer: &Result<u64, Failed>| answer.is_err())]
    pub(super) fn broken(id: u64) -> Result<u64, Failed> {
        if id == 0 { Err(Failed::Lost) } else { Ok(id) }
    }

    #[cached(ttl = 60, cache_if = |id| *id > 0)]
    pub(super) async fn fallible(id: u64, _unread: &str) -> Result<u64, Failed> {
        tokio::task::yield_now().await;
        Ok(id)
    }

    #[cached]
    pub(super) fn plain(id: u64) -> u64 {
        id
    }

    #[cached]
    pub(super) fn option((id, more): (u64, u64)) -> Option<u64> {
        Some(id + more)
    }

    #[timeout("5s")]
    pub(super) async fn bounded(id: u64) -> Result<u64, Failed> {
        tokio::task::yield_now().await;
        Ok(id)
    }

    #[bulkhead(max_concurrent = 2, priority = Priority::High)]
    pub(super) fn admitted(id: u64) -> Result<u64, Failed> {
        Ok(id)
    }

    #[fallback(|failed| if matches!(failed, Failed::Lost) { Ok(id) } else { Err(failed) })]
    pub(super) fn replaced(id: u64) -> Result<u64, Failed> {
        Err(Failed::Lost)
    }
}

/// Code in brackets that it could do without: as the tail of a closure of the user's own, or as its
/// argument, the compiler would not mind it.
mod bracketed {
    use super::{Failed, Priority};
    use hardening::{bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable};

    async fn answer(id: u64) -> Result<u64, Failed> {
        tokio::task::yield_now().await;
        Ok(id)
    }

    #[fallback(|_| { Ok(id) })]
    pub(super) fn block(id: u64) -> Result<u64, Failed> {
        Err(Failed::Lost)
    }

    #[fallback(|_| { answer(id).await })]
    pub(super) async fn waiting(id: u64) -> Result<u64, Failed> {
        answer(id).await?;
        Err(Failed::Lost)
    }

    #[fallback(|failed| -> Result<String, Failed> { Ok(format!("{failed:?}")) })]
    pub(super) fn typed() -> Result<String, Failed> {
        Err(Failed::Lost)
    }

    #[fallback(|_| (Ok(id)))]
    pub(super) fn parentheses(id: u64) -> Result<u64, Failed> {
        Err(Failed::Lost)
    }

    #[fallback(|_| ({ (Ok(id)) }))]
    pub(super) fn several(id: u64) -> Result<u64, Failed> {
        Err(Failed::Lost)
    }

    #[rate_limited(capacity = 9, window_seconds = 60, key = (id), cost = (1))]
    pub(super) fn limited(id: u64) -> Result<u64, Failed> {
        Ok(id)
    }

    #[rate_limited(capacity = 9, window_seconds = 60, key = { id }, cost = { 1 })]
    pub(super) fn limited_in_braces(id: u64) -> Result<u64, Failed> {
        Ok(id)
    }

    #[rate_limited(capacity = 9, window_seconds = 60, key = ((id), { id }, (id + 1)), cost = ((1 + 1)))]
    pub(super) fn limited_in_parts(id: u64) -> Result<u64, Failed> {
        Ok(id)
    }

    #[cached(key = (id), ttl = 60)]
    #[bulkhead(priority = (Priority::Low))]
    pub(super) fn kept(id: u64) -> Result<u64, Failed> {
        Ok(id)
    }

    #[cached(key = { id + 1 }, ttl = 60, cache_if = |id| { *id > 0 })]
    #[bulkhead(priority = { Priority::Low })]
    pub(super) fn kept_in_braces(id: u64) -> Result<u64, Failed> {
        Ok(id)
    }

    #[retryable(retry_if = |failed| { matches!(failed, Failed::Busy) }, on_retry = |_| {})]
    #[circuit_breaker(failure_if = |result| { result.is_err() })]
    pub(super) fn asked(id: u64) -> Result<u64, Failed> {
        Ok(id)
    }
}

#[health_check(name = "quiet", interval = 60)]
async fn healthy() -> Result<(), Failed> {
    tokio::task::yield_now().await;
    Ok(())
}

/// Every layer there is, around one body.
#[fallback(|_| Ok(String::new()))]
#[cached(ttl = 60, key = id)]
#[timeout(call = "5s", attempt = "1s")]
#[rate_limited(capacity = 100, window_seconds = 60)]
#[retryable(max_attempts = 2)]
#[circuit_breaker]
#[bulkhead]
async fn all(id: u64) -> Result<String, Failed> {
    let text = async { Ok::<_, Failed>(id.to_string()) }.await?;
    if text.is_empty() {
        return Err(Failed::Later {
            wait: std::time::Duration::ZERO,
        });
    }
    Ok(text)
}

#[fallback(|_| Ok(()))]
#[rate_limited(capacity = 100, window_seconds = 60, per = "attempt")]
#[retryable(max_attempts = 2)]
#[circuit_breaker(per = "call")]
#[bulkhead(per = "call")]
fn nothing() -> Result<(), Failed> {
    Ok(())
}

/// What a service keeps.
struct Client<T> {
    base: T,
}

#[retryable]
#[circuit_breaker]
impl<T: Copy + Into<u64> + Sync> Client<T> {
    const LIMIT: u64 = 3;

    #[hardening(skip)]
    const fn new(base: T) -> Self {
        Self { base }
    }

    async fn ask<'a>(&self, words: &'a str) -> Result<&'a str, Failed> {
        tokio::task::yield_now().await;
        Ok(&words[..usize::try_from(self.base.into()).unwrap_or(0)])
    }

    fn tell(&mut self, base: T) -> Result<u64, Failed> {
        self.base = base;
        Ok(self.base.into() + Self::LIMIT)
    }

    fn generic<const N: usize>(&self, items: &[impl AsRef<str>; N]) -> Result<usize, Failed> {
        let of = |item: &str| -> Result<usize, Failed> { Ok(item.len()) };
        let mut sum = 0;
        for item in items {
            sum += of(item.as_ref())?;
        }
        Ok(sum)
    }
}

trait Service {
    async fn call(&self, id: u64) -> Result<u64, Failed>;
    fn boxed(&self, id: u64) -> Pin<Box<dyn Future<Output = Result<u64, Failed>> + Send + '_>>;
}

#[timeout("5s")]
#[retryable]
impl Service for Client<u32> {
    async fn call(&self, id: u64) -> Result<u64, Failed> {
        tokio::task::yield_now().await;
        Ok(id + u64::from(self.base))
    }

    fn boxed(&self, id: u64) -> Pin<Box<dyn Future<Output = Result<u64, Failed>> + Send + '_>> {
        Box::pin(async move { Ok(id + u64::from(self.base)) })
    }
}

#[retryable]
#[timeout("5s")]
fn opaque(id: u64) -> impl Future<Output = Result<u64, Failed>> + Send {
    async move { Ok(id) }
}

/// A newtype that is `Copy`: the body may consume it.
#[derive(Clone, Copy)]
struct Id(u64);

const fn take(id: Id) -> u64 {
    id.0
}

#[retryable]
fn consumed(id: Id, _unused: Id) -> Result<u64, Failed> {
    Ok(take(id))
}

/// What a body takes out of its arguments, all of it `Copy`.
#[retryable]
async fn taken_apart(pair: (Id, String), number: Option<u64>) -> Result<u64, Failed> {
    let (id, _) = pair;
    let (_same, ref _name) = pair;
    let number = match number {
        Some(number) if number > 1 => number,
        Some(mut number) => {
            number += 1;
            number
        }
        None => take(pair.0),
    };
    tokio::task::yield_now().await;
    Ok(take(id) + number)
}

#[retryable]
fn taken_on_a_condition(id: Option<Id>, pair: (u64, Id)) -> Result<u64, Failed> {
    let (number, _) = pair;
    let Some(id) = id else {
        return Ok(number);
    };
    if let (1, id) = pair {
        return Ok(take(id));
    }
    Ok(take(id) + pair.0)
}

macro_rules! made {
    ($($name:ident),*) => {$(
        #[retryable]
        #[cached]
        async fn $name(id: u64) -> Result<u64, Failed> {
            tokio::task::yield_now().await;
            Ok(id)
        }
    )*};
}

made!(first, second);

#[test]
fn functions_by_themselves_run() {
    assert_eq!(alone::retried(1).unwrap(), 1);
    assert_eq!(alone::broken(1).unwrap(), 1);
    assert_eq!(alone::plain(1), 1);
    assert_eq!(alone::option((1, 2)), Some(3));
    assert_eq!(alone::admitted(1).unwrap(), 1);
    assert_eq!(alone::replaced(1).unwrap(), 1);
    assert_eq!(consumed(Id(1), Id(2)).unwrap(), 1);
    assert_eq!(taken_on_a_condition(Some(Id(1)), (2, Id(3))).unwrap(), 3);
    nothing().unwrap();
}

#[tokio::test(start_paused = true)]
async fn async_functions_by_themselves_run() {
    assert_eq!(alone::cloned(String::new(), vec![]).await.unwrap(), 1);
    assert_eq!(alone::limited(1).await.unwrap(), 1);
    assert_eq!(alone::fallible(1, "").await.unwrap(), 1);
    assert_eq!(alone::bounded(1).await.unwrap(), 1);
    assert_eq!(all(1).await.unwrap(), "1");
    let taken = taken_apart((Id(1), String::new()), Some(1));
    assert_eq!(taken.await.unwrap(), 3);
    assert_eq!(opaque(1).await.unwrap(), 1);
    assert_eq!(first(1).await.unwrap() + second(2).await.unwrap(), 3);
    healthy().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn functions_with_bracketed_code_run() {
    assert_eq!(bracketed::block(1).unwrap(), 1);
    assert_eq!(bracketed::waiting(1).await.unwrap(), 1);
    assert_eq!(bracketed::typed().unwrap(), "Lost");
    assert_eq!(bracketed::parentheses(1).unwrap(), 1);
    assert_eq!(bracketed::several(1).unwrap(), 1);
    assert_eq!(bracketed::limited(1).unwrap(), 1);
    assert_eq!(bracketed::limited_in_braces(1).unwrap(), 1);
    assert_eq!(bracketed::limited_in_parts(1).unwrap(), 1);
    assert_eq!(bracketed::kept(1).unwrap(), 1);
    assert_eq!(bracketed::kept_in_braces(1).unwrap(), 1);
    assert_eq!(bracketed::asked(1).unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn methods_run() {
    let mut client = Client::new(2_u32);
    assert_eq!(client.ask("three").await.unwrap(), "th");
    assert_eq!(client.tell(3).unwrap(), 6);
    assert_eq!(client.generic(&["one", "two"]).unwrap(), 6);
    assert_eq!(client.call(1).await.unwrap(), 4);
    assert_eq!(client.boxed(1).await.unwrap(), 4);
}
