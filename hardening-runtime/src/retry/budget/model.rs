//! Every order in which two threads may use one budget.

use super::{
    ledger::{SPAN, TOKEN},
    *,
};
use loom::{sync::Arc, thread};

const START: Moment = Moment::from_nanos(1 << 55);

impl BudgetState {
    /// The ledger with everybody's deposits.
    fn entered(&self, budget: &Budget, now: Moment) -> Ledger {
        let mut kept = lock(&self.kept);
        kept.enter_all(budget, &self.seats, now);
        kept.ledger
    }
}

/// Runs `first` and `second` on one budget in every order; returns what they said, and it.
fn both(
    state: BudgetState,
    first: impl Fn(&BudgetState) -> bool + Send + 'static,
    second: impl Fn(&BudgetState) -> bool,
) -> (bool, bool, Arc<BudgetState>) {
    let state = Arc::new(state);
    let other = {
        let state = Arc::clone(&state);
        thread::spawn(move || first(&state))
    };
    let second = second(&state);
    (other.join().unwrap(), second, state)
}

#[test]
fn concurrent_calls_lose_nothing_that_they_earned() {
    loom::model(|| {
        // Each call earns 500 tokens: far above what is always kept, so the bound matters.
        let budget = Budget {
            ratio: 500.0,
            min_per_second: 0.0,
        };
        let call = move |state: &BudgetState| {
            state.deposit(&budget, || START);
            state.withdraw(&budget, START)
        };
        let (first, second, state) = both(BudgetState::new(), call, call);
        assert!(first && second);
        assert_eq!(state.entered(&budget, START).earned, 998 * TOKEN);
    });
}

#[test]
fn calls_on_seats_of_their_own_lose_nothing_that_they_earned() {
    loom::model(|| {
        let budget = Budget {
            ratio: 500.0,
            min_per_second: 0.0,
        };
        let call = move |seat: usize| {
            move |state: &BudgetState| {
                state.deposit_from((seat, true), &budget, || START);
                state.withdraw(&budget, START)
            }
        };
        let (first, second, state) = both(BudgetState::new(), call(0), call(1));
        assert!(first && second);
        assert_eq!(state.entered(&budget, START).earned, 998 * TOKEN);
    });
}

#[test]
fn one_earned_token_pays_for_one_retry() {
    loom::model(|| {
        let budget = Budget {
            ratio: 1.0,
            min_per_second: 0.0,
        };
        let state = BudgetState::new();
        state.deposit(&budget, || START);
        let retry = move |state: &BudgetState| state.withdraw(&budget, START);
        let (first, second, _) = both(state, retry, retry);
        assert!(first ^ second);
    });
}

#[test]
fn one_token_in_the_reserve_pays_for_one_retry() {
    loom::model(|| {
        let budget = Budget {
            ratio: 0.0,
            min_per_second: 0.1,
        };
        let retry = move |state: &BudgetState| state.withdraw(&budget, START);
        let (first, second, _) = both(BudgetState::new(), retry, retry);
        assert!(first ^ second);
    });
}

#[test]
fn calls_on_both_sides_of_a_spans_end_are_both_counted() {
    loom::model(|| {
        let budget = Budget {
            ratio: 1.0,
            min_per_second: 0.0,
        };
        let call = move |span: u64| {
            move |state: &BudgetState| {
                state.deposit(&budget, || Moment::from_nanos(span * SPAN));
                true
            }
        };
        let (_, _, state) = both(BudgetState::new(), call(7), call(8));
        let ledger = state.entered(&budget, Moment::from_nanos(8 * SPAN));
        assert_eq!(ledger.earned, 2 * TOKEN);
        assert_eq!(ledger.traffic.before + ledger.traffic.during, 2);
    });
}
