//! What counts for a circuit: success, failure, neutral.

use crate::support::{
    Answer, AppError, Script, Step::*, circuit, dropped_after, figures, panic_of, panic_of_task,
    refused, seconds, settle, site,
};
use hardening::{circuit_breaker, circuit_breaker::State, retryable, timeout};

fn in_a_row(path: &str) -> u64 {
    site(path).circuit.unwrap().failures_in_a_row
}

#[tokio::test(start_paused = true)]
async fn permanent_errors_neither_open_nor_close_a_circuit() {
    #[circuit_breaker(failure_threshold = 2, open_for = 5)]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let path = "permanent_errors_neither_open_nor_close_a_circuit::ask";
    let script = Script::of([Gone, Gone, Gone, Busy, Gone, Busy, Gone, Gone, Fine]);
    for step in 0..5 {
        ask(script).await.unwrap_err();
        assert_eq!(in_a_row(path), u64::from(step >= 3), "{step}");
    }
    ask(script).await.unwrap_err();
    assert_eq!(circuit(path), State::Open);
    tokio::time::sleep(seconds(5)).await;
    assert_eq!(ask(script).await, Err(AppError::Gone));
    assert_eq!(
        ask(script).await,
        Err(AppError::Gone),
        "a neutral probe gives its place back"
    );
    assert_eq!(circuit(path), State::HalfOpen);
    assert_eq!((ask(script).await, circuit(path)), (Ok(9), State::Closed));
}

#[tokio::test(start_paused = true)]
async fn without_classify_every_error_is_a_failure_and_failure_if_decides_for_itself() {
    #[derive(Debug)]
    struct Plain;
    impl From<hardening::Rejected> for Plain {
        fn from(_: hardening::Rejected) -> Self {
            Self
        }
    }
    #[circuit_breaker(failure_threshold = 1)]
    async fn plain() -> Result<(), Plain> {
        Err(Plain)
    }
    #[circuit_breaker(failure_threshold = 1, failure_if = |answer: &Answer| matches!(answer, Ok(2)))]
    async fn picky(script: &Script) -> Answer {
        script.run().await
    }
    plain().await.unwrap_err();
    assert_eq!(
        circuit(
            "without_classify_every_error_is_a_failure_and_failure_if_decides_for_itself::plain"
        ),
        State::Open
    );
    let path = "without_classify_every_error_is_a_failure_and_failure_if_decides_for_itself::picky";
    let script = Script::of([Busy]);
    assert_eq!(
        (picky(script).await, circuit(path)),
        (Err(AppError::Busy(1)), State::Closed)
    );
    assert_eq!((picky(script).await, circuit(path)), (Ok(2), State::Open));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_and_is_raised_again() {
    #[retryable(policy = "composition", allow = ["circuit_outlasts_retries"])]
    #[circuit_breaker(failure_threshold = 2, open_for = 50)]
    async fn ask(script: &'static Script) -> Answer {
        script.run().await
    }
    let path = "a_panic_is_a_failure_and_is_raised_again::ask";
    let script = Script::of([Panic, Panic]);
    for run in 1..=2 {
        let text = panic_of_task(tokio::spawn(ask(script))).await;
        assert_eq!(text, format!("run {run} panics, as the test wants"));
    }
    assert_eq!(
        (circuit(path), script.runs()),
        (State::Open, 2),
        "a panic is not retried"
    );
    assert_eq!(refused(ask(script).await), ("circuit open", Some(50_000)));
    tokio::time::sleep(seconds(50)).await;
    assert_eq!((ask(script).await, circuit(path)), (Ok(3), State::Closed));
    let counted = figures(path);
    assert_eq!(
        (
            counted.panicked,
            counted.circuit_open,
            counted.success,
            counted.in_flight
        ),
        (2, 1, 1, 0)
    );
}

#[test]
fn a_panic_of_a_blocking_body_is_a_failure_and_is_raised_again() {
    #[retryable(policy = "composition", allow = ["circuit_outlasts_retries"])]
    #[circuit_breaker(failure_threshold = 2)]
    fn ask(script: &Script) -> Answer {
        script.run_blocking()
    }
    let path = "a_panic_of_a_blocking_body_is_a_failure_and_is_raised_again::ask";
    let script = Script::of([Panic, Panic]);
    for run in 1..=2 {
        assert_eq!(
            panic_of(|| ask(script)),
            format!("run {run} panics, as the test wants")
        );
    }
    assert_eq!(
        (circuit(path), figures(path).panicked, script.runs()),
        (State::Open, 2, 2)
    );
    assert_eq!(refused(ask(script)).0, "circuit open");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_panics_opens_the_circuit_again_and_holds_no_place() {
    #[circuit_breaker(failure_threshold = 1, open_for = 5)]
    async fn ask(script: &'static Script) -> Answer {
        script.run().await
    }
    let path = "a_probe_that_panics_opens_the_circuit_again_and_holds_no_place::ask";
    let script = Script::of([Busy, Panic]);
    ask(script).await.unwrap_err();
    tokio::time::sleep(seconds(5)).await;
    panic_of_task(tokio::spawn(ask(script))).await;
    assert_eq!(
        (circuit(path), refused(ask(script).await)),
        (State::Open, ("circuit open", Some(5_000)))
    );
    tokio::time::sleep(seconds(5)).await;
    assert_eq!((ask(script).await, script.runs()), (Ok(3), 3));
}

#[tokio::test(start_paused = true)]
async fn timeouts_of_ours_are_failures_the_calls_own_included() {
    #[timeout(call = 10, attempt = 2)]
    #[circuit_breaker(failure_threshold = 1)]
    async fn by_attempt(script: &Script) -> Answer {
        script.run().await
    }
    #[timeout(call = 2)]
    #[circuit_breaker(failure_threshold = 1)]
    async fn by_call(script: &Script) -> Answer {
        script.run().await
    }
    let path = "timeouts_of_ours_are_failures_the_calls_own_included";
    let script = Script::of([Hangs, Hangs]);
    assert_eq!(refused(by_attempt(script).await).0, "timed out");
    assert_eq!(refused(by_call(script).await).0, "timed out");
    assert_eq!(circuit(&format!("{path}::by_attempt")), State::Open);
    assert_eq!(circuit(&format!("{path}::by_call")), State::Open);
    assert_eq!((script.runs(), script.left(), script.now()), (2, 2, 4_000));
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_a_call_around_it_is_a_failure_of_the_circuit_within() {
    #[circuit_breaker(failure_threshold = 1)]
    async fn within(script: &Script) -> Answer {
        script.run().await
    }
    #[timeout(call = 2)]
    async fn around(script: &Script) -> Answer {
        within(script).await
    }
    let script = Script::of([Hangs]);
    assert_eq!(
        (refused(around(script).await).0, script.now()),
        ("timed out", 2_000)
    );
    let path = "the_timeout_of_a_call_around_it_is_a_failure_of_the_circuit_within::within";
    assert_eq!((circuit(path), figures(path).dropped), (State::Open, 1));
}

#[tokio::test(start_paused = true)]
async fn drops_by_callers_are_neutral_until_there_are_too_many_in_a_row() {
    #[circuit_breaker(failure_threshold = 3, open_for = 5)]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let path = "drops_by_callers_are_neutral_until_there_are_too_many_in_a_row::ask";
    let script = Script::of([Hangs, Hangs, Gone, Hangs, Hangs, Busy, Hangs, Hangs, Hangs]);
    for hangs in [true, true, false, true, true, false, true, true] {
        assert_eq!(circuit(path), State::Closed);
        if hangs {
            dropped_after(1, ask(script)).await;
        } else {
            ask(script).await.unwrap_err();
        }
    }
    assert_eq!(
        (circuit(path), in_a_row(path)),
        (State::Closed, 1),
        "the one that failed"
    );
    dropped_after(1, ask(script)).await;
    assert_eq!((circuit(path), script.left()), (State::Open, 7));
    assert_eq!(
        (refused(ask(script).await).0, script.runs()),
        ("circuit open", 9)
    );
    assert_eq!(figures(path).dropped, 7);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_gives_its_place_back() {
    #[circuit_breaker(failure_threshold = 3, open_for = 5)]
    async fn ask(script: &Script) -> Answer {
        script.run().await
    }
    let path = "a_dropped_probe_gives_its_place_back::ask";
    let script = Script::of([Busy, Busy, Busy, Hangs, Hangs, Fine]);
    for _ in 0..3 {
        ask(script).await.unwrap_err();
    }
    tokio::time::sleep(seconds(5)).await;
    for _ in 0..2 {
        dropped_after(1, ask(script)).await;
        assert_eq!(
            (circuit(path), site(path).circuit.unwrap().probes),
            (State::HalfOpen, 0)
        );
    }
    assert_eq!((ask(script).await, circuit(path)), (Ok(6), State::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_result_counts_only_in_the_state_in_which_its_call_began() {
    #[circuit_breaker(failure_threshold = 1, open_for = 5)]
    async fn ask(script: &'static Script) -> Answer {
        script.run().await
    }
    let path = "a_result_counts_only_in_the_state_in_which_its_call_began::ask";
    let script = Script::of([Takes(2), Takes(7), Fails(9), Busy, Takes(3), Fine]);
    let [early, late, failing] = [(); 3].map(|()| tokio::spawn(ask(script)));
    settle().await;
    ask(script).await.unwrap_err();
    assert_eq!(circuit(path), State::Open);
    assert_eq!(
        (early.await.unwrap(), circuit(path)),
        (Ok(1), State::Open),
        "at 2: still open"
    );
    tokio::time::sleep(seconds(3)).await;
    let probe = tokio::spawn(ask(script)); // from 5 to 8
    settle().await;
    assert_eq!(
        (late.await.unwrap(), circuit(path)),
        (Ok(2), State::HalfOpen),
        "at 7: still half-open"
    );
    assert_eq!(
        (probe.await.unwrap(), circuit(path)),
        (Ok(5), State::Closed),
        "at 8"
    );
    assert_eq!(
        (failing.await.unwrap(), circuit(path)),
        (Err(AppError::Busy(3)), State::Closed),
        "at 9"
    );
    assert_eq!((in_a_row(path), script.now()), (0, 9_000));
}

#[tokio::test(start_paused = true)]
async fn the_circuit_of_a_nested_function_is_its_own() {
    #[circuit_breaker(failure_threshold = 1)]
    async fn within(script: &Script) -> Answer {
        script.run().await
    }
    #[retryable(policy = "composition")]
    #[circuit_breaker(failure_threshold = 3)]
    async fn around(script: &Script) -> Answer {
        within(script).await
    }
    let script = Script::of([Busy]);
    // The first attempt fails; the second meets the open circuit within, which asks for 59 s.
    assert_eq!(
        refused(around(script).await),
        ("circuit open", Some(59_000))
    );
    assert_eq!((script.runs(), script.now()), (1, 1_000));
    assert_eq!(
        circuit("the_circuit_of_a_nested_function_is_its_own::within"),
        State::Open
    );
    assert_eq!(
        circuit("the_circuit_of_a_nested_function_is_its_own::around"),
        State::Closed
    );
}
