use hardening::circuit_breaker;
use ui_tests::AppError;

#[circuit_breaker(treshold = 5)]
fn near() -> Result<u32, AppError> {
    Ok(1)
}

#[circuit_breaker(key = 5)]
fn of_another_attribute() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (near(), of_another_attribute());
}
