use hardening::retryable;
use ui_tests::AppError;

trait Ask {
    #[retryable]
    fn ask(&self) -> Result<u32, AppError>;
}

struct Client;

impl Ask for Client {
    fn ask(&self) -> Result<u32, AppError> {
        Ok(1)
    }
}

fn main() {
    let _ = Client.ask();
}
