use hardening::retryable;
use ui_tests::AppError;

#[retryable(max_attempts = )]
fn no_value() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(max_attempts: 5)]
fn colon() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(max_attempts 5)]
fn no_sign() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(max_attempts = 5 base_delay = 1)]
fn no_comma() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (no_value(), colon(), no_sign(), no_comma());
}
