//! For tests of code that is annotated: forget all state, cap the attempts, put failures and delays
//! in the place of bodies.
//!
//! The states are the program's, so a test that resets them or injects into a site that other tests
//! call runs alone: hold [`alone`]'s guard for the length of the test.
//!
//! ```
//! # use hardening_runtime as hardening;
//! use hardening::testing::{self, Fault};
//! use std::time::Duration;
//!
//! let _alone = testing::alone(); // begins with a reset
//! testing::inject("shop::orders::place", Fault::fail().times(2));
//! testing::inject("shop::orders::find", Fault::delay(Duration::from_secs(3)));
//! testing::inject("payments", Fault::fail()); // every function whose bulkhead, say, has that name
//! testing::cap_attempts(1);
//! ```

use crate::{
    chance,
    config::{Config, ConfigErrors, Environment},
    inject, journal,
    outcome::Rejected,
    registry, start, watch,
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Something that happens in the place of a body, or before it.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(crate) outcome: Outcome,
    pub(crate) delay: Duration,
    left: Option<u32>,
}

#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Run,
    Fail,
    Reject(Rejected),
    Panic,
}

impl Fault {
    const fn of(outcome: Outcome, delay: Duration) -> Self {
        Self {
            outcome,
            delay,
            left: None,
        }
    }

    /// The attempt fails with a transient failure, and the body does not run. A cached function that
    /// returns `Option` returns `None`; one that returns a plain value cannot fail, so it panics.
    #[must_use]
    pub const fn fail() -> Self {
        Self::of(Outcome::Fail, Duration::ZERO)
    }

    /// The attempt fails as if a layer further in had refused it so.
    #[must_use]
    pub const fn reject(rejected: Rejected) -> Self {
        Self::of(Outcome::Reject(rejected), Duration::ZERO)
    }

    /// The body panics.
    #[must_use]
    pub const fn panic() -> Self {
        Self::of(Outcome::Panic, Duration::ZERO)
    }

    /// The body runs after `delay`.
    #[must_use]
    pub const fn delay(delay: Duration) -> Self {
        Self::of(Outcome::Run, delay)
    }

    /// What happens happens after `delay`.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// It happens to so many attempts; without this, to all.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    pub(crate) const fn is_for_all(&self) -> bool {
        self.left.is_none()
    }

    /// Whether it happens to one more attempt.
    pub(crate) const fn take_one(&mut self) -> bool {
        match &mut self.left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// Forgets every state, setting, cached value, figure and injection of the program. Calls that are
/// under way keep what they have.
pub fn reset() {
    inject::forget();
    watch::forget();
    journal::forget();
    registry::forget();
    start::forget_health();
    #[cfg(feature = "http")]
    crate::http::forget();
}

/// No other test runs that asked for this, until it is dropped; what [`alone`] returns. A type of its
/// own, so that clippy does not take it for a lock that is held across an `.await` by mistake.
#[derive(Debug)]
#[must_use = "hold it for the length of the test: `let _alone = testing::alone();`"]
pub struct Alone(#[allow(dead_code)] MutexGuard<'static, ()>);

/// Waits until no other test holds this guard, and resets.
pub fn alone() -> Alone {
    static ALONE: Mutex<()> = Mutex::new(());
    let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    reset();
    Alone(guard)
}

/// No call makes more attempts than this, whatever its policy says: of an annotated function, of
/// [`retry`](crate::retry::retry()), or of a [`Retry`](crate::Retry).
pub fn cap_attempts(attempts: u32) {
    inject::cap(attempts);
}

/// Lets `fault` happen in the attempts at `target`, which is
///
/// - the path of a function, or the end of it from a `::` on, or
/// - the `name` or `op` that an attribute declares: then in those of every function which declares it.
///
/// Of several faults, those [`times`](Fault::times) a number happen one after the other, in the order in
/// which they were put there. One for all attempts takes the place of the one for all that its target had.
pub fn inject(target: impl Into<String>, fault: Fault) {
    inject::put(target.into(), fault);
}

/// Makes the jitter of this thread repeatable.
pub fn seed(seed: u64) {
    chance::seed(seed);
}

/// Puts the configuration `yaml` in force, in the place of the file's.
pub fn configure(yaml: &str) -> Result<(), ConfigErrors> {
    let config = Config::parse(yaml.as_bytes(), "configure", &Environment::none())?;
    start::put(config, None)
}
