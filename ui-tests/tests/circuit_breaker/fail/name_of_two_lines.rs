use hardening::{Rejected, circuit_breaker};

#[circuit_breaker(name = "payments\nand more")]
async fn pay() -> Result<u32, Rejected> {
    Ok(1)
}

fn main() {}
