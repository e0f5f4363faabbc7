use hardening::rate_limited;
use ui_tests::AppError;

#[rate_limited(op = "search", cost = "two")]
fn text() -> Result<u32, AppError> {
    Ok(1)
}

#[rate_limited(op = "search", cost = 0.5)]
fn fraction() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (text(), fraction());
}
