use hardening::{cached, retryable, timeout};
use ui_tests::AppError;

struct Client {
    base: u32,
}

impl Client {
    #[timeout("5s")]
    #[retryable]
    async fn ask(&self, id: u64) -> Result<u64, AppError> {
        let base = self.base;
        self.
    }

    #[cached]
    fn tell(&self, id: u64) -> Result<u64, AppError> {
        Ok(id + u64::from(self.base))
    }
}

async fn caller(client: &Client) -> Result<u64, AppError> {
    let asked: u64 = client.ask(1).await?;
    Ok(asked + client.tell(2)?)
}

fn main() {
    drop(caller(&Client { base: 1 }));
}
