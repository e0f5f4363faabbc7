use hardening::fallback;
use ui_tests::AppError;

fn instead(_: AppError) -> Result<u32, AppError> {
    Ok(0)
}

#[fallback]
fn nothing() -> Result<u32, AppError> {
    Ok(1)
}

#[fallback(instead)]
fn a_path() -> Result<u32, AppError> {
    instead(AppError)
}

#[fallback(Ok(0))]
fn a_value() -> Result<u32, AppError> {
    Ok(1)
}

#[fallback(value = 0)]
fn an_argument() -> Result<u32, AppError> {
    Ok(1)
}

#[fallback(|error, id| Ok(id))]
fn two_arguments(id: u32) -> Result<u32, AppError> {
    Ok(id)
}

#[fallback(|_| Ok(1), |_| Ok(2))]
fn two_closures() -> Result<u32, AppError> {
    Ok(1)
}

fn main() {
    let _ = (nothing(), a_path(), a_value(), an_argument(), two_arguments(1), two_closures());
}
