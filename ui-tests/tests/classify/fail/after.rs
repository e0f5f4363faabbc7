use hardening::Classify;

#[derive(Classify)]
enum ShopError {
    #[transient(after = wait)]
    NoSuchField { delay: std::time::Duration },
    #[transient(after = 1)]
    NoSuchPosition(std::time::Duration),
    #[transient(after = delay)]
    NoFields,
    #[transient(after = "5s")]
    NoField,
    #[transient(before = 0)]
    NoAfter(u32),
}

fn main() {
    let _ = ShopError::NoFields.classify();
    let _ = ShopError::NoSuchField { delay: std::time::Duration::ZERO };
    let _ = ShopError::NoSuchPosition(std::time::Duration::ZERO);
    let _ = (ShopError::NoField, ShopError::NoAfter(1));
}
