use hardening::retryable;
use ui_tests::AppError;

struct Client;

#[retryable]
impl Client {
    #[hardening(skipp)]
    fn new() -> Self {
        Self
    }

    fn ask(&self) -> Result<u32, AppError> {
        Ok(1)
    }
}

fn main() {
    let _ = Client::new().ask();
}
