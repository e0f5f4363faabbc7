//! What the errors of other crates are worth: [`Classify`](crate::Classify) for those that everybody
//! meets, and the status codes in force.
//!
//! A room for each: `io` (and tokio's timeouts), `chain` (errors of which only `dyn Error` is known),
//! `http`, and by feature `reqwest`, `sql`, `redis`.

mod chain;
mod http;
mod io;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "sqlx")]
mod sql;

pub use http::classify_status;
pub(crate) use http::put_in_force;

use crate::outcome::{Class, Classify, Origin};
use std::{convert::Infallible, rc::Rc, sync::Arc};

/// A pointer to an error is worth what the error is.
macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<E: Classify + ?Sized> Classify for $pointer {
            fn classify(&self) -> Class {
                (**self).classify()
            }

            fn origin(&self) -> Origin {
                (**self).origin()
            }
        }
    )*};
}

pointers!(Box<E>, Arc<E>, Rc<E>, &E);

impl Classify for Infallible {
    fn classify(&self) -> Class {
        match *self {}
    }
}
