use hardening::Classify;

#[derive(Classify)]
enum ShopError {
    #[transient(after = 0)]
    Text(String),
    #[transient(after = delay)]
    Number { delay: u64 },
    #[transient(after = 0)]
    Fine(std::time::Duration),
    #[transient(after = 1)]
    FineToo(u32, Option<std::time::Duration>),
}

fn main() {
    let _ = ShopError::Text(String::new()).classify();
    let _ = (ShopError::Number { delay: 1 }, ShopError::Fine, ShopError::FineToo);
}
