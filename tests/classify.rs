//! `#[derive(Classify)]` in all its forms.

mod support;

use hardening::{
    Class::{self, Permanent, Transient, TransientAfter},
    Classify, Origin, Rejected,
};
use std::{borrow::Cow, error::Error, io, rc::Rc, sync::Arc, time::Duration};

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
fn a_variant_that_forwards_says_where_its_error_comes_from() {
    #[derive(Classify)]
    enum Mixed {
        #[transient]
        Own,
        #[transient] // said here, so it is as good as the own
        Called(#[allow(dead_code)] Rejected),
        #[classify(forward)]
        Rejected(Rejected),
        #[classify(forward = source)]
        Session {
            #[allow(dead_code)]
            user: u64,
            source: Box<Mixed>,
        },
        #[classify(forward)]
        Io(io::Error),
    }
    #[derive(Classify)]
    #[classify(forward)]
    struct Newtype<E>(E);
    let full = || Rejected::BulkheadFull { name: "b" };
    assert_eq!(Mixed::Own.origin(), Origin::Call);
    assert_eq!(Mixed::Called(full()).origin(), Origin::Call);
    assert_eq!(Mixed::Rejected(full()).origin(), Origin::Rejection);
    let source = Box::new(Mixed::Rejected(full()));
    let session = Mixed::Session { user: 1, source };
    assert_eq!(session.origin(), Origin::Rejection);
    let down = || io::Error::other("down");
    assert_eq!(Mixed::Io(down()).origin(), Origin::Unknown);
    assert_eq!(Newtype(session).origin(), Origin::Rejection);
    assert_eq!(Newtype(down()).origin(), Origin::Unknown);
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
fn the_text_of_a_retry_after_header_says_how_long() {
    #[derive(Classify)]
    enum Texts<'a> {
        #[transient(after = 0)]
        Owned(String),
        #[transient(after = header)]
        Perhaps { header: Option<String> },
        #[transient(after = 0)]
        Static(&'static str),
        #[transient(after = 0)]
        Cow(Cow<'a, str>),
        #[transient(after = 0)]
        Boxed(Box<str>),
        #[transient(after = 0)]
        Shared(Arc<str>, #[allow(dead_code)] u8),
        #[transient(after = 0)]
        Local(Rc<str>),
        #[transient(after = 0)]
        Borrowed(Option<&'a str>),
        #[transient(after = 0)]
        BorrowedString(&'a String),
    }
    let texts = |text: &'static str, class| {
        let owned = text.to_owned();
        for error in [
            Texts::Owned(owned.clone()),
            Texts::Perhaps {
                header: Some(owned.clone()),
            },
            Texts::Static(text),
            Texts::Cow(text.into()),
            Texts::Boxed(text.into()),
            Texts::Shared(text.into(), 1),
            Texts::Local(text.into()),
            Texts::Borrowed(Some(text)),
            Texts::BorrowedString(&owned),
        ] {
            assert_eq!(error.classify(), class, "{text}");
        }
    };
    texts(" 7 ", TransientAfter(SEVEN));
    texts("0", TransientAfter(Duration::ZERO));
    texts(
        "Sun, 06 Nov 1994 08:49:37 GMT",
        TransientAfter(Duration::ZERO),
    );
    for text in ["", "soon", "-7", "1e9", "Sun, 06 Nov 1994"] {
        texts(text, Transient);
    }
    assert_eq!(Texts::Perhaps { header: None }.classify(), Transient);
    assert_eq!(Texts::Borrowed(None).classify(), Transient);
}

#[test]
fn one_field_of_several_can_be_asked() {
    #[derive(Classify)]
    enum Fields {
        #[classify(forward = source)]
        Named {
            #[allow(dead_code)]
            context: String,
            source: io::Error,
        },
        #[classify(forward = 1)]
        Tuple(#[allow(dead_code)] u8, Box<io::Error>),
        #[classify(forward = 0)]
        Only(Arc<io::Error>),
        #[classify(forward = r#type)]
        Raw {
            r#type: io::Error,
            #[allow(dead_code)]
            id: u8,
        },
    }
    #[derive(Classify)]
    #[classify(forward = source)]
    struct Context {
        source: Arc<dyn Error + Send + Sync>,
        #[allow(dead_code)]
        doing: &'static str,
    }
    for (kind, class) in [
        (io::ErrorKind::ConnectionReset, Transient),
        (io::ErrorKind::NotFound, Permanent),
    ] {
        let io = || io::Error::from(kind);
        let context = String::new();
        for error in [
            Fields::Named {
                context,
                source: io(),
            },
            Fields::Tuple(1, Box::new(io())),
            Fields::Only(Arc::new(io())),
            Fields::Raw {
                r#type: io(),
                id: 1,
            },
        ] {
            assert_eq!(error.classify(), class);
        }
        let context = Context {
            source: Arc::new(io()),
            doing: "searching",
        };
        assert_eq!(context.classify(), class);
    }
}

#[test]
fn a_generic_error_asks_only_of_what_stands_in_its_fields() {
    struct Opaque;
    #[derive(Classify)]
    enum Parts<'a, E, W, O, const N: usize>
    where
        O: Clone,
    {
        #[classify(forward)]
        Inner(Box<E>),
        #[transient(after = 0)]
        Busy(Option<W>),
        #[permanent]
        Unasked(#[allow(dead_code)] Option<O>),
        #[classify(forward)]
        Borrowed(&'a io::Error),
        #[classify(forward)]
        Nested(Box<Self>),
        #[classify(forward = 1)]
        Again([u8; N], Arc<Parts<'a, E, W, O, N>>),
    }
    // What is not asked need not say anything.
    impl Clone for Opaque {
        fn clone(&self) -> Self {
            Self
        }
    }
    type Error<'a> = Parts<'a, io::Error, String, Opaque, 1>;
    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
    for (error, class) in [
        (Error::Busy(Some("7".into())), TransientAfter(SEVEN)),
        (Error::Unasked(Some(Opaque)), Permanent),
        (Error::Borrowed(&reset), Transient),
        (Error::Nested(Box::new(Error::Borrowed(&reset))), Transient),
        (Error::Again([1], Arc::new(Error::Busy(None))), Transient),
        (
            Error::Inner(Box::new(io::ErrorKind::NotFound.into())),
            Permanent,
        ),
    ] {
        assert_eq!(error.classify(), class);
    }
}

#[test]
fn a_bound_can_be_on_what_belongs_to_a_parameter() {
    trait Store {
        type Error;
    }
    struct Files;
    impl Store for Files {
        type Error = io::Error;
    }
    #[derive(Classify)]
    enum StoreError<S: Store> {
        #[classify(forward)]
        Store(S::Error),
    }
    let error = StoreError::<Files>::Store(io::ErrorKind::TimedOut.into());
    assert_eq!(error.classify(), Transient);
}

#[test]
fn a_class_is_put_off_when_somebody_says_how_long() {
    assert_eq!(Transient.after(Some(SEVEN)), TransientAfter(SEVEN));
    assert_eq!(
        TransientAfter(SEVEN * 2).after(None),
        TransientAfter(SEVEN * 2)
    );
    assert_eq!(Transient.after(None), Transient);
    assert_eq!(Permanent.after(Some(SEVEN)), Permanent);
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
