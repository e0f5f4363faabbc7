use hardening::retryable;
use ui_tests::AppError;

struct Body(String);

#[retryable(clone(body))]
fn send(body: Body) -> Result<String, AppError> {
    Ok(body.0)
}

fn main() {
    let _ = send(Body(String::new()));
}
