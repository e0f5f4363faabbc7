//! `self` in all forms. Each method fails twice and answers at the third attempt.
#![forbid(unsafe_code)]

use crate::support::{AppError, AppResult, Runs};
use hardening::{bulkhead, cached, circuit_breaker, retryable, timeout};
use std::{pin::Pin, rc::Rc, sync::Arc};

#[derive(Default)]
struct Service {
    runs: Runs,
    log: Vec<u32>,
}

impl Service {
    /// The number of the run, from the third on.
    fn third(&self) -> AppResult<u32> {
        match self.runs.up() {
            1 | 2 => Err(AppError::Busy),
            run => Ok(run),
        }
    }

    /// The same, and how often it was noted.
    fn note(&mut self) -> AppResult<(u32, usize)> {
        self.log.push(1);
        Ok((self.third()?, self.log.len()))
    }
}

#[retryable(policy = "shapes")]
#[circuit_breaker]
#[bulkhead]
#[allow(
    clippy::boxed_local,
    clippy::needless_arbitrary_self_type,
    clippy::needless_pass_by_value,
    reason = "the forms of `self`"
)]
impl Service {
    fn owned(self) -> AppResult<u32> {
        self.third()
    }
    fn owned_and_changed(mut self) -> AppResult<(u32, usize)> {
        self.note()
    }
    fn shared(&self) -> AppResult<u32> {
        self.third()
    }
    fn exclusive(&mut self) -> AppResult<(u32, usize)> {
        self.note()
    }
    fn typed(self: &Self) -> AppResult<u32> {
        self.third()
    }
    fn in_arc(self: Arc<Self>) -> AppResult<u32> {
        Arc::clone(&self).third()
    }
    fn in_borrowed_arc(self: &Arc<Self>) -> AppResult<u32> {
        Arc::clone(self).third()
    }
    fn in_rc(self: Rc<Self>) -> AppResult<u32> {
        self.third()
    }
    fn in_box(mut self: Box<Self>) -> AppResult<(u32, usize)> {
        self.note()
    }
    fn pinned(self: Pin<&Self>) -> AppResult<u32> {
        self.third()
    }
    fn pinned_for_change(mut self: Pin<&mut Self>) -> AppResult<(u32, usize)> {
        self.as_mut().note()
    }
}

#[retryable(policy = "shapes")]
#[timeout("1s")]
#[circuit_breaker]
impl Service {
    async fn async_owned(self) -> AppResult<u32> {
        self.third()
    }
    async fn async_owned_and_changed(mut self) -> AppResult<(u32, usize)> {
        self.note()
    }
    async fn async_shared(&self) -> AppResult<u32> {
        self.third()
    }
    async fn async_exclusive(&mut self) -> AppResult<(u32, usize)> {
        tokio::task::yield_now().await;
        self.note()
    }
    async fn async_in_arc(self: Arc<Self>) -> AppResult<u32> {
        let shared = Arc::clone(&self);
        tokio::spawn(async move { shared.third() })
            .await
            .expect("a run")
    }
    async fn async_in_borrowed_arc(self: &Arc<Self>) -> AppResult<u32> {
        self.third()
    }
    async fn async_in_rc(self: Rc<Self>) -> AppResult<u32> {
        self.third()
    }
    async fn async_in_box(mut self: Box<Self>) -> AppResult<(u32, usize)> {
        self.note()
    }
    async fn async_pinned(self: Pin<&Self>) -> AppResult<u32> {
        self.third()
    }
    async fn async_pinned_for_change(mut self: Pin<&mut Self>) -> AppResult<(u32, usize)> {
        self.as_mut().note()
    }
}

#[test]
fn every_form_of_self_is_there_for_each_attempt() {
    let new = Service::default;
    assert_eq!(new().owned(), Ok(3));
    assert_eq!(new().owned_and_changed(), Ok((3, 3)));
    assert_eq!(new().shared(), Ok(3));
    assert_eq!(new().exclusive(), Ok((3, 3)));
    assert_eq!(new().typed(), Ok(3));
    assert_eq!(Arc::new(new()).in_arc(), Ok(3));
    assert_eq!(Arc::new(new()).in_borrowed_arc(), Ok(3));
    assert_eq!(Rc::new(new()).in_rc(), Ok(3));
    assert_eq!(Box::new(new()).in_box(), Ok((3, 3)));
    assert_eq!(Pin::new(&new()).pinned(), Ok(3));
    assert_eq!(Pin::new(&mut new()).pinned_for_change(), Ok((3, 3)));
}

#[tokio::test(start_paused = true)]
async fn every_form_of_self_is_there_for_each_attempt_of_an_async_method() {
    let new = Service::default;
    assert_eq!(new().async_owned().await, Ok(3));
    assert_eq!(new().async_owned_and_changed().await, Ok((3, 3)));
    assert_eq!(new().async_shared().await, Ok(3));
    assert_eq!(new().async_exclusive().await, Ok((3, 3)));
    assert_eq!(Arc::new(new()).async_in_arc().await, Ok(3));
    assert_eq!(Arc::new(new()).async_in_borrowed_arc().await, Ok(3));
    assert_eq!(Rc::new(new()).async_in_rc().await, Ok(3));
    assert_eq!(Box::new(new()).async_in_box().await, Ok((3, 3)));
    assert_eq!(Pin::new(&new()).async_pinned().await, Ok(3));
    let answer = Pin::new(&mut new()).async_pinned_for_change().await;
    assert_eq!(answer, Ok((3, 3)));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_shared_outlives_the_call_that_took_it() {
    let shared = Arc::new(Service::default());
    let answer = tokio::spawn(Arc::clone(&shared).async_in_arc()).await;
    assert_eq!(answer.unwrap(), Ok(3));
    assert_eq!((shared.runs.get(), Arc::strong_count(&shared)), (3, 1));
}

#[derive(Clone, Copy)]
struct Tenant(u32);

impl Tenant {
    #[cached(ttl = 60)]
    fn without_self(self, id: u32) -> u32 {
        self.0 * 10 + id
    }

    #[cached(ttl = 60, key = (self.0, id))]
    async fn by_tenant(&self, id: u32) -> AppResult<u32> {
        Ok(self.0 * 10 + id)
    }
}

#[tokio::test(start_paused = true)]
async fn self_is_in_a_key_that_names_it_and_in_no_other() {
    assert_eq!(Tenant(1).without_self(5), 15);
    assert_eq!(Tenant(2).without_self(5), 15);
    assert_eq!(Tenant(1).by_tenant(5).await, Ok(15));
    assert_eq!(Tenant(2).by_tenant(5).await, Ok(25));
}
