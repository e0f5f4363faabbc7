//! The driver as generated code uses it: on typed failures.

use super::*;
use crate::outcome::Worth;

const fn rules(policy: &RetryPolicy) -> Rules<'_> {
    Rules {
        site: "site",
        policy,
        budget: None,
    }
}

/// Runs a call whose every attempt fails in the same way; the number of attempts.
fn attempts(policy: &RetryPolicy, fail: impl Fn() -> Failure<Error>) -> u32 {
    let budget = BudgetState::new();
    let rules = Rules {
        budget: Some(&budget),
        ..rules(policy)
    };
    let mut driver = Driver::begin(rules, None, clock::now);
    while driver
        .next(rules, &Err::<(), _>(fail()), Worth::of, no_hook)
        .is_some()
    {}
    driver.attempt()
}

#[test]
fn an_open_circuit_is_not_retried_to_exhaustion() {
    let open = |retry_after| {
        move || {
            Failure::from(Rejected::CircuitOpen {
                name: "ai",
                retry_after,
            })
        }
    };
    assert_eq!(attempts(&policy(5), open(Some(SECOND * 60))), 1);
    assert_eq!(attempts(&policy(5), open(None)), 1);
    assert_eq!(attempts(&policy(5), open(Some(SECOND))), 5);
}

#[test]
fn attempts_that_time_out_or_find_no_place_are_retried() {
    let name = "ai";
    assert_eq!(
        attempts(&policy(3), || Rejected::BulkheadFull { name }.into()),
        3
    );
    let after = SECOND;
    assert_eq!(
        attempts(&policy(3), || Rejected::TimedOut { name, after }.into()),
        3
    );
}

#[test]
fn a_panic_walks_on_outward() {
    let policy = policy(3);
    let rules = rules(&policy);
    let mut driver = Driver::begin(rules, None, clock::now);
    let panicked = Err::<(), _>(Failure::<Error>::Panicked(Box::new("boom")));
    assert_eq!(driver.next(rules, &panicked, Worth::of, no_hook), None);
}

#[test]
fn the_hook_is_told_which_layer_refused() {
    let policy = policy(3);
    let rules = rules(&policy);
    let mut driver = Driver::begin(rules, None, clock::now);
    let full = Err::<(), _>(Failure::<Error>::Rejected(Rejected::BulkheadFull {
        name: "ai",
    }));
    let mut reason = String::new();
    let _ = driver.next(rules, &full, Worth::of, |e| {
        reason = e.reason.to_string();
    });
    assert_eq!(reason, "the bulkhead `ai` is full");
}

#[test]
fn a_driver_can_move_between_threads_whatever_the_errors_are() {
    fn is_send<T: Send>(_: &T) {}
    let policy = policy(3);
    is_send(&Driver::begin(rules(&policy), None, clock::now));
}
