//! One way to do the work of a scenario.

use std::{
    hint::spin_loop,
    sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire},
    thread,
    time::{Duration, Instant},
};

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

/// Runs the work a number of times as one of the threads, and says how long that took: what it sets up
/// before does not count.
type Batch = Box<dyn Fn(&Turn<'_>) -> Duration + Sync>;

/// What one thread is to do.
pub(crate) struct Turn<'a> {
    pub(crate) thread: u64,
    pub(crate) calls: u64,
    start: &'a Start,
}

impl Turn<'_> {
    /// The moment from which the work counts: all threads are set up, and on a processor.
    pub(crate) fn begin(&self) -> Instant {
        self.start.meet();
        Instant::now()
    }
}

/// Where threads wait for one another. A thread that sleeps takes about as long to come back as the others need
/// for their work, so two would not work at the same time: these stay awake.
struct Start {
    missing: AtomicU64,
}

impl Start {
    fn meet(&self) {
        self.missing.fetch_sub(1, AcqRel);
        while self.missing.load(Acquire) > 0 {
            spin_loop();
        }
    }
}

pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) whose: Whose,
    batch: Batch,
}

impl Contender {
    /// Work whose time `batch` takes itself, from [`Turn::begin`] on.
    pub(crate) fn timed(
        whose: Whose,
        name: &'static str,
        batch: impl Fn(&Turn<'_>) -> Duration + Sync + 'static,
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
        Self::timed(whose, name, move |turn| {
            let first = first_number(turn.thread);
            let began = turn.begin();
            for call in first..first + turn.calls {
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
        Self::timed(whose, name, move |turn| {
            let first = first_number(turn.thread);
            let mut own = own();
            runtime().block_on(async {
                let began = turn.begin();
                for call in first..first + turn.calls {
                    work(&mut own, call).await;
                }
                began.elapsed()
            })
        })
    }

    /// Nanoseconds of one call, when as many threads as given make `calls` each at the same time.
    pub(crate) fn nanos(&self, threads: u64, calls: u64) -> f64 {
        let start = Start {
            missing: AtomicU64::new(threads),
        };
        let turn = |thread| Turn {
            thread,
            calls,
            start: &start,
        };
        let total: f64 = thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(turn)
                .map(|turn| {
                    scope.spawn(move || {
                        if threads > 1 {
                            stay(turn.thread);
                        }
                        (self.batch)(&turn).as_secs_f64()
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

/// Binds the thread to a processor of its own: two new threads otherwise take turns on one for the few
/// milliseconds that a batch takes.
fn stay(thread: u64) {
    let processors = core_affinity::get_core_ids().unwrap_or_default();
    let position = usize::try_from(thread).unwrap_or(0);
    if let Some(&processor) = processors.get(position % processors.len().max(1)) {
        core_affinity::set_for_current(processor);
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
