use hardening::circuit_breaker;
use ui_tests::AppError;

#[circuit_breaker(5)]
fn a_number() -> Result<u32, AppError> {
    Ok(1)
}

#[circuit_breaker("upstream")]
fn a_text() -> Result<u32, AppError> {
    Ok(1)
}

#[circuit_breaker(upstream)]
fn a_path() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (a_number(), a_text(), a_path());
}
