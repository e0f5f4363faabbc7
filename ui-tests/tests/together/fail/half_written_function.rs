use hardening::retryable;
use ui_tests::AppError;

#[retryable]
fn ask(id: ) -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = ask();
}
