//! Cache: hits, growth, the storm after a miss, and traffic that does not fit.

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
