use hardening::retryable;
use ui_tests::AppError;

#[retryable(max_atempts = 5)]
fn near() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(op = "search")]
fn of_another_attribute() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (near(), of_another_attribute());
}
