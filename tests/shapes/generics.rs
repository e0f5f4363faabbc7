//! What is generic: compiled many times, one site.
#![forbid(unsafe_code)]

use crate::support::{AppError, AppResult, Runs};
use hardening::{Classify, Rejected, cached, circuit_breaker, rate_limited, retryable, timeout};
use std::{any::type_name, fmt::Debug, future::Future, hash::Hash};

/// Fails in the first two runs.
fn third(runs: &Runs) -> AppResult<u32> {
    match runs.up() {
        1 | 2 => Err(AppError::Busy),
        run => Ok(run),
    }
}

#[tokio::test(start_paused = true)]
async fn types_constants_and_lifetimes_are_parameters_as_without_attributes() {
    #[retryable(policy = "shapes")]
    fn blocking<'a, 'b: 'a, T, const N: usize, const UP: bool>(
        from: &'a [T; N],
        other: &'b T,
        runs: &Runs,
    ) -> AppResult<(&'a T, usize)>
    where
        T: Ord + 'static,
        [T; N]: Debug,
    {
        third(runs)?;
        let found = if UP {
            from.iter().max()
        } else {
            from.iter().min()
        };
        Ok((found.unwrap_or(other), N))
    }
    #[retryable(policy = "shapes")]
    #[timeout("1s")]
    async fn asynchronous<'a, T: Clone + Send + Sync, const N: usize>(
        from: &'a [T; N],
        runs: &Runs,
    ) -> AppResult<(&'a T, Vec<T>)> {
        third(runs)?;
        Ok((&from[0], vec![from[0].clone(); N]))
    }
    let runs = Runs::new();
    assert_eq!(blocking::<_, 3, true>(&[1, 3, 2], &0, &runs), Ok((&3, 3)));
    assert_eq!(runs.take(), 3);
    assert_eq!(
        blocking::<_, 2, false>(&["b", "a"], &"", &runs),
        Ok((&"a", 2))
    );
    assert_eq!(blocking::<_, 0, false>(&[], &"x", &runs), Ok((&"x", 0)));
    runs.take();
    assert_eq!(
        asynchronous(&['x', 'y'], &runs).await,
        Ok((&'x', vec!['x', 'x']))
    );
    assert_eq!(runs.take(), 3);
}

#[tokio::test(start_paused = true)]
async fn lifetimes_may_be_elided_static_or_of_a_closure() {
    #[retryable(policy = "shapes")]
    fn elided(text: &str, runs: &Runs) -> AppResult<Box<str>> {
        third(runs).map(|_| text.into())
    }
    #[retryable(policy = "shapes")]
    async fn forever(runs: &'static Runs) -> AppResult<&'static str> {
        third(runs).map(|_| "forever")
    }
    #[retryable(policy = "shapes")]
    fn higher_ranked<F>(cut: F, text: &str, runs: &Runs) -> AppResult<usize>
    where
        F: for<'a> Fn(&'a str) -> &'a str,
    {
        third(runs)?;
        Ok(cut(text).len())
    }
    #[retryable(policy = "shapes")]
    async fn boxed<'a>(
        cut: Box<dyn for<'b> Fn(&'b str) -> &'b str + Send + Sync + 'a>,
        text: &'a str,
        runs: &Runs,
    ) -> AppResult<usize> {
        third(runs)?;
        Ok(cut(text).len())
    }
    static RUNS: Runs = Runs::new();
    assert_eq!(elided("text", &RUNS).as_deref(), Ok("text"));
    assert_eq!((forever(&RUNS).await, RUNS.take()), (Ok("forever"), 4));
    assert_eq!(higher_ranked(|text| &text[1..], "text", &RUNS), Ok(3));
    RUNS.take();
    let cut = Box::new(str::trim);
    assert_eq!((boxed(cut, " a ", &RUNS).await, RUNS.take()), (Ok(1), 3));
}

/// A source of items, as generic code is written against.
trait Source {
    type Item: Debug;
    fn read(&self) -> AppResult<Self::Item>;
}

impl Source for Runs {
    type Item = u32;
    fn read(&self) -> AppResult<u32> {
        third(self)
    }
}

#[tokio::test(start_paused = true)]
async fn associated_types_and_bounds_in_where_clauses_work() {
    #[retryable(policy = "shapes")]
    fn blocking<S>(source: &S) -> AppResult<<S as Source>::Item>
    where
        S: Source<Item: Send> + ?Sized,
    {
        source.read()
    }
    #[retryable(policy = "shapes")]
    async fn asynchronous<S: Source>(source: &S) -> Result<Vec<S::Item>, AppError>
    where
        for<'a> &'a S: Copy,
    {
        Ok(vec![source.read()?])
    }
    let runs = Runs::new();
    assert_eq!((blocking(&runs), runs.take()), (Ok(3), 3));
    assert_eq!((asynchronous(&runs).await, runs.take()), (Ok(vec![3]), 3));
}

#[tokio::test(start_paused = true)]
async fn the_error_and_the_whole_operation_may_be_generic() {
    #[retryable(policy = "shapes")]
    fn blocking<T, E: From<Rejected> + Classify>(run: impl Fn() -> Result<T, E>) -> Result<T, E> {
        run()
    }
    #[circuit_breaker]
    #[retryable(policy = "shapes")]
    async fn asynchronous<T, E, F, Fut>(run: F) -> Result<T, E>
    where
        E: From<Rejected> + Classify,
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        run().await
    }
    let runs = Runs::new();
    assert_eq!((blocking(|| third(&runs)), runs.take()), (Ok(3), 3));
    let answer = asynchronous(|| async { third(&runs) }).await;
    assert_eq!((answer, runs.take()), (Ok(3), 3));
    let other = asynchronous(|| async { Err::<(), _>(std::io::Error::other("no")) }).await;
    assert_eq!(other.unwrap_err().to_string(), "no");
}

#[test]
fn a_constant_may_decide_the_cost() {
    #[rate_limited(capacity = 30, window_seconds = 60, key = (text, *number), cost = padding.len())]
    fn limited<'a, const N: usize>(
        text: &'a str,
        number: &u32,
        padding: [u8; N],
    ) -> AppResult<&'a str> {
        let _ = padding;
        Ok(text)
    }
    assert_eq!(limited("x", &3, [0; 3]), Ok("x"));
    let never = limited("x", &3, [0; 31]).map_err(AppError::rejected);
    assert_eq!(never.unwrap_err().retry_after(), None);
}

#[cached]
fn size<T>() -> usize {
    size_of::<T>()
}

#[cached]
fn repeated<const N: usize>(of: u8) -> Vec<u8> {
    vec![of; N]
}

#[test]
fn two_types_of_one_generic_function_do_not_share_a_result() {
    assert_eq!((size::<u8>(), size::<u64>(), size::<u8>()), (1, 8, 1));
}

#[test]
fn two_constants_of_one_generic_function_do_not_share_a_result() {
    assert_eq!(repeated::<2>(7), [7, 7]);
    assert_eq!(repeated::<3>(7), [7, 7, 7]);
}

/// What the value of an argument is called: `str` and `String` hash alike.
fn called<T>(_: &T) -> &'static str {
    type_name::<T>()
}

#[tokio::test(start_paused = true)]
async fn two_types_of_an_impl_trait_argument_do_not_share_a_result() {
    #[cached]
    fn blocking(of: impl Hash + Copy) -> &'static str {
        called(&of)
    }
    #[cached]
    async fn asynchronous((of, _): (impl Hash + Copy, u8)) -> &'static str {
        called(&of)
    }
    let owned = "a".to_owned();
    assert_eq!(
        (blocking("a"), blocking(&owned)),
        ("&str", "&alloc::string::String")
    );
    let one = asynchronous(("a", 1)).await;
    assert_eq!(
        (one, asynchronous((&owned, 1)).await),
        ("&str", "&alloc::string::String")
    );
}

struct Holder<T, const N: usize>([T; N], Runs);

impl<T, const N: usize> Holder<T, N> {
    const fn new(values: [T; N]) -> Self {
        Self(values, Runs::new())
    }

    #[cached]
    fn blocking(&self) -> String {
        self.1.up();
        format!("{} {N}", type_name::<T>())
    }

    #[cached]
    fn of_type(id: u8) -> String {
        format!("{} {N} {id}", type_name::<T>())
    }

    #[cached]
    async fn asynchronous<U>(&self, _: &str) -> String {
        self.1.up();
        format!("{} {N} {}", type_name::<T>(), type_name::<U>())
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_impl_block_is_generic_over_is_part_of_its_methods_keys() {
    let (one, two, three) = (
        Holder::new([1_u8]),
        Holder::new([1_u16]),
        Holder::new([1_u8, 2]),
    );
    for _ in 0..2 {
        assert_eq!(one.blocking(), "u8 1");
        assert_eq!(two.blocking(), "u16 1");
        assert_eq!(three.blocking(), "u8 2");
        assert_eq!(one.asynchronous::<i8>("").await, "u8 1 i8");
        assert_eq!(two.asynchronous::<i8>("").await, "u16 1 i8");
        assert_eq!(one.asynchronous::<i16>("").await, "u8 1 i16");
        assert_eq!(Holder::<u8, 1>::of_type(0), "u8 1 0");
        assert_eq!(Holder::<u8, 2>::of_type(0), "u8 2 0");
    }
    let runs = [one.1.get(), two.1.get(), three.1.get()];
    assert_eq!(runs, [3, 2, 1], "each once for each of its types");
}

struct Lent<'a>(&'a str);

impl<'a> Lent<'a> {
    #[cached]
    fn first(&self, id: u8) -> (u8, u32) {
        let _: &'a str = self.0;
        (id, LENT.up())
    }
}

static LENT: Runs = Runs::new();

#[test]
fn what_lives_for_another_time_is_remembered_as_the_same() {
    let owned = "text".to_owned();
    assert_eq!(Lent("text").first(1), (1, 1));
    assert_eq!(Lent(&owned).first(1), (1, 1));
    assert_eq!(Lent(&owned).first(2), (2, 2));
}

trait Named {
    #[cached]
    fn name(&self) -> &'static str {
        NAMES.up();
        type_name::<Self>()
    }

    #[cached]
    async fn slowly(&self) -> &'static str {
        NAMES.up();
        type_name::<Self>()
    }
}

static NAMES: Runs = Runs::new();

impl Named for u8 {}
impl Named for u16 {}
impl<T> Named for Vec<T> {}

#[tokio::test(start_paused = true)]
async fn a_method_that_a_trait_provides_remembers_for_each_implementor() {
    for _ in 0..2 {
        assert_eq!((1_u8.name(), 1_u16.name()), ("u8", "u16"));
        assert_eq!((1_u8.slowly().await, 1_u16.slowly().await), ("u8", "u16"));
        assert_eq!(vec![1_u8].name(), type_name::<Vec<u8>>());
        assert_eq!(vec![1_u16].name(), type_name::<Vec<u16>>());
    }
    assert_eq!(NAMES.get(), 6);
}

struct Repository<T>(std::marker::PhantomData<T>);

impl<T> Repository<T> {
    #[cached(name = "shapes_of_repository")]
    fn read(id: u8) -> String {
        format!("{} {id}", type_name::<T>())
    }

    #[cached(name = "shapes_of_repository")]
    fn read_again(id: u8) -> String {
        format!("{id} anew")
    }
}

#[test]
fn methods_that_share_a_cache_by_name_share_it_for_one_type() {
    assert_eq!(Repository::<u8>::read(1), "u8 1");
    assert_eq!(Repository::<u8>::read_again(1), "u8 1");
    assert_eq!(Repository::<u16>::read_again(1), "1 anew");
}
