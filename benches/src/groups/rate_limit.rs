//! A token of the bucket of a `String` key.
//!
//! Everybody is given the same strings, prepared beforehand, and hashes them with the hasher that it
//! comes with; the clock is read where a user's call would read it. All have the same capacity and window.
//!
//! The limit is a fixed table of (fingerprint, time) with one compare-and-swap: it neither grows nor forgets.

use crate::{
    contender::{
        Contender,
        Whose::{Limit, Ours, Peer},
    },
    goal::{Against, Goal},
    rounds::Scenario,
};
use gcra::RateLimit;
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota};
use hardening::{RateLimiter, config::RateLimitPolicy};
use std::{future::Future, hint::black_box, num::NonZeroU32, pin::pin, sync::Arc, time::Duration};

mod fixed;
use fixed::FixedTable;

const BY_HAND: &str = "fixed table + CAS";
const GOVERNOR: &str = "governor keyed";

pub(crate) fn scenarios() -> Vec<Scenario> {
    let against = |threads| {
        [
            Goal::times(0.6, Against::Named(GOVERNOR)).on(threads),
            Goal::times(1.3, Against::Named(BY_HAND)).on(threads),
        ]
    };
    let goals = [against(1), against(2)].concat();
    vec![
        allowed("rate limit, 10,000 keys, allowed", 10_000, 1, goals),
        allowed(
            "rate limit, 10,000 keys, allowed, with room for twice as many",
            10_000,
            2,
            Vec::new(),
        ),
        denied(),
        allowed("rate limit, 10 keys, allowed", 10, 1, Vec::new()),
        allowed("rate limit, 1,000 keys, allowed", 1_000, 1, Vec::new()),
        allowed(
            "rate limit, 1,000,000 keys, allowed",
            1_000_000,
            1,
            Vec::new(),
        ),
    ]
}

/// Keys as they come: each call another one, all over the memory.
struct Keys(Vec<String>);

impl Keys {
    fn new(count: usize) -> Arc<Self> {
        Arc::new(Self(
            (0..count).map(|key| format!("user-{key:08}")).collect(),
        ))
    }

    #[inline]
    fn of_call(&self, call: u64) -> &String {
        let scattered = u128::from(call.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let place = (scattered * self.0.len() as u128) >> 64;
        &self.0[usize::try_from(place).unwrap_or(0)]
    }
}

/// So much that no scenario uses it up, and a token is a whole number of nanoseconds.
const PLENTY: NonZeroU32 = NonZeroU32::new(100_000_000).unwrap();

/// As many keys as ours has room for, or half of that (`room` is 2), as in the table by hand always; the other crates
/// have no bound.
fn allowed(what: &'static str, count: usize, room: usize, goals: Vec<Goal>) -> Scenario {
    let second = Duration::from_secs(1);
    let (one, keys) = (NonZeroU32::MIN, Keys::new(count));
    let max_keys = u32::try_from(count * room).expect("few keys");
    let policy = RateLimitPolicy::per_key(PLENTY.get(), second).max_keys(max_keys);
    let ours = RateLimiter::new(policy);
    let by_hand = FixedTable::new(count, PLENTY, second);
    let governor = DefaultKeyedRateLimiter::keyed(Quota::per_second(PLENTY));
    let gcra = gcra::RateLimiter::new(count);
    let rate = RateLimit::new(PLENTY.get(), second);
    for key in &keys.0 {
        assert!(ours.check(key).is_ok() && by_hand.check(key).is_ok());
        assert!(governor.check_key(key).is_ok());
        assert!(at_once(gcra.check(key.clone(), &rate, one.get())).is_ok());
    }
    let contenders = each_key(&keys, ours, by_hand, governor, gcra, rate);
    Scenario::new(what, contenders, goals)
}

fn denied() -> Scenario {
    let hour = Duration::from_secs(3600);
    let (one, keys) = (NonZeroU32::MIN, Keys::new(1));
    let ours = RateLimiter::new(RateLimitPolicy::per_key(1, hour));
    let by_hand = FixedTable::new(1, one, hour);
    let governor = DefaultKeyedRateLimiter::keyed(per_hour());
    let direct = DefaultDirectRateLimiter::direct(per_hour());
    let gcra = gcra::RateLimiter::new(1);
    let rate = RateLimit::new(1, hour);
    let key = &keys.0[0];
    for first in [true, false] {
        assert!(ours.check(key).is_ok() == first && by_hand.check(key).is_ok() == first);
        assert!(governor.check_key(key).is_ok() == first && direct.check().is_ok() == first);
        assert!(at_once(gcra.check(key.clone(), &rate, 1)).is_ok() == first);
    }
    let mut contenders = each_key(&keys, ours, by_hand, governor, gcra, rate);
    contenders.push(Contender::blocking(
        Peer,
        "governor direct (no key)",
        move |_| {
            black_box(&direct.check());
        },
    ));
    Scenario::new(
        "rate limit, one key, denied",
        contenders,
        vec![Goal::times(1.5, Against::Named(BY_HAND)).on(2)],
    )
}

fn per_hour() -> Quota {
    Quota::per_hour(NonZeroU32::MIN)
}

/// Those who limit by key.
fn each_key(
    keys: &Arc<Keys>,
    ours: RateLimiter,
    by_hand: FixedTable,
    governor: DefaultKeyedRateLimiter<String>,
    gcra: gcra::RateLimiter<String>,
    rate: RateLimit,
) -> Vec<Contender> {
    let [a, b, c, d] = std::array::from_fn(|_| Arc::clone(keys));
    vec![
        Contender::blocking(Limit, BY_HAND, move |call| {
            black_box(&by_hand.check(a.of_call(call)));
        }),
        Contender::blocking(Ours, "hardening::RateLimiter", move |call| {
            black_box(&ours.check(b.of_call(call)));
        }),
        Contender::blocking(Peer, GOVERNOR, move |call| {
            black_box(&governor.check_key(c.of_call(call)));
        }),
        // It wants to own the key.
        Contender::blocking(Peer, "gcra", move |call| {
            black_box(&at_once(gcra.check(d.of_call(call).clone(), &rate, 1)));
        }),
    ]
}

/// The value of a future that never waits: `gcra` checks in one, without awaiting anything.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => unreachable!("it awaits nothing"),
    }
}
