//! `#[bulkhead]` by itself.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{Priority, Rejected, bulkhead};
use std::{sync::Mutex, time::Duration};
use support::{AppError, AppResult, Runs, assert_took, timed};

async fn work(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "reads better where it is called"
)]
fn is_full<T>(result: AppResult<T>) -> bool {
    matches!(
        result,
        Err(AppError::Rejected(Rejected::BulkheadFull { .. }))
    )
}

#[tokio::test(start_paused = true)]
async fn only_so_many_calls_run_together_and_the_others_queue() {
    #[bulkhead(max_concurrent = 2)]
    async fn ask(running: &Mutex<(u32, u32)>) -> AppResult<()> {
        {
            let mut now = running.lock().unwrap();
            now.0 += 1;
            now.1 = now.1.max(now.0);
        }
        work(1).await;
        running.lock().unwrap().0 -= 1;
        Ok(())
    }
    let running = &Mutex::new((0, 0));
    let (answers, took) = timed(async {
        tokio::join!(
            ask(running),
            ask(running),
            ask(running),
            ask(running),
            ask(running)
        )
    })
    .await;
    assert_eq!(answers, (Ok(()), Ok(()), Ok(()), Ok(()), Ok(())));
    assert_eq!(running.lock().unwrap().1, 2);
    assert_took(took, 3.0);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_and_a_long_wait_refuse_the_call() {
    #[bulkhead(policy = "bulkhead_one")]
    async fn ask(runs: &Runs) -> AppResult<()> {
        runs.up();
        work(10).await;
        Ok(())
    }
    let runs = Runs::new();
    let ((first, second, third), _) =
        timed(async { tokio::join!(ask(&runs), timed(ask(&runs)), timed(ask(&runs))) }).await;
    assert_eq!(first, Ok(()));
    assert!(is_full(second.0));
    assert_took(second.1, 2.0);
    assert!(is_full(third.0));
    assert_took(third.1, 0.0);
    assert_eq!(
        runs.get(),
        1,
        "a call that timed out in the queue never runs"
    );
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_by_priority_and_first_come_first_served_within_one() {
    #[bulkhead(max_concurrent = 1, priority = priority, max_wait = "1m")]
    async fn ask(
        priority: Priority,
        label: &'static str,
        order: &Mutex<Vec<&str>>,
    ) -> AppResult<()> {
        order.lock().unwrap().push(label);
        work(1).await;
        Ok(())
    }
    let order = &Mutex::new(Vec::new());
    let _ = tokio::join!(
        ask(Priority::Normal, "first", order),
        ask(Priority::Low, "low", order),
        ask(Priority::Normal, "normal 1", order),
        ask(Priority::Normal, "normal 2", order),
        ask(Priority::High, "high", order),
        ask(Priority::Urgent, "urgent", order),
    );
    let order = order.lock().unwrap().clone();
    assert_eq!(
        order,
        ["first", "urgent", "high", "normal 1", "normal 2", "low"]
    );
}

#[tokio::test(start_paused = true)]
async fn functions_of_one_name_share_their_places() {
    #[bulkhead(name = "bulkhead of two", max_concurrent = 1, max_queue = 0)]
    async fn one() -> AppResult<()> {
        work(1).await;
        Ok(())
    }
    #[bulkhead(name = "bulkhead of two", max_concurrent = 1, max_queue = 0, priority = Priority::Urgent)]
    async fn other() -> AppResult<()> {
        Ok(())
    }
    let (one, other) = tokio::join!(one(), other());
    assert_eq!(one, Ok(()));
    let name = "bulkhead of two";
    let full = AppError::Rejected(Rejected::BulkheadFull { name });
    assert_eq!(other, Err(full));
}

mod here {
    use crate::support::AppResult;
    #[hardening::bulkhead(max_concurrent = 1, max_queue = 0)]
    pub(super) async fn same() -> AppResult<()> {
        crate::work(1).await;
        Ok(())
    }
}

mod there {
    use crate::support::AppResult;
    #[hardening::bulkhead(max_concurrent = 1, max_queue = 0)]
    pub(super) async fn same() -> AppResult<()> {
        crate::work(1).await;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn functions_of_one_name_in_two_modules_never_share() {
    let (a, b, c) = tokio::join!(here::same(), there::same(), here::same());
    assert_eq!((a, b), (Ok(()), Ok(())));
    assert!(is_full(c));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_leaves_the_queue_or_its_place() {
    #[bulkhead(max_concurrent = 1, max_queue = 1)]
    async fn ask(seconds: u64) -> AppResult<()> {
        work(seconds).await;
        Ok(())
    }
    let holder = tokio::spawn(ask(100));
    tokio::task::yield_now().await;
    let waiter = tokio::spawn(ask(1));
    tokio::task::yield_now().await;
    assert!(is_full(ask(1).await));
    waiter.abort();
    let _ = waiter.await;
    let waiter = tokio::spawn(ask(1));
    tokio::task::yield_now().await;
    holder.abort();
    assert_eq!(waiter.await.unwrap(), Ok(()));
    assert_eq!(ask(1).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_panic_gives_its_place_back() {
    #[bulkhead(max_concurrent = 1, max_queue = 0)]
    async fn ask(fine: bool) -> AppResult<()> {
        assert!(fine, "a body of the test");
        Ok(())
    }
    assert!(tokio::spawn(ask(false)).await.unwrap_err().is_panic());
    assert_eq!(ask(true).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_switched_off_bounds_nothing() {
    #[bulkhead(policy = "bulkhead_off")]
    async fn ask() -> AppResult<()> {
        work(1).await;
        Ok(())
    }
    assert_eq!(tokio::join!(ask(), ask(), ask()), (Ok(()), Ok(()), Ok(())));
}

#[tokio::test(start_paused = true)]
async fn per_call_without_a_retry_is_as_it_is_without() {
    #[bulkhead(max_concurrent = 1, max_queue = 0, per = "call")]
    async fn ask() -> AppResult<()> {
        work(1).await;
        Ok(())
    }
    let (one, other) = tokio::join!(ask(), ask());
    assert!(one.is_ok() && is_full(other));
}

#[tokio::test(start_paused = true)]
async fn methods_generic_and_blocking_functions_have_places() {
    struct Client(u8);
    impl Client {
        #[bulkhead(name = "bulkhead of methods", max_concurrent = 1, max_queue = 0)]
        async fn shared(&self) -> AppResult<AppResult<()>> {
            Ok(Self::associated())
        }
        #[bulkhead(name = "bulkhead of methods", max_concurrent = 1, max_queue = 0)]
        async fn exclusive(&mut self) -> AppResult<u8> {
            self.0 += 1;
            Ok(self.0)
        }
        #[bulkhead(name = "bulkhead of methods", max_concurrent = 1, max_queue = 0, priority = Priority::High)]
        fn associated() -> AppResult<()> {
            Ok(())
        }
    }
    #[bulkhead(max_concurrent = 1)]
    async fn generic<T>(value: T) -> AppResult<T> {
        Ok(value)
    }
    let mut client = Client(0);
    assert!(
        is_full(client.shared().await.unwrap()),
        "it holds the only place"
    );
    assert_eq!(client.exclusive().await, Ok(1));
    assert_eq!(Client::associated(), Ok(()));
    assert_eq!(generic("x").await, Ok("x"));
}
