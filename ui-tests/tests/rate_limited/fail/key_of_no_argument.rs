use hardening::rate_limited;
use ui_tests::AppError;

#[rate_limited(op = "search", key = user_id)]
fn ask(user: u64) -> Result<u64, AppError> {
    Ok(user)
}

fn main() {
    let _ = ask(1);
}
