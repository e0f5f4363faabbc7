use hardening::{rate_limited, retryable};
use ui_tests::AppError;

#[retryable(budget(0.2, 3))]
fn a_mapping_without_keys() -> Result<u32, AppError> {
    Ok(1)
}

#[rate_limited(limits(5, 60))]
fn a_list_without_keys() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (a_mapping_without_keys(), a_list_without_keys());
}
