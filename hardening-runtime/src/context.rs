//! What a body may know of the call that it runs in, and what nested calls inherit.
//!
//! A thread-local, set around each poll of a body (and around each run of a blocking one), so it
//! follows the body across `.await` and threads, and never leaks into another task.

use crate::clock::{self, Moment};
use std::{cell::Cell, time::Instant};

/// The innermost annotated call that the current code runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    /// Which attempt this is; the first is 1.
    pub(crate) attempt: u32,
    /// The nearest deadline of all the calls around.
    pub(crate) deadline: Option<Moment>,
}

impl Context {
    const OUTSIDE: Self = Self {
        attempt: 1,
        deadline: None,
    };
}

thread_local! {
    static CURRENT: Cell<Context> = const { Cell::new(Context::OUTSIDE) };
}

/// The context of the code that asks.
pub(crate) fn current() -> Context {
    CURRENT.get()
}

/// Runs `body` in `context`, and restores the context around it, also when `body` panics.
pub(crate) fn within<R>(context: Context, body: impl FnOnce() -> R) -> R {
    struct Restore(Context);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(context));
    body()
}

/// Which attempt of the innermost annotated call the current code runs in. The first is 1, and so
/// is code outside of any call.
#[must_use]
pub fn attempt() -> u32 {
    current().attempt
}

/// The moment at which the call that the current code runs in will have timed out: the nearest
/// deadline of all the annotated calls around it. Under tokio's paused clock the moment is that
/// clock's (`tokio::time::Instant::from_std`).
#[must_use]
pub fn deadline() -> Option<Instant> {
    current().deadline.map(clock::to_std)
}
