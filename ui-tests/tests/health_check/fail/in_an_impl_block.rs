use hardening::health_check;

struct Database;

impl Database {
    const UP: bool = true;

    #[health_check]
    async fn ping() -> bool {
        if !Self::UP {
            return false;
        }
        true
    }
}

fn main() {
    drop(Database::ping());
}
