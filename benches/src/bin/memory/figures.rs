//! The figures of a site: what each thread that calls it adds.

use super::{Row, Table, bytes_each};
use hardening::metrics::{Outcome, SiteMetrics};
use std::{sync::Barrier, thread};

/// More than there are seats.
const MANY: usize = 16;

/// Each thread writes in a seat of its own, of which there are few.
pub(super) fn table() -> Table {
    let in_place = size_of::<SiteMetrics>() as f64;
    let seated = |threads| in_place + bytes_each(1, || counted_by(threads));
    let rows = vec![
        Row::new("never called", 1, in_place),
        Row::new("called by one thread", 1, seated(1)),
        Row::new("called by two threads", 1, seated(2)),
        Row::new("called by 16 threads at once", 1, seated(MANY)),
    ];
    Table {
        what: "the figures of a site, `SiteMetrics`: in place and on the heap",
        rows,
    }
}

/// Figures of as many threads, all alive at the same time.
fn counted_by(threads: usize) -> SiteMetrics {
    let (figures, all) = (SiteMetrics::new(), Barrier::new(threads));
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    figures.begin();
                    figures.record_nanos(Outcome::Success, 1_000, 1);
                    all.wait();
                })
            })
            .collect();
        // The scope's end would not wait for what a thread gives back last.
        for thread in running {
            thread.join().expect("no panic");
        }
    });
    figures
}
