//! Chance: the one source of randomness. Decisions take the drawn number as an argument.

#[cfg(feature = "test-util")]
use rand::SeedableRng;
use rand::{RngExt, rngs::SmallRng};
use std::cell::RefCell;

thread_local! {
    static DICE: RefCell<SmallRng> = RefCell::new(rand::make_rng());
}

/// A number in `0.0..1.0`, from a small generator of this thread.
#[must_use]
pub(crate) fn fraction() -> f64 {
    DICE.with_borrow_mut(RngExt::random)
}

/// 64 random bits, from the same generator: to tell things apart, not to keep secrets.
#[must_use]
pub(crate) fn bits() -> u64 {
    DICE.with_borrow_mut(RngExt::random)
}

/// Makes this thread's draws repeatable.
#[cfg(feature = "test-util")]
pub(crate) fn seed(seed: u64) {
    DICE.with_borrow_mut(|dice| *dice = SmallRng::seed_from_u64(seed));
}
