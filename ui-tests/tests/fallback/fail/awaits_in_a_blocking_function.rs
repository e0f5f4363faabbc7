use hardening::fallback;
use ui_tests::AppError;

async fn local() -> u32 {
    0
}

#[fallback(|_| Ok(local().await))]
fn ask() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = ask();
}
