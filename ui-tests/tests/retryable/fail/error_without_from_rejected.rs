use hardening::{Classify, retryable};

#[derive(Debug, Classify)]
enum ShopError {
    #[transient]
    Busy,
}

#[retryable]
fn blocking() -> Result<u32, ShopError> {
    Err(ShopError::Busy)
}

#[retryable]
async fn asynchronous() -> Result<u32, ShopError> {
    let answer: Result<u32, ShopError> = blocking();
    answer
}

fn main() {
    drop(asynchronous());
}
