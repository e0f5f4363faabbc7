use hardening::Classify;

#[derive(Classify)]
enum ShopError {
    #[permanent(true)]
    Permanent,
    #[classify(backward)]
    Backward(std::io::Error),
    #[classify]
    Nothing(std::io::Error),
    #[transient = "5s"]
    Pair,
}

#[derive(Classify)]
union Bits {
    a: u32,
}

fn main() {
    let _ = (ShopError::Permanent.classify(), ShopError::Pair, Bits { a: 1 }.classify());
    let _ = (ShopError::Backward, ShopError::Nothing);
}
