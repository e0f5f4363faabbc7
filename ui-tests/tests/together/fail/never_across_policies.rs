//! Policies that are each sound, and can never work together.
use hardening::{circuit_breaker, rate_limited, retryable, timeout};

#[timeout("2s")]
#[retryable(base_delay = 2, jitter = false)]
async fn no_time_for_a_retry() -> std::io::Result<()> {
    Ok(())
}

#[rate_limited(capacity = 2, window_seconds = 60, scope = "global")]
#[circuit_breaker(failure_rate = 0.5)]
fn no_calls_for_a_rate() -> std::io::Result<()> {
    Ok(())
}

// All of it is in the file: at the attribute that is the first to blame.
#[timeout(policy = "hasty")]
#[retryable(policy = "patient")]
async fn all_in_the_file() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
