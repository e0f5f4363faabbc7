use hardening::circuit_breaker;
use ui_tests::AppError;

#[circuit_breaker]
fn ask(id: u64) -> Result<u64, AppError> {
    let next = id +
}

fn caller() -> Result<u64, AppError> {
    let asked: u64 = ask(1)?;
    Ok(asked)
}

fn main() {
    let _ = caller();
}
