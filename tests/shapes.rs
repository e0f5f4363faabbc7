//! The attributes on the functions that real services have.
#![deny(warnings)]

use hardening::{
    Classify, Rejected, bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable,
    timeout,
};
use std::{
    error::Error,
    hash::Hash,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

#[derive(Clone, Debug, PartialEq, Classify)]
enum AppError {
    #[transient]
    Busy,
    #[transient(after = wait)]
    Later { wait: Option<Duration> },
    #[permanent]
    Gone,
    #[classify(forward)]
    Rejected(Rejected),
}

impl From<Rejected> for AppError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

#[async_trait::async_trait]
trait Repository {
    async fn find(&self, id: u32, query: String) -> Result<String, AppError>;
    async fn add(&mut self, line: &str) -> Result<usize, AppError>;
}

#[derive(Default)]
struct Below(Vec<String>, AtomicU32);

#[async_trait::async_trait]
impl Repository for Below {
    #[retryable(clone(query))]
    #[timeout("5s")]
    async fn find(&self, id: u32, query: String) -> Result<String, AppError> {
        if self.1.fetch_add(1, SeqCst) == 0 {
            return Err(AppError::Busy);
        }
        Ok(format!("{id} {query} {}", self.0.len()))
    }

    #[circuit_breaker]
    #[timeout("1s")]
    async fn add(&mut self, line: &str) -> Result<usize, AppError> {
        self.0.push(line.into());
        Ok(self.0.len())
    }
}

#[derive(Default)]
struct Above(Vec<String>, AtomicU32);

#[retryable(max_attempts = 2)]
#[async_trait::async_trait]
impl Repository for Above {
    #[retryable(clone(query), max_attempts = 3)]
    async fn find(&self, _: u32, query: String) -> Result<String, AppError> {
        drop(query);
        self.1.fetch_add(1, SeqCst);
        Err(AppError::Later { wait: None })
    }

    async fn add(&mut self, line: &str) -> Result<usize, AppError> {
        self.0.push(line.into());
        let wait = Some(Duration::from_millis(5));
        if self.0.len() < 2 {
            Err(AppError::Later { wait })
        } else {
            Ok(self.0.len())
        }
    }
}

#[tokio::test(start_paused = true)]
async fn async_trait_may_stand_above_the_block_and_our_attributes_on_its_methods() {
    let mut below = Below::default();
    assert_eq!(below.find(1, "a".into()).await.unwrap(), "1 a 0");
    assert_eq!(below.1.load(SeqCst), 2);
    assert_eq!(below.add("x").await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn our_attributes_may_stand_above_async_trait() {
    let mut above = Above::default();
    assert!(above.find(1, "a".into()).await.is_err());
    assert_eq!(
        above.1.load(SeqCst),
        3,
        "the method's own attribute replaces the block's"
    );
    assert_eq!(above.add("x").await.unwrap(), 2);
}

struct Service(AtomicU32);

impl Service {
    #[retryable(clone(values))]
    #[tracing::instrument(skip(self))]
    async fn patterns(
        self: Arc<Self>,
        (a, b): (u32, u32),
        mut values: Vec<u32>,
        _: &str,
    ) -> Result<u32, AppError> {
        values.push(1);
        if self.0.fetch_add(1, SeqCst) == 0 {
            return Err(AppError::Busy);
        }
        Ok(a + b + values.iter().sum::<u32>())
    }

    #[retryable]
    async fn pinned(self: Pin<&mut Self>) -> Result<u32, AppError> {
        Ok(self.0.fetch_add(1, SeqCst))
    }

    #[tracing::instrument(skip(self))]
    #[retryable]
    async fn instrumented(&self) -> Result<u32, AppError> {
        Ok(self.0.fetch_add(1, SeqCst))
    }

    #[cached]
    fn generic<T: Hash + Clone + Send + Sync + 'static>(&self, value: T) -> T {
        self.0.fetch_add(1, SeqCst);
        value
    }

    #[bulkhead]
    async fn recursive(&self, left: u32) -> Result<u32, AppError> {
        self.0.fetch_add(1, SeqCst);
        if left == 0 {
            return Ok(0);
        }
        Ok(1 + Box::pin(self.recursive(left - 1)).await?)
    }

    #[rate_limited(op = "search", key = (text, *number), cost = padding.len())]
    fn r#type<'a, const N: usize>(
        text: &'a str,
        number: &u32,
        padding: [u8; N],
    ) -> Result<&'a str, Box<dyn Error + Send + Sync>> {
        let _ = (number, padding);
        Ok(text)
    }

    #[retryable(retry_if = |error| *error == AppError::Gone, base_delay = 0)]
    fn iterates(&mut self, runs: &mut u32) -> Result<impl Iterator<Item = u32> + use<>, AppError> {
        *runs += 1;
        if *runs < 3 {
            Err(AppError::Gone)
        } else {
            Ok(std::iter::once(*runs))
        }
    }

    #[cfg_attr(all(), retryable(max_attempts = 2))]
    #[timeout("1s")]
    async fn conditional(&self) -> Result<u32, AppError> {
        self.0.fetch_add(1, SeqCst);
        Err(AppError::Busy)
    }

    #[fallback(|_| Ok(self.0.load(SeqCst)))]
    async fn degrades(&self) -> Result<u32, AppError> {
        let found = [1_u32]
            .iter()
            .map(|n| n.checked_sub(2).ok_or(AppError::Gone))
            .next();
        let inner = async { Err::<u32, _>(AppError::Busy) };
        if inner.await.is_err() {
            found.ok_or(AppError::Busy)??;
        }
        Ok(0)
    }
}

fn service() -> Service {
    Service(AtomicU32::new(0))
}

#[tokio::test(start_paused = true)]
async fn patterns_and_every_form_of_self_are_arguments_like_others() {
    let shared = Arc::new(service());
    let sum = tokio::spawn(Arc::clone(&shared).patterns((1, 2), vec![], "")).await;
    assert_eq!(sum.unwrap().unwrap(), 3 + 1);
    assert_eq!(Pin::new(&mut service()).pinned().await.unwrap(), 0);
    assert_eq!(service().instrumented().await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn generic_and_recursive_functions_share_one_site() {
    let service = service();
    assert_eq!((service.generic("a"), service.generic("a")), ("a", "a"));
    assert_eq!((service.generic(7), service.generic(7)), (7, 7));
    assert_eq!(service.0.load(SeqCst), 2);
    assert_eq!(service.recursive(3).await.unwrap(), 3);
    let sites = hardening::sites();
    let generic = sites
        .iter()
        .filter(|site| site.path.ends_with("Service::generic"));
    assert_eq!(generic.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn raw_names_lifetimes_constants_and_opaque_types_survive() {
    assert_eq!(Service::r#type("x", &3, [0; 3]).unwrap(), "x");
    let over = Service::r#type("x", &3, [0; 31]).unwrap_err();
    assert!(matches!(
        over.downcast_ref(),
        Some(Rejected::RateLimited {
            retry_after: None,
            ..
        })
    ));
    let mut runs = 0;
    assert_eq!(
        service().iterates(&mut runs).unwrap().collect::<Vec<_>>(),
        [3]
    );
}

#[tokio::test(start_paused = true)]
async fn an_attribute_that_cfg_attr_brings_joins_the_others() {
    let service = service();
    assert!(service.conditional().await.is_err());
    assert_eq!(service.0.load(SeqCst), 2);
    assert_eq!(service.degrades().await, Ok(2));
}

/// Names of the prelude that somebody else has taken.
mod shadowed {
    #![allow(dead_code)]
    pub(crate) struct Result;
    pub(crate) struct Option;
    pub(crate) struct Some;
    pub(crate) struct Box;
    pub(crate) struct String;
    pub(crate) mod std {}

    #[hardening::retryable]
    #[hardening::circuit_breaker]
    #[hardening::timeout("2s")]
    pub(crate) async fn odd(number: u8) -> ::core::result::Result<u8, super::AppError> {
        if number % 2 == 1 {
            Ok(number)
        } else {
            Err(super::AppError::Gone)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn names_of_the_prelude_may_mean_something_else() {
    assert_eq!(shadowed::odd(3).await, Ok(3));
    assert_eq!(shadowed::odd(2).await, Err(AppError::Gone));
}

macro_rules! made {
    ($name:ident) => {
        #[retryable(max_attempts = 2, base_delay = 0)]
        fn $name(runs: &mut u32) -> Result<(), AppError> {
            *runs += 1;
            Err(AppError::Busy)
        }
    };
}
made!(by_a_macro);

#[test]
fn functions_that_a_macro_makes_are_functions() {
    let mut runs = 0;
    assert!(by_a_macro(&mut runs).is_err());
    assert_eq!(runs, 2);
}

/// A value whose type is only called so.
#[derive(Clone, Debug, PartialEq)]
struct SearchResult(u64);

#[cached(ttl = 5)]
fn found(id: u64) -> SearchResult {
    SearchResult(id)
}

#[test]
fn a_value_may_be_called_a_result() {
    assert_eq!((found(7), found(7)), (SearchResult(7), SearchResult(7)));
}
