use hardening::fallback;
use ui_tests::AppError;

#[fallback(|_| 0)]
fn no_result() -> Result<u32, AppError> {
    Ok(1)
}

#[fallback(|error| Ok(format!("{error:?}")))]
async fn another_value() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _: Result<u32, AppError> = no_result();
    drop(another_value());
}
