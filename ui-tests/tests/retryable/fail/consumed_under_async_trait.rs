use async_trait::async_trait;
use hardening::retryable;
use ui_tests::AppError;

#[async_trait]
trait Client {
    async fn send(&self, body: String) -> Result<usize, AppError>;
    async fn read(&self, body: String) -> Result<usize, AppError>;
    async fn close(self) -> Result<usize, AppError>;
}

struct Http;

async fn put(_: String) -> Result<usize, AppError> {
    Ok(0)
}

#[async_trait]
impl Client for Http {
    #[retryable]
    async fn send(&self, body: String) -> Result<usize, AppError> {
        put(body).await
    }

    // Borrows, and is not refused.
    #[retryable]
    async fn read(&self, body: String) -> Result<usize, AppError> {
        Ok(body.len())
    }

    #[retryable]
    async fn close(self) -> Result<usize, AppError> {
        drop(self);
        Ok(0)
    }
}

fn main() {
    drop(Http.send(String::new()));
}
