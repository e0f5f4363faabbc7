//! All layers on blocking functions, on the paused clock and off any runtime.

mod support;

use hardening::{Rejected, bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable};
use std::{
    io,
    sync::{Barrier, mpsc},
    thread,
};
use support::{AppError, AppResult, Runs, assert_took, timed};

#[tokio::test(start_paused = true)]
async fn waits_of_a_blocking_retry_move_the_paused_clock() {
    #[retryable(policy = "expensive")]
    fn ask(runs: &Runs) -> AppResult<u32> {
        runs.up();
        Err(AppError::Busy)
    }
    let runs = Runs::new();
    let (answer, took) = timed(async { ask(&runs) }).await;
    assert_eq!((answer, runs.get()), (Err(AppError::Busy), 5));
    assert_took(took, 15.0);
}

#[test]
fn all_layers_work_without_a_runtime() {
    #[fallback(|error| if matches!(error, AppError::Gone) { Ok(0) } else { Err(error) })]
    #[cached(key = id)]
    #[rate_limited(capacity = 3, window_seconds = "1h")]
    #[retryable(base_delay = "1ms")]
    #[circuit_breaker]
    #[bulkhead(max_concurrent = 1)]
    fn ask(id: u8, runs: &Runs) -> AppResult<u32> {
        if id == 9 {
            Err(AppError::Gone)?;
        }
        match runs.up() {
            run @ 1..=2 => Err(AppError::Rejected(Rejected::BulkheadFull { name: "inner" }))
                .or_else(|error| if run < 3 { Err(error) } else { Ok(run) }),
            run => Ok(run),
        }
    }
    let runs = Runs::new();
    assert_eq!(ask(1, &runs), Ok(3));
    assert_eq!((ask(1, &runs), runs.get()), (Ok(3), 3));
    assert_eq!(ask(9, &runs), Ok(0));
    assert_eq!(ask(2, &runs), Ok(4));
    assert!(matches!(
        ask(3, &runs),
        Err(AppError::Rejected(Rejected::RateLimited { .. }))
    ));
}

#[test]
fn threads_share_one_run_of_a_key() {
    static RUNS: Runs = Runs::new();
    static GATE: Barrier = Barrier::new(2);
    #[cached]
    fn ask(id: u8) -> io::Result<u32> {
        let run = RUNS.up();
        GATE.wait();
        Ok(run + u32::from(id))
    }
    thread::scope(|threads| {
        let asking: Vec<_> = (0..4).map(|_| threads.spawn(|| ask(1).unwrap())).collect();
        GATE.wait(); // the leader is inside its run
        for one in asking {
            assert_eq!(one.join().unwrap(), 2);
        }
    });
    assert_eq!(RUNS.get(), 1);
}

#[test]
fn a_blocking_bulkhead_queues_threads() {
    #[bulkhead(max_concurrent = 1, max_queue = 1, max_wait = "1m")]
    fn ask(entered: &mpsc::Sender<()>, leave: &Barrier) -> AppResult<()> {
        entered.send(()).unwrap();
        leave.wait();
        Ok(())
    }
    let leave = &Barrier::new(2);
    let (entered, inside) = mpsc::channel();
    thread::scope(|threads| {
        let first = entered.clone();
        threads.spawn(move || ask(&first, leave).unwrap());
        inside.recv().unwrap();
        let second = entered.clone();
        threads.spawn(move || ask(&second, leave).unwrap());
        assert!(inside.try_recv().is_err(), "the second waits");
        leave.wait();
        inside.recv().unwrap();
        leave.wait();
    });
}

#[test]
fn a_panic_in_a_blocking_body_is_a_failure_and_is_raised_again() {
    #[circuit_breaker(failure_threshold = 1)]
    #[bulkhead(max_concurrent = 1, max_queue = 0)]
    fn ask(fine: bool) -> AppResult<()> {
        assert!(fine, "a body of the test");
        Ok(())
    }
    assert!(thread::spawn(|| ask(false)).join().is_err());
    assert!(matches!(
        ask(true),
        Err(AppError::Rejected(Rejected::CircuitOpen { .. }))
    ));
}

#[test]
fn the_body_of_a_blocking_function_may_borrow_and_mutate_its_arguments() {
    #[retryable(base_delay = 0)]
    #[circuit_breaker]
    fn push<'a>(list: &'a mut Vec<u32>, more: &mut dyn Iterator<Item = u32>) -> AppResult<usize> {
        list.extend(more.next());
        if list.len() < 3 {
            return Err(AppError::Busy);
        }
        Ok(list.len())
    }
    let mut list = Vec::new();
    assert_eq!(push(&mut list, &mut (1..9)), Ok(3));
    assert_eq!(list, [1, 2, 3]);
}
