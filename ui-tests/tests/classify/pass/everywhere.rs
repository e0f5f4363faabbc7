#![deny(warnings)]
#![forbid(unsafe_code)]

use hardening::{Class, Classify, Rejected};
use std::time::Duration;

#[derive(Debug, Classify)]
#[allow(dead_code)]
enum ShopError<E> {
    #[transient]
    Busy,
    #[transient(after = wait)]
    Slow { wait: Duration },
    #[transient(after = 1)]
    Limited(u32, Option<Duration>),
    #[permanent]
    Gone { id: u64 },
    #[classify(forward)]
    Rejected(Rejected),
    #[classify(forward)]
    Inner(E),
    #[transient(after = header)]
    Header { header: Option<String>, status: u16 },
    #[classify(forward = source)]
    Context { doing: &'static str, source: Box<Self> },
}

#[derive(Classify)]
#[transient(after = 0)]
struct Later(Duration);

#[derive(Classify)]
enum Never {}

fn main() {
    type Error = ShopError<std::io::Error>;
    let second = Duration::from_secs(1);
    let after = Class::TransientAfter(second);
    let full = Rejected::BulkheadFull { name: "ai" };
    for (error, class) in [
        (Error::Busy, Class::Transient),
        (Error::Slow { wait: second }, after),
        (Error::Limited(1, Some(second)), after),
        (Error::Limited(1, None), Class::Transient),
        (Error::Gone { id: 1 }, Class::Permanent),
        (Error::Rejected(full), Class::Transient),
        (Error::Inner(std::io::Error::other("no")), Class::Permanent),
        (Error::Header { header: Some("1".into()), status: 503 }, after),
        (Error::Header { header: None, status: 503 }, Class::Transient),
        (Error::Context { doing: "shopping", source: Box::new(Error::Busy) }, Class::Transient),
    ] {
        assert_eq!(error.classify(), class, "{error:?}");
    }
    assert_eq!(Later(second).classify(), after);
    let none: Option<Never> = None;
    assert!(none.is_none_or(|never| never.classify() == Class::Permanent));
}
