use hardening::retryable;

#[retryable]
fn nothing() {}

#[retryable]
fn option() -> Option<u32> {
    Some(1)
}

#[retryable]
fn number() -> u32 {
    1
}

#[retryable]
async fn tuple() -> (u32, u32) {
    (1, 2)
}

#[retryable]
fn reference() -> &'static str {
    "1"
}

struct Client;

#[retryable]
impl Client {
    fn new() -> Self {
        Self
    }
}

fn main() {
    nothing();
    let _: Option<u32> = option();
    let _: u32 = number();
    let _ = (tuple(), reference(), Client::new());
}
