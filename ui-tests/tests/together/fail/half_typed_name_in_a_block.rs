use hardening::retryable;
use ui_tests::AppError;

struct Client;

#[retryable]
impl Client {
    fn before(&self) -> Result<u64, AppError> {
        Ok(1)
    }

    pub as

    async fn after(&self) -> Result<u64, AppError> {
        Ok(2)
    }
}

async fn caller() -> Result<u64, AppError> {
    Ok(Client.before()? + Client.after().await?)
}

fn main() {
    drop(caller());
}
