//! The layers between the cache and the body, as the generated code asks for them.

use super::{Call, Refused};
use crate::{
    bulkhead::{BulkheadState, Place, Priority, WaitEnded},
    circuit_breaker::{Admitted, BreakerState, Prepared, Signal},
    clock::{self, Sleep},
    config::BulkheadPolicy,
    event, live,
    metrics::{Event, Layer},
    outcome::{Failure, Rejected, Worth},
    private::Classified,
    rate_limit::{self, Admission, Verdict},
    retry::{Driver, RetryEvent, Rules, judged},
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
    #[inline(always)]
    pub fn rate_limit(&self, key: u64, cost: u32) -> Turn<'_> {
        match self.admit(key, cost) {
            Ok(Admission::Now) => Turn::now(),
            Ok(Admission::Wait(place)) => self.wait_in_line(key, place),
            Err(refused) => Turn::Known(Some(Err(refused))),
        }
    }

    /// The wait for a turn.
    #[cold]
    fn wait_in_line(&self, key: u64, place: rate_limit::Place<'static>) -> Turn<'_> {
        Turn::after(async move {
            let waited = place.wait().await;
            waited.map_err(|rejected| self.limited(key, rejected))
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
            self.began()
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
                    self.began()
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
    #[inline(always)]
    pub fn circuit_breaker(&self) -> Result<Probing, Refused> {
        match &self.live.circuit_breaker {
            Some(layer) => self.ask_circuit(layer),
            None => Ok(Probing(None)),
        }
    }

    #[inline(always)]
    fn ask_circuit(&self, layer: &'static Guarded) -> Result<Probing, Refused> {
        let admitted = if layer.observe {
            let admitted = layer.state.observe(&layer.policy, clock::System);
            if admitted.is_none() {
                self.site.metrics.count(Event::CircuitObserved);
            }
            admitted
        } else {
            let admitted = layer.state.enter(&layer.policy, clock::System);
            Some(admitted.map_err(|rejected| self.refused(Layer::CircuitBreaker, rejected))?)
        };
        let with_deadline = |admitted: Admitted<'static>| admitted.with_deadline(self.deadline());
        Ok(Probing(admitted.map(with_deadline)))
    }

    /// The bulkhead: a place among those that run together, now or after a wait. The call keeps it
    /// until it is [given back](Self::leave_bulkhead).
    #[inline]
    pub fn bulkhead(&mut self, priority: Priority) -> Turn<'_> {
        let Some(layer) = &self.live.bulkhead else {
            return Turn::now();
        };
        self.place = layer.state.try_enter(&layer.policy);
        if self.place.is_some() {
            Turn::now()
        } else {
            self.queue(layer, priority)
        }
    }

    /// The wait for a place.
    #[cold]
    fn queue(&mut self, layer: &'static Bounded, priority: Priority) -> Turn<'_> {
        Turn::after(async move {
            let (now, deadline) = (clock::now(), self.deadline());
            let entering = layer.state.enter(&layer.policy, priority, now, deadline);
            let waited = entering.await;
            self.placed(waited)
        })
    }

    /// [`bulkhead`](Self::bulkhead) for a blocking function.
    #[inline]
    pub fn bulkhead_blocking(&mut self, priority: Priority) -> Result<(), Refused> {
        let Some(layer) = &self.live.bulkhead else {
            return Ok(());
        };
        self.place = layer.state.try_enter(&layer.policy);
        if self.place.is_some() {
            return Ok(());
        }
        let (now, deadline) = (clock::now(), self.deadline());
        let waited = layer
            .state
            .enter_blocking(&layer.policy, priority, now, deadline);
        self.placed(waited)
    }

    /// Keeps the place that was waited for.
    fn placed(&mut self, waited: Result<Place<'static>, WaitEnded>) -> Result<(), Refused> {
        match waited {
            Ok(place) => {
                self.place = Some(place);
                Ok(())
            }
            Err(ended) => Err(self.turned_away(ended)),
        }
    }

    /// Gives the place in the bulkhead back: what it was for is over.
    #[inline]
    pub fn leave_bulkhead(&mut self) {
        self.place = None;
    }

    #[cold]
    fn turned_away(&self, ended: WaitEnded) -> Refused {
        match ended {
            WaitEnded::Full(rejected) => self.refused(Layer::Bulkhead, rejected),
            WaitEnded::Deadline => {
                let after = clock::now().since(self.began());
                let rejected = Rejected::TimedOut {
                    name: self.live.path,
                    after,
                };
                self.refused(Layer::Timeout, rejected)
            }
        }
    }
}

/// A call that asked a layer where it may have to wait. A wait is rare and long, so it has a room of
/// its own; the future of each call need not have that room.
#[must_use = "futures do nothing unless awaited"]
pub enum Turn<'a> {
    /// What the layer said at once, until it is taken.
    Known(Option<Result<(), Refused>>),
    /// It is still to be said.
    Awaited(Wait<'a>),
}

type Wait<'a> = Pin<Box<dyn Future<Output = Result<(), Refused>> + Send + 'a>>;

impl<'a> Turn<'a> {
    #[inline]
    const fn now() -> Self {
        Self::Known(Some(Ok(())))
    }

    fn after(wait: impl Future<Output = Result<(), Refused>> + Send + 'a) -> Self {
        Self::Awaited(Box::pin(wait))
    }
}

impl fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Turn").finish_non_exhaustive()
    }
}

impl Future for Turn<'_> {
    type Output = Result<(), Refused>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Known(said) => said.take().map_or(Poll::Pending, Poll::Ready),
            Self::Awaited(wait) => wait.as_mut().poll(cx),
        }
    }
}

type Guarded = live::Layer<Prepared, BreakerState>;
type Bounded = live::Layer<BulkheadPolicy, BulkheadState>;

/// The retry layer of one call; switched off, it is none.
#[derive(Debug)]
pub struct Retrying(Option<(Rules<'static>, Driver)>);

impl Retrying {
    /// What follows an attempt: another one after this wait, or nothing.
    #[inline]
    pub fn next<T, E: Classified>(&mut self, outcome: &Result<T, Failure<E>>) -> Option<Duration> {
        self.next_telling(outcome, |_| {})
    }

    /// [`next`](Self::next), which tells `on_retry`.
    #[inline]
    pub fn next_telling<T, E: Classified>(
        &mut self,
        outcome: &Result<T, Failure<E>>,
        on_retry: impl FnOnce(&RetryEvent),
    ) -> Option<Duration> {
        let (rules, driver) = self.0.as_mut()?;
        driver.next(*rules, outcome, Classified::class, on_retry)
    }

    /// [`next_telling`](Self::next_telling), where the user's `retry_if` has a say in what an error is
    /// worth.
    #[inline]
    pub fn next_if<T, E>(
        &mut self,
        outcome: &Result<T, Failure<E>>,
        retry_if: impl FnOnce(&E) -> Worth,
        on_retry: impl FnOnce(&RetryEvent),
    ) -> Option<Duration> {
        let (rules, driver) = self.0.as_mut()?;
        let judge = |error: &E| judged(rules.site, || retry_if(error));
        driver.next(*rules, outcome, judge, on_retry)
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
    /// Tells the circuit what came of the call. `worth` says what an error is worth, as far as its type can
    /// tell.
    #[inline]
    pub fn settle<T, E>(self, outcome: &Result<T, Failure<E>>, worth: impl FnOnce(&E) -> Worth) {
        if let Some(admitted) = self.0 {
            admitted.settle(Signal::of(outcome, worth), clock::now);
        }
    }

    /// Tells the circuit what came of the call, where `failure_if` says which results are failures. A
    /// circuit that is switched off asks for none of it.
    #[inline]
    pub fn settle_if<T, E>(
        self,
        outcome: Result<T, Failure<E>>,
        failure_if: impl FnOnce(&Result<T, E>) -> bool,
    ) -> Result<T, Failure<E>> {
        let Some(admitted) = self.0 else {
            return outcome;
        };
        let judge = |result: &Result<T, E>| admitted.judge(result, failure_if);
        let (outcome, signal) = Signal::judged(outcome, judge);
        admitted.settle(signal, clock::now);
        outcome
    }
}
