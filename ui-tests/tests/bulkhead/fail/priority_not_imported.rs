use hardening::bulkhead;
use ui_tests::AppError;

#[bulkhead(priority = Priority::Urgent)]
async fn ask() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    drop(ask());
}
