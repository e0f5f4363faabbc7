//! Which of many equal events are told: a flood of rejections must not become a flood of log lines.
//!
//! Asked only when somebody listens to the event, so a program without a subscriber pays nothing.

use crate::clock::{self, Moment};
use std::{
    collections::HashMap,
    hash::BuildHasher,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

/// Of one event of one site, this many are told in each second; the next that is told says how many
/// were not.
pub(crate) const PER_SECOND: u32 = 10;

const SECOND: Duration = Duration::from_secs(1);

/// Events by site are few; with more than this (names made at run time), counting begins anew.
const MOST: usize = 4096;

/// One event of one site.
#[derive(Clone, Copy, Debug)]
struct Flow {
    /// The second's beginning.
    since: Moment,
    told: u32,
    suppressed: u64,
}

impl Flow {
    const fn at(now: Moment) -> Self {
        Self {
            since: now,
            told: 0,
            suppressed: 0,
        }
    }

    /// One more: how many were suppressed since the last that was told, if this one is told.
    fn admit(&mut self, now: Moment) -> Option<u64> {
        // A clock that went back (a second paused runtime) begins a second, too.
        if now < self.since || now.since(self.since) >= SECOND {
            self.since = now;
            self.told = 0;
        }
        if self.told == PER_SECOND {
            self.suppressed += 1;
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

/// How many events like this one were not told since the last that was, if this one is told.
#[cold]
pub(crate) fn admit(site: &str, layer: &str, message: &str) -> Option<u64> {
    static FLOWS: LazyLock<Mutex<HashMap<u64, Flow>>> = LazyLock::new(Mutex::default);
    static HASHER: LazyLock<foldhash::fast::RandomState> = LazyLock::new(Default::default);
    let (id, now) = (HASHER.hash_one((site, layer, message)), clock::now());
    let mut flows = FLOWS.lock().unwrap_or_else(PoisonError::into_inner);
    if flows.len() >= MOST && !flows.contains_key(&id) {
        flows.clear();
    }
    flows.entry(id).or_insert(Flow::at(now)).admit(now)
}

#[cfg(all(test, not(hardening_loom)))]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::from_nanos(1 << 55).plus(Duration::from_millis(millis))
    }

    #[test]
    fn ten_are_told_in_a_second_and_the_next_says_how_many_were_not() {
        let mut flow = Flow::at(at(0));
        let told = |flow: &mut Flow, millis| flow.admit(at(millis));
        let first: Vec<_> = (0..100).map(|n| told(&mut flow, n)).collect();
        assert_eq!(first[..10], [Some(0); 10]);
        assert_eq!(first[10..], [None; 90]);
        assert_eq!(told(&mut flow, 999), None);
        assert_eq!(told(&mut flow, 1000), Some(91));
        assert_eq!(told(&mut flow, 1001), Some(0));
    }

    #[test]
    fn a_clock_that_goes_back_does_not_silence_it() {
        let mut flow = Flow::at(at(10_000));
        for _ in 0..20 {
            flow.admit(at(10_000));
        }
        assert_eq!(flow.admit(at(5)), Some(10));
    }

    #[test]
    fn sites_layers_and_messages_flow_apart() {
        let told = |site: &str, layer: &str, message: &str| {
            (0..30).filter_map(|_| admit(site, layer, message)).count()
        };
        assert!(told("flood::a", "retry", "x") >= 10); // a new second may begin
        assert!(told("flood::b", "retry", "x") >= 10);
        assert!(told("flood::a", "cache", "x") >= 10);
        assert!(told("flood::a", "retry", "y") >= 10);
    }
}
