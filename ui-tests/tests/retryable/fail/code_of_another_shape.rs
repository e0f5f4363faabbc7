use hardening::retryable;
use ui_tests::AppError;

#[retryable(retry_if = true)]
fn no_code() -> Result<u32, AppError> {
    Ok(1)
}

fn two(_: &AppError, _: u32) -> bool {
    true
}

#[retryable(retry_if = two)]
fn two_arguments() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(retry_if = |_| 5)]
fn no_bool() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(on_retry = || println!("again"))]
fn no_event() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(retry_if(busy))]
fn parentheses() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (no_code(), two_arguments(), no_bool(), no_event(), parentheses());
}
