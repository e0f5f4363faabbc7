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
    #[transient()]
    Empty,
    #[classify()]
    Nobody(std::io::Error),
    #[transient(after)]
    AfterWhat(u32),
    #[transient(after = 0, after = 0)]
    Twice(std::time::Duration),
}

#[derive(Classify)]
union Bits {
    a: u32,
}

fn main() {
    let _ = (ShopError::Permanent.classify(), ShopError::Pair, Bits { a: 1 }.classify());
    let _ = (ShopError::Backward, ShopError::Nothing, ShopError::Empty, ShopError::Nobody);
    let _ = (ShopError::AfterWhat, ShopError::Twice);
}
