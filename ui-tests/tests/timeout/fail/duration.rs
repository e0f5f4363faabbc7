use hardening::timeout;
use std::time::Duration;
use ui_tests::AppError;

#[timeout(Duration::from_secs(5))]
async fn the_call() -> Result<Duration, AppError> {
    Ok(Duration::ZERO)
}

#[timeout(call = std::time::Duration::from_secs(5), attempt = Duration::from_millis(500))]
async fn by_name() -> Result<u32, AppError> {
    Ok(1)
}

#[timeout(call = LIMIT)]
async fn a_constant() -> Result<Duration, AppError> {
    Ok(LIMIT)
}

const LIMIT: Duration = Duration::from_secs(5);

fn main() {
    drop((the_call(), by_name(), a_constant()));
}
