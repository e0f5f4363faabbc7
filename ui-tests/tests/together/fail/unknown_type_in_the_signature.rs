use hardening::{cached, retryable};
use ui_tests::AppError;

#[cached]
#[retryable]
async fn ask(id: Identifier) -> Result<u64, AppError> {
    Ok(id.0)
}

#[retryable]
fn tell(id: u64) -> Result<Answer, AppError> {
    answer(id)
}

fn main() {
    drop(ask(1));
    let _ = tell(1);
}
