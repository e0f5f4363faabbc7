//! A body may begin with attributes: they are the function's.
#![deny(warnings)]
use hardening::retryable;
use ui_tests::AppError;

#[retryable]
fn blocking() -> Result<u32, AppError> {
    #![allow(unused_variables)]
    //! What it does.
    let unused = 1;
    Ok(1)
}

#[retryable]
async fn asynchronous() -> Result<u32, AppError> {
    #![allow(unused_variables)]
    let unused = 1;
    Ok(1)
}

fn main() {
    assert_eq!(blocking().unwrap(), 1);
    drop(asynchronous());
}
