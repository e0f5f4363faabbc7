use hardening::Classify;

#[derive(Classify)]
enum ShopError {
    #[classify(forward)]
    Two(std::io::Error, u32),
    #[classify(forward)]
    None,
}

fn main() {
    let _ = ShopError::None.classify();
    let _ = ShopError::Two(std::io::Error::last_os_error(), 1);
}
