use hardening::timeout;
use std::time::Duration;
use ui_tests::AppError;

const LIMIT: Duration = Duration::from_secs(5);

#[timeout(LIMIT)]
async fn a_constant() -> Result<Duration, AppError> {
    Ok(LIMIT)
}

#[timeout("15 minuts")]
async fn misspelled() -> Result<u32, AppError> {
    Ok(1)
}

#[timeout(0)]
async fn zero() -> Result<u32, AppError> {
    Ok(1)
}

#[timeout(-5)]
async fn negative() -> Result<u32, AppError> {
    Ok(1)
}

#[timeout(true)]
async fn no_number() -> Result<u32, AppError> {
    Ok(1)
}

#[timeout("5s", call = "3s")]
async fn two_times() -> Result<u32, AppError> {
    Ok(1)
}

#[timeout("5s", "3s")]
async fn two_times_without_names() -> Result<u32, AppError> {
    Ok(1)
}

#[timeout(call = "1s", attempt = "5s")]
async fn attempt_above_call() -> Result<u32, AppError> {
    Ok(1)
}

#[timeout(atempt = "5s")]
async fn unknown_argument() -> Result<u32, AppError> {
    Ok(1)
}

#[timeout(policy = "slow")]
async fn unknown_policy() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    drop((a_constant(), misspelled(), zero(), negative(), no_number()));
    drop((two_times(), two_times_without_names(), attempt_above_call(), unknown_argument(), unknown_policy()));
}
