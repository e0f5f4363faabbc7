use hardening::{cached, circuit_breaker, retryable, timeout};
use ui_tests::AppError;

#[cached]
#[timeout("5s")]
#[retryable]
#[circuit_breaker]
async fn asynchronous(id: u64) -> Result<u64, AppError> {
    let text: String = id;
    Ok(text.len())
}

#[retryable]
fn blocking(id: u64) -> Result<u64, AppError> {
    Ok("one")
}

fn main() {
    drop(asynchronous(1));
    let _ = blocking(1);
}
