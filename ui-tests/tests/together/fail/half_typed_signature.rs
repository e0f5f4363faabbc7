use hardening::{retryable, timeout};
use ui_tests::AppError;

#[timeout("5s")]
#[retryable]
async fn no_return_type(id: u64) -> {
    Ok(id)
}

#[retryable]
fn no_error_type(id: u64) -> Result<u64,> {
    Ok(id)
}

fn main() {
    let _: Option<AppError> = None;
}
