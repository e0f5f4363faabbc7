use hardening::timeout;
use ui_tests::AppError;

#[timeout("15s")]
fn ask() -> Result<u32, AppError> {
    Ok(1)
}

struct Client;

#[timeout("15s")]
impl Client {
    fn blocking(&self) -> Result<u32, AppError> {
        Ok(1)
    }

    async fn asynchronous(&self) -> Result<u32, AppError> {
        Ok(1)
    }
}

fn main() {
    let _ = (ask(), Client.blocking());
    drop(Client.asynchronous());
}
