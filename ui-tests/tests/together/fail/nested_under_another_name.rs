use hardening::{circuit_breaker as breaker, retryable};
use ui_tests::AppError;

#[retryable]
#[breaker]
fn ask() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = ask();
}
