use hardening::bulkhead;
use ui_tests::AppError;

#[bulkhead(priority = "urgent")]
async fn text() -> Result<u32, AppError> {
    Ok(1)
}

#[bulkhead(priority(Urgent))]
fn parentheses() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    drop(text());
    let _ = parentheses();
}
