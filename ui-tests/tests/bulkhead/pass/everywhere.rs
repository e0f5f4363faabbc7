#![deny(warnings)]
#![forbid(unsafe_code)]

use hardening::{Priority, bulkhead};
use ui_tests::AppError;

#[bulkhead]
fn blocking() -> Result<u32, AppError> {
    Ok(1)
}

#[bulkhead(name = "ai", priority = if urgent { Priority::Urgent } else { Priority::Low })]
async fn asynchronous(urgent: bool) -> Result<bool, AppError> {
    Ok(urgent)
}

struct Client;

impl Client {
    #[bulkhead(max_concurrent = 2, max_queue = 5, max_wait = "1s", per = "call")]
    async fn ask(&mut self) -> Result<u32, AppError> {
        Ok(2)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(blocking().ok(), Some(1));
    assert_eq!(asynchronous(true).await.ok(), Some(true));
    assert_eq!(Client.ask().await.ok(), Some(2));
}
