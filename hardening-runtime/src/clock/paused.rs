//! Whether tokio's clock stands still here, and moving it.

#[cfg(feature = "test-util")]
pub(super) use on::{advance, is};

#[cfg(not(feature = "test-util"))]
pub(super) use off::{advance, is};

#[cfg(feature = "test-util")]
mod on {
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Waker},
        time::{Duration, Instant},
    };

    /// Whether this thread is in a runtime whose clock stands still. tokio does not tell, so we
    /// look: a clock that runs moves with the real one.
    pub(in crate::clock) fn is() -> bool {
        if tokio::runtime::Handle::try_current().is_err() {
            return false;
        }
        let (before, began) = (tokio::time::Instant::now(), Instant::now());
        while began.elapsed() < Duration::from_micros(2) {
            std::hint::spin_loop();
        }
        tokio::time::Instant::now() == before
    }

    /// Moves a paused clock; says whether there was one. `tokio::time::advance` moves the clock in
    /// its first poll and then only yields, which a blocking caller cannot and need not do.
    pub(in crate::clock) fn advance(duration: Duration) -> bool {
        if !is() {
            return false;
        }
        let _ = pin!(tokio::time::advance(duration)).poll(&mut Context::from_waker(Waker::noop()));
        true
    }
}

#[cfg(not(feature = "test-util"))]
mod off {
    pub(in crate::clock) const fn is() -> bool {
        false
    }

    pub(in crate::clock) const fn advance(_: std::time::Duration) -> bool {
        false
    }
}
