use hardening::{Classify, Rejected};

#[derive(Debug)]
struct Opaque;

#[derive(Debug, Classify)]
enum ShopError {
    #[classify(forward)]
    Opaque(Opaque),
    #[classify(forward)]
    Fine(Rejected),
}

fn main() {
    let _ = ShopError::Opaque(Opaque).classify();
    let _ = ShopError::Fine;
}
