use hardening::Classify;

#[derive(Classify)]
enum ShopError {
    #[transient(after = 0)]
    Bytes(Vec<u8>),
    #[transient(after = delay)]
    Number { delay: u64 },
    #[transient(after = 0)]
    PerhapsANumber(Option<u64>),
    #[transient(after = 0)]
    Fine(std::time::Duration),
    #[transient(after = 1)]
    FineToo(u32, Option<std::time::Duration>),
    #[transient(after = 0)]
    AsWell(String),
}

fn main() {
    let _ = ShopError::Bytes(Vec::new()).classify();
    let _ = (ShopError::Number { delay: 1 }, ShopError::PerhapsANumber(None));
    let _ = (ShopError::Fine, ShopError::FineToo, ShopError::AsWell);
}
