use hardening::rate_limited;
use ui_tests::AppError;

#[rate_limited(op = "search", capacity = 0)]
fn no_capacity() -> Result<u32, AppError> {
    Ok(1)
}

#[rate_limited(op = "search", window_seconds = -1)]
fn backwards() -> Result<u32, AppError> {
    Ok(1)
}

#[rate_limited(op = "search", limits = [(capacity = 5, window = 1)])]
fn no_window() -> Result<u32, AppError> {
    Ok(1)
}

#[rate_limited(op = "search", per = "minute")]
fn per_neither() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (no_capacity(), backwards(), no_window(), per_neither());
}
