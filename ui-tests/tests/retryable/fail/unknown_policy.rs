use hardening::retryable;
use ui_tests::AppError;

#[retryable(policy = "expensiv")]
fn near() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(policy = "weather")]
fn far() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _: Result<u32, AppError> = near();
    let _: Result<u32, AppError> = far();
}
