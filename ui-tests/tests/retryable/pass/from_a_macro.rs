//! A body, a type or an argument may come from another macro as a whole.
#![deny(warnings)]
use hardening::{cached, retryable};
use ui_tests::AppError;

macro_rules! function {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident($argument:ident: $ty:ty) -> $returns:ty $body:block) => {
        $(#[$attribute])*
        $visibility fn $name($argument: $ty) -> $returns $body
    };
}

function! {
    #[retryable]
    #[cached]
    pub fn blocking(id: u64) -> Result<u64, AppError> {
        if id == 0 {
            return Err(AppError);
        }
        Ok(id)
    }
}

macro_rules! later {
    ($name:ident, $body:block) => {
        #[retryable]
        async fn $name() -> Result<u64, AppError> $body
    };
}

later!(asynchronous, { Ok(1) });

macro_rules! methods {
    ($ty:ty, $body:block) => {
        #[retryable]
        impl $ty {
            fn method(&self) -> Result<u64, AppError> $body
        }
    };
}

struct Client;

methods!(Client, { Ok(1) });

fn main() {
    assert_eq!(blocking(1).unwrap(), 1);
    assert_eq!(Client.method().unwrap(), 1);
    drop(asynchronous());
}
