//! How a failure is told to those who waited for the run: errors need not be `Clone`.
//!
//! The error itself, where its type can be cloned and sent; otherwise a [`Rejected::LoadFailed`]
//! with its text and class, as far as the type has them. Which of these a type has is found while
//! compiling, by `share_errors!` and by generated code, one question after the other: a [`Probe`] has
//! the method only where the type has what it takes, and otherwise that of what it derefs to is found.

use crate::outcome::{Class, Classify, Failure, Rejected};
use std::{any::Any, fmt, fmt::Display, marker::PhantomData, ops::Deref, sync::Arc};

/// What can be told of an error of type `E`.
pub struct Share<E> {
    /// The error itself, and how to get it back.
    pub typed: Option<Typed<E>>,
    /// The error as text.
    pub reason: fn(&E) -> Arc<str>,
    /// What the error is worth.
    pub class: fn(&E) -> Class,
}

/// [`Share`], made when there is something to tell: a future that waits carries one pointer.
pub type ShareErrors<E> = fn() -> Share<E>;

/// How an error is put where its type is not known, and taken from there.
pub struct Typed<E> {
    pack: fn(&E) -> Arc<dyn Any + Send + Sync>,
    unpack: fn(&(dyn Any + Send + Sync)) -> Option<E>,
}

impl<E> Clone for Typed<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Typed<E> {}

impl<E> Clone for Share<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Share<E> {}

impl<E> fmt::Debug for Share<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("typed", &self.typed.is_some())
            .finish_non_exhaustive()
    }
}

impl<E> fmt::Debug for Typed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typed").finish_non_exhaustive()
    }
}

impl<E> Share<E> {
    /// For an error of which nothing is known but its type.
    #[must_use]
    pub fn opaque() -> Self {
        Self {
            typed: None,
            reason: type_name_of::<E>,
            class: permanent::<E>,
        }
    }
}

/// A failure as it is told to those who wait; says nothing of the error's type.
pub(super) struct Shared {
    typed: Option<Arc<dyn Any + Send + Sync>>,
    rejected: Rejected,
}

impl Shared {
    /// `failure` for others. A panic is its caller's alone: no payload is told.
    pub(super) fn of<E>(failure: &Failure<E>, name: &'static str, share: &Share<E>) -> Self {
        let failed = |reason, class| Rejected::LoadFailed {
            name,
            reason,
            class,
        };
        match failure {
            Failure::Error(error) => Self {
                typed: share.typed.map(|typed| (typed.pack)(error)),
                rejected: failed((share.reason)(error), (share.class)(error)),
            },
            Failure::Rejected(rejected) => Self {
                typed: None,
                rejected: rejected.clone(),
            },
            Failure::Panicked(_) => Self {
                typed: None,
                rejected: failed("it panicked".into(), Class::Permanent),
            },
        }
    }

    /// The failure for a caller whose errors are of type `E`, which may be another function's.
    pub(super) fn to_failure<E>(&self, share: &Share<E>) -> Failure<E> {
        let typed = self.typed.as_deref().zip(share.typed);
        match typed.and_then(|(error, typed)| (typed.unpack)(error)) {
            Some(error) => Failure::Error(error),
            None => Failure::Rejected(self.rejected.clone()),
        }
    }
}

fn permanent<E>(_: &E) -> Class {
    Class::Permanent
}

fn type_name_of<E>(_: &E) -> Arc<str> {
    format!("an error of type `{}`", std::any::type_name::<E>()).into()
}

/// What has been found of the errors `E`: how they are told themselves (`T`), and as text (`R`).
#[derive(Debug)]
pub struct Probe<E, T = (), R = ()>(PhantomData<fn(E, T, R)>);

/// Answers what [`Probe`] leaves open.
#[derive(Debug)]
pub struct Otherwise<E, T, R>(PhantomData<fn(E, T, R)>);

impl<E, T, R> Probe<E, T, R> {
    /// The probe.
    pub const NEW: Self = Self(PhantomData);
}

impl<E, T, R> Otherwise<E, T, R> {
    const NEW: Self = Self(PhantomData);
}

impl<E, T, R> Deref for Probe<E, T, R> {
    type Target = Otherwise<E, T, R>;

    fn deref(&self) -> &Self::Target {
        &Otherwise::NEW
    }
}

/// How the error itself is told.
pub trait Itself<E> {
    /// It is put away so, if it can be.
    const TYPED: Option<Typed<E>>;
}

/// How the error is told as text.
pub trait Reason<E> {
    /// Its text.
    const REASON: fn(&E) -> Arc<str>;
}

/// It is cloned.
#[derive(Debug)]
pub struct Cloned;

/// It is not told.
#[derive(Debug)]
pub struct Untold;

/// As it is shown to people.
#[derive(Debug)]
pub struct Shown;

/// As the name of its type.
#[derive(Debug)]
pub struct Named;

impl<E: Clone + Send + Sync + 'static> Itself<E> for Cloned {
    const TYPED: Option<Typed<E>> = Some(Typed {
        pack: |error| Arc::new(error.clone()),
        unpack: |error| error.downcast_ref().cloned(),
    });
}

impl<E> Itself<E> for Untold {
    const TYPED: Option<Typed<E>> = None;
}

impl<E: Display> Reason<E> for Shown {
    const REASON: fn(&E) -> Arc<str> = |error| error.to_string().into();
}

impl<E> Reason<E> for Named {
    const REASON: fn(&E) -> Arc<str> = type_name_of::<E>;
}

impl<E: Clone + Send + Sync + 'static> Probe<E> {
    /// The error can be cloned.
    #[must_use]
    pub const fn typed(&self) -> Probe<E, Cloned> {
        Probe::NEW
    }
}

impl<E> Otherwise<E, (), ()> {
    /// The error cannot be cloned.
    #[must_use]
    pub const fn typed(&self) -> Probe<E, Untold> {
        Probe::NEW
    }
}

impl<E: Display, T> Probe<E, T> {
    /// The error has a text.
    #[must_use]
    pub const fn reason(&self) -> Probe<E, T, Shown> {
        Probe::NEW
    }
}

impl<E, T> Otherwise<E, T, ()> {
    /// The error has no text.
    #[must_use]
    pub const fn reason(&self) -> Probe<E, T, Named> {
        Probe::NEW
    }
}

impl<E: Classify, T: Itself<E>, R: Reason<E>> Probe<E, T, R> {
    /// The error says what it is worth: that is all.
    #[must_use]
    pub const fn class(&self) -> ShareErrors<E> {
        || Share {
            typed: T::TYPED,
            reason: R::REASON,
            class: E::classify,
        }
    }
}

impl<E, T: Itself<E>, R: Reason<E>> Otherwise<E, T, R> {
    /// The error does not say what it is worth: that is all.
    #[must_use]
    pub const fn class(&self) -> ShareErrors<E> {
        || Share {
            typed: T::TYPED,
            reason: R::REASON,
            class: permanent::<E>,
        }
    }
}

/// What can be told of an error of the type given.
macro_rules! share_errors {
    ($error:ty) => {
        $crate::cache::share::Probe::<$error>::NEW
            .typed()
            .reason()
            .class()
    };
}
pub(crate) use share_errors;

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;
    use std::{io, rc::Rc, time::Duration};

    struct Opaque(#[allow(dead_code)] Rc<u8>);

    fn told<E>(error: E, share: &Share<E>) -> Failure<E> {
        Shared::of(&Failure::Error(error), "users", share).to_failure(share)
    }

    #[test]
    fn an_error_that_can_be_cloned_is_handed_on_itself() {
        let share = share_errors!(String)();
        assert!(matches!(told("gone".to_owned(), &share), Failure::Error(text) if text == "gone"));
    }

    #[test]
    fn an_error_that_can_only_be_read_is_told_as_text_with_its_class() {
        let share = share_errors!(io::Error)();
        let told = told(io::Error::new(io::ErrorKind::TimedOut, "too slow"), &share);
        let Failure::Rejected(Rejected::LoadFailed {
            name,
            reason,
            class,
        }) = told
        else {
            panic!("{told:?}");
        };
        assert_eq!(
            (name, &*reason, class),
            ("users", "too slow", Class::Transient)
        );
    }

    #[test]
    fn boxed_and_opaque_errors_are_told_too() {
        type Boxed = Box<dyn std::error::Error + Send + Sync>;
        let share = share_errors!(Boxed)();
        let told_boxed = told("no".into(), &share);
        assert!(
            matches!(told_boxed, Failure::Rejected(Rejected::LoadFailed { reason, .. }) if &*reason == "no")
        );
        let share = share_errors!(Opaque)();
        let told_opaque = told(Opaque(Rc::new(1)), &share);
        assert!(matches!(
            told_opaque,
            Failure::Rejected(Rejected::LoadFailed { reason, class: Class::Permanent, .. })
                if reason.contains("Opaque")
        ));
    }

    #[test]
    fn another_functions_error_type_is_told_as_text() {
        let failure = Failure::Error("gone".to_owned());
        let shared = Shared::of(&failure, "users", &share_errors!(String)());
        let told = shared.to_failure::<u32>(&share_errors!(u32)());
        assert!(
            matches!(told, Failure::Rejected(Rejected::LoadFailed { reason, .. }) if &*reason == "gone")
        );
    }

    #[test]
    fn a_rejection_is_told_as_it_is() {
        let rejected = Rejected::CircuitOpen {
            name: "ai",
            retry_after: Some(Duration::from_secs(3)),
        };
        let share = share_errors!(io::Error)();
        let shared = Shared::of(&Failure::Rejected(rejected.clone()), "users", &share);
        assert!(matches!(shared.to_failure(&share), Failure::Rejected(told) if told == rejected));
    }
}
