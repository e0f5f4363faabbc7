use hardening::retryable;
use ui_tests::AppError;

#[retryable]
fn blocking(body: String) -> Result<usize, AppError> {
    Ok(body.into_bytes().len())
}

#[retryable]
async fn asynchronous(body: String) -> Result<usize, AppError> {
    Ok(body.into_bytes().len())
}

fn main() {
    let _ = blocking(String::new());
    drop(asynchronous(String::new()));
}
