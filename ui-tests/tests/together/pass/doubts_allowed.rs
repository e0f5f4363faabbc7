//! What is doubtful and meant so is allowed at the function, by either attribute, or by a policy.
#![deny(warnings)]
use hardening::{circuit_breaker, retryable, timeout};

#[timeout(call = "10s", attempt = "2s", allow = ["retries_exceed_timeout"])]
#[retryable(policy = "expensive")]
async fn by_its_attribute() -> std::io::Result<()> {
    Ok(())
}

#[retryable(allow = ["circuit_outlasts_retries", "retries_exceed_timeout"])]
#[circuit_breaker(failure_threshold = 1)]
fn by_its_neighbour() -> std::io::Result<()> {
    Ok(())
}

#[retryable(max_attempts = 9)]
#[timeout(policy = "meant_so")]
async fn by_its_policy() -> std::io::Result<()> {
    Ok(())
}

/// With waits of mean length, the retries fit: it takes bad luck, which the start tells.
#[timeout("1s")]
#[retryable]
async fn ordinary() -> std::io::Result<()> {
    Ok(())
}

/// As any warning of the compiler.
#[allow(deprecated)]
#[retryable]
#[circuit_breaker(failure_threshold = 1)]
fn as_any_warning() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    let _ = (by_its_attribute(), by_its_policy(), ordinary());
    by_its_neighbour().and(as_any_warning()).unwrap();
}
