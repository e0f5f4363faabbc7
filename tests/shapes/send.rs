//! A wrapped future is `Send` whenever the body's is: this file would not compile otherwise.
#![forbid(unsafe_code)]

use crate::support::{AppError, AppResult, Runs};
use hardening::{
    Priority, bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout,
};
use std::{cell::Cell, error::Error, future::Future, pin::Pin, rc::Rc};

/// Runs a future that has to be `Send` on another task.
async fn spawned<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(future).await.expect("no panic")
}

fn is_send<T: Send>(value: T) -> T {
    value
}

async fn answer(number: u32) -> AppResult<u32> {
    tokio::task::yield_now().await;
    Ok(number)
}

#[tokio::test(start_paused = true)]
async fn each_attribute_by_itself_keeps_a_future_send() {
    #[retryable(policy = "shapes", retry_if = |_| true, on_retry = |_| ())]
    async fn retried(number: u32) -> AppResult<u32> {
        answer(number).await
    }
    #[rate_limited(capacity = 9, window_seconds = 60, max_wait = 1, key = number, cost = 1)]
    async fn limited(number: u32) -> AppResult<u32> {
        answer(number).await
    }
    #[circuit_breaker(failure_if = |result| result.is_err() && number > 0)]
    async fn broken(number: u32) -> AppResult<u32> {
        answer(number).await
    }
    #[cached(cache_if = |value| *value > 0)]
    async fn remembered(number: u32) -> AppResult<u32> {
        answer(number).await
    }
    #[timeout(call = "9s", attempt = "1s")]
    async fn bounded(number: u32) -> AppResult<u32> {
        answer(number).await
    }
    #[bulkhead(priority = Priority::High)]
    async fn placed(number: u32) -> AppResult<u32> {
        answer(number).await
    }
    #[fallback(|error| answer(number).await.map_err(|_| error))]
    async fn degraded(number: u32) -> AppResult<u32> {
        answer(number).await?;
        Err(AppError::Gone)
    }
    assert_eq!(spawned(retried(1)).await, Ok(1));
    assert_eq!(spawned(limited(1)).await, Ok(1));
    assert_eq!(spawned(broken(1)).await, Ok(1));
    assert_eq!(spawned(remembered(1)).await, Ok(1));
    assert_eq!(spawned(bounded(1)).await, Ok(1));
    assert_eq!(spawned(placed(1)).await, Ok(1));
    assert_eq!(spawned(degraded(1)).await, Ok(1));
}

#[test]
fn all_attributes_together_keep_a_future_sync() {
    #[fallback(|error| Err(error))]
    #[cached(key = number)]
    #[timeout(call = "9s", attempt = "1s")]
    #[rate_limited(capacity = 9, window_seconds = 60, max_wait = 1)]
    #[retryable(policy = "shapes")]
    #[circuit_breaker]
    #[bulkhead]
    async fn all(number: u32) -> AppResult<u32> {
        answer(number).await
    }
    fn is_sync(_: &impl Sync) {}
    is_sync(&answer(1));
    is_sync(&all(1));
}

#[tokio::test(start_paused = true)]
async fn all_attributes_together_keep_a_generic_future_send() {
    #[fallback(|error| Err(error))]
    #[cached(key = number)]
    #[timeout(call = "9s", attempt = "1s")]
    #[rate_limited(capacity = 9, window_seconds = 60, key = (number, &name))]
    #[retryable(policy = "shapes", clone(name))]
    #[circuit_breaker]
    #[bulkhead]
    async fn all<F, Fut>(number: u32, name: String, ask: F, runs: &Runs) -> AppResult<u32>
    where
        F: Fn(String) -> Fut + Send + Sync,
        Fut: Future<Output = AppResult<u32>> + Send,
    {
        runs.up();
        let lent = &number;
        let found = ask(name).await?;
        Ok(*lent + found)
    }
    static RUNS: Runs = Runs::new();
    let ask = |name: String| async move {
        tokio::task::yield_now().await;
        u32::try_from(name.len()).map_err(|_| AppError::Gone)
    };
    assert_eq!(spawned(all(1, "four".to_owned(), ask, &RUNS)).await, Ok(5));
    assert_eq!(spawned(all(1, "four".to_owned(), ask, &RUNS)).await, Ok(5));
    assert_eq!(RUNS.get(), 1);
}

/// Neither its values nor its errors may go to another thread.
#[derive(Debug)]
struct Local(Rc<Cell<u32>>);

impl From<hardening::Rejected> for Local {
    fn from(_: hardening::Rejected) -> Self {
        Self(Rc::default())
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_send_leaves_the_future_send() {
    #[timeout("9s")]
    #[retryable(policy = "shapes", retry_if = |error| error.0.get() < 3)]
    #[circuit_breaker]
    #[bulkhead]
    async fn local(runs: &Runs) -> Result<u32, Local> {
        tokio::task::yield_now().await;
        Err(Local(Rc::new(Cell::new(runs.up()))))
    }
    #[cached]
    async fn remembered() -> Result<u32, Box<dyn Error>> {
        tokio::task::yield_now().await;
        Err("not send".into())
    }
    static RUNS: Runs = Runs::new();
    let error = is_send(local(&RUNS)).await.unwrap_err();
    assert_eq!((error.0.get(), RUNS.get()), (3, 3));
    let error = is_send(remembered()).await.unwrap_err();
    assert_eq!(error.to_string(), "not send");
}

#[tokio::test(start_paused = true)]
async fn a_future_of_a_method_is_send_when_self_is_shared() {
    struct Service(Runs);
    #[retryable(policy = "shapes")]
    #[timeout("1s")]
    #[cached]
    impl Service {
        async fn ask(&self, number: u32) -> AppResult<u32> {
            self.0.up();
            answer(number).await
        }
        fn boxed(&self, number: u32) -> Pin<Box<dyn Future<Output = AppResult<u32>> + Send + '_>> {
            Box::pin(self.ask(number))
        }
        fn opaque(&self, number: u32) -> impl Future<Output = AppResult<u32>> + Send + '_ {
            self.ask(number)
        }
    }
    static SERVICE: Service = Service(Runs::new());
    assert_eq!(spawned(SERVICE.ask(1)).await, Ok(1));
    assert_eq!(spawned(SERVICE.boxed(1)).await, Ok(1));
    assert_eq!(spawned(SERVICE.opaque(1)).await, Ok(1));
    assert_eq!(SERVICE.0.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_not_send_works_where_it_may_stay() {
    #[fallback(|error| Err(error))]
    #[timeout(call = "9s", attempt = "1s")]
    #[retryable(policy = "shapes")]
    #[circuit_breaker]
    #[bulkhead]
    async fn local(runs: Rc<Cell<u32>>) -> AppResult<u32> {
        let kept = Rc::clone(&runs);
        tokio::task::yield_now().await;
        kept.set(kept.get() + 1);
        match kept.get() {
            1 | 2 => Err(AppError::Busy),
            run => Ok(run),
        }
    }
    let runs = Rc::new(Cell::new(0));
    let set = tokio::task::LocalSet::new();
    let task = set.spawn_local(local(Rc::clone(&runs)));
    let answer = set.run_until(task).await.expect("no panic");
    assert_eq!((answer, runs.get()), (Ok(3), 3));
}

/// A body that lends a callback and a value, which need not be `Sync`, to no other task.
#[tokio::test(start_paused = true)]
async fn arguments_that_cannot_be_shared_leave_the_future_send() {
    struct Pool<T>(T);
    #[retryable(policy = "shapes", retry_if = |_| true)]
    #[timeout("9s")]
    async fn called<F, A>(ask: F, runs: &Runs) -> AppResult<u32>
    where
        F: Fn(u32) -> A + Send,
        A: Future<Output = AppResult<u32>> + Send,
    {
        match ask(runs.up()).await? {
            number if number < 3 => Err(AppError::Gone),
            number => Ok(number),
        }
    }
    #[retryable(policy = "shapes", clone(text))]
    #[rate_limited(capacity = 9, window_seconds = 60, key = text.as_ref())]
    #[bulkhead]
    async fn read(text: impl AsRef<str> + Clone + Send, runs: &Runs) -> AppResult<usize> {
        runs.up();
        let len = text.as_ref().to_string().len();
        tokio::task::yield_now().await;
        Ok(len)
    }
    #[circuit_breaker]
    async fn extracted(
        Pool(cell): Pool<Cell<u32>>,
        shown: Box<dyn Fn() -> u32 + Send>,
    ) -> AppResult<u32> {
        tokio::task::yield_now().await;
        cell.set(cell.get() + shown());
        Ok(cell.get())
    }
    static RUNS: Runs = Runs::new();
    let count = Cell::new(0);
    let ask = move |number| {
        count.set(count.get() + number);
        answer(count.get())
    };
    assert_eq!((spawned(called(ask, &RUNS)).await, RUNS.take()), (Ok(3), 2));
    assert_eq!(spawned(read("four", &RUNS)).await, Ok(4));
    let sum = spawned(extracted(Pool(Cell::new(2)), Box::new(|| 3)));
    assert_eq!(sum.await, Ok(5));
}
