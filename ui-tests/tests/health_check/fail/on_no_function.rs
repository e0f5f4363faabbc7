use hardening::health_check;

#[health_check]
pub struct Database;

struct Client;

#[health_check]
impl Client {
    fn ping() -> bool {
        true
    }
}

fn main() {
    let _ = (Database, Client::ping());
}
