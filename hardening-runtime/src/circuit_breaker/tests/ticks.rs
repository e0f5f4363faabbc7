//! An open circuit under a clock that ticks.

use super::*;
use crate::clock::{Clock, Present};
use Signal::Failure;

/// A clock whose last tick was a while ago.
#[derive(Clone, Copy)]
struct Ticking {
    now: Moment,
    behind: Duration,
}

impl Clock for Ticking {
    fn now(&self) -> Moment {
        self.now
    }

    fn recent(&self) -> Present {
        let behind = clock::nanos(self.behind);
        Present::Recent(Moment::from_nanos(self.now.as_nanos() - behind))
    }
}

#[test]
fn an_open_circuit_ends_on_time_however_late_the_clock_ticks() {
    const OPEN_FOR: Duration = secs(60);
    for behind in [0, 1, 4, 10, 24, 25].map(Duration::from_millis) {
        let bench = bench(Policy::default());
        bench.calls(5, Failure);
        for since in [0, 1, 3, 59_000, 59_950, 59_976, 59_999].map(Duration::from_millis) {
            let now = bench.now.plus(since);
            let rejected = bench.state.enter(&bench.policy, Ticking { now, behind });
            let retry_after = rejected.err().unwrap().retry_after().unwrap();
            let left = OPEN_FOR.saturating_sub(since);
            assert!(retry_after >= left, "too soon: {retry_after:?}");
            assert!(
                retry_after <= (left + behind).min(OPEN_FOR),
                "{retry_after:?}"
            );
        }
        let now = bench.now.plus(OPEN_FOR);
        let probe = bench.state.enter(&bench.policy, Ticking { now, behind });
        assert!(probe.is_ok(), "{behind:?}");
    }
}
