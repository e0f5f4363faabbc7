//! Arguments: patterns, what is consumed, what is borrowed for change.
#![forbid(unsafe_code)]

use crate::support::{AppError, AppResult, Runs};
use hardening::{Rejected, cached, circuit_breaker, fallback, rate_limited, retryable, timeout};
use std::{fmt::Display, hash::Hash};

/// As a web framework hands over what it has extracted.
struct State<T>(T);
struct Json<T>(T);

#[derive(Clone)]
struct Pool(Vec<&'static str>);

impl Pool {
    fn into_first(self) -> AppResult<&'static str> {
        self.0.into_iter().next().ok_or(AppError::Gone)
    }
}

struct Point {
    x: u32,
    y: u32,
}

/// Fails in the first two runs.
fn third(runs: &Runs) -> AppResult<u32> {
    match runs.up() {
        1 | 2 => Err(AppError::Busy),
        run => Ok(run),
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_takes_the_same_copies_out_of_an_argument() {
    #[retryable(policy = "shapes")]
    fn blocking(pair: (u32, String), some: Option<u32>, runs: &Runs) -> AppResult<u32> {
        let (number, _) = pair;
        third(runs)?;
        match some {
            Some(more) if more > 1 => Ok(number + more),
            _ => Ok(pair.0),
        }
    }
    #[retryable(policy = "shapes", clone(text))]
    async fn asynchronous(
        point: Point,
        text: Option<String>,
        runs: &Runs,
    ) -> AppResult<(u32, String)> {
        let Point { x, .. } = point;
        let Some(text) = text else {
            return Err(AppError::Gone);
        };
        third(runs)?;
        Ok((x + point.y, text))
    }
    let runs = Runs::new();
    let pair = || (1, String::new());
    assert_eq!((blocking(pair(), Some(2), &runs), runs.take()), (Ok(3), 3));
    assert_eq!((blocking(pair(), None, &runs), runs.take()), (Ok(1), 3));
    let taken = asynchronous(Point { x: 1, y: 2 }, Some("a".to_owned()), &runs);
    assert_eq!((taken.await, runs.take()), (Ok((3, "a".to_owned())), 3));
}

#[tokio::test(start_paused = true)]
async fn patterns_take_arguments_apart() {
    #[allow(clippy::unnested_or_patterns, reason = "each case binds what it binds")]
    #[retryable(policy = "shapes")]
    fn blocking(
        (a, [b, ..]): (u32, [u32; 3]),
        (Point {
            x,
            y: height @ 1..=9,
        }
        | Point { x, y: height }): Point,
        &c: &u32,
        _: String,
        (): (),
        runs: &Runs,
    ) -> AppResult<u32> {
        Ok(third(runs)? + a + b + c + x + height)
    }
    #[retryable(policy = "shapes")]
    #[timeout("1s")]
    async fn asynchronous(
        (a, [b, ..]): (u32, [u32; 3]),
        Point { x, y: height }: Point,
        &c: &u32,
        _: String,
        _: &str,
        runs: &Runs,
    ) -> AppResult<u32> {
        Ok(third(runs)? + a + b + c + x + height)
    }
    let (runs, point) = (Runs::new(), || Point { x: 5, y: 6 });
    let sum = blocking((1, [2, 0, 0]), point(), &4, String::new(), (), &runs);
    assert_eq!((sum, runs.take()), (Ok(3 + 1 + 2 + 4 + 5 + 6), 3));
    let sum = asynchronous((1, [2, 0, 0]), point(), &4, String::new(), "", &runs).await;
    assert_eq!((sum, runs.take()), (Ok(3 + 1 + 2 + 4 + 5 + 6), 3));
}

#[tokio::test(start_paused = true)]
async fn each_name_that_a_pattern_binds_is_part_of_a_caches_key() {
    #[cached]
    fn blocking((a, b): (u8, u8), (Point { x, y: 0 } | Point { x, .. }): Point, _: f64) -> u32 {
        RUNS.up();
        u32::from(a + b) + x
    }
    #[cached]
    async fn asynchronous(State(a): State<u8>, [b, _]: [u8; 2]) -> (u8, u8) {
        RUNS.up();
        (a, b)
    }
    static RUNS: Runs = Runs::new();
    let point = |x| Point { x, y: 0 };
    assert_eq!(blocking((1, 2), point(3), 0.5), 6);
    assert_eq!(blocking((1, 2), point(3), 1.5), 6);
    assert_eq!(RUNS.take(), 1, "what `_` takes is in no key");
    assert_eq!(blocking((2, 2), point(3), 0.5), 7);
    assert_eq!(blocking((2, 2), point(4), 0.5), 8);
    assert_eq!(RUNS.take(), 2);
    assert_eq!(asynchronous(State(1), [2, 3]).await, (1, 2));
    assert_eq!(asynchronous(State(1), [2, 4]).await, (1, 2));
    assert_eq!(asynchronous(State(2), [1, 3]).await, (2, 1));
    assert_eq!(RUNS.take(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_extractor_may_be_taken_apart_and_its_inside_consumed_by_each_attempt() {
    #[retryable(policy = "shapes", clone(pool, body))]
    #[circuit_breaker]
    async fn handler(
        State(pool): State<Pool>,
        Json(body): Json<Option<String>>,
        runs: &Runs,
    ) -> AppResult<(&'static str, usize)> {
        let body = body.map_or_else(Vec::new, String::into_bytes);
        third(runs)?;
        Ok((pool.into_first()?, body.len()))
    }
    let (runs, pool) = (Runs::new(), Pool(vec!["one", "two"]));
    let answer = handler(State(pool), Json(Some("four".to_owned())), &runs).await;
    assert_eq!((answer, runs.get()), (Ok(("one", 4)), 3));
}

#[tokio::test(start_paused = true)]
async fn what_the_body_consumes_is_cloned_for_each_attempt() {
    #[retryable(policy = "shapes", clone(name, values))]
    fn blocking(name: String, mut values: Vec<u32>, runs: &Runs) -> AppResult<(String, usize)> {
        values.push(0);
        let owned = (name, values.len());
        third(runs)?;
        Ok(owned)
    }
    #[retryable(policy = "shapes", clone(name, values))]
    async fn asynchronous(
        name: String,
        mut values: Vec<u32>,
        runs: &Runs,
    ) -> AppResult<(String, usize)> {
        values.push(0);
        let owned = (name, values.len());
        third(runs)?;
        Ok(owned)
    }
    let expected = || Ok(("n".to_owned(), 2));
    let runs = Runs::new();
    assert_eq!(
        (blocking("n".to_owned(), vec![7], &runs), runs.take()),
        (expected(), 3)
    );
    let answer = asynchronous("n".to_owned(), vec![7], &runs).await;
    assert_eq!((answer, runs.take()), (expected(), 3));
}

#[tokio::test(start_paused = true)]
async fn a_clone_is_as_mutable_as_the_name_within_a_pattern() {
    #[retryable(policy = "shapes", clone(values, name))]
    fn blocking(
        (mut values, name): (Vec<u32>, String),
        runs: &Runs,
    ) -> AppResult<(Vec<u32>, String)> {
        values.push(0);
        let owned = (values, name);
        third(runs)?;
        Ok(owned)
    }
    #[retryable(policy = "shapes", clone(body))]
    async fn asynchronous(Json(mut body): Json<Vec<u32>>, runs: &Runs) -> AppResult<Vec<u32>> {
        body.push(0);
        tokio::task::yield_now().await;
        third(runs)?;
        Ok(body)
    }
    let runs = Runs::new();
    let answer = blocking((vec![7], "n".to_owned()), &runs);
    assert_eq!((answer, runs.take()), (Ok((vec![7, 0], "n".to_owned())), 3));
    let answer = asynchronous(Json(vec![7]), &runs).await;
    assert_eq!((answer, runs.take()), (Ok(vec![7, 0]), 3));
}

#[tokio::test(start_paused = true)]
async fn an_argument_may_be_there_on_a_condition() {
    static RUNS: Runs = Runs::new();
    #[cached]
    fn blocking(
        a: u32,
        #[cfg(not(test))] _absent: u32,
        #[cfg(test)] b: u32,
        #[cfg(test)] c: impl Display + Hash,
    ) -> Option<String> {
        RUNS.up();
        Some(format!("{a}{b}{c}"))
    }
    #[retryable(policy = "shapes", clone(absent, name))]
    #[cached(key = name)]
    async fn asynchronous(
        #[cfg(not(test))] absent: String,
        #[cfg(test)] name: String,
        #[cfg(not(test))] mut also_absent: Vec<u32>,
        runs: &Runs,
    ) -> AppResult<String> {
        #[cfg(not(test))]
        also_absent.push(absent.len());
        third(runs)?;
        Ok(name)
    }
    assert_eq!(blocking(1, 2, 'c').as_deref(), Some("12c"));
    assert_eq!(blocking(1, 2, 'c').as_deref(), Some("12c"));
    assert_eq!(RUNS.take(), 1);
    assert_eq!(blocking(1, 3, 'c').as_deref(), Some("13c"));
    assert_eq!(blocking(1, 2, "c").as_deref(), Some("12c"));
    assert_eq!(blocking(1, 2, 'd').as_deref(), Some("12d"));
    assert_eq!(RUNS.take(), 3);
    let answer = asynchronous("n".to_owned(), &RUNS).await;
    assert_eq!((answer, RUNS.take()), (Ok("n".to_owned()), 3));
}

#[tokio::test(start_paused = true)]
async fn an_argument_that_is_changed_keeps_the_change_in_the_next_attempt() {
    #[retryable(policy = "shapes")]
    fn blocking(mut left: u32, list: &mut Vec<u32>, runs: &Runs) -> AppResult<u32> {
        left -= 1;
        list.push(left);
        third(runs)?;
        Ok(left)
    }
    #[retryable(policy = "shapes")]
    async fn asynchronous(mut left: u32, list: &mut Vec<u32>, runs: &Runs) -> AppResult<u32> {
        left -= 1;
        list.push(left);
        tokio::task::yield_now().await;
        third(runs)?;
        Ok(left)
    }
    let (mut list, runs) = (Vec::new(), Runs::new());
    assert_eq!(blocking(9, &mut list, &runs), Ok(6));
    runs.take();
    assert_eq!(asynchronous(5, &mut list, &runs).await, Ok(2));
    assert_eq!(list, [8, 7, 6, 4, 3, 2]);
}

#[tokio::test(start_paused = true)]
async fn what_is_lent_for_change_is_lent_again_to_each_attempt() {
    #[retryable(policy = "shapes")]
    fn blocking(
        numbers: &mut impl Iterator<Item = u32>,
        buffer: &mut [u8],
        mut log: Option<&mut Vec<u32>>,
    ) -> AppResult<u32> {
        buffer[0] += 1;
        let number = numbers.next().ok_or(AppError::Gone)?;
        if let Some(log) = log.as_deref_mut() {
            log.push(number);
        }
        if number < 3 {
            Err(AppError::Busy)
        } else {
            Ok(number)
        }
    }
    #[retryable(policy = "shapes")]
    #[timeout("1s")]
    async fn asynchronous(
        numbers: &mut (dyn Iterator<Item = u32> + Send),
        buffer: &mut [u8],
    ) -> AppResult<u32> {
        buffer[0] += 1;
        tokio::task::yield_now().await;
        let number = numbers.next().ok_or(AppError::Gone)?;
        if number < 3 {
            Err(AppError::Busy)
        } else {
            Ok(number)
        }
    }
    let (mut buffer, mut log) = ([0], Vec::new());
    assert_eq!(blocking(&mut (1..), &mut buffer, Some(&mut log)), Ok(3));
    assert_eq!((buffer, log), ([3], vec![1, 2, 3]));
    assert_eq!(asynchronous(&mut (1..), &mut buffer).await, Ok(3));
    assert_eq!(buffer, [6]);
    assert_eq!(
        blocking(&mut (1..1), &mut buffer, None),
        Err(AppError::Gone)
    );
}

#[tokio::test(start_paused = true)]
async fn impl_trait_and_functions_are_arguments_like_others() {
    #[retryable(policy = "shapes", clone(name))]
    fn blocking(
        name: impl Into<String> + Clone,
        show: &impl Display,
        edit: impl Fn(u32) -> u32,
        more: &dyn Fn(u32) -> AppResult<u32>,
        runs: &Runs,
    ) -> AppResult<String> {
        let name: String = name.into();
        Ok(format!("{name} {show} {}", edit(more(third(runs)?)?)))
    }
    #[retryable(policy = "shapes", clone(name))]
    async fn asynchronous(
        name: impl Into<String> + Clone + Send,
        edit: impl Fn(u32) -> u32 + Send,
        plain: fn(&Runs) -> AppResult<u32>,
        runs: &Runs,
    ) -> AppResult<String> {
        let name: String = name.into();
        Ok(format!("{name} {}", edit(plain(runs)?)))
    }
    let runs = Runs::new();
    let text = blocking("a", &7, |n| n * 2, &|n| Ok(n + 1), &runs);
    assert_eq!((text, runs.take()), (Ok("a 7 8".to_owned()), 3));
    let text = asynchronous("b", |n| n + 1, third, &runs).await;
    assert_eq!((text, runs.take()), (Ok("b 4".to_owned()), 3));
}

#[tokio::test(start_paused = true)]
async fn the_code_of_an_attribute_sees_the_arguments_as_the_body_does() {
    #[fallback(|error| match error {
        AppError::Rejected(Rejected::RateLimited { .. }) => Ok(format!("{user}: too many")),
        _ => Ok(format!("{user} {record}")),
    })]
    #[rate_limited(capacity = 10, window_seconds = 60, key = (user, &*record), cost = cost.max(1))]
    #[retryable(policy = "shapes", clone(record))]
    async fn ask(
        State(user): State<u32>,
        record: String,
        cost: u8,
        runs: &Runs,
    ) -> AppResult<String> {
        runs.up();
        drop(record);
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    let ask = |user, record: &str, cost| ask(State(user), record.to_owned(), cost, &runs);
    assert_eq!(ask(1, "x", 8).await, Ok("1 x".to_owned()));
    assert_eq!(ask(1, "x", 8).await, Ok("1: too many".to_owned()));
    assert_eq!(ask(1, "y", 8).await, Ok("1 y".to_owned()));
    assert_eq!(ask(1, "x", 0).await, Ok("1 x".to_owned()));
    assert_eq!(runs.get(), 9);
}

#[tokio::test(start_paused = true)]
async fn arguments_may_be_called_as_our_own_names_are() {
    #[fallback(|error| Err(error))]
    #[cached(key = (call, key))]
    #[timeout(call = "9s", attempt = "1s")]
    #[rate_limited(capacity = 99, window_seconds = 60, key = key, cost = cost)]
    #[retryable(policy = "shapes", retry_if = |error| *error == AppError::Busy && outcome > 0)]
    #[circuit_breaker(failure_if = |result| result.is_err() && value > 100)]
    #[hardening::bulkhead(priority = priority)]
    #[allow(
        clippy::too_many_arguments,
        reason = "all names that generated code has"
    )]
    async fn ask(
        call: u32,
        outcome: u32,
        site: u32,
        shape: u32,
        key: u32,
        cost: u32,
        retry: u32,
        delay: u32,
        probe: u32,
        place: u32,
        priority: hardening::Priority,
        value: u32,
        error: u32,
        lead: u32,
        r#type: u32,
        runs: &Runs,
    ) -> AppResult<u32> {
        let sum = call + outcome + site + shape + key + cost + retry + delay;
        Ok(third(runs)? + sum + probe + place + value + error + lead + r#type)
    }
    let (runs, urgent) = (Runs::new(), hardening::Priority::Urgent);
    let sum = ask(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, urgent, 1, 1, 1, 1, &runs).await;
    assert_eq!((sum, runs.get()), (Ok(3 + 14), 3));
}
