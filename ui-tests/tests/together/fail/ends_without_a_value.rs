use hardening::{circuit_breaker, retryable};
use std::io;

#[circuit_breaker]
fn blocking() -> io::Result<u32> {
    Ok(1);
}

#[retryable]
async fn asynchronous(id: u32) -> io::Result<u32> {
    Ok(id);
}

fn main() {
    drop((blocking(), asynchronous(1)));
}
