use hardening::Classify;

#[derive(Debug, Classify)]
enum ShopError {
    #[transient]
    Busy,
    Gone,
    Broken(String),
}

#[derive(Debug, Classify)]
struct Whole(u32);

fn main() {
    let _ = ShopError::Busy.classify();
    let _ = (ShopError::Gone, ShopError::Broken(String::new()), Whole(1).classify());
}
