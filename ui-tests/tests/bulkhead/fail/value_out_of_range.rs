use hardening::bulkhead;
use ui_tests::AppError;

#[bulkhead(max_concurrent = 0)]
fn no_place() -> Result<u32, AppError> {
    Ok(1)
}

#[bulkhead(max_concurent = 5)]
fn misspelled() -> Result<u32, AppError> {
    Ok(1)
}

#[bulkhead(max_wait = "5 sec onds")]
fn no_duration() -> Result<u32, AppError> {
    Ok(1)
}

#[bulkhead(max_queue = 1.5)]
fn no_whole_number() -> Result<u32, AppError> {
    Ok(1)
}

#[bulkhead(5)]
fn without_a_name() -> Result<u32, AppError> {
    Ok(1)
}

#[bulkhead(policy = "ai")]
fn unknown_policy() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (no_place(), misspelled(), no_duration(), no_whole_number(), without_a_name(), unknown_policy());
}
