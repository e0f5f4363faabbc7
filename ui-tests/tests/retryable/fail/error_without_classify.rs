use hardening::{Rejected, retryable};

#[derive(Debug)]
enum ShopError {
    Busy,
}

impl From<Rejected> for ShopError {
    fn from(_: Rejected) -> Self {
        Self::Busy
    }
}

#[retryable]
fn blocking() -> Result<u32, ShopError> {
    Err(ShopError::Busy)
}

#[retryable(policy = "expensive")]
async fn asynchronous() -> Result<u32, ShopError> {
    let answer: Result<u32, ShopError> = blocking();
    answer
}

fn main() {
    drop(asynchronous());
}
