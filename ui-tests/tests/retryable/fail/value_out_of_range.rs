use hardening::retryable;
use ui_tests::AppError;

#[retryable(max_attempts = 0)]
fn no_attempts() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(max_attempts = -3)]
fn negative() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(exponential_base = 0.5)]
fn shrinking() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(base_delay = "10s", max_delay = "1s")]
fn not_together() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (no_attempts(), negative(), shrinking(), not_together());
}
