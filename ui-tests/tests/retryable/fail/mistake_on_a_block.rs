use hardening::retryable;
use ui_tests::AppError;

struct Client;

#[retryable(policy = "expensiv")]
impl Client {
    fn ask(&self) -> Result<u32, AppError> {
        Ok(1)
    }

    fn tell(&self) -> Result<u32, AppError> {
        Ok(2)
    }
}

fn main() {
    let _ = (Client.ask(), Client.tell());
}
