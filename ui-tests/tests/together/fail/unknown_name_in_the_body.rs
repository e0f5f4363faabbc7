use hardening::{cached, retryable, timeout};
use ui_tests::AppError;

#[cached]
#[timeout("5s")]
#[retryable]
async fn ask(id: u64) -> Result<u64, AppError> {
    fetch(id).await
}

#[cached]
#[retryable]
fn tell(id: u64) -> Result<u64, AppError> {
    let text = id.to_strin();
    Ok(text.len() as u64)
}

async fn caller() -> Result<u64, AppError> {
    Ok(ask(1).await? + tell(2)?)
}

fn main() {
    drop(caller());
}
