//! Attributes on trait impls, on what traits provide, and with `#[async_trait]`.
#![forbid(unsafe_code)]

use crate::support::{AppError, AppResult, Runs};
use hardening::{cached, circuit_breaker, retryable, timeout};
use std::{fmt::Debug, future::Future, time::Duration};

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

#[async_trait::async_trait]
trait Repository {
    async fn find(&self, id: u32, query: String) -> Result<String, AppError>;
    async fn add(&mut self, line: &str) -> Result<usize, AppError>;
}

#[derive(Default)]
struct Below(Vec<String>, Runs);

#[async_trait::async_trait]
impl Repository for Below {
    #[retryable(clone(query))]
    #[timeout("5s")]
    async fn find(&self, id: u32, query: String) -> Result<String, AppError> {
        if self.1.up() == 1 {
            return Err(AppError::Busy);
        }
        Ok(format!("{id} {query} {}", self.0.len()))
    }

    #[circuit_breaker]
    #[timeout("1s")]
    async fn add(&mut self, line: &str) -> Result<usize, AppError> {
        self.0.push(line.into());
        Ok(self.0.len())
    }
}

#[derive(Default)]
struct Above(Vec<String>, Runs);

#[retryable(max_attempts = 2)]
#[async_trait::async_trait]
impl Repository for Above {
    #[retryable(clone(query), max_attempts = 3)]
    async fn find(&self, _: u32, query: String) -> Result<String, AppError> {
        drop(query);
        self.1.up();
        Err(AppError::Busy)
    }

    async fn add(&mut self, line: &str) -> Result<usize, AppError> {
        self.0.push(line.into());
        let wait = Duration::from_millis(5);
        if self.0.len() < 2 {
            Err(AppError::Later { wait })
        } else {
            Ok(self.0.len())
        }
    }
}

#[tokio::test(start_paused = true)]
async fn async_trait_may_stand_above_the_block_and_our_attributes_on_its_methods() {
    let mut below = Below::default();
    assert_eq!(below.find(1, "a".into()).await.unwrap(), "1 a 0");
    assert_eq!(below.1.get(), 2);
    assert_eq!(below.add("x").await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn our_attributes_may_stand_above_async_trait() {
    let mut above = Above::default();
    assert!(above.find(1, "a".into()).await.is_err());
    assert_eq!(
        above.1.get(),
        3,
        "the method's own attribute replaces the block's"
    );
    assert_eq!(above.add("x").await.unwrap(), 2);
}

#[async_trait::async_trait(?Send)]
trait Local {
    async fn read<'a>(&self, text: &'a str) -> AppResult<&'a str>;

    #[retryable(policy = "shapes")]
    async fn provided(&self) -> AppResult<String> {
        self.read("provided").await.map(str::to_owned)
    }
}

#[async_trait::async_trait(?Send)]
impl Local for std::rc::Rc<Runs> {
    #[retryable(policy = "shapes", max_attempts = 2)]
    async fn read<'a>(&self, text: &'a str) -> AppResult<&'a str> {
        tokio::task::yield_now().await;
        match self.up() {
            1..=4 => Err(AppError::Busy),
            _ => Ok(text),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn async_trait_methods_may_be_provided_and_local() {
    let runs = std::rc::Rc::new(Runs::new());
    assert_eq!(runs.provided().await, Ok("provided".to_owned()));
    assert_eq!(runs.get(), 2 + 2 + 1);
}

trait Provides {
    const FAILURES: u32;

    fn runs(&self) -> &Runs;

    #[retryable(policy = "shapes")]
    fn blocking(&self) -> AppResult<u32> {
        match self.runs().up() {
            run if run <= Self::FAILURES => Err(AppError::Busy),
            run => Ok(run),
        }
    }

    #[retryable(policy = "shapes")]
    #[circuit_breaker]
    #[allow(async_fn_in_trait, reason = "what is tested")]
    async fn asynchronous(&mut self) -> AppResult<u32>
    where
        Self: Sized,
    {
        tokio::task::yield_now().await;
        Provides::blocking(&*self).map_err(|_| AppError::Gone)
    }

    #[retryable(policy = "shapes")]
    fn later(&self) -> impl Future<Output = AppResult<u32>> + Send
    where
        Self: Sync,
    {
        async move { self.blocking() }
    }
}

struct Twice(Runs);

impl Provides for Twice {
    const FAILURES: u32 = 2;
    fn runs(&self) -> &Runs {
        &self.0
    }
}

struct Often(Runs);

impl Provides for Often {
    const FAILURES: u32 = 9;
    fn runs(&self) -> &Runs {
        &self.0
    }

    #[retryable(policy = "shapes", max_attempts = 10)]
    async fn asynchronous(&mut self) -> AppResult<u32> {
        match self.0.up() {
            run if run <= Self::FAILURES => Err(AppError::Busy),
            run => Ok(run),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn methods_that_a_trait_provides_are_wrapped_until_they_are_replaced() {
    let (mut twice, mut often) = (Twice(Runs::new()), Often(Runs::new()));
    assert_eq!((twice.blocking(), twice.0.take()), (Ok(3), 3));
    assert_eq!((twice.asynchronous().await, twice.0.take()), (Ok(3), 3));
    assert_eq!((twice.later().await, twice.0.take()), (Ok(3), 3));
    assert_eq!((often.blocking(), often.0.take()), (Err(AppError::Busy), 3));
    assert_eq!((often.asynchronous().await, often.0.take()), (Ok(10), 10));
}

trait Ask<T: ?Sized> {
    fn ask(&self, value: &T) -> AppResult<String>;
}

#[retryable(policy = "shapes")]
#[circuit_breaker(failure_threshold = 100)]
impl<T: Debug + ?Sized, F: Fn() -> u32> Ask<T> for F {
    fn ask(&self, value: &T) -> AppResult<String> {
        match self() {
            1 | 2 => Err(AppError::Busy),
            run => Ok(format!("{value:?} {run}")),
        }
    }
}

#[test]
fn a_blanket_impl_is_a_block_like_others() {
    let runs = Runs::new();
    let source = || runs.up();
    assert_eq!(
        (source.ask("x"), runs.take()),
        (Ok("\"x\" 3".to_owned()), 3)
    );
    let object: &dyn Ask<u8> = &source;
    assert_eq!((object.ask(&1), runs.take()), (Ok("1 3".to_owned()), 3));
}

trait Named {
    type Name: Debug;
    fn name(&self, id: u8) -> Self::Name;
}

#[cached]
impl Named for Runs {
    type Name = String;
    fn name(&self, id: u8) -> Self::Name {
        format!("{id} in run {}", self.up())
    }
}

#[test]
fn an_associated_type_may_be_what_is_remembered() {
    let runs = Runs::new();
    assert_eq!(
        (runs.name(1), runs.name(1)),
        ("1 in run 1".into(), "1 in run 1".into())
    );
    assert_eq!((runs.name(2), runs.get()), ("2 in run 2".into(), 2));
}

trait Count {
    fn count(&self) -> AppResult<usize>;
}

/// Fails in the first two runs of each type.
fn counted<T>(count: usize) -> AppResult<usize> {
    static RUNS: std::sync::Mutex<Vec<&'static str>> = std::sync::Mutex::new(Vec::new());
    let mut runs = RUNS.lock().unwrap();
    runs.push(std::any::type_name::<T>());
    match runs
        .iter()
        .filter(|name| **name == std::any::type_name::<T>())
        .count()
    {
        1 | 2 => Err(AppError::Busy),
        _ => Ok(count),
    }
}

#[retryable(policy = "shapes")]
impl<T, const N: usize> Count for [T; N] {
    fn count(&self) -> AppResult<usize> {
        counted::<Self>(N)
    }
}

#[retryable(policy = "shapes")]
impl Count for (u8, &str) {
    fn count(&self) -> AppResult<usize> {
        counted::<(u8, &'static str)>(2)
    }
}

#[retryable(policy = "shapes")]
impl<T: Count + ?Sized> Count for &mut T {
    fn count(&self) -> AppResult<usize> {
        (**self).count()
    }
}

#[retryable(policy = "shapes")]
impl Count for fn(u8) -> u8 {
    fn count(&self) -> AppResult<usize> {
        counted::<Self>(1)
    }
}

#[retryable(policy = "shapes")]
impl dyn Count + '_ {
    fn twice(&self) -> AppResult<usize> {
        Ok(self.count()? * 2)
    }
}

#[test]
fn every_type_may_have_a_block() {
    assert_eq!([(); 3].count(), Ok(3));
    assert_eq!((1_u8, "").count(), Ok(2));
    let lent = &mut [0_u8; 4];
    assert_eq!(Count::count(&lent), Ok(4));
    let wrapping: fn(u8) -> u8 = u8::swap_bytes;
    let object: &dyn Count = &wrapping;
    assert_eq!(object.twice(), Ok(2));
}
