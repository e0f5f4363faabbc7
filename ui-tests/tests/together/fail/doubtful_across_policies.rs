//! What is doubtful is a warning of the compiler, here denied so that it can be seen.
#![deny(deprecated)]
use hardening::{circuit_breaker, retryable, timeout};

#[timeout(call = "10s", attempt = "2s")]
#[retryable(policy = "expensive")]
async fn a_call_too_short() -> std::io::Result<()> {
    Ok(())
}

#[retryable]
#[circuit_breaker(failure_threshold = 1)]
fn an_open_circuit() -> std::io::Result<()> {
    Ok(())
}

struct Orders;

#[retryable(max_attempts = 9)]
impl Orders {
    #[timeout(policy = "brief")]
    async fn place(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = (a_call_too_short(), an_open_circuit(), Orders.place());
}
