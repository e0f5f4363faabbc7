use hardening::{rate_limited, retryable};
use ui_tests::AppError;

#[retryable(policy = "expensive")]
#[rate_limited(op = "search")]
fn ask() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(policy = "none such")]
fn not_checked_against_a_broken_file() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _: Result<u32, AppError> = ask();
    let _: Result<u32, AppError> = not_checked_against_a_broken_file();
}
