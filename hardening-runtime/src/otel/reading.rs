//! One snapshot for all instruments of a collection, so that its values belong together.

use crate::{Snapshot, metrics::SiteFigures};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What a collection tells.
#[derive(Default)]
pub(super) struct Told {
    /// By path. Functions of two `impl`s may have one, and of two values with the same attributes a reader keeps
    /// the last: they are one series, with the calls of both.
    pub(super) sites: BTreeMap<String, SiteFigures>,
    pub(super) snapshot: Snapshot,
}

impl Told {
    fn of(snapshot: Snapshot) -> Self {
        let mut sites = BTreeMap::<_, SiteFigures>::new();
        for site in &snapshot.sites {
            match sites.get_mut(&site.path) {
                Some(figures) => figures.merge(&site.figures),
                None => drop(sites.insert(site.path.clone(), site.figures.clone())),
            }
        }
        Self { sites, snapshot }
    }
}

/// What is being told, and which instruments have told it.
///
/// A collection asks each instrument once, in no order that is promised. So an instrument that asks for
/// the second time begins a new collection, and the others join it.
#[derive(Default)]
pub(super) struct Reading(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    told: Arc<Told>,
    /// A bit for each instrument that has not told it yet.
    waiting: u64,
}

impl Reading {
    /// What the instrument of this index, which is below 64, tells now.
    pub(super) fn of(&self, instrument: usize) -> Arc<Told> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bit = 1 << instrument;
        if taken.waiting & bit == 0 {
            taken.told = Arc::new(Told::of(crate::snapshot()));
            taken.waiting = u64::MAX;
        }
        taken.waiting &= !bit;
        Arc::clone(&taken.told)
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
