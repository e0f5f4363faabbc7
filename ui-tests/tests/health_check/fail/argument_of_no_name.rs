use hardening::health_check;

#[health_check(DATABASE)]
fn a_path() -> bool {
    true
}

#[health_check(name("database"))]
fn parentheses() -> bool {
    true
}

#[health_check(groups("readiness"))]
fn a_list() -> bool {
    true
}

fn main() {
    let _ = (a_path(), parentheses(), a_list());
}
