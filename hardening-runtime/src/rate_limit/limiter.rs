//! The shared state of one operation, and the decision about one call.

use super::{
    lane::{Ask, Lane},
    level::Slot,
    line::{Gate, Lines},
    prepared::{Prepared, Rated},
    table::{Room, Table},
    trial::Trial,
    wait::Place,
    word,
};
use crate::{
    clock::Moment,
    config::Scope,
    event,
    outcome::Rejected,
    sync::{AtomicU32, Ordering},
};
use std::time::Duration;

/// Idle keys are reclaimed once this many are tracked, unless the configuration says otherwise.
const CLEANUP_THRESHOLD: u32 = 1_000;

/// Everything that one operation remembers. The policy is an argument of each decision, so that a
/// reload swaps the settings and the buckets stay as full as they are.
#[derive(Debug)]
pub(crate) struct LimiterState {
    name: &'static str,
    lanes: Lane,
    lines: Lines,
    threshold: AtomicU32,
    trial: Trial,
}

/// What becomes of a call.
pub(super) enum Decision {
    Now,
    Wait { ready: Moment, give_up: Moment },
    Reject(Option<Duration>),
}

/// What becomes of a call that is not rejected.
#[derive(Debug)]
#[must_use = "a call that has to wait is not admitted yet"]
pub(crate) enum Admission<'a> {
    /// It may run.
    Now,
    /// It has a place in line, and runs once [`Place::wait`] or [`Place::wait_blocking`] says so.
    Wait(Place<'a>),
}

/// How much of a limit is left to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Tokens that the full bucket holds (`RateLimit-Limit`).
    pub limit: u32,
    /// Tokens that it holds now (`RateLimit-Remaining`).
    pub remaining: u32,
    /// When it will be full again (`RateLimit-Reset`).
    pub reset_after: Duration,
}

/// The first moments at which the buckets of a key, and those of everybody, hold the tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub(super) of_key: u64,
    pub(super) of_everybody: u64,
}

impl Ready {
    pub(super) fn both(self) -> u64 {
        self.of_key.max(self.of_everybody)
    }
}

impl LimiterState {
    /// The state of the operation `name`, with every bucket full.
    #[must_use]
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            lanes: Lane::new(),
            lines: Lines::new(),
            threshold: AtomicU32::new(CLEANUP_THRESHOLD),
            trial: Trial::new(),
        }
    }

    /// Sets the number of tracked keys from which on idle ones make place for new ones.
    pub(crate) fn set_cleanup_threshold(&self, keys: u32) {
        self.threshold.store(keys, Ordering::Relaxed);
    }

    /// Decides about a call of `key` that takes `cost` tokens of every limit of `policy`. It is
    /// admitted, gets a place in line (for at most `max_wait`, and never past `deadline`), or is
    /// rejected and takes nothing.
    #[inline]
    pub(crate) fn admit<'a>(
        &'a self,
        policy: &'a Prepared,
        key: u64,
        cost: u32,
        now: Moment,
        deadline: Option<Moment>,
    ) -> Result<Admission<'a>, Rejected> {
        match self.decide(policy, key, cost, now, deadline) {
            Decision::Now => Ok(Admission::Now),
            Decision::Wait { ready, give_up } => {
                let place = Place::new(self, policy, (key, cost), ready, give_up);
                Ok(Admission::Wait(place))
            }
            Decision::Reject(retry_after) => Err(self.rejected(retry_after)),
        }
    }

    #[inline]
    pub(super) fn decide(
        &self,
        policy: &Prepared,
        key: u64,
        cost: u32,
        now: Moment,
        deadline: Option<Moment>,
    ) -> Decision {
        match self.try_admit(policy, key, cost, now) {
            Ok(()) => Decision::Now,
            Err(ready) => put_off(policy, ready, now, deadline),
        }
    }

    /// Decides about a call that does not wait. The error is the moment at which it may be tried
    /// again, behind all who wait now; none if its cost is above a capacity.
    #[inline]
    pub(super) fn try_admit(
        &self,
        policy: &Prepared,
        key: u64,
        cost: u32,
        now: Moment,
    ) -> Result<(), Option<Moment>> {
        match self.try_at_once(Table::at_hand, policy, (key, cost), now) {
            Some(Ok(())) => Ok(()),
            Some(Err(ready)) => Err(Some(Moment::from_nanos(ready))),
            None => self.try_with_care(policy, key, cost, now),
        }
    }

    /// Nearly every call: there is one limit, of each key, nobody waits in line, and the key's bucket
    /// [decides at once](Lane::take_at_once). None for any other.
    #[allow(clippy::inline_always)] // in two places, of which the seldom one would take it from the other
    #[inline(always)]
    fn try_at_once<'a>(
        &'a self,
        look: impl FnOnce(&'a Table, u64) -> Option<(&'a Slot, u64)>,
        policy: &Prepared,
        (key, cost): (u64, u32),
        now: Moment,
    ) -> Option<Result<(), u64>> {
        let cost = u64::from(cost);
        let rate = policy.only(cost)?;
        if !self.lines.are_empty() {
            return None;
        }
        // A key of 0, which marks an empty slot, is not found here, and asks with care under another number.
        let (ask, now) = ((key, cost), word::present(now));
        let taken = self.lanes.take_at_once(look, rate, ask, now)?;
        Some(taken.map(|_| ()))
    }

    #[inline(never)]
    fn try_with_care(
        &self,
        policy: &Prepared,
        key: u64,
        cost: u32,
        now: Moment,
    ) -> Result<(), Option<Moment>> {
        if let Some(taken) = self.try_at_once(Table::nearby, policy, (key, cost), now) {
            return taken.map_err(|ready| Some(Moment::from_nanos(ready)));
        }
        if cost == 0 {
            return Ok(());
        }
        if !policy.can_hold(cost) {
            return Err(None);
        }
        let ask = self.ask(policy, key, cost, now);
        let ahead = self.wanted(policy, ask.key);
        let ready = match ahead {
            (0, 0) => match self.take(policy.rated(), &ask) {
                Ok(()) => return Ok(()),
                Err(ready) => ready,
            },
            _ => self
                .ready_of(policy.rated(), &ask, ahead)
                .both()
                .max(ask.now + 1),
        };
        Err(Some(Moment::from_nanos(ready)))
    }

    /// Takes the tokens from all the buckets, or from none; the error is the moment at which all
    /// may have them.
    pub(super) fn take(&self, limits: &[Rated], ask: &Ask) -> Result<(), u64> {
        if let [limit] = limits {
            return self.lanes.take(limit, ask).map(|_| ());
        }
        // Look before taking, so that a call that must be refused disturbs nobody.
        match self.ready_of(limits, ask, (0, 0)).both() {
            ready if ready > ask.now => Err(ready),
            _ => take_each(&self.lanes, limits, ask),
        }
    }

    /// When the buckets hold the tokens of `ask`, after those who are ahead of it.
    pub(super) fn ready_of(&self, limits: &[Rated], ask: &Ask, ahead: (u64, u64)) -> Ready {
        let mut ready = Ready {
            of_key: ask.now,
            of_everybody: ask.now,
        };
        for (lane, limit) in self.lanes_of(limits) {
            let (gate, ahead) = match limit.scope {
                Scope::Key => (&mut ready.of_key, ahead.0),
                Scope::Global => (&mut ready.of_everybody, ahead.1),
            };
            let tat = lane.full_at(limit, ask);
            let charge = limit.rate.charge(tat, ahead + ask.cost, ask.now);
            *gate = charge.ready.max(*gate);
        }
        ready
    }

    pub(super) fn lanes_of<'a>(
        &'a self,
        limits: &'a [Rated],
    ) -> impl Iterator<Item = (&'a Lane, &'a Rated)> {
        let mut last: Option<&Lane> = None;
        limits.iter().map(move |limit| {
            let lane = last.map_or(&self.lanes, Lane::next);
            last = Some(lane);
            (lane, limit)
        })
    }

    /// What those in line before a new caller want: of its key, and of everybody.
    #[inline]
    fn wanted(&self, policy: &Prepared, key: u64) -> (u64, u64) {
        if self.lines.are_empty() {
            return (0, 0);
        }
        self.wanted_in_line(policy, key)
    }

    #[cold]
    fn wanted_in_line(&self, policy: &Prepared, key: u64) -> (u64, u64) {
        let of_everybody = if policy.is_shared() {
            self.lines.wanted(Gate::Everybody)
        } else {
            0
        };
        (self.lines.wanted(Gate::Key(key)), of_everybody)
    }

    pub(super) fn ask(&self, policy: &Prepared, key: u64, cost: u32, now: Moment) -> Ask {
        let room = Room {
            max_keys: policy.max_keys.max(1),
            threshold: self.threshold.load(Ordering::Relaxed),
        };
        Ask::new(key, cost, now, room)
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) const fn trial(&self) -> &Trial {
        &self.trial
    }

    pub(super) fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Takes the tokens of a call that does not wait. A rejection is told as `site`'s.
    #[inline]
    pub(crate) fn check(
        &self,
        site: &str,
        policy: &Prepared,
        (key, cost): (u64, u32),
        now: Moment,
    ) -> Result<(), Rejected> {
        self.try_admit(policy, key, cost, now).map_err(|ready| {
            let retry_after = ready.map(|ready| ready.since(now));
            event::rate_limited(site, self.name, retry_after, key);
            self.rejected(retry_after)
        })
    }

    pub(super) fn rejected(&self, retry_after: Option<Duration>) -> Rejected {
        Rejected::RateLimited {
            op: self.name,
            retry_after,
        }
    }

    /// The tokens that `key` may take now. Reading changes nothing.
    #[must_use]
    pub(crate) fn remaining(&self, policy: &Prepared, key: u64, now: Moment) -> u32 {
        self.quota(policy, key, now)
            .map_or(u32::MAX, |quota| quota.remaining)
    }

    /// The limit of which `key` has the least left; none without limits.
    #[must_use]
    pub(crate) fn quota(&self, policy: &Prepared, key: u64, now: Moment) -> Option<Quota> {
        let ask = self.ask(policy, key, 0, now);
        let tokens = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let quotas = self.lanes_of(policy.rated()).map(|(lane, limit)| {
            let tat = lane.full_at(limit, &ask);
            Quota {
                limit: tokens(limit.rate.capacity()),
                remaining: tokens(limit.rate.remaining(tat, ask.now)),
                reset_after: Duration::from_nanos(tat.saturating_sub(ask.now)),
            }
        });
        quotas.min_by_key(|quota| (quota.remaining, std::cmp::Reverse(quota.reset_after)))
    }

    /// Fills the buckets of `key`, and the overflow bucket of a key that has no bucket of its own. Those
    /// that it shares with everybody stay as they are.
    pub(crate) fn reset(&self, key: u64) {
        self.lanes.all().for_each(|lane| lane.reset_key(key));
        self.lines.tell(Gate::Key(key.max(1)));
    }

    /// Fills all the buckets.
    pub(crate) fn reset_all(&self) {
        self.lanes.all().for_each(Lane::reset);
        self.lines.tell_all();
    }

    /// Keys with a bucket of their own. Some may be full again already: they are forgotten when
    /// their place is needed.
    #[must_use]
    pub(crate) fn tracked_keys(&self) -> u32 {
        let tracked = self.lanes.all().map(Lane::tracked_keys);
        tracked.max().unwrap_or(0)
    }

    /// Calls that wait for their turn.
    #[must_use]
    pub(crate) fn waiting(&self) -> usize {
        self.lines.waiting()
    }
}

/// What becomes of a call whose tokens will all be there at `ready`, or never.
#[inline(never)]
fn put_off(
    policy: &Prepared,
    ready: Option<Moment>,
    now: Moment,
    deadline: Option<Moment>,
) -> Decision {
    let Some(ready) = ready else {
        return Decision::Reject(None);
    };
    let patience = now.plus(policy.max_wait);
    let give_up = deadline.map_or(patience, |deadline| patience.min(deadline));
    if policy.max_wait.is_zero() || ready > give_up {
        return Decision::Reject(Some(ready.since(now)));
    }
    Decision::Wait { ready, give_up }
}

/// Takes from each bucket in order; one that refuses makes those before it take theirs back.
fn take_each(lane: &Lane, limits: &[Rated], ask: &Ask) -> Result<(), u64> {
    let [limit, others @ ..] = limits else {
        return Ok(());
    };
    let taken = lane.take(limit, ask)?;
    if others.is_empty() {
        return Ok(());
    }
    take_each(lane.next(), others, ask).inspect_err(|_| lane.give_back(limit, ask, taken))
}
