use hardening::rate_limited;

#[rate_limited(op = "search")]
async fn ask() -> Option<u32> {
    Some(1)
}

fn main() {
    drop(ask());
}
