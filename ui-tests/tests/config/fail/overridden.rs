//! What is in force where the file may override a function is known at start: it is not judged here.
use hardening::{retryable, timeout};

#[timeout("2s")]
#[retryable(base_delay = 2, jitter = false)]
async fn place() -> std::io::Result<()> {
    Ok(())
}

#[timeout("2s")]
#[retryable(base_delay = 2, jitter = false)]
async fn list() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
