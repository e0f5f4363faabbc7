use hardening::health_check;

#[health_check]
async fn nothing() {}

#[health_check]
fn number() -> u32 {
    1
}

#[health_check]
async fn option() -> Option<u32> {
    None
}

struct Opaque;

#[health_check]
fn unreadable() -> Result<(), Opaque> {
    Err(Opaque)
}

fn main() {
    drop((nothing(), option()));
    let _ = (number(), unreadable());
}
