use hardening::retryable;
use ui_tests::AppError;

#[retryable(max_attempts = 5, max_attempts = 3)]
fn ask() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = ask();
}
