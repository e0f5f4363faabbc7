//! What annotated functions return: taken apart on the way in, put together on the way out.

use crate::{
    cache::share::Share,
    outcome::{Class, Classify, Rejected},
};
use std::marker::PhantomData;

/// Returns `Result<T, E>`.
#[derive(Clone, Copy, Debug)]
pub struct Fallible;

/// Returns `Option<T>`. Only cached: `None` is not remembered.
#[derive(Clone, Copy, Debug)]
pub struct Optional;

/// Returns a value. Only cached.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

/// The lack of a value that `None` is.
#[derive(Clone, Copy, Debug)]
pub struct Missing;

/// The error of a function that returns none.
#[derive(Clone, Copy, Debug)]
pub enum Never {}

/// The shape of return types that can say that a layer refused.
#[diagnostic::on_unimplemented(
    message = "an attribute of this function may have to refuse a call, which its return type `{Returned}` cannot say",
    label = "not a `Result`",
    note = "return `Result<T, E>` where `E: From<hardening::Rejected>`"
)]
pub trait Refusing<Returned> {}

impl<T, E> Refusing<Result<T, E>> for Fallible {}

/// Takes apart what a body returned.
pub trait Split<Returned> {
    /// What it returns when all went well.
    type Value;
    /// What it returns otherwise.
    type Error;
    /// The one or the other.
    fn split(returned: Returned) -> Result<Self::Value, Self::Error>;
}

impl<T, E> Split<Result<T, E>> for Fallible {
    type Value = T;
    type Error = E;
    #[inline]
    fn split(returned: Result<T, E>) -> Result<T, E> {
        returned
    }
}

impl<T> Split<Option<T>> for Optional {
    type Value = T;
    type Error = Missing;
    #[inline]
    fn split(returned: Option<T>) -> Result<T, Missing> {
        returned.ok_or(Missing)
    }
}

impl<T> Split<T> for Plain {
    type Value = T;
    type Error = Never;
    #[inline]
    fn split(returned: T) -> Result<T, Never> {
        Ok(returned)
    }
}

/// Puts together what the function returns.
pub trait Join<T, E> {
    /// Its return type.
    type Returned;
    /// The value, or the error, in that type.
    fn join(result: Result<T, E>) -> Self::Returned;
}

impl<T, E> Join<T, E> for Fallible {
    type Returned = Result<T, E>;
    #[inline]
    fn join(result: Result<T, E>) -> Result<T, E> {
        result
    }
}

impl<T> Join<T, Missing> for Optional {
    type Returned = Option<T>;
    #[inline]
    fn join(result: Result<T, Missing>) -> Option<T> {
        result.ok()
    }
}

impl<T> Join<T, Never> for Plain {
    type Returned = T;
    #[inline]
    fn join(result: Result<T, Never>) -> T {
        match result {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }
}

/// An error that can carry a rejection.
#[diagnostic::on_unimplemented(
    message = "an attribute of this function may have to refuse a call, which the error `{Self}` cannot say yet",
    label = "`{Self}` does not implement `From<hardening::Rejected>`",
    note = "give it a variant for it: `Rejected(hardening::Rejected)`, and `impl From<hardening::Rejected> for {Self}`; \
            if the type is not yours, return one of yours that holds it",
    note = "`Box<dyn Error + Send + Sync>`, `anyhow::Error` and `std::io::Error` work as they are"
)]
pub trait FromRejected {
    /// The rejection as this error.
    fn from_rejected(rejected: Rejected) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Rejected>> FromRejected for E {
    #[inline]
    fn from_rejected(rejected: Rejected) -> Self {
        rejected.into()
    }
}

#[diagnostic::do_not_recommend]
impl FromRejected for Missing {
    #[inline]
    fn from_rejected(_: Rejected) -> Self {
        Self
    }
}

#[diagnostic::do_not_recommend]
impl FromRejected for Never {
    /// Only a cache that this function shares with a function that returns errors can refuse, and a test.
    #[inline]
    fn from_rejected(rejected: Rejected) -> Self {
        panic!(
            "a function that returns a plain value cannot fail; it would have to say: {rejected}"
        )
    }
}

/// So that a return type that is refused is refused once, and not again for its lack of errors.
#[diagnostic::do_not_recommend]
impl Classify for Missing {
    fn classify(&self) -> Class {
        Class::Permanent
    }
}

#[diagnostic::do_not_recommend]
impl Classify for Never {
    fn classify(&self) -> Class {
        match *self {}
    }
}

/// Stands for the return type while its shape is found: an inherent method is found before a
/// trait's, so a type that is no `Result` and no `Option`, under whatever name, is plain.
#[derive(Debug)]
pub struct Of<R>(PhantomData<fn() -> R>);

impl<R> Of<R> {
    /// The type.
    pub const NEW: Self = Self(PhantomData);
}

impl<T, E> Of<Result<T, E>> {
    /// The shape.
    #[must_use]
    pub const fn shape(&self) -> Fallible {
        Fallible
    }

    /// How an error is told to those who wait for the same run.
    #[must_use]
    pub const fn share(&self) -> Share<E> {
        Share::OPAQUE
    }
}

impl<T> Of<Option<T>> {
    /// The shape.
    #[must_use]
    pub const fn shape(&self) -> Optional {
        Optional
    }

    /// How `None` is told.
    #[must_use]
    pub fn share(&self) -> Share<Missing> {
        crate::cache::share::share_errors!(Missing)
    }
}

/// See [`Of`].
pub trait Otherwise {
    /// The shape.
    fn shape(&self) -> Plain {
        Plain
    }

    /// There is nothing to tell.
    fn share(&self) -> Share<Never> {
        Share::OPAQUE
    }
}

impl<R> Otherwise for Of<R> {}
