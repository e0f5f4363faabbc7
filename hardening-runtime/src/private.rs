//! The only names that generated code may use. No part of the public interface.

pub use crate::{
    cache::share::ShareErrors,
    call::{Absent, Cached, Call, Found, Leading, Probing, Retrying, Run},
    config::LayerKind,
    health::Probe,
    outcome::{Class, Classify, Failure, Rejected},
    retry::Next,
    shape::{Fallible, Of, Optional, Otherwise, Plain, Refusing, Split},
    share_errors,
    site::{Declared, Place, Registered, Site},
    source::Embedded,
    start::init,
};
pub use ::core;
pub use ::std;
pub use inventory;
pub use std::any::type_name_of_val;

use std::hash::{Hash, Hasher};

/// Stands for an error while it is found whether its type can say what it is worth: the method that
/// needs more takes `&self`, the other is found one reference further away.
#[derive(Debug)]
pub struct Weigh<'a, E>(pub &'a E);

/// The error's type says what it is worth.
pub trait Weighed {
    /// What it says.
    fn class(&self) -> Option<Class>;
}

impl<E: Classify> Weighed for Weigh<'_, E> {
    fn class(&self) -> Option<Class> {
        Some(self.0.classify())
    }
}

/// The error's type does not say what it is worth.
pub trait Unweighed {
    /// Nothing.
    fn class(&self) -> Option<Class> {
        None
    }
}

impl<E> Unweighed for &Weigh<'_, E> {}

/// Whether the user's `test` holds of `value`.
#[inline]
pub fn holds<T: ?Sized>(value: &T, test: impl FnOnce(&T) -> bool) -> bool {
    test(value)
}

/// The class of an error of which the user's `retry_if` says whether it is worth another try. How
/// long to wait is still the error's to say.
#[inline]
#[must_use]
pub fn class_if(again: bool, class: Option<Class>) -> Class {
    match (again, class) {
        (false, _) => Class::Permanent,
        (true, Some(after @ Class::TransientAfter(_))) => after,
        (true, _) => Class::Transient,
    }
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
    pub fn part<K: Key + ?Sized>(&mut self, part: &K) {
        part.hash(&mut self.0);
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
    pub fn part<K: Key + ?Sized>(&mut self, part: &K) {
        part.hash(&mut self.0);
    }

    /// What identifies the key.
    #[inline]
    #[must_use]
    pub fn done(self) -> u64 {
        self.0.finish()
    }
}

/// The class of `error`.
#[inline]
pub fn classify<E: Classify>(error: &E) -> Class {
    error.classify()
}

pub use crate::{bulkhead::Priority, health::IntoHealth, retry::RetryEvent};

use crate::{
    cache::{Fingerprint, Reader},
    health::HealthResult,
    rate_limit::{KeyHasher, key_hasher},
};
use std::{cell::Cell, fmt::Debug, time::Duration};

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
    note = "`after` names a field of type `Duration` or `Option<Duration>`"
)]
pub trait After {
    /// The class of an error that asks so.
    fn class(&self) -> Class;
}

impl After for Duration {
    fn class(&self) -> Class {
        Class::TransientAfter(*self)
    }
}

impl<A: After> After for Option<A> {
    fn class(&self) -> Class {
        self.as_ref().map_or(Class::Transient, After::class)
    }
}
