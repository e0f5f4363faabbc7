//! Cache: hits, growth, the storm after a miss, and traffic that does not fit.
//!
//! The limit is a table of atomics at half load: no bound, no times, no eviction. All have the same bound and,
//! where there is such a thing, the same time to live; `quick_cache` has none, so it is spared the clock.

mod hits;
mod stores;
mod storm;
mod traffic;

use crate::rounds::Scenario;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut all = hits::scenarios();
    all.extend(storm::scenarios());
    all.extend(traffic::scenarios());
    all
}
