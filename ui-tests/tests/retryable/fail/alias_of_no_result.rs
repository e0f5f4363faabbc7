use hardening::retryable;

type Answer = Option<u32>;

#[retryable]
fn blocking() -> Answer {
    Some(1)
}

#[retryable]
async fn asynchronous() -> Answer {
    Some(1)
}

fn main() {
    let _: Option<u32> = blocking();
    drop(asynchronous());
}
