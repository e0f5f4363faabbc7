use hardening::{bulkhead, cached, circuit_breaker, rate_limited, retryable, timeout};
use ui_tests::AppError;

#[retryable(pol)]
async fn a_name(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[retryable(policy =)]
async fn no_value(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[timeout("5s", )]
#[rate_limited(op = "search", key = )]
async fn no_key(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[cached(key = id.)]
async fn unfinished_code(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[circuit_breaker(, policy = "upstream")]
async fn a_comma_first(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[bulkhead(max_concurrent = 5 max_queue = 3)]
async fn no_comma(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[timeout]
async fn nothing_said(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

#[timeout()]
async fn empty(id: u64) -> Result<u64, AppError> {
    Ok(id)
}

async fn caller() -> Result<u64, AppError> {
    let asked: u64 = a_name(1).await? + no_value(1).await? + no_key(1).await?;
    let more: u64 = unfinished_code(1).await? + a_comma_first(1).await? + no_comma(1).await?;
    Ok(asked + more + nothing_said(1).await? + empty(1).await?)
}

fn main() {
    drop(caller());
}
