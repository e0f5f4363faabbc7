//! Every interleaving of threads that hand a seat on.

use crate::{
    seat::Seats,
    sync::{AtomicU64, Ordering::Relaxed},
};
use loom::{sync::Arc, thread};

/// One seat for one thread, and its cell; a cell for those who find it taken.
struct Site {
    seats: Seats,
    alone: AtomicU64,
    shared: AtomicU64,
}

impl Site {
    fn count_once_and_leave(&self) {
        if let Some(seat) = self.seats.take(1) {
            let count = self.alone.load(Relaxed);
            self.alone.store(count + 1, Relaxed);
            self.seats.leave(seat);
        } else {
            self.shared.fetch_add(1, Relaxed);
        }
    }
}

#[test]
fn a_seat_that_is_handed_on_loses_no_count() {
    loom::model(|| {
        let site = Arc::new(Site {
            seats: Seats::new(),
            alone: AtomicU64::new(0),
            shared: AtomicU64::new(0),
        });
        let threads = [0; 2].map(|_| {
            let site = site.clone();
            thread::spawn(move || site.count_once_and_leave())
        });
        site.count_once_and_leave();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(site.alone.load(Relaxed) + site.shared.load(Relaxed), 3);
    });
}
