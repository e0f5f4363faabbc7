use hardening::cached;
use ui_tests::AppError;

#[cached(id)]
fn a_key(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[cached(60)]
fn a_time(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[cached("1h")]
fn a_time_with_a_unit(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

fn main() {
    let _ = (a_key(1), a_time(1), a_time_with_a_unit(1));
}
