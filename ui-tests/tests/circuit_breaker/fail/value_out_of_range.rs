use hardening::circuit_breaker;
use ui_tests::AppError;

#[circuit_breaker(failure_threshold = 0)]
fn never_closed() -> Result<u32, AppError> {
    Ok(1)
}

#[circuit_breaker(failure_rate = 1.5)]
fn above_one() -> Result<u32, AppError> {
    Ok(1)
}

#[circuit_breaker(open_for = "ten")]
fn no_duration() -> Result<u32, AppError> {
    Ok(1)
}

#[circuit_breaker(per = "retry")]
fn per_neither() -> Result<u32, AppError> {
    Ok(1)
}

#[circuit_breaker(name = 5)]
fn no_name() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (never_closed(), above_one(), no_duration(), per_neither(), no_name());
}
