use hardening::retryable;
use ui_tests::AppError;

#[retryable(max_attempts = "five")]
fn text_for_a_number() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(base_delay = "soon")]
fn no_duration() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(base_delay = "5 parsecs")]
fn no_unit_of_time() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(jitter = "ful")]
fn no_jitter() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(budget(ratio = 0.2, min_per_sec = 3))]
fn inside_a_mapping() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (text_for_a_number(), no_duration(), no_unit_of_time(), no_jitter(), inside_a_mapping());
}
