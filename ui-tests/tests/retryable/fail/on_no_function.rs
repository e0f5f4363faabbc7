use hardening::{retryable, timeout};

#[retryable]
pub struct Client;

#[timeout("5s")]
#[retryable]
enum Answer {
    Yes,
}

#[retryable(max_attempts = 5)]
trait Ask {
    fn ask(&self);
}

#[retryable]
mod inner {}

#[retryable]
const ATTEMPTS: u32 = 3;

fn main() {
    let _ = (Client, Answer::Yes, ATTEMPTS);
}
