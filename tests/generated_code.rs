//! What generated code must not do to the user's.
use hardening::{Rejected, cached, rate_limited};
use std::sync::{Mutex, MutexGuard, atomic::AtomicU32, atomic::Ordering::SeqCst};

static NUMBERS: Mutex<u32> = Mutex::new(7);
static RUNS: AtomicU32 = AtomicU32::new(0);

fn numbers() -> MutexGuard<'static, u32> {
    NUMBERS.lock().unwrap()
}

#[cached(key = *numbers())]
async fn locks_for_its_key() -> u32 {
    RUNS.fetch_add(1, SeqCst);
    tokio::task::yield_now().await;
    *NUMBERS.try_lock().expect("the key's lock is given back")
}

#[rate_limited(op = "search", key = *numbers())]
async fn locks_for_its_bucket() -> Result<u32, Rejected> {
    tokio::task::yield_now().await;
    Ok(*NUMBERS.try_lock().expect("the key's lock is given back"))
}

#[tokio::test]
async fn what_a_key_locks_is_free_again_before_the_body_runs() {
    let run = tokio::spawn(locks_for_its_key());
    assert_eq!(run.await.unwrap(), 7);
    assert_eq!(locks_for_its_key().await, 7);
    assert_eq!(RUNS.load(SeqCst), 1);
    assert_eq!(tokio::spawn(locks_for_its_bucket()).await.unwrap(), Ok(7));
}

type Answer = Result<u32, Rejected>;

#[hardening::retryable(max_attempts = 1)]
fn aliased(answer: u32) -> Answer {
    Ok(answer)
}

#[test]
fn an_alias_of_a_result_is_a_result() {
    assert_eq!(aliased(3), Ok(3));
}

/// A switched-off layer costs a load and a branch: it does not even ask for its key.
#[test]
fn a_layer_that_is_switched_off_takes_no_key_and_no_cost() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    fn asked() -> u32 {
        ASKED.fetch_add(1, SeqCst)
    }
    #[rate_limited(op = "search", key = asked(), cost = asked(), enabled = false)]
    #[cached(key = asked(), enabled = false)]
    fn off() -> Answer {
        Ok(RUNS.load(SeqCst))
    }
    #[rate_limited(op = "search", key = asked(), enabled = true)]
    fn on() -> Answer {
        Ok(0)
    }
    off().unwrap();
    assert_eq!(ASKED.load(SeqCst), 0);
    on().unwrap();
    assert_eq!(ASKED.load(SeqCst), 1);
}
