//! How many retries all calls under one policy may make together.

use crate::{
    clock::Moment,
    seat::{self, SHARDS},
    sync::{
        AtomicU64, Mutex, Ordering::Acquire, Ordering::Relaxed, Ordering::Release, lock, try_lock,
    },
};
use hardening_config::Budget;
pub(super) use ledger::Ledger;
use ledger::{Earnings, share};
use std::{array, fmt};

mod ledger;
#[cfg(feature = "test-util")]
mod runtimes;

/// A seat's deposits are entered in the ledger after this many calls, at the latest when a retry
/// asks for a token. So long they are of no certain time: taken as spread evenly over it.
const BATCH: u64 = 64;

/// The retry budget of one policy: what its calls earned and have not spent. See [`Ledger`] for its
/// rules.
///
/// Nearly all calls only deposit, and ask for nothing: each does that on the seat of its thread,
/// without a clock, a lock or a line that another thread writes. Who decides a retry enters
/// everybody's deposits in the ledger first, under its lock, so no token is spent twice and none
/// that was earned before is missed.
#[doc(hidden)]
pub struct BudgetState {
    seats: [Deposits; SHARDS],
    kept: Mutex<Kept>,
}

/// What was deposited on one seat since the start. Both wrap; only differences are used. 128 bytes,
/// because processors fetch lines in pairs.
#[repr(align(128))]
struct Deposits {
    calls: AtomicU64,
    /// In billionths of a retry.
    earned: AtomicU64,
}

#[derive(Clone, Debug)]
struct Kept {
    ledger: Ledger,
    /// What of each seat is in the ledger.
    entered: [Entered; SHARDS],
    /// The latest moment at which a retry was decided.
    #[cfg(feature = "test-util")]
    latest: Moment,
    #[cfg(feature = "test-util")]
    runtimes: runtimes::Runtimes,
}

#[derive(Clone, Copy, Debug)]
struct Entered {
    calls: u64,
    earned: u64,
    /// When that was; none before the first time.
    at: Option<Moment>,
}

impl Default for BudgetState {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for BudgetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = lock(&self.kept).clone();
        f.debug_struct("BudgetState")
            .field("ledger", &kept.ledger)
            .finish_non_exhaustive()
    }
}

impl BudgetState {
    /// A budget with a full reserve, and nothing earned yet.
    #[must_use]
    pub fn new() -> Self {
        let nothing = Entered {
            calls: 0,
            earned: 0,
            at: None,
        };
        Self {
            seats: array::from_fn(|_| Deposits {
                calls: AtomicU64::new(0),
                earned: AtomicU64::new(0),
            }),
            kept: Mutex::new(Kept {
                ledger: Ledger::new(),
                entered: [nothing; SHARDS],
                #[cfg(feature = "test-util")]
                latest: Moment::from_nanos(0),
                #[cfg(feature = "test-util")]
                runtimes: runtimes::Runtimes::default(),
            }),
        }
    }

    /// A call begins: it earns its share of a retry. Asks for the present now and then.
    #[inline]
    pub(crate) fn deposit(&self, budget: &Budget, now: impl FnOnce() -> Moment) {
        self.deposit_from(seat::mine(), budget, now);
    }

    /// A deposit on a seat, by the only one who has it or by one of many.
    #[inline]
    fn deposit_from(
        &self,
        (seat, alone): (usize, bool),
        budget: &Budget,
        now: impl FnOnce() -> Moment,
    ) {
        let share = share(budget.ratio);
        if share == 0 {
            return;
        }
        #[cfg(feature = "test-util")]
        lock(&self.kept).turn(budget, &self.seats);
        let calls = self.seats[seat].add(share, alone);
        // Beginning with the first one, so that it is known since when the others came.
        if calls % BATCH == 1 {
            self.enter(budget, seat, now());
        }
    }

    /// Enters the deposits of a seat, unless somebody is at the ledger: then they can wait.
    #[cold]
    fn enter(&self, budget: &Budget, seat: usize, now: Moment) {
        if let Some(mut kept) = try_lock(&self.kept) {
            kept.enter(budget, seat, &self.seats[seat], now);
        }
    }

    /// A retry is decided: takes a token for it, or says that there is none. Taken before the
    /// wait, so that waiting retries count as the retries that they will be.
    pub(crate) fn withdraw(&self, budget: &Budget, now: Moment) -> bool {
        let mut kept = lock(&self.kept);
        #[cfg(feature = "test-util")]
        {
            kept.turn(budget, &self.seats);
            kept.follow(now);
        }
        kept.enter_all(budget, &self.seats, now);
        kept.ledger.withdraw(budget, now)
    }

    /// The retries that could be made at `now`: whole ones of what calls earned, and of the reserve.
    /// Reading changes nothing.
    pub(crate) fn remaining(&self, budget: &Budget, now: Moment) -> u64 {
        let mut kept = lock(&self.kept).clone();
        #[cfg(feature = "test-util")]
        kept.turn(budget, &self.seats);
        kept.enter_all(budget, &self.seats, now);
        kept.ledger.remaining(budget, now)
    }
}

impl Deposits {
    /// One more call, and its share; says how many there were with it. First the call, then its
    /// share: whoever sees the share sees a bound that has room for it.
    #[inline]
    fn add(&self, share: u64, alone: bool) -> u64 {
        if alone {
            // The only writer of a seat needs no locked instruction.
            let calls = self.calls.load(Relaxed).wrapping_add(1);
            self.calls.store(calls, Release);
            let earned = self.earned.load(Relaxed).wrapping_add(share);
            self.earned.store(earned, Release);
            calls
        } else {
            let before = self.calls.fetch_add(1, Release);
            self.earned.fetch_add(share, Release);
            before.wrapping_add(1)
        }
    }
}

impl Kept {
    fn enter_all(&mut self, budget: &Budget, seats: &[Deposits; SHARDS], now: Moment) {
        for (seat, deposits) in seats.iter().enumerate() {
            self.enter(budget, seat, deposits, now);
        }
    }

    fn enter(&mut self, budget: &Budget, seat: usize, deposits: &Deposits, now: Moment) {
        let earned = deposits.earned.load(Acquire);
        let calls = deposits.calls.load(Acquire);
        let entered = &mut self.entered[seat];
        let earnings = Earnings {
            calls: calls.wrapping_sub(entered.calls),
            earned: earned.wrapping_sub(entered.earned),
        };
        let since = entered.at.unwrap_or(now);
        *entered = Entered {
            calls,
            earned,
            at: Some(now),
        };
        self.ledger.deposit(budget, earnings, since, now);
    }
}

/// Whose budget a call is charged to.
#[derive(Debug)]
pub(super) enum Purse<'a> {
    /// One that calls share.
    Shared(&'a BudgetState),
    /// This call's own: a full reserve, and what one call earned.
    Own(&'a mut Option<Ledger>),
}

impl Purse<'_> {
    /// A retry is decided: takes a token for it, or says that there is none.
    pub(super) fn withdraw(&mut self, budget: &Budget, now: Moment) -> bool {
        match self {
            Self::Shared(state) => state.withdraw(budget, now),
            Self::Own(ledger) => ledger
                .get_or_insert_with(|| Ledger::of_one_call(budget, now))
                .withdraw(budget, now),
        }
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests;

#[cfg(all(test, hardening_loom))]
mod model;
