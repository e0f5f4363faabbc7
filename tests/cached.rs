//! `#[cached]` by itself.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

mod support;

use hardening::{Rejected, cached};
use std::{
    collections::HashMap,
    fmt::{Debug, Display},
    io,
    sync::Arc,
    time::Duration,
};
use support::{AppError, AppResult, Runs, assert_took, pass, timed};

#[tokio::test(start_paused = true)]
async fn a_result_is_remembered_for_its_ttl() {
    #[cached(ttl = 60, key = id)]
    async fn user(id: u64, runs: &Runs) -> AppResult<String> {
        Ok(format!("{id} of run {}", runs.up()))
    }
    let runs = Runs::new();
    assert_eq!(user(1, &runs).await.unwrap(), "1 of run 1");
    pass(59.9).await;
    assert_eq!(user(1, &runs).await.unwrap(), "1 of run 1");
    assert_eq!(user(2, &runs).await.unwrap(), "2 of run 2");
    pass(0.2).await;
    assert_eq!(user(1, &runs).await.unwrap(), "1 of run 3");
}

#[tokio::test(start_paused = true)]
async fn without_a_key_all_arguments_are_the_key() {
    static RUNS: Runs = Runs::new();
    #[cached]
    async fn ask(id: u64, text: &str, (a, _): (u8, u8), list: Vec<u8>) -> AppResult<u32> {
        let _ = (id, text, a, list);
        Ok(RUNS.up())
    }
    assert_eq!(ask(1, "a", (1, 1), vec![1]).await, Ok(1));
    assert_eq!(
        ask(1, "a", (1, 2), vec![1]).await,
        Ok(1),
        "`_` is no argument"
    );
    assert_eq!(ask(2, "a", (1, 1), vec![1]).await, Ok(2));
    assert_eq!(ask(1, "b", (1, 1), vec![1]).await, Ok(3));
    assert_eq!(ask(1, "a", (2, 1), vec![1]).await, Ok(4));
    assert_eq!(ask(1, "a", (1, 1), vec![2]).await, Ok(5));
    assert_eq!(ask(1, "a", (1, 1), vec![1]).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_function_without_arguments_has_one_result() {
    static RUNS: Runs = Runs::new();
    #[cached]
    fn version() -> u32 {
        RUNS.up()
    }
    assert_eq!((version(), version()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_key_may_be_a_tuple_with_borrowed_parts() {
    struct User {
        name: String,
    }
    #[cached(key = (user.name, page, tags[0]))]
    async fn ask(user: &User, page: u32, tags: &[String], runs: &Runs) -> AppResult<u32> {
        let _ = (user, page, tags);
        Ok(runs.up())
    }
    #[cached(key = (user.name, 1))]
    async fn consumes(user: User, runs: &Runs) -> AppResult<String> {
        runs.up();
        Ok(user.name)
    }
    let runs = Runs::new();
    let user = |name: &str| User {
        name: name.to_owned(),
    };
    let tags = ["t".to_owned()];
    assert_eq!(ask(&user("a"), 1, &tags, &runs).await, Ok(1));
    assert_eq!(ask(&user("a"), 1, &tags, &runs).await, Ok(1));
    assert_eq!(ask(&user("a"), 2, &tags, &runs).await, Ok(2));
    assert_eq!(ask(&user("b"), 1, &tags, &runs).await, Ok(3));
    assert_eq!(consumes(user("a"), &runs).await, Ok("a".to_owned()));
    assert_eq!(consumes(user("a"), &runs).await, Ok("a".to_owned()));
    assert_eq!(runs.get(), 4);
}

#[tokio::test(start_paused = true)]
async fn errors_are_not_remembered() {
    #[cached(key = ())]
    async fn ask(runs: &Runs) -> AppResult<u32> {
        match runs.up() {
            1 => Err(AppError::Gone),
            run => Ok(run),
        }
    }
    let runs = Runs::new();
    assert_eq!(ask(&runs).await, Err(AppError::Gone));
    assert_eq!((ask(&runs).await, ask(&runs).await), (Ok(2), Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn none_is_not_remembered() {
    type Maybe<T> = Option<T>;
    #[cached(key = id)]
    async fn find(id: u32, runs: &Runs) -> Option<u32> {
        (runs.up() > 1).then_some(id)
    }
    #[cached(key = id)]
    fn alias(id: u32, runs: &Runs) -> Maybe<u32> {
        if runs.up() == 1 {
            None?;
        }
        Some(id)
    }
    let runs = Runs::new();
    assert_eq!(find(7, &runs).await, None);
    assert_eq!(
        (find(7, &runs).await, find(7, &runs).await),
        (Some(7), Some(7))
    );
    assert_eq!(runs.take(), 2);
    assert_eq!(
        (alias(7, &runs), alias(7, &runs), alias(7, &runs)),
        (None, Some(7), Some(7))
    );
    assert_eq!(runs.take(), 2);
}

#[tokio::test(start_paused = true)]
async fn plain_values_of_all_kinds_are_remembered() {
    static RUNS: Runs = Runs::new();
    #[derive(Clone, Debug, PartialEq)]
    struct Page {
        number: u32,
    }
    #[cached]
    async fn page(number: u32) -> Page {
        RUNS.up();
        Page { number }
    }
    #[cached]
    fn pair(a: u8) -> (u8, [u8; 2]) {
        RUNS.up();
        (a, [a; 2])
    }
    #[cached]
    fn shared(text: &str) -> Arc<HashMap<String, usize>> {
        RUNS.up();
        Arc::new(HashMap::from([(text.to_owned(), text.len())]))
    }
    #[cached]
    fn fixed() -> &'static str {
        RUNS.up();
        "fixed"
    }
    for _ in 0..2 {
        assert_eq!(page(1).await, Page { number: 1 });
        assert_eq!(pair(2), (2, [2, 2]));
        assert_eq!(shared("abc")["abc"], 3);
        assert_eq!(fixed(), "fixed");
    }
    assert_eq!(RUNS.get(), 4);
}

#[tokio::test(start_paused = true)]
async fn result_aliases_and_the_error_types_of_the_ecosystem_work() {
    use io::Result as Answer;
    #[cached(key = 1)]
    fn by_io(runs: &Runs) -> Answer<u32> {
        match runs.up() {
            1 => Err(io::ErrorKind::NotFound.into()),
            run => Ok(run),
        }
    }
    #[cached(key = 1)]
    async fn by_anyhow(runs: &Runs) -> anyhow::Result<u32> {
        if runs.up() == 1 {
            anyhow::bail!("first");
        }
        Ok(runs.get())
    }
    #[cached(key = 1)]
    async fn by_box(runs: &Runs) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
        if runs.up() == 1 {
            return Err("first".into());
        }
        Ok(runs.get())
    }
    let runs = Runs::new();
    assert!(by_io(&runs).is_err());
    assert_eq!(
        (by_io(&runs).unwrap(), by_io(&runs).unwrap(), runs.take()),
        (2, 2, 2)
    );
    assert!(by_anyhow(&runs).await.is_err());
    assert_eq!(by_anyhow(&runs).await.unwrap(), 2);
    assert_eq!((by_anyhow(&runs).await.unwrap(), runs.take()), (2, 2));
    assert!(by_box(&runs).await.is_err());
    assert_eq!(by_box(&runs).await.unwrap(), 2);
    assert_eq!((by_box(&runs).await.unwrap(), runs.take()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_cannot_be_cloned_is_told_to_those_who_wait_as_a_rejection() {
    #[derive(Debug)]
    struct Opaque(Option<Rejected>);
    impl From<Rejected> for Opaque {
        fn from(rejected: Rejected) -> Self {
            Self(Some(rejected))
        }
    }
    #[cached(key = ())]
    async fn ask(runs: &Runs) -> Result<u32, Opaque> {
        runs.up();
        tokio::time::sleep(Duration::from_secs(1)).await;
        Err(Opaque(None))
    }
    let runs = Runs::new();
    let (one, other) = tokio::join!(ask(&runs), ask(&runs));
    assert_eq!(runs.get(), 1);
    assert!(one.unwrap_err().0.is_none(), "its own error");
    let told = other.unwrap_err().0.unwrap();
    assert!(matches!(told, Rejected::LoadFailed { .. }), "{told}");
}

#[tokio::test(start_paused = true)]
async fn concurrent_misses_of_one_key_run_the_body_once() {
    #[cached(key = id)]
    async fn ask(id: u8, runs: &Runs) -> AppResult<u32> {
        let run = runs.up();
        tokio::time::sleep(Duration::from_secs(1)).await;
        if id == 9 {
            Err(AppError::Busy)
        } else {
            Ok(run)
        }
    }
    let runs = Runs::new();
    let (answers, took) =
        timed(async { tokio::join!(ask(1, &runs), ask(1, &runs), ask(1, &runs)) }).await;
    assert_eq!((answers, runs.take()), ((Ok(1), Ok(1), Ok(1)), 1));
    assert_took(took, 1.0);
    let (answers, took) = timed(async { tokio::join!(ask(9, &runs), ask(9, &runs)) }).await;
    assert_eq!(answers, (Err(AppError::Busy), Err(AppError::Busy)));
    assert_eq!(runs.get(), 1, "a failing load answers all who wait, once");
    assert_took(took, 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_hands_over_to_the_next() {
    static RUNS: Runs = Runs::new();
    #[cached]
    async fn ask() -> AppResult<u32> {
        let run = RUNS.up();
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(run)
    }
    let first = tokio::spawn(ask());
    tokio::task::yield_now().await;
    let second = tokio::spawn(ask());
    tokio::task::yield_now().await;
    first.abort();
    assert_eq!(second.await.unwrap(), Ok(2));
    assert_eq!((ask().await, RUNS.get()), (Ok(2), 2));
}

#[tokio::test(start_paused = true)]
async fn cache_if_says_which_values_are_remembered() {
    #[allow(clippy::ptr_arg, reason = "the value's own type")]
    fn is_full(list: &Vec<u32>) -> bool {
        !list.is_empty()
    }
    #[cached(key = (), cache_if = is_full)]
    async fn by_path(runs: &Runs) -> AppResult<Vec<u32>> {
        Ok((1..runs.up()).collect())
    }
    #[cached(key = (), cache_if = |run| *run >= least)]
    fn by_closure(runs: &Runs, least: u32) -> u32 {
        runs.up()
    }
    let runs = Runs::new();
    assert_eq!(by_path(&runs).await, Ok(vec![]));
    assert_eq!(
        (by_path(&runs).await, by_path(&runs).await),
        (Ok(vec![1]), Ok(vec![1]))
    );
    runs.take();
    assert_eq!(
        (
            by_closure(&runs, 2),
            by_closure(&runs, 2),
            by_closure(&runs, 2)
        ),
        (1, 2, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_selected_by_name_and_inline_settings_win() {
    #[cached(policy = "cached_short", key = ())]
    async fn short(runs: &Runs) -> AppResult<u32> {
        Ok(runs.up())
    }
    #[cached(policy = "cached_short", ttl = "1h", key = ())]
    async fn long(runs: &Runs) -> AppResult<u32> {
        Ok(runs.up())
    }
    let runs = Runs::new();
    let _ = (short(&runs).await, long(&runs).await);
    pass(11.0).await;
    assert_eq!((short(&runs).await, long(&runs).await), (Ok(3), Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn functions_of_one_name_share_their_results() {
    static RUNS: Runs = Runs::new();
    #[cached(name = "cached: users", key = id)]
    async fn user(id: u64) -> AppResult<String> {
        RUNS.up();
        Ok(format!("user {id}"))
    }
    #[cached(name = "cached: users", key = id)]
    fn same_user(id: u64) -> Option<String> {
        RUNS.up();
        Some(format!("user {id}"))
    }
    #[cached(name = "cached: users", key = id)]
    fn number(id: u64) -> u64 {
        RUNS.up();
        id
    }
    assert_eq!(user(1).await.unwrap(), "user 1");
    assert_eq!(same_user(1).unwrap(), "user 1");
    assert_eq!(RUNS.get(), 1);
    assert_eq!(number(1), 1, "a value of another type is another entry");
    assert_eq!(RUNS.get(), 2);
}

mod here {
    #[hardening::cached]
    pub(super) fn same(id: u8) -> u8 {
        id
    }
}

mod there {
    #[hardening::cached]
    pub(super) fn same(id: u8) -> u8 {
        id + 100
    }
}

#[tokio::test(start_paused = true)]
async fn functions_of_one_name_in_two_modules_never_share() {
    assert_eq!((here::same(1), there::same(1), here::same(1)), (1, 101, 1));
}

#[tokio::test(start_paused = true)]
async fn methods_leave_self_out_of_the_key_unless_it_is_named() {
    struct Client {
        id: u8,
        runs: Runs,
    }
    impl Client {
        #[cached]
        async fn shared(&self, page: u8) -> AppResult<(u8, u8)> {
            self.runs.up();
            Ok((self.id, page))
        }
        #[cached(key = (self.id, page))]
        async fn own(&mut self, page: u8) -> AppResult<(u8, u8)> {
            self.runs.up();
            Ok((self.id, page))
        }
        #[cached]
        fn associated(id: u8) -> u8 {
            id
        }
    }
    let client = |id| Client {
        id,
        runs: Runs::new(),
    };
    let (mut one, mut two) = (client(1), client(2));
    assert_eq!(one.shared(5).await, Ok((1, 5)));
    assert_eq!(
        two.shared(5).await,
        Ok((1, 5)),
        "one cache for all instances"
    );
    assert_eq!(one.own(5).await, Ok((1, 5)));
    assert_eq!(two.own(5).await, Ok((2, 5)));
    assert_eq!(one.own(5).await, Ok((1, 5)));
    assert_eq!((one.runs.get(), two.runs.get()), (2, 1));
    assert_eq!(Client::associated(3), 3);
}

#[tokio::test(start_paused = true)]
async fn generic_functions_remember_each_type_by_itself() {
    static RUNS: Runs = Runs::new();
    #[cached(key = text)]
    fn parsed<T>(text: &str) -> Option<T>
    where
        T: std::str::FromStr + Clone + Send + Sync + 'static,
    {
        RUNS.up();
        text.parse().ok()
    }
    #[cached(key = format!("{value:?}"))]
    async fn shown(value: impl Display + Debug) -> AppResult<String> {
        RUNS.up();
        Ok(value.to_string())
    }
    assert_eq!((parsed::<u8>("1"), parsed::<u8>("1")), (Some(1), Some(1)));
    assert_eq!(parsed::<String>("1"), Some("1".to_owned()));
    assert_eq!(parsed::<u8>("1"), Some(1));
    assert_eq!(RUNS.take(), 2);
    assert_eq!(
        (shown(1).await, shown(1).await),
        (Ok("1".to_owned()), Ok("1".to_owned()))
    );
    assert_eq!(RUNS.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_cache_is_bounded() {
    static RUNS: Runs = Runs::new();
    #[cached(max_entries = 10)]
    fn double(id: u32) -> u32 {
        RUNS.up();
        id * 2
    }
    for id in 0..1000 {
        double(id);
    }
    RUNS.take();
    for id in 0..1000 {
        double(id);
    }
    assert!(RUNS.get() >= 980, "{} of 1000 ran", RUNS.get());
    let snapshot = hardening::snapshot();
    let site = snapshot.site("the_cache_is_bounded::double").unwrap();
    assert!(site.cache.is_some_and(|cache| cache.evicted >= 1980));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_counts_no_result_that_has_expired() {
    #[cached(ttl = 10)]
    fn double(id: u32) -> u32 {
        id * 2
    }
    let entries = || {
        let snapshot = hardening::snapshot();
        let site = snapshot.site("a_snapshot_counts_no_result_that_has_expired::double");
        site.unwrap().cache.unwrap().entries
    };
    for id in 0..100 {
        double(id);
    }
    pass(9.9).await;
    assert_eq!(entries(), 100);
    pass(0.2).await;
    assert_eq!(entries(), 0);
}

/// On the clock that programs run on: a paused one may be ahead of those of other tests.
#[test]
fn a_snapshot_frees_what_has_expired() {
    #[cached(ttl = "1ms")]
    fn held(value: &Arc<str>) -> Arc<str> {
        Arc::clone(value)
    }
    let value: Arc<str> = "a value".into();
    held(&value);
    let freed = || {
        let _ = hardening::snapshot();
        Arc::strong_count(&value) == 1
    };
    // Nothing is slept: a snapshot takes its time, and many of them more than the result has.
    assert!((0..10_000_000).any(|_| freed()));
}

#[tokio::test(start_paused = true)]
async fn stale_if_error_serves_the_last_good_value_while_the_call_fails() {
    #[cached(key = (), ttl = 10, stale_if_error = "1m")]
    async fn ask(runs: &Runs) -> AppResult<u32> {
        match runs.up() {
            1 => Ok(1),
            _ => Err(AppError::Busy),
        }
    }
    let runs = Runs::new();
    assert_eq!(ask(&runs).await, Ok(1));
    pass(11.0).await;
    assert_eq!((ask(&runs).await, runs.get()), (Ok(1), 2));
    pass(60.0).await;
    assert_eq!(ask(&runs).await, Err(AppError::Busy));
}

#[tokio::test(start_paused = true)]
async fn refresh_ahead_runs_the_body_before_the_result_expires() {
    #[cached(key = (), ttl = 10, refresh_ahead = "2s")]
    async fn ask(runs: &Runs) -> AppResult<u32> {
        Ok(runs.up())
    }
    let runs = Runs::new();
    assert_eq!(ask(&runs).await, Ok(1));
    pass(7.9).await;
    assert_eq!((ask(&runs).await, runs.get()), (Ok(1), 1));
    pass(0.2).await;
    assert_eq!((ask(&runs).await, runs.get()), (Ok(2), 2));
    pass(7.0).await;
    assert_eq!(
        (ask(&runs).await, runs.get()),
        (Ok(2), 2),
        "good for ten more seconds"
    );
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_switched_off_remembers_nothing() {
    #[cached(policy = "cached_off", key = ())]
    async fn ask(runs: &Runs) -> AppResult<u32> {
        Ok(runs.up())
    }
    let runs = Runs::new();
    assert_eq!((ask(&runs).await, ask(&runs).await), (Ok(1), Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_raised_again_and_not_remembered() {
    static RUNS: Runs = Runs::new();
    #[cached]
    async fn ask() -> u32 {
        let run = RUNS.up();
        assert!(run > 1, "a body of the test");
        run
    }
    assert!(tokio::spawn(ask()).await.unwrap_err().is_panic());
    assert_eq!((ask().await, ask().await), (2, 2));
}
