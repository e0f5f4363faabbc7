//! The layers between the cache and the body, as the generated code asks for them.

use super::{Call, Refused};
use crate::{
    bulkhead::{BulkheadState, Place, Priority, WaitEnded},
    circuit_breaker::{Admitted, BreakerState, Signal},
    clock::{self, Sleep},
    config::{BulkheadPolicy, CircuitBreakerPolicy},
    event, inject, live,
    metrics::{Event, Layer},
    outcome::{Class, Failure, Rejected},
    rate_limit::{Admission, Verdict},
    retry::{Driver, Next, RetryEvent, Rules},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

impl Call {
    /// Whether there is a rate limit to ask.
    #[inline]
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        self.live.rate_limit.is_some()
    }

    /// The rate limit: the call's tokens, now or after its wait.
    #[inline]
    pub fn rate_limit(&self, key: u64, cost: u32) -> Turn<'_> {
        Turn(match self.admit(key, cost) {
            Ok(Admission::Now) => Ok(None),
            Ok(Admission::Wait(place)) => Ok(Some(Box::pin(async move {
                let waited = place.wait().await;
                waited.map_err(|rejected| self.limited(key, rejected))
            }))),
            Err(refused) => Err(refused),
        })
    }

    /// [`rate_limit`](Self::rate_limit) for a blocking function.
    #[inline]
    pub fn rate_limit_blocking(&self, key: u64, cost: u32) -> Result<(), Refused> {
        let waited = match self.admit(key, cost)? {
            Admission::Now => return Ok(()),
            Admission::Wait(place) => place.wait_blocking(),
        };
        waited.map_err(|rejected| self.limited(key, rejected))
    }

    /// `rejected`, told with its key, and counted.
    #[inline(never)]
    fn limited(&self, key: u64, rejected: Rejected) -> Refused {
        event::rate_limited(self.live.path, rejected.name(), rejected.retry_after(), key);
        self.span.rejected(Layer::RateLimit, &rejected);
        self.site.metrics.count(Event::Rejected(Layer::RateLimit));
        Refused(rejected)
    }

    #[inline]
    fn admit(&self, key: u64, cost: u32) -> Result<Admission<'static>, Refused> {
        let Some(layer) = &self.live.rate_limit else {
            return Ok(Admission::Now);
        };
        // Nothing has held the call up yet if no layer that waits is around this one.
        let now = if self.live.limits_first {
            self.began
        } else {
            clock::now()
        };
        let (policy, deadline) = (&layer.policy, self.deadline());
        if layer.observe {
            self.observed(layer.state.observe(policy, key, cost, now, deadline));
            self.span.quota(layer, key);
            return Ok(Admission::Now);
        }
        let admission = layer.state.admit(policy, key, cost, now, deadline);
        self.span.quota(layer, key);
        admission.map_err(|rejected| self.limited(key, rejected))
    }

    fn observed(&self, verdict: Verdict) {
        match verdict {
            Verdict::Admitted => {}
            Verdict::Delayed => self.site.metrics.count(Event::WaitObserved),
            Verdict::Rejected => self.site.metrics.count(Event::LimitObserved),
        }
    }

    /// The retry: what follows each attempt.
    #[inline]
    #[must_use]
    pub fn retry(&self) -> Retrying {
        Retrying(self.live.retry.as_ref().map(|layer| {
            let rules = Rules {
                site: self.live.path,
                policy: &layer.policy,
                budget: Some(layer.state),
            };
            // `max_elapsed` is the time of the attempts: what held the call up before is not in it.
            let now = || {
                if self.live.retries_first {
                    self.began
                } else {
                    clock::now()
                }
            };
            (rules, Driver::begin(rules, self.deadline(), now))
        }))
    }

    /// The wait before a retry.
    #[inline]
    pub fn pause(&self, delay: Duration) -> Sleep {
        self.span.retrying(delay);
        clock::sleep(delay)
    }

    /// [`pause`](Self::pause) for a blocking function.
    pub fn pause_blocking(&self, delay: Duration) {
        self.span.retrying(delay);
        clock::sleep_blocking(delay);
    }

    /// The circuit breaker: whether the dependency may be called.
    #[inline]
    pub fn circuit_breaker(&self) -> Result<Probing, Refused> {
        match &self.live.circuit_breaker {
            Some(layer) => self.ask_circuit(layer),
            None => Ok(Probing(None)),
        }
    }

    #[inline]
    fn ask_circuit(&self, layer: &'static Guarded) -> Result<Probing, Refused> {
        let admitted = if layer.observe {
            let admitted = layer.state.observe(&layer.policy, clock::now);
            if admitted.is_none() {
                self.site.metrics.count(Event::CircuitObserved);
            }
            admitted
        } else {
            let admitted = layer.state.enter(&layer.policy, clock::now);
            Some(admitted.map_err(|rejected| self.refused(Layer::CircuitBreaker, rejected))?)
        };
        let with_deadline = |admitted: Admitted<'static>| admitted.with_deadline(self.deadline());
        Ok(Probing(admitted.map(with_deadline)))
    }

    /// The bulkhead: a place among those that run together, now or after a wait.
    #[inline]
    pub fn bulkhead(&self, priority: Priority) -> Entering<'_> {
        let Some(layer) = &self.live.bulkhead else {
            return Entering::Done(None);
        };
        match layer.state.try_enter(&layer.policy) {
            Some(place) => Entering::Done(Some(place)),
            None => self.queue_up(layer, priority),
        }
    }

    #[cold]
    fn queue_up(&self, layer: &'static Bounded, priority: Priority) -> Entering<'_> {
        Entering::Waiting(Box::pin(async move {
            let (now, deadline) = (clock::now(), self.deadline());
            let entering = layer.state.enter(&layer.policy, priority, now, deadline);
            let waited = entering.await;
            waited.map(Some).map_err(|ended| self.turned_away(ended))
        }))
    }

    /// [`bulkhead`](Self::bulkhead) for a blocking function.
    #[inline]
    pub fn bulkhead_blocking(&self, priority: Priority) -> Result<Option<Place<'static>>, Refused> {
        let Some(layer) = &self.live.bulkhead else {
            return Ok(None);
        };
        if let Some(place) = layer.state.try_enter(&layer.policy) {
            return Ok(Some(place));
        }
        let (now, deadline) = (clock::now(), self.deadline());
        let waited = layer
            .state
            .enter_blocking(&layer.policy, priority, now, deadline);
        waited.map(Some).map_err(|ended| self.turned_away(ended))
    }

    #[cold]
    fn turned_away(&self, ended: WaitEnded) -> Refused {
        match ended {
            WaitEnded::Full(rejected) => self.refused(Layer::Bulkhead, rejected),
            WaitEnded::Deadline => {
                let after = clock::now().since(self.began);
                let rejected = Rejected::TimedOut {
                    name: self.live.path,
                    after,
                };
                self.refused(Layer::Timeout, rejected)
            }
        }
    }
}

/// A call that asked the rate limit. A wait is rare and long, so it has a room of its own; the
/// future of each call need not have that room.
#[must_use = "futures do nothing unless awaited"]
pub struct Turn<'a>(Result<Option<Wait<'a>>, Refused>);

type Wait<'a> = Pin<Box<dyn Future<Output = Result<(), Refused>> + Send + 'a>>;

impl fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Turn").finish_non_exhaustive()
    }
}

impl Future for Turn<'_> {
    type Output = Result<(), Refused>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ok(None) => Poll::Ready(Ok(())),
            Ok(Some(wait)) => wait.as_mut().poll(cx),
            Err(refused) => Poll::Ready(Err(refused.clone())),
        }
    }
}

/// A call that asked the bulkhead. As with [`Turn`], a wait has a room of its own.
#[must_use = "futures do nothing unless awaited"]
pub enum Entering<'a> {
    /// It has a place, if one is needed; or had, and gave it to who awaited it.
    Done(Option<Place<'static>>),
    /// It stands in the queue.
    Waiting(Queueing<'a>),
}

type Entered = Result<Option<Place<'static>>, Refused>;
type Queueing<'a> = Pin<Box<dyn Future<Output = Entered> + Send + 'a>>;

impl fmt::Debug for Entering<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entering").finish_non_exhaustive()
    }
}

impl Future for Entering<'_> {
    type Output = Entered;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Entered> {
        match self.get_mut() {
            Self::Done(place) => Poll::Ready(Ok(place.take())),
            Self::Waiting(waiting) => waiting.as_mut().poll(cx),
        }
    }
}

type Bounded = live::Layer<BulkheadPolicy, BulkheadState>;
type Guarded = live::Layer<CircuitBreakerPolicy, BreakerState>;

/// The retry layer of one call; switched off, it is none.
#[derive(Debug)]
pub struct Retrying(Option<(Rules<'static>, Driver)>);

impl Retrying {
    /// What follows an attempt: nothing, or another one after a wait.
    #[inline]
    pub fn next<T, E>(
        &mut self,
        outcome: Result<T, Failure<E>>,
        classify: impl FnOnce(&E) -> Class,
        on_retry: impl FnOnce(&RetryEvent),
    ) -> Next<Result<T, Failure<E>>> {
        match &mut self.0 {
            Some((_, driver)) if inject::is_last(driver.attempt()) => Next::Done(outcome),
            Some((rules, driver)) => driver.next(*rules, outcome, classify, on_retry),
            None => Next::Done(outcome),
        }
    }
}

/// A call that the circuit breaker let through. Dropped unsettled, its caller went away.
pub struct Probing(Option<Admitted<'static>>);

impl fmt::Debug for Probing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Probing").finish_non_exhaustive()
    }
}

impl Probing {
    /// Tells the circuit what came of the call. `class` says what an error is worth, if its type
    /// can tell.
    #[inline]
    pub fn settle<T, E>(
        self,
        outcome: Result<T, Failure<E>>,
        class: impl FnOnce(&E) -> Option<Class>,
    ) -> Result<T, Failure<E>> {
        if let Some(admitted) = self.0 {
            admitted.settle(Signal::of(&outcome, class), clock::now);
        }
        outcome
    }

    /// Tells the circuit what came of the call, where `failure_if` says which results are failures.
    #[inline]
    pub fn settle_if<T, E>(
        self,
        outcome: Result<T, Failure<E>>,
        failure_if: impl FnOnce(&Result<T, E>) -> bool,
    ) -> Result<T, Failure<E>> {
        let (outcome, signal) = Signal::judged(outcome, failure_if);
        if let Some(admitted) = self.0 {
            admitted.settle(signal, clock::now);
        }
        outcome
    }
}
