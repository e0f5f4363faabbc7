//! One snapshot for all instruments of a collection, so that its values belong together.

use crate::Snapshot;
use std::sync::{Arc, Mutex, PoisonError};

/// The snapshot that is being told, and which instruments have told it.
///
/// A collection asks each instrument once, in no order that is promised. So an instrument that asks for
/// the second time begins a new collection, and the others join it.
#[derive(Default)]
pub(super) struct Reading(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    snapshot: Arc<Snapshot>,
    /// A bit for each instrument that has not told it yet.
    waiting: u64,
}

impl Reading {
    /// What the instrument of this index, which is below 64, tells now.
    pub(super) fn of(&self, instrument: usize) -> Arc<Snapshot> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bit = 1 << instrument;
        if taken.waiting & bit == 0 {
            taken.snapshot = Arc::new(crate::snapshot());
            taken.waiting = u64::MAX;
        }
        taken.waiting &= !bit;
        Arc::clone(&taken.snapshot)
    }
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;

    #[test]
    fn instruments_share_a_snapshot_until_one_asks_again() {
        let reading = Reading::default();
        let first = reading.of(0);
        assert!(Arc::ptr_eq(&first, &reading.of(1)));
        assert!(Arc::ptr_eq(&first, &reading.of(63)));
        let second = reading.of(1);
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(&second, &reading.of(0)));
    }
}
