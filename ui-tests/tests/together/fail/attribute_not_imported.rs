use hardening::retryable;
use ui_tests::AppError;

#[retryable]
#[cached(ttl = 60)]
async fn ask(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

struct Client;

#[retryable]
#[circuit_breaker]
impl Client {
    fn ask(&self) -> Result<u64, AppError> {
        Ok(1)
    }
}

fn main() {
    drop(ask(1));
    let _ = Client.ask();
}
