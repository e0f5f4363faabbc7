use super::*;
use crate::{outcome::Rejected, retry::BudgetState};
use hardening_config::{Budget, Jitter};
use proptest::prelude::*;

const START: Moment = Moment::from_nanos(1 << 55);
const SECOND: Duration = Duration::from_secs(1);

fn after(seconds: u64) -> Moment {
    START.plus(Duration::from_secs(seconds))
}

/// Ten attempts, a second apart.
fn policy() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 10,
        base_delay: SECOND,
        exponential_base: 1.0,
        jitter: Jitter::None,
        ..RetryPolicy::default()
    }
}

/// The decision after a first attempt that failed at once.
fn first(
    policy: &RetryPolicy,
    verdict: Verdict,
    deadline: Option<Moment>,
) -> Result<Duration, Why> {
    RetryState::new(Some(START)).decide(policy, None, verdict, START, deadline, 0.0)
}

fn refused(seconds: u64) -> Verdict {
    Verdict::Refused(Some(Duration::from_secs(seconds)))
}

fn asked_for(seconds: u64) -> Verdict {
    Verdict::After(Duration::from_secs(seconds))
}

fn verdict_of(failure: impl Into<Failure<Class>>) -> Verdict {
    verdict(&failure.into(), |class| (*class).into())
}

#[test]
fn each_failure_is_worth_what_the_contract_says() {
    let name = "ai";
    let retry_after = Some(SECOND);
    assert_eq!(
        verdict_of(Failure::Error(Class::Transient)),
        Verdict::Transient
    );
    assert_eq!(
        verdict_of(Failure::Error(Class::TransientAfter(SECOND))),
        asked_for(1)
    );
    assert_eq!(
        verdict_of(Failure::Error(Class::Permanent)),
        Verdict::Permanent
    );
    assert_eq!(
        verdict_of(Rejected::CircuitOpen { name, retry_after }),
        refused(1)
    );
    let op = name;
    assert_eq!(
        verdict_of(Rejected::RateLimited { op, retry_after }),
        refused(1)
    );
    assert_eq!(
        verdict_of(Rejected::BulkheadFull { name }),
        Verdict::Transient
    );
    let timed_out = Rejected::TimedOut {
        name,
        after: SECOND,
    };
    assert_eq!(verdict_of(timed_out), Verdict::Transient);
    let load_failed = Rejected::LoadFailed {
        name,
        reason: "down".into(),
        class: Class::Transient,
    };
    assert_eq!(verdict_of(load_failed), Verdict::Transient);
}

#[test]
fn a_panic_is_never_retried() {
    let panicked = Failure::Panicked(Box::new("boom"));
    assert_eq!(verdict_of(panicked), Verdict::Permanent);
    assert_eq!(
        first(&policy(), Verdict::Permanent, None),
        Err(Why::Permanent)
    );
}

#[test]
fn attempts_are_counted_with_the_first() {
    for (max_attempts, retries) in [(0, 0), (1, 0), (2, 1), (3, 2)] {
        let policy = RetryPolicy {
            max_attempts,
            ..policy()
        };
        let mut state = RetryState::new(Some(START));
        let mut retry = || state.decide(&policy, None, Verdict::Transient, START, None, 0.0);
        for _ in 0..retries {
            assert_eq!(retry(), Ok(SECOND));
        }
        assert_eq!(retry(), Err(Why::Attempts));
        assert_eq!(state.attempt(), retries + 1);
    }
}

#[test]
fn an_upstreams_retry_after_is_waited_for_also_above_max_delay() {
    assert_eq!(first(&policy(), asked_for(7), None), Ok(SECOND * 7));
    assert_eq!(
        first(&policy(), Verdict::After(SECOND / 2), None),
        Ok(SECOND)
    );
    let quick = RetryPolicy {
        max_delay: Duration::from_millis(10),
        ..policy()
    };
    assert_eq!(first(&quick, asked_for(30), None), Ok(SECOND * 30));
}

/// Other libraries sleep for as long as the header says.
#[test]
fn an_upstream_that_asks_for_an_hour_is_not_waited_for() {
    assert_eq!(
        first(&policy(), asked_for(3600), None),
        Err(Why::AskedTooLong)
    );
    assert_eq!(first(&policy(), asked_for(120), None), Ok(SECOND * 120));
    assert_eq!(
        first(&policy(), asked_for(121), None),
        Err(Why::AskedTooLong)
    );
    let patient = RetryPolicy {
        max_delay: SECOND * 20,
        ..policy()
    };
    assert_eq!(first(&patient, asked_for(200), None), Ok(SECOND * 200));
    assert_eq!(
        first(&patient, asked_for(201), None),
        Err(Why::AskedTooLong)
    );
}

#[test]
fn the_minute_that_rate_limits_ask_for_is_waited_for_by_default() {
    let default = RetryPolicy::default();
    assert_eq!(first(&default, asked_for(60), None), Ok(SECOND * 60));
}

#[test]
fn a_call_that_is_bounded_waits_as_long_as_its_bounds_allow() {
    let bounded = RetryPolicy {
        max_elapsed: Some(SECOND * 7200),
        ..policy()
    };
    assert_eq!(first(&bounded, asked_for(3600), None), Ok(SECOND * 3600));
    assert_eq!(first(&bounded, asked_for(7201), None), Err(Why::Elapsed));
    assert_eq!(
        first(&policy(), asked_for(60), Some(after(61))),
        Ok(SECOND * 60)
    );
    assert_eq!(
        first(&policy(), asked_for(62), Some(after(61))),
        Err(Why::Deadline)
    );
}

#[test]
fn an_open_circuit_is_retried_only_if_it_admits_a_probe_soon() {
    assert_eq!(first(&policy(), refused(5), None), Ok(SECOND * 5));
    assert_eq!(first(&policy(), refused(6), None), Err(Why::Refused));
    assert_eq!(
        first(&policy(), Verdict::Refused(None), None),
        Err(Why::Refused)
    );
    let deadline = Some(after(4));
    assert_eq!(first(&policy(), refused(5), deadline), Err(Why::Deadline));
}

#[test]
fn no_wait_begins_that_would_end_at_the_deadline() {
    let decide = |deadline| first(&policy(), Verdict::Transient, Some(deadline));
    assert_eq!(decide(after(1)), Err(Why::Deadline));
    assert_eq!(decide(START), Err(Why::Deadline));
    assert_eq!(decide(after(2)), Ok(SECOND));
}

#[test]
fn no_attempt_starts_after_a_deadline_even_without_a_wait() {
    let at_once = RetryPolicy {
        base_delay: Duration::ZERO,
        max_elapsed: Some(SECOND),
        ..policy()
    };
    let decide = |now, deadline| {
        RetryState::new(Some(START)).decide(&at_once, None, Verdict::Transient, now, deadline, 0.0)
    };
    assert_eq!(decide(after(1), None), Ok(Duration::ZERO));
    assert_eq!(decide(after(1), Some(after(1))), Err(Why::Deadline));
    assert_eq!(decide(after(2), None), Err(Why::Elapsed));
}

#[test]
fn no_wait_begins_that_would_end_after_max_elapsed() {
    let policy = RetryPolicy {
        max_elapsed: Some(SECOND * 3),
        ..policy()
    };
    let mut state = RetryState::new(Some(START));
    let mut fail_at = |now| state.decide(&policy, None, Verdict::Transient, after(now), None, 0.0);
    assert_eq!(fail_at(0), Ok(SECOND));
    assert_eq!(fail_at(2), Ok(SECOND));
    assert_eq!(fail_at(3), Err(Why::Elapsed));
}

#[test]
fn a_retry_that_waits_has_spent_its_token_and_one_that_is_not_made_has_not() {
    let policy = RetryPolicy {
        budget: Some(Budget {
            ratio: 0.0,
            min_per_second: 0.1,
        }),
        ..policy()
    };
    let budget = BudgetState::new();
    let decide = |deadline| {
        RetryState::new(Some(START)).decide(
            &policy,
            Some(&mut Purse::Shared(&budget)),
            Verdict::Transient,
            START,
            deadline,
            0.0,
        )
    };
    assert_eq!(decide(Some(START)), Err(Why::Deadline));
    assert_eq!(decide(None), Ok(SECOND));
    assert_eq!(decide(None), Err(Why::Budget));
}

#[test]
fn a_policy_without_a_budget_asks_none() {
    let policy = RetryPolicy {
        budget: None,
        ..policy()
    };
    let budget = BudgetState::new();
    for _ in 0..1_000 {
        let mut state = RetryState::new(Some(START));
        let (verdict, purse) = (Verdict::Transient, &mut Purse::Shared(&budget));
        assert_eq!(
            state.decide(&policy, Some(purse), verdict, START, None, 0.0),
            Ok(SECOND)
        );
    }
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    let asked = (0_u64..200_000).prop_map(Duration::from_millis);
    prop_oneof![
        Just(Verdict::Permanent),
        Just(Verdict::Transient),
        asked.clone().prop_map(Verdict::After),
        asked
            .clone()
            .prop_map(|asked| Verdict::Refused(Some(asked))),
        Just(Verdict::Refused(None)),
    ]
}

proptest! {
    #[test]
    fn no_decision_breaks_a_bound(
        verdicts in prop::collection::vec((any_verdict(), 0_u64..20_000, 0.0..1.0_f64), 1..20),
        max_attempts in 0_u32..8, max_elapsed in prop::option::of(0_u64..60_000),
        deadline in prop::option::of(0_u64..60_000),
    ) {
        let max_elapsed = max_elapsed.map(Duration::from_millis);
        let policy = RetryPolicy {
            max_attempts, max_elapsed, jitter: Jitter::Full, ..policy()
        };
        let deadline = deadline.map(|millis| START.plus(Duration::from_millis(millis)));
        let (mut state, mut now) = (RetryState::new(Some(START)), START);
        for (verdict, took, dice) in verdicts {
            now = now.plus(Duration::from_millis(took));
            let Ok(delay) = state.decide(&policy, None, verdict, now, deadline, dice) else {
                break;
            };
            now = now.plus(delay);
            prop_assert!(state.attempt() <= max_attempts);
            prop_assert!(deadline.is_none_or(|deadline| now < deadline));
            prop_assert!(max_elapsed.is_none_or(|max| now.since(START) <= max));
            match verdict {
                Verdict::Transient => prop_assert!(delay <= policy.max_delay),
                Verdict::After(asked) => prop_assert!(delay >= asked),
                Verdict::Refused(Some(asked)) => prop_assert!((asked..=policy.max_delay).contains(&delay)),
                Verdict::Permanent | Verdict::Refused(None) => prop_assert!(false, "retried"),
            }
        }
    }
}
