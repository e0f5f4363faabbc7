use hardening::retryable;
use ui_tests::AppError;

#[retryable]
const fn ask() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = ask();
}
