use hardening::circuit_breaker;

#[circuit_breaker]
fn ask() -> Result<u32, String> {
    Err("down".to_owned())
}

fn main() {
    let _: Result<u32, String> = ask();
}
