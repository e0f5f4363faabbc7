use hardening::rate_limited;
use ui_tests::AppError;

#[rate_limited(op = "serch", key = user)]
fn near(user: u64) -> Result<u64, AppError> {
    Ok(user)
}

#[rate_limited(op = "weather")]
fn far() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (near(1), far());
}
