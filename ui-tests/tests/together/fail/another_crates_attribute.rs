use hardening::retryable;
use tokio::main as timeout;
use ui_tests::AppError;

#[retryable]
#[timeout(flavor = "current_thread")]
async fn ask() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = ask();
}
