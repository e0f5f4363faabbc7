//! Attributes on inherent `impl` blocks.
#![forbid(unsafe_code)]

use crate::support::{AppError, AppResult, Runs, assert_took, timed};
use hardening::{cached, circuit_breaker, fallback, rate_limited, retryable, timeout};
use std::fmt::Debug;

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

#[tokio::test(start_paused = true)]
async fn what_is_no_method_of_a_block_stays_as_it_is() {
    struct Client<T>(Runs, T);
    #[retryable(policy = "shapes")]
    #[doc = "With everything that may stand in a block."]
    impl<T> Client<T>
    where
        T: Copy + Into<u64>,
    {
        /// As often as it fails.
        const FAILURES: u32 = 2;
        #[allow(dead_code)]
        const BYTES: [u8; 1 + 1] = [0; 2];

        #[hardening(skip)]
        const fn new(value: T) -> Self {
            Self(Runs::new(), value)
        }
        /// Documented.
        #[must_use = "of the test"]
        fn ask(&self) -> AppResult<u64> {
            if self.0.up() <= Self::FAILURES {
                return Err(AppError::Busy);
            }
            Ok(self.1.into())
        }
        async fn ask_later<U>(&mut self, value: U) -> AppResult<u64>
        where
            U: Into<T> + Copy,
        {
            self.1 = value.into();
            self.ask_once()
        }
        #[hardening(skip)]
        fn ask_once(&self) -> AppResult<u64> {
            self.0.up().checked_sub(3).ok_or(AppError::Busy)?;
            Ok(self.1.into())
        }
        #[cfg(any())]
        fn absent(&self) -> Absent {
            compile_error!("absent")
        }
    }
    let mut client = Client::new(7_u32);
    assert_eq!((client.ask(), client.0.take()), (Ok(7), 3));
    assert_eq!((client.ask_later(8_u8).await, client.0.take()), (Ok(8), 3));
    assert_eq!(
        (client.ask_once(), client.0.take()),
        (Err(AppError::Busy), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn methods_share_state_by_name_and_only_by_name() {
    struct Client(Runs);
    #[circuit_breaker(name = "shapes_shared_circuit", failure_threshold = 1)]
    #[rate_limited(capacity = 100, window_seconds = 60)]
    impl Client {
        fn one(&self) -> AppResult<u32> {
            self.0.up();
            Err(AppError::Busy)
        }
        async fn two(&self) -> AppResult<u32> {
            Ok(self.0.up())
        }
        #[circuit_breaker(failure_threshold = 1)]
        fn own(&self) -> AppResult<u32> {
            Ok(self.0.up())
        }
    }
    #[circuit_breaker(name = "shapes_shared_circuit")]
    fn elsewhere(runs: &Runs) -> AppResult<u32> {
        Ok(runs.up())
    }
    let client = Client(Runs::new());
    assert_eq!(client.one(), Err(AppError::Busy));
    for refused in [client.one(), client.two().await, elsewhere(&client.0)] {
        let rejected = refused.map_err(AppError::rejected).unwrap_err();
        assert_eq!(rejected.name(), "shapes_shared_circuit");
    }
    assert_eq!(client.0.get(), 1);
    assert_eq!(client.own(), Ok(2), "its own attribute says no name");
}

macro_rules! method {
    ($name:ident) => {
        fn $name(&self) -> AppResult<u32> {
            self.0.up();
            Err(AppError::Busy)
        }
    };
}

#[test]
fn what_a_macro_puts_into_a_block_is_not_seen_by_the_blocks_attribute() {
    struct Client(Runs);
    type Alias = Client;
    #[retryable(policy = "shapes")]
    impl Alias {
        method!(made);
        fn written(&self) -> AppResult<u32> {
            self.made()
        }
    }
    let client = Client(Runs::new());
    assert_eq!((client.made(), client.0.take()), (Err(AppError::Busy), 1));
    assert_eq!(
        (client.written(), client.0.take()),
        (Err(AppError::Busy), 3)
    );
}
