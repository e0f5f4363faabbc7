//! One call of an annotated function: what flows through its layers.
//!
//! The generated code asks it for one layer after the other; each answers from what is in force at
//! the site, and knows nothing of its neighbours. A call that is dropped half-way was left by its
//! caller.
//!
//! What an outcome passes through is inlined always: out of line, it comes back through memory, where it
//! was written in small parts and is read in large ones, for which the processor waits 5 ns each time.
#![allow(clippy::inline_always)]

mod attempt;
mod cached;
mod entry;
mod layers;

pub use attempt::Run;
pub use layers::Retrying;

use crate::{
    bulkhead,
    circuit_breaker::Ticket,
    clock::{self, Moment, Present},
    context::{self, Context},
    event,
    live::Live,
    metrics::{Event, Layer, Outcome},
    otel::CallSpan,
    outcome::{Failure, Rejected},
    shape::{FromRejected, Join},
    site::Site,
};
use entry::{Flown, Step, Steps};
use std::{fmt, panic::resume_unwind};

/// A call under way.
pub struct Call {
    site: &'static Site,
    live: &'static Live,
    /// Recent only while it may turn out that the cache has the result.
    began: Present,
    /// The deadline of the calls around this one.
    inherited: Deadline,
    /// The deadline of this call.
    until: Deadline,
    attempts: u32,
    /// The shared cache run that this call leads; 0 is none.
    flight: u32,
    ended: bool,
    /// What it waits for, and asks then, before its next attempt: none of it, for most.
    steps: Option<Box<Steps>>,
    /// When its retries began, if it had to wait for that.
    retries_began: Deadline,
    /// The place in the bulkhead, until the attempt ends. What is further in is given back first.
    place: Option<bulkhead::Place<'static>>,
    /// That the circuit breaker admitted it, until the outcome is told.
    ticket: Ticket,
    /// What it has of the run of its key.
    flown: Option<Flown>,
    span: CallSpan,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(self.site).finish()
    }
}

impl Call {
    #[inline(always)]
    pub(crate) fn begin(site: &'static Site, live: &'static Live) -> Self {
        site.metrics.begin();
        Self {
            site,
            live,
            began: if live.cache.is_some() {
                Present::recent()
            } else {
                Present::Exact(clock::now())
            },
            inherited: context::current().deadline.into(),
            until: Deadline::NONE,
            attempts: 0,
            flight: 0,
            ended: false,
            steps: None,
            retries_began: Deadline::NONE,
            place: None,
            ticket: Ticket::NONE,
            flown: None,
            span: CallSpan::begin(site, live),
        }
    }

    /// The time of the call timeout begins.
    #[inline]
    pub fn begin_timeout(&mut self) {
        if self.waits() {
            self.later(Step::Timeout);
        } else if let Some(limit) = self.live.timeout.call {
            self.until = Deadline(self.present().plus(limit));
        }
    }

    /// The present, just inside of the cache. A call that nothing can have held up yet need not ask
    /// the clock again.
    #[inline]
    fn present(&self) -> Moment {
        if self.live.cache.is_some() {
            clock::now()
        } else {
            self.began()
        }
    }

    /// When it began. The layers within the cache may rely on it: a miss has asked the clock.
    #[inline]
    const fn began(&self) -> Moment {
        self.began.reading()
    }

    /// The nearest deadline of this call and those around it.
    #[inline]
    fn deadline(&self) -> Option<Moment> {
        self.until.nearest(self.inherited).get()
    }

    /// The context of the next attempt's body, and the moment at which the attempt ends.
    #[inline(always)]
    fn next_attempt(&mut self) -> (Context, Option<Moment>) {
        self.attempts += 1;
        if self.attempts > 1 {
            self.site.metrics.count(Event::Retry);
        }
        self.span.attempt(self.attempts);
        let until = match self.live.timeout.attempt {
            Some(limit) => self.until.nearest(Deadline(clock::now().plus(limit))),
            None => self.until,
        };
        let around = context::current();
        let context = Context {
            attempt: self.attempts,
            deadline: until.nearest(self.inherited).get(),
            flights: around.flights.with(self.flight),
        };
        (context, until.get())
    }

    /// `rejected`, told and counted.
    #[cold]
    fn refused(&self, layer: Layer, rejected: Rejected) -> Refused {
        event::rejected(self.live.path, layer.as_str(), &rejected);
        self.span.rejected(layer, &rejected);
        self.site.metrics.count(Event::Rejected(layer));
        Refused(rejected)
    }

    /// The outer edge: what came of the call, as the function returns it. A panic of the body is
    /// raised again here. The call stays where it is: it would be copied on its way out.
    #[inline(always)]
    pub fn finish<S, T, E>(&mut self, _: S, outcome: Result<T, Failure<E>>) -> S::Returned
    where
        S: Join<T, E>,
        E: FromRejected,
    {
        S::join(self.leave(outcome))
    }

    /// The outer edge before a fallback, which the call does not live to see.
    #[inline(always)]
    pub fn end<T, E: FromRejected>(mut self, outcome: Result<T, Failure<E>>) -> Result<T, E> {
        if matches!(outcome, Err(Failure::Error(_) | Failure::Rejected(_))) {
            self.span.fallback();
        }
        self.leave(outcome)
    }

    #[inline(always)]
    fn leave<T, E: FromRejected>(&mut self, outcome: Result<T, Failure<E>>) -> Result<T, E> {
        self.ended = true;
        self.record(Outcome::of(&outcome));
        match outcome {
            Ok(value) => Ok(value),
            Err(failure) => Err(error_of(failure)),
        }
    }

    #[inline]
    fn record(&self, outcome: Outcome) {
        record(self.site, self.began, outcome, self.attempts);
        self.span.end(self.live, outcome, self.attempts);
    }
}

/// What a call that failed returns; a panic of the body is raised again.
#[inline]
fn error_of<E: FromRejected>(failure: Failure<E>) -> E {
    match failure {
        Failure::Error(error) => error,
        Failure::Rejected(rejected) => E::from_rejected(rejected),
        Failure::Panicked(payload) => resume_unwind(payload),
        Failure::Answered => unreachable!("the cache has put the answer in its place"),
    }
}

/// Apart from the call: as its parts are not lent, the compiler keeps them where they are.
#[inline(never)]
fn record(site: &Site, began: Present, outcome: Outcome, attempts: u32) {
    (site.metrics).record_nanos(outcome, began.nanos_since(), attempts);
}

/// A moment, mostly a deadline, in one word: the end of the scale is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Deadline(Moment);

impl Deadline {
    const NONE: Self = Self(Moment::from_nanos(u64::MAX));

    #[inline]
    fn nearest(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    #[inline]
    fn get(self) -> Option<Moment> {
        (self != Self::NONE).then_some(self.0)
    }
}

impl From<Option<Moment>> for Deadline {
    #[inline]
    fn from(deadline: Option<Moment>) -> Self {
        deadline.map_or(Self::NONE, Self)
    }
}

/// A layer's refusal, on its way outward.
#[derive(Clone, Debug)]
pub struct Refused(Rejected);

impl Refused {
    /// What the layer comes to.
    #[inline]
    pub fn outcome<T, E>(self) -> Result<T, Failure<E>> {
        Err(Failure::Rejected(self.0))
    }
}

impl Drop for Call {
    #[inline]
    fn drop(&mut self) {
        if !self.ended {
            drop(self.admitted());
            self.record(Outcome::Dropped);
        }
    }
}

impl Site {
    /// The fallback answers in the function's place.
    pub fn degraded(&'static self) {
        event::degraded(self.live().path);
        self.metrics.count(Event::Fallback);
    }
}
