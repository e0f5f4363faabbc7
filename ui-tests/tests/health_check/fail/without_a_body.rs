use hardening::health_check;

trait Service {
    #[health_check]
    fn ping() -> bool;
}

struct Database;

impl Service for Database {
    fn ping() -> bool {
        true
    }
}

fn main() {
    Database::ping();
}
