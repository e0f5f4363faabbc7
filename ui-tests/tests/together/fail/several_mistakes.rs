use hardening::{bulkhead, cached, retryable, timeout};
use ui_tests::AppError;

#[cached(tll = 60)]
#[timeout("15 minuts")]
#[retryable(policy = "expensiv", max_attempts = 0)]
#[bulkhead(max_concurrent = 0, max_queue = "many")]
async fn ask(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[retryable(policy = "quik")]
fn tell(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

async fn caller() -> Result<u64, AppError> {
    let asked: u64 = ask(1).await?;
    Ok(asked + tell(2)?)
}

fn main() {
    drop(caller());
}
