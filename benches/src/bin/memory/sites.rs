//! A site's state: what a function's five layers and its figures keep once it has been called.

use super::{ALLOCATOR, Row, Table, bytes_each, kept};
use benches::sites::{self, Site};
use hardening::metrics::{Outcome, SiteMetrics};
use stats_alloc::Region;
use std::{sync::Barrier, thread};

/// More than there are seats.
const MANY: usize = 16;

/// In the order of a program's life: what is there is not made again.
pub(super) fn table() -> Table {
    let sites = sites::thousand();
    let (first, others) = sites.split_first().expect("a thousand");
    let rows = vec![
        Row::new(
            "1 site, called by one thread, and what all sites share",
            1,
            growth(|| call(first)),
        ),
        Row::new(
            "1,000 sites, called by one thread: each after the first",
            others.len(),
            growth(|| others.iter().for_each(call)) / others.len() as f64,
        ),
        Row::new(
            "the same 1,000, called by a second thread: more for each",
            sites.len(),
            growth(|| elsewhere(|| sites.iter().for_each(call))) / sites.len() as f64,
        ),
    ];
    Table {
        what: "a site of five layers, one key of its limit in use: on the heap",
        rows,
    }
}

/// Each thread writes in a seat of its own, of which there are few.
pub(super) fn figures() -> Table {
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

fn call(site: &Site) {
    assert!(site("customer-1", 1).is_ok());
}

/// Bytes that are kept after `act`.
fn growth(act: impl FnOnce()) -> f64 {
    let region = Region::new(ALLOCATOR);
    act();
    kept(region.change())
}

/// On another thread, while this one keeps its seat.
fn elsewhere(act: impl FnOnce() + Send) {
    thread::scope(|scope| {
        scope.spawn(act);
    });
}

/// Figures of as many threads, all alive at the same time.
fn counted_by(threads: usize) -> SiteMetrics {
    let (figures, all) = (SiteMetrics::new(), Barrier::new(threads));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                figures.begin();
                figures.record_nanos(Outcome::Success, 1_000, 1);
                all.wait();
            });
        }
    });
    figures
}
