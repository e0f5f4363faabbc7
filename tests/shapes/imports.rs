//! Whichever attribute of a function the compiler runs first takes the others with it. Their
//! imports are used all the same: this file compiles.
#![deny(unused_imports)]

use hardening::{bulkhead, cached, circuit_breaker, fallback, rate_limited, retryable, timeout};
use std::io;

#[retryable]
#[rate_limited(op = "search")]
#[circuit_breaker]
#[cached]
#[timeout("5s")]
#[bulkhead]
#[fallback(|error| Err(error))]
async fn all(timeout: u32) -> io::Result<u32> {
    Ok(timeout)
}

mod within_a_block {
    use hardening::{bulkhead, circuit_breaker, retryable};
    use std::io;

    pub(crate) struct Client;

    #[retryable]
    #[bulkhead]
    impl Client {
        #[circuit_breaker]
        pub(crate) fn ask(&self) -> io::Result<u32> {
            Ok(2)
        }
    }
}

#[test]
fn an_import_within_a_function_is_used() -> io::Result<()> {
    fn inner() -> io::Result<u32> {
        use hardening::{bulkhead, retryable};

        #[retryable]
        #[bulkhead]
        fn innermost() -> io::Result<u32> {
            Ok(3)
        }
        innermost()
    }
    assert_eq!(inner()?, 3);
    Ok(())
}

#[tokio::test]
async fn imports_of_attributes_that_were_taken_are_used() -> io::Result<()> {
    assert_eq!(all(1).await?, 1);
    assert_eq!(within_a_block::Client.ask()?, 2);
    Ok(())
}
