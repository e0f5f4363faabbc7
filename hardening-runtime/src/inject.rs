//! Failures and delays that tests put in the place of a body. Nothing of it exists without the
//! feature `test-util`.

#[cfg(feature = "test-util")]
pub(crate) use on::*;

#[cfg(not(feature = "test-util"))]
pub(crate) use off::*;

#[cfg(not(feature = "test-util"))]
mod off {
    use crate::{outcome::Failure, site::Site};
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    /// Nothing.
    pub(crate) struct Injected;

    #[inline]
    pub(crate) const fn into(_: &Site, _: &str) -> Injected {
        Injected
    }

    #[inline]
    pub(crate) const fn nothing() -> Injected {
        Injected
    }

    #[inline]
    pub(crate) const fn is_last(_: u32) -> bool {
        false
    }

    #[allow(clippy::unused_self, clippy::unnecessary_wraps)] // as its twin
    impl Injected {
        #[inline]
        pub(crate) fn poll_failure<E>(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Result<(), Failure<E>>> {
            Poll::Ready(Ok(()))
        }

        #[inline]
        pub(crate) fn blocking<E>(self) -> Result<(), Failure<E>> {
            Ok(())
        }
    }
}

#[cfg(feature = "test-util")]
mod on {
    use crate::{
        clock::{self, Sleep},
        config::LayerKind,
        outcome::{Failure, Rejected},
        site::Site,
        testing::Fault,
    };
    use std::{
        future::Future,
        pin::Pin,
        sync::{
            Mutex, PoisonError,
            atomic::{AtomicU32, Ordering},
        },
        task::{Context, Poll, ready},
    };

    static FAULTS: Mutex<Vec<(String, Fault)>> = Mutex::new(Vec::new());
    static CAP: AtomicU32 = AtomicU32::new(u32::MAX);

    /// Puts `fault` into the attempts at `target`. What was to happen there to all attempts would
    /// keep it waiting for ever, so it takes that one's place.
    pub(crate) fn put(target: String, fault: Fault) {
        let mut faults = FAULTS.lock().unwrap_or_else(PoisonError::into_inner);
        faults.retain(|(known, earlier)| *known != target || !earlier.is_for_all());
        faults.push((target, fault));
    }

    pub(crate) fn cap(attempts: u32) {
        CAP.store(attempts.max(1), Ordering::Relaxed);
    }

    pub(crate) fn forget() {
        FAULTS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        cap(u32::MAX);
    }

    /// Whether tests allow no attempt after this one.
    pub(crate) fn is_last(attempt: u32) -> bool {
        attempt >= CAP.load(Ordering::Relaxed)
    }

    /// What is put into the next attempt of the function at `path`.
    pub(crate) fn into(site: &Site, path: &'static str) -> Injected {
        let mut faults = FAULTS.lock().unwrap_or_else(PoisonError::into_inner);
        let matches = |target: &str| is_at(path, target) || has_name(site, target);
        let fault = faults.iter_mut().find_map(|(target, fault)| {
            (matches(target) && fault.take_one()).then(|| fault.clone())
        });
        let put = |fault: Fault| Faulty {
            path,
            timer: clock::sleep(fault.delay),
            fault,
        };
        Injected(fault.map(|fault| Box::pin(put(fault))))
    }

    fn is_at(path: &str, target: &str) -> bool {
        let before = path.strip_suffix(target);
        before.is_some_and(|before| before.is_empty() || before.ends_with("::"))
    }

    /// Whether a layer of the site has the name, or the op. A policy is no name: it says how, not what.
    fn has_name(site: &Site, target: &str) -> bool {
        let names = site.layers().iter().flat_map(|layer| {
            let op = layer.policy.filter(|_| layer.kind == LayerKind::RateLimit);
            [layer.name, op]
        });
        names.flatten().any(|name| name == target)
    }

    /// Nothing is put into an attempt that has not begun.
    pub(crate) const fn nothing() -> Injected {
        Injected(None)
    }

    /// What is in the place of a body, if anything: in a room of its own, so that a future is as
    /// large under test as in production.
    pub(crate) struct Injected(Option<Pin<Box<Faulty>>>);

    pin_project_lite::pin_project! {
        struct Faulty {
            path: &'static str,
            #[pin]
            timer: Sleep,
            fault: Fault,
        }
    }

    impl Injected {
        pub(crate) fn poll_failure<E>(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Result<(), Failure<E>>> {
            let Some(faulty) = &mut self.0 else {
                return Poll::Ready(Ok(()));
            };
            ready!(faulty.as_mut().project().timer.poll(cx));
            let failure = failure(&faulty.fault, faulty.path);
            self.0 = None;
            Poll::Ready(failure)
        }

        pub(crate) fn blocking<E>(self) -> Result<(), Failure<E>> {
            let Some(faulty) = self.0 else {
                return Ok(());
            };
            clock::sleep_blocking(faulty.fault.delay);
            failure(&faulty.fault, faulty.path)
        }
    }

    fn failure<E>(fault: &Fault, name: &'static str) -> Result<(), Failure<E>> {
        let timed_out = || Rejected::TimedOut {
            name,
            after: fault.delay,
        };
        match &fault.outcome {
            crate::testing::Outcome::Run => Ok(()),
            crate::testing::Outcome::Fail => Err(Failure::Rejected(timed_out())),
            crate::testing::Outcome::Reject(rejected) => Err(Failure::Rejected(rejected.clone())),
            crate::testing::Outcome::Panic => Err(Failure::Panicked(Box::new("injected panic"))),
        }
    }
}
