use hardening::{cached, retryable};
use ui_tests::AppError;

#[retryable(crate = "framework::hardening")]
#[cached]
async fn ask(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

fn main() {
    drop(ask(1));
}
