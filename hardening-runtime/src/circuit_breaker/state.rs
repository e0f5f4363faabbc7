//! The state of a circuit that its callers share: one word, the moments that its rules look at, and
//! the windows. It holds no settings: each decision takes the policy in force, so a reload swaps
//! settings and the state lives on.

use super::{
    change::Change,
    rules::{self, Entry, Reason, Step},
    signal::Signal,
    tally::Tally,
    trial::Trial,
    window::{Counts, Kept, Windows},
    word::{Key, Phase, Word},
};
use crate::{
    clock::{self, Moment},
    config::CircuitBreakerPolicy as Policy,
    sync::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};
use std::time::Duration;

/// A circuit's shared state.
///
/// The moments are written before the swap that makes others look at them, so whoever sees the swap
/// sees a moment that is at least as young. A loser of the swap writes the present too: no harm.
pub(crate) struct BreakerState {
    word: AtomicU64,
    /// When the circuit opened; read while open.
    pub(super) opened_at: AtomicU64,
    /// When the last probe began; read while half-open.
    pub(super) probed_at: AtomicU64,
    /// When the circuit last changed, to be shown.
    pub(super) changed_at: AtomicU64,
    /// How often it opened, to be shown.
    opened: AtomicU64,
    name: &'static str,
    windows: Windows,
    pub(super) rejected: Tally,
    trial: Trial,
}

/// That a call was admitted, and in which generation. Its result must be given back: see
/// [`Admitted`], which does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pub(super) key: Key,
    /// When the call began, where the policy measures slow calls; else [`UNTIMED`].
    pub(super) began: Moment,
}

impl Ticket {
    /// Of a call that was not admitted, or is settled. Not an `Option`, which would take up another word.
    pub(crate) const NONE: Self = Self {
        key: Key::NONE,
        began: UNTIMED,
    };

    pub(crate) const fn is_none(self) -> bool {
        self.key.is_none()
    }
}

/// A call whose time is not taken. Not an `Option`, with which a ticket would not fit in registers.
pub(super) const UNTIMED: Moment = Moment::from_nanos(u64::MAX);

/// A circuit's counts, to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) phase: Phase,
    pub(super) window: Option<Counts>,
    pub(super) opened: u64,
    pub(super) rejected: u64,
    pub(super) would_have_rejected: u64,
    pub(super) time_in_state: Duration,
    pub(super) retry_after: Option<Duration>,
}

impl BreakerState {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            word: AtomicU64::new(0),
            opened_at: AtomicU64::new(0),
            probed_at: AtomicU64::new(0),
            changed_at: AtomicU64::new(clock::now().as_nanos()),
            opened: AtomicU64::new(0),
            name,
            windows: Windows::default(),
            rejected: Tally::new(),
            trial: Trial::new(),
        }
    }

    pub(super) const fn trial(&self) -> &Trial {
        &self.trial
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// Takes a call's result, and tells what it changed. `now` is only asked for when the rules
    /// need the present.
    #[inline(always)] // a load and a comparison, for nearly all calls
    #[allow(clippy::inline_always)]
    pub(super) fn settle(
        &self,
        ticket: Ticket,
        policy: &Policy,
        signal: Signal,
        now: impl Fn() -> Moment,
    ) {
        if signal == Signal::Success {
            let word = self.word();
            if word.is_clean(ticket.key) {
                return;
            }
            if ticket.key.is_kept() && word.is_clean(ticket.key.unkept()) {
                return self.keep_success(ticket, policy, now);
            }
        }
        self.settle_slowly(ticket, policy, signal, now);
    }

    /// A success of a circuit that has nothing to forget: the window learns of it.
    #[inline(never)]
    fn keep_success(&self, ticket: Ticket, policy: &Policy, now: impl Fn() -> Moment) {
        if rules::times_results(policy) {
            self.keep_timed_success(ticket, policy, now());
        } else {
            self.tell(self.keep(ticket, policy, Kept::Success, now));
        }
    }

    #[inline(never)]
    fn keep_timed_success(&self, ticket: Ticket, policy: &Policy, now: Moment) {
        let slow = is_slow(ticket, policy, now);
        let generation = ticket.key.generation();
        if slow || !self.windows.keep_one_of_many(policy, generation, now) {
            self.keep_that_may_decide(ticket, policy, slow, now);
        }
    }

    #[inline(never)]
    fn keep_that_may_decide(&self, ticket: Ticket, policy: &Policy, slow: bool, now: Moment) {
        let kept = if slow { Kept::Slow } else { Kept::Success };
        self.tell(self.keep(ticket, policy, kept, || now));
    }

    #[cold]
    #[inline(never)]
    fn settle_slowly(
        &self,
        ticket: Ticket,
        policy: &Policy,
        signal: Signal,
        now: impl Fn() -> Moment,
    ) {
        self.tell(self.try_settle(ticket, policy, signal, now()));
    }

    /// The decision of [`settle`](Self::settle), told to nobody. A result of a past generation
    /// changes nothing.
    pub(super) fn try_settle(
        &self,
        ticket: Ticket,
        policy: &Policy,
        signal: Signal,
        now: Moment,
    ) -> Option<Change> {
        let slow = is_slow(ticket, policy, now);
        loop {
            let word = self.word();
            if !word.is_of(ticket.key) {
                return None;
            }
            match rules::after(word.phase(), signal, slow, policy) {
                Step::Count(phase) => {
                    if phase == word.phase() || self.swap(word, word.with(phase)) {
                        let kept = kept(signal, slow)?;
                        return self.keep(ticket, policy, kept, || now);
                    }
                }
                Step::Open { reopened, reason } => {
                    if self.open(word, reopened, now) {
                        return Some(Change::opened(policy, reopened, reason));
                    }
                }
                Step::Close => {
                    if self.swap(word, word.next(Phase::CLEAN)) {
                        write(&self.changed_at, now);
                        return Some(Change::Closed);
                    }
                }
            }
        }
    }

    /// Keeps the result of a closed circuit for the rates, and opens the circuit when they say so.
    #[inline]
    fn keep(
        &self,
        ticket: Ticket,
        policy: &Policy,
        kept: Kept,
        now: impl Fn() -> Moment,
    ) -> Option<Change> {
        if !ticket.key.is_kept() {
            return None;
        }
        let generation = ticket.key.generation();
        let counts = self.windows.record(policy, generation, kept, &now)?;
        self.open_if_tripped(ticket, policy, counts, now())
    }

    #[cold]
    #[inline(never)]
    fn open_if_tripped(
        &self,
        ticket: Ticket,
        policy: &Policy,
        counts: Counts,
        now: Moment,
    ) -> Option<Change> {
        let reason = rules::tripped(policy, counts)?;
        loop {
            let word = self.word();
            if !word.is_of(ticket.key) {
                return None;
            }
            if self.open(word, 0, now) {
                return Some(Change::opened(policy, 0, reason));
            }
        }
    }

    fn open(&self, word: Word, reopened: u64, now: Moment) -> bool {
        write(&self.opened_at, now);
        let won = self.swap(word, word.next(Phase::Open { reopened }));
        if won {
            write(&self.changed_at, now);
            self.opened.fetch_add(1, Relaxed);
        }
        won
    }

    /// Rejects every call until [`force_close`](Self::force_close) or [`reset`](Self::reset).
    pub(crate) fn force_open(&self, now: Moment) {
        let before = self.force(Phase::ForcedOpen, now);
        if before != Phase::ForcedOpen {
            self.opened.fetch_add(1, Relaxed);
            self.tell(Some(Change::Opened {
                open_for: None,
                reason: Reason::Forced,
            }));
        }
    }

    /// Admits every call, whatever it comes to, until [`force_open`](Self::force_open) or
    /// [`reset`](Self::reset).
    pub(crate) fn force_close(&self, now: Moment) {
        let before = self.force(Phase::ForcedClosed, now);
        self.tell(Change::closed(before));
    }

    /// Closes the circuit and forgets its counts; it decides for itself again.
    pub(crate) fn reset(&self, now: Moment) {
        let before = self.force(Phase::CLEAN, now);
        self.tell(Change::closed(before));
    }

    /// Begins a new generation in this phase, and returns the phase before.
    fn force(&self, phase: Phase, now: Moment) -> Phase {
        loop {
            let word = self.word();
            if self.swap(word, word.next(phase)) {
                write(&self.changed_at, now);
                return word.phase();
            }
        }
    }

    /// What the circuit does at present. Like everything that reads, it changes nothing: an open
    /// circuit whose time is over is open until a call comes to probe.
    pub(super) fn phase(&self) -> Phase {
        self.word().phase()
    }

    /// When a call that is rejected now may be admitted; zero when it would be admitted, none while
    /// forced open.
    pub(crate) fn retry_after(&self, policy: &Policy, now: Moment) -> Option<Duration> {
        let (opened_at, probed_at) = (read(&self.opened_at), read(&self.probed_at));
        match rules::enter(self.phase(), policy, now, opened_at, probed_at) {
            Entry::Reject(retry_after) => retry_after,
            Entry::Admit | Entry::Join(_) | Entry::Probe(_) => Some(Duration::ZERO),
        }
    }

    pub(super) fn figures(&self, policy: &Policy, now: Moment) -> Figures {
        let word = self.word();
        let phase = word.phase();
        let in_force = matches!(phase, Phase::Closed { .. });
        let generation = word.key().generation();
        Figures {
            phase,
            window: in_force
                .then(|| self.windows.counts(policy, generation, now))
                .flatten(),
            opened: self.opened.load(Relaxed),
            rejected: self.rejected.total(),
            would_have_rejected: self.trial.rejections(),
            time_in_state: now.since(read(&self.changed_at)),
            retry_after: self.retry_after(policy, now),
        }
    }

    #[inline]
    pub(super) fn word(&self) -> Word {
        Word(self.word.load(Acquire))
    }

    pub(super) fn swap(&self, word: Word, next: Word) -> bool {
        self.word
            .compare_exchange(word.0, next.0, AcqRel, Acquire)
            .is_ok()
    }
}

#[inline]
pub(super) fn read(moment: &AtomicU64) -> Moment {
    Moment::from_nanos(moment.load(Relaxed))
}

pub(super) fn write(moment: &AtomicU64, now: Moment) {
    moment.store(now.as_nanos(), Relaxed);
}

/// As what a window keeps a result, if it does.
fn kept(signal: Signal, slow: bool) -> Option<Kept> {
    match signal {
        Signal::Failure => Some(Kept::Failure),
        Signal::Success if slow => Some(Kept::Slow),
        Signal::Success => Some(Kept::Success),
        Signal::Neutral | Signal::Dropped => None,
    }
}

#[inline]
fn is_slow(ticket: Ticket, policy: &Policy, now: Moment) -> bool {
    rules::slow_call(policy).is_some_and(|slow| now.since(ticket.began) > slow)
}
