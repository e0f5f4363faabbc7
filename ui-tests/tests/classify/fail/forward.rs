use hardening::Classify;
use std::io::Error;

#[derive(Classify)]
enum ShopError {
    #[classify(forward)]
    Two(Error, u32),
    #[classify(forward)]
    Named { source: Error, id: u32 },
    #[classify(forward)]
    None,
    #[classify(forward = cause)]
    NoSuchField { source: Error },
    #[classify(forward = 2)]
    NoSuchPosition(Error, u32),
    #[classify(forward = "source")]
    NoField { source: Error },
    #[classify(forward = 0, forward = 1)]
    Said(Error, Error),
}

fn main() {
    let _ = ShopError::None.classify();
    let _ = (ShopError::Two, ShopError::NoSuchPosition, ShopError::Said);
    let _ = ShopError::Named { source: Error::last_os_error(), id: 1 };
    let _ = ShopError::NoSuchField { source: Error::last_os_error() };
    let _ = ShopError::NoField { source: Error::last_os_error() };
}
