use hardening::health_check;

#[health_check]
#[health_check(name = "database")]
fn ping() -> bool {
    true
}

fn main() {
    ping();
}
