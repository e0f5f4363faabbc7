use hardening::circuit_breaker;
use ui_tests::AppError;

#[circuit_breaker(policy = "upstraem")]
fn ask() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = ask();
}
