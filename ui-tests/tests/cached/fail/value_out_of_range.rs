use hardening::cached;
use ui_tests::AppError;

#[cached(ttl = 0)]
fn no_time(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[cached(ttl = "an hour")]
fn no_duration(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[cached(max_entries = 0)]
fn no_place(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[cached(ttl = 60, ttl_jitter = 120)]
fn too_much_jitter(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[cached(tll = 60)]
fn misspelled(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[cached(policy = "long")]
fn unknown_policy(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

fn main() {
    let _ = (no_time(1), no_duration(1), no_place(1), too_much_jitter(1), misspelled(1), unknown_policy(1));
}
