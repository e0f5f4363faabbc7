//! `#[rate_limited]` by itself.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{
    Rejected, rate_limited,
    testing::{self, Fault},
};
use std::{io, time::Duration};
use support::{AppError, AppResult, Runs, assert_took, pass, timed};

#[tokio::test(start_paused = true)]
async fn a_bucket_admits_its_capacity_and_refills_smoothly() {
    #[rate_limited(op = "limited_plain")]
    async fn ask(runs: &Runs) -> AppResult<u32> {
        Ok(runs.up())
    }
    let runs = Runs::new();
    assert_eq!((ask(&runs).await, ask(&runs).await), (Ok(1), Ok(2)));
    let refused = Rejected::RateLimited {
        op: "limited_plain",
        retry_after: Some(Duration::from_secs(30)),
    };
    assert_eq!(ask(&runs).await, Err(AppError::Rejected(refused)));
    assert_eq!(runs.get(), 2, "a refused call runs no body");
    pass(29.9).await;
    assert!(
        ask(&runs).await.is_err(),
        "a refused call takes no token either"
    );
    pass(0.1).await;
    assert_eq!(ask(&runs).await, Ok(3));
    assert!(ask(&runs).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_bucket_of_its_own() {
    #[rate_limited(op = "limited_keys", key = user_id)]
    async fn ask(user_id: u64) -> AppResult<u64> {
        Ok(user_id)
    }
    assert_eq!(ask(1).await, Ok(1));
    assert!(ask(1).await.is_err());
    assert_eq!(ask(2).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_key_may_be_any_expression_and_a_tuple_with_borrowed_parts() {
    struct Request {
        tenant: String,
        path: String,
    }
    #[rate_limited(op = "limited_keys", key = (&request.tenant, request.path.as_str(), method))]
    async fn ask(request: Request, method: &str) -> AppResult<Request> {
        Ok(request)
    }
    #[rate_limited(op = "limited_keys", key = (request.tenant, request.path))]
    async fn owned_parts(request: &Request) -> AppResult<&str> {
        Ok(&request.path)
    }
    #[rate_limited(op = "limited_keys", key = format!("{}/{}", request.tenant, request.path.len()))]
    async fn computed(request: &Request) -> AppResult<()> {
        let _ = request;
        Ok(())
    }
    let request = |tenant: &str, path: &str| Request {
        tenant: tenant.to_owned(),
        path: path.to_owned(),
    };
    assert!(ask(request("a", "b"), "GET").await.is_ok());
    assert!(ask(request("a", "b"), "GET").await.is_err());
    assert!(ask(request("a", "b"), "PUT").await.is_ok());
    assert!(ask(request("a", "c"), "GET").await.is_ok());
    assert!(ask(request("ab", ""), "GET").await.is_ok());
    assert_eq!(owned_parts(&request("t", "p")).await, Ok("p"));
    assert!(owned_parts(&request("t", "p")).await.is_err());
    assert_eq!(computed(&request("t", "p")).await, Ok(()));
    assert!(computed(&request("t", "q")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn functions_of_one_op_share_its_buckets() {
    #[rate_limited(op = "limited_shared", key = id)]
    async fn one(id: u8) -> AppResult<()> {
        let _ = id;
        Ok(())
    }
    #[rate_limited(op = "limited_shared", key = id)]
    fn other(id: u8) -> AppResult<()> {
        let _ = id;
        Ok(())
    }
    assert!(one(1).await.is_ok());
    assert!(other(1).is_ok());
    assert!(one(1).await.is_err());
    assert!(other(1).is_err());
    assert_eq!(
        hardening::check_rate_limit("limited_shared", &1_u8).map_err(|r| r.name()),
        Err("limited_shared")
    );
    assert!(other(2).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_as_many_tokens_as_it_costs() {
    #[rate_limited(op = "limited_cost", key = key, cost = text.len())]
    async fn embed(key: u8, text: &str) -> AppResult<usize> {
        let _ = key;
        Ok(text.len())
    }
    assert_eq!(embed(1, "seven..").await, Ok(7));
    assert!(embed(1, "four").await.is_err());
    assert_eq!(embed(1, "abc").await, Ok(3));
    assert!(embed(1, "a").await.is_err());
    let never = embed(2, "more than ten").await.unwrap_err().rejected();
    assert_eq!(
        never.retry_after(),
        None,
        "above the capacity: never admitted"
    );
    assert_eq!(
        embed(2, "just ten..").await,
        Ok(10),
        "and nothing was taken"
    );
}

#[tokio::test(start_paused = true)]
async fn of_several_windows_all_must_admit_and_nothing_is_taken_unless_all_do() {
    #[rate_limited(op = "limited_windows")]
    async fn ask() -> AppResult<()> {
        Ok(())
    }
    assert!(ask().await.is_ok());
    assert!(ask().await.is_ok());
    for _ in 0..20 {
        assert!(ask().await.is_err(), "two a second");
    }
    pass(1.0).await;
    assert!(
        ask().await.is_ok(),
        "the third of the hour: refusals took none"
    );
    let hour = ask().await.unwrap_err().rejected();
    let wait = hour.retry_after().unwrap().as_secs_f64();
    assert!((1190.0..1200.0).contains(&wait), "{wait}");
}

#[tokio::test(start_paused = true)]
async fn a_global_window_counts_all_keys_together() {
    #[rate_limited(op = "limited_global", key = user)]
    async fn ask(user: u32) -> AppResult<()> {
        let _ = user;
        Ok(())
    }
    assert!(ask(1).await.is_ok());
    assert!(ask(2).await.is_ok());
    assert!(ask(3).await.is_err());
    pass(0.5).await;
    assert!(ask(3).await.is_ok());
    assert!(ask(1).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn with_max_wait_calls_wait_in_the_order_in_which_they_came() {
    #[rate_limited(op = "limited_waits")]
    async fn ask(number: usize) -> AppResult<usize> {
        Ok(number)
    }
    let order = &std::sync::Mutex::new(Vec::new());
    let one = |number| async move {
        let answer = ask(number).await.unwrap();
        order.lock().unwrap().push(answer);
    };
    let ((), took) = timed(async {
        tokio::join!(one(1), one(2), one(3), one(4));
    })
    .await;
    assert_eq!(*order.lock().unwrap(), [1, 2, 3, 4]);
    assert_took(took, 3.0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_wait_longer_than_max_wait_is_refused_at_once() {
    #[rate_limited(
        capacity = 1,
        window_seconds = "10s",
        max_wait = "4s",
        op = "limited_inline",
        key = "wait"
    )]
    async fn ask() -> AppResult<()> {
        Ok(())
    }
    assert!(ask().await.is_ok());
    let (refused, took) = timed(ask()).await;
    assert!(refused.is_err());
    assert_took(took, 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_limit_can_be_written_inline_without_an_op() {
    #[rate_limited(capacity = 2, window_seconds = 1)]
    async fn one() -> AppResult<()> {
        Ok(())
    }
    #[rate_limited(limits = [(capacity = 1, window_seconds = 1), (capacity = 2, window_seconds = "1h", scope = "global")], key = id)]
    async fn several(id: u8) -> AppResult<()> {
        let _ = id;
        Ok(())
    }
    assert!(one().await.is_ok());
    assert!(one().await.is_ok());
    assert!(one().await.is_err());
    pass(0.5).await;
    assert!(one().await.is_ok());
    assert!(several(1).await.is_ok());
    assert!(several(1).await.is_err());
    assert!(several(2).await.is_ok());
    assert!(several(3).await.is_err());
    let refused = several(3).await.unwrap_err().rejected();
    assert!(refused.name().ends_with("::several"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn inline_settings_win_over_the_op() {
    #[rate_limited(op = "limited_inline", capacity = 3, key = "three")]
    async fn ask() -> AppResult<()> {
        Ok(())
    }
    for _ in 0..3 {
        assert!(ask().await.is_ok());
    }
    assert!(ask().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn in_observe_mode_refusals_are_counted_and_calls_go_on() {
    #[rate_limited(op = "limited_observed")]
    async fn ask(runs: &Runs) -> AppResult<u32> {
        Ok(runs.up())
    }
    let runs = Runs::new();
    for _ in 0..3 {
        assert!(ask(&runs).await.is_ok());
    }
    assert_eq!(runs.get(), 3);
    let snapshot = hardening::snapshot();
    let path = "in_observe_mode_refusals_are_counted_and_calls_go_on::ask";
    let figures = &snapshot.site(path).unwrap().figures;
    assert_eq!((figures.success, figures.rejected_by.rate_limit), (3, 0));
    assert_eq!(figures.would_have.rate_limited, 2);
}

#[tokio::test(start_paused = true)]
async fn an_op_that_is_switched_off_lets_every_call_through() {
    #[rate_limited(op = "limited_off")]
    async fn ask() -> AppResult<()> {
        Ok(())
    }
    for _ in 0..5 {
        assert!(ask().await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn per_attempt_without_a_retry_is_as_it_is_without() {
    #[rate_limited(capacity = 1, window_seconds = 60, per = "attempt")]
    async fn ask() -> AppResult<()> {
        Ok(())
    }
    assert!(ask().await.is_ok());
    assert!(ask().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn blocking_functions_are_limited_and_wait_too() {
    #[rate_limited(op = "limited_keys", key = ("blocking", id))]
    fn refused(id: u8) -> io::Result<u8> {
        Ok(id)
    }
    #[rate_limited(op = "limited_blocking")]
    fn waits() -> AppResult<()> {
        Ok(())
    }
    assert_eq!(refused(1).unwrap(), 1);
    let error = refused(1).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Rejected>());
    assert_eq!(inner.map(Rejected::name), Some("limited_keys"));
    let ((), took) = timed(async {
        for _ in 0..3 {
            waits().unwrap();
        }
    })
    .await;
    assert_took(took, 2.0);
}

#[tokio::test(start_paused = true)]
async fn methods_may_name_self_in_their_key() {
    struct Tenant(String);
    impl Tenant {
        #[rate_limited(op = "limited_keys", key = (&self.0, 'm'))]
        async fn ask(&self) -> AppResult<()> {
            Ok(())
        }
        #[rate_limited(op = "limited_keys", key = (&self.0, 'x'))]
        async fn rename(&mut self, to: &str) -> AppResult<()> {
            self.0 = to.to_owned();
            Ok(())
        }
        #[rate_limited(op = "limited_keys", key = name)]
        fn new(name: &str) -> AppResult<Self> {
            Ok(Self(name.to_owned()))
        }
        #[rate_limited(op = "limited_keys", key = (&self.0, 'i'))]
        async fn into_name(self) -> AppResult<String> {
            Ok(self.0)
        }
    }
    let mut one = Tenant::new("tenant one").unwrap();
    assert!(Tenant::new("tenant one").is_err());
    assert!(one.ask().await.is_ok());
    assert!(one.ask().await.is_err());
    assert!(one.rename("tenant two").await.is_ok());
    assert!(one.ask().await.is_ok());
    assert_eq!(one.into_name().await, Ok("tenant two".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_error_types_of_the_ecosystem_carry_the_rejection() {
    #[rate_limited(capacity = 1, window_seconds = 60)]
    async fn by_anyhow() -> anyhow::Result<()> {
        Ok(())
    }
    #[rate_limited(capacity = 1, window_seconds = 60)]
    async fn by_box() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(())
    }
    by_anyhow().await.unwrap();
    by_box().await.unwrap();
    assert!(by_anyhow().await.unwrap_err().is::<Rejected>());
    assert!(by_box().await.unwrap_err().is::<Rejected>());
}

#[tokio::test(start_paused = true)]
async fn a_test_injects_by_the_op() {
    #[rate_limited(op = "health_check")]
    async fn limited() -> Result<(), Rejected> {
        Ok(())
    }
    testing::inject("health_check", Fault::fail().times(1));
    assert!(matches!(limited().await, Err(Rejected::TimedOut { .. })));
    assert_eq!(limited().await, Ok(()));
}
