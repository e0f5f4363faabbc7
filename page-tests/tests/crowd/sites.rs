//! Two hundred annotated functions: twenty departments of ten.
#![allow(clippy::unused_async, reason = "bodies need no await to be async")]

use hardening::{Classify, Rejected, bulkhead, cached, circuit_breaker, rate_limited, retryable};
use std::{future::Future, pin::Pin};

#[derive(Clone, Debug, Classify)]
pub(crate) enum Error {
    #[transient]
    Busy,
    #[classify(forward)]
    Rejected(#[allow(dead_code, reason = "for classify")] Rejected),
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

type Called = Pin<Box<dyn Future<Output = Result<u32, Error>> + Send>>;

/// A function, by its name.
pub(crate) struct Function {
    pub(crate) path: &'static str,
    pub(crate) call: fn(u32, bool) -> Called,
}

/// Modules, each with a function for each name and `ALL` of them.
macro_rules! departments {
    ($($department:ident)*) => {
        $(pub(crate) mod $department {
            use super::*;
            functions! {
                #[retryable] list
                #[cached(ttl = 60, max_entries = 64)] get
                #[circuit_breaker] create
                #[bulkhead] update
                #[rate_limited(op = "crowd")] search
                #[circuit_breaker] #[retryable] remove
                #[cached(ttl = 60, max_entries = 64)] #[circuit_breaker] export
                #[bulkhead] #[retryable] import
                #[rate_limited(op = "crowd")] #[circuit_breaker] notify
                #[retryable] #[circuit_breaker] #[bulkhead] audit
            }
        })*

        /// All of them.
        pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
            [$(&$department::ALL),*].into_iter().flatten()
        }
    };
}

macro_rules! functions {
    ($($(#[$attribute:meta])+ $name:ident)*) => {
        $($(#[$attribute])+
        async fn $name(id: u32, succeeds: bool) -> Result<u32, Error> {
            if succeeds { Ok(id) } else { Err(Error::Busy) }
        })*

        pub(crate) static ALL: [Function; 10] = [$(Function {
            path: concat!(module_path!(), "::", stringify!($name)),
            call: |id, succeeds| Box::pin($name(id, succeeds)),
        }),*];
    };
}

departments! {
    accounts billing carts catalogue claims customers delivery exchange fraud inventory
    invoices ledger loyalty orders partners payments pricing returns shipping warehouse
}
