use hardening::{circuit_breaker, retryable, timeout};
use ui_tests::AppError;

struct Client;

#[retryable]
impl Client {
    #[timeout("5 minuts")]
    async fn ask(&self, id: u64) -> Result<u64, AppError> {
        Ok(id)
    }

    #[circuit_breaker(policy = )]
    async fn tell(&self, id: u64) -> Result<u64, AppError> {
        Ok(id)
    }

    fn list(&self) -> Result<Vec<u64>, AppError> {
        Ok(vec![1])
    }
}

async fn caller() -> Result<u64, AppError> {
    let asked: u64 = Client.ask(1).await? + Client.tell(2).await?;
    Ok(asked + Client.list()?[0])
}

fn main() {
    drop(caller());
}
