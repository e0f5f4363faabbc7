//! The layers between the cache and the body, as the generated code asks for them.

use super::{Call, Deadline, Refused, entry::Step};
use crate::{
    bulkhead::{Place, Priority, WaitEnded},
    circuit_breaker::{Admitted, Signal, Ticket},
    clock, event,
    metrics::{Event, Layer},
    outcome::{Failure, Rejected, Worth},
    private::Classified,
    rate_limit::{Admission, Verdict},
    retry::{Driver, RetryEvent, Rules, judged},
};
use std::{mem, time::Duration};

impl Call {
    /// Whether there is a rate limit to ask.
    #[inline]
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        self.live.rate_limit.is_some()
    }

    /// The rate limit: the call's tokens, now or after a wait.
    #[inline(always)]
    pub fn rate_limit(&mut self, key: u64, cost: u32) -> Result<(), Refused> {
        if self.waits() {
            self.later(Step::RateLimit { key, cost });
        } else if let Admission::Wait(place) = self.admit(key, cost)? {
            self.later(Step::Turn { key, place });
        }
        Ok(())
    }

    /// [`rate_limit`](Self::rate_limit) for a blocking function.
    #[inline]
    pub fn rate_limit_blocking(&mut self, key: u64, cost: u32) -> Result<(), Refused> {
        match self.admit(key, cost)? {
            Admission::Now => Ok(()),
            Admission::Wait(place) => self.take_turn(key, place.wait_blocking()),
        }
    }

    /// What the wait for a turn came to.
    pub(super) fn take_turn(&self, key: u64, waited: Result<(), Rejected>) -> Result<(), Refused> {
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
    pub(super) fn admit(&self, key: u64, cost: u32) -> Result<Admission<'static>, Refused> {
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
    pub fn retry(&mut self) -> Retrying {
        let Some(rules) = self.rules() else {
            return Retrying::Off;
        };
        if self.waits() {
            self.later(Step::Retry);
            return Retrying::Later;
        }
        // `max_elapsed` is the time of the attempts: what held the call up before is not in it.
        let now = || {
            if self.live.retries_first {
                self.began()
            } else {
                clock::now()
            }
        };
        Retrying::Begun(Driver::begin(rules, self.deadline(), now))
    }

    #[inline]
    fn rules(&self) -> Option<Rules<'static>> {
        let layer = self.live.retry.as_ref()?;
        Some(Rules {
            site: self.live.path,
            policy: &layer.policy,
            budget: Some(layer.state),
        })
    }

    /// The retries begin after a wait.
    pub(super) fn begin_retries(&mut self) {
        let now = clock::now();
        self.retries_began = Deadline(now);
        if let Some(rules) = self.rules() {
            rules.deposit(|| now);
        }
    }

    /// The wait before a retry.
    #[inline]
    pub fn pause(&mut self, delay: Duration) {
        self.span.retrying(delay);
        self.later(Step::Pause(delay));
    }

    /// [`pause`](Self::pause) for a blocking function.
    pub fn pause_blocking(&self, delay: Duration) {
        self.span.retrying(delay);
        clock::sleep_blocking(delay);
    }

    /// The circuit breaker: whether the dependency may be called.
    #[inline(always)]
    pub fn circuit_breaker(&mut self) -> Result<(), Refused> {
        if self.waits() {
            self.later(Step::CircuitBreaker);
            return Ok(());
        }
        self.ask_circuit()
    }

    #[inline(always)]
    pub(super) fn ask_circuit(&mut self) -> Result<(), Refused> {
        let Some(layer) = &self.live.circuit_breaker else {
            return Ok(());
        };
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
        self.ticket = admitted.map_or(Ticket::NONE, Admitted::into_ticket);
        Ok(())
    }

    /// The call as the circuit admitted it, until that is told what came of it. Dropped, its caller went away,
    /// or its time was up.
    #[inline(always)]
    pub(super) fn admitted(&mut self) -> Option<Admitted<'static>> {
        let ticket = mem::replace(&mut self.ticket, Ticket::NONE);
        let layer = self
            .live
            .circuit_breaker
            .as_ref()
            .filter(|_| !ticket.is_none())?;
        let admitted = Admitted::again(layer.state, &layer.policy, ticket);
        Some(admitted.with_deadline(self.deadline()))
    }

    /// Tells the circuit what came of the call, if it was asked. `worth` says what an error is worth, as far
    /// as its type can tell.
    #[inline(always)]
    pub fn tell_circuit<T, E>(
        &mut self,
        outcome: &Result<T, Failure<E>>,
        worth: impl FnOnce(&E) -> Worth,
    ) {
        if let Some(admitted) = self.admitted() {
            admitted.settle(Signal::of(outcome, worth), clock::now);
        }
    }

    /// [`tell_circuit`](Self::tell_circuit), where `failure_if` says which results are failures. A circuit
    /// that is switched off asks for none of it.
    #[inline(always)]
    pub fn tell_circuit_if<T, E>(
        &mut self,
        outcome: Result<T, Failure<E>>,
        failure_if: impl FnOnce(&Result<T, E>) -> bool,
    ) -> Result<T, Failure<E>> {
        let Some(admitted) = self.admitted() else {
            return outcome;
        };
        let judge = |result: &Result<T, E>| admitted.judge(result, failure_if);
        let (outcome, signal) = Signal::judged(outcome, judge);
        admitted.settle(signal, clock::now);
        outcome
    }

    /// The bulkhead: a place among those that run together, now or after a wait. The call keeps it
    /// until it is [given back](Self::leave_bulkhead).
    #[inline]
    pub fn bulkhead(&mut self, priority: Priority) -> Result<(), Refused> {
        if self.waits() || !self.enter_bulkhead() {
            self.later(Step::Bulkhead(priority));
        }
        Ok(())
    }

    /// Takes a place if there is one, or none is needed.
    #[inline(always)]
    fn enter_bulkhead(&mut self) -> bool {
        let Some(layer) = &self.live.bulkhead else {
            return true;
        };
        self.place = layer.state.try_enter(&layer.policy);
        self.place.is_some()
    }

    /// Waits for a place.
    pub(super) async fn queue(&mut self, priority: Priority) -> Result<(), Refused> {
        let Some(layer) = &self.live.bulkhead else {
            return Ok(());
        };
        let (now, deadline) = (clock::now(), self.deadline());
        let entering = layer.state.enter(&layer.policy, priority, now, deadline);
        let waited = entering.await;
        self.placed(waited)
    }

    /// [`bulkhead`](Self::bulkhead) for a blocking function.
    #[inline]
    pub fn bulkhead_blocking(&mut self, priority: Priority) -> Result<(), Refused> {
        let Some(layer) = &self.live.bulkhead else {
            return Ok(());
        };
        if self.enter_bulkhead() {
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

/// The retry layer of one call.
#[derive(Debug)]
pub enum Retrying {
    /// It is switched off.
    Off,
    /// It has begun.
    Begun(Driver),
    /// It begins after a wait, unless a layer around it refuses first.
    Later,
}

impl Retrying {
    /// What follows an attempt: another one after this wait, or nothing.
    #[inline]
    pub fn next<T, E: Classified>(
        &mut self,
        call: &Call,
        outcome: &Result<T, Failure<E>>,
    ) -> Option<Duration> {
        self.next_telling(call, outcome, |_| {})
    }

    /// [`next`](Self::next), which tells `on_retry`.
    #[inline]
    pub fn next_telling<T, E: Classified>(
        &mut self,
        call: &Call,
        outcome: &Result<T, Failure<E>>,
        on_retry: impl FnOnce(&RetryEvent),
    ) -> Option<Duration> {
        let (rules, driver) = self.begun(call)?;
        driver.next(rules, outcome, Classified::class, on_retry)
    }

    /// [`next_telling`](Self::next_telling), where the user's `retry_if` has a say in what an error is
    /// worth.
    #[inline]
    pub fn next_if<T, E>(
        &mut self,
        call: &Call,
        outcome: &Result<T, Failure<E>>,
        retry_if: impl FnOnce(&E) -> Worth,
        on_retry: impl FnOnce(&RetryEvent),
    ) -> Option<Duration> {
        let (rules, driver) = self.begun(call)?;
        let judge = |error: &E| judged(rules.site, || retry_if(error));
        driver.next(rules, outcome, judge, on_retry)
    }

    /// The driver, of a call that came so far.
    #[inline(always)]
    fn begun(&mut self, call: &Call) -> Option<(Rules<'static>, &mut Driver)> {
        if matches!(self, Self::Later) {
            let began = call.retries_began.get()?;
            *self = Self::Begun(Driver::resume(call.deadline(), Some(began)));
        }
        match self {
            Self::Begun(driver) => Some((call.rules()?, driver)),
            Self::Off | Self::Later => None,
        }
    }
}
