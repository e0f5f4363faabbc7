use hardening::{Rejected, circuit_breaker, retryable};

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

// The circuit breaker asks the error too; it is said once.
#[retryable(policy = "expensive")]
#[circuit_breaker]
async fn asynchronous() -> Result<u32, ShopError> {
    let answer: Result<u32, ShopError> = blocking();
    answer
}

fn main() {
    drop(asynchronous());
}
