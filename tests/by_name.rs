//! Policies and states by name, without attributes: `check_rate_limit`, `retry`, `cache`.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{
    Cache, CircuitBreaker, RateLimiter, Rejected, RetryPolicy, cached, check_rate_limit,
    rate_limited, retry, retry_blocking,
};
use std::{io, time::Duration};
use support::{AppError, AppResult, Runs, assert_took, timed};

#[tokio::test(start_paused = true)]
async fn check_rate_limit_takes_from_the_attributes_bucket() {
    #[rate_limited(op = "by_name_search", key = user_id)]
    async fn search(user_id: u64) -> AppResult<()> {
        let _ = user_id;
        Ok(())
    }
    search(1).await.unwrap();
    check_rate_limit("by_name_search", &1_u64).unwrap();
    search(1).await.unwrap();
    let refused = check_rate_limit("by_name_search", &1_u64).unwrap_err();
    assert!(matches!(
        refused,
        Rejected::RateLimited {
            op: "by_name_search",
            ..
        }
    ));
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(20)));
    assert!(search(1).await.is_err());
    check_rate_limit("by_name_search", &2_u64).unwrap();
}

#[tokio::test(start_paused = true)]
async fn check_rate_limit_follows_the_switches_of_its_op() {
    for _ in 0..5 {
        check_rate_limit("by_name_off", "key").unwrap();
        check_rate_limit("by_name_observed", "key").unwrap();
    }
}

#[test]
#[should_panic(expected = "by_name_serch")]
fn an_op_that_nobody_defines_is_the_programmers_mistake() {
    let _ = check_rate_limit("by_name_serch", &1);
}

#[tokio::test(start_paused = true)]
async fn retry_takes_a_policy_by_name() {
    let runs = Runs::new();
    let (answer, took) = timed(retry("expensive", || async {
        runs.up();
        Err::<(), _>(AppError::Busy)
    }))
    .await;
    assert_eq!((answer, runs.get()), (Err(AppError::Busy), 5));
    assert_took(took, 15.0);
}

#[tokio::test(start_paused = true)]
async fn retry_takes_a_policy_by_value_and_blocks_on_demand() {
    let policy = RetryPolicy {
        max_attempts: 2,
        ..RetryPolicy::default()
    };
    let runs = Runs::new();
    let answer = retry(policy.clone(), || async {
        match runs.up() {
            1 => Err(io::Error::from(io::ErrorKind::TimedOut)),
            _ => Ok(hardening::attempt()),
        }
    });
    assert_eq!(answer.await.unwrap(), 2);
    runs.take();
    let answer = retry_blocking("expensive", || match runs.up() {
        3 => Ok(3),
        _ => Err(AppError::Busy),
    });
    assert_eq!(answer, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn the_cache_of_annotated_functions_can_be_read_and_changed_by_name() {
    static RUNS: Runs = Runs::new();
    #[cached(name = "by_name: users", key = id)]
    async fn user(id: u64) -> AppResult<String> {
        Ok(format!("{id} of run {}", RUNS.up()))
    }
    let users = hardening::cache::<u64, String>("by_name: users");
    assert_eq!(users.get(&7), None);
    assert_eq!(user(7).await.unwrap(), "7 of run 1");
    assert_eq!(users.get(&7).unwrap(), "7 of run 1");
    users.invalidate(&7);
    assert_eq!(user(7).await.unwrap(), "7 of run 2");
    users.insert(&7, "written".to_owned());
    users.insert(&8, "eight".to_owned());
    assert_eq!(
        (user(7).await.unwrap(), user(8).await.unwrap()),
        ("written".to_owned(), "eight".to_owned())
    );
    assert_eq!((users.len(), users.is_empty(), RUNS.get()), (2, false, 2));
    users.clear();
    assert!(users.is_empty());
    assert_eq!(user(8).await.unwrap(), "8 of run 3");
}

#[tokio::test(start_paused = true)]
async fn a_named_cache_may_have_text_and_tuples_as_keys() {
    static RUNS: Runs = Runs::new();
    #[cached(name = "by_name: pages", key = (tenant, page))]
    fn page(tenant: &str, page: u32) -> u32 {
        let _ = (tenant, page);
        RUNS.up()
    }
    #[cached(name = "by_name: texts", key = text)]
    fn length(text: &str) -> usize {
        text.len()
    }
    page("t", 1);
    let pages = hardening::cache::<(String, u32), u32>("by_name: pages");
    assert_eq!(pages.get(&("t".to_owned(), 1)), Some(1));
    pages.invalidate(&("t".to_owned(), 1));
    assert_eq!(page("t", 1), 2);
    length("four");
    let texts = hardening::cache::<String, usize>("by_name: texts");
    assert_eq!(texts.get("four"), Some(4));
}

#[tokio::test(start_paused = true)]
async fn the_engines_are_plain_types_built_from_a_policy() {
    let limiter = RateLimiter::new(hardening::config::RateLimitPolicy::per_key(
        1,
        Duration::from_secs(10),
    ));
    limiter.check("k").unwrap();
    assert!(limiter.check("k").is_err());
    assert_eq!(limiter.remaining("k"), 0);
    limiter.reset("k");
    assert_eq!(limiter.remaining("k"), 1);

    let breaker = CircuitBreaker::new(hardening::config::CircuitBreakerPolicy::default());
    breaker.force_open();
    let refused: AppResult<()> = breaker.call(|| async { Ok(()) }).await;
    assert!(matches!(
        refused,
        Err(AppError::Rejected(Rejected::CircuitOpen {
            retry_after: None,
            ..
        }))
    ));
    breaker.force_close();
    assert_eq!(breaker.call_blocking(|| AppResult::Ok(1)), Ok(1));

    let cache = Cache::<u8, u8>::new(hardening::config::CachePolicy::default());
    let loaded: io::Result<u8> = cache.get_or_load(1, || async { Ok(2) }).await;
    assert_eq!((loaded.unwrap(), cache.get(&1)), (2, Some(2)));

    let bulkhead = hardening::Bulkhead::new(hardening::config::BulkheadPolicy {
        max_concurrent: 1,
        max_queue: 0,
        ..Default::default()
    });
    let place = bulkhead.try_enter().unwrap();
    assert!(bulkhead.enter(hardening::Priority::Urgent).await.is_err());
    drop(place);
    assert!(bulkhead.try_enter().is_some());
}
