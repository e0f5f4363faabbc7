//! Attributes on `impl` blocks and trait impls, and in any order.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout};
use std::{fmt::Debug, time::Duration};
use support::{AppError, AppResult, Runs, assert_took, timed};

#[tokio::test(start_paused = true)]
async fn an_attribute_on_a_block_applies_to_each_of_its_methods() {
    struct Client {
        runs: Runs,
    }
    #[retryable(max_attempts = 4, base_delay = "100ms")]
    impl Client {
        const GOOD: u32 = 4;
        async fn shared(&self) -> AppResult<u32> {
            self.answer()
        }
        async fn exclusive(&mut self, list: &mut Vec<u8>) -> AppResult<u32> {
            list.push(1);
            let run = self.runs.up();
            if run < Self::GOOD {
                Err(AppError::Busy)?;
            }
            Ok(run)
        }
        fn blocking(runs: &Runs) -> AppResult<u32> {
            match runs.up() {
                4 => Ok(4),
                _ => Err(AppError::Busy),
            }
        }
        #[hardening(skip)]
        fn answer(&self) -> AppResult<u32> {
            match self.runs.up() {
                Self::GOOD => Ok(4),
                _ => Err(AppError::Busy),
            }
        }
        #[hardening(skip)]
        fn new() -> Self {
            Self { runs: Runs::new() }
        }
    }
    let mut client = Client::new();
    assert_eq!(client.answer(), Err(AppError::Busy), "left out");
    client.runs.take();
    assert_eq!((client.shared().await, client.runs.take()), (Ok(4), 4));
    let mut list = Vec::new();
    assert_eq!((client.exclusive(&mut list).await, list.len()), (Ok(4), 4));
    assert_eq!(Client::blocking(&Runs::new()), Ok(4));
}

#[tokio::test(start_paused = true)]
async fn a_methods_own_attribute_replaces_the_blocks_entirely() {
    struct Client(Runs);
    #[retryable(max_attempts = 5, base_delay = "2s")]
    #[timeout("1m")]
    impl Client {
        #[retryable(max_attempts = 2)]
        async fn own(&self) -> AppResult<()> {
            self.0.up();
            Err(AppError::Busy)
        }
        #[hardening::retryable]
        async fn own_by_path(&self) -> AppResult<()> {
            self.0.up();
            Err(AppError::Busy)
        }
        #[fallback(|_| Ok(()))]
        async fn another_kind(&self) -> AppResult<()> {
            self.0.up();
            Err(AppError::Busy)
        }
        async fn bounded(&self) -> AppResult<()> {
            std::future::pending().await
        }
    }
    let client = Client(Runs::new());
    let (_, took) = timed(client.own()).await;
    assert_eq!(client.0.take(), 2);
    assert_took(took, 0.5); // the default base_delay, not the block's
    let (_, took) = timed(client.own_by_path()).await;
    assert_eq!(client.0.take(), 3);
    assert_took(took, 1.5);
    assert_eq!(client.another_kind().await, Ok(()));
    assert_eq!(client.0.take(), 5, "keeps the block's retry");
    assert_took(timed(client.bounded()).await.1, 60.0);
}

#[tokio::test(start_paused = true)]
async fn each_method_of_a_block_has_state_of_its_own() {
    struct Client;
    #[circuit_breaker(failure_threshold = 1)]
    #[cached]
    impl Client {
        async fn one(id: u8) -> AppResult<u8> {
            let _ = id;
            Err(AppError::Busy)
        }
        async fn other(id: u8) -> AppResult<u8> {
            Ok(id)
        }
    }
    let _ = Client::one(1).await;
    assert!(matches!(Client::one(1).await, Err(AppError::Rejected(_))));
    assert_eq!(Client::other(1).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn trait_impls_are_wrapped_by_method_and_by_block() {
    trait Repository {
        type Id: Copy + Debug;
        const NAME: &'static str;
        async fn find(&self, id: Self::Id) -> AppResult<String>;
        fn count(&self) -> AppResult<u32>;
        fn send(&self) -> impl Future<Output = AppResult<&str>> + Send;
    }
    struct ByMethod(Runs);
    impl Repository for ByMethod {
        type Id = u8;
        const NAME: &'static str = "by method";
        #[retryable]
        async fn find(&self, id: Self::Id) -> AppResult<String> {
            match self.0.up() {
                3 => Ok(format!("{id} {}", Self::NAME)),
                _ => Err(AppError::Busy),
            }
        }
        fn count(&self) -> AppResult<u32> {
            Ok(self.0.get())
        }
        #[retryable]
        async fn send(&self) -> AppResult<&str> {
            Ok("sent")
        }
    }
    struct ByBlock<T>(Runs, T);
    #[retryable(max_attempts = 2)]
    impl<T> Repository for ByBlock<T>
    where
        T: Debug + Sync,
    {
        type Id = u16;
        const NAME: &'static str = "by block";
        async fn find(&self, id: Self::Id) -> AppResult<String> {
            match self.0.up() {
                2 => Ok(format!("{id} {} {:?}", Self::NAME, self.1)),
                _ => Err(AppError::Busy),
            }
        }
        fn count(&self) -> AppResult<u32> {
            match self.0.up() {
                4 => Ok(4),
                _ => Err(AppError::Busy),
            }
        }
        async fn send(&self) -> AppResult<&str> {
            Ok("sent")
        }
    }
    let one = ByMethod(Runs::new());
    assert_eq!(one.find(1).await, Ok("1 by method".to_owned()));
    assert_eq!((one.count(), one.send().await), (Ok(3), Ok("sent")));
    let two = ByBlock(Runs::new(), 'x');
    assert_eq!(two.find(1).await, Ok("1 by block 'x'".to_owned()));
    assert_eq!((two.count(), two.send().await), (Ok(4), Ok("sent")));
}

#[tokio::test(start_paused = true)]
async fn methods_of_generic_types_share_one_site() {
    struct Holder<T, const N: usize>([T; N]);
    #[circuit_breaker(failure_threshold = 1)]
    impl<T: Clone + Debug, const N: usize> Holder<T, { N }> {
        async fn first(&self, fail: bool) -> AppResult<T> {
            if fail {
                return Err(AppError::Busy);
            }
            Ok(self.0[0].clone())
        }
    }
    assert_eq!(Holder(["a", "b"]).first(false).await, Ok("a"));
    assert_eq!(Holder([1]).first(true).await, Err(AppError::Busy));
    assert!(matches!(
        Holder(["a"]).first(false).await,
        Err(AppError::Rejected(_))
    ));
}

/// Two failures, then an answer, behind every layer: what each call comes to, and after how long.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "few seconds"
)]
async fn behaviour<F, Fut>(ask: F) -> (Vec<(String, u64)>, u32)
where
    F: Fn(u8, &'static Runs) -> Fut,
    Fut: Future<Output = AppResult<String>>,
{
    let runs: &'static Runs = Box::leak(Box::default());
    let mut outcomes = Vec::new();
    for id in [1, 1, 2, 3, 4] {
        let (answer, took) = timed(ask(id, runs)).await;
        outcomes.push((format!("{answer:?}"), took.round() as u64));
    }
    (outcomes, runs.get())
}

async fn body(id: u8, runs: &Runs) -> AppResult<String> {
    match (id, runs.up()) {
        (2, _) => Err(AppError::Gone),
        (3, _) => std::future::pending().await,
        (_, 1 | 2) => Err(AppError::Busy),
        (_, run) => Ok(format!("{id} in run {run}")),
    }
}

#[tokio::test(start_paused = true)]
async fn attributes_behave_alike_in_any_order() {
    #[fallback(|error| Ok(format!("degraded: {error}")))]
    #[cached(key = id)]
    #[timeout(call = "20s", attempt = "4s")]
    #[rate_limited(capacity = 3, window_seconds = "1h")]
    #[retryable(base_delay = 1)]
    #[circuit_breaker(failure_threshold = 50)]
    #[bulkhead(max_concurrent = 1)]
    async fn outside_in(id: u8, runs: &'static Runs) -> AppResult<String> {
        body(id, runs).await
    }
    #[bulkhead(max_concurrent = 1)]
    #[circuit_breaker(failure_threshold = 50)]
    #[retryable(base_delay = 1)]
    #[rate_limited(capacity = 3, window_seconds = "1h")]
    #[timeout(call = "20s", attempt = "4s")]
    #[cached(key = id)]
    #[fallback(|error| Ok(format!("degraded: {error}")))]
    async fn inside_out(id: u8, runs: &'static Runs) -> AppResult<String> {
        body(id, runs).await
    }
    #[hardening::timeout(call = "20s", attempt = "4s")]
    #[retryable(base_delay = 1)]
    #[allow(clippy::needless_pass_by_value)]
    #[cached(key = id)]
    #[hardening::bulkhead(max_concurrent = 1)]
    #[fallback(|error| Ok(format!("degraded: {error}")))]
    #[rate_limited(capacity = 3, window_seconds = "1h")]
    #[circuit_breaker(failure_threshold = 50)]
    async fn mixed(id: u8, runs: &'static Runs) -> AppResult<String> {
        body(id, runs).await
    }
    let plain = |text: String, name: &str| text.replace(name, "ask");
    let named = |(outcomes, runs): (Vec<(String, u64)>, u32), name| {
        let outcomes = outcomes.into_iter();
        let outcomes: Vec<_> = outcomes
            .map(|(text, took)| (plain(text, name), took))
            .collect();
        (outcomes, runs)
    };
    let one = named(behaviour(outside_in).await, "outside_in");
    let two = named(behaviour(inside_out).await, "inside_out");
    let three = named(behaviour(mixed).await, "mixed");
    let (outcomes, runs) = &one;
    let texts: Vec<_> = outcomes.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(
        texts[..3],
        [
            r#"Ok("1 in run 3")"#,
            r#"Ok("1 in run 3")"#,
            r#"Ok("degraded: Gone")"#
        ]
    );
    assert!(
        texts[3].contains("degraded: Rejected(TimedOut"),
        "{texts:?}"
    );
    assert!(
        texts[4].contains("degraded: Rejected(RateLimited"),
        "{texts:?}"
    );
    let took: Vec<_> = outcomes.iter().map(|(_, took)| *took).collect();
    assert_eq!(took, [3, 0, 0, 4 + 1 + 4 + 2 + 4, 0]);
    assert_eq!(*runs, 3 + 1 + 3);
    assert_eq!(one, two);
    assert_eq!(one, three);
}

#[tokio::test(start_paused = true)]
async fn attributes_of_other_crates_and_cfgs_keep_working_among_ours() {
    #[cfg_attr(all(), retryable(max_attempts = 2))]
    #[circuit_breaker(failure_threshold = 2)]
    #[must_use = "of the test"]
    async fn conditional(runs: &Runs) -> AppResult<()> {
        runs.up();
        Err(AppError::Busy)
    }
    #[retryable(max_attempts = 2)]
    #[cfg_attr(any(), timeout("1s"))]
    #[cfg(test)]
    async fn left_out(runs: &Runs) -> AppResult<()> {
        runs.up();
        tokio::time::sleep(Duration::from_secs(5)).await;
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    assert_eq!(
        (conditional(&runs).await, runs.take()),
        (Err(AppError::Busy), 2)
    );
    assert!(
        matches!(conditional(&runs).await, Err(AppError::Rejected(_))),
        "one plan: both attempts counted"
    );
    assert_eq!(
        (left_out(&runs).await, runs.take()),
        (Err(AppError::Busy), 2)
    );
}

/// Whichever attribute runs first takes its siblings along: that must not leave their imports unused.
#[deny(unused_imports)]
mod imports {
    use hardening::{cached, retryable, timeout};
    pub(super) struct Client;
    #[retryable(max_attempts = 2)]
    #[timeout("1s")]
    impl Client {
        #[cached]
        pub(super) async fn ask() -> crate::support::AppResult<u8> {
            Ok(1)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_import_is_used_also_when_a_sibling_consumed_the_attribute() {
    assert_eq!(imports::Client::ask().await, Ok(1));
}
