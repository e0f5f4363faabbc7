use hardening::health_check;
use ui_tests::AppError;

struct Database;

impl Database {
    #[health_check]
    async fn ping(&self) -> Result<(), AppError> {
        Ok(())
    }
}

fn main() {
    drop(Database.ping());
}
