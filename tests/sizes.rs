//! How large the futures of wrapped functions are, beside what one would write by hand. Large bodies
//! stand in them once.
use hardening::{
    Rejected, bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout,
};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout as within, timeout_at},
};

/// A body whose future holds `N` bytes across its await.
async fn body<const N: usize>(id: u64) -> Result<u64, Rejected> {
    let held = [0_u8; N];
    tokio::task::yield_now().await;
    Ok(id + held.len() as u64)
}

#[rate_limited(op = "search", key = id)]
#[bulkhead]
#[timeout(call = "10s", attempt = "1s")]
#[retryable]
#[circuit_breaker]
async fn five<const N: usize>(id: u64) -> Result<u64, Rejected> {
    body::<N>(id).await
}

#[fallback(|error| Err(error))]
#[cached]
#[rate_limited(op = "search", key = id, per = "attempt")]
#[bulkhead]
#[timeout(call = "10s", attempt = "1s")]
#[retryable]
#[circuit_breaker]
async fn all<const N: usize>(id: u64) -> Result<u64, Rejected> {
    body::<N>(id).await
}

macro_rules! one {
    ($name:ident: $($attribute:tt)*) => {
        $($attribute)*
        async fn $name<const N: usize>(id: u64) -> Result<u64, Rejected> {
            body::<N>(id).await
        }
    };
}
one!(retried: #[retryable]);
one!(limited: #[rate_limited(op = "search")]);
one!(placed: #[bulkhead]);
one!(timed: #[timeout(call = "10s", attempt = "1s")]);
one!(broken: #[circuit_breaker]);
one!(remembered: #[cached]);

static PLACES: Semaphore = Semaphore::const_new(10);
static FAILURES: AtomicU32 = AtomicU32::new(0);
static TOKENS: Mutex<f64> = Mutex::new(30.0);

/// The same five layers with tokio's parts, by hand: a token, a deadline of the call, attempts with
/// a backoff, a count of failures, a place, a deadline of the attempt.
async fn by_hand<const N: usize>(id: u64) -> Result<u64, Rejected> {
    fn token() -> bool {
        let mut tokens = TOKENS.lock().unwrap();
        *tokens -= 1.0;
        *tokens >= 0.0
    }
    fn late() -> Rejected {
        Rejected::TimedOut {
            name: "by_hand",
            after: Duration::ZERO,
        }
    }
    if !token() {
        return Err(Rejected::BulkheadFull { name: "by_hand" });
    }
    let until = Instant::now() + Duration::from_secs(10);
    let mut delay = Duration::from_millis(500);
    for _ in 0..3 {
        if FAILURES.load(Relaxed) >= 5 {
            break;
        }
        let Ok(place) = timeout_at(until, PLACES.acquire()).await else {
            return Err(late());
        };
        let outcome = within(Duration::from_secs(1), body::<N>(id)).await;
        drop(place);
        match outcome {
            Ok(Ok(value)) => {
                FAILURES.store(0, Relaxed);
                return Ok(value);
            }
            Ok(Err(_)) | Err(_) => FAILURES.fetch_add(1, Relaxed),
        };
        sleep(delay).await;
        delay *= 2;
    }
    Err(late())
}

const SMALL: usize = 16;
const LARGE: usize = 16 * 1024;

/// `cargo test --test sizes -- --nocapture` shows the table.
#[test]
fn the_future_of_five_layers_is_at_most_twice_the_one_written_by_hand() {
    let hand = size_of_val(&by_hand::<SMALL>(1));
    let sizes = [
        ("the body alone", size_of_val(&body::<SMALL>(1))),
        ("five layers by hand", hand),
        ("five layers", size_of_val(&five::<SMALL>(1))),
        ("seven layers", size_of_val(&all::<SMALL>(1))),
        ("retryable", size_of_val(&retried::<SMALL>(1))),
        ("rate_limited", size_of_val(&limited::<SMALL>(1))),
        ("bulkhead", size_of_val(&placed::<SMALL>(1))),
        ("timeout", size_of_val(&timed::<SMALL>(1))),
        ("circuit_breaker", size_of_val(&broken::<SMALL>(1))),
        ("cached", size_of_val(&remembered::<SMALL>(1))),
    ];
    for (what, size) in sizes {
        println!("{what:>20}: {size:>4} bytes");
    }
    let five = size_of_val(&five::<SMALL>(1));
    assert!(five <= 2 * hand, "{five} bytes, by hand {hand}");
}

#[test]
fn a_large_body_stands_once_in_the_future_whatever_is_around_it() {
    for (small, large) in [
        (
            size_of_val(&five::<SMALL>(1)),
            size_of_val(&five::<LARGE>(1)),
        ),
        (size_of_val(&all::<SMALL>(1)), size_of_val(&all::<LARGE>(1))),
        (
            size_of_val(&remembered::<SMALL>(1)),
            size_of_val(&remembered::<LARGE>(1)),
        ),
    ] {
        assert!(large - small <= LARGE, "{small} became {large}");
    }
}
