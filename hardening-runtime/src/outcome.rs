//! What a call comes to: the user's error, our refusal, or a panic, typed until the outer edge.

use std::{any::Any, error::Error, fmt, io, sync::Arc, time::Duration};

/// A layer refused the call. It becomes the function's own error, through `From<Rejected>`, once,
/// at the outer edge; between the layers it stays typed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// The operation's rate limit is used up.
    RateLimited {
        /// The operation.
        op: &'static str,
        /// When a call may be admitted; none when it never can (its cost is above the capacity).
        retry_after: Option<Duration>,
    },
    /// The circuit is open, or half-open with all its probes under way.
    CircuitOpen {
        /// The circuit breaker.
        name: &'static str,
        /// When the circuit admits a probe; none while it is forced open.
        retry_after: Option<Duration>,
    },
    /// All places are taken, and the queue is full or the wait was too long.
    BulkheadFull {
        /// The bulkhead.
        name: &'static str,
    },
    /// The call, or one attempt of it, took too long.
    TimedOut {
        /// The function.
        name: &'static str,
        /// The time that it was given.
        after: Duration,
    },
    /// The call waited for another caller's run of the same cache key, and that run failed with an
    /// error that cannot be cloned.
    LoadFailed {
        /// The cache.
        name: &'static str,
        /// The other caller's error, as text.
        reason: Arc<str>,
        /// What that error was worth.
        class: Class,
    },
}

impl Rejected {
    /// When the call may be worth another try, if the layer that refused it knows.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::CircuitOpen { retry_after, .. } => {
                *retry_after
            }
            Self::LoadFailed {
                class: Class::TransientAfter(after),
                ..
            } => Some(*after),
            Self::BulkheadFull { .. } | Self::TimedOut { .. } | Self::LoadFailed { .. } => None,
        }
    }

    /// The operation, or the name of the layer, that refused.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RateLimited { op: name, .. }
            | Self::CircuitOpen { name, .. }
            | Self::BulkheadFull { name }
            | Self::TimedOut { name, .. }
            | Self::LoadFailed { name, .. } => name,
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RateLimited { op, .. } => write!(f, "the rate limit of `{op}` is used up")?,
            Self::CircuitOpen { name, .. } => write!(f, "the circuit `{name}` is open")?,
            Self::BulkheadFull { name } => write!(f, "the bulkhead `{name}` is full")?,
            Self::TimedOut { name, after } => write!(f, "`{name}` took longer than {after:?}")?,
            Self::LoadFailed { name, reason, .. } => {
                write!(
                    f,
                    "the run of `{name}` that this call waited for failed: {reason}"
                )?;
            }
        }
        match self.retry_after() {
            Some(after) => write!(f, "; try again after {after:.1?}"),
            None => Ok(()),
        }
    }
}

impl Error for Rejected {}

impl From<Rejected> for io::Error {
    fn from(rejected: Rejected) -> Self {
        let kind = match rejected {
            Rejected::TimedOut { .. } => io::ErrorKind::TimedOut,
            Rejected::RateLimited { .. } | Rejected::BulkheadFull { .. } => {
                io::ErrorKind::ResourceBusy
            }
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, rejected)
    }
}

/// Whether an error is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It may go away by itself: try again.
    Transient,
    /// Try again, but not before this time has passed (an upstream's `Retry-After`).
    TransientAfter(Duration),
    /// Another try would fail in the same way: the request is at fault.
    Permanent,
}

impl Class {
    /// Whether another try may help.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        !matches!(self, Self::Permanent)
    }

    /// The same, but not before `wait` has passed, when somebody said how long. What is permanent stays so.
    #[must_use]
    pub const fn after(self, wait: Option<Duration>) -> Self {
        match (self, wait) {
            (Self::Transient | Self::TransientAfter(_), Some(wait)) => Self::TransientAfter(wait),
            (class, _) => class,
        }
    }
}

/// Where an error comes from, which decides how far its [class](Class) counts.
///
/// | | `retryable` and `retry` | `circuit_breaker` |
/// |---|---|---|
/// | `Call` | as the class says | a failure when the class is transient, neutral when it is permanent |
/// | `Rejection` | as the class says, but no wait above `max_delay` | neutral |
/// | `Unknown` | not tried again | a failure |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// From what was called: it failed or took too long, or the request was at fault.
    Call,
    /// A layer refused, and nothing was called: a rate limit, an open circuit, a full bulkhead. When it will
    /// admit again is known, and it says nothing of what would have been called.
    Rejection,
    /// Not known, as the error holds nothing that says what it is worth. Whether another try may help is
    /// not known either; that something failed is.
    Unknown,
}

/// What is known of an error.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    pub(crate) class: Class,
    pub(crate) origin: Origin,
}

impl Worth {
    /// Nothing is known: the error's type does not say, or it does not know this one.
    pub(crate) const UNKNOWN: Self = Self {
        class: Class::Permanent,
        origin: Origin::Unknown,
    };

    /// What `error` says of itself.
    #[inline]
    pub(crate) fn of<E: Classify + ?Sized>(error: &E) -> Self {
        Self {
            class: error.classify(),
            origin: error.origin(),
        }
    }

    /// The same, once the user's `retry_if` has said whether it is worth another try. How long to wait is
    /// still the error's to say, and a layer that refuses for ever is not asked again.
    pub(crate) const fn if_said(self, again: bool) -> Self {
        if !again {
            return Self::by(Class::Permanent);
        }
        match (self.class, self.origin) {
            (_, Origin::Rejection) | (Class::TransientAfter(_), _) => self,
            _ => Self::by(Class::Transient),
        }
    }

    const fn by(class: Class) -> Self {
        Self {
            class,
            origin: Origin::Call,
        }
    }
}

/// What comes from what was called is worth what its class says.
impl From<Class> for Worth {
    fn from(class: Class) -> Self {
        Self::by(class)
    }
}

/// Says of an error whether it is worth another try.
///
/// Derive it with `#[derive(Classify)]`, or write it by hand:
///
/// ```
/// # use hardening_runtime as hardening;
/// use hardening::{Class, Classify};
///
/// enum AppError { Busy, NotFound }
///
/// impl Classify for AppError {
///     fn classify(&self) -> Class {
///         match self {
///             Self::Busy => Class::Transient,
///             Self::NotFound => Class::Permanent,
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "nothing says which errors of type `{Self}` are worth another try",
    label = "`{Self}` does not implement `hardening::Classify`",
    note = "derive it: `#[derive(hardening::Classify)]` with `#[transient]` or `#[permanent]` on each variant",
    note = "or say it on the function: `#[retryable(retry_if = |error| …)]`",
    note = "errors of reqwest, sqlx and redis have it with the feature of `hardening` that has their name"
)]
pub trait Classify {
    /// The class of this error.
    fn classify(&self) -> Class;

    /// Where this error comes from. An error that holds others (a [`Rejected`], an I/O error) passes on what
    /// they say; `#[classify(forward)]` does.
    #[inline]
    fn origin(&self) -> Origin {
        Origin::Call
    }
}

/// A value that says so was refused by one of our layers further in is worth what the refusal is.
impl Classify for Rejected {
    fn classify(&self) -> Class {
        match self {
            Self::RateLimited { retry_after, .. } | Self::CircuitOpen { retry_after, .. } => {
                retry_after.map_or(Class::Permanent, Class::TransientAfter)
            }
            Self::BulkheadFull { .. } | Self::TimedOut { .. } => Class::Transient,
            Self::LoadFailed { class, .. } => *class,
        }
    }

    /// A timeout says that what was called is slow, and the run that a call waited for did call.
    fn origin(&self) -> Origin {
        match self {
            Self::RateLimited { .. } | Self::CircuitOpen { .. } | Self::BulkheadFull { .. } => {
                Origin::Rejection
            }
            Self::TimedOut { .. } | Self::LoadFailed { .. } => Origin::Call,
        }
    }
}

/// Why a call has no value: what walks outward through the layers.
#[derive(Debug)]
pub enum Failure<E> {
    /// The body's own error.
    Error(E),
    /// One of our layers refused.
    Rejected(Rejected),
    /// The body panicked; the outer edge raises it again.
    Panicked(Box<dyn Any + Send>),
    /// Nothing further in was asked: another caller's run of the key has the result, and the cache puts
    /// it in the place of this. It never leaves a call.
    #[doc(hidden)]
    Answered,
}

impl<E> From<Rejected> for Failure<E> {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}
