//! One way to do the work of a scenario.

use std::time::{Duration, Instant};

/// Whose way it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Ours.
    Ours,
    /// Another crate's.
    Peer,
    /// The least that can do it, written by hand: bare atomics, a bare loop.
    Limit,
}

/// Runs the work a number of times as the given thread, and says how long that took: what it sets up
/// before does not count.
type Batch = Box<dyn Fn(u64, u64) -> Duration + Sync>;

pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) whose: Whose,
    batch: Batch,
}

impl Contender {
    /// Work whose time `batch` takes itself: given the thread (0, 1, …) and the number of calls.
    pub(crate) fn timed(
        whose: Whose,
        name: &'static str,
        batch: impl Fn(u64, u64) -> Duration + Sync + 'static,
    ) -> Self {
        Self {
            name,
            whose,
            batch: Box::new(batch),
        }
    }

    /// Work that blocks. `work` is given a number that grows with each call and differs by thread.
    pub(crate) fn blocking(
        whose: Whose,
        name: &'static str,
        work: impl Fn(u64) + Sync + 'static,
    ) -> Self {
        Self::timed(whose, name, move |thread, calls| {
            let first = first_number(thread);
            let began = Instant::now();
            for call in first..first + calls {
                work(call);
            }
            began.elapsed()
        })
    }

    /// Work that is awaited, on a runtime of the thread's own; otherwise as [`Self::blocking`].
    pub(crate) fn awaited(
        whose: Whose,
        name: &'static str,
        work: impl AsyncFn(u64) + Sync + 'static,
    ) -> Self {
        Self::awaited_with(whose, name, || (), async move |(), call| work(call).await)
    }

    /// [`Self::awaited`] with something of each thread's own, such as its clone of a service.
    pub(crate) fn awaited_with<S>(
        whose: Whose,
        name: &'static str,
        own: impl Fn() -> S + Sync + 'static,
        work: impl AsyncFn(&mut S, u64) + Sync + 'static,
    ) -> Self {
        Self::timed(whose, name, move |thread, calls| {
            let first = first_number(thread);
            let mut own = own();
            runtime().block_on(async {
                let began = Instant::now();
                for call in first..first + calls {
                    work(&mut own, call).await;
                }
                began.elapsed()
            })
        })
    }

    /// Nanoseconds of one call, when as many threads as given make `calls` each at the same time.
    pub(crate) fn nanos(&self, threads: u64, calls: u64) -> f64 {
        let all = std::sync::Barrier::new(usize::try_from(threads).expect("few threads"));
        let total: f64 = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|thread| {
                    let all = &all;
                    scope.spawn(move || {
                        all.wait();
                        (self.batch)(thread, calls).as_secs_f64()
                    })
                })
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().expect("the work does not panic"))
                .sum()
        });
        total * 1e9 / threads as f64 / calls as f64
    }
}

/// A runtime of the thread that asks.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime of one thread")
}

/// Far enough apart that threads do not do the same work at the same time, unless they mean to.
const fn first_number(thread: u64) -> u64 {
    thread * 5_003
}
