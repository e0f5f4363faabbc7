//! What is written is not refused, nor doubted by the compiler, for what it inherits from a weaker place.
#![deny(warnings)]
use hardening::{cached, circuit_breaker, retryable, timeout};

#[retryable(base_delay = 10)]
fn a_delay_above_the_longest() -> std::io::Result<()> {
    Ok(())
}

#[retryable(max_delay = "100ms")]
fn a_longest_delay_below_the_first() -> std::io::Result<()> {
    Ok(())
}

#[timeout(attempt = "30s")]
async fn an_attempt_above_the_call() -> std::io::Result<()> {
    Ok(())
}

#[circuit_breaker(open_for = 3600)]
fn longer_open_than_the_longest() -> std::io::Result<()> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5, window_calls = 4)]
fn a_window_below_the_minimum() -> std::io::Result<()> {
    Ok(())
}

#[cached(key = (), ttl = 1)]
fn a_short_time_to_live() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {
    let _ = (an_attempt_above_the_call(), a_short_time_to_live());
    a_delay_above_the_longest().unwrap();
    a_longest_delay_below_the_first().unwrap();
    longer_open_than_the_longest().unwrap();
    a_window_below_the_minimum().unwrap();
}
