use hardening::rate_limited;
use ui_tests::AppError;

#[rate_limited]
fn nothing() -> Result<u32, AppError> {
    Ok(1)
}

#[rate_limited("search")]
fn without_its_name() -> Result<u32, AppError> {
    Ok(1)
}

#[rate_limited(policy = "search")]
fn by_another_name() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (nothing(), without_its_name(), by_another_name());
}
