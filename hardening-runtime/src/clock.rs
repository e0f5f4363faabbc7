//! The one clock of the runtime.
//!
//! Every decision takes the present as an argument; only drivers ask for it here. It follows the system's
//! monotonic clock, and is read off the processor's counter where the kernel trusts that (`ticks`).
//! With the feature `test-util` it is tokio's clock, so a test that pauses that clock moves every layer
//! with it, the blocking ones included.

#[cfg(any(test, not(feature = "test-util")))]
mod line;
#[cfg(all(test, hardening_loom, not(feature = "test-util")))]
mod model;
mod paused;
mod recent;
#[cfg(not(feature = "test-util"))]
mod ticks;

pub use recent::Present;
pub(crate) use recent::{Clock, System};

use std::{
    future::Future,
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

/// A moment on the runtime's clock, in nanoseconds. Never goes backwards within one clock;
/// arithmetic saturates, so a moment of another clock (a second paused runtime) does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The moment `nanos` nanoseconds after the beginning of the scale.
    #[inline]
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the beginning of the scale.
    #[inline]
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    #[inline]
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `duration` after this one, or the end of the scale.
    #[inline]
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }
}

/// `duration` in nanoseconds, or the largest number of them (584 years).
#[inline]
#[must_use]
pub(crate) const fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(duration.subsec_nanos() as u64)
}

/// The process's anchor, and where it stands on the scale: over a year in, so that "a window ago"
/// is a moment of its own right after start.
static ANCHOR: LazyLock<Instant> = LazyLock::new(Instant::now);
const ANCHOR_AT: Moment = Moment(1 << 55);

/// The present.
#[cfg(not(feature = "test-util"))]
#[inline]
#[must_use]
pub fn now() -> Moment {
    Moment(ticks::now())
}

/// The present.
#[cfg(feature = "test-util")]
#[must_use]
pub fn now() -> Moment {
    from_std(std_now())
}

#[cfg(not(feature = "test-util"))]
fn std_now() -> Instant {
    Instant::now()
}

#[cfg(feature = "test-util")]
fn std_now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn from_std(instant: Instant) -> Moment {
    let anchor = *ANCHOR;
    match instant.checked_duration_since(anchor) {
        Some(after) => ANCHOR_AT.plus(after),
        None => Moment(
            ANCHOR_AT
                .0
                .saturating_sub(nanos(anchor.duration_since(instant))),
        ),
    }
}

/// `moment` as the standard library's instant, of the same clock that [`now`] reads.
#[must_use]
pub fn to_std(moment: Moment) -> Instant {
    let (now, at) = (now(), std_now());
    if moment >= now {
        at.checked_add(moment.since(now)).unwrap_or(at)
    } else {
        at.checked_sub(now.since(moment)).unwrap_or(at)
    }
}

/// Waits until `moment`. A moment that has come sets no timer.
pub fn sleep_until(moment: Moment) -> Sleep {
    Sleep {
        until: moment,
        timer: None,
    }
}

/// Waits for `duration`. No time at all sets no timer.
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(if duration.is_zero() {
        Moment(0)
    } else {
        now().plus(duration)
    })
}

pin_project_lite::pin_project! {
    /// The wait that [`sleep_until`] returns; arms its timer when first polled too early.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Sleep {
        until: Moment,
        #[pin]
        timer: Option<tokio::time::Sleep>,
    }
}

impl Sleep {
    /// Changes the moment of a wait that has not been polled yet.
    #[inline]
    pub(crate) fn set_until(self: Pin<&mut Self>, until: Moment) {
        *self.project().until = until;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            if let Some(timer) = this.timer.as_mut().as_pin_mut() {
                ready!(timer.poll(cx));
            }
            // Timers run on the system's clock, which ours follows at a hair's breadth: a wait is over
            // when it is over here.
            let left = this.until.since(now());
            if left.is_zero() {
                return Poll::Ready(());
            }
            this.timer.set(Some(tokio::time::sleep(left)));
        }
    }
}

/// Blocks the thread for `duration`. On a paused clock it moves the clock instead.
pub fn sleep_blocking(duration: Duration) {
    if duration.is_zero() || paused::advance(duration) {
        return;
    }
    let until = now().plus(duration);
    let mut left = duration;
    while !left.is_zero() {
        std::thread::sleep(left);
        left = until.since(now());
    }
}

/// Blocks the thread until it is unparked or `until` has come; may return early, so callers look
/// again in a loop. On a paused clock nobody else may be able to move the time, so a wait that
/// nobody ends within a few real milliseconds moves it to `until`.
pub fn park_until(until: Moment) {
    let left = until.since(now());
    if left.is_zero() {
        return;
    }
    if paused::is() {
        const GRACE: Duration = Duration::from_millis(20);
        let began = Instant::now();
        std::thread::park_timeout(GRACE);
        if began.elapsed() >= GRACE {
            paused::advance(until.since(now()));
        }
    } else {
        std::thread::park_timeout(left);
    }
}

/// Whether this thread's clock is a test's, which stands still.
pub(crate) fn is_paused() -> bool {
    paused::is()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let (early, late) = (Moment::from_nanos(5), Moment::from_nanos(u64::MAX - 5));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.plus(Duration::MAX).as_nanos(), u64::MAX);
    }

    #[cfg(feature = "test-util")]
    #[tokio::test(start_paused = true)]
    async fn the_paused_clock_moves_now_and_sleeps() {
        let before = now();
        sleep_until(before.plus(Duration::from_secs(3600))).await;
        assert_eq!(now().since(before), Duration::from_secs(3600));
    }

    #[cfg(feature = "test-util")]
    #[tokio::test(start_paused = true)]
    async fn a_blocking_sleep_moves_the_paused_clock() {
        let (before, real) = (now(), Instant::now());
        sleep_blocking(Duration::from_secs(60));
        assert_eq!(now().since(before), Duration::from_secs(60));
        assert!(real.elapsed() < Duration::from_secs(30));
    }
}
