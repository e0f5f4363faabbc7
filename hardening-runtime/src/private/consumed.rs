//! Whether a body that consumes an argument can run again: the macros see that it does so by name,
//! the compiler knows the type.

use std::{
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque},
    ffi::OsString,
    marker::PhantomData,
    path::PathBuf,
};

/// The attempts of a call, which get the same arguments.
#[derive(Debug)]
pub struct EveryAttempt;

/// Whether every attempt can have a `T`. The attempts stand in the place of the type, so that the
/// compiler does not advise to bound a generic type by a trait of ours.
#[diagnostic::on_unimplemented(
    message = "the body consumes this argument, and a retry runs the body again",
    label = "this `{T}` is consumed by the first attempt",
    note = "write `#[retryable(clone(…))]` with the argument's name, to give each attempt a clone; or take it by reference"
)]
pub trait Gets<T> {}

#[diagnostic::do_not_recommend]
impl<T: Copy> Gets<T> for EveryAttempt {}

/// Whether every attempt can have the `self` that is a `T`.
#[diagnostic::on_unimplemented(
    message = "the body consumes `self`, and a retry runs the body again",
    label = "this `{T}` is consumed by the first attempt",
    note = "take `&self`, and clone in the body what it has to own"
)]
pub trait GetsSelf<T> {}

#[diagnostic::do_not_recommend]
impl<T: Copy> GetsSelf<T> for EveryAttempt {}

/// Whether every attempt can take a `T` out of an argument.
#[diagnostic::on_unimplemented(
    message = "the body takes this out of an argument, and a retry runs the body again",
    label = "this `{T}` is consumed by the first attempt",
    note = "borrow it: `match &argument`, `&argument.field`; or write `#[retryable(clone(…))]` with the argument's name, to give each attempt a clone"
)]
pub trait GetsPart<T> {}

#[diagnostic::do_not_recommend]
impl<T: Copy> GetsPart<T> for EveryAttempt {}

/// An argument that the body consumes, as far as its name shows.
#[derive(Debug)]
pub struct Argument<'a, T>(pub &'a T);

/// It is consumed.
#[derive(Debug)]
pub struct Moved<T>(PhantomData<T>);

/// It is `self`, and is consumed.
#[derive(Debug)]
pub struct MovedSelf<T>(PhantomData<T>);

/// Where something is that the body takes out of an argument.
#[derive(Debug)]
pub struct Part<T>(pub *const T);

/// It is borrowed, or nobody can tell.
#[derive(Debug)]
pub struct Kept;

impl<T> Argument<'_, T> {
    /// Its value is needed.
    #[must_use]
    pub const fn moved(&self) -> Moved<T> {
        Moved(PhantomData)
    }

    /// Its value is needed, and it is `self`.
    #[must_use]
    pub const fn moved_self(&self) -> MovedSelf<T> {
        MovedSelf(PhantomData)
    }
}

// An inherent method is found before a trait's: these before those of `MaybeKept` and `Again`.

macro_rules! methods {
    ($($method:ident),*) => {
        /// The methods of which only the type can tell whether they consume.
        pub trait MaybeKept {
            $(
                /// The method is called on the argument.
                fn $method(&self) -> Kept {
                    Kept
                }
            )*
        }
    };
}

methods!(
    calls_into,
    calls_into_iter,
    calls_into_bytes,
    calls_into_boxed_str,
    calls_into_boxed_slice,
    calls_into_os_string,
    calls_unwrap,
    calls_expect,
    calls_unwrap_or,
    calls_unwrap_or_default
);

impl<T> MaybeKept for Argument<'_, T> {}

macro_rules! consumes {
    ($(impl[$($generic:ident),*] $ty:ty: $($method:ident)*;)*) => {$(
        impl<$($generic),*> Argument<'_, $ty> {
            $(
                /// Takes the argument by value.
                #[must_use]
                pub const fn $method(&self) -> Moved<$ty> {
                    Moved(PhantomData)
                }
            )*
        }
    )*};
}

consumes! {
    impl[] String: calls_into calls_into_bytes calls_into_boxed_str;
    impl[] PathBuf: calls_into calls_into_os_string;
    impl[] OsString: calls_into;
    impl[T] Vec<T>: calls_into calls_into_iter calls_into_boxed_slice;
    impl[T] VecDeque<T>: calls_into calls_into_iter;
    impl[T] BinaryHeap<T>: calls_into calls_into_iter;
    impl[T] BTreeSet<T>: calls_into_iter;
    impl[T, S] HashSet<T, S>: calls_into_iter;
    impl[K, V] BTreeMap<K, V>: calls_into_iter;
    impl[K, V, S] HashMap<K, V, S>: calls_into_iter;
    impl[T] Option<T>: calls_into calls_into_iter calls_unwrap calls_expect calls_unwrap_or calls_unwrap_or_default;
    impl[T, E] Result<T, E>: calls_into calls_into_iter calls_unwrap calls_expect calls_unwrap_or calls_unwrap_or_default;
}

impl Kept {
    /// Of course.
    pub const fn again(&self) {}
}

impl<T: ?Sized> Moved<&mut T> {
    /// It is borrowed anew.
    pub const fn again(&self) {}
}

impl<T: ?Sized> MovedSelf<&mut T> {
    /// It is borrowed anew.
    pub const fn again(&self) {}
}

impl<T: ?Sized> Part<&mut T> {
    /// It is borrowed anew.
    pub const fn again(&self) {}
}

/// Compiles if there can be another attempt.
pub trait Again<T> {
    /// Asks.
    fn again(&self)
    where
        EveryAttempt: Gets<T>,
    {
    }
}

impl<T> Again<T> for Moved<T> {}

/// Compiles if there can be another attempt with the same `self`.
pub trait SelfAgain<T> {
    /// Asks.
    fn again(&self)
    where
        EveryAttempt: GetsSelf<T>,
    {
    }
}

impl<T> SelfAgain<T> for MovedSelf<T> {}

/// Compiles if there can be another attempt that takes the same part.
pub trait PartAgain<T> {
    /// Asks.
    fn again(&self)
    where
        EveryAttempt: GetsPart<T>,
    {
    }
}

impl<T> PartAgain<T> for Part<T> {}
