use hardening::Classify;

#[derive(Debug, Classify)]
enum ShopError {
    #[transient]
    #[permanent]
    Busy,
}

fn main() {
    let _ = ShopError::Busy.classify();
}
