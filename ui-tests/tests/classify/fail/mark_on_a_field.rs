use hardening::Classify;
use std::{io::Error, time::Duration};

#[derive(Classify)]
enum ShopError {
    Source(#[classify(forward)] Error),
    #[transient]
    Later {
        #[transient]
        delay: Duration,
    },
    #[permanent]
    Gone(#[permanent] u32),
}

#[derive(Classify)]
struct Whole {
    #[classify(forward)]
    source: Error,
}

fn main() {
    let _ = ShopError::Gone(1).classify();
    let _ = (ShopError::Source, ShopError::Later { delay: Duration::ZERO });
    let _ = Whole { source: Error::last_os_error() }.classify();
}
