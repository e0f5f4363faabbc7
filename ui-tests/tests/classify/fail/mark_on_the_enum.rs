use hardening::Classify;

#[derive(Classify)]
#[transient]
enum ShopError {
    Busy,
}

fn main() {
    let _ = ShopError::Busy.classify();
}
