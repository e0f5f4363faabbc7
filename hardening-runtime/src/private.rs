//! The only names that generated code may use. No part of the public interface.

pub mod consumed;

pub use crate::{
    cache::share::{Known, Share, Unknown},
    call::{Call, Refused, Retrying, Run},
    health::Probe,
    outcome::{Class, Classify, Failure, Origin, Rejected, Worth},
    shape::{Fallible, Of, Optional, Otherwise, Plain, Refusing, Split},
    site::{Registered, Site},
    source::{Compiled, Embedded},
    start::init,
};
pub use ::core;
pub use ::std;
pub use inventory;

use std::hash::{Hash, Hasher};

/// Stands for an error while it is found whether its type can say what it is worth: the method that
/// needs more takes `&self`, the other is found one reference further away.
#[derive(Debug)]
pub struct Weigh<'a, E>(pub &'a E);

/// The error's type says what it is worth.
pub trait Weighed {
    /// What it says.
    fn class(&self) -> Worth;
}

impl<E: Classify> Weighed for Weigh<'_, E> {
    fn class(&self) -> Worth {
        Worth::of(self.0)
    }
}

/// The error's type does not say what it is worth.
pub trait Unweighed {
    /// Nothing.
    fn class(&self) -> Worth {
        Worth::UNKNOWN
    }
}

impl<E> Unweighed for &Weigh<'_, E> {}

/// Takes what an attempt borrows for itself alone.
pub fn alone<T>(_: T) {}

/// Whether the user's `test` holds of `value`.
#[inline]
pub fn holds<T: ?Sized>(value: &T, test: impl FnOnce(&T) -> bool) -> bool {
    test(value)
}

/// What an error is worth of which the user's `retry_if` says whether it is worth another try.
#[inline]
#[must_use]
pub const fn class_if(again: bool, worth: Worth) -> Worth {
    worth.if_said(again)
}

/// What can be a key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key: it does not implement `Hash`",
    label = "not `Hash`",
    note = "write `key = …` with something that can be hashed, such as an id, or `#[derive(Hash)]`"
)]
pub trait Key: Hash {}

#[diagnostic::do_not_recommend]
impl<K: Hash + ?Sized> Key for K {}

/// The key of a rate limit.
#[inline]
pub fn limit_key<K: Key + ?Sized>(key: &K) -> u64 {
    LimitKey::new().part(key).done()
}

/// The key of a cached result.
#[inline]
pub fn cache_key<K: Key + ?Sized>(key: &K) -> Fingerprint {
    CacheKey::new().part(key).done()
}

/// The key of a cached result, taken in part by part: one that cannot be hashed is named by itself.
#[allow(missing_debug_implementations)]
pub struct CacheKey(Reader);

impl CacheKey {
    /// Without parts.
    #[allow(clippy::new_without_default)]
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self(Reader::new())
    }

    /// Takes in the next part.
    #[inline]
    #[must_use]
    pub fn part<K: Key + ?Sized>(mut self, part: &K) -> Self {
        part.hash(&mut self.0);
        self
    }

    /// What identifies the key.
    #[inline]
    #[must_use]
    pub fn done(self) -> Fingerprint {
        self.0.fingerprint()
    }
}

/// The key of a rate limit, taken in part by part.
#[allow(missing_debug_implementations)]
pub struct LimitKey(KeyHasher);

impl LimitKey {
    /// Without parts.
    #[allow(clippy::new_without_default)]
    #[inline]
    #[must_use]
    pub fn new() -> Self {
        Self(key_hasher())
    }

    /// Takes in the next part.
    #[inline]
    #[must_use]
    pub fn part<K: Key + ?Sized>(mut self, part: &K) -> Self {
        part.hash(&mut self.0);
        self
    }

    /// What identifies the key.
    #[inline]
    #[must_use]
    pub fn done(self) -> u64 {
        self.0.finish()
    }
}

/// [`Classify`], with nothing to list beside what is missing.
#[diagnostic::on_unimplemented(
    message = "nothing says which errors of type `{Self}` are worth another try",
    label = "`{Self}` does not implement `hardening::Classify`",
    note = "derive it: `#[derive(hardening::Classify)]` with `#[transient]` or `#[permanent]` on each variant",
    note = "or say it on the function: `#[retryable(retry_if = |error| …)]`"
)]
pub trait Classified {
    /// What this error is worth.
    fn class(&self) -> Worth;
}

#[diagnostic::do_not_recommend]
impl<E: Classify> Classified for E {
    #[inline]
    fn class(&self) -> Worth {
        Worth::of(self)
    }
}

/// What an error is worth whose type is known to say it.
#[inline]
pub fn known_class<E: Classified>(error: &E) -> Worth {
    error.class()
}

pub use crate::{bulkhead::Priority, health::IntoHealth, retry::RetryEvent};

use crate::{
    cache::{Fingerprint, Reader},
    health::HealthResult,
    rate_limit::{KeyHasher, key_hasher},
    retry_after::parse_retry_after,
};
use std::{borrow::Cow, cell::Cell, fmt::Debug, rc::Rc, sync::Arc, time::Duration};

/// How many tokens a call costs: any whole number that the user counts with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no number of tokens",
    label = "not a whole number",
    note = "write `cost = …` with a whole number, such as `cost = 2` or `cost = items.len()`"
)]
pub trait Tokens {
    /// As many as there can be, at most.
    fn tokens(self) -> u32;
}

#[diagnostic::do_not_recommend]
impl<N: TryInto<u32>> Tokens for N {
    #[inline]
    fn tokens(self) -> u32 {
        self.try_into().unwrap_or(u32::MAX)
    }
}

/// How many tokens a call costs.
#[inline]
pub fn cost(tokens: impl Tokens) -> u32 {
    tokens.tokens()
}

/// The shape of a return type that says a refusal; of another, the compiler says so.
#[inline]
pub const fn refusing<R, S: Refusing<R> + Copy>(shape: S) -> S {
    shape
}

/// The error of the return type `R`.
pub type ErrorOf<R> = <Fallible as Split<R>>::Error;

/// Says the type of the async block around it, which its `?` needs; never called.
#[cold]
#[must_use]
pub fn typed<R>() -> R {
    unreachable!("this call stands under `if false`")
}

/// Tells the user's hook.
#[inline]
pub fn tell(event: &RetryEvent, hook: impl FnOnce(&RetryEvent)) {
    hook(event);
}

/// What a check returned, while it is found what can be told of it: its error need not be made for
/// people to read.
#[allow(missing_debug_implementations)]
pub struct Checked<R>(Cell<Option<R>>);

impl<R> Checked<R> {
    /// It returned this.
    pub const fn new(returned: R) -> Self {
        Self(Cell::new(Some(returned)))
    }

    fn take(&self) -> Option<R> {
        self.0.take()
    }
}

// Asked of a `&&Checked`, the compiler looks for a method of `&Checked`, then of `&&Checked`, then of
// `Checked`, and takes the first.

/// It can be told as it is.
pub trait Readable {
    /// What it says.
    fn health(&self) -> HealthResult;
}

impl<R: IntoHealth> Readable for &Checked<R> {
    fn health(&self) -> HealthResult {
        self.take()
            .map_or_else(HealthResult::healthy, IntoHealth::into_health)
    }
}

/// Its error is for programmers.
pub trait Debuggable {
    /// What it says.
    fn health(&self) -> HealthResult;
}

impl<E: Debug> Debuggable for &&Checked<Result<(), E>> {
    fn health(&self) -> HealthResult {
        let returned = self.take().unwrap_or(Ok(()));
        returned.map_err(|error| format!("{error:?}")).into_health()
    }
}

/// It is no result of a check; the compiler says so.
pub trait Unreadable<R> {
    /// What it would say.
    fn health(&self) -> HealthResult
    where
        R: IntoHealth;
}

impl<R> Unreadable<R> for Checked<R> {
    fn health(&self) -> HealthResult
    where
        R: IntoHealth,
    {
        Readable::health(&self)
    }
}

/// How long an error asks to wait: the type of a field named by `#[transient(after = field)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how long to wait",
    label = "not a time",
    note = "`after` names a field of type `Duration`, or with the text of a `Retry-After` header (`String`, `&str`, …), or \
            an `Option` of one; a number has no unit: keep it as `Duration::from_secs(number)`"
)]
pub trait After {
    /// How long; none if it does not say.
    fn wait(&self) -> Option<Duration>;

    /// The class of an error that asks so.
    fn class(&self) -> Class {
        Class::Transient.after(self.wait())
    }
}

impl After for Duration {
    fn wait(&self) -> Option<Duration> {
        Some(*self)
    }
}

impl<A: After> After for Option<A> {
    fn wait(&self) -> Option<Duration> {
        self.as_ref().and_then(After::wait)
    }
}

/// The text of a `Retry-After` header.
#[diagnostic::do_not_recommend]
impl After for str {
    fn wait(&self) -> Option<Duration> {
        parse_retry_after(self)
    }
}

macro_rules! pointers {
    ($($pointer:ty $(where $($bounds:tt)*)?),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<A: After + ?Sized $($($bounds)*)?> After for $pointer {
            fn wait(&self) -> Option<Duration> {
                (**self).wait()
            }
        }
    )*};
}

pointers!(&A, Box<A>, Rc<A>, Arc<A>, Cow<'_, A> where + ToOwned);

impl After for String {
    fn wait(&self) -> Option<Duration> {
        self.as_str().wait()
    }
}
