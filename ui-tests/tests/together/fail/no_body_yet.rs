use hardening::retryable;
use ui_tests::AppError;

struct Client;

impl Client {
    #[retryable]
    fn ask(&self, id: u64) -> Result<u64, AppError>;
}

fn main() {
    let _ = Client.ask(1);
}
