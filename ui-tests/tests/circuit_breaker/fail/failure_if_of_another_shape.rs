use hardening::circuit_breaker;
use ui_tests::AppError;

#[circuit_breaker(failure_if = |error: &AppError| true)]
fn of_the_error() -> Result<u32, AppError> {
    Ok(1)
}

#[circuit_breaker(failure_if = "never")]
fn no_code() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (of_the_error(), no_code());
}
