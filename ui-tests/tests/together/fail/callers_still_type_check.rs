use hardening::{rate_limited, timeout};
use ui_tests::AppError;

struct Client {
    base: u32,
}

impl Client {
    #[timeout(policy = "none such")]
    #[rate_limited(op = "none such", key = id)]
    async fn ask<'a>(&'a mut self, id: &'a str) -> Result<&'a str, AppError> {
        self.base += 1;
        Ok(id)
    }
}

async fn caller(client: &mut Client) -> Result<usize, AppError> {
    Ok(client.ask("one").await?.len())
}

fn main() {
    let text: u32 = "the caller's own mistake";
    drop(caller(&mut Client { base: text }));
}
