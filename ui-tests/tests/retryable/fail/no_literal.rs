use hardening::retryable;
use std::time::Duration;
use ui_tests::AppError;

const ATTEMPTS: u32 = 5;

#[retryable(max_attempts = ATTEMPTS)]
fn a_constant() -> Result<u32, AppError> {
    Ok(ATTEMPTS)
}

#[retryable(base_delay = Duration::from_millis(5))]
fn a_call() -> Result<u32, AppError> {
    Ok(u32::from(Duration::ZERO.is_zero()))
}

#[retryable(max_attempts = 5u32)]
fn a_suffix() -> Result<u32, AppError> {
    Ok(1)
}

const POLICY: &str = "expensive";

#[retryable(policy = POLICY)]
fn a_constant_policy() -> Result<usize, AppError> {
    Ok(POLICY.len())
}

fn main() {
    let _ = (a_constant(), a_call(), a_suffix(), a_constant_policy());
}
