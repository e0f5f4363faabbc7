use hardening::retryable;
use ui_tests::AppError;

#[retryable("expensive")]
fn a_policy() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(5)]
fn a_number() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(policy("expensive"))]
fn parentheses() -> Result<u32, AppError> {
    Ok(1)
}

#[hardening::timeout("5s")]
#[retryable = "expensive"]
async fn no_parentheses() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (a_policy(), a_number(), parentheses());
    drop(no_parentheses());
}
