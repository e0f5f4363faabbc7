use hardening::health_check;
use ui_tests::AppError;

#[health_check(name = "database")]
async fn ping(url: &str, port: u16) -> Result<(), AppError> {
    let _ = (url, port);
    Ok(())
}

fn main() {
    drop(ping("localhost", 1));
}
