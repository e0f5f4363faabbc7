#![deny(warnings)]
#![forbid(unsafe_code)]

use hardening::fallback;
use ui_tests::AppError;

async fn local(id: u64) -> u64 {
    id
}

#[fallback(|_| Ok(id))]
fn blocking(id: u64) -> Result<u64, AppError> {
    Err(AppError)
}

#[fallback(|error: AppError| match error {
    AppError => Ok(local(id).await),
})]
async fn asynchronous(id: u64) -> Result<u64, AppError> {
    let failed: Result<u64, AppError> = Err(AppError);
    failed
}

struct Client(u64);

impl Client {
    #[fallback(|error| if self.0 == 0 { Err(error) } else { Ok(self.0) })]
    fn ask(&self) -> Result<u64, AppError> {
        Err(AppError)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(blocking(1).ok(), Some(1));
    assert_eq!(asynchronous(2).await.ok(), Some(2));
    assert_eq!((Client(0).ask().ok(), Client(3).ask().ok()), (None, Some(3)));
}
