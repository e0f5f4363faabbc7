mod arithmetic;
mod history;
mod limits;
mod reload;
mod store;
mod waiting;

use super::{Admission, LimiterState, Prepared};
use crate::{clock::Moment, outcome::Rejected};
use std::time::Duration;

/// Over a year into the scale, like the clock.
const START: u64 = (1 << 55) + 12_345_678_901;

fn at(after: Duration) -> Moment {
    Moment::from_nanos(START).plus(after)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn admits(state: &LimiterState, policy: &Prepared, key: u64, now: Moment) -> bool {
    state.try_admit(policy, key, 1, now).is_ok()
}

/// How many calls of one token `key` gets at one moment.
fn burst(state: &LimiterState, policy: &Prepared, key: u64, now: Moment) -> usize {
    let most = policy.limits[0].capacity as usize + 1;
    let calls = std::iter::repeat_with(|| admits(state, policy, key, now));
    calls.take(most).take_while(|admitted| *admitted).count()
}

fn decide<'a>(
    state: &'a LimiterState,
    policy: &'a Prepared,
    key: u64,
    now: Moment,
) -> Result<Admission<'a>, Rejected> {
    state.admit(policy, key, 1, now, None)
}
