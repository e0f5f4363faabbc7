//! `#[derive(Classify)]` in all its forms.

mod support;

use hardening::{
    Class::{self, Permanent, Transient, TransientAfter},
    Classify, Rejected,
};
use std::{error::Error, io, time::Duration};

const SEVEN: Duration = Duration::from_secs(7);

#[test]
fn each_variant_says_what_it_is_worth() {
    #[derive(Classify)]
    enum Mixed {
        #[transient]
        Unit,
        #[permanent]
        Tuple(#[allow(dead_code)] u8, #[allow(dead_code)] String),
        #[transient]
        Named {
            #[allow(dead_code)]
            text: String,
        },
        #[transient(after = wait)]
        After { wait: Duration },
        #[transient(after = 1)]
        AfterIndex(#[allow(dead_code)] u8, Duration),
        #[transient(after = retry_after)]
        Perhaps { retry_after: Option<Duration> },
        #[classify(forward)]
        Io(io::Error),
        #[classify(forward)]
        Boxed {
            source: Box<dyn Error + Send + Sync>,
        },
        #[classify(forward)]
        Rejected(Rejected),
    }
    let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
    for (error, class) in [
        (Mixed::Unit, Transient),
        (Mixed::Tuple(1, String::new()), Permanent),
        (
            Mixed::Named {
                text: String::new(),
            },
            Transient,
        ),
        (Mixed::After { wait: SEVEN }, TransientAfter(SEVEN)),
        (Mixed::AfterIndex(1, SEVEN), TransientAfter(SEVEN)),
        (
            Mixed::Perhaps {
                retry_after: Some(SEVEN),
            },
            TransientAfter(SEVEN),
        ),
        (Mixed::Perhaps { retry_after: None }, Transient),
        (Mixed::Io(reset()), Transient),
        (Mixed::Io(io::ErrorKind::NotFound.into()), Permanent),
        (
            Mixed::Boxed {
                source: reset().into(),
            },
            Transient,
        ),
        (
            Mixed::Boxed {
                source: "unknown".into(),
            },
            Permanent,
        ),
        (
            Mixed::Rejected(Rejected::BulkheadFull { name: "b" }),
            Transient,
        ),
        (
            Mixed::Rejected(Rejected::CircuitOpen {
                name: "c",
                retry_after: Some(SEVEN),
            }),
            TransientAfter(SEVEN),
        ),
        (
            Mixed::Rejected(Rejected::RateLimited {
                op: "o",
                retry_after: None,
            }),
            Permanent,
        ),
    ] {
        assert_eq!(error.classify(), class);
    }
}

#[test]
fn structs_generics_and_empty_enums_can_derive_it() {
    #[derive(Classify)]
    #[transient(after = wait)]
    struct Busy {
        wait: Duration,
    }
    #[derive(Classify)]
    #[permanent]
    struct Gone;
    #[derive(Classify)]
    #[classify(forward)]
    struct Newtype(io::Error);
    #[derive(Classify)]
    enum Or<'a, E, const N: usize>
    where
        E: 'a,
    {
        #[classify(forward)]
        Inner(E),
        #[permanent]
        Borrowed(#[allow(dead_code)] &'a [u8; N]),
    }
    #[derive(Classify)]
    enum Never {}
    fn can_classify<E: Classify>() {}

    assert_eq!(Busy { wait: SEVEN }.classify(), TransientAfter(SEVEN));
    assert_eq!(Gone.classify(), Permanent);
    assert_eq!(
        Newtype(io::ErrorKind::TimedOut.into()).classify(),
        Transient
    );
    assert_eq!(
        Or::<Busy, 1>::Inner(Busy { wait: SEVEN }).classify(),
        TransientAfter(SEVEN)
    );
    assert_eq!(Or::<Busy, 1>::Borrowed(&[1]).classify(), Permanent);
    can_classify::<Never>();
}

#[test]
fn anyhow_walks_its_chain() {
    use anyhow::Context as _;
    fn classified(error: &anyhow::Error) -> Class {
        error.classify()
    }
    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
    let error = Err::<(), _>(reset).context("inner").context("outer");
    assert_eq!(classified(&error.unwrap_err()), Transient);
    assert_eq!(classified(&anyhow::anyhow!("unknown")), Permanent);
}

#[test]
fn it_may_be_written_by_hand() {
    struct Status(u16);
    impl Classify for Status {
        fn classify(&self) -> Class {
            if self.0 >= 500 { Transient } else { Permanent }
        }
    }
    assert_eq!(Status(503).classify(), Transient);
    assert_eq!(Status(404).classify(), Permanent);
}
