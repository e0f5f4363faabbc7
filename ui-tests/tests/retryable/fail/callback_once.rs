use hardening::retryable;
use ui_tests::AppError;

#[retryable]
async fn told(done: impl FnOnce(u32) + Send) -> Result<u32, AppError> {
    done(1);
    Ok(1)
}

#[retryable]
fn made<T, F>(id: u32, make: F) -> Result<T, AppError>
where
    F: FnOnce(u32) -> Result<T, AppError>,
{
    make(id)
}

fn main() {
    drop(told(|_| {}));
    let _ = made(1, |_| Ok(()));
}
