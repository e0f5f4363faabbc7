use hardening::retryable;
use ui_tests::AppError;

struct Client;

impl Client {
    #[retryable(clone(reqest))]
    fn near(&self, request: String, user: u32) -> Result<String, AppError> {
        let _ = user;
        Ok(request)
    }

    #[retryable(clone(self))]
    fn itself(self) -> Result<Self, AppError> {
        Ok(self)
    }
}

#[retryable(clone(request))]
fn none() -> Result<u32, AppError> {
    Ok(1)
}

#[retryable(clone = request)]
fn no_list(request: String) -> Result<String, AppError> {
    Ok(request)
}

#[retryable(clone(request.body))]
fn no_name(request: (u32, u32)) -> Result<u32, AppError> {
    Ok(request.0)
}

fn main() {
    let _ = (Client.near(String::new(), 1), Client.itself(), none());
    let _ = (no_list(String::new()), no_name((1, 2)));
}
