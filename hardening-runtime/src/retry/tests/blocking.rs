//! Calls of blocking code, without waits.

use super::*;

#[test]
fn the_last_error_is_returned_unchanged() {
    let mut runs = 0;
    let outcome: Result<(), Error> = retry_blocking(at_once(3), || {
        runs += 1;
        Err(Error(Class::TransientAfter(Duration::from_nanos(runs))))
    });
    let last = Class::TransientAfter(Duration::from_nanos(3));
    assert_eq!(outcome, Err(Error(last)));
}

#[test]
fn a_success_ends_the_call() {
    let outcome = retry_blocking(at_once(9), || match crate::attempt() {
        4 => Ok(4),
        _ => Err(Error(Class::Transient)),
    });
    assert_eq!(outcome, Ok(4));
    assert_eq!(crate::attempt(), 1, "outside of the call");
}

#[test]
fn a_permanent_error_ends_the_call() {
    let mut runs = 0;
    let outcome = retry_blocking(at_once(9), || {
        runs += 1;
        PERMANENT
    });
    assert_eq!((outcome, runs), (PERMANENT, 1));
}

#[test]
fn a_policy_of_no_attempts_makes_one() {
    let mut runs = 0;
    let _ = retry_blocking(at_once(0), || {
        runs += 1;
        TRANSIENT
    });
    assert_eq!(runs, 1);
}

#[test]
fn retry_if_decides_in_the_place_of_the_class() {
    struct Unclassified(u32);
    let retry = Retry::new(at_once(9)).retry_if(|error: &Unclassified| error.0 < 3);
    let mut runs = 0;
    let outcome: Result<(), _> = retry.call_blocking(|| {
        runs += 1;
        Err(Unclassified(runs))
    });
    assert!(outcome.is_err());
    assert_eq!(runs, 3);
}

#[test]
fn a_panic_is_not_retried_and_reaches_the_caller() {
    let runs = AtomicU32::new(0);
    let call = || {
        retry_blocking(at_once(9), || -> Result<(), Error> {
            runs.fetch_add(1, Relaxed);
            panic!("boom")
        })
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err());
    assert_eq!(runs.load(Relaxed), 1);
    assert_eq!(crate::attempt(), 1, "the context is restored");
}

#[test]
fn the_hook_gets_each_retry_and_its_panic_goes_no_further() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hook = {
        let seen = Arc::clone(&seen);
        move |event: &RetryEvent| {
            let what = (event.site, event.attempt, event.max_attempts, event.delay);
            seen.lock().unwrap().push((what, event.reason.to_string()));
            assert_ne!(event.attempt, 1, "a hook that fails");
        }
    };
    let retry = Retry::new(at_once(3)).name("upstream").on_retry(hook);
    assert_eq!(retry.call_blocking(|| TRANSIENT), TRANSIENT);
    let reason = || "transient error".to_owned();
    let expected = [1, 2].map(|n| (("upstream", n, 3, Duration::ZERO), reason()));
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn all_calls_and_clones_of_a_retry_share_its_budget() {
    let budget = Budget {
        ratio: 0.1,
        min_per_second: 0.0,
    };
    let retry = Retry::new(RetryPolicy {
        budget: Some(budget),
        ..at_once(5)
    });
    let mut runs = 0;
    for _ in 0..100 {
        let _ = retry.clone().call_blocking(|| {
            runs += 1;
            TRANSIENT
        });
    }
    assert_eq!(runs, 110);
}
