use hardening::retryable;
use ui_tests::AppError;

struct Client;

#[retryable]
impl Client {
    const LIMIT: u64 = 3;

    fn before(&self) -> Result<u64, AppError> {
        Ok(Self::LIMIT)
    }

    fn half(&self, id: ) -> Result<u64, AppError> {
        Ok(id)
    }

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
