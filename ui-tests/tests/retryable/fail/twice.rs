use hardening::retryable;
use ui_tests::AppError;

#[retryable]
#[retryable(max_attempts = 5)]
fn on_a_function() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable]
#[hardening::retryable]
fn by_its_path() -> Result<u32, AppError> {
    Ok(1)
}

struct Client;

#[retryable]
#[retryable(max_attempts = 5)]
impl Client {
    fn ask(&self) -> Result<u32, AppError> {
        Ok(1)
    }
    fn tell(&self) -> Result<u32, AppError> {
        Ok(1)
    }
}

fn main() {
    let _ = (on_a_function(), by_its_path(), Client.ask(), Client.tell());
}
