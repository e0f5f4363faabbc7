//! A site's state: what a function's five layers and its figures keep once it has been called.

use super::{ALLOCATOR, Row, Table, kept};
use benches::sites::{self, Site};
use stats_alloc::Region;
use std::thread;

/// In the order of a program's life: what is there is not made again.
pub(super) fn table() -> Table {
    let sites = sites::thousand();
    let (first, others) = sites.split_first().expect("a thousand");
    let rows = vec![
        Row::new(
            "1 site, called by one thread, and what all sites share",
            1,
            growth(|| call(*first)),
        ),
        Row::new(
            "1,000 sites, called by one thread: each after the first",
            others.len(),
            growth(|| others.iter().copied().for_each(call)) / others.len() as f64,
        ),
        Row::new(
            "the same 1,000, called by a second thread: more for each",
            sites.len(),
            growth(|| elsewhere(|| sites.iter().copied().for_each(call))) / sites.len() as f64,
        ),
    ];
    Table {
        what: "a site of five layers, one key of its limit in use: on the heap",
        rows,
    }
}

fn call(site: Site) {
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
        scope.spawn(act).join().expect("no panic");
    });
}
