#![deny(warnings)]
#![forbid(unsafe_code)]

use hardening::{health::HealthResult, health_check};
use ui_tests::AppError;

#[health_check]
fn simple() -> bool {
    true
}

#[health_check(name = "database", critical = true, interval = "20s", groups = ["readiness"])]
async fn database() -> Result<(), AppError> {
    Ok(())
}

#[health_check(name = "cache")]
async fn cache() -> Result<(), std::io::Error> {
    Ok(())
}

mod inner {
    #[hardening::health_check(name = "queue")]
    pub fn queue() -> super::HealthResult {
        super::HealthResult::healthy()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert!(simple() && database().await.is_ok() && cache().await.is_ok());
    assert_eq!(inner::queue(), HealthResult::healthy());
    assert!(hardening::health::registry().run_all().await.healthy);
}
