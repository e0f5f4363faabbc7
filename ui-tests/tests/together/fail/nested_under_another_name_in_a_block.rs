use hardening::{circuit_breaker as breaker, retryable};
use ui_tests::AppError;

struct Client;

#[retryable]
#[breaker(failure_threshold = 2)]
impl Client {
    fn ask(&self) -> Result<u32, AppError> {
        Ok(1)
    }

    fn tell(&self) -> Result<u32, AppError> {
        Ok(2)
    }
}

#[retryable]
impl Client {
    #[breaker]
    fn hear(&self) -> Result<u32, AppError> {
        Ok(3)
    }
}

// Another crate's attribute between the two has wrapped what the first one made.
#[retryable]
#[tokio::main(flavor = "current_thread")]
#[breaker]
async fn listen() -> Result<u32, AppError> {
    Ok(4)
}

fn main() {
    let _ = (Client.ask(), Client.tell(), Client.hear(), listen());
}
