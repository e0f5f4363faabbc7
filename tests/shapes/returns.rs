//! Return types: aliases, options, opaque types, and futures without `async`.
#![forbid(unsafe_code)]

use crate::support::{AppError, AppResult, Runs};
use hardening::{Rejected, cached, circuit_breaker, fallback, retryable, timeout};
use std::{
    error::Error,
    fmt::{Debug, Display},
    future::Future,
    io,
    pin::Pin,
    rc::Rc,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// Fails in the first two runs.
fn third(runs: &Runs) -> AppResult<u32> {
    match runs.up() {
        1 | 2 => Err(AppError::Busy),
        run => Ok(run),
    }
}

struct Client(AtomicU32);

impl Client {
    #[retryable(max_attempts = 3, base_delay = 1, jitter = "none")]
    #[timeout("10s")]
    fn boxed<'a>(
        &'a self,
        ok_at: u32,
    ) -> Pin<Box<dyn Future<Output = io::Result<u32>> + Send + 'a>> {
        if ok_at == 0 {
            return Box::pin(async { Ok(0) });
        }
        Box::pin(async move {
            let run = self.0.fetch_add(1, SeqCst) + 1;
            tokio::task::yield_now().await;
            if run < ok_at {
                Err(reset())?;
            }
            Ok(run)
        })
    }

    #[circuit_breaker(failure_threshold = 1)]
    fn alias(&self, fail: bool) -> BoxFuture<'_, Result<u32, Rejected>> {
        Box::pin(async move {
            self.0.fetch_add(1, SeqCst);
            if fail {
                let (name, after) = ("further in", std::time::Duration::ZERO);
                return Err(Rejected::TimedOut { name, after });
            }
            Ok(1)
        })
    }

    #[retryable(max_attempts = 2, base_delay = 0)]
    fn opaque(&self, text: &'static str) -> impl Future<Output = io::Result<usize>> + Send + '_ {
        let len = text.len();
        async move {
            if self.0.fetch_add(1, SeqCst) == 0 {
                return Err(reset());
            }
            Ok(len)
        }
    }
}

#[cached(ttl = 60)]
fn remembered(id: u32) -> impl Future<Output = Option<u32>> {
    async move {
        RUNS.fetch_add(1, SeqCst);
        (id > 0).then_some(id)
    }
}
static RUNS: AtomicU32 = AtomicU32::new(0);

#[tokio::test(start_paused = true)]
async fn a_boxed_future_is_made_anew_for_each_attempt() {
    let client = Client(AtomicU32::new(0));
    assert_eq!(client.boxed(3).await.unwrap(), 3);
    assert_eq!(client.boxed(0).await.unwrap(), 0);
    let client = Client(AtomicU32::new(0));
    assert!(client.boxed(9).await.is_err());
    assert_eq!(client.0.load(SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn an_alias_of_a_boxed_future_is_known_by_its_name() {
    let client = Client(AtomicU32::new(0));
    assert!(client.alias(true).await.is_err());
    assert!(matches!(
        client.alias(false).await,
        Err(Rejected::CircuitOpen { .. })
    ));
    assert_eq!(client.0.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_opaque_future_is_made_anew_for_each_attempt() {
    let client = Client(AtomicU32::new(0));
    assert_eq!(client.opaque("four").await.unwrap(), 4);
    assert_eq!(client.0.load(SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_future_of_an_option_found_is_remembered() {
    assert_eq!(
        (remembered(4).await, remembered(4).await),
        (Some(4), Some(4))
    );
    assert_eq!((remembered(0).await, remembered(0).await), (None, None));
    assert_eq!(RUNS.load(SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn a_local_boxed_future_need_not_be_send() {
    #[retryable(policy = "shapes")]
    fn local(runs: &Rc<Runs>) -> LocalBoxFuture<'_, AppResult<u32>> {
        let runs = Rc::clone(runs);
        Box::pin(async move {
            tokio::task::yield_now().await;
            third(&runs)
        })
    }
    let runs = Rc::new(Runs::new());
    assert_eq!((local(&runs).await, runs.get()), (Ok(3), 3));
}

#[tokio::test(start_paused = true)]
async fn aliases_and_paths_of_results_are_results() {
    type Answer = Result<u32, AppError>;
    type Swapped<E, T> = Result<T, E>;
    mod wire {
        pub(super) type Result<T = u32> = std::result::Result<T, super::AppError>;
    }
    #[retryable(policy = "shapes")]
    fn alias(runs: &Runs) -> Answer {
        third(runs)
    }
    #[retryable(policy = "shapes")]
    async fn async_alias(runs: &Runs) -> Answer {
        third(runs)
    }
    #[retryable(policy = "shapes")]
    fn swapped(runs: &Runs) -> Swapped<AppError, u32> {
        third(runs)
    }
    #[retryable(policy = "shapes")]
    async fn default_parameter(runs: &Runs) -> wire::Result {
        third(runs)
    }
    #[retryable(policy = "shapes")]
    fn by_path(runs: &Runs) -> ::core::result::Result<u32, AppError> {
        third(runs)
    }
    #[retryable(policy = "shapes", retry_if = |_| true)]
    async fn of_anyhow(runs: &Runs) -> anyhow::Result<u32> {
        Ok(third(runs)?)
    }
    #[retryable(policy = "shapes", retry_if = |_| true)]
    fn of_box(runs: &Runs) -> Result<u32, Box<dyn Error>> {
        Ok(third(runs)?)
    }
    let runs = Runs::new();
    assert_eq!((alias(&runs), runs.take()), (Ok(3), 3));
    assert_eq!((async_alias(&runs).await, runs.take()), (Ok(3), 3));
    assert_eq!((swapped(&runs), runs.take()), (Ok(3), 3));
    assert_eq!((default_parameter(&runs).await, runs.take()), (Ok(3), 3));
    assert_eq!((by_path(&runs), runs.take()), (Ok(3), 3));
    assert_eq!((of_anyhow(&runs).await.ok(), runs.take()), (Some(3), 3));
    assert_eq!((of_box(&runs).ok(), runs.take()), (Some(3), 3));
}

#[tokio::test(start_paused = true)]
async fn options_and_plain_values_are_remembered_and_none_is_not() {
    #[cached]
    fn even(number: u32) -> Option<u32> {
        EVEN.up();
        number.is_multiple_of(2).then_some(number)
    }
    #[cached]
    async fn even_later(number: u32) -> Option<u32> {
        EVEN.up();
        Some(number).filter(|number| number.is_multiple_of(2))
    }
    #[cached]
    fn plain(number: u32) -> (u32, [char; 1]) {
        (number + EVEN.up(), ['x'])
    }
    static EVEN: Runs = Runs::new();
    assert_eq!((even(2), even(2), EVEN.take()), (Some(2), Some(2), 1));
    assert_eq!((even(1), even(1), EVEN.take()), (None, None, 2));
    assert_eq!(
        (even_later(2).await, even_later(2).await),
        (Some(2), Some(2))
    );
    assert_eq!((even_later(1).await, even_later(1).await), (None, None));
    assert_eq!(EVEN.take(), 3);
    assert_eq!((plain(1), plain(1)), ((2, ['x']), (2, ['x'])));
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

/// Items that come one after the other, as streams are.
trait Stream {
    type Item;
    fn poll_next(self: Pin<&mut Self>) -> Option<Self::Item>;
}

struct Counting(u32);

impl Stream for Counting {
    type Item = u32;
    fn poll_next(mut self: Pin<&mut Self>) -> Option<u32> {
        self.0 = self.0.checked_sub(1)?;
        Some(self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_in_a_result_may_be_opaque() {
    #[retryable(policy = "shapes")]
    fn iterator(runs: &Runs) -> AppResult<impl Iterator<Item = u32> + Clone + use<>> {
        let first = third(runs)?;
        Ok((first..).take(2).filter(move |n| n % 2 == first % 2))
    }
    #[circuit_breaker]
    #[retryable(policy = "shapes")]
    async fn stream(runs: &Runs) -> Result<impl Stream<Item = u32> + Unpin, AppError> {
        third(runs).map(Counting)
    }
    #[retryable(policy = "shapes")]
    fn function<'a>(text: &'a str, runs: &Runs) -> AppResult<impl Fn(u32) -> Vec<u32> + use<'a>> {
        let by = third(runs)?;
        Ok(move |n| vec![n * by; text.len()])
    }
    #[retryable(policy = "shapes")]
    async fn several(runs: &Runs) -> Result<(impl Display, Vec<Option<impl Debug>>), AppError> {
        let number = third(runs)?;
        Ok((number, vec![Some(number), None]))
    }
    #[fallback(|_| Ok(Box::new(std::iter::empty())))]
    fn object(runs: &Runs) -> AppResult<Box<dyn Iterator<Item = u32>>> {
        Ok(Box::new(std::iter::once(third(runs)?)))
    }
    let runs = Runs::new();
    assert_eq!(
        (iterator(&runs).unwrap().collect::<Vec<_>>(), runs.take()),
        (vec![3], 3)
    );
    let mut counting = stream(&runs).await.ok().unwrap();
    assert_eq!(
        (Pin::new(&mut counting).poll_next(), runs.take()),
        (Some(2), 3)
    );
    assert_eq!(
        (function("ab", &runs).unwrap()(2), runs.take()),
        (vec![6, 6], 3)
    );
    let (shown, listed) = several(&runs).await.ok().unwrap();
    assert_eq!(
        (shown.to_string(), format!("{listed:?}")),
        ("3".to_owned(), "[Some(3), None]".to_owned())
    );
    runs.take();
    assert_eq!((object(&runs).unwrap().count(), runs.take()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_result_may_hold_anything() {
    #[retryable(policy = "shapes")]
    fn nothing(runs: &Runs) -> AppResult<()> {
        third(runs).map(drop)
    }
    #[retryable(policy = "shapes")]
    async fn nested(runs: &Runs) -> AppResult<Option<Result<u32, &'static str>>> {
        Ok(Some(Ok(third(runs)?)))
    }
    #[retryable(policy = "shapes")]
    async fn lent<'a>(runs: &Runs, text: &'a str) -> AppResult<(&'a str, [u32; 2])> {
        Ok((text, [third(runs)?; 2]))
    }
    #[retryable(policy = "shapes")]
    fn never(runs: &Runs) -> AppResult<std::convert::Infallible> {
        third(runs)?;
        Err(AppError::Gone)
    }
    let runs = Runs::new();
    assert_eq!((nothing(&runs), runs.take()), (Ok(()), 3));
    assert_eq!((nested(&runs).await, runs.take()), (Ok(Some(Ok(3))), 3));
    assert_eq!(
        (lent(&runs, "x").await, runs.take()),
        (Ok(("x", [3, 3])), 3)
    );
    assert_eq!((never(&runs), runs.take()), (Err(AppError::Gone), 3));
}

macro_rules! answer {
    ($ty:ty) => { AppResult<$ty> };
}

#[tokio::test(start_paused = true)]
async fn a_return_type_may_come_from_a_macro() {
    #[retryable(policy = "shapes")]
    fn blocking(runs: &Runs) -> answer!(u32) {
        third(runs)
    }
    #[retryable(policy = "shapes")]
    async fn asynchronous(runs: &Runs) -> answer!(u32) {
        third(runs)
    }
    let runs = Runs::new();
    assert_eq!((blocking(&runs), runs.take()), (Ok(3), 3));
    assert_eq!((asynchronous(&runs).await, runs.take()), (Ok(3), 3));
}
