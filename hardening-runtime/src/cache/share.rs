//! How a failure is told to those who waited for the run: errors need not be `Clone`.
//!
//! The error itself, where its type can be cloned and sent; otherwise a [`Rejected::LoadFailed`]
//! with its text and class, as far as the type has them. Which of these a type has is found while
//! compiling, by `share_errors!` and by generated code: [`Known`] has a constant of its own only where the
//! type has what it takes, and otherwise that of [`Unknown`] is found.

use crate::outcome::{Class, Classify, Failure, Rejected};
use std::{any::Any, fmt, fmt::Display, marker::PhantomData, sync::Arc};

/// What can be told of an error of type `E`.
pub struct Share<E> {
    /// The error itself, and how to get it back.
    pub typed: Option<Typed<E>>,
    /// The error as text.
    pub reason: fn(&E) -> Arc<str>,
    /// What the error is worth.
    pub class: fn(&E) -> Class,
}

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
    /// The error itself, as text, and what it is worth.
    #[must_use]
    pub const fn new(
        typed: Option<Typed<E>>,
        reason: fn(&E) -> Arc<str>,
        class: fn(&E) -> Class,
    ) -> Self {
        Self {
            typed,
            reason,
            class,
        }
    }

    /// For an error of which nothing is known but its type.
    pub const OPAQUE: Self = Self::new(None, type_name_of::<E>, permanent::<E>);
}

/// A failure as it is told to those who wait; says nothing of the error's type.
pub(crate) struct Shared {
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
            Failure::Panicked(_) | Failure::Answered => Self {
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

/// Stands for the errors `E` while it is found what can be told of them: a constant of its own is found
/// before one of [`Unknown`], and it has that only where the type has what it takes.
#[derive(Debug)]
pub struct Known<E>(PhantomData<fn(E)>);

impl<E: Clone + Send + Sync + 'static> Known<E> {
    /// The error itself, cloned.
    pub const ITSELF: Option<Typed<E>> = Some(Typed {
        pack: |error| Arc::new(error.clone()),
        unpack: |error| error.downcast_ref().cloned(),
    });
}

impl<E: Display> Known<E> {
    /// As it is shown to people.
    pub const REASON: fn(&E) -> Arc<str> = |error| error.to_string().into();
}

impl<E: Classify> Known<E> {
    /// What it says that it is worth.
    pub const CLASS: fn(&E) -> Class = E::classify;
}

/// What is told where [`Known`] has nothing.
pub trait Unknown<E> {
    /// Not the error itself.
    const ITSELF: Option<Typed<E>> = None;
    /// The name of its type.
    const REASON: fn(&E) -> Arc<str> = type_name_of::<E>;
    /// Not worth another try, for all that is known.
    const CLASS: fn(&E) -> Class = permanent::<E>;
}

impl<E> Unknown<E> for Known<E> {}

/// What can be told of an error of the type given.
macro_rules! share_errors {
    ($error:ty) => {{
        #[allow(unused_imports)]
        use $crate::cache::share::{Known, Share, Unknown as _};
        Share::new(
            Known::<$error>::ITSELF,
            Known::<$error>::REASON,
            Known::<$error>::CLASS,
        )
    }};
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
        let share = share_errors!(String);
        assert!(matches!(told("gone".to_owned(), &share), Failure::Error(text) if text == "gone"));
    }

    #[test]
    fn an_error_that_can_only_be_read_is_told_as_text_with_its_class() {
        let share = share_errors!(io::Error);
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
        let share = share_errors!(Boxed);
        let told_boxed = told("no".into(), &share);
        assert!(
            matches!(told_boxed, Failure::Rejected(Rejected::LoadFailed { reason, .. }) if &*reason == "no")
        );
        let share = share_errors!(Opaque);
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
        let shared = Shared::of(&failure, "users", &share_errors!(String));
        let told = shared.to_failure::<u32>(&share_errors!(u32));
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
        let share = share_errors!(io::Error);
        let shared = Shared::of(&Failure::Rejected(rejected.clone()), "users", &share);
        assert!(matches!(shared.to_failure(&share), Failure::Rejected(told) if told == rejected));
    }
}
