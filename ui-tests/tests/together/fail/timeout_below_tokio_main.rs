use hardening::timeout;
use ui_tests::AppError;

#[tokio::main(flavor = "current_thread")]
#[timeout("5s")]
async fn main() -> Result<(), AppError> {
    Ok(())
}
